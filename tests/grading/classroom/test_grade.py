"""Grading a class, with a stand-in for the engine that counts how often it is asked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from tests.grading import tiny_course
from tests.grading.by_words import by_words
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.classroom import grade as grading
from vae_lab.grading.classroom import places, writer
from vae_lab.grading.classroom.class_report import write_class_report
from vae_lab.grading.classroom.grade import Tally, grade_class
from vae_lab.grading.classroom.job import Job
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import CourseError
from vae_lab.grading.lab.cells import to_bytes
from vae_lab.grading.limits import Limits


class Engine:
    """Grades in this process, by looking for words in the notebook."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.stop_after = 10**6
        self.fail: set[str] = set()

    def run_all(self, function, jobs, *, workers: int, patience: float, expected: int) -> Iterator[tuple[Job, object]]:
        for job in jobs:
            if len(self.asked) >= self.stop_after:
                raise KeyboardInterrupt
            self.asked.append(job.student)
            yield job, RuntimeError("boom") if job.student in self.fail else by_words(job)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr(places, "run_all", made.run_all)
    monkeypatch.setattr(writer, "AT_LEAST_EVERY", 0.0)
    return made


@pytest.fixture
def room(tmp_path: Path) -> Classroom:
    (tmp_path / "gradebook.db").write_bytes(tiny_course.empty_gradebook())
    return Classroom(tiny_course.make(tmp_path), "halves", tmp_path)


def hand_in(room: Classroom, student: str, half: str = "def half(x):\n    return x / 2") -> Path:
    path = room.out / "submitted" / student / "halves" / "halves.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_bytes(with_answers(room.source, "halves", {"half": half}, hidden_tests=False)))
    return path


def grade(room: Classroom) -> Tally:
    return grade_class(Classroom(room.course, room.name, room.out, room.db), room.out / "submitted")


def complete(room: Classroom, students: list[str]) -> bool:
    with room.book() as book:
        rows = book.marks()
    files = [room.file(kind, student).is_file() for kind in ("autograded", "feedback") for student in students]
    return all(files) and all(student in rows for student in students)


NAMES = ["ana", "bo", "Çem Öz", "d.d"]


def test_a_class_is_graded_into_gradebook_and_files(room: Classroom, engine: Engine) -> None:
    for name in NAMES:
        hand_in(room, name)
    hand_in(room, "eve", "wrong")
    tally = grade(room)
    assert tally.graded == 5
    assert {result.student: result.score for result in tally.results} == dict.fromkeys(NAMES, 6.0) | {"eve": 0.0}
    assert complete(room, [*NAMES, "eve"])
    assert "this is wrong" in room.file("feedback", "eve").read_text()
    with Gradebook(f"sqlite:///{room.out}/gradebook.db") as gradebook:
        assert gradebook.find_submission("halves", "ana").score == 6.0
    assert write_class_report(room).is_file()


def test_a_second_run_grades_what_is_new_or_changed(room: Classroom, engine: Engine) -> None:
    for name in NAMES:
        hand_in(room, name)
    first = grade(room)
    assert grade(room).results == first.results
    assert len(engine.asked) == 4
    hand_in(room, "bo", "def half(x):\n    return 0.5 * x")
    hand_in(room, "new")
    assert [result.student for result in grade(room).results] == sorted([*NAMES, "new"])
    assert engine.asked[4:] == ["bo", "new"]


def test_nothing_is_written_when_nothing_changed(room: Classroom, engine: Engine) -> None:
    hand_in(room, "ana")
    grade(room)
    before = {path: path.stat().st_mtime_ns for path in room.out.rglob("*") if path.is_file()}
    grade(room)
    assert {path: path.stat().st_mtime_ns for path in room.out.rglob("*") if path.is_file()} == before


