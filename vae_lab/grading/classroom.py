"""Grade a class: find what is new or changed, hand it to worker processes, and write down every result as it comes.

The order of writing makes any interruption harmless: first the record of a result, then the files and gradebook rows
made from it, then the note in the record that they are written. What is missing is made up for by the next run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import vae_lab
from vae_lab.grading import autograded, feedback
from vae_lab.grading.answered import Notebook, grader, text
from vae_lab.grading.course import Course, CourseError, write_atomically
from vae_lab.grading.engine import Limits, Sandbox
from vae_lab.grading.gradebook import Book, Entry, Mark, auto_score, database_url, with_marks
from vae_lab.grading.handed_in import Piece, pieces
from vae_lab.grading.job import Job, grade_job
from vae_lab.grading.lab import Lab, load_lab
from vae_lab.grading.records import Record, Records, digest
from vae_lab.grading.release import release_notebook
from vae_lab.grading.report import ClassReport, with_copies, write_report
from vae_lab.grading.results import CellResult, SubmissionResult
from vae_lab.grading.submissions import Submission, find_students, read_submission
from vae_lab.grading.tasks import outline, tasks, title
from vae_lab.grading.workers import run_all

BATCH = 50  # results written to the gradebook in one transaction
AT_LEAST_EVERY = 2.0  # seconds between two of them


@dataclass(frozen=True)
class Classroom:
    """One lab of a course, and where its class's things are.

    Args:
        course: the folder with `solutions/`.
        name: the lab.
        out: where `autograded/`, `feedback/`, `report/` and the default gradebook go.
        db: the gradebook's SQLAlchemy URL, or None for `gradebook.db` in `out`.
    """

    course: Course
    name: str
    out: Path
    db: str | None = None

    @cached_property
    def source(self) -> str:
        """Text of the lab's source."""
        return self.course.source(self.name).read_text(encoding="utf-8")

    @cached_property
    def lab(self) -> Lab:
        """The lab as the grading engine reads it."""
        try:
            return load_lab(self.course.source(self.name))
        except ValueError as error:
            raise CourseError(error) from error

    @cached_property
    def released(self) -> Notebook:
        """The lab as students got it."""
        try:
            notebook: Notebook = json.loads(release_notebook(self.source, self.name))
        except ValueError as error:
            raise CourseError(error) from error
        return notebook

    @property
    def records(self) -> Records:
        """What has been graded so far."""
        return Records(self.out / "report" / self.name / "records")

    def book(self) -> Book:
        """The gradebook, opened."""
        url = database_url(self.db, self.out)
        self.out.mkdir(parents=True, exist_ok=True)
        return Book(url, self.name, self.source)

    def file(self, kind: str, student: str) -> Path:
        """Where nbgrader looks for a student's "autograded" notebook or "feedback" page."""
        suffix = "ipynb" if kind == "autograded" else "html"
        return self.out / kind / student / self.name / f"{self.name}.{suffix}"


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
        workers: how many processes grade side by side; the results do not depend on it.
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
            for job, answer in run_all(
                grade_job, jobs(), workers=workers, patience=2 * limits.submission_seconds + 120
            ):
                writer.take(answer if isinstance(answer, SubmissionResult) else failed(job, answer))
                progress(writer.taken, len(due))
        finally:
            writer.flush()
        writer.catch_up(found.students)
        tally = Tally(graded=writer.taken, notes=found.notes)
        marks = book.marks()
    results = [with_marks(writer.records[student].result, marks.get(student, {})) for student in found.students]
    tally.results = with_copies(results, {student: writer.records[student].copies for student in found.students})
    tally.seconds = time.monotonic() - started
    return tally


