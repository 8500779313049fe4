"""The warm trusted process: imports torch once, owns one sandbox, and forks for each worker and each submission.

It begins in `begin`, and takes connections of `engine` at a listening socket. One such process serves all workers of a
machine: for each connection it forks a process with a slot of the sandbox, and that forks a judge for each submission,
which is thrown away afterwards, so that nothing of one grading is left for the next. If a judge dies or hangs, there is
an answer still.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Any

from vae_lab.grading.judge import hidden_words
from vae_lab.grading.judge.door import user_behind
from vae_lab.grading.judge.judge import Judge, seed_for
from vae_lab.grading.judge.judge_report import JudgeReport
from vae_lab.grading.judge.retelling import retell
from vae_lab.grading.judge.submitted_notebook import SubmittedNotebook
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits
from vae_lab.grading.rpc.warm_up import warm_up
from vae_lab.grading.sandbox.bubblewrap import SandboxError
from vae_lab.grading.sandbox.rlimits import hold_memory
from vae_lab.grading.sandbox.warm import Slot, WarmSandbox


def judge_in_fork(warm: Slot, lab: Lab, submission: SubmittedNotebook, data: bytes, limits: Limits) -> JudgeReport:
    """Fork a judge, collect what it reports, and end it at the latest when the submission's time is over."""
    mine, theirs = Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        try:
            mine.close()
            _judge(theirs, warm, lab, submission, data, limits)
        finally:
            os._exit(0)
    theirs.close()
    outcome = JudgeReport(failure="the judge's process ended")
    end = time.monotonic() + limits.judge_seconds
    try:
        while mine.poll(max(0.0, end - time.monotonic())):
            kind, *rest = mine.recv()
            if kind == "verdict":
                outcome.verdicts[rest[0]] = (rest[1], rest[2])
            elif kind == "failure":
                outcome.failure = rest[0] if not outcome.resources else ""  # what is decided stands without more words
            else:
                outcome.flags, outcome.resources = rest
                outcome.failure = ""
        else:
            outcome.failure = ""
            if not outcome.resources:
                outcome.flags.append("took too long as a whole")
    except EOFError:
        pass
    finally:
        mine.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        warm.stop()
    return outcome


def _judge(pipe: Connection, warm: Slot, lab: Lab, submission: SubmittedNotebook, data: bytes, limits: Limits) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    hold_memory(limits.judge_memory)
    judge = Judge(
        lab,
        submission,
        limits,
        warm,
        seed_for(lab, data),
        lambda grade_id, passed, message: pipe.send(("verdict", grade_id, passed, message)),
    )
    try:
        judge.run()
        pipe.send(("end", judge.flags, _used(judge)))
        retell(judge)
        pipe.send(("end", judge.flags, _used(judge)))
    except BaseException as error:
        pipe.send(("failure", f"{type(error).__name__}: {error}"[:500]))


def _used(judge: Judge) -> dict[str, Any]:
    return {
        "cpu_seconds": judge.session.cpu,
        "memory_bytes": float(judge.session.memory),
        "starts": judge.session.starts,
    }


def serve(connection: Connection, slot: Slot, parent: int) -> None:
    """Judge what one worker sends, until it or the server is gone."""
    connection.send(None)
    with suppress(EOFError, OSError, SandboxError):
        while True:
            while not connection.poll(1.0):
                if os.getppid() != parent:
                    return
            lab, submission, data, limits = connection.recv()
            connection.send(judge_in_fork(slot, lab, submission, data, limits))


def take_in(door: socket.socket) -> Connection | None:
    """The next worker that knocks, or None within a second; nobody but this user is let in."""
    try:
        sock, _ = door.accept()
    except TimeoutError:
        return None
    sock.setblocking(True)
    if user_behind(sock) != os.geteuid():
        sock.close()
        return None
    return Connection(sock.detach())


def get_warm(warm: WarmSandbox, modules: Iterable[str]) -> None:
    """Warm up while the sandbox does, and wait for it.

    Raises:
        SandboxError: if no submission could run in it.
    """
    try:
        warm_up(modules)
        hidden_words.get_ready()
        warm.wait()
        warm.try_out()
    except BaseException:
        warm.close()
        raise


def run(
    door: socket.socket, begun: WarmSandbox | SandboxError, modules: Iterable[str], parent: int, *, outlives: bool
) -> None:
    """Get warm, then fork for each worker that comes, until the caller is gone.

    Args:
        door: where workers knock.
        begun: the sandbox, or why there is none.
        modules: what tests and figures import.
        parent: the caller's process.
        outlives: whether to go on without the caller while there are workers.
    """
    door.settimeout(1.0)
    warm, fault = (None, begun) if isinstance(begun, SandboxError) else (begun, None)
    if warm is not None:
        try:
            get_warm(warm, modules)
        except SandboxError as error:
            warm, fault = None, error
    gc.collect()
    gc.freeze()
    workers: list[int] = []
    while os.getppid() == parent or (outlives and workers):  # a fork of a caller that is gone may hold the socket
        workers = [pid for pid in workers if not os.waitpid(pid, os.WNOHANG)[0]]
        connection = take_in(door)
        if connection is None:
            continue
        with suppress(OSError):
            try:
                if warm is None:
                    raise fault or SandboxError("the sandbox is not there")
                slot = warm.slot()
            except SandboxError as error:
                fault, warm = error, None
                connection.send(error)
            else:
                workers.append(_fork(connection, slot, door))
                slot.close()
        connection.close()
    if warm is not None:
        warm.close()


def _fork(connection: Connection, slot: Slot, door: socket.socket) -> int:
    server = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            door.close()
            serve(connection, slot, server)
        finally:
            os._exit(0)
    return pid
