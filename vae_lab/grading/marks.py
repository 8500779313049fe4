"""What stands in a gradebook for one student: a grader's result and a person's marks, and the score they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from vae_lab.grading.results import SubmissionResult


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of the gradebook: what the grader and what a person gave for one cell."""

    auto: float | None
    manual: float | None
    extra: float | None
    waits: bool
    comment: str = ""

    @property
    def by_hand(self) -> bool:
        """Whether a person has said anything about the cell."""
        return self.manual is not None or self.extra is not None or bool(self.comment)


class Person(NamedTuple):
    """What is known of a student besides the id.

    The first four are the gradebook's own. The others are what collecting found out, each under the name that the LMS
    has for it: `canvas` is Canvas's number, `participant` Moodle's number in this assignment, `anonymous` Canvas's id
    for somebody whose name it hides, `login` the name that the student logs in with. `collected` is True for whoever
    came out of an LMS's zip.
    """

    first: str = ""
    last: str = ""
    email: str = ""
    lms: str = ""
    login: str = ""
    id_number: str = ""
    canvas: str = ""
    sis_user: str = ""
    participant: str = ""
    anonymous: str = ""
    name: str = ""
    uploads: tuple[int, ...] = ()
    collected: bool = False


class Worksheet(NamedTuple):
    """Moodle's grading worksheet of an assignment as it was given: its head and rows, and how it is written.

    `people` says for each row which student it is, "" where nobody handed in.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    people: tuple[str, ...]
    delimiter: str = ","


class GradebookEntry(NamedTuple):
    """A result on its way into the gradebook.

    `unanswered` names solution cells that are as released; `look_again` is True if the notebook has changed since a
    person may have marked it.
    """

    result: SubmissionResult
    timestamp: str = ""
    unanswered: frozenset[str] = frozenset()
    look_again: bool = True


def auto_score(result: SubmissionResult, name: str) -> float | None:
    """What the grader gives for one cell: None where a person must look, at an answer or at an error of ours."""
    cell = result.cells.get(name)
    return None if result.status == "error" or cell is None or cell.passed is None else cell.points


def with_marks(result: SubmissionResult, marks: Mapping[str, Mark]) -> SubmissionResult:
    """The result as it counts: a person's mark replaces the grader's, and nothing waits once all is marked."""
    cells, waits = {}, False
    for name, cell in result.cells.items():
        mark = marks.get(name)
        points = cell.points
        if mark is not None:
            points = (points if mark.manual is None else mark.manual) + (mark.extra or 0.0)
        waits = waits or (cell.passed is None if mark is None else mark.waits)
        cells[name] = replace(cell, points=points)
    status = result.status if result.status == "error" else ("manual" if waits else "graded")
    return replace(result, cells=cells, status=status)
