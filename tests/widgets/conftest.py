"""One widget in a page opened from file:// in the system's Chromium with the network cut.

The page, with what draws the book's widgets, is opened once for all tests of a process; each test puts a widget in.
(In the pages of the book, each loaded anew, the interactions are driven by tests/book/test_interactions.py.)
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>One widget</title>
<meta name="viewport" content="width=device-width"><style>
body { margin: 16px; background: var(--pst-color-background); font-family: sans-serif }
html[data-theme="light"] { --pst-color-text-base: #222832; --pst-color-text-muted: #48566b;
  --pst-color-background: #ffffff; --pst-color-surface: #f3f4f5; --pst-color-border: #d1d5da }
html[data-theme="dark"] { --pst-color-text-base: #ced6dd; --pst-color-text-muted: #9ca4af;
  --pst-color-background: #14181e; --pst-color-surface: #222832; --pst-color-border: #48566b }
</style>
<script defer src="_static/live-widgets.js"></script>
</head><body><main></main></body></html>
"""
# Puts a widget's state and view into the page, as they stand in a page of the book, and has them drawn.
STAGE = """([theme, state, view]) => {
  document.documentElement.dataset.theme = theme;
  const main = document.querySelector("main"), heading = document.createElement("h1");
  heading.textContent = "One widget";
  main.replaceChildren(heading, ...[["state", state], ["view", view]].map(([kind, json]) => {
    const script = document.createElement("script");
    script.type = `application/vnd.jupyter.widget-${kind}+json`;
    script.textContent = json;
    return script;
  }));
  window.scrollTo(0, 0);
  return drawWidgets(main);
}"""


def listen(page, problems):
    """Note a console error, and a request that leaves the folder."""
    known = ("file://", "data:", "blob:")
    page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
    page.on("console", lambda line: problems.append(f"console: {line.text}") if line.type == "error" else None)
    page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
    page.on("request", lambda request: None if request.url.startswith(known) else problems.append(request.url))


@pytest.fixture(scope="session")
def stage(browser, tmp_path_factory):
    """A function that opens the page, and opens it once only for the same way to point at things."""
    folder, opened, problems = tmp_path_factory.mktemp("stage"), {}, []
    (folder / "_static").mkdir()
    (folder / "_static" / "live-widgets.js").symlink_to(ROOT / "book/widget_pages/_static/live-widgets.js")
    (folder / "page.html").write_text(PAGE, encoding="utf-8")

    def open_stage(touch):
        if touch not in opened:
            context = browser.new_context(has_touch=touch)
            context.set_offline(True)
            page = opened[touch] = context.new_page()
            page.set_default_timeout(10_000)
            listen(page, problems)
            page.goto((folder / "page.html").as_uri())
        return opened[touch], problems

    yield open_stage
    for page in opened.values():
        page.context.close()


@pytest.fixture
def show(stage):
    """A function that shows one widget; the test fails for an error in the console or a request that leaves."""
    from ipywidgets.embed import embed_data

    heard = []

    def show_widget(widget, *, width=1280, dark=False, reduced_motion=False, touch=False):
        data = embed_data(views=[widget], drop_defaults=False)
        page, problems = stage(touch)
        problems.clear()
        heard.append(problems)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(
            media="screen",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
        )
        shown = [json.dumps(data["manager_state"]), json.dumps(data["view_specs"][0])]
        page.evaluate(STAGE, ["dark" if dark else "light", *shown])
        page.locator(".vae-lab svg").first.wait_for()
        settle(page)
        return page

    yield show_widget
    for problems in heard:
        assert not problems, problems


def settle(page):
    """Wait until what was scheduled for the next frame is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture(name="settle")
def _settle():
    return settle
