"""A class of the tiny course, ways to grade it, and all that grading leaves behind, to compare two ways by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.grading import tiny_course
from tests.grading.by_words import by_words
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.classroom.class_report import class_report
from vae_lab.grading.classroom.job import Job
from vae_lab.grading.classroom.packets import LabFile
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import Course
from vae_lab.grading.lab.cells import to_bytes
from vae_lab.grading.pages.report import html
from vae_lab.grading.results import SubmissionResult

RIGHT = "def half(x):\n    return x / 2"
WRONG = "def half(x):\n    return x ** 0.5  # wrong"


class InThisProcess:
    """An executor that needs nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.stop_after = 10**6

    def start(self, shared: LabFile) -> None:
        pass

    def run(self, jobs: Iterable[Job], expected: int) -> Iterator[tuple[Job, SubmissionResult | Exception]]:
        for job in jobs:
            if len(self.asked) >= self.stop_after:
                raise KeyboardInterrupt
            self.asked.append(job.student)
            yield job, by_words(job)

    def cancel(self) -> None:
        self.stop_after = 0

    def stop(self) -> None:
        pass


def make_room(root: Path, out: str = "out") -> Classroom:
    """The tiny course in a folder, with an output folder of its own (the course is made once)."""
    course = Course(root) if (root / "solutions").is_dir() else tiny_course.make(root)
    (root / out).mkdir(exist_ok=True)
    if not (root / out / "gradebook.db").exists():
        (root / out / "gradebook.db").write_bytes(tiny_course.empty_gradebook())
    return Classroom(course, "halves", root / out)


def hand_in(room: Classroom, student: str, half: str = RIGHT, double: str = "") -> Path:
    """Put a submission where it belongs."""
    path = submitted(room) / student / "halves" / "halves.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    answers = {"half": half} | ({"double": double} if double else {})
    path.write_bytes(to_bytes(with_answers(room.source, "halves", answers, hidden_tests=False)))
    return path


def a_class(room: Classroom, size: int) -> list[str]:
    """Right, wrong and unreadable submissions."""
    names = [f"s{number:03d}" for number in range(size)]
    for number, name in enumerate(names):
        hand_in(room, name, (RIGHT, WRONG, f"def half(x):\n    return x * 0.5  # {number}")[number % 3])
    if size > 5:
        (submitted(room) / names[4] / "halves" / "halves.ipynb").write_bytes(b"no notebook")
        (submitted(room) / names[5] / "halves" / "halves.ipynb").unlink()
    return names


def submitted(room: Classroom) -> Path:
    return room.course.root / "submitted"


def left_behind(room: Classroom) -> dict[str, Any]:
    """All that grading has written, without what is measured in time and memory, and digests of it."""
    found: dict[str, Any] = {}
    for path in sorted(room.records.folder.glob("*.json")):
        record = json.loads(path.read_text())
        record["result"].pop("seconds")
        record.pop("resources")
        record["outputs"] = {"gradebook": record["outputs"]["gradebook"], "files": len(record["outputs"])}
        found[path.name] = record
    for kind in ("autograded", "feedback"):
        for path in sorted((room.out / kind).rglob("*")):
            if path.is_file():
                found[str(path.relative_to(room.out))] = path.read_bytes()
    report = class_report(room)
    timeless = replace(report, results=[replace(each, seconds=0.0, resources={}) for each in report.results])
    found["report"] = html(timeless, files="", up="")
    found |= timeless.files
    found["gradebook"] = gradebook_rows(room)
    return found


def gradebook_rows(room: Classroom) -> dict[str, list[Any]]:
    """The gradebook without its random keys."""
    engine = sa.create_engine(f"sqlite:///{room.out}/gradebook.db", poolclass=sa.NullPool)
    whose = "JOIN submitted_notebook n ON n.id = x.notebook_id JOIN submitted_assignment a ON a.id = n.assignment_id"
    queries = {
        "students": "SELECT id, first_name, last_name, email FROM student ORDER BY 1",
        "handed in": "SELECT student_id, timestamp FROM submitted_assignment ORDER BY 1",
        "grades": "SELECT a.student_id, c.name, x.auto_score, x.manual_score, x.needs_manual_grade FROM grade x "
        f"{whose} JOIN base_cell c ON c.id = x.cell_id ORDER BY 1, 2",
        "comments": f"SELECT a.student_id, c.name, x.auto_comment, x.manual_comment FROM comment x {whose} "
        "JOIN base_cell c ON c.id = x.cell_id ORDER BY 1, 2",
    }
    with engine.connect() as connection:
        return {name: [tuple(row) for row in connection.execute(sa.text(query))] for name, query in queries.items()}
