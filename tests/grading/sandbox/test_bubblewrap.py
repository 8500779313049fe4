"""The sandbox as root and as an ordinary user: what is visible, what is limited, what is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from vae_lab.grading.sandbox import bubblewrap, warm

ROOT = Path(bubblewrap.__file__).resolve().parents[3]

PROBE = """
import json, sys, time
from vae_lab.grading.rpc.peer import Peer
from vae_lab.grading.limits import Limits
from vae_lab.grading.sandbox.bubblewrap import sandbox_problem
from vae_lab.grading.sandbox.warm import WarmSandbox
from vae_lab.grading.rpc.wire import Channel

assert sandbox_problem() is None, sandbox_problem()
warm = WarmSandbox(())
warm.wait()
seen = []
for run in range(2):
    sock, _ = warm.start(Limits(memory=400 << 20).for_student())
    peer = Peer(Channel(sock), lambda op, values: None, trusted=True)
    peer.deadline = time.monotonic() + 60
    peer.ask("begin", 1, [], "probe")
    peer.ask("cell", sys.argv[1], 60)
    seen.append(peer.ask("names", ["seen"])["seen"])
    warm.stop()
warm.close()
print(json.dumps(seen))
"""

LOOK = """
import ctypes, os, resource, socket, torch
libc = ctypes.CDLL(None, use_errno=True)
status = {}
def attempt(name, f):
    try:
        seen[name] = f()
    except BaseException as error:
        seen[name] = type(error).__name__
seen = {"pid": os.getpid(), "group": os.getpgrp(), "session": os.getsid(0), "uid": os.getuid()}
seen |= {"tmp": os.listdir("/tmp"), "root": sorted(os.listdir("/")), "proc": sorted(os.listdir("/proc"))}
seen["environment"] = sorted(os.environ)
def is_open(fd):
    try:
        return os.fstat(fd) is not None
    except OSError:
        return False
seen["files"] = [fd for fd in range(256) if is_open(fd)]
seen["core"] = resource.getrlimit(resource.RLIMIT_CORE)
seen["threads"] = torch.get_num_threads()
attempt("internet", lambda: socket.socket(socket.AF_INET).fileno() >= 0)
attempt("local", lambda: socket.socketpair()[0].fileno() >= 0)
attempt("write", lambda: open("/course/x", "w") and 1)
attempt("write root", lambda: open("/x", "w") and 1)
attempt("write proc", lambda: open("/proc/x", "w") and 1)
attempt("mknod", lambda: os.mknod("/tmp/x", 0o20666, 0x501))
attempt("kill", lambda: os.kill(2, 9))
attempt("memory", lambda: len(bytearray(1 << 30)))
attempt("disk", lambda: open("/tmp/big", "wb").write(bytes(80 << 20)))
attempt("chroot", lambda: os.chroot("/tmp"))
attempt("setuid", lambda: os.setuid(1))
attempt("write dev", lambda: open("/dev/x", "w") and 1)
calls = {"unshare": (0x10000000,), "mount": (b"none", b"/tmp", b"tmpfs", 0, None), "ptrace": (0, 0, 0, 0)}
for name, args in {**calls, "sethostname": (b"x", 1)}.items():
    seen[name] = getattr(libc, name)(*args)
