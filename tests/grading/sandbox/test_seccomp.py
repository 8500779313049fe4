"""The filter of system calls, put on a child of this process: what it refuses, and what still works."""

from __future__ import annotations

import errno
import json
import platform
import subprocess
import sys

import pytest

from vae_lab.grading.sandbox import seccomp

COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
pytestmark = pytest.mark.skipif(COLUMN is None, reason="there is no filter for this machine")

PROGRAM = """
import ctypes, errno, fcntl, json, os, socket, subprocess, sys, tempfile, threading
from vae_lab.grading.sandbox.seccomp import install
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0 and install()
found = {}
for name, (number, *args) in json.loads(sys.argv[1]).items():
    ctypes.set_errno(0)
    found[name] = [libc.syscall(number, *args), ctypes.get_errno()]

def attempt(name, f):
    try:
        found[name] = f()
    except OSError as error:
        found[name] = errno.errorcode[error.errno]

def lock(how):
    with tempfile.NamedTemporaryFile() as file:
        how(file.fileno())
    return "done"

attempt("lockf", lambda: lock(lambda fd: fcntl.lockf(fd, fcntl.LOCK_EX)))
attempt("getlk", lambda: lock(lambda fd: fcntl.fcntl(fd, fcntl.F_GETLK, bytes(32))))
attempt("getfl", lambda: lock(lambda fd: fcntl.fcntl(fd, fcntl.F_GETFL)))
attempt("dupfd", lambda: lock(lambda fd: os.close(os.dup(fd))))
attempt("pair", lambda: socket.socketpair()[0].family.name)
attempt("pair elsewhere", lambda: socket.socketpair(socket.AF_INET)[0].family.name)
attempt("inet", lambda: socket.socket(socket.AF_INET).family.name)
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK).family.name)
thread = threading.Thread(target=lambda: found.update(thread="ran"))
thread.start(); thread.join()
attempt("fork", lambda: os.waitpid(os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {}), 0)[1])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found() -> dict:
    """What the child found, each refused call tried with arguments that would harm nobody."""
    column = COLUMN or 0
    calls = {name: [numbers[column], -1, 0, 0, 0, 0, 0] for name, numbers in seccomp.REFUSED.items() if numbers[column]}
    calls["reboot"] = [seccomp.REFUSED["reboot"][column], 0, 0, 0, 0]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(calls)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", seccomp.REFUSED)
def test_a_call_that_attacks_begin_with_is_refused(found: dict, name: str) -> None:
    if seccomp.REFUSED[name][COLUMN or 0] is not None:
        assert found[name] == [-1, errno.EPERM]


def test_no_lock_can_be_taken_or_asked_for(found: dict) -> None:
    assert (found["lockf"], found["getlk"]) == ("ENOLCK", "ENOLCK")


def test_only_local_sockets(found: dict) -> None:
    assert found["pair"] == "AF_UNIX"
    assert {found[name] for name in ("pair elsewhere", "inet", "netlink")} == {"EPERM"}


def test_what_a_notebook_needs_still_works(found: dict) -> None:
    assert (found["getfl"], found["dupfd"], found["thread"], found["fork"]) == ("done", "done", "ran", 0)


@pytest.mark.parametrize("machine", sorted(seccomp.ARCHITECTURES))
def test_each_machine_has_its_filter(machine: str) -> None:
    column = {"x86_64": 0, "aarch64": 1}[machine]
    numbers = [pair[column] for pair in seccomp.REFUSED.values() if pair[column] is not None]
    assert len(set(numbers)) == len(numbers), "a number stands twice"
    assert len(seccomp.program(machine)) // 8 < 4096  # the kernel's limit
