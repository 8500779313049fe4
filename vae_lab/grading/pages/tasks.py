"""What a lab asks for, task by task: a solution with its test cells, or a written answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vae_lab.grading.lab.cells import Notebook, grader, text
from vae_lab.grading.lab.handed_in import HandedIn
from vae_lab.grading.pages.feedback import Task
from vae_lab.grading.pages.sanitize import LONGEST
from vae_lab.grading.results import CellResult, SubmissionResult

HEADING = re.compile(r"^#{1,6} +(.+?)\s*#*$", re.MULTILINE)


@dataclass(frozen=True)
class Outline:
    """One task of a lab: the name of its answer, the heading above it, its graded cells and their points."""

    name: str
    heading: str
    points: Mapping[str, float]
    written: bool


def title(notebook: Notebook) -> str:
    """The first heading of the lab."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown" and (found := HEADING.search(text(cell))):
            return found[1]
    return "Lab"


def outline(notebook: Notebook) -> list[Outline]:
    """The tasks of a lab in order; test cells `<name>_tests`, `<name>_tests_2` belong to the answer `<name>`."""
    headings: dict[str, str] = {}
    points: dict[str, dict[str, float]] = {}
    written: set[str] = set()
    heading = ""
    for cell in notebook["cells"]:
        about = grader(cell)
        if cell["cell_type"] == "markdown" and not about.get("grade") and (found := HEADING.findall(text(cell))):
            heading = found[-1]
        if about.get("grade"):
            grade_id = about["grade_id"]
            name = grade_id if about["solution"] else re.sub(r"_tests(_\d+)?$", "", grade_id)
            headings.setdefault(name, heading)
            points.setdefault(name, {})[grade_id] = float(about["points"])
            if about["solution"]:
                written.add(name)
    return [Outline(name, headings[name], cells, name in written) for name, cells in points.items()]


def tasks(outlines: Iterable[Outline], handed_in: HandedIn, result: SubmissionResult) -> list[Task]:
    """The tasks with what one student answered and earned."""
    found = []
    for task in outlines:
        answer = handed_in.answers.get(task.name)
        cells = [(name, result.cells.get(name, CellResult(0.0, points, None))) for name, points in task.points.items()]
        found.append(
            Task(
                task.name,
                task.heading,
                answer.text[:LONGEST] if answer else None,
                cells,
                task.written,
                answer.attachments if answer else None,
                outside=answer is not None and answer.outside,
            )
        )
    return found
