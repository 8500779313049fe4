"""Hold a lab's tests against its bank: the solution, the empty release, every wrong and every right answer.

Each is judged twice, in one process as on a student's machine and split by the grader, and both must say the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from vae_lab.grading.answered import answered, grader, text, to_bytes
from vae_lab.grading.bank import load_bank
from vae_lab.grading.course import Course, CourseError
from vae_lab.grading.one_process import in_a_fork, run_cells
from vae_lab.grading.release import release_notebook
from vae_lab.grading.workers import pool, worthwhile

ONE_PROCESS, SPLIT = "in one process", "split by the grader"
SECONDS = 300.0  # for one answer, in one process: far more than a lab may take


class Verdict(NamedTuple):
    """Whether a test cell passed, and what it said."""

    passed: bool
    message: str


@dataclass(frozen=True)
class Case:
    """One notebook to judge, the test cells it must lose, and what one of their messages must contain."""

    lab: str
    name: str
    loses: frozenset[str]
    says: str
    as_student: str  # the instructor's notebook with this answer, hidden tests included
    as_submission: bytes


def cases(course: Course, lab: str) -> list[Case]:
    """All that must hold of one lab.

    Raises:
        CourseError: if the lab has no bank of answers, or an answer names a cell that the lab does not have.
    """
    source = course.source(lab).read_text(encoding="utf-8")
    master = json.loads(source)
    tests = test_cells(master)
    try:
        bank = load_bank(course.bank(lab))
        everything: list[tuple[str, dict[str, str], frozenset[str], str]] = [("the solution", {}, frozenset(), "")]
        everything += [(f"right answer {a.name!r}", dict(a.cells), a.loses, a.says) for a in bank.right]
        everything += [(f"wrong answer {a.name!r}", dict(a.cells), a.loses, a.says) for a in bank.wrong]
        found = []
        for name, cells, loses, says in everything:
            if unknown := sorted(loses - tests):
                raise ValueError(f"{name} loses {unknown[0]!r}, which is no test cell of {lab}")
            student = json.dumps(answered(source, lab, cells, hidden_tests=True))
            submission = to_bytes(answered(source, lab, cells, hidden_tests=False))
            found.append(Case(lab, name, loses, says, student, submission))
        empty = release_notebook(source, lab)
        stubs = {
            grader(cell)["grade_id"]: text(cell) for cell in json.loads(empty)["cells"] if grader(cell).get("solution")
        }
        student = json.dumps(answered(source, lab, stubs, hidden_tests=True))
        found.insert(1, Case(lab, "the released lab", frozenset(tests), "", student, empty.encode()))
    except (ValueError, OSError) as error:
        raise CourseError(f"{lab}: {error}") from error
    return found


def test_cells(notebook: Mapping[str, list[dict[str, object]]]) -> frozenset[str]:
    """The grade_ids of the automatically graded cells."""
    graders = [grader(cell) for cell in notebook["cells"]]
    return frozenset(g["grade_id"] for g in graders if g.get("grade") and not g.get("solution"))


@cache
def load_optimizers() -> None:
    """Touch what torch imports when a first optimizer is made: seconds, which every forked notebook would pay anew."""
    import torch

    torch.optim.Adam([torch.zeros(1, requires_grad=True)])


def judge_in_one_process(notebook: str) -> dict[str, Verdict]:
    """Run the notebook from top to bottom as a student does, hidden tests included, in a process of its own."""
    cells = [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]
    load_optimizers()
    outcomes = in_a_fork(run_cells, [text(cell) for cell in cells], seconds=SECONDS)
    return {
        grader(cell)["grade_id"]: Verdict(outcome.passed, outcome.message)
        for cell, outcome in zip(cells, outcomes, strict=True)
        if grader(cell).get("grade")
    }


def judge_split(source: bytes, case: Case) -> dict[str, Verdict]:
    """Give the notebook to the grader, as if it had been handed in."""
    from vae_lab.grading.engine import grade_submission
    from vae_lab.grading.lab import Lab

    lab = Lab.from_bytes(case.lab, source)
    result = grade_submission(lab, "verify", case.as_submission)
    if result.status == "error":
        raise RuntimeError(result.reason)
    return {
        name: Verdict(bool(cell.passed), cell.message)
        for name, cell in result.cells.items()
        if name in test_cells(json.loads(source))
    }


def differences(case: Case, way: str, verdicts: Mapping[str, Verdict]) -> Iterator[str]:
    """One line for everything that is not as it must be."""
    lost = {name for name, verdict in verdicts.items() if not verdict.passed}
    for name in sorted(lost - case.loses):
        yield f"{case.lab}: {case.name} loses {name}, {way}, and should not: {verdicts[name].message}"
    for name in sorted(case.loses - lost):
        yield f"{case.lab}: {case.name} keeps {name}, {way}, and should not"
    said = [verdicts[name].message for name in sorted(lost)]
    if case.says and not any(case.says in message for message in said):
        yield f"{case.lab}: {case.name}, {way}: no message says {case.says!r}; they say {said}"


def examine(case: Case, source: bytes, ways: tuple[str, ...]) -> list[str]:
    """Judge one case in each way and list what differs from what must be; runs in a worker process."""
    found: list[str] = []
    for way in ways:
        try:
            verdicts = judge_in_one_process(case.as_student) if way == ONE_PROCESS else judge_split(source, case)
        except Exception as error:
            found.append(f"{case.lab}: {case.name} cannot be judged {way}: {type(error).__name__}: {error}")
        else:
            found += differences(case, way, verdicts)
    return found


def verify(
    course: Course,
    labs: list[str],
    *,
    workers: int = 1,
    ways: tuple[str, ...] = (ONE_PROCESS, SPLIT),
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Judge every case of the labs and return, sorted, what is not as it must be: an empty list is what one wants.

    Args:
        course: where the labs and their banks are.
        labs: names of the labs.
        workers: at most how many processes work side by side.
        ways: judge in one process, split by the grader, or (the default) both.
        progress: called with the number of cases done and of all.

    Raises:
        CourseError: if a lab has no bank, or the bank does not fit the lab.
    """
    everything = [case for lab in labs for case in cases(course, lab)]
    sources = {lab: course.source(lab).read_bytes() for lab in labs}
    found: list[str] = []
    with pool(worthwhile(workers, len(everything)), __name__) as executor:
        futures = [executor.submit(examine, case, sources[case.lab], ways) for case in everything]
        for done, future in enumerate(as_completed(futures), start=1):
            found += future.result()
            progress(done, len(futures))
    return sorted(found)
