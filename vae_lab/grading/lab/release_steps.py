"""nbgrader's release steps, as functions over a notebook's plain cells.

nbgrader's own classes are Jupyter applications: importing them loads Jupyter's server and takes seconds, at every
release, report and new course. These do the same to the same notebook; a test compares them with nbgrader's, step by
step and byte by byte.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema

from vae_lab.grading.course import CourseError
from vae_lab.grading.lab.cells import grader
from vae_lab.grading.lab.matching import CODE_STUB
from vae_lab.grading.lab.source import STUB

Cell = dict[str, Any]

SCHEMA_VERSION = 3
ATTACHMENT = re.compile(r"!\[.*\]\(attachment:.+?\)")


def is_grade(cell: Cell) -> bool:
    """Whether the cell gives points."""
    return bool(grader(cell).get("grade", False))


def is_solution(cell: Cell) -> bool:
    """Whether a student writes in the cell."""
    return bool(grader(cell).get("solution", False))


def is_locked(cell: Cell) -> bool:
    """Whether nbgrader restores the cell from the instructor's version."""
    return not is_solution(cell) and (is_grade(cell) or bool(grader(cell).get("locked", False)))


def lock_cells(cells: list[Cell]) -> None:
    """Students cannot delete graded cells or edit test cells (Jupyter honours it, Colab does not)."""
    for cell in cells:
        if is_solution(cell) or is_locked(cell):
            cell["metadata"]["deletable"] = False
            if not is_solution(cell):
                cell["metadata"]["editable"] = False


def clear_solutions(cells: list[Cell]) -> None:
    """Every solution becomes a stub; in code one that raises NotImplementedError."""
    for cell in cells:
        stub = CODE_STUB if cell["cell_type"] == "code" else (STUB,)
        found = _without(cell, "SOLUTION", stub)
        if found and not is_solution(cell):
            raise ValueError(f"cell {_name(cell)} has a solution region and is no solution cell")
        if is_solution(cell) and not found:
            cell["source"] = "\n".join(stub)


def clear_output(cells: list[Cell]) -> None:
    """Nothing that the instructor's own run printed."""
    for cell in cells:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
            for field in ("collapsed", "scrolled"):
                cell["metadata"].pop(field, None)


def check_cell_metadata(cells: list[Cell]) -> None:
    """A doubled or missing grade_id stops here, not in the middle of grading."""
    seen: set[str] = set()
    for cell in cells:
        if "nbgrader" not in cell["metadata"]:
            continue
        own = grader(cell)
        if own.get("schema_version", 0) != SCHEMA_VERSION:
            raise ValueError(
                f"cell {_name(cell)} has nbgrader metadata of version {own.get('schema_version', 0)}; "
                f"{SCHEMA_VERSION} is wanted: run `nbgrader update`"
            )
        try:
            jsonschema.validate(own, _schema())
        except jsonschema.ValidationError as error:
            raise ValueError(f"cell {_name(cell)}: {error.message}") from None
        if not (own["grade"] or own["solution"] or own["locked"]):
            continue
        if not own.get("grade_id"):
            raise ValueError(f"cell {_name(cell)} has no grade_id")
        if own["grade"] and "points" not in own:
            raise ValueError(f"cell {_name(cell)} has no points")
        if own.get("task", False):
            if cell["cell_type"] != "markdown":
                raise ValueError(f"cell {_name(cell)} is a task, and no Markdown cell")
        elif cell["cell_type"] == "markdown" and own["grade"] != own["solution"]:
            raise ValueError(f"Markdown cell {_name(cell)} must be both graded and a solution, or neither")
        if own["grade_id"] in seen:
            raise ValueError(f"the grade_id {own['grade_id']} names two cells")
        seen.add(own["grade_id"])


def clear_hidden_tests(cells: list[Cell]) -> None:
    """Hidden tests go; nothing shows where they were."""
    for cell in cells:
        if _without(cell, "HIDDEN TESTS") and not is_grade(cell):
            raise ValueError(f"cell {_name(cell)} has hidden tests and is no test cell")


def clear_mark_scheme(cells: list[Cell]) -> None:
    """The marking scheme of a task goes; a picture in one would stay behind, so it is refused."""
    for cell in cells:
        region = re.search(r"BEGIN MARK SCHEME.*?(END MARK SCHEME|\Z)", cell["source"], re.DOTALL)
        if region and ATTACHMENT.search(region[0]):
            raise ValueError(f"cell {_name(cell)} has an attached picture in its marking scheme")
        if _without(cell, "MARK SCHEME") and not grader(cell).get("task", False):
            raise ValueError(f"cell {_name(cell)} has a marking scheme and is no task")


def compute_checksums(cells: list[Cell]) -> None:
    """Last, so that "still as released" can be told from "answered"."""
    for cell in cells:
        if is_solution(cell) or is_locked(cell):
            grader(cell).update(checksum=checksum(cell), cell_type=cell["cell_type"])


def checksum(cell: Cell) -> str:
    """Nbgrader's MD5 of a cell: its text, its kind, and what it is graded for."""
    parts = [cell["source"], cell["cell_type"], str(is_grade(cell)), str(is_solution(cell)), str(is_locked(cell))]
    parts.append(grader(cell)["grade_id"])
    if is_grade(cell):
        parts.append(str(float(grader(cell)["points"])))
    return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


STEPS: dict[str, Callable[[list[Cell]], None]] = {  # by the names that nbgrader gives them, in its order
    "LockCells": lock_cells,
    "ClearSolutions": clear_solutions,
    "ClearOutput": clear_output,
    "CheckCellMetadata": check_cell_metadata,
    "ClearHiddenTests": clear_hidden_tests,
    "ClearMarkScheme": clear_mark_scheme,
    "ComputeChecksums": compute_checksums,
}


def _without(cell: Cell, mark: str, stub: tuple[str, ...] = ()) -> bool:
    """Take the regions `BEGIN mark` to `END mark` out of a cell, and put a stub there; tell whether there were any."""
    kept: list[str] = []
    inside = found = False
    for line in cell["source"].split("\n"):
        if f"BEGIN {mark}" in line:
            if inside:
                raise ValueError(f"cell {_name(cell)} has BEGIN {mark} within BEGIN {mark}")
            inside = found = True
            indent = line[: len(line) - len(line.lstrip())]
            kept += [indent + part for part in stub]
        elif f"END {mark}" in line:
            inside = False
        elif not inside:
            kept.append(line)
    if inside:
        raise ValueError(f"cell {_name(cell)} has BEGIN {mark} without END {mark}")
    cell["source"] = "\n".join(kept)
    return found


def _name(cell: Cell) -> str:
    return str(grader(cell).get("grade_id") or cell.get("id", "?"))


@cache
def _schema() -> dict[str, Any]:
    """Nbgrader's own schema of its metadata, read from where it is installed and without importing it."""
    spec = find_spec("nbgrader")
    if spec is None or not spec.submodule_search_locations:
        raise CourseError("nbgrader is missing; install it with: pip install 'vae-lab[grade]'")
    path = Path(next(iter(spec.submodule_search_locations))) / "nbgraderformat" / f"v{SCHEMA_VERSION}.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema
