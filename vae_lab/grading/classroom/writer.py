"""The one writer of a class: takes results as they come and keeps records, files and gradebook in step.

The order of writing makes any interruption harmless: first the record of a result, then the files and gradebook rows
made from it, then the note in the record that they are written. What is missing is made up for by the next run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vae_lab.grading.classroom.records import Record, digest
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.classroom.submissions import SubmittedFile, read_submitted_file
from vae_lab.grading.classroom.versions import pages_version
from vae_lab.grading.course import write_atomically
from vae_lab.grading.judge.environment import absent_modules
from vae_lab.grading.lab.handed_in import HandedIn, read_handed_in
from vae_lab.grading.marks import GradebookEntry, Mark, auto_score, with_marks
from vae_lab.grading.pages import autograded, feedback
from vae_lab.grading.pages.report import NEEDS
from vae_lab.grading.pages.tasks import Outline, outline, tasks, title
from vae_lab.grading.results import SubmissionResult

if TYPE_CHECKING:
    from vae_lab.grading.classroom.gradebook import LabGradebook  # nbgrader, which takes seconds to import

KINDS = ("autograded", "feedback")  # the files that each student gets
BATCH = 50  # results written to the gradebook in one transaction
AT_LEAST_EVERY = 2.0  # seconds between two of them


class Writer:
    """The one writer: takes results and keeps records, files and gradebook in step.

    Args:
        room: the lab and where results go.
        submitted: the folder of submissions.
        book: the gradebook, open.
        records: those that there are so far; kept up to date.
    """

    def __init__(self, room: Classroom, submitted: Path, book: LabGradebook, records: dict[str, Record]) -> None:
        self.room, self.submitted, self.book, self.records = room, submitted, book, records
        self.marks = book.marks()
        self.expected: dict[str, tuple[SubmittedFile, str]] = {}
        self.batch: list[str] = []
        self.taken = 0
        self.flushed = time.monotonic()
        self.in_languages: dict[str, tuple[list[Outline], str]] = {}
        self.pages_version = pages_version()

    def expect(self, student: str, depends: str) -> bytes | None:
        """Read a submission whose result will come; None if there is nothing to read."""
        submission = read_submitted_file(self.submitted, student, self.room.name)
        self.expected[student] = (submission, key_of(submission, depends))
        return submission.content

    def take(self, result: SubmissionResult, judge: str = "") -> None:
        """Write down a result at once; the files and rows made from it follow with the batch.

        Args:
            result: of a submission that is expected.
            judge: digest of what judged it; without a file nothing had to.
        """
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
                copies=fingerprint(read_handed_in(self.room.lab, submission.content)),
                outputs=before.outputs if before else {},
                judge=judge if submission.content is not None else "",
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
            wanted = {kind: digest(*self.made_from(kind, record)) for kind in KINDS}
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

    def entry(self, student: str) -> GradebookEntry:
        """A record on its way into the gradebook."""
        record = self.records[student]
        answers = self.handed_in(student).answers
        wanted = [cell.grade_id for cell in self.room.lab.cells if cell.role in ("solution", "written")]
        unanswered = frozenset(name for name in wanted if name not in answers or answers[name].blank)
        return GradebookEntry(record.result, record.timestamp, unanswered, record.look_again)

    def made_from(self, kind: str, record: Record) -> Iterator[str]:
        """All that a file of this kind depends on."""
        yield self.pages_version
        yield record.key
        yield json.dumps(record.result.to_json(), sort_keys=True)
        if kind == "feedback":
            marks = self.marks.get(record.result.student, {})
            yield repr(sorted((name, mark) for name, mark in marks.items() if mark.by_hand))

    def write_files(self, record: Record, kinds: dict[str, str]) -> None:
        """Write a student's graded notebook and feedback page, those that are named."""
        result = record.result
        handed_in = self.handed_in(result.student)
        if "autograded" in kinds:
            made = autograded.autograded(self.room.released, handed_in, result)
            write_atomically(self.room.file("autograded", result.student), made)
        if "feedback" in kinds:
            marks: dict[str, Mark] = self.marks.get(result.student, {})
            counted = with_marks(result, marks)
            comments = {name: mark.comment for name, mark in marks.items() if mark.comment}
            outlines, heading = self.headings(handed_in.language)
            page = feedback.page(counted, tasks(outlines, handed_in, counted), heading, comments, handed_in.language)
            write_atomically(self.room.file("feedback", result.student), page)

    def headings(self, language: str) -> tuple[list[Outline], str]:
        """The lab's tasks and its title, as students of a language know them."""
        if language not in self.in_languages:
            released = self.room.released_in(language)
            self.in_languages[language] = (outline(released), title(released))
        return self.in_languages[language]

    def handed_in(self, student: str) -> HandedIn:
        """A student's notebook, read against the lab."""
        expected = self.expected.get(student)
        submission = expected[0] if expected else read_submitted_file(self.submitted, student, self.room.name)
        return read_handed_in(self.room.lab, submission.content)


def is_due(record: Record | None, submission: SubmittedFile, depends: str) -> bool:
    """Whether a record has no result that still holds; an error of the grader's own never holds."""
    if record is None or record.result.status == "error" or record.key != key_of(submission, depends):
        return True
    return any(come_since(flag) for flag in record.result.flags)


def come_since(flag: str) -> bool:
    """Whether a flag names a module that a notebook needed and that has been installed since."""
    wanting = NEEDS.fullmatch(flag)
    names = wanting[1].split(", ") if wanting else []
    return any(name.isidentifier() and not absent_modules(f"import {name}") for name in names)


def key_of(submission: SubmittedFile, depends: str) -> str:
    """A digest of all that a result depends on."""
    return digest(depends, submission.problem, submission.content or b"")


def fingerprint(handed_in: HandedIn) -> str:
    """A digest of a student's own words, the same for a copy; "" where there are too few to tell.

    Answers as short as those of a lab are often the same by right, so only the text as typed counts, comments included.
    """
    own = sorted((name, answer.text.strip()) for name, answer in handed_in.answers.items() if not answer.blank)
    return digest(*(part for pair in own for part in pair)) if sum(len(source) for _, source in own) > 300 else ""
