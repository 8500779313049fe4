"""The built pages, as files: nothing secret, nothing from outside, no dead link, every image described."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from book.sources import ROOT, toc_pages
from bs4 import BeautifulSoup

ENGLISH = [page.relative_to(ROOT).with_suffix(".html") for page in toc_pages()]
PAGES = [*ENGLISH, *("vi" / page for page in ENGLISH)]
SECRET = re.compile(r"### BEGIN (?:SOLUTION|HIDDEN TESTS)\n(.*?)### END (?:SOLUTION|HIDDEN TESTS)", re.DOTALL)


@functools.cache
def parsed(file: Path) -> BeautifulSoup:
    return BeautifulSoup(file.read_text(), "html.parser")


def soup(html: Path, page: Path) -> BeautifulSoup:
    return parsed((html / page).resolve())


def secrets() -> set[str]:
    """Telling lines of solutions and hidden tests: long enough that they do not appear by accident, nowhere in view."""
    found, in_view = set(), set()
    for notebook in sorted((ROOT / "solutions").glob("*/*.ipynb")):
        for cell in json.loads(notebook.read_text())["cells"]:
            source = "".join(cell["source"])
            for block in SECRET.findall(source):
                found |= {line.strip() for line in block.splitlines() if len(line.strip()) >= 40}
            in_view |= {line.strip() for line in SECRET.sub("", source).splitlines()}
    return found - in_view


def test_there_are_secrets_to_look_for():
    assert len(secrets()) > 50


def test_no_solution_or_hidden_test_is_anywhere_in_the_book(html):
    shown = "\n".join(page.read_text() for page in toc_pages())  # what a page says by itself is no leak
    lines = {line for line in secrets() if line not in shown}
    for path in html.rglob("*"):
        if path.is_file() and path.suffix in {".html", ".js", ".md", ".txt", ".ipynb", ".json", ".inv"}:
            if "vendor" in path.parts:
                continue
            text = path.read_text(errors="replace")
            assert not re.search(r"BEGIN (SOLUTION|HIDDEN TESTS)", text), path
            assert not [line for line in lines if line in text], path


def test_only_pages_of_the_book_are_built(html):
    built = {path.relative_to(html) for path in html.rglob("*.html") if "_static" not in path.parts}
    around = [Path("index.html"), Path("search.html"), Path("genindex.html")]
    assert built == {*PAGES, *around, *("vi" / page for page in around)}
    assert {path.relative_to(html).parts[-3] for path in html.rglob("*.ipynb")} <= {"_downloads"}  # released labs


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_and_assets_resolve_inside_the_book(html, page):
    document = soup(html, page)
    for tag, attribute in [("a", "href"), ("img", "src"), ("script", "src"), ("link", "href")]:
        for element in document.find_all(tag, attrs={attribute: True}):
            url = urlsplit(element[attribute])
            if url.scheme in {"http", "https", "mailto"}:
                assert tag == "a", f"{page}: {element} is fetched from outside"
                continue
            if url.scheme == "data":
                continue
            target = (html / page).parent / unquote(url.path) if url.path else html / page
            assert target.resolve().is_file(), f"{page}: {element[attribute]} leads nowhere"
            if tag == "a" and url.fragment and target.suffix == ".html":
                there = parsed(target.resolve())
                assert there.find(id=unquote(url.fragment)), f"{page}: no place #{url.fragment} in {target.name}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_image_is_described(html, page):
    for image in soup(html, page).find("article").find_all("img"):
        alt = image.get("alt", "")
        assert alt, f"{page}: {image}"
        assert not re.search(r"\.(svg|png)$|^_images", alt), f"{page}: {image}"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_quiz_choice_unfolds_to_feedback_without_a_script(html, page):
    for quiz in soup(html, page).select(".course-quiz"):
        choices = quiz.find_all("details")
        assert len(choices) >= 2
        assert any("course-right" in choice["class"] for choice in choices)
        assert not any(choice.get("name") for choice in choices), "several stay open together"
        for choice in choices:
            assert len(choice.get_text(" ", strip=True)) > len(choice.summary.get_text(strip=True)) + 15


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_formulas_are_drawn_and_no_tex_is_left(html, page):
    document = soup(html, page)
    for formula in document.select(".math"):
        assert formula.select_one(".katex-html"), formula.get_text()
        assert formula.find("math"), "screen readers read MathML"
    text = " ".join(part for part in document.find("article").stripped_strings)
    assert not re.search(r"\\\(|\\\[|\\(mathbb|mathcal|sigma|frac)\b", text)


def test_no_script_draws_formulas(html):
    assert not list(html.rglob("katex*.js"))


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_code_of_a_figure_stands_folded_below_it_and_a_widget_has_none(html, page):
    for cell in soup(html, page).select("div.cell"):
        fold = cell.find("details", class_="hide")
        picture = cell.find(["figure", "img"])
        if fold and picture:
            order = [element for element in cell.find_all(True) if element in (fold, picture)]
            assert order == [picture, fold]
        if cell.find("script", type=re.compile("widget-view")):
            assert not cell.find("pre"), cell


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_picture_and_every_interaction_has_a_number_and_a_title(html, page):
    for place in soup(html, page).select(
        "div.cell img, div.cell script[type*=widget-view], div.cell .vae-architecture"
    ):
        caption = place.find_parent("figure").figcaption
        assert re.search(r"(?:Fig\.|Hình) \d+", caption.select_one(".caption-number").text), place
        assert len(caption.select_one(".caption-text").text) > 20


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_wide_table_names_its_columns_in_each_cell(html, page):
    for table in soup(html, page).select("article table.stacks"):
        heads = [head.get_text(" ", strip=True) for head in table.select("thead th")]
        assert len(heads) >= 3
        for row in table.select("tbody tr"):
            for head, cell in list(zip(heads, row.find_all("td"), strict=True))[1:]:
                said = cell.select_one(".column")
                if said or cell.get_text(strip=True):
                    assert not head or said.get_text(" ", strip=True) == head


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_cell_shows_the_address_of_an_object(html, page):
    """A last line that nobody meant to show, and another one in each build."""
    for output in soup(html, page).select("div.cell_output"):
        assert not re.search(r"<[\w.]+( object)? at 0x[0-9a-f]+>", output.get_text()), output.get_text()
