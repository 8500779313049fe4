"""Workers that share one warm pair: the same grades, and a fault of the room that is nobody's."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.grading import tiny, tiny_course
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.classroom import places
from vae_lab.grading.classroom.grade import grade_class
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import Course, CourseError
from vae_lab.grading.executors import local
from vae_lab.grading.judge import engine
from vae_lab.grading.judge.engine import RoomError, WarmPair
from vae_lab.grading.lab.cells import to_bytes
from vae_lab.grading.lab.source import OPTIMIZERS, Lab
from vae_lab.grading.limits import Sandbox

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


def test_the_sandbox_is_begun_before_the_trusted_process_imports_anything_slow() -> None:
    slow = "{'torch', 'numpy', 'IPython', 'matplotlib'}"
    program = f"import sys, vae_lab.grading.judge.begin; print(*({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == ""


WORKER = """
import sys
from tests.grading import tiny
from vae_lab.grading.judge import engine

pair = engine.shared_pair(tiny.lab(), "required", sys.argv[1])
for line in sys.stdin:
    result = engine.grade_submission(tiny.lab(), "s", tiny.submission(), pair=pair)
    print(result.score, *(pair.process.pid for pair in engine._shared), flush=True)
"""
FULL = float(sum(tiny.POINTS.values()))
ROOT = Path(__file__).parents[3]


class Worker:
    """A process that shares the machine's pair, and grades when it is told to."""

    def __init__(self, name: str) -> None:
        command = [sys.executable, "-c", WORKER, name]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def grade(self) -> list[str]:
        """The score, and the pair's process if this worker has begun it."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().split()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def test_workers_of_one_machine_share_a_pair_that_outlives_who_began_it_and_ends_with_the_last(tmp_path: Path) -> None:
    workers = [Worker(tmp_path.as_posix()) for _ in range(2)]
    try:
        said = [worker.grade() for worker in workers]
        assert [score for score, *_ in said] == [str(FULL)] * 2
        [(first, pid)] = [(n, int(one[1])) for n, one in enumerate(said) if len(one) > 1]
        workers[first].end()
        assert workers[1 - first].grade() == [str(FULL)]
        workers.append(Worker(tmp_path.as_posix()))
        assert workers[-1].grade() == [str(FULL)], "who comes later joins"
        assert Path(f"/proc/{pid}").exists()
    finally:
        for worker in workers:
            worker.end()
    while Path(f"/proc/{pid}").exists():  # it looks every second
        time.sleep(0.1)


def test_a_pair_is_believed_only_if_this_user_has_begun_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = engine.shared_pair(tiny.lab(), "required", "of somebody else")
    monkeypatch.setattr(engine, "user_behind", lambda sock: os.geteuid() + 1)
    with pytest.raises(RoomError, match="another user's process"):
        engine.grade_submission(tiny.lab(), "s", tiny.submission(), pair=pair)
    engine._shared.pop().close()


POINTS_TO_THEM = "def half(x):\n    w = torch.tensor(0.5)\n    torch.optim.SGD([w], lr=1.0)\n    return w * x"
LOADS_THEM = POINTS_TO_THEM.replace("torch.optim", "getattr(torch, 'op' + 'tim')")


@pytest.mark.parametrize(("answer", "beforehand"), [(POINTS_TO_THEM, True), (LOADS_THEM, False), (RIGHT, False)])
def test_optimizers_are_imported_beforehand_if_a_notebook_points_to_them_and_work_if_not(
    answer: str, beforehand: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny_course.make(tmp_path).source("halves")
    source.write_text(source.read_text().replace("# Halves and doubles", "# Halves, doubles and their gradients"))
    (tmp_path / "gradebook.db").write_bytes(tiny_course.empty_gradebook())
    room = Classroom(Course(tmp_path), "halves", tmp_path)
    path = tmp_path / "submitted" / "ana" / "halves" / "halves.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(to_bytes(with_answers(room.source, "halves", {"half": answer}, hidden_tests=False)))
    imported: list[bool] = []

    def pair(lab: Lab, sandbox: Sandbox, students: tuple[str, ...]) -> WarmPair:
        assert OPTIMIZERS in lab.students_imports, "the lab's own text speaks of gradients"
        imported.append(OPTIMIZERS in students)
        return WarmPair(lab, sandbox, students)

    monkeypatch.setattr(places, "WarmPair", pair)
    [result] = grade_class(room, tmp_path / "submitted").results
    assert imported == [beforehand]
    assert result.cells["half_tests"].passed, result
