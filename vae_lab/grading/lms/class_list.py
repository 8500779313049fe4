"""The class list: who is in the class, and by which numbers and names the LMS knows them.

Read as they are: our own, with nbgrader's columns `id, first_name, last_name, email, lms_user_id` (the last is Canvas's
number); Canvas's exported gradebook (`Student` or `LastName`, `FirstName`, then `ID`, `SIS Login ID`); Moodle's grading
worksheet in any language, blind ones too; Moodle's exports of participants and of grades.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vae_lab.grading.classroom.submissions import LONGEST_NAME
from vae_lab.grading.course import CourseError
from vae_lab.grading.lms.names import letters, plain
from vae_lab.grading.lms.tables import Table, read_table
from vae_lab.grading.marks import Person

COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")
Kind = Literal["ours", "canvas", "worksheet", "export"]

# What Moodle calls a column, in languages that it is often used in; by letters alone.
CALLED = {
    "first": "firstname vorname prenom nombre nome voornaam ten namadepan",
    "last": "lastname surname nachname nom apellidos apellido cognome sobrenome achternaam ho namabelakang",
    "email": "emailaddress email emailadresse adressedecourriel courriel direcciondecorreo "
    "direcciondecorreoelectronico correoelectronico indirizzoemail enderecodeemail emailadres "
    "alamatemail diachithudientu diachiemail",
    "id_number": "idnumber idnummer numeroidentification numerodidentification numerodeid numerodiid "
    "numeroidentificacion numerodeidentificacao nomorid masodinhdanh maso",
    "login": "username anmeldename nomutilisateur nomdutilisateur nombredeusuario nomeutente nomedeusuario "
    "gebruikersnaam namapengguna tendangnhap",
}
MEANS = {word: meaning for meaning, words in CALLED.items() for word in words.split()}
NO_NAMES = re.compile(r"sta|estad|trangthai|grade|note|bewertung|nilai")  # heads of a worksheet without names
NOBODY = Person()
TEST_STUDENTS = {"studenttest", "teststudent"}  # Canvas's own, in the list and never in the class


@dataclass(frozen=True)
class Student:
    """One line of a class list: the gradebook's id, spellings of the name, the number in each LMS, and the rest.

    `cells` are the line's own, for what only a zip can tell: which column names groups, and when work came in.
    `row` is the line's place in the table.
    """

    id: str
    names: frozenset[str]
    numbers: Mapping[str, int]
    person: Person = NOBODY
    cells: tuple[str, ...] = ()
    row: int = -1


@dataclass(frozen=True)
class ClassList:
    """The students of a list, of which kind it is, and the table as it was."""

    students: list[Student]
    kind: Kind = "ours"
    table: Table = field(default_factory=lambda: Table((), (), ","))
    label: str = ""


def kind_of(table: Table) -> Kind | None:
    """Which list a table is, by its head and by what its first column holds."""
    head = [plain(name) for name in table.head]
    if ("student" in head or {"lastname", "firstname"} <= set(head)) and "id" in head:
        return "canvas"
    if "id" in head and set(head) <= set(COLUMNS):
        return "ours"
    if len(head) > 1 and label_of(table):
        return "worksheet"
    if "id" in head:
        return "ours"
    found = {MEANS.get(letters(name)) for name in head}
    return "export" if {"first", "last"} <= found and found & {"email", "id_number", "login"} else None


def label_of(table: Table) -> str:
    """What stands before the number in each cell of a worksheet's first column: "Participant " in English, or ""."""
    cells = [re.fullmatch(r"(\D{3,}?)\s*(\d+)", row[0]) for row in table.rows if row and row[0]]
    labels = {found[1].strip() for found in cells if found}
    return labels.pop() if cells and all(cells) and len(labels) == 1 else ""


def read_class_list(path: Path) -> ClassList:
    """Read a class list of any of the kinds.

    Raises:
        CourseError: if the file cannot be read, has none of the known columns, or gives two students one id.
    """
    table = read_table(path, lambda head: kind_of(Table(head, (), ",")) is not None)
    kind = kind_of(table)
    if kind is None:
        raise CourseError(
            f"{path} is no class list: its first line needs the columns {', '.join(COLUMNS)} (only id is a must), or "
            "must be that of Moodle's grading worksheet or of Canvas's gradebook"
        )
    students: list[Student] = []
    for number, row in enumerate(table.rows):
        student = {"ours": ours, "canvas": canvas, "worksheet": worksheet, "export": export}[kind](table, row, number)
        if student is None:
            continue
        if wrong := wrong_id(student.id):
            raise CourseError(f"{path}, line {number + 2}: {wrong}")
        students.append(student)
    twice = [name for name, times in Counter(student.id.casefold() for student in students).items() if times > 1]
    if twice:
        raise CourseError(f"{path}: two students have the id {twice[0]!r}")
    return ClassList(students, kind, table, label_of(table) if kind == "worksheet" else "")


