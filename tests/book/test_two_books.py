"""The book in two languages, as it is built: the same pages, the same places, and no English left in the other one."""

from __future__ import annotations

import functools
import re
import unicodedata
from pathlib import Path
from urllib.parse import urlencode

import pytest
from book.sources import toc_pages
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page

from tools.translation.catalogue import slugs
from tools.translation.outputs import Words, shown
from tools.translation.recorded import executed

PAGES = [f"book/{page.stem}.html" for page in toc_pages()]
ALL = [*PAGES, "search.html", "genindex.html"]
# Words of which an English sentence has one, and which Vietnamese has not.
ENGLISH = {
    *("the", "of", "and", "is", "are", "with", "from", "this", "that", "which", "what", "when", "each", "its", "was"),
    *("were", "has", "have", "does", "not"),
}
NOT_READ = "script, style, pre, code, .katex-html, math, .citation-list, .vae-lab, .notation-table, [lang=en]"
# English that stands for a reason: names of works and of their authors, what an English program calls a thing.
STANDS = re.compile(r"\b[A-Z][\w-]+ and [A-Z]\w+|→|\(([^()]|\([^()]*\))*\)|^book/\w+$|“[^”]*”")
SEARCHED = {
    "đồ thị tính toán": "computation_graphs",
    "tái tham số hóa": "reparameterization",
    "nút ngẫu nhiên": "stochastic_nodes",
    "sụp đổ hậu nghiệm": "training",
    "hàm score": "two_gradients",
    "không gian tiềm ẩn": "autoencoders",
    "ký hiệu": "notation",
    "bài giảng": "lecture",
    "sân chơi": "playground",
    "chẩn đoán": "diagnose",
}


@functools.cache
def soup(file: Path) -> BeautifulSoup:
    return BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser")


def without_marks(text: str) -> str:
    bare = unicodedata.normalize("NFD", text.replace("đ", "d"))
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


@pytest.mark.parametrize("name", ALL)
def test_each_page_leads_to_itself_in_the_other_language(html, name):
    for here, there in ((html / name, html / "vi" / name), (html / "vi" / name, html / name)):
        (switch,) = soup(here).select("a.language-switch")
        assert (here.parent / switch["href"]).resolve() == there
        assert switch["hreflang"] == switch["lang"] == soup(there).html["lang"]
        links = {
            link["hreflang"]: (here.parent / link["href"]).resolve() for link in soup(here).select("link[hreflang]")
        }
        assert links == {"en": html / name, "vi": html / "vi" / name, "x-default": html / name}


@pytest.mark.parametrize("name", PAGES)
def test_the_two_pages_have_the_same_places_and_the_same_parts(html, name):
    def parts(page: BeautifulSoup) -> dict[str, list[str]]:
        article = page.find("article")
        return {
            "sections": [section["id"] for section in article.select("section[id]")],
            "figures": [figure["id"] for figure in article.select("figure[id]")],
            "numbers": re.findall(r"\d+", " ".join(n.text for n in article.select(".caption-number"))),
            "formulas": sorted(str(formula) for formula in article.select(".katex-html")),
            "boxes": [" ".join(box["class"]) for box in article.select("[class^=course-]")],
            "rows": [str(len(table.find_all("tr"))) for table in article.find_all("table")],
        }

    english, there = parts(soup(html / name)), parts(soup(html / "vi" / name))
    for kind, found in english.items():
        assert there[kind] == found, kind


@pytest.mark.parametrize("name", ALL)
def test_no_english_is_left_on_a_page(html, name):
    page = BeautifulSoup((html / "vi" / name).read_text(encoding="utf-8"), "html.parser")
    labels = {label.get_text() for label in soup(html / name).select("em")}  # a menu's name is the same in both
    for aside in [*page.select(NOT_READ), *(label for label in page.select("em") if label.get_text() in labels)]:
        aside.decompose()
    texts = list(page.stripped_strings)
    names = ("aria-label", "alt", "placeholder", "data-bs-title")
    texts += [element[name] for name in names for element in page.find_all(attrs={name: True})]
    left = [text for text in texts if ENGLISH & set(re.findall(r"[a-z]+", STANDS.sub("", text).lower()))]
    assert not left, "\n".join(dict.fromkeys(left))


