"""The interactions in the built pages: alive from a server and from a stick, on a phone and in the dark, and light."""

from __future__ import annotations

import re
import shutil

import pytest
from book.sources import ROOT, has_widgets, toc_pages
from book.test_browser import addresses, watch  # noqa: F401  (addresses is a fixture)

STATE = 'type="application/vnd.jupyter.widget-state+json"'
LIBRARIES = ("require.js", "widget-modules.js", "embed-amd.js", "live-widgets.js")
SCREENSHOTS = ROOT / "_build" / "screenshots"  # kept by continuous integration, to be looked at
NAMES = [page.stem for page in toc_pages()]
WITH = {page.stem for page in toc_pages() if has_widgets(page)}


def settle(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def spoken(widget):
    """All that an interaction says and draws: its text, its vector graphics, and what is chosen to be seen."""
    return widget.evaluate(
        """w => w.innerText + [...w.querySelectorAll("section")].map((s) => s.className).join()
               + [...w.querySelectorAll("svg")].map((s) => s.outerHTML).join()"""
    )


@pytest.mark.parametrize("name", NAMES)
def test_only_pages_with_widgets_load_what_draws_them(html, name):
    text = (html / "book" / f"{name}.html").read_text(encoding="utf-8")
    scripts = re.findall(r'<script[^>]*\bsrc="([^"]+)"', text)
    loaded = [library for library in LIBRARIES if any(library in source for source in scripts)]
    assert (STATE in text) == (name in WITH)
    assert loaded == (["live-widgets.js"] if name in WITH else [])


@pytest.mark.parametrize("name", NAMES)
def test_only_pages_with_formulas_load_their_style_and_none_loads_what_would_draw_them(html, name):
    text = (html / "book" / f"{name}.html").read_text(encoding="utf-8")
    assert ("katex.min.css" in text) == ('class="math' in text)
    assert "katex.min.js" not in text


@pytest.fixture(scope="module")
def homes(html, addresses, tmp_path_factory):  # noqa: F811
    """The book on a web server, and a copy of it in another folder: the book on a stick."""
    stick = tmp_path_factory.mktemp("stick") / "the book"
    shutil.copytree(html, stick, ignore=shutil.ignore_patterns("_sources", "reports"))
    return {"http": addresses["http"], "file": stick.as_uri()}


def drive(page, widget):
    """Move each control of an interaction, and see that it says or shows something else."""
    for slider in widget.locator("input[type=range]").all():
        before = spoken(widget)
        at_end = slider.evaluate("s => s.value === s.max")
        slider.focus()
        page.keyboard.press("Home" if at_end else "End")
        settle(page)
        assert spoken(widget) != before, slider.get_attribute("id")
    for radio in widget.locator("input[type=radio]:not(:checked)").all()[:3]:
        before = spoken(widget)
        radio.check()
        settle(page)
        assert spoken(widget) != before, radio.get_attribute("value")


def fits(page, width, picture):
    """See that the page is no wider than the screen, and the interaction stands on the page's own ground."""
    settle(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    widget = page.locator(".vae-lab").first
    grounds = widget.evaluate("w => [w.parentElement, w].map((e) => getComputedStyle(e).backgroundColor)")
    assert grounds[0] in {grounds[1], "rgba(0, 0, 0, 0)"}, "a frame of another colour around the interaction"
    widget.screenshot(path=SCREENSHOTS / picture)


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("name", sorted(WITH))
def test_every_control_has_an_effect_and_it_fits_a_phone_and_the_dark_page(browser, homes, scheme, name):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="dark")
    page = context.new_page()
    troubles = watch(page, homes[scheme])
    page.goto(f"{homes[scheme]}/book/{name}.html", wait_until="load")
    widgets = page.locator(".vae-lab")
    widgets.first.locator("svg").first.wait_for(timeout=30_000)
    if scheme == "file":
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        fits(page, 1280, f"{name}-dark-1280.png")
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 390, "height": 900})
        fits(page, 390, f"{name}-light-390.png")
    for widget in widgets.all():
        drive(page, widget)
    assert not troubles, troubles
    context.close()
