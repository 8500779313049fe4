"""The warm trusted process: imports torch once, owns one sandbox, and forks a judge for each submission.

`python -m vae_lab.grading.judge.server FD` talks to `engine` over a connection of its own. A judge process is thrown
away after its submission, so that nothing of one grading is left for the next; if it dies or hangs, the server still
answers.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from multiprocessing.connection import Connection, Pipe
from typing import Any

from vae_lab.grading.judge import hidden_words
from vae_lab.grading.judge.judge import Judge, seed_for
from vae_lab.grading.judge.judge_report import JudgeReport
from vae_lab.grading.judge.retelling import retell
from vae_lab.grading.judge.submitted_notebook import SubmittedNotebook
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.rpc.warm_up import warm_up
from vae_lab.grading.sandbox.bubblewrap import SandboxError, WarmSandbox
from vae_lab.grading.sandbox.rlimits import hold_memory


def judge_in_fork(
    warm: WarmSandbox, lab: Lab, submission: SubmittedNotebook, data: bytes, limits: Limits
) -> JudgeReport:
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


def _judge(
    pipe: Connection, warm: WarmSandbox, lab: Lab, submission: SubmittedNotebook, data: bytes, limits: Limits
) -> None:
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


def main() -> None:
    """Entry point: start the sandbox, warm up beside it, then judge what comes."""
    connection = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings: dict[str, Any] = connection.recv()
    sandbox: Sandbox = settings["sandbox"]
    try:
        warm = WarmSandbox(settings["students"], sandbox)
        warm_up(settings["modules"])
        hidden_words.get_ready()
        warm.wait()
    except SandboxError as error:
        connection.send(error)
        return
    gc.collect()
    gc.freeze()
    connection.send(None)
    parent = os.getppid()
    try:
        while True:
            while not connection.poll(1.0):
                if os.getppid() != parent:  # the caller is gone, even if a fork of it still holds the connection
                    return
            lab, submission, data, limits = connection.recv()
            connection.send(judge_in_fork(warm, lab, submission, data, limits))
    except (EOFError, OSError, SandboxError):
        pass
    finally:
        warm.close()


if __name__ == "__main__":
    main()
