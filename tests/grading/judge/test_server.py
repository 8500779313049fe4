"""The warm server: its death is an error of the grader, not of the next submission, and nothing outlives the caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.grading import tiny
from vae_lab.grading.judge import engine
from vae_lab.grading.judge.engine import Limits, grade_submission

LIMITS = Limits(cell_seconds=20, call_seconds=20, test_seconds=20, submission_seconds=60)
FULL = float(sum(tiny.POINTS.values()))
ROOT = Path(__file__).resolve().parents[3]


def test_a_server_that_dies_is_an_error_once() -> None:
    assert grade_submission(tiny.lab(), "s", tiny.submission(), limits=LIMITS).score == FULL
    server = engine._servers[engine._key(tiny.lab(), "required")]
    timer = threading.Timer(1.0, os.kill, (server.process.pid, signal.SIGKILL))
    timer.start()
    slow = tiny.submission({"facts": "import time\ntime.sleep(15)"})
    result = grade_submission(tiny.lab(), "s", slow, limits=LIMITS)
    timer.join()
    assert (result.status, result.score) == ("error", 0.0)
    assert "server has ended" in result.reason
    assert grade_submission(tiny.lab(), "s", tiny.submission(), limits=LIMITS).score == FULL


CALLER = """
import os, sys
from concurrent.futures import ProcessPoolExecutor
from tests.grading import tiny
from vae_lab.grading.judge import engine

def grade(data):
    return engine.grade_submission(tiny.lab(), "s", data)

if __name__ == "__main__":
    wrong = tiny.submission({"noisy": "import random\\ndef noisy(m, s):\\n    return m + s * random.random()"})
    with ProcessPoolExecutor(1) as pool:
        there = list(pool.map(grade, [wrong, tiny.submission()]))
    here = [grade(data) for data in (wrong, tiny.submission())]
    assert [r.cells for r in here] == [r.cells for r in there], (here, there)
    print(next(iter(engine._servers.values())).process.pid, flush=True)
    os._exit(9)
"""


def test_workers_agree_and_nothing_outlives_the_caller() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CALLER], capture_output=True, text=True, timeout=300, cwd=ROOT, check=False
    )
    assert done.returncode == 9, done.stderr[-2000:]
    server = int(done.stdout.split()[-1])
    for _ in range(100):
        if not Path(f"/proc/{server}/cmdline").exists() or not Path(f"/proc/{server}/cmdline").read_bytes():
            return
        time.sleep(0.2)
    raise AssertionError(f"the server {server} is still there")
