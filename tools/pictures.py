"""Take the pictures that the README and shared links show: a page of the built book, and a class report.

    make course && .venv/bin/python -m tools.pictures

Needs the built book, a graded sample class, and the system's Chromium. The pictures are kept in git, so this is run by
hand when book or report look different.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from vae_lab.doctor import find_browser

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "book" / "_static"
SIZE = {"width": 1200, "height": 630}  # what a link's preview shows
LARGEST = 150_000  # bytes
COLOURS = 128


def small_png(screenshot: bytes) -> bytes:
    """The same picture with few colours, which text and charts do not miss.

    Raises:
        ValueError: if it is too large all the same.
    """
    written = io.BytesIO()
    Image.open(io.BytesIO(screenshot)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(
        written, "PNG", optimize=True
    )
    if len(written.getvalue()) > LARGEST:
        raise ValueError(
            f"the picture has {len(written.getvalue())} bytes; at most {LARGEST} belong into the repository"
        )
    return written.getvalue()


def take(browser: Any, page: Path, scroll_to: str, zoom: float) -> bytes:
    """Open a page from its file, and photograph what is in view.

    Args:
        browser: Playwright's.
        page: an HTML file.
        scroll_to: a CSS selector of what stands at the top, or "" for the page's beginning.
        zoom: smaller than 1 to see more.
    """
    tab = browser.new_page(
        viewport={name: round(length / zoom) for name, length in SIZE.items()}, device_scale_factor=zoom
    )
    tab.goto(page.as_uri())
    tab.wait_for_timeout(3000)
    if scroll_to:
        tab.locator(scroll_to).first.evaluate("it => window.scrollTo(0, it.getBoundingClientRect().top + scrollY - 90)")
        tab.wait_for_timeout(500)
    shot = tab.screenshot()
    tab.close()
    return bytes(shot)


def main() -> int:
    """Take both pictures."""
    parser = argparse.ArgumentParser(description="Take the README's pictures again.")
    parser.add_argument("--book", type=Path, default=ROOT / "_build/html/book/reparameterization.html")
    parser.add_argument("--report", type=Path, default=ROOT / "report/sampling/index.html")
    parser.add_argument("--scroll-to", default=".widget-subarea", help="what of the book's page stands at the top")
    options = parser.parse_args()
    for needed in (options.book, options.report):
        if not needed.is_file():
            print(f"tools.pictures: there is no {needed}; run: make course", file=sys.stderr)
            return 2
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for name, page, place, zoom in (
            ("picture-book.png", options.book, options.scroll_to, 0.85),
            ("picture-report.png", options.report, "", 0.85),
        ):
            (TARGET / name).write_bytes(small_png(take(browser, page.resolve(), place, zoom)))
            print(TARGET / name)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
