"""A lab's cells as nbgrader's gradebook knows them, with the hidden tests that its own autograde puts back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import nbformat
from nbgrader import api, utils
from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, ClearSolutions, ComputeChecksums, LockCells

QUIET = logging.Logger("nbgrader", level=logging.CRITICAL + 1)  # what it has to say is in its exceptions


def as_nbgrader_saves_it(source: str) -> nbformat.NotebookNode:
    """The lab at the point where nbgrader's own release saves it: solutions cleared, hidden tests still there."""
    notebook = nbformat.reads(source, as_version=4)
    resources: dict[str, Any] = {}
    for step in (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums):
        notebook, resources = step(log=QUIET).preprocess(notebook, resources)
    return notebook


def cells_of(master: nbformat.NotebookNode) -> Iterator[tuple[tuple[type, str], dict[str, Any]]]:
    """The gradebook's view of each cell: (table, grade_id) and the columns."""
    for cell in master.cells:
        if not (utils.is_grade(cell) or utils.is_solution(cell) or utils.is_locked(cell)):
            continue
        about = cell.metadata.nbgrader
        if utils.is_grade(cell):
            yield (
                (api.GradeCell, about.grade_id),
                {"max_score": float(about.points), "cell_type": cell.cell_type},
            )
        if utils.is_solution(cell):
            yield (api.SolutionCell, about.grade_id), {}
        yield (
            (api.SourceCell, about.grade_id),
            {
                "cell_type": cell.cell_type,
                "locked": utils.is_locked(cell),
                "source": cell.source,
                "checksum": about.get("checksum"),
            },
        )
