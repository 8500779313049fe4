"""Write a class's report from its records and the gradebook, without grading anything."""

from __future__ import annotations

from pathlib import Path

from vae_lab.grading.classroom.identities import read_identities
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import CourseError
from vae_lab.grading.marks import Person, with_marks
from vae_lab.grading.pages.report import ClassReport, with_copies, write_report
from vae_lab.grading.pages.tasks import outline, title


def write_class_report(room: Classroom) -> Path:
    """Write the class at a glance and the files for the LMS; returns the page's path.

    Raises:
        CourseError: if nothing of this lab has been graded.
    """
    return write_report(class_report(room), room.out / "report")


def class_report(room: Classroom) -> ClassReport:
    """The class at a glance, with the marks that the gradebook holds now and what collecting found out about people.

    Raises:
        CourseError: if nothing of this lab has been graded.
    """
    records = room.records.read()
    if not records:
        raise CourseError(f"nothing to report: no submission of {room.name} has been graded into {room.out.resolve()}")
    marks, named = room.read_gradebook()
    results = [with_marks(records[student].result, marks.get(student, {})) for student in sorted(records)]
    results = with_copies(results, {student: record.copies for student, record in records.items()})
    known = read_identities(room.identities)
    people = {student: with_identity(named.get(student, Person()), known.people.get(student)) for student in records}
    outlines = outline(room.released)
    return ClassReport(title(room.released), room.name, results, outlines, people, known.worksheet, known.canvas_head)


def with_identity(person: Person, known: Person | None) -> Person:
    """A student as the gradebook names them, with what only the LMS knows."""
    if known is None:
        return person
    return known._replace(
        first=person.first or known.first, last=person.last or known.last, email=person.email or known.email
    )
