"""Fill made-up answers into a lab: the notebook a student with those answers would hand in."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping

from vae_lab.grading.lab.cells import Notebook, grader, text, with_anchor, without_markers
from vae_lab.grading.lab.release import release_notebook
from vae_lab.language import SOURCE


def with_answers(
    source: str, lab: str, cells: Mapping[str, str], *, hidden_tests: bool, language: str = SOURCE
) -> Notebook:
    """The lab with the solution in every cell, except those that `cells` replaces.

    Args:
        source: text of `solutions/<lab>/<lab>.ipynb`.
        lab: the lab's name.
        cells: for each `grade_id` the text that stands in its cell.
        hidden_tests: True for the instructor's view (to run the tests as they are), False for what a student hands in.
        language: of what a student hands in.

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
        raise ValueError(f"with_answers: {unknown[0]!r} is no solution cell of {lab}; those are {sorted(solved)}")
    notebook: Notebook = copy.deepcopy(master) if hidden_tests else json.loads(release_notebook(source, lab, language))
    for cell in notebook["cells"]:
        grade_id = grader(cell).get("grade_id", "")
        if grade_id in solved:
            cell["source"] = with_anchor(cells.get(grade_id, solved[grade_id]), lab, grade_id, cell["cell_type"])
    return notebook