class Writer:
    """The one writer: takes results and keeps records, files and gradebook in step."""

    def __init__(self, room: Classroom, submitted: Path, book: Book) -> None:
        self.room, self.submitted, self.book = room, submitted, book
        self.records = room.records.read()
        self.marks = book.marks()
        self.expected: dict[str, tuple[Submission, str]] = {}
        self.batch: list[str] = []
        self.taken = 0
        self.flushed = time.monotonic()
        self.outlines = outline(room.released)
        self.title = title(room.released)
        self.styles = {kind: digest(*sources) for kind, sources in RENDERED_BY.items()}

    def is_due(self, student: str, depends: str) -> bool:
        """Whether a submission has no result yet that still holds; an error of the grader's own never holds."""
        record = self.records.get(student)
        submission = read_submission(self.submitted, student, self.room.name)
        return record is None or record.result.status == "error" or record.key != key_of(submission, depends)

    def expect(self, student: str, depends: str) -> bytes | None:
        """Read a submission whose result will come; None if there is nothing to read."""
        submission = read_submission(self.submitted, student, self.room.name)
        self.expected[student] = (submission, key_of(submission, depends))
        return submission.content

    def take(self, result: SubmissionResult) -> None:
        """Write down a result at once; the files and rows made from it follow with the batch."""
        submission, key = self.expected[result.student]
        before = self.records.get(result.student)
        content = digest(submission.problem, submission.content or b"")
        self.put(
            Record(
                result,
                key,
                content,
                timestamp=submission.timestamp,
                look_again=before is not None and (before.content != content or before.look_again),
                copies=fingerprint(self.room.released, self.pieces_of(submission)),
                outputs=before.outputs if before else {},
            )
        )
        self.batch.append(result.student)
        self.taken += 1
        if len(self.batch) >= BATCH or time.monotonic() - self.flushed > AT_LEAST_EVERY:
            self.flush()

    def put(self, record: Record) -> None:
        """Keep a record, here and on disk."""
        self.records[record.result.student] = record
        self.room.records.write([record])

    def flush(self) -> None:
        """Write what is waiting: gradebook rows in one transaction, then each submission's files."""
        batch, self.batch = self.batch, []
        self.publish(batch)
        for student in batch:
            del self.expected[student]
        self.flushed = time.monotonic()

    def catch_up(self, students: list[str]) -> None:
        """Make again whatever is missing or no longer fits, without grading anything again."""
        self.marks = self.book.marks()
        self.publish(students)

    def publish(self, students: list[str]) -> None:
        """Bring rows and files of these students into step with their records."""
        rows = [student for student in students if self.row_differs(student)]
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            self.book.write(self.entry(student) for student in some)
            for student in some:
                record = self.records[student]
                self.put(replace(record, look_again=False).with_outputs(gradebook=digest(record.key)))
        for student in students:
            record = self.records[student]
            wanted = {kind: digest(*self.made_from(kind, record)) for kind in self.styles}
            stale = {
                kind: value
                for kind, value in wanted.items()
                if record.outputs.get(kind) != value or not self.room.file(kind, student).is_file()
            }
            if stale:
                self.write_files(record, stale)
                self.put(record.with_outputs(**stale))

    def row_differs(self, student: str) -> bool:
        """Whether the gradebook does not yet say what the record says."""
        record = self.records[student]
        rows = self.marks.get(student, {})
        said = {name: row.auto for name, row in rows.items() if name in self.book.grade_cells}
        wanted = dict.fromkeys(self.book.grade_cells, None) | {
            name: auto_score(record.result, name) for name in record.result.cells
        }
        return said != wanted or record.outputs.get("gradebook") != digest(record.key)

    def entry(self, student: str) -> Entry:
        """A record on its way into the gradebook."""
        record = self.records[student]
        answered = {piece.grade_id: piece.source for piece in self.pieces(student)}
        unanswered = frozenset(
            grader(cell)["grade_id"]
            for cell in self.room.released["cells"]
            if grader(cell).get("solution")
            and answered.get(grader(cell)["grade_id"], "").strip() in ("", text(cell).strip())
        )
        return Entry(record.result, record.timestamp, unanswered, record.look_again)

    def made_from(self, kind: str, record: Record) -> Iterator[str]:
        """All that a file of this kind depends on."""
        yield self.styles[kind]
        yield record.key
        yield json.dumps(record.result.to_json(), sort_keys=True)
        if kind == "feedback":
            marks = self.marks.get(record.result.student, {})
            yield repr(sorted((name, mark) for name, mark in marks.items() if mark.by_hand))

    def write_files(self, record: Record, kinds: dict[str, str]) -> None:
        """Write a student's graded notebook and feedback page, those that are named."""
        result = record.result
        handed_in = self.pieces(result.student)
        if "autograded" in kinds:
            made = autograded.autograded(self.room.released, handed_in, result)
            write_atomically(self.room.file("autograded", result.student), made)
        if "feedback" in kinds:
            marks: dict[str, Mark] = self.marks.get(result.student, {})
            counted = with_marks(result, marks)
            comments = {name: mark.comment for name, mark in marks.items() if mark.comment}
            shown = tasks(self.outlines, handed_in, counted)
            page = feedback.page(counted, shown, self.title, comments)
            write_atomically(self.room.file("feedback", result.student), page)

    def pieces(self, student: str) -> list[Piece]:
        """A student's cells."""
        if student in self.expected:
            return self.pieces_of(self.expected[student][0])
        return self.pieces_of(read_submission(self.submitted, student, self.room.name))

    def pieces_of(self, submission: Submission) -> list[Piece]:
        """The cells of a submission."""
        return pieces(submission.content, self.room.name, self.room.released)


