"""What of a submitted notebook is run, and in which order.

The result is a list of steps in the order in which Jupyter would run the notebook: the student's cells as they are, the
instructor's own cells and tests from the instructor's version. Which cell is which cell of the lab is said by
`lab.handed_in`, for the pages too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from vae_lab.grading.lab.handed_in import read_handed_in
from vae_lab.grading.lab.matching import is_as_released
from vae_lab.grading.lab.notebook_file import StudentCell
from vae_lab.grading.lab.source import Lab


@dataclass(frozen=True)
class Step:
    """One cell to run.

    `kind` is "student" (their source), "setup" (the instructor's locked code, run on both sides; a student's version of
    it is a step of its own, after it), "given" (the instructor's code that a student may change: his version runs on
    the trusted side, theirs is a step of its own) or "tests" (trusted side only).

    `cell` is the lab's number of the cell, None for one that the student added.
    """

    kind: Literal["student", "setup", "given", "tests"]
    source: str
    cell: int | None


@dataclass(frozen=True)
class SubmittedNotebook:
    """What was read. `problem` is a line for the student if it is no notebook; then there are no steps.

    `blank` names the written answers to which there is nothing to read.
    """

    steps: tuple[Step, ...] = ()
    blank: frozenset[str] = field(default_factory=frozenset)
    flags: tuple[str, ...] = ()
    problem: str = ""
    python: str = ""


def read_notebook(lab: Lab, data: bytes) -> SubmittedNotebook:
    """Read the bytes of a submitted notebook. Never raises, whatever they are."""
    handed_in = read_handed_in(lab, data)
    if handed_in.problem:
        return SubmittedNotebook(problem=handed_in.problem, flags=handed_in.flags)
    written = {cell.grade_id for cell in lab.cells if cell.role == "written"}
    blank = {name for name in written if name not in handed_in.answers or handed_in.answers[name].blank}
    steps = _steps(lab, handed_in.cells, handed_in.numbers)
    return SubmittedNotebook(steps, frozenset(blank), handed_in.flags, python=handed_in.python)


def _runs(lab: Lab, cell: StudentCell, number: int | None) -> bool:
    """Whether a student's version of a cell is run: all code but tests, and of the lab's own only what was changed."""
    if not cell.code:
        return False
    if number is None or not lab.cells[number].locked:
        return number is None or lab.cells[number].code
    return lab.cells[number].role == "setup" and not is_as_released(lab.cells[number], cell.source)


def _steps(lab: Lab, cells: Sequence[StudentCell], matched: Sequence[int | None]) -> tuple[Step, ...]:
    """The order in which to run: the submission's, with the instructor's cells put back where they are missing.

    A test runs where it stands in the submission, but not before the last copy of the solution cells that it follows
    in the lab.
    """
    last: dict[int, int] = {}
    first: dict[int, int] = {}
    for place, number in enumerate(matched):
        if number is not None and lab.cells[number].role != "text":
            last[number] = place
            first.setdefault(number, place)

    def after(number: int) -> int:
        """The place behind everything that comes before this cell in the lab."""
        return max((place for other, place in last.items() if other < number), default=-1)

    keyed: list[tuple[tuple[float, int, int], Step]] = []
    for place, (number, cell) in enumerate(zip(matched, cells, strict=True)):
        if _runs(lab, cell, number):
            locked = number is not None and lab.cells[number].locked
            keyed.append(((place, 2 if locked else 0, place), Step("student", cell.source, number)))
    for number, wanted in enumerate(lab.cells):
        if not wanted.code or wanted.role not in ("setup", "tests"):
            continue
        if wanted.role == "tests":
            place = max(last.get(number, after(number)), max((last.get(n, -1) for n in _task(lab, number)), default=-1))
            keyed.append(((place, 3, number), Step("tests", wanted.source, number)))
        else:
            place = first.get(number, after(number))
            keyed.append(((place, 1, number), Step("setup" if wanted.locked else "given", wanted.source, number)))
    return tuple(step for _, step in sorted(keyed, key=lambda pair: pair[0]))


def _task(lab: Lab, number: int) -> list[int]:
    """The solution cells that a test cell follows: the nearest run of them before it."""
    task: list[int] = []
    for earlier in reversed(range(number)):
        role = lab.cells[earlier].role
        if role == "solution":
            task.append(earlier)
        elif task and role in ("tests", "setup"):
            break
    return task