@pytest.mark.parametrize("slug", slugs())
def test_every_word_that_a_cell_shows_is_translated(html, slug):
    notebook = executed(slug)
    if notebook is None:
        assert "{code-cell}" not in (html.parents[1] / "book" / f"{slug}.md").read_text()
        return
    missed: list[str] = []
    words = Words(slug, "vi", missed=missed.append)
    for output in shown(notebook):
        words.output(output)
    words.widgets(notebook["metadata"].get("widgets", {}))
    assert not missed, "\n".join(missed)


def test_files_that_are_the_same_are_there_once(html):
    twice = [
        path
        for path in (html / "vi").rglob("*")
        if path.is_file()
        and path.relative_to(html / "vi").parts[0] in ("_static", "_images")
        and (html / path.relative_to(html / "vi")).is_file()
        and (html / path.relative_to(html / "vi")).read_bytes() == path.read_bytes()
    ]
    assert not twice


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    return browser.new_page(viewport={"width": 390, "height": 844})


def found(page: Page, html: Path, words: str) -> list[str]:
    page.goto(f"{html.as_uri()}/vi/search.html?{urlencode({'q': words})}")
    page.wait_for_selector("#search-results p.search-summary", timeout=30_000)
    return page.eval_on_selector_all("#search-results li > a", "all => all.map(a => a.getAttribute('href'))")


@pytest.mark.parametrize("words", SEARCHED)
def test_a_word_is_found_as_it_is_typed(page, html, words):
    for typed in (words, unicodedata.normalize("NFD", words), words.replace("hóa", "hoá"), without_marks(words)):
        assert f"/{SEARCHED[words]}.html" in found(page, html, typed)[0], typed
        marked = page.locator("#search-results li mark").first.inner_text()
        assert without_marks(marked.lower()) in without_marks(words.lower())


def test_what_is_not_there_is_said_in_vietnamese(page, html):
    assert not found(page, html, "xqzw")
    assert page.locator("#search-results").inner_text().startswith("Không tìm thấy")


def test_the_switch_keeps_the_place_and_is_reached_by_keyboard_on_a_phone(page, html):
    page.goto(f"{html.as_uri()}/vi/book/elbo.html#exercises")
    switch = page.locator("a.language-switch")
    assert switch.is_visible()
    box = switch.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    switch.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/html/book/elbo.html#exercises")
    assert page.locator("#exercises").count() == 1


@pytest.mark.parametrize("name", ["vi/book/intro.html", "vi/book/playground.html"])
def test_a_font_has_every_vietnamese_letter(browser, html, name):
    """No letter is drawn as a box, and none comes from another font than its word."""
    page = browser.new_page()
    page.goto(f"{html.as_uri()}/{name}")
    letters = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
    page.evaluate(
        """letters => document.querySelector("article p").replaceChildren(letters + letters.toUpperCase())""", letters
    )
    client = page.context.new_cdp_session(page)
    for command in ("DOM.enable", "CSS.enable"):
        client.send(command)
    root = client.send("DOM.getDocument")["root"]["nodeId"]
    node = client.send("DOM.querySelector", {"nodeId": root, "selector": "article p"})["nodeId"]
    fonts = client.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
    assert len(fonts) == 1, fonts
    page.close()


def test_the_font_of_figures_has_every_vietnamese_letter():
    from matplotlib import font_manager, ft2font

    letters = "ăâđêôơưạặậẹệịọộợụựỵấầẩẫắằẳẵềểễếốồổỗớờởỡứừửữỳỷỹ"
    font = ft2font.FT2Font(font_manager.findfont("DejaVu Sans"))
    assert all(font.get_char_index(ord(letter)) for letter in letters + letters.upper())


@pytest.mark.parametrize("name", PAGES)
def test_the_words_of_a_figure_stay_inside_it(browser, html, name):
    """A figure keeps its English layout: a longer word may not leave it."""
    page = browser.new_page()
    page.goto(f"{html.as_uri()}/vi/{name}")
    sources = page.eval_on_selector_all("article img[src$='.svg']", "all => all.map(i => i.src)")
    out = []
    for source in sources:
        page.goto(source)
        out += page.evaluate(
            """() => {
              const frame = document.documentElement.getBoundingClientRect();
              return [...document.querySelectorAll("text")].filter((text) => {
                const box = text.getBoundingClientRect();
                return box.left < frame.left - 1 || box.right > frame.right + 1;
              }).map((text) => text.textContent);
            }"""
        )
    page.close()
    assert not out, out
