"""Grade a class: find what is new or changed, hand it to worker processes, and write down every result as it comes."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vae_lab.grading.classroom.identities import beside, read_identities, write_identities
from vae_lab.grading.classroom.job import Job
from vae_lab.grading.classroom.judged_by import digest_of_judge, judged_by
from vae_lab.grading.classroom.packets import LabFile
from vae_lab.grading.classroom.places import Here, Place
from vae_lab.grading.classroom.records import digest
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.classroom.submissions import SubmittedFile, find_students, read_submitted_file
from vae_lab.grading.classroom.versions import grader_version
from vae_lab.grading.classroom.writer import Writer, is_due
from vae_lab.grading.course import CourseError, write_atomically
from vae_lab.grading.executors.interface import ExecutorError
from vae_lab.grading.lab.source import Lab, points_to_optimizers
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
    place: Place | None = None,
) -> Tally:
    """Grade what is new or changed, and bring the gradebook, `autograded/` and `feedback/` up to date.

    Args:
        room: the lab and where results go.
        submitted: the folder of submissions.
        workers: at most how many processes grade side by side; the results do not depend on it.
        limits: of one submission; the engine's own by default.
        sandbox: "unsafe" runs students' code with the caller's rights, and marks every result.
        progress: called with the number of submissions done and of all that need grading.
        place: where they are graded; by default processes of this machine.

    Raises:
        CourseError: if there is nothing to grade, or the gradebook or the place cannot be used.
    """
    started = time.monotonic()
    limits = limits or Limits()
    found = find_students(submitted, room.name)
    lab, records = room.lab, room.records.read()
    depends = depends_on(room, limits, sandbox)
    due, optimizers = [], False
    for student in found.students:
        file = read_submitted_file(submitted, student, room.name)
        if is_due(records.get(student), file, depends):
            due.append(student)
            optimizers = optimizers or points_to_optimizers(file.content or b"")
    place = place or Here(workers, limits)
    shared = lab_file(room, sandbox)._replace(optimizers=optimizers)
    warming = begun(place, shared) if due else contextlib.nullcontext()  # while nbgrader is loaded
    with warming, room.book() as book:
        writer = Writer(room, submitted, book, records)

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
            if due:
                judge = note_judge(room, judged_by(sandbox))
                for job, answer in place.run(jobs(), len(due)):
                    writer.take(answer if isinstance(answer, SubmissionResult) else failed(job, answer), judge)
                    progress(writer.taken, len(due))
        finally:
            writer.flush()
        tally = finish(room, submitted, found.students, writer)
    tally.notes = found.notes
    tally.seconds = time.monotonic() - started
    return tally


def depends_on(room: Classroom, limits: Limits, sandbox: Sandbox) -> str:
    """A digest of all that the results of a class depend on, beside the notebooks."""
    return digest(room.source, grader_version(), repr(limits), sandbox)


def lab_file(room: Classroom, sandbox: Sandbox) -> LabFile:
    """The lab as it is sent to workers."""
    return LabFile(room.name, room.course.source(room.name).read_bytes(), sandbox)


def note_judge(room: Classroom, judge: Mapping[str, str]) -> str:
    """Write down what judges a class, and give back its digest, which the records carry."""
    name = digest_of_judge(judge)
    write_atomically(room.judged_by(name), json.dumps(dict(judge), indent=1) + "\n")
    return name


@contextlib.contextmanager
def begun(place: Place, lab: LabFile) -> Iterator[None]:
    """A place that is ready, and is stopped at the end; its faults are told in one line.

    Raises:
        CourseError: if the place cannot be used, or is lost.
    """
    try:
        place.start(lab)
        yield
    except ExecutorError as error:
        raise CourseError(error) from error
    finally:
        place.stop()


def finish(room: Classroom, submitted: Path, students: list[str], writer: Writer) -> Tally:
    """Bring everything into step with the records, and count."""
    writer.catch_up(students)
    known = read_identities(beside(submitted, room.name))
    if known.people:
        write_identities(room.identities, known)
        writer.book.introduce(known.people)
    marks = writer.book.marks()
    results = [with_marks(writer.records[student].result, marks.get(student, {})) for student in students]
    results = with_copies(results, {student: writer.records[student].copies for student in students})
    return Tally(results, graded=writer.taken)


def nothing_to_read(lab: Lab, submission: SubmittedFile) -> SubmissionResult:
    """The result of a submission without a readable file: no points, and the reason in every cell's message."""
    message = f"Nothing to grade: {submission.problem}."
    cells = {cell.grade_id: CellResult(0.0, cell.points, False, message) for cell in lab.graded}
    return SubmissionResult(submission.student, lab.name, "graded", cells, flags=(submission.problem,))


def failed(job: Job, error: Exception) -> SubmissionResult:
    """The result where the grader itself failed: an error for a person to look at, never a score."""
    cells = {cell.grade_id: CellResult(0.0, cell.points, None) for cell in job.lab.graded}
    return SubmissionResult(job.student, job.lab.name, "error", cells, reason=f"{type(error).__name__}: {error}")
