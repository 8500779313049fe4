"""What the cells of a built page wrote: its printed lines, and its tables of results row by row."""

from __future__ import annotations

import functools
import re

from book.sources import ROOT
from bs4 import BeautifulSoup

NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


@functools.cache
def _soup(page: str) -> BeautifulSoup:
    text = (ROOT / "_build" / "html" / "book" / f"{page}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser")


@functools.cache
def printed(page: str) -> str:
    """All that the cells of a page printed, as it stands in the built page."""
    return "\n".join(output.get_text() for output in _soup(page).select(".cell_output pre"))


def numbers(page: str, line: str) -> list[float]:
    """The numbers that follow the start of a printed line."""
    found = re.search(rf"^{re.escape(line)}(.*)$", printed(page), re.MULTILINE)
    assert found, f"{page} prints no line that starts with {line!r}"
    return [float(number) for number in NUMBER.findall(found[1].replace("+-", ""))]


@functools.cache
def _tables(page: str) -> list[tuple[list[str], dict[str, list[list[float]]]]]:
    found = []
    for table in _soup(page).select("table.results"):
        heads = [head.get_text() for head in table.select("thead th")]
        rows = {
            row.find("th").get_text(): [
                [float(number) for number in NUMBER.findall(cell.get_text())] for cell in row.find_all("td")
            ]
            for row in table.select("tbody tr")
        }
        found.append((heads, rows))
    return found


def row(page: str, corner: str, name: str) -> list[float]:
    """A row of a table of results, by its name: the first number of each cell that has one."""
    for heads, rows in _tables(page):
        if heads[0] == corner:
            return [cell[0] for cell in rows[name] if cell]
    raise AssertionError(f"{page} has no table whose first head is {corner!r}: {[heads for heads, _ in _tables(page)]}")


def column(page: str, corner: str, head: str) -> dict[str, list[float]]:
    """A column of a table of results, by the names of its rows: the numbers of a cell, one for each seed."""
    for heads, rows in _tables(page):
        if heads[0] == corner:
            at = heads.index(head) - 1
            return {name: cells[at] for name, cells in rows.items()}
    raise AssertionError(f"{page} has no table whose first head is {corner!r}: {[heads for heads, _ in _tables(page)]}")


def words(page: str, corner: str, head: str) -> dict[str, str]:
    """A column of a table of results whose cells are words, by the names of its rows."""
    for table in _soup(page).select("table.results"):
        heads = [cell.get_text() for cell in table.select("thead th")]
        if heads[0] == corner:
            at = heads.index(head) - 1
            return {r.find("th").get_text(): r.find_all("td")[at].get_text() for r in table.select("tbody tr")}
    raise AssertionError(f"{page} has no table whose first head is {corner!r}")
