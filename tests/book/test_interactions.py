"""The interactions in the built pages: alive from http:// and from file://, light, and accessible with their page."""

from __future__ import annotations

import gzip
import re
import shutil

import pytest
from book.sources import ROOT, toc_pages
from book.test_browser import addresses, watch  # noqa: F401  (addresses is a fixture)
from widgets.accessibility import violations

STATE = 'type="application/vnd.jupyter.widget-state+json"'
LIBRARIES = ("require.js", "widget-modules.js", "embed-amd.js")
SCREENSHOTS = ROOT / "_build" / "screenshots"  # kept by continuous integration, to be looked at
NAMES = [page.stem for page in toc_pages()]
WITH = {page.stem for page in toc_pages() if re.search(r"^widgets\.\w+\(", page.read_text(), re.MULTILINE)}


def settle(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def spoken(widget):
    """All that an interaction says and draws: its text and its vector graphics."""
    return widget.evaluate("w => w.innerText + [...w.querySelectorAll('svg')].map(s => s.outerHTML).join('')")


@pytest.mark.parametrize("name", NAMES)
def test_only_pages_with_widgets_load_their_libraries(html, name):
    text = (html / "book" / f"{name}.html").read_text(encoding="utf-8")
    scripts = re.findall(r'<script[^>]*\bsrc="([^"]+)"', text)
    loaded = [library for library in LIBRARIES if any(library in source for source in scripts)]
    assert (STATE in text) == (name in WITH)
    assert loaded == (list(LIBRARIES) if name in WITH else [])


@pytest.mark.parametrize("scheme", ["http", "file"])
@pytest.mark.parametrize("name", sorted(WITH))
def test_every_control_of_every_interaction_has_an_effect(browser, html, addresses, tmp_path, scheme, name):  # noqa: F811
    home = addresses[scheme]
    if scheme == "file":  # the book on a stick: a copy, elsewhere
        shutil.copytree(html, tmp_path / "book on a stick", ignore=shutil.ignore_patterns("_sources", "reports"))
        home = (tmp_path / "book on a stick").as_uri()
    context = browser.new_context()
    page = context.new_page()
    troubles = watch(page, home)
    page.goto(f"{home}/book/{name}.html", wait_until="load")
    widgets = page.locator(".vae-lab")
    widgets.first.locator("svg").first.wait_for(timeout=20_000)
    for widget in widgets.all():
        sliders = widget.locator("input[type=range]")
        for slider in sliders.all():
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
def test_the_page_is_accessible_and_fits_a_phone(browser, addresses, name):  # noqa: F811
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
        page = context.new_page()
        page.goto(f"{addresses['http']}/book/{name}.html", wait_until="load")
        page.locator(".vae-lab svg").first.wait_for(timeout=20_000)
        settle(page)
        page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}.png", full_page=True)
        assert violations(page, "html") == [], scheme
        context.close()
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{addresses['http']}/book/{name}.html", wait_until="load")
    page.locator(".vae-lab svg").first.wait_for(timeout=20_000)
    settle(page)
    page.screenshot(path=SCREENSHOTS / f"{name}-phone.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


@pytest.mark.parametrize("name", NAMES)
def test_weight(browser, addresses, name):  # noqa: F811
    """What a reader's browser fetches, compressed as a web server would, stays within the promise."""
    sizes = {}
    context = browser.new_context()
    page = context.new_page()
    page.on("response", lambda answer: sizes.__setitem__(answer.url, answer))
    page.goto(f"{addresses['http']}/book/{name}.html", wait_until="networkidle")
    weight = sum(len(gzip.compress(answer.body(), 6)) for answer in sizes.values() if answer.status == 200)
    context.close()
    assert weight < (2_500_000 if name in WITH else 700_000), f"{weight:,} bytes"
