"""The interactions in the built pages: alive from a server and from a stick, on a phone and in the dark, and light."""

from __future__ import annotations

import gzip
import re
import shutil

import pytest
from book.sources import ROOT, toc_pages
from book.test_browser import addresses, watch  # noqa: F401  (addresses is a fixture)

STATE = 'type="application/vnd.jupyter.widget-state+json"'
LIBRARIES = ("require.js", "widget-modules.js", "embed-amd.js")
SCREENSHOTS = ROOT / "_build" / "screenshots"  # kept by continuous integration, to be looked at
NAMES = [page.stem for page in toc_pages()]
WITH = {page.stem for page in toc_pages() if re.search(r"^widgets\.\w+\(", page.read_text(), re.MULTILINE)}


def settle(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def spoken(widget):
    """All that an interaction says and draws: its text, its vector graphics, and what is chosen to be seen."""
    return widget.evaluate(
        """w => w.innerText + [...w.querySelectorAll("section")].map((s) => s.className).join()
               + [...w.querySelectorAll("svg")].map((s) => s.outerHTML).join()"""
    )


@pytest.mark.parametrize("name", NAMES)
def test_only_pages_with_widgets_load_their_libraries(html, name):
    text = (html / "book" / f"{name}.html").read_text(encoding="utf-8")
    scripts = re.findall(r'<script[^>]*\bsrc="([^"]+)"', text)
    loaded = [library for library in LIBRARIES if any(library in source for source in scripts)]
    assert (STATE in text) == (name in WITH)
    assert loaded == (list(LIBRARIES) if name in WITH else [])


@pytest.fixture(scope="module")
def homes(html, addresses, tmp_path_factory):  # noqa: F811
    """The book on a web server, and a copy of it in another folder: the book on a stick."""
    stick = tmp_path_factory.mktemp("stick") / "the book"
    shutil.copytree(html, stick, ignore=shutil.ignore_patterns("_sources", "reports"))
    return {"http": addresses["http"], "file": stick.as_uri()}


def opened(context, address):
    page = context.new_page()
    page.goto(address, wait_until="load")
    page.locator(".vae-lab svg").first.wait_for(timeout=30_000)
    settle(page)
    return page


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("name", sorted(WITH))
def test_every_control_of_every_interaction_has_an_effect(browser, homes, scheme, name):
    context = browser.new_context()
    page = context.new_page()
    troubles = watch(page, homes[scheme])
    page.goto(f"{homes[scheme]}/book/{name}.html", wait_until="load")
    widgets = page.locator(".vae-lab")
    widgets.first.locator("svg").first.wait_for(timeout=30_000)
    for widget in widgets.all():
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
    assert not troubles, troubles
    context.close()


@pytest.mark.parametrize("name", sorted(WITH))
def test_it_fits_a_phone_and_stands_on_the_dark_page(browser, homes, name):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for scheme, width in (("light", 390), ("dark", 1280)):
        context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
        page = opened(context, f"{homes['file']}/book/{name}.html")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        widget = page.locator(".vae-lab").first
        grounds = widget.evaluate("w => [w.parentElement, w].map((e) => getComputedStyle(e).backgroundColor)")
        assert grounds[0] in {grounds[1], "rgba(0, 0, 0, 0)"}, "a frame of another colour around the interaction"
        widget.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}.png")
        context.close()


@pytest.mark.parametrize("name", NAMES)
def test_weight(browser, addresses, name):  # noqa: F811
    """What a reader's browser fetches, compressed as a web server would."""
    answers = []
    context = browser.new_context()
    page = context.new_page()
    page.on("response", lambda answer: answers.append(answer))
    page.goto(f"{addresses['http']}/book/{name}.html", wait_until="networkidle")
    sizes = {answer.url: len(gzip.compress(answer.body(), 6)) for answer in list(answers) if answer.status == 200}
    context.close()
    # The typesetter of formulas is 680 kB of it, on every page with a formula.
    assert sum(sizes.values()) < (2_500_000 if name in WITH else 1_300_000), sizes
