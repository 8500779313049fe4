"""Scores as files that Canvas and Moodle import, with nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping

from vae_lab.grading.marks import Person
from vae_lab.grading.results import SubmissionResult

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(field: str) -> str:
    """A field that no spreadsheet takes for a formula: an apostrophe goes before a telling first character.

    Example:
        >>> safe("=HYPERLINK(...)"), safe("Ana"), safe("  -1+1")
        ("'=HYPERLINK(...)", 'Ana', "'  -1+1")
    """
    field = field.replace("\x00", "")
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


def canvas(lab: str, max_score: float, results: Iterable[SubmissionResult], people: Mapping[str, Person]) -> str:
    """The table that Canvas's gradebook imports: its fixed columns, then one for the lab, with the points possible.

    A submission without a score (status "error") gets an empty field, which leaves Canvas's own as it is.
    """
    rows = [["    Points Possible", "", "", "", "", f"{max_score:g}"]]
    for result in results:
        person = people.get(result.student, Person())
        name = ", ".join(part for part in (person.last, person.first) if part) or result.student
        rows.append([name, person.lms, "", result.student, "", score(result)])
    return sheet(["Student", "ID", "SIS User ID", "SIS Login ID", "Section", lab], rows)


def moodle(lab: str, results: Iterable[SubmissionResult], people: Mapping[str, Person]) -> str:
    """The table that Moodle's grade import reads, to be mapped by user name, e-mail address or ID number."""
    rows = []
    for result in results:
        person = people.get(result.student, Person())
        about = [result.student, person.first, person.last, person.lms, person.email]
        rows.append([*about, score(result), remark(result)])
    return sheet(["Username", "First name", "Last name", "ID number", "Email address", lab, f"{lab} feedback"], rows)


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
