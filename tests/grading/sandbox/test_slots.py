"""Submissions side by side in one warm sandbox: as root and as an ordinary user, nothing of one reaches another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.grading.sandbox.test_bubblewrap import ROOT, as_ordinary_user

TWO = """
import json, sys, time
from vae_lab.grading.rpc.peer import Peer
from vae_lab.grading.limits import Limits
from vae_lab.grading.rpc.wire import Channel, WireError
from vae_lab.grading.sandbox.warm import WarmSandbox

LIMITS = Limits(memory=300 << 20, processes=6).for_student()
warm = WarmSandbox(())
warm.wait()
slots = [warm.slot(), warm.slot()]

def begin(slot):
    peer = Peer(Channel(slot.start(LIMITS)[0]), lambda op, values: None, trusted=True)
    peer.deadline = time.monotonic() + 120
    peer.ask("begin", 1, [], "probe")
    return peer

def run(peer, source):
    try:
        peer.ask("cell", "seen = None", 60)
        peer.ask("cell", source, 60)
    except WireError as error:
        return type(error).__name__
    except Exception as error:
        return str(error)
    return peer.ask("names", ["seen"])["seen"]

LOOK = '''
import os, glob
def attempt(f):
    try:
        return f()
    except OSError as error:
        return type(error).__name__
seen = {"uid": os.getuid(), "pid": os.getpid()}
seen["files"] = [*glob.glob("/tmp/*"), *glob.glob("/dev/shm/*"), *glob.glob("/proc/[0-9]*")]
seen["kill"] = [attempt(lambda: os.kill(n, 0)) for n in range(2, 400)].count("ProcessLookupError")
'''
first, second = begin(slots[0]), begin(slots[1])
said = {"left": run(first, "open('/tmp/left', 'w').write('x'); open('/dev/shm/left', 'w').write('x'); seen = 1")}
said["first"], said["second"] = run(first, LOOK), run(second, LOOK)
# One of them takes all the processes and then all the memory that it can get; the other forks all the while.
FORKS = '''
import os, time
seen = 0
for _ in range({0}):
    try:
        pid = os.fork()
    except OSError:
        break
    if pid == 0:
        time.sleep(20)
        os._exit(0)
    seen += 1
'''
said["bomb"] = run(first, FORKS.format(10_000))
OWN = "import os\\nseen = 0\\nfor _ in range(40):\\n    if os.fork() == 0: os._exit(0)\\n    os.wait(); seen += 1"
said["forks beside a bomb"] = run(second, OWN)
ended = slots[0].stop()
said["why"] = ended.why
said["after"] = run(second, "seen = 'alive'")
first = begin(slots[0])
said["memory"] = run(first, "seen = len([bytearray(50 << 20) for _ in range(100)])")
said["after memory"] = run(second, "seen = 'alive'")
slots[0].close()
time.sleep(0.5)
said["after a slot was closed"] = run(second, "seen = 'alive'")
third = warm.slot()
said["a slot more"] = run(begin(third), "import os; seen = [os.getuid(), os.listdir('/tmp')]")
warm.close()
print(json.dumps(said))
"""


def run(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(
        [*command, sys.executable, "-c", TWO],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("user", ["this user", "an ordinary user"])
def test_submissions_side_by_side_neither_see_nor_touch_each_other(user: str) -> None:
    said = run([] if user == "this user" else as_ordinary_user())
    first, second = said["first"], said["second"]
    assert {"/tmp/left", "/dev/shm/left"} <= set(first["files"])
    assert second["files"] == ["/tmp/home"]
    assert first["pid"] == second["pid"] == 1
    assert first["kill"] == second["kill"] == 398
    if os.geteuid() == 0 and user == "this user":
        assert len({0, first["uid"], second["uid"], said["a slot more"][0]}) == 4
    assert said["bomb"] == "Gone" or said["bomb"] < 20
    assert said["forks beside a bomb"] == 40
    assert said["why"] in ("processes", "")
    assert (said["after"], said["after memory"], said["after a slot was closed"]) == ("alive",) * 3
    assert said["memory"] in ("Gone", "MemoryError")
    assert said["a slot more"][1] == ["home"]
