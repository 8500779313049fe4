"""The class list: which student of the gradebook a student of the LMS is.

Three files are read as they are. Our own, with nbgrader's columns: `id, first_name, last_name, email, lms_user_id`
(the last is Canvas's number of the student). Moodle's grading worksheet of the assignment: `Identifier` ("Participant
12345"), `Full name`, `ID number`, `Email address`. Canvas's exported gradebook: `Student` ("Lovelace, Ada"), `ID`,
`SIS Login ID`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vae_lab.grading.classroom.submissions import LONGEST_NAME
from vae_lab.grading.course import CourseError
from vae_lab.grading.lms.names import UploadName, letters

COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")


@dataclass(frozen=True)
class Student:
    """One line of a class list: the gradebook's id, spellings of the name, and the number in each LMS."""

    id: str
    names: frozenset[str]
    numbers: Mapping[str, int]


def read_class_list(path: Path) -> list[Student]:
    """Read a class list of any of the three kinds.

    Raises:
        CourseError: if the file cannot be read, has none of the known columns, or gives two students one id.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path} cannot be read as a class list in UTF-8: {error}") from None
    first = text.splitlines()[0] if text.strip() else ""
    delimiter = max(",;\t", key=first.count)  # a spreadsheet's idea of "comma-separated" depends on the country
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    columns = {(name or "").strip().casefold(): name for name in rows.fieldnames or ()}
    students: list[Student] = []
    for number, row in enumerate(rows, start=2):
        cells = {name: (row.get(column) or "").strip() for name, column in columns.items()}
        if not any(cells.values()) or cells.get("id", "").startswith("#"):
            continue
        student = from_row(cells, path)
        if student is None:
            continue
        wrong = wrong_id(student.id)
        if wrong:
            raise CourseError(f"{path}, line {number}: {wrong}")
        students.append(student)
    twice = [name for name, times in Counter(student.id.casefold() for student in students).items() if times > 1]
    if twice:
        raise CourseError(f"{path}: two students have the id {twice[0]!r}")
    return students


def from_row(cells: Mapping[str, str], path: Path) -> Student | None:
    """One student from one row; None for the rows of a Canvas gradebook that are not students."""
    if "identifier" in cells and "full name" in cells:  # Moodle's grading worksheet
        number = re.search(r"(\d+)\s*$", cells["identifier"])
        own = cells.get("id number") or cells.get("username") or cells.get("email address") or cells["full name"]
        return Student(own, spellings(cells["full name"]), {"moodle": int(number[1])} if number else {})
    if "student" in cells and "id" in cells:  # Canvas's gradebook; "Points Possible" and the test student have no login
        if not cells["id"].isdecimal():
            return None
        own = cells.get("sis login id") or cells.get("sis user id") or cells["id"]
        return Student(own, spellings(*cells["student"].split(",", 1)), {"canvas": int(cells["id"])})
    if "id" in cells:
        number_there = cells.get("lms_user_id", "")
        names = spellings(cells.get("first_name", ""), cells.get("last_name", ""))
        return Student(cells["id"], names, {"canvas": int(number_there)} if number_there.isdecimal() else {})
    raise CourseError(
        f"{path} is no class list: its first line needs the columns {', '.join(COLUMNS)} (only id is a must), or must "
        "be that of Moodle's grading worksheet or of Canvas's gradebook"
    )


def spellings(*parts: str) -> frozenset[str]:
    """The full name as letters, with the family name last and first."""
    return frozenset({letters("".join(parts)), letters("".join(reversed(parts)))} - {""})


def wrong_id(name: str) -> str:
    """Why an id cannot be a student's folder and the gradebook's key, or ""."""
    if not name:
        return "no id"
    if name.startswith((".", "#")) or not name.isprintable() or set(name) & set('/\\:*?"<>|'):
        return f'the id {name!r} cannot be the name of a folder: no leading dot, and none of / \\ : * ? " < > |'
    return f"the id {name[:20]}... is longer than {LONGEST_NAME} characters" if len(name) > LONGEST_NAME else ""


def resolve(handed_in: Iterable[UploadName], students: list[Student]) -> dict[tuple[str, int], str]:
    """The gradebook's id for each LMS student who can be told for certain.

    The number decides where the class list has it. Else the name does, if exactly one student on the list and exactly
    one in the zip have it. Two LMS students never get one id.

    Args:
        handed_in: what the names in the zip say.
        students: the class list.

    Returns:
        ids by (system, number); whoever is not in it is not on the list, or not for certain.
    """
    people = {(entry.system, entry.number): letters(entry.name) for entry in handed_in}
    by_number = {(system, number): one.id for one in students for system, number in one.numbers.items()}
    certain = {person: by_number[person] for person in people if person in by_number}
    taken = set(certain.values())
    wanted = Counter(name for person, name in people.items() if person not in certain)
    left = [student for student in students if student.id not in taken]
    for person, name in people.items():
        matches = [student.id for student in left if name in student.names]
        if person not in certain and wanted[name] == 1 and len(matches) == 1:
            certain[person] = matches[0]
    once = Counter(certain.values())
    return {person: own for person, own in certain.items() if once[own] == 1}
