"""Scores as files that Canvas and Moodle import, with nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping

from vae_lab.grading.lab.plain_text import UNSEEN
from vae_lab.grading.marks import Person
from vae_lab.grading.results import SubmissionResult

FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\uff1d",
    "\uff0b",
    "\uff0d",
    "\uff20",
)  # and wide ones


def safe(field: str) -> str:
    r"""A field that no spreadsheet takes for a formula: an apostrophe goes before a telling first character.

    Control characters and marks of direction are left out.

    Example:
        >>> safe("=HYPERLINK(...)"), safe("Ana"), safe("  -1+1")
        ("'=HYPERLINK(...)", 'Ana', "'  -1+1")
        >>> safe("\x1b[31mA\u202ena"), safe("\u200e=1+1"), safe("\uff1d1+1")
        ('[31mAna', "'=1+1", "'＝1+1")
    """
    field = UNSEEN.sub("", field)
    if re.fullmatch(r"-?\d+(\.\d+)?", field):
        return field
    return "'" + field if field.lstrip(" \u00a0\u200b\ufeff").startswith(FORMULA) else field


def sheet(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table as CSV with every field quoted, as RFC 4180 writes it."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([safe(field) for field in row] for row in rows)
    return text.getvalue()


def canvas(
    lab: str, max_score: float, results: Iterable[SubmissionResult], people: Mapping[str, Person], head: str = ""
) -> str:
    """The table that Canvas's gradebook imports: its fixed columns, then one for the lab, with the points possible.

    Canvas looks for a student by ID, then SIS User ID, then SIS Login ID, then by the name as it sorts it
    (lib/gradebook_importer.rb); whom it would find by none of them is left out. A submission without a score (status
    "error") gets an empty field, which leaves Canvas's own as it is.

    Args:
        lab: its name, which is the column's head unless `head` is given.
        max_score: points possible.
        results: of every student, as they count.
        people: what is known of them.
        head: the column's head as Canvas has it, "sampling (9)": the number finds the assignment for certain.
    """
    rows = [["    Points Possible", "", "", "", "", f"{max_score:g}"]]
    for result in results:
        person = people.get(result.student, Person())
        if in_canvas(person):
            name = ", ".join(part for part in (person.last, person.first) if part) or result.student
            number = person.canvas if person.collected else person.lms
            login = person.login if person.collected else result.student
            rows.append([name, number, person.sis_user, login, "", score(result)])
    return sheet(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", head or lab], rows)


def in_canvas(person: Person) -> bool:
    """Whether Canvas can find a student: who did not come out of an LMS's zip is taken to be called by the login."""
    known = person.canvas or person.sis_user or person.login or (person.first and person.last)
    return not person.anonymous and (not person.collected or bool(known))


def moodle(lab: str, results: Iterable[SubmissionResult], people: Mapping[str, Person]) -> str:
    """The table that Moodle's grade import reads, to be mapped by one of its columns that say who it is.

    Moodle gives a row whose mapped field is blank to the student of the row above, and takes an empty score for "no
    grade" (grade/import/csv/classes/load_data.php). So each such column is complete or not there, and a submission
    without a score has no row.
    """
    scored = [result for result in results if result.status != "error"]
    columns = moodle_columns(scored, people)
    rows = []
    for result in scored:
        person = people.get(result.student, Person())
        who = [moodle_fields(result.student, person)[column] for column in columns]
        if all(who):
            rows.append([*who, person.first, person.last, score(result), remark(result)])
    return sheet([*columns, "First name", "Last name", lab, f"{lab} feedback"], rows)


def moodle_fields(student: str, person: Person) -> dict[str, str]:
    """What Moodle can know a student by."""
    username = person.login if person.collected else student
    return {"Username": username, "ID number": person.id_number, "Email address": person.email}


def moodle_columns(results: Iterable[SubmissionResult], people: Mapping[str, Person]) -> list[str]:
    """The columns that say who it is in every row; if none does, the one that does in most."""
    known = [moodle_fields(result.student, people.get(result.student, Person())) for result in results]
    filled = {column: sum(bool(one[column]) for one in known) for column in moodle_fields("", Person())}
    whole = [column for column, count in filled.items() if known and count == len(known)]
    return whole or [max(filled, key=lambda column: filled[column])]


def left_out(results: Iterable[SubmissionResult], people: Mapping[str, Person]) -> dict[str, list[str]]:
    """For Canvas's and Moodle's table the students with a score who are not in it: who they are there is not known."""
    scored = [result for result in results if result.status != "error"]
    columns = moodle_columns(scored, people)
    found: dict[str, list[str]] = {"canvas.csv": [], "moodle.csv": []}
    for result in scored:
        person = people.get(result.student, Person())
        if not in_canvas(person):
            found["canvas.csv"].append(result.student)
        if not all(moodle_fields(result.student, person)[column] for column in columns):
            found["moodle.csv"].append(result.student)
    return found


def score(result: SubmissionResult) -> str:
    """The score as text, empty where there is none."""
    return "" if result.status == "error" else f"{result.score:g}"


def written_alone(result: SubmissionResult) -> bool:
    """Whether nothing but written answers waits: those have no message."""
    return not any(cell.passed is None and cell.message for cell in result.cells.values())


def remark(result: SubmissionResult) -> str:
    """One line about a result that is not final."""
    if result.status == "manual":
        return "Written answers are still to be read." if written_alone(result) else "Parts are still to be marked."
    return "Could not be graded yet." if result.status == "error" else ""
