"""A student's own view of a notebook's file: it is run from top to bottom, and its visible tests say how it stands.

It runs on the student's machine and knows no more than the notebook does. What it shows, and the same in one cell of
the notebook itself, is in `vae_lab.checks.lab_overview`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from vae_lab.checks.lab_overview import Cell, Overview, look, read_cells, summary
from vae_lab.grading.authoring.run_notebook import run_cells

SelfCheck = Overview
check = look


def read_lab(path: Path) -> list[Cell]:
    """The cells of a lab's notebook.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no notebook, or no lab.
    """
    cells = read_cells(path.read_bytes())
    if not any(cell.tests for cell in cells):
        raise ValueError("not a lab: it has no test cells")
    return cells


def check_file(path: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> SelfCheck:
    """Run a notebook from top to bottom in this process, as its kernel would, and say how its tasks stand.

    Args:
        path: the notebook.
        progress: called with the number of cells run and of all.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no notebook, or no lab.
    """
    cells = read_lab(path)
    code = [cell for cell in cells if cell.code]
    os.chdir(path.resolve().parent)
    outcomes = run_cells([cell.source for cell in code], progress)
    ended = zip(code, outcomes, strict=True)
    return summary(cells, [(cell, outcome.error, outcome.message) for cell, outcome in ended if cell.tests])
