"""Write a class's report from its records and the gradebook, without grading anything."""

from __future__ import annotations

from pathlib import Path

from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import CourseError
from vae_lab.grading.marks import with_marks
from vae_lab.grading.pages.report import ClassReport, with_copies, write_report
from vae_lab.grading.pages.tasks import outline, title


def write_class_report(room: Classroom) -> Path:
    """Write the class at a glance, with the marks that the gradebook holds now; returns the page's path.

    Raises:
        CourseError: if nothing of this lab has been graded.
    """
    records = room.records.read()
    if not records:
        raise CourseError(f"nothing to report: no submission of {room.name} has been graded into {room.out.resolve()}")
    marks, people = room.read_gradebook()
    results = [with_marks(records[student].result, marks.get(student, {})) for student in sorted(records)]
    results = with_copies(results, {student: record.copies for student, record in records.items()})
    report = ClassReport(title(room.released), room.name, results, outline(room.released), people)
    return write_report(report, room.out / "report")
