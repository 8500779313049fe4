"""What the notebooks of a class need that this machine has not, told before anything is graded."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from vae_lab.grading.classroom.submissions import USUAL, read_submitted_file
from vae_lab.grading.course import CourseError
from vae_lab.grading.judge.environment import absent_modules, newer_python
from vae_lab.grading.lab.notebook_file import NoNotebook, read_file
from vae_lab.grading.lab.source import parse

NO_REMEDY = {"google.colab": "it is Colab's own; what uses it waits for a person"}


def needed_by(content: bytes | None) -> set[str]:
    """The modules and the Python that one notebook asks for and that are not here; nothing of it is run."""
    try:
        file = read_file(content)
    except NoNotebook:
        return set()
    found: set[str] = set()
    for cell in file.cells:
        if cell.code:
            found |= set(absent_modules(cell.source))
            if parse(cell.source) is None and (python := newer_python(cell.source, file.python)):
                found.add(python)
    return found


def needed(submitted: Path) -> Iterator[str]:
    """A line for each thing that is wanting, most wanted first, and a last one with the count of notebooks.

    Args:
        submitted: the folder with `<student>/<lab>/<lab>.ipynb`, of any labs.

    Raises:
        CourseError: if it is no folder.
    """
    if not submitted.is_dir():
        raise CourseError(f"no folder {submitted}; expected {submitted}/<student>/<lab>/<lab>.ipynb")
    wanted: Counter[str] = Counter()
    notebooks = 0
    for student in sorted(os.scandir(submitted), key=lambda entry: entry.name):
        if student.name in USUAL or student.name.startswith(".") or not student.is_dir(follow_symlinks=False):
            continue
        for lab in sorted(entry.name for entry in os.scandir(student.path) if entry.is_dir(follow_symlinks=False)):
            content = read_submitted_file(submitted, student.name, lab).content
            notebooks += content is not None
            wanted.update(needed_by(content))
    for what, count in wanted.most_common():
        remedy = NO_REMEDY.get(what) or (
            "grade with that Python" if what.startswith("Python ") else f"pip install {what}"
        )
        yield f"{what}: asked for by {count} of {notebooks} notebooks, and not here; {remedy}"
    yield f"{notebooks} notebooks under {submitted}" + ("" if wanted else ": nothing they import is missing here")
