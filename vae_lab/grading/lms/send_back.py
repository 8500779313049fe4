"""Send feedback back through Moodle: one zip whose folders are named as in the zip that Moodle made of the submissions.

Moodle's assignments take such a zip under *Upload multiple feedback files in a zip*, where feedback files are switched
on, and find each student by the number in the folder's name (mod/assign/feedback/file/importziplib.php).
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from vae_lab.grading.course import CourseError, write_atomically
from vae_lab.grading.lms.class_list import ClassList
from vae_lab.grading.lms.collect import collect
from vae_lab.grading.lms.contents import any_named

BEGINNING = (1980, 1, 1, 0, 0, 0)  # the same feedback gives the same zip


@dataclass
class SentBack:
    """Which students' pages are in the zip, who handed in and has none, and whose number in Moodle nobody said."""

    students: list[str] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def send_back(path: Path, lab: str, feedback: Path, target: Path, students: ClassList | None = None) -> SentBack:
    """Pack each student's feedback page for Moodle.

    Students are told apart exactly as in collecting, so that nobody gets another's page: give the same zip and list.
    What a group handed in goes back to each of its members, under the member's own number, which only the grading
    worksheet knows: a group's number is no student's.

    Args:
        path: the zip that Moodle made of the assignment.
        lab: the lab's name.
        feedback: the folder with `<student>/<lab>/<lab>.html`.
        target: the zip to write.
        students: the class list, if there was one in collecting.

    Returns:
        `SentBack(students, without, unknown)`.

    Raises:
        CourseError: if the zip cannot be read or is not Moodle's, or nobody in it has a feedback page.
    """
    with tempfile.TemporaryDirectory() as folder:
        collected = collect(path, lab, Path(folder), students)
    from_canvas = any_named(path)
    result, written = SentBack(), io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for student in sorted(collected.students - set(collected.without)):
            person = collected.people[student]
            if from_canvas or person.anonymous:
                raise CourseError(f"{path} is Canvas's; only Moodle takes feedback back as a zip")
            page = feedback / student / lab / f"{lab}.html"
            if not page.is_file() or page.is_symlink():
                result.without.append(student)
                continue
            if not person.participant:
                result.unknown.append(student)
                continue
            who = person.name.replace("_", " ")  # Moodle takes what is between the first two for the number
            who = "".join(letter for letter in who if letter not in '/\\:*?"<>|') or "student"
            member = zipfile.ZipInfo(f"{who}_{person.participant}_assignsubmission_file_/{lab}.html", BEGINNING)
            member.external_attr, member.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(member, page.read_bytes())
            result.students.append(student)
    if not result.students:
        raise CourseError(
            f"nobody in {path} has a feedback page of {lab} under {feedback} that can go back; grade first"
        )
    write_atomically(target, written.getvalue())
    return result
