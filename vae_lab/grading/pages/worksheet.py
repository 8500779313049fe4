"""Moodle's grading worksheet with the scores in it, which also finds students whose names Moodle hides.

Moodle reads it back under *Upload grading worksheet* (mod/assign/feedback/offline/importgradeslib.php): the heads have
to be those of the uploader's own language, a row is found by the number at the end of its first field, an empty grade
is passed over, and so is one above the assignment's maximum.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping

from vae_lab.grading.marks import Person, Worksheet
from vae_lab.grading.pages.scores_csv import safe, score
from vae_lab.grading.results import SubmissionResult

GRADE = {"grade", "bewertung", "note", "nota", "calificacion", "nilai", "beoordeling", "cijfer", "valutazione", "diem"}
GRADE |= {"calificación", "điểm", "avaliação", "évaluation"}
HEAD = ("Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)")


def filled(
    worksheet: Worksheet | None, max_score: float, results: Iterable[SubmissionResult], people: Mapping[str, Person]
) -> str:
    """The worksheet as it was given, with the scores in its column of grades; a new one, in English, if none was given.

    Args:
        worksheet: as collected, or None.
        max_score: of the lab; where the worksheet says another maximum, scores are scaled to it.
        results: of every student, as they count.
        people: what is known of them.

    Returns:
        the text of the file, or "" if nobody's number in the assignment is known.
    """
    scores = {result.student: result for result in results if result.status != "error"}
    if worksheet is not None and (column := grade_column(worksheet)) is not None:
        rows = []
        for row, student in zip(worksheet.rows, worksheet.people, strict=True):
            cells = list(row)
            if student in scores:
                cells[column] = scaled(scores[student], factor(worksheet, max_score))
            rows.append(cells)
        return written(worksheet.head, rows, worksheet.delimiter)
    known = [(student, people[student]) for student in scores if student in people and people[student].participant]
    rows = [
        [f"Participant {person.participant}", person.name, score(scores[student]), f"{max_score:g}", "-"]
        for student, person in known
    ]
    return written(HEAD, rows, ",") if rows else ""


def grade_column(worksheet: Worksheet) -> int | None:
    """Where the grades go: the column called so, or the one before the maximum, which is one number in all rows."""
    for place, name in enumerate(worksheet.head):
        if name.strip().casefold() in GRADE:
            return place
    for place in range(2, len(worksheet.head)):
        values = {row[place] for row in worksheet.rows}
        if len(values) == 1 and number(values.pop()):
            return place - 1
    return None


def factor(worksheet: Worksheet, max_score: float) -> float:
    """What scores are multiplied by: 1, unless the assignment's maximum is another than the lab's."""
    column = grade_column(worksheet)
    values = (
        {row[column + 1] for row in worksheet.rows}
        if column is not None and column + 1 < len(worksheet.head)
        else set()
    )
    maximum = number(values.pop()) if len(values) == 1 else 0.0
    return maximum / max_score if maximum and max_score else 1.0


def number(text: str) -> float:
    """A positive number with a point or a comma in it, or 0."""
    found = re.fullmatch(r"(\d{1,6})(?:[.,](\d+))?", text)
    return float(f"{found[1]}.{found[2] or 0}") if found else 0.0


def scaled(result: SubmissionResult, by: float) -> str:
    """A score in the assignment's own points."""
    return score(result) if by == 1.0 else f"{round(result.score * by, 2):g}"


def written(head: Iterable[str], rows: Iterable[Iterable[str]], delimiter: str) -> str:
    """The table as CSV, the head as it was."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n", delimiter=delimiter)
    writer.writerow(head)
    writer.writerows([safe(cell) if cell != "-" else cell for cell in row] for row in rows)
    return text.getvalue()
