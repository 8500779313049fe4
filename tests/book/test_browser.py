"""The built pages in a real browser that has no network: over http:// and from file://."""

from __future__ import annotations

import functools
import gzip
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from book.sources import has_widgets, toc_pages
from playwright.sync_api import Browser, Page

PAGES = [*(f"book/{page.stem}.html" for page in toc_pages()), "search.html", "genindex.html"]
# What the console may say, and why.
ALLOWED: tuple[tuple[str, str], ...] = (
    ("use allowUnionTypes", "the widget manager's JSON schema checker speaks of its own schema, not of the page"),
)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
AXE_ALLOWED: dict[str, str] = {}  # rule -> why it may be broken
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WITH_WIDGETS = {page.stem for page in toc_pages() if has_widgets(page)}
# Bytes over the wire for a first page: everything it asks for, fonts and icons included, each as gzip -6 makes it.
MOST, MOST_WITH_WIDGETS = 700_000, 2_500_000


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def addresses(html: Path) -> Iterator[dict[str, str]]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {"http": f"http://127.0.0.1:{server.server_port}", "file": html.as_uri()}
    server.shutdown()
    server.server_close()


def watch(page: Page, home: str) -> list[str]:
    """Keep a list of whatever goes wrong in a page, and of what it asks for outside the book."""
    troubles: list[str] = []

    def console(message: Any) -> None:
        if message.type in {"error", "warning"} and not any(known in message.text for known, _ in ALLOWED):
            troubles.append(f"console: {message.text}")

    def request(request: Any) -> None:
        if not request.url.startswith((home, "data:", "blob:")):
            troubles.append(f"asked for {request.url}")

    def failed(request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before its icon had come
            troubles.append(f"failed: {request.url}")

    page.on("request", request)
    page.on("console", console)
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    page.on("requestfailed", failed)
    page.on(
        "response", lambda answer: troubles.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
    )
    return troubles


@pytest.fixture(scope="module")
def tabs(browser: Browser, addresses: dict[str, str]) -> Iterator[dict[str, tuple[Page, list[str]]]]:
    """One page for each way to open the book, with the list of its troubles."""
    opened = {}
    for scheme, home in addresses.items():
        page = browser.new_page(viewport=DESK, reduced_motion="reduce")  # no colour is caught half-way
        opened[scheme] = page, watch(page, home)
    yield opened
    for page, _ in opened.values():
        page.close()


def open_in(page: Page, home: str, name: str) -> None:
    """Open a page and wait until its interaction, if it has one, is there."""
    page.goto(f"{home}/{name}", wait_until="load")
    if Path(name).stem in WITH_WIDGETS:
        page.locator(".vae-lab svg").first.wait_for(timeout=30_000)


def undrawn(page: Page) -> list[str]:
    """Formulas that are still text, or that have an error in them."""
    return page.eval_on_selector_all(
        ".math",
        "all => all.filter(m => !m.querySelector('.katex') || m.querySelector('.katex-error'))"
        ".map(m => `formula: ${m.textContent}`)",
    )


def inaccessible(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe-core finds against WCAG 2.1 AA."""
    violations = Axe().run(page, options={**options, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"axe, {violation['id']}: {[node['target'] for node in violation['nodes']][:3]}"
        for violation in violations
        if violation["id"] not in AXE_ALLOWED
    ]


@functools.cache
def compressed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), 6))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_from_a_server_is_sound_light_accessible_and_narrow(tabs, html, addresses, name):
    page, troubles = tabs["http"]
    page.set_viewport_size(DESK)
    page.emulate_media(color_scheme="light")
    troubles.clear()
    fetched: set[str] = set()

    def note(request: Any) -> None:
        if not request.url.startswith(("data:", "blob:")):
            fetched.add(urlsplit(request.url).path)

    page.on("request", note)
    open_in(page, addresses["http"], name)
    page.evaluate("document.fonts.ready")
    page.remove_listener("request", note)

    sizes = {path: compressed(html / unquote(path).lstrip("/")) for path in fetched}
    most = MOST_WITH_WIDGETS if Path(name).stem in WITH_WIDGETS else MOST
    found = undrawn(page) + [f"{sum(sizes.values())} bytes: {sizes}"] * (sum(sizes.values()) > most)
    found += page.eval_on_selector_all(
        "img", "all => all.filter(i => i.complete && !i.naturalWidth).map(i => `no picture: ${i.src}`)"
    )
    found += troubles  # up to here: axe looks for style sheets in places of its own
    found += inaccessible(page, {"runOnly": {"type": "tag", "values": WCAG}})
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    found += inaccessible(page, {"runOnly": ["color-contrast"]})  # a theme changes colours and nothing else
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    found += [f"{width} pixels wide on a phone"] * (width > PHONE["width"])
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_from_a_file_opens_without_complaint(tabs, addresses, name):
    page, troubles = tabs["file"]
    troubles.clear()
    open_in(page, addresses["file"], name)
    found = troubles + undrawn(page)
    assert not found, "\n".join(found)


def test_a_quiz_works_by_keyboard_alone(browser, addresses):
    page = browser.new_page()
    page.goto(f"{addresses['file']}/book/intro.html")
    choices = page.locator(".course-quiz").first.locator("details")
    choices.nth(0).locator("summary").focus()
    page.keyboard.press("Enter")
    assert choices.nth(0).evaluate("d => d.open")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert choices.nth(1).evaluate("d => d.open")
    assert not choices.nth(0).evaluate("d => d.open")
    page.close()


def test_the_dark_theme_turns_the_ink_over(browser, addresses):
    for scheme, turned in [("light", False), ("dark", True)]:
        context = browser.new_context(color_scheme=scheme)
        page = context.new_page()
        page.goto(f"{addresses['http']}/book/intro.html", wait_until="load")
        filters = page.eval_on_selector_all(".cell_output img", "all => all.map(i => getComputedStyle(i).filter)")
        assert filters
        assert all(("invert" in f) == turned for f in filters)
        context.close()


def test_the_page_works_without_javascript(browser, addresses):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{addresses['file']}/book/stochastic_nodes.html")
    page.locator(".course-quiz details").first.locator("summary").click()
    assert page.locator(".course-quiz details p.verdict").first.is_visible()
    context.close()


def test_the_search_finds_the_page_that_explains_it_from_file(browser, addresses):
    page = browser.new_page()
    for words, where in {
        "rsample": "stochastic_nodes",
        "reparameterization trick": "reparameterization",
        "KL divergence": "elbo",
        "evidence lower bound": "elbo",
        "posterior collapse": "training",
        "score function": "two_gradients",
        "importance-weighted bound": "how_good",
        "Gumbel-softmax": "beyond_gaussians",
        "holes": "generation",
        "gradcheck": "computation_graphs",
        "Colab": "labs",
    }.items():
        page.goto(f"{addresses['file']}/search.html?{urlencode({'q': words})}")
        page.wait_for_selector("#search-results p.search-summary:has-text('found')", timeout=30_000)
        page.wait_for_selector("#search-results li a", timeout=30_000)
        found = page.eval_on_selector_all("#search-results li > a", "all => all.map(a => a.getAttribute('href'))")
        assert any(f"/{where}.html" in target for target in found[:5]), f"{words}: {found[:5]}"
    page.close()