def test_another_lab_grader_or_limit_means_grading_again(
    room: Classroom, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(room, "ana")
    grade(room)
    source = room.course.source("halves")
    source.write_text(source.read_text().replace("wrong for a number below zero", "wrong below zero"))
    grade(room)
    assert len(engine.asked) == 2
    monkeypatch.setattr(grading, "grader_version", lambda: "another")
    grade(room)
    assert len(engine.asked) == 3
    grade_class(room, room.out / "submitted", limits=Limits(submission_seconds=7.0))
    assert len(engine.asked) == 4


def test_what_was_finished_before_ctrl_c_is_kept(room: Classroom, engine: Engine) -> None:
    for name in NAMES:
        hand_in(room, name)
    engine.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        grade(room)
    assert complete(room, engine.asked)
    engine.stop_after = 10
    grade(room)
    assert sorted(engine.asked) == sorted(NAMES)
    assert complete(room, NAMES)


@pytest.mark.parametrize("lost", ["publish", "write_files", "flush"])
def test_a_grader_killed_at_any_point_loses_no_result(
    room: Classroom, engine: Engine, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """Death right after a record is written, before or between the things made from it."""
    for name in NAMES:
        hand_in(room, name)

    def dies(*_: object) -> None:
        raise SystemExit(137)

    with monkeypatch.context() as killed:
        killed.setattr(writer.Writer, lost, dies)
        with pytest.raises(SystemExit):
            grade(room)
    done = len(engine.asked)
    assert done >= 1
    grade(room)
    assert sorted(engine.asked) == sorted(NAMES)
    assert complete(room, NAMES)


def test_marks_given_by_hand_stay_and_show(room: Classroom, engine: Engine) -> None:
    hand_in(room, "ana")
    hand_in(room, "bo")
    assert {result.status for result in grade(room).results} == {"manual"}
    with Gradebook(f"sqlite:///{room.out}/gradebook.db") as gradebook:
        mark = gradebook.find_grade("why", "halves", "halves", "ana")
        mark.manual_score, mark.needs_manual_grade = 3.5, False
        gradebook.find_comment("why", "halves", "halves", "ana").manual_comment = "Well put."
        gradebook.db.commit()
    ana, bo = grade(room).results
    assert (ana.status, ana.score, bo.status) == ("graded", 9.5, "manual")
    assert len(engine.asked) == 2
    assert "Well put." in room.file("feedback", "ana").read_text()
    hand_in(room, "ana", "def half(x):\n    return x * 0.5")
    ana, bo = grade(room).results
    assert (ana.status, ana.score) == ("manual", 9.5)
    ana, bo = grade(room).results
    assert (ana.status, ana.score) == ("manual", 9.5)


def test_what_was_deleted_is_made_again_without_grading(room: Classroom, engine: Engine) -> None:
    hand_in(room, "ana")
    grade(room)
    room.file("autograded", "ana").unlink()
    room.file("feedback", "ana").unlink()
    (room.out / "gradebook.db").unlink()
    grade(room)
    assert complete(room, ["ana"])
    assert engine.asked == ["ana"]


def test_an_error_of_the_grader_is_told_and_tried_again(room: Classroom, engine: Engine) -> None:
    hand_in(room, "ana")
    hand_in(room, "bo")
    engine.fail = {"bo"}
    ana, bo = grade(room).results
    assert (ana.status, bo.status, bo.reason) == ("manual", "error", "RuntimeError: boom")
    with room.book() as book:
        assert all(mark.auto is None and mark.waits for mark in book.marks()["bo"].values())
    engine.fail = set()
    assert [result.status for result in grade(room).results] == ["manual", "manual"]
    assert engine.asked == ["ana", "bo", "bo"]


def test_a_submission_without_a_file_gets_a_result(room: Classroom, engine: Engine) -> None:
    os.rename(hand_in(room, "ana"), room.out / "submitted/ana/halves/halves (2).ipynb")
    hand_in(room, "bo").unlink()
    (room.out / "submitted/bo/halves/halves.ipynb").symlink_to(room.course.source("halves"))
    ana, bo = grade(room).results
    assert engine.asked == []
    assert (ana.score, ana.status, bo.score) == (0.0, "graded", 0.0)
    assert ana.flags == ("no file halves.ipynb; handed in instead: halves (2).ipynb",)
    assert "link" in bo.flags[0]
    assert "handed in instead" in room.file("feedback", "ana").read_text()
    assert complete(room, ["ana", "bo"])


def test_copies_are_flagged(room: Classroom, engine: Engine) -> None:
    long = "def half(x):\n" + "".join(f"    # step {number} of my own way of thinking\n" for number in range(12))
    hand_in(room, "ana", long + "    return x / 2")
    hand_in(room, "bo", long + "    return x / 2")
    hand_in(room, "cy", long + "    return x / 2.0")
    assert [result.flags for result in grade(room).results] == [
        ("identical answers: bo",),
        ("identical answers: ana",),
        (),
    ]


def test_a_damaged_record_is_graded_again(room: Classroom, engine: Engine) -> None:
    hand_in(room, "ana")
    grade(room)
    for content in ("", "{", "[]", '{"key": 1}'):
        room.records.path("ana").write_text(content)
        assert grade(room).results[0].score == 6.0
    assert engine.asked == ["ana"] * 5


def test_a_report_of_nothing_is_one_line(room: Classroom) -> None:
    with pytest.raises(CourseError, match="nothing to report: no submission of halves"):
        write_class_report(room)


def test_a_malformed_lab_is_one_line(room: Classroom, engine: Engine) -> None:
    hand_in(room, "ana")
    broken = json.loads(room.source)
    broken["cells"][3]["metadata"]["nbgrader"]["grade_id"] = "half"
    room.course.source("halves").write_text(json.dumps(broken))
    with pytest.raises(CourseError):
        grade(room)