seen["no new privileges"] = libc.prctl(39, 0, 0, 0, 0)
seen["seccomp"] = libc.prctl(21, 0, 0, 0, 0)
"""


def run(command: list[str], *, env: dict[str, str] | None = None) -> list[dict[str, Any]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SECRET_TOKEN": "x", "OMP_NUM_THREADS": "1", **(env or {})}
    done = subprocess.run(
        [*command, sys.executable, "-c", PROBE, LOOK], capture_output=True, text=True, timeout=200, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def as_ordinary_user() -> list[str]:
    """A command that runs the rest as nobody, with the way to Python open (a root's home often is closed)."""
    if os.geteuid() != 0:
        return []
    command = ["bwrap", "--dev-bind", "/", "/", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    needed = [Path(p).resolve() for p in (sys.prefix, sys.base_prefix, ROOT)] + [Path(sys.prefix)]
    closed = {a for place in needed for a in place.parents if not a.stat().st_mode & 0o001}
    for folder in sorted(closed):
        command += ["--perms", "0755", "--tmpfs", str(folder)]
    for place in needed:
        if any(folder in place.parents for folder in closed):
            for parent in reversed(place.parents):
                if any(folder in parent.parents for folder in closed):
                    command += ["--perms", "0755", "--dir", str(parent)]
            command += ["--ro-bind", str(place), str(place)]
    return [*command, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


@pytest.mark.parametrize("user", ["this user", "an ordinary user"])
def test_what_a_submission_sees_and_may(user: str) -> None:
    command = [] if user == "this user" else as_ordinary_user()
    for seen in run(command):
        assert seen["pid"] == seen["group"] == seen["session"] == 1  # a group from outside would be reached by kill(0)
        assert seen["uid"] != 0 or os.geteuid() != 0 or user != "this user"
        assert set(seen["proc"]) <= {"cpuinfo", "meminfo", "version"}
        assert seen["tmp"] == ["home"]
        python = {Path(place).parts[1] for place in (sys.prefix, sys.base_prefix)}
        assert set(seen["root"]) <= {"usr", "lib", "lib32", "lib64", "etc", "dev", "proc", "tmp", "course"} | python
        assert not {"SECRET_TOKEN", "USER", "LOGNAME", "PYTEST_CURRENT_TEST"} & set(seen["environment"])
        assert set(seen["files"]) <= {0, 1, 2, 3}
        assert (seen["core"], seen["threads"]) == ([0, 0], 1)
        assert seen["internet"] == "PermissionError"
        assert seen["local"] is True
        for name in ("write", "write root", "write dev", "write proc", "mknod", "chroot", "memory", "disk"):
            assert seen[name] in ("PermissionError", "OSError", "MemoryError"), (name, seen[name])
        assert seen["kill"] == "ProcessLookupError"
        assert seen["setuid"] in ("PermissionError", "OSError")
        assert [seen[name] for name in ("unshare", "mount", "ptrace", "sethostname")] == [-1] * 4
        assert (seen["no new privileges"], seen["seccomp"]) == (1, 2)


def test_the_course_is_not_inside() -> None:
    inside = bubblewrap.bubblewrap(())
    bound = {inside[i + 1] for i, word in enumerate(inside) if word in ("--ro-bind", "--bind", "--dev-bind")}
    assert str(ROOT) not in bound
    assert not any(
        str(place).startswith(path + "/") or str(place) == path
        for path in bound
        for place in (ROOT / "solutions", ROOT / "tests", Path.home())
    )
    assert not {"--bind", "--dev-bind", "--share-net"} & set(inside)


def test_a_machine_without_bubblewrap_is_told_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    bubblewrap._probe.cache_clear()
    try:
        problem = bubblewrap.sandbox_problem()
        assert problem is not None
        assert "apt-get install bubblewrap" in problem
        with pytest.raises(bubblewrap.SandboxError, match="bubblewrap"):
            warm.WarmSandbox(())
    finally:
        bubblewrap._probe.cache_clear()


def test_a_bubblewrap_that_fails_is_told_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    bubblewrap._probe.cache_clear()
    try:
        assert "No permissions to create new namespace" in str(bubblewrap.sandbox_problem())
    finally:
        bubblewrap._probe.cache_clear()


def test_every_link_on_the_way_to_python_is_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment of a system's Python: .venv/bin/python -> /usr/bin/python3 -> python3.11."""
    (tmp_path / "python3.11").symlink_to(os.path.realpath(sys.executable))
    (tmp_path / "python3").symlink_to("python3.11")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "python").symlink_to("../python3")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))
    command = bubblewrap.bubblewrap(())
    for link in ("venv/python", "python3", "python3.11"):
        assert str(tmp_path / link) in command, link


def test_an_environment_that_submissions_could_not_see_is_named(monkeypatch):
    """Each submission has an empty /tmp of its own: a Python that lives there cannot be the one that runs it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setattr(sys, "prefix", folder)
        bubblewrap._probe.cache_clear()
        try:
            problem = str(bubblewrap.sandbox_problem())
        finally:
            bubblewrap._probe.cache_clear()
    assert problem.startswith(f"this Python lives in {folder}")
    assert "outside /tmp" in problem
