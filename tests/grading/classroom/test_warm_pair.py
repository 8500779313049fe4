"""Workers that share one warm pair: the same grades, and a fault of the room that is nobody's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.grading import tiny_course
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.classroom.grade import grade_class
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import CourseError
from vae_lab.grading.executors import local
from vae_lab.grading.lab.cells import to_bytes

RIGHT = "def half(x):\n    return x / 2"


@pytest.fixture
def room(tmp_path: Path) -> Classroom:
    (tmp_path / "gradebook.db").write_bytes(tiny_course.empty_gradebook())
    room = Classroom(tiny_course.make(tmp_path), "halves", tmp_path)
    for number in range(6):
        path = tmp_path / "submitted" / f"s{number}" / "halves" / "halves.ipynb"
        path.parent.mkdir(parents=True)
        answer = RIGHT if number % 2 else "import os\ndef half(x):\n    os._exit(3)"
        path.write_bytes(to_bytes(with_answers(room.source, "halves", {"half": answer}, hidden_tests=False)))
    return room


def test_workers_side_by_side_on_one_pair_give_what_each_submission_deserves(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "WORTH_A_WORKER", 1)
    tally = grade_class(room, room.out / "submitted", workers=3)
    assert {result.status for result in tally.results} <= {"graded", "manual"}
    scores = {result.student: result.score for result in tally.results}
    right, wrong = ({scores[f"s{number}"] for number in numbers} for numbers in ((1, 3, 5), (0, 2, 4)))
    assert len(right) == len(wrong) == 1
    assert min(right) > max(wrong)


def test_a_fault_of_the_room_stops_the_class_in_one_line_and_is_booked_on_nobody(
    room: Classroom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    with pytest.raises(CourseError, match=r"no submission can be graded here: .*No permissions") as said:
        grade_class(room, room.out / "submitted", workers=2)
    assert "\n" not in str(said.value)
    assert room.records.read() == {}
    with room.book() as book:
        assert book.marks() == {}
