"""The graded notebook that formgrader opens: the student's cells, the lab's test cells, and a verdict under each.

It is built from the lab outwards. The lab's own cells come with the lab's own metadata; of the student's notebook only
text and plain pictures are taken over, so whatever opens it (formgrader, `nbgrader generate_feedback`, Jupyter) finds
valid metadata, no active content and no text of a hidden test.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from vae_lab.grading.lab.cells import Notebook, grader, text
from vae_lab.grading.lab.handed_in import HandedIn
from vae_lab.grading.lab.notebook_file import StudentCell
from vae_lab.grading.lab.pasted_pictures import attachments, unshown
from vae_lab.grading.lab.written import Answer
from vae_lab.grading.pages import sanitize
from vae_lab.grading.results import CellResult, SubmissionResult

MOST_CELLS = 1000  # of the student's own
OUTSIDE = "*Found in another cell of the notebook:*\n\n"


def autograded(released: Notebook, handed_in: HandedIn, result: SubmissionResult) -> str:
    """The text of `autograded/<student>/<lab>/<lab>.ipynb`.

    Args:
        released: the lab as students got it.
        handed_in: the student's notebook, read against the lab.
        result: what the grader said.
    """
    lab_cells = {cell_name(cell): cell for cell in released["cells"] if cell_name(cell)}
    order = list(lab_cells)
    cells: list[dict[str, Any]] = []
    placed: set[str] = set()

    def place_missing(before: str | None) -> None:
        """Put back the lab's cells that stand before this one in the lab and that the student's notebook lacks."""
        there = {piece.grade_id for piece in handed_in.cells}
        for name in order[: order.index(before) if before else None]:
            if name not in placed and name not in there:
                cells.append(lab_cell(lab_cells[name], handed_in.answers.get(name), result))
                placed.add(name)

    for number, piece in enumerate(handed_in.cells):
        if piece.grade_id in lab_cells:
            place_missing(piece.grade_id)
            cells.append(lab_cell(lab_cells[piece.grade_id], handed_in.answers.get(piece.grade_id), result))
            placed.add(piece.grade_id)
        elif number < MOST_CELLS:
            cells.append(own_cell(piece, f"own-{number}"))
    place_missing(None)
    notes = list(notes_on(result, handed_in))
    if notes:
        cells.insert(0, markdown_cell("grader-notes", "**Notes of the grader**\n\n" + "\n".join(notes)))
    notebook = {**released, "cells": cells}
    return json.dumps(notebook, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def cell_name(cell: dict[str, Any]) -> str:
    """The grade_id of a cell that nbgrader knows, or ""."""
    name: str = grader(cell).get("grade_id", "")
    return name


def lab_cell(cell: dict[str, Any], answer: Answer | None, result: SubmissionResult) -> dict[str, Any]:
    """One of the lab's cells: an answer has the student's text, all others the lab's."""
    made = {**cell, "source": text(cell)}
    if cell["cell_type"] == "code":
        made |= {"outputs": [], "execution_count": None}
    about = grader(cell)
    if about["solution"]:
        if cell["cell_type"] == "code":
            made["source"] = sanitize.plain(answer.text[: sanitize.LONGEST]) if answer else ""
            made["outputs"] = sanitize.outputs(answer.outputs) if answer else []
        else:
            where = OUTSIDE if answer and answer.outside else ""
            made["source"] = where + sanitize.markdown(answer.text[: sanitize.LONGEST]) if answer else ""
            if answer and (pictures := attachments(answer.attachments)):
                made["attachments"] = pictures
    elif about["grade"] and cell["cell_type"] == "code":
        made["outputs"] = list(verdict(result.cells.get(about["grade_id"]), result))
    return made


def verdict(cell: CellResult | None, result: SubmissionResult) -> Iterator[dict[str, Any]]:
    """What stands under a test cell. A failure is an error output, which is how formgrader's readers know it."""
    if cell is None or cell.passed is None:
        said = sanitize.plain(cell.message) if cell else ""
        yield stream(f"Not graded: {result.reason or said or 'no verdict'}\n")
    elif cell.passed:
        yield stream(f"Passed: {cell.points:g} of {cell.max_points:g} points.\n")
    else:
        message = sanitize.plain(cell.message)
        lines = [f"Failed: {cell.points:g} of {cell.max_points:g} points.", *message.split("\n")]
        yield {"output_type": "error", "ename": "Failed", "evalue": message, "traceback": lines}


def stream(words: str) -> dict[str, Any]:
    """Printed text."""
    return {"output_type": "stream", "name": "stdout", "text": words}


def own_cell(piece: StudentCell, cell_id: str) -> dict[str, Any]:
    """A cell that the student added, with none of its metadata."""
    if piece.kind == "code":
        return {
            "cell_type": "code",
            "execution_count": None,
            "id": cell_id,
            "metadata": {},
            "outputs": sanitize.outputs(piece.outputs),
            "source": sanitize.plain(piece.source[: sanitize.LONGEST]),
        }
    made = markdown_cell(cell_id, sanitize.markdown(piece.source[: sanitize.LONGEST]))
    if pictures := attachments(piece.attachments):
        made["attachments"] = pictures
    return made


def markdown_cell(cell_id: str, source: str) -> dict[str, Any]:
    """A Markdown cell."""
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": source}


def notes_on(result: SubmissionResult, handed_in: HandedIn) -> Iterator[str]:
    """What a person should know who opens this notebook."""
    for flag in result.flags:
        yield f"- {sanitize.markdown(flag)}"
    for name, answer in handed_in.answers.items():
        if result.cells.get(name) and (pictures := unshown(answer.text, answer.attachments)):
            yield f"- pictures of {name} that cannot be shown here: {sanitize.markdown(', '.join(pictures))}"
    if result.status == "error":
        yield f"- The grader failed on this submission: {sanitize.markdown(result.reason)}"
