"""Fill made-up answers into a lab: the notebook a student with those answers would hand in."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from vae_lab.grading.release import ANCHOR, LEFTOVER, release_notebook

Notebook = dict[str, Any]


def text(cell: Mapping[str, Any]) -> str:
    """The source of a cell, which a file may hold as one string or as a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def grader(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's nbgrader metadata, or an empty dict."""
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def with_anchor(source: str, lab: str, grade_id: str, cell_type: str) -> str:
    """Put the comment that names a graded cell on its first line, unless it is there already."""
    if ANCHOR.search(source):
        return source
    name = f"vae-lab: {lab}/{grade_id}"
    return (f"# {name}\n" if cell_type == "code" else f"<!-- {name} -->\n") + source


def without_markers(source: str) -> str:
    """A solution cell's text as a student would have typed it: no BEGIN and END lines."""
    return "\n".join(line for line in source.split("\n") if not LEFTOVER.search(line))


def answered(source: str, lab: str, cells: Mapping[str, str], *, hidden_tests: bool) -> Notebook:
    """The lab with the solution in every cell, except those that `cells` replaces.

    Args:
        source: text of `solutions/<lab>/<lab>.ipynb`.
        lab: the lab's name.
        cells: for each `grade_id` the text that stands in its cell.
        hidden_tests: True for the instructor's view (to run the tests as they are), False for what a student hands in.

    Raises:
        ValueError: if `cells` names a cell that students do not write.
    """
    master: Notebook = json.loads(source)
    solved = {
        grader(cell)["grade_id"]: without_markers(text(cell))
        for cell in master["cells"]
        if grader(cell).get("solution")
    }
    unknown = sorted(set(cells) - set(solved))
    if unknown:
        raise ValueError(f"answered: {unknown[0]!r} is no solution cell of {lab}; those are {sorted(solved)}")
    notebook: Notebook = copy.deepcopy(master) if hidden_tests else json.loads(release_notebook(source, lab))
    for cell in notebook["cells"]:
        grade_id = grader(cell).get("grade_id", "")
        if grade_id in solved:
            cell["source"] = with_anchor(cells.get(grade_id, solved[grade_id]), lab, grade_id, cell["cell_type"])
    return notebook


def to_bytes(notebook: Notebook) -> bytes:
    """A notebook as the bytes of a file."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
