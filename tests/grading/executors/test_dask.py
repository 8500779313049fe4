"""A cluster under every misfortune: what comes out is what a serial run would have written."""

from __future__ import annotations

import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.grading.classes import InThisProcess, a_class, left_behind, make_room, submitted
from tests.grading.executors.conftest import Processes
from tests.grading.executors.odd_cluster import FORGERIES
from vae_lab.grading.classroom.elsewhere import ByPacket
from vae_lab.grading.classroom.grade import Tally, grade_class
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import CourseError
from vae_lab.grading.executors.clusters import Certificates, Cluster
from vae_lab.grading.executors.dask import Dask

pytestmark = pytest.mark.filterwarnings("ignore")  # distributed's own: tornado, sockets that a killed process leaves
SIZE = 12


class Room:
    """A class, a cluster, and what is said on the way."""

    def __init__(self, tmp_path: Path, processes: Processes) -> None:
        self.processes = processes
        self.room = make_room(tmp_path)
        self.names = a_class(self.room, SIZE)
        self.root = tmp_path
        self.said: list[str] = []
        self.options: dict[str, Any] = {"connect_seconds": 5.0, "heal_seconds": 20.0, "stranger_seconds": 1.0}

    def place(self, address: str = "") -> Dask[Any, Any, Any]:
        where = Cluster(address=address or self.processes.address)
        return Dask(where, ByPacket("required"), say=self.said.append, **self.options)

    def grade(self, address: str = "", after: Any = None) -> Tally:
        """Grade on the cluster; `after` is called with the number of results so far."""
        room = Classroom(self.room.course, self.room.name, self.room.out)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return grade_class(
                room, submitted(room), place=self.place(address), progress=lambda done, total: after and after(done)
            )

    def is_as_serial(self) -> bool:
        serial = make_room(self.root, "serial")
        grade_class(serial, submitted(serial), place=InThisProcess())
        assert left_behind(self.room) == left_behind(serial)
        return True


@pytest.fixture
def world(tmp_path: Path, processes: Processes) -> Room:
    processes.scheduler()
    return Room(tmp_path, processes)


def once(number: int, action: Any) -> Any:
    """Do something when so many results are there."""
    done = threading.Event()

    def after(count: int) -> None:
        if count >= number and not done.is_set():
            done.set()
            action()

    return after


def test_a_cluster_grades_as_a_serial_run_and_each_submission_once(world: Room) -> None:
    world.processes.worker()
    world.processes.worker()
    assert world.grade().graded == SIZE
    assert world.is_as_serial()
    assert world.said == []
    assert len(world.processes.graded()) == len(set(world.processes.graded())) == SIZE - 1  # one has no file
    assert world.grade().graded == 0


@pytest.mark.parametrize("character", ["dies", "hangs", "slow", "forgets", "full_disk", "raises", "changes"])
def test_a_worker_that_fails_loses_nothing(world: Room, character: str) -> None:
    if character == "hangs":
        world.options["patience"] = 4.0
    world.processes.worker(character)
    world.processes.worker()
    world.grade()
    assert world.is_as_serial()
    if character in ("dies", "hangs", "full_disk", "changes"):
        assert any("worker tcp://" in line for line in world.said)


@pytest.mark.parametrize("character", ["garbage", "no_json", "an_object", "damaged", *FORGERIES])
def test_a_worker_that_lies_is_not_believed(world: Room, character: str) -> None:
    world.processes.worker(character)
    world.processes.worker()
    world.grade()
    assert world.is_as_serial()
    assert any("is not used: " in line for line in world.said), world.said
    assert not (world.processes.folder / "unpickled").exists()


@pytest.mark.parametrize(
    ("character", "difference"),
    [
        ("stale", "the grader's code is 0123456789abcdef there and "),
        ("four_threads", "it has 4 threads; start it with --nthreads 1"),
        ("has_pandas", "pandas: installed only on one side"),
    ],
)
def test_a_stranger_is_refused_with_the_difference_named(world: Room, character: str, difference: str) -> None:
    world.processes.worker(character)
    with pytest.raises(CourseError, match=f"no worker may grade: tcp://.* is refused: {difference}"):
        world.grade()
    assert world.processes.graded() == []
    world.processes.worker()
    world.grade()
    assert world.is_as_serial()


def test_a_worker_that_is_killed_and_one_that_comes_later(world: Room) -> None:
    first = world.processes.worker()
    world.grade(after=once(3, lambda: (first.kill(), world.processes.worker())))
    assert world.is_as_serial()


def test_a_submission_that_kills_its_workers_is_told_and_the_others_are_graded(world: Room) -> None:
    workers = [world.processes.worker("dies_of_s003") for _ in range(5)]
    tally = world.grade()
    wrong = [result for result in tally.results if result.status == "error"]
    assert [result.student for result in wrong] == ["s003"]
    assert "process died" in wrong[0].reason
    assert world.processes.graded().count("s003") <= 3, world.said
    for worker in workers:
        worker.kill()
    world.processes.worker()
    world.grade()  # an error is tried again
    assert world.is_as_serial()


def test_a_scheduler_that_is_killed_and_comes_back(world: Room) -> None:
    world.processes.end()
    scheduler = world.processes.scheduler(0)
    port = int(world.processes.address.rsplit(":", 1)[1])
    world.processes.worker()

    def again() -> None:
        scheduler.kill()
        world.processes.scheduler(port)
        world.processes.worker()

    world.grade(after=once(3, again))
    assert world.is_as_serial()
    assert world.said  # dask reaches a scheduler that is back so soon by itself, without its workers


def test_a_scheduler_that_stays_away_ends_the_run_in_one_line_and_the_next_goes_on(world: Room) -> None:
    world.options["heal_seconds"] = 2.0
    world.processes.worker()
    scheduler = world.processes.started[0]
    with pytest.raises(CourseError, match=r"does not answer .*; the same command goes on where it was"):
        world.grade(after=once(4, scheduler.kill))
    kept = len(Classroom(world.room.course, "halves", world.room.out).records.read())
    assert kept >= 4
    world.processes.end()
    world.processes.scheduler()
    world.processes.worker()
    assert world.grade().graded == SIZE - kept
    assert world.is_as_serial()


def test_a_client_that_is_stopped_goes_on(world: Room) -> None:
    world.processes.worker()

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.grade(after=once(4, stop))
    kept = len(Classroom(world.room.course, "halves", world.room.out).records.read())
    assert kept >= 4
    assert world.grade().graded == SIZE - kept
    assert world.is_as_serial()


def test_cancel_ends_the_run(world: Room) -> None:
    world.processes.worker("slow")
    place = world.place()
    room = world.room
    began = time.monotonic()
    threading.Timer(3.0, place.cancel).start()
    with pytest.raises(KeyError):  # not everybody has a result
        grade_class(room, submitted(room), place=place)
    assert time.monotonic() - began < 15
    world.grade()
    assert world.is_as_serial()


def test_certificates_are_asked_for_in_time() -> None:
    assert Certificates() == Certificates(None, None, None)
