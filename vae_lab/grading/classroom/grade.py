"""Grade a class: find what is new or changed, hand it to worker processes, and write down every result as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vae_lab.grading.classroom.identities import beside, read_identities, write_identities
from vae_lab.grading.classroom.job import Job, grade_job
from vae_lab.grading.classroom.records import digest
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.classroom.submissions import SubmittedFile, find_students
from vae_lab.grading.classroom.versions import grader_version
from vae_lab.grading.classroom.writer import Writer
from vae_lab.grading.executors.local import run_all
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.marks import with_marks
from vae_lab.grading.pages.report import with_copies
from vae_lab.grading.results import CellResult, SubmissionResult


@dataclass
class Tally:
    """What a run did: results of everyone who handed in, how many were graded now, and notes on what was left aside."""

    results: list[SubmissionResult] = field(default_factory=list)
    graded: int = 0
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def grade_class(
    room: Classroom,
    submitted: Path,
    *,
    workers: int = 1,
    limits: Limits | None = None,
    sandbox: Sandbox = "required",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tally:
    """Grade what is new or changed, and bring the gradebook, `autograded/` and `feedback/` up to date.

    Args:
        room: the lab and where results go.
        submitted: the folder of submissions.
        workers: at most how many processes grade side by side; the results do not depend on it.
        limits: of one submission; the engine's own by default.
        sandbox: "unsafe" runs students' code with the caller's rights, and marks every result.
        progress: called with the number of submissions done and of all that need grading.

    Raises:
        CourseError: if there is nothing to grade, or the gradebook cannot be used.
    """
    started = time.monotonic()
    limits = limits or Limits()
    found = find_students(submitted, room.name)
    lab, _ = room.lab, room.released  # a faulty lab is told before anything is opened
    depends = digest(room.source, grader_version(), repr(limits), sandbox)
    with room.book() as book:
        writer = Writer(room, submitted, book)
        due = [student for student in found.students if writer.is_due(student, depends)]

        def jobs() -> Iterator[Job]:
            """Read again when it is a submission's turn, so that a class of large notebooks fits into memory."""
            for student in due:
                content = writer.expect(student, depends)
                if content is not None:
                    yield Job(lab, student, content, limits, sandbox)
                else:
                    writer.take(nothing_to_read(lab, writer.expected[student][0]))

        progress(0, len(due))
        try:
            patience = 2 * limits.submission_seconds + 120
            for job, answer in run_all(grade_job, jobs(), workers=workers, patience=patience, expected=len(due)):
                writer.take(answer if isinstance(answer, SubmissionResult) else failed(job, answer))
                progress(writer.taken, len(due))
        finally:
            writer.flush()
        writer.catch_up(found.students)
        known = read_identities(beside(submitted, room.name))
        if known.people:
            write_identities(room.identities, known)
            book.introduce(known.people)
        tally = Tally(graded=writer.taken, notes=found.notes)
        marks = book.marks()
    results = [with_marks(writer.records[student].result, marks.get(student, {})) for student in found.students]
    tally.results = with_copies(results, {student: writer.records[student].copies for student in found.students})
    tally.seconds = time.monotonic() - started
    return tally


def nothing_to_read(lab: Lab, submission: SubmittedFile) -> SubmissionResult:
    """The result of a submission without a readable file: no points, and the reason in every cell's message."""
    message = f"Nothing to grade: {submission.problem}."
    cells = {cell.grade_id: CellResult(0.0, cell.points, False, message) for cell in lab.graded}
    return SubmissionResult(submission.student, lab.name, "graded", cells, flags=(submission.problem,))


def failed(job: Job, error: Exception) -> SubmissionResult:
    """The result where the grader itself failed: an error for a person to look at, never a score."""
    cells = {cell.grade_id: CellResult(0.0, cell.points, None) for cell in job.lab.graded}
    return SubmissionResult(job.student, job.lab.name, "error", cells, reason=f"{type(error).__name__}: {error}")
