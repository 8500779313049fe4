"""A widget in a page of its own, opened from file:// in the system's Chromium with the network cut."""

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
<script src="_static/vendor/requirejs-2.3.8/require.js"></script>
<script src="_static/widget-modules.js"></script>
<script data-jupyter-widgets-cdn="http://nowhere.invalid/"
  src="_static/vendor/@jupyter-widgets/html-manager-1.0.15/embed-amd.js"></script>
</head><body><main><h1>One widget</h1>
<script type="application/vnd.jupyter.widget-state+json">STATE</script>
<script type="application/vnd.jupyter.widget-view+json">VIEW</script></main></body></html>
"""


@pytest.fixture
def open_page(browser):
    """A function that opens an address; the test fails for a console error or a request that leaves the place."""
    problems, contexts = [], []

    def look(page, home):
        page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
        page.on("console", lambda line: problems.append(f"console: {line.text}") if line.type == "error" else None)
        page.on("requestfailed", lambda request: problems.append(f"failed: {request.url}"))
        page.on(
            "request",
            lambda request: None if request.url.startswith((home, "data:", "blob:")) else problems.append(request.url),
        )

    def open_address(url, *, width=1280, dark=False, reduced_motion=False, touch=False):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
            has_touch=touch,
        )
        contexts.append(context)
        home = "file://" if url.startswith("file://") else "/".join(url.split("/")[:3])
        if home == "file://":
            context.set_offline(True)
        page = context.new_page()
        page.set_default_timeout(10_000)
        look(page, home)
        page.goto(url)
        return page

    yield open_address
    for context in contexts:
        context.close()
    assert not problems, problems


@pytest.fixture
def show(open_page, tmp_path):
    """A function that puts one widget in a page and opens it; the same options as `open_page`."""
    from ipywidgets.embed import embed_data, escape_script

    def open_widget(widget, *, dark=False, **options):
        data = embed_data(views=[widget], drop_defaults=False)
        (tmp_path / "_static").mkdir()
        for part in (ROOT / "book/vendor/_static/vendor", ROOT / "book/widget_pages/_static/widget-modules.js"):
            (tmp_path / "_static" / part.name).symlink_to(part)
        page = PAGE.replace('lang="en"', f'lang="en" data-theme="{"dark" if dark else "light"}"')
        page = page.replace("STATE", escape_script(json.dumps(data["manager_state"])))
        page = page.replace("VIEW", escape_script(json.dumps(data["view_specs"][0])))
        (tmp_path / "page.html").write_text(page, encoding="utf-8")
        opened = open_page(f"file://{tmp_path}/page.html", dark=dark, **options)
        opened.locator(".vae-lab svg").first.wait_for()
        settle(opened)
        return opened

    return open_widget


def settle(page):
    """Wait until what was scheduled for the next frame is drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture(name="settle")
def _settle():
    return settle
