"""A student's own view of a notebook's file: it is run from top to bottom, and its visible tests say how it stands.

It runs on the student's machine and knows no more than the notebook does. What it shows, and the same in one cell of
the notebook itself, is in `vae_lab.checks.lab_overview`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from vae_lab.checks.lab_overview import Cell, Overview, look, read_cells, summary
from vae_lab.grading.authoring.guards import LEFT_OUT, not_handed_in, without_installs
from vae_lab.grading.authoring.run_notebook import run_cells
from vae_lab.grading.lab.cells import grader, text
from vae_lab.grading.lab.handed_in import read_handed_in
from vae_lab.grading.lab.notebook_file import NoNotebook, read_file
from vae_lab.grading.lab.pasted_pictures import unshown
from vae_lab.grading.lab.source import Lab, anchor_of, in_all_languages
from vae_lab.grading.lab.spoken import language_of, told
from vae_lab.language import SOURCE

SECONDS = 300.0  # for one cell: far more than a task needs
SelfCheck = Overview
check = look


def read_lab(content: bytes) -> list[Cell]:
    """The cells of a lab's notebook.

    Raises:
        ValueError: if it is no notebook, or no lab.
    """
    cells = read_cells(content)
    if not any(cell.tests for cell in cells):
        raise ValueError("not a lab: it has no test cells")
    return cells


def check_file(
    path: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    seconds: float = SECONDS,
    starts: Callable[[str], None] = lambda name: None,
    released: Mapping[str, Path] = MappingProxyType({}),
) -> SelfCheck:
    """Run a notebook from top to bottom in this process, as its kernel would, and say how its tasks stand.

    Args:
        path: the notebook.
        progress: called with the number of cells run and of all.
        seconds: for one cell; the next one runs if it takes longer.
        starts: called with a cell's name before it runs.
        released: labs as they were released, by name; written answers are looked for as the grader does in these.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no notebook, or no lab.
    """
    content = path.read_bytes()
    cells = read_lab(content)
    code = [cell for cell in cells if cell.code]
    folder = path.resolve().parent
    os.chdir(folder)  # from here on, a path of the caller's may lead elsewhere
    sys.path.insert(0, str(folder))  # as a notebook's kernel does: files beside it can be imported
    names = [cell.name or f"code cell {number}" for number, cell in enumerate(code, 1)]
    sources = [without_installs(cell.source) for cell in code]
    runs = run_cells(
        [source for source, _ in sources], progress, seconds=seconds, starts=lambda number: starts(names[number])
    )
    tests = [(cell, run.error, run.message) for cell, run in zip(code, runs, strict=True) if cell.tests]
    ran = {
        cell.name: run.message and f"{run.error}: {run.message.removeprefix(f'{run.error}: ')}"
        for cell, run in zip(code, runs, strict=True)
        if cell.name and not cell.tests
    }
    found = summary(cells, tests, ran)
    find_written(found, content, released)
    for name, cell, run in zip(names, code, runs, strict=True):
        if run.error and not cell.tests:
            found.notes.append(f"{name} stopped: {run.message}")
    if any(skipped for _, skipped in sources):
        found.notes.append(LEFT_OUT)
    found.notes.extend(not_handed_in(sorted(beside(folder))))
    return found


def find_written(found: Overview, content: bytes, released: Mapping[str, Path]) -> None:
    """Look for written answers as the grader does: in cells beside the question and elsewhere, with their pictures.

    Args:
        found: how the tasks stand; changed where an answer is found.
        content: the notebook.
        released: labs as they were released, by name; a notebook of another lab is left alone.
    """
    lab = known_lab(content, released)
    if lab is None:
        return
    handed_in = read_handed_in(lab, content)
    for task in found.tasks:
        answer = handed_in.answers.get(task.name) if task.written else None
        if answer is None or answer.blank:
            continue
        task.state = "for a person"
        task.says = "found in a cell of its own, not in the one that asks for it" if answer.outside else ""
        if pictures := unshown(answer.text, answer.attachments):
            task.says += f"\nNobody can see {', '.join(pictures)}: paste a PNG, JPEG or GIF picture into the cell."
            task.says = task.says.strip()


def known_lab(content: bytes, released: Mapping[str, Path]) -> Lab | None:
    """The lab that a notebook's anchors name, in all its languages, or None if it is not here."""
    anchors = (anchor_of(cell.source) for cell in read_cells(content))
    known = released.get(next((anchor[0] for anchor in anchors if anchor), ""))
    return None if known is None else in_all_languages(Lab.from_bytes(known.stem, known.read_bytes()))


def language_spoken(content: bytes, released: Mapping[str, Path]) -> str:
    """The language that a notebook is in; English for what is none."""
    try:
        file, lab = read_file(content), known_lab(content, released)
    except (NoNotebook, ValueError):
        return SOURCE
    return told(file.cells, file.language) if lab is None else language_of(lab, file)


def beside(folder: Path) -> Iterator[str]:
    """The files of a folder that were imported."""
    for module in list(sys.modules.values()):
        place = getattr(module, "__file__", None)
        if place and Path(place).resolve().parent == folder and Path(place).is_file():  # torch has some of no file
            yield Path(place).name


def before_handing_in(content: bytes) -> Iterator[str]:
    """What a student should mend in a notebook before it is handed in, a line each.

    The grader runs its own copy of every test cell: code that was typed into one works here and counts for nothing
    there. nbgrader's checksum, which the released lab carries, says whether a test cell is as it was.
    """
    try:
        cells = json.loads(content)["cells"]
        tests = [cell for cell in cells if grader(cell).get("grade") and not grader(cell).get("solution")]
        edited = [grader(cell)["grade_id"] for cell in tests if grader(cell).get("checksum") and not as_released(cell)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return
    for name in edited:
        yield (
            f"{name}: you have changed this test cell. The grader runs its own copy, and what you wrote there does not "
            "count. Move your code into the answer's cell, or into a new cell above."
        )


def as_released(cell: dict[str, Any]) -> bool:
    """Whether a graded cell still has the source that nbgrader's checksum was made from, blanks at its end aside."""
    about, source = grader(cell), text(cell)
    flags = [bool(about.get("grade")), bool(about.get("solution")), bool(about.get("locked"))]
    last = str(float(about["points"])) if about.get("grade") else ""
    for variant in (source, source.rstrip(), f"{source}\n"):
        parts = [variant, cell["cell_type"], *map(str, flags), about["grade_id"], last]
        if hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest() == about["checksum"]:
            return True
    return False
