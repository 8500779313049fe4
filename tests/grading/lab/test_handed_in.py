"""One matcher for engine and pages: an answer is found wherever an honest student may have put it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.grading import tiny
from vae_lab.grading.judge.submitted_notebook import read_notebook
from vae_lab.grading.lab.handed_in import HandedIn, read_handed_in

LAB = tiny.lab()
WORDS = "Eps is a leaf, and nothing is behind it to learn."
ANCHOR = "<!-- vae-lab: tiny/why -->"
Change = Callable[[list[dict[str, Any]]], None]


def handed_in(change: Change, answers: dict[str, str] | None = None, encoding: str = "utf-8") -> HandedIn:
    """The solved lab whose written answer is the stub, changed."""
    notebook = json.loads(tiny.submission(answers or {}))
    notebook["cells"][-1]["source"] = f"{ANCHOR}\nYOUR ANSWER HERE"
    change(notebook["cells"])
    data = json.dumps(notebook).encode(encoding)
    found = read_handed_in(LAB, data)
    engine = read_notebook(LAB, data)
    assert ("why" in engine.blank) == (found.answers.get("why") is None or found.answers["why"].blank)
    return found


def replaced(**about: Any) -> Change:
    """The cell of the written answer with other contents."""
    return lambda cells: cells[-1].update(about)


def added(place: int, kind: str, source: str) -> Change:
    """A new cell somewhere."""
    return lambda cells: cells.insert(len(cells) if place == -1 else place, tiny.cell(kind, source))


def both(*changes: Change) -> Change:
    def change(cells: list[dict[str, Any]]) -> None:
        for one in changes:
            one(cells)

    return change


IN_ITS_CELL = {
    "under the anchor": replaced(source=f"{ANCHOR}\n{WORDS}"),
    "beside the stub": replaced(source=f"{ANCHOR}\nYOUR ANSWER HERE\n{WORDS}"),
    "anchor typed over, metadata kept": replaced(source=WORDS),
    "metadata lost, anchor kept": replaced(source=f"{ANCHOR}\n{WORDS}", metadata={}),
    "typed behind the anchor": replaced(source=f"<!-- vae-lab: tiny/why {WORDS} -->"),
    "as code": replaced(cell_type="code", source=f"# vae-lab: tiny/why\n{WORDS}"),
    "as comments in a code cell": replaced(cell_type="code", source=f"# vae-lab: tiny/why\n# {WORDS}"),
    "as raw text": replaced(cell_type="raw", source=f"{ANCHOR}\n{WORDS}"),
    "as Databricks has it": replaced(cell_type="code", metadata={}, source=f"%md\n{ANCHOR}\n{WORDS}"),
    "as marimo has it": replaced(cell_type="code", metadata={}, source=f'mo.md(r"""\n{ANCHOR}\n{WORDS}\n""")'),
}
ELSEWHERE = {
    "new text cell below": added(-1, "markdown", WORDS),
    "new raw cell below": added(-1, "raw", WORDS),
    "comment in a code cell below": added(-1, "code", f"# {WORDS}"),
    "string in a code cell below": added(-1, "code", f'"""{WORDS}"""'),
    "prose in a code cell below": added(-1, "code", WORDS),
    "new text cell above": lambda cells: cells.insert(len(cells) - 1, tiny.cell("markdown", WORDS)),
    "its cell deleted, a new one": both(lambda cells: cells.pop(), added(-1, "markdown", WORDS)),
    "anchor and metadata lost": replaced(source=WORDS, metadata={}),
    "far away, at the top": added(0, "markdown", WORDS),
    "far away, as a comment": added(2, "code", f"# {WORDS}"),
    "in the lab's own first cell": lambda cells: cells[0].update(source=f"# Tiny\n{WORDS}"),
    "in a test cell": lambda cells: cells[3].update(source=f"{cells[3]['source']}\n# {WORDS}"),
}
NOTHING = {
    "the stub": lambda cells: None,
    "blank": replaced(source=""),
    "its cell deleted": lambda cells: cells.pop(),
    "Colab's badge and a short note": both(
        added(0, "markdown", '<a href="https://colab.research.google.com/x"><img alt="Open In Colab now please"/></a>'),
        added(3, "markdown", "todo: plots"),
    ),
    "code of one's own with a comment": added(3, "code", f"# {WORDS}\nx = 1"),
    "the lab's own text twice, in bold": added(-1, "markdown", "# **Tiny**"),
}  # fmt: skip


@pytest.mark.parametrize("where", IN_ITS_CELL)
def test_a_written_answer_is_read_in_its_cell_whatever_became_of_the_cell(where: str) -> None:
    answer = handed_in(IN_ITS_CELL[where]).answers["why"]
    assert WORDS in answer.text
    assert (answer.blank, answer.outside) == (False, False)


@pytest.mark.parametrize("where", ELSEWHERE)
def test_text_of_a_students_own_is_never_passed_over(where: str) -> None:
    found = handed_in(ELSEWHERE[where])
    assert WORDS in found.answers["why"].text
    assert (found.answers["why"].blank, found.answers["why"].outside) == (False, True)
    assert "written answer found in another cell: why" in found.flags


@pytest.mark.parametrize("where", NOTHING)
def test_what_is_no_answer_is_none(where: str) -> None:
    answer = handed_in(NOTHING[where]).answers.get("why")
    assert answer is None or answer.blank


def test_an_answer_that_goes_on_in_a_second_cell_is_shown_whole() -> None:
    found = handed_in(both(IN_ITS_CELL["under the anchor"], added(-1, "markdown", "And it goes on.")))
    assert found.answers["why"].text.index(WORDS) < found.answers["why"].text.index("And it goes on.")
    assert not found.answers["why"].outside


@pytest.mark.parametrize(
    "source",
    [
        "double = lambda x: 2 * x",
        "from answers import double",
        "def double(x):\n    return 2 * x",
        "double: object = 3",
    ],
)
def test_a_solution_in_a_cell_of_its_own_is_the_answer_if_the_stub_was_left(source: str) -> None:
    stub = "def double(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    found = handed_in(added(3, "code", source), {"double": stub})
    assert found.answers["double"].text == source
    assert not found.answers["double"].blank
    assert [cell.source for cell in found.cells if cell.grade_id == "double"] == [source]
    assert not any("duplicated" in flag for flag in found.flags)


def test_a_solution_that_is_no_code_cell_is_told() -> None:
    found = handed_in(lambda cells: cells[2].update(cell_type="raw"))
    assert "not run, for it is no code cell: double" in found.flags
    assert "2 * x" in found.answers["double"].text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_any_unicode_is_read(encoding: str) -> None:
    assert WORDS in handed_in(IN_ITS_CELL["under the anchor"], encoding=encoding).answers["why"].text
