"""The built pages in a real browser that has no network: over http:// and from file://."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from book.sources import toc_pages
from playwright.sync_api import Page

PAGES = [*(f"book/{page.stem}.html" for page in toc_pages()), "search.html", "genindex.html"]
# What the console may say, and why.
ALLOWED: tuple[tuple[str, str], ...] = (
    ("use allowUnionTypes", "the widget manager's JSON schema checker speaks of its own schema, not of the page"),
)
# What axe may find, and why.
AXE_ALLOWED: tuple[tuple[str, str], ...] = ()


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
    """Block everything outside the book, and keep a list of whatever goes wrong."""
    troubles: list[str] = []

    def route(route: Any) -> None:
        url = route.request.url
        if url.startswith((home, "data:", "blob:")):
            route.continue_()
        else:
            troubles.append(f"asked for {url}")
            route.abort()

    def console(message: Any) -> None:
        if message.type in {"error", "warning"} and not any(known in message.text for known, _ in ALLOWED):
            troubles.append(f"console: {message.text}")

    page.route("**/*", route)
    page.on("console", console)
    page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    page.on(
        "response", lambda answer: troubles.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
    )
    return troubles


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_every_page_opens_without_network_and_without_complaint(browser, addresses, scheme):
    home = addresses[scheme]
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    troubles = watch(page, home)
    for name in PAGES:
        page.goto(f"{home}/{name}", wait_until="load")
        if page.locator(".math").count():
            page.wait_for_selector("mjx-container", timeout=30_000)
        assert not troubles, f"{name}: {troubles}"
        broken = page.eval_on_selector_all(
            "img", "all => all.filter(i => i.complete && !i.naturalWidth).map(i => i.src)"
        )
        assert not broken, name
    page.close()


def test_no_page_is_wider_than_a_phone_and_no_error_is_left_in_a_formula(browser, addresses):
    page = browser.new_page(viewport={"width": 390, "height": 844})
    for name in PAGES:
        page.goto(f"{addresses['http']}/{name}", wait_until="load")
        if page.locator(".math").count():
            page.wait_for_selector("mjx-container", timeout=30_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 391, name
        assert page.locator("mjx-merror, [data-mml-node=merror]").count() == 0, name
    page.close()


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


def test_the_search_page_finds_a_word_from_file(browser, addresses):
    page = browser.new_page()
    page.goto(f"{addresses['file']}/search.html?q=rsample")
    page.wait_for_selector("#search-results li a", timeout=30_000)
    assert "stochastic_nodes" in page.locator("#search-results li a").first.get_attribute("href")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_meets_wcag_2_1_aa(browser, addresses, scheme):
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    wanted: dict[str, Any] = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}}
    if scheme == "dark":  # a theme changes colours and nothing else
        wanted = {"runOnly": ["color-contrast"]}
    found = []
    for name in PAGES:
        page.goto(f"{addresses['http']}/{name}", wait_until="load")
        if page.locator(".math").count():
            page.wait_for_selector("mjx-container", timeout=30_000)
        for violation in Axe().run(page, options=wanted).response["violations"]:
            places = [node["target"] for node in violation["nodes"]]
            if not any(violation["id"] == rule for rule, _ in AXE_ALLOWED):
                found.append(f"{name}: {violation['id']}: {places[:3]}")
    assert not found, "\n".join(found)
    context.close()
