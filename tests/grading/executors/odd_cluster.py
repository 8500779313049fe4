"""A scheduler, and workers of every character, each a process of its own that a test may kill.

    python -m tests.grading.executors.odd_cluster

imports everything once and forks a process for each line of JSON that it reads:
{"role": "scheduler", "where": PORT, "files": [CA, CERTIFICATE, KEY]} or
{"role": "worker", "where": ADDRESS, "character": "honest", "folder": FOLDER, "files": []}; what it answers is a line of
JSON with the process's number and address. Workers use a stand-in for the engine, so that a class takes a moment; they
note in FOLDER whom they have graded.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distributed import Scheduler, Security, Worker

from tests.grading.by_words import by_words
from vae_lab.grading.classroom import worker
from vae_lab.grading.classroom.job import Job
from vae_lab.grading.classroom.packets import JobPacket, packed, unpacked
from vae_lab.grading.results import SubmissionResult


class TouchesAFile:
    """What a liar may send in place of bytes: to unpickle it would touch a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.path),)


def forged(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """An answer in which something has been changed, with a digest that fits."""
    honest = worker.grade_packet

    def answer(packet: bytes) -> bytes:
        head, body = unpacked(honest(packet))
        if head["kind"] == "answer":
            change(head)
        return packed(head, body)

    return answer


def full_marks(head: dict[str, Any]) -> None:
    for cell in head["result"]["cells"].values():
        cell |= {"points": 100.0, "max_points": 100.0, "passed": True}
    head["result"]["status"] = "graded"


def more_than_it_gives(head: dict[str, Any]) -> None:
    next(iter(head["result"]["cells"].values())).update(points=4.0, passed=True)


def another_student(head: dict[str, Any]) -> None:
    head["result"]["student"] = "s000" if head["result"]["student"] != "s000" else "s001"


def fewer_cells(head: dict[str, Any]) -> None:
    head["result"]["cells"].popitem()


def not_a_number(head: dict[str, Any]) -> None:
    head["result"]["seconds"] = float("nan")


def another_job(head: dict[str, Any]) -> None:
    head["job"] = "0" * 64


def another_judge(head: dict[str, Any]) -> None:
    head["judge"] = "0" * 32


FORGERIES = {
    each.__name__: each
    for each in (
        full_marks,
        more_than_it_gives,
        another_student,
        fewer_cells,
        not_a_number,
        another_job,
        another_judge,
    )
}


def behave(character: str, folder: Path) -> None:
    """Make this process a worker of a certain character."""
    jobs = 0
    honest_judge = worker.judged_by

    def grade(lab: Any, job: JobPacket) -> SubmissionResult:
        nonlocal jobs
        jobs += 1
        with open(folder / "graded.txt", "a") as file:
            file.write(f"{job.student} {os.getpid()}\n")
        if character == "full_disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if character == "dies" and jobs == 2:
            os._exit(9)
        if character == "dies_of_s003" and job.student == "s003":
            os._exit(9)
        if character == "hangs" and jobs == 2:
            time.sleep(600)
        if character == "forgets" and jobs == 2:
            worker._labs.clear()
        time.sleep(1.5 if character == "slow" else 0.05)
        return by_words(Job(lab, job.student, job.content, job.limits, job.sandbox))

    worker.grade_beside_others = grade
    if character == "stale":
        worker.judged_by = lambda sandbox: {**honest_judge(sandbox), "rooms": "0123456789abcdef"}
    if character == "changes":  # while it runs, its code is replaced
        worker.judged_by = lambda sandbox: {**honest_judge(sandbox)} | ({"rooms": "new"} if jobs > 1 else {})
    if character == "has_pandas":
        needed = worker.needed_by
        worker.needed_by = lambda content: needed(content) ^ {"pandas"}
    answers: dict[str, Any] = {
        "garbage": lambda packet: b"\xff\x00 no packet",
        "no_json": lambda packet: b"{" * 100_000 + b"\n",
        "an_object": lambda packet: TouchesAFile(str(folder / "unpickled")),
        "damaged": lambda packet: packed({"kind": "answer"}, b"x") + b"y",
        "raises": lambda packet: 1 / 0,
    }
    answers |= {name: forged(change) for name, change in FORGERIES.items()}
    if character in answers:
        worker.grade_packet.__code__ = replaced(answers[character])


def replaced(answer: Callable[[bytes], Any]) -> Any:
    """Code for `grade_packet` that calls another function: dask finds it by its name."""
    worker.__dict__["_answer"] = answer
    honest = worker.grade_packet
    copy = type(honest)(honest.__code__, honest.__globals__, "honest_grade_packet")
    for cell in answer.__closure__ or ():
        if cell.cell_contents is honest:
            cell.cell_contents = copy

    def grade_packet(packet: bytes) -> bytes:
        return _answer(packet)  # type: ignore[name-defined]  # noqa: F821

    return grade_packet.__code__


async def run(order: dict[str, Any], tell: Callable[[str], None]) -> None:
    """Be a scheduler or a worker until killed."""
    files, role = order["files"], order["role"]
    security = None
    if files:
        names = ("tls_ca_file", f"tls_{role}_cert", f"tls_{role}_key")
        security = Security(require_encryption=True, **dict(zip(names, files, strict=True)))
    if role == "scheduler":
        protocol = "tls" if files else "tcp"
        made: Any = Scheduler(
            host="127.0.0.1", port=order["where"], protocol=protocol, dashboard=False, security=security
        )
    else:
        behave(order["character"], Path(order["folder"]))
        threads = 4 if order["character"] == "four_threads" else 1
        made = Worker(
            order["where"],
            nthreads=threads,
            security=security,
            dashboard=False,
            local_directory=order["folder"],
            memory_limit=0,
        )
    async with made:
        tell(made.address)
        await made.finished()


def child(order: dict[str, Any], pipe: int) -> None:
    """What a forked process does."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # bubblewrap waits for its children
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)

    def tell(address: str) -> None:
        os.write(pipe, f"{address}\n".encode())
        os.close(pipe)

    asyncio.run(run(order, tell))


def main() -> None:
    """Fork what is asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        mine, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(mine)
                child(order, theirs)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        os.close(theirs)
        with os.fdopen(mine) as pipe:
            print(json.dumps({"pid": pid, "address": pipe.readline().strip()}), flush=True)


if __name__ == "__main__":
    main()
