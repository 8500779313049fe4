"""Clusters that a test makes and ends: each process is its own."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[3]


class Process(NamedTuple):
    """A scheduler or a worker."""

    pid: int
    address: str

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        while Path(f"/proc/{self.pid}").exists():
            time.sleep(0.01)


@pytest.fixture(autouse=True)
def sockets_to_the_killed() -> Iterator[None]:
    """What a test had open to a process that it killed is closed with that test, and not in the middle of another."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def nursery() -> Iterator[subprocess.Popen[str]]:
    """A process that has imported everything, and forks schedulers and workers."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.grading.executors.odd_cluster"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as made:
        assert made.stdin
        assert made.stdout
        assert made.stdout.readline() == "ready\n"
        yield made
        made.stdin.close()


class Processes:
    """A scheduler and workers; all are ended with the test."""

    def __init__(self, folder: Path, nursery: subprocess.Popen[str]) -> None:
        self.folder, self.nursery = folder, nursery
        self.certificates: list[str] = []
        self.started: list[Process] = []
        self.address = ""

    def start(self, **order: object) -> Process:
        """Start one, and wait until it says where it is."""
        assert self.nursery.stdin
        assert self.nursery.stdout
        order |= {"files": self.certificates, "folder": str(self.folder), "log": str(self.folder / "log.txt")}
        self.nursery.stdin.write(json.dumps(order) + "\n")
        self.nursery.stdin.flush()
        made = Process(**json.loads(self.nursery.stdout.readline()))
        assert made.address, (self.folder / "log.txt").read_text()[-3000:]
        self.started.append(made)
        return made

    def scheduler(self, port: int = 0) -> Process:
        made = self.start(role="scheduler", where=port)
        self.address = made.address
        return made

    def worker(self, character: str = "honest", address: str = "") -> Process:
        return self.start(role="worker", where=address or self.address, character=character)

    def graded(self) -> list[str]:
        """Whom the workers have begun to grade, in order."""
        path = self.folder / "graded.txt"
        return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []

    def end(self) -> None:
        for process in self.started:
            process.kill()
        self.started.clear()


@pytest.fixture
def processes(tmp_path: Path, nursery: subprocess.Popen[str]) -> Iterator[Processes]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Processes(folder, nursery)
    try:
        yield made
    finally:
        made.end()