def key_of(submission: Submission, depends: str) -> str:
    """A digest of all that a result depends on."""
    return digest(depends, submission.problem, submission.content or b"")


def write_class_report(room: Classroom) -> Path:
    """Write the class at a glance, with the marks that the gradebook holds now; returns the page's path.

    Raises:
        CourseError: if nothing of this lab has been graded.
    """
    records = room.records.read()
    if not records:
        raise CourseError(f"nothing to report: no submission of {room.name} has been graded into {room.out.resolve()}")
    with room.book() as book:
        marks, people = book.marks(), book.people()
    results = [with_marks(records[student].result, marks.get(student, {})) for student in sorted(records)]
    results = with_copies(results, {student: record.copies for student, record in records.items()})
    report = ClassReport(title(room.released), room.name, results, outline(room.released), people)
    return write_report(report, room.out / "report")


def nothing_to_read(lab: Lab, submission: Submission) -> SubmissionResult:
    """The result of a submission without a readable file: no points, and the reason in every cell's message."""
    message = f"Nothing to grade: {submission.problem}."
    cells = {cell.grade_id: CellResult(0.0, cell.points, False, message) for cell in lab.graded}
    return SubmissionResult(submission.student, lab.name, "graded", cells, flags=(submission.problem,))


def failed(job: Job, error: Exception) -> SubmissionResult:
    """The result where the grader itself failed: an error for a person to look at, never a score."""
    cells = {cell.grade_id: CellResult(0.0, cell.points, None) for cell in job.lab.graded}
    return SubmissionResult(job.student, job.lab.name, "error", cells, reason=f"{type(error).__name__}: {error}")


def fingerprint(released: Notebook, handed_in: list[Piece]) -> str:
    """A digest of a student's own words, the same for a copy; "" where there are too few to tell.

    Answers as short as those of a lab are often the same by right, so only the text as typed counts, comments included.
    """
    given = {grader(cell)["grade_id"]: text(cell) for cell in released["cells"] if grader(cell).get("solution")}
    own = [
        (piece.grade_id, piece.source.strip())
        for piece in handed_in
        if piece.grade_id in given and piece.source.strip() != given[piece.grade_id].strip()
    ]
    own.sort()
    return digest(*(part for pair in own for part in pair)) if sum(len(source) for _, source in own) > 300 else ""


def grader_version() -> str:
    """A digest of the code that grades and of torch's version: when either changes, results are made anew."""
    package = Path(vae_lab.__file__).parent
    sources = [path for path in sorted(package.rglob("*.py")) if path.name not in NOT_JUDGING]
    parts = [part for path in sources for part in (path.relative_to(package).as_posix().encode(), path.read_bytes())]
    return digest(version("torch"), *parts)


def own_text(*names: str) -> list[str]:
    """The text of files beside this one."""
    return [(Path(__file__).parent / name).read_text(encoding="utf-8") for name in names]


# What a change in which makes the graded notebooks, or the feedback pages, be written again.
RENDERED_BY = {
    "autograded": own_text("autograded.py", "harmless.py", "handed_in.py"),
    "feedback": own_text(
        "feedback.py",
        "harmless.py",
        "handed_in.py",
        "tasks.py",
        "pages/base.html",
        "pages/feedback.html",
        "pages/page.css",
    ),
}

# Files whose change cannot change a verdict.
NOT_JUDGING = {
    "autograded.py", "classroom.py", "cli.py", "course.py", "feedback.py", "gradebook.py", "handed_in.py",
    "harmless.py", "lms.py", "plots.py", "records.py", "report.py", "sample_class.py", "selfcheck.py", "submissions.py",
    "tasks.py", "verify.py", "workers.py",
}  # fmt: skip