def named(table: Table, row: tuple[str, ...]) -> dict[str, str]:
    """A row's cells by the head's small letters; of two columns with one name the first."""
    return {plain(name): cell for name, cell in reversed(list(zip(table.head, row, strict=False)))}


def meant(table: Table, row: tuple[str, ...]) -> dict[str, str]:
    """A row's cells by what Moodle means with their columns, in any language that is known here."""
    pairs = ((MEANS.get(letters(name)), cell) for name, cell in zip(table.head, row, strict=False))
    return {meaning: cell for meaning, cell in reversed(list(pairs)) if meaning}


def ours(table: Table, row: tuple[str, ...], number: int) -> Student | None:
    """A line of our own list; `#` begins a note."""
    cells = named(table, row)
    own, first, last = cells["id"], cells.get("first_name", ""), cells.get("last_name", "")
    if own.startswith("#"):
        return None
    lms = whole(cells.get("lms_user_id", ""))
    person = Person(first, last, cells.get("email", ""), lms, login=own, canvas=lms)
    return Student(own, spellings(first, last), {"canvas": int(lms)} if lms else {}, person, row, number)


def canvas(table: Table, row: tuple[str, ...], number: int) -> Student | None:
    """A line of Canvas's gradebook; the lines of points and policies are no students, nor is Canvas's test student."""
    cells = named(table, row)
    own = whole(cells["id"])
    last, first = cells.get("lastname", ""), cells.get("firstname", "")
    if "student" in cells:
        last, _, first = (part.strip() for part in cells["student"].partition(","))
    if not own or letters(last + first) in TEST_STUDENTS:
        return None
    login, sis = cells.get("sis login id", ""), cells.get("sis user id", "")
    person = Person(first, last, login if "@" in login else "", own, login, canvas=own, sis_user=sis)
    return Student(login or sis or own, spellings(first, last), {"canvas": int(own)}, person, row, number)


def worksheet(table: Table, row: tuple[str, ...], number: int) -> Student | None:
    """A line of Moodle's grading worksheet: the number is in the first column, a name, if any, in the second."""
    found = re.search(r"(\d+)$", row[0])
    if found is None:
        return None
    cells = meant(table, row)
    full = "" if NO_NAMES.match(letters(table.head[1])) or "@" in row[1] else row[1]
    email = cells.get("email") or next((cell for cell in row[1:] if re.fullmatch(r"[^@\s]+@[^@\s]+", cell)), "")
    person = Person(
        *apart(full), email, cells.get("id_number", ""), cells.get("login", ""), cells.get("id_number", ""),
        participant=found[1], name=full,
    )  # fmt: skip
    words = "-".join(re.findall(r"[a-z0-9]+", plain(full or label_of(table))))[:60].strip("-") or "moodle"
    own = person.id_number or person.login or email or f"{words}_{found[1]}"
    return Student(own, spellings(full), {"moodle": int(found[1])}, person, row, number)


def export(table: Table, row: tuple[str, ...], number: int) -> Student | None:
    """A line of what Moodle exports under *Grades* or *Participants*."""
    cells = meant(table, row)
    first, last, email = (cells.get(meaning, "") for meaning in ("first", "last", "email"))
    login, id_number = cells.get("login", ""), cells.get("id_number", "")
    person = Person(first, last, email, id_number, login, id_number, name=f"{first} {last}".strip())
    return Student(id_number or login or email, spellings(first, last), {}, person, row, number)


def whole(text: str) -> str:
    """A number as digits, or "": a spreadsheet may have made 2001.0 of it.

    >>> whole("2001"), whole("2001.0"), whole("n/a")
    ('2001', '2001', '')
    """
    found = re.fullmatch(r"(\d{1,18})(?:[.,]0+)?", text)
    return found[1] if found else ""


def apart(full: str) -> tuple[str, str]:
    """A full name as first and last: the last word is taken for the family's."""
    first, _, last = full.strip().rpartition(" ")
    return first, last


def spellings(*parts: str) -> frozenset[str]:
    """The full name as letters, its words in every order that begins somewhere and goes round.

    Canvas sorts by what it takes for the family name, and takes the last word for it: "An, Nguyen Van".

    >>> sorted(spellings("Van An", "Nguyen"))
    ['annguyenvan', 'nguyenvanan', 'vanannguyen']
    """
    words = [letters(word) for part in parts for word in part.split()]
    words = [word for word in words if word]
    return frozenset("".join(words[start:] + words[:start]) for start in range(len(words)))


def wrong_id(name: str) -> str:
    """Why an id cannot be a student's folder and the gradebook's key, or ""."""
    if not name:
        return "no id"
    if name.startswith((".", "#")) or not name.isprintable() or set(name) & set('/\\:*?"<>|'):
        return f'the id {name!r} cannot be the name of a folder: no leading dot, and none of / \\ : * ? " < > |'
    return f"the id {name[:20]}... is longer than {LONGEST_NAME} characters" if len(name) > LONGEST_NAME else ""
