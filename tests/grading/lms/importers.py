"""What Canvas and Moodle do with a file that is imported, written from what their sources do.

Canvas: lib/gradebook_importer.rb. Moodle: grade/import/csv/classes/load_data.php (*Grades > Import*) and
mod/assign/feedback/offline/importgradeslib.php with locallib.php (*Upload grading worksheet*). Only the finding of
students and the taking over of numbers is here, with the ways in which they go wrong in silence.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field


def rows_of(text: str, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


@dataclass
class CanvasUser:
    id: int
    name: str
    sortable_name: str
    login: str = ""
    sis: str = ""


@dataclass
class CanvasCourse:
    """Users, and assignments by id; `scores` is what an import writes, `asked` whom it asks a person about."""

    users: list[CanvasUser]
    assignments: dict[int, str]
    scores: dict[int, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def import_gradebook(self, text: str) -> None:
        head, *rows = rows_of(text)
        assert len(head) > 3
        assert "Student" in head[0]
        assert "ID" in head[1]
        columns = 3
        sis = login = None
        if "SIS Login ID" in head[2]:
            login, columns = 2, 4
        elif "SIS User ID" in head[2] and "SIS Login ID" in head[3]:
            sis, login, columns = 2, 3, 5
        assert "Section" in head[columns - 1], "an invalid header row"
        (place,) = range(columns, len(head))
        self._assignment(head[place])
        for row in rows:
            if "Points Possible" in row[0]:
                continue
            user = self._find(row, sis, login)
            if user is None:
                self.asked.append(row[0])
            elif row[place].strip():
                self.scores[user.id] = row[place].strip()

    def _assignment(self, head: str) -> None:
        found = re.fullmatch(r"(.*?)\s*\((\d+)\)", head)
        known = (found and int(found[2]) in self.assignments) or head in self.assignments.values()
        assert known, f"Canvas would ask whether to make a new assignment {head!r}"

    def _find(self, row: list[str], sis: int | None, login: int | None) -> CanvasUser | None:
        number = re.match(r"\d+", row[1])
        ways = [
            [user for user in self.users if number and user.id == int(number[0])],
            [user for user in self.users if sis is not None and row[sis] and user.sis == row[sis]],
            [user for user in self.users if login is not None and row[login] and user.login == row[login]],
            [user for user in self.users if row[0] in (user.name, user.sortable_name)],
        ]
        return next((found[0] for found in ways if found), None)


@dataclass
class MoodleUser:
    id: int
    full_name: str
    username: str
    email: str
    idnumber: str = ""


@dataclass
class MoodleCourse:
    """A course with one assignment: `participants` gives for each number of it the user's id."""

    users: list[MoodleUser]
    participants: dict[int, int]
    maximum: float = 100.0
    grades: dict[int, float | None] = field(default_factory=dict)

    def import_grades(self, text: str, by: str, grade: str) -> None:
        """*Grades > Import*, `by` the column that is mapped to the user's field of that meaning."""
        fields = {"Username": "username", "ID number": "idnumber", "Email address": "email"}
        head, *rows = rows_of(text)
        student: int | None = None
        wanted: dict[int, float | None] = {}
        for row in rows:
            value = row[head.index(by)]
            if value:  # a blank field leaves the student of the row above
                found = [user.id for user in self.users if getattr(user, fields[by]) == value]
                assert found, f"user mapping error: {by} {value!r}; nothing is imported"
                student = found[0]
            assert student is not None
            text_of_grade = row[head.index(grade)]
            wanted[student] = None if text_of_grade in ("", "-") else float(text_of_grade.replace(",", "."))
        self.grades |= wanted

    def import_worksheet(
        self,
        text: str,
        words: tuple[str, str, str, str] = ("Identifier", "Grade", "Last modified (grade)", "Participant "),
    ) -> None:
        """*Upload grading worksheet*; `words` are the uploader's language's."""
        identifier, grade, modified, hidden = words
        head, *rows = rows_of(text)
        assert {identifier, grade, modified} <= set(head), "an invalid grade import"
        for row in rows:
            number = row[head.index(identifier)][len(hidden) :]
            user = self.participants.get(int(number)) if number.strip().isdigit() else None
            value = row[head.index(grade)].replace(",", ".")
            if user is None or value == "" or not 0 <= float(value) <= self.maximum:
                continue  # passed over, in silence
            self.grades[user] = float(value)
