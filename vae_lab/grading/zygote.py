"""The warm process inside the sandbox: imports torch once, never runs a student's code, and forks for each submission.

`python -m vae_lab.grading.zygote FD` reads orders from a packet socket, one JSON object each, and answers each with
one:

- `{"op": "start", "limits": {...}}` with one file descriptor, the submission's socket: forks into a PID namespace of
  its own; `{"pid": n}`
- `{"op": "stop", "pid": n}`: kills that namespace, waits for it; `{"status", "cpu", "memory", "why"}`
- `{"op": "ping"}`: `{"ready": true}`

While a submission runs, its memory and number of processes are watched from here; over the limit the whole namespace
is killed, and `why` says so.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterable
from typing import Any

NEW_MOUNTS, NEW_CGROUP, NEW_UTS, NEW_IPC, NEW_PID, NEW_NET = (
    0x00020000,
    0x02000000,
    0x04000000,
    0x08000000,
    0x20000000,
    0x40000000,
)
NOSUID_NODEV, PRIVATE_ALL = 2 | 4, (1 << 18) | (1 << 14)
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 24, 38, 47
WATCH_SECONDS = 0.1

libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


class Zygote:
    """The loop that takes orders.

    Args:
        control: the packet socket.
        isolate: whether to give each submission namespaces of its own (false only in the unsafe mode).
    """

    def __init__(self, control: socket.socket, *, isolate: bool) -> None:
        self.control, self.isolate = control, isolate
        self.pid = 0
        self.limits: dict[str, Any] = {}
        self.why = ""
        self.ended: tuple[int, Any] | None = None
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if isolate else -1
        self.before = set(_pids()) if isolate else set()
        self.base_memory = _memory(os.getpid()) if isolate else 0
        from vae_lab.grading.student import make_shell

        self.shell = make_shell()

    def run(self) -> None:
        """Take orders until the other end closes."""
        while True:
            self.control.settimeout(WATCH_SECONDS if self.pid else None)
            try:
                data, fds = _receive(self.control)
            except TimeoutError:
                self._watch()
                continue
            if not data:
                break
            order = json.loads(data)
            reply: dict[str, Any] = {"n": order.get("n")}
            if order["op"] == "start":
                self._stop()
                self._start(fds[0], order["limits"])
                reply["pid"] = self.pid
            elif order["op"] == "stop":
                reply |= self._stop()
            else:
                reply["ready"] = True
            self.control.send(json.dumps(reply).encode())
        self._stop()

    def _start(self, fd: int, limits: dict[str, Any]) -> None:
        self.limits, self.why, self.ended = limits, "", None
        if self.isolate:
            _check(libc.unshare(NEW_PID), "unshare")
        pid = os.fork()
        if pid == 0:
            try:
                self._become_student(fd)
            except BaseException as error:
                with contextlib.suppress(BaseException):
                    os.write(2, f"{type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(0)
        if self.isolate:
            _check(libc.setns(self.own_pids, NEW_PID), "setns")
        os.close(fd)
        self.pid = pid

    def _become_student(self, fd: int) -> None:
        from vae_lab.grading import student

        self.control.close()
        self.limits["data"] = data_size() + self.limits["memory"]
        if self.isolate:
            os.close(self.own_pids)
            private_places(self.limits)
        else:
            os.setsid()
        os.dup2(fd, 3)
        os.closerange(4, 4096)
        set_limits(self.limits)
        os.nice(5)  # the watch and the judge go first
        if self.isolate:
            drop_rights(self.limits["uid"])
        else:
            _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        work = self.limits["home"]
        os.makedirs(work, exist_ok=True)
        os.chdir(work)
        os.environ["HOME"] = work
        sys.path.append(work)  # what a notebook writes can be imported, and shadows nothing
        student.quiet()
        student.serve(socket.socket(fileno=3), self.shell, self.limits)

    def _reap(self, flags: int) -> bool:
        if self.ended is None:
            pid, status, usage = os.wait4(self.pid, flags)
            if pid:
                self.ended = (status, usage)
        return self.ended is not None

    def _stop(self) -> dict[str, Any]:
        """Kill what runs, wait until all of it is gone."""
        if not self.pid:
            return {"status": 0, "cpu": 0.0, "memory": 0, "why": self.why}
        if not self._reap(os.WNOHANG):
            self._kill()
            self._reap(0)
        assert self.ended is not None
        status, usage = self.ended
        self.pid = 0
        return {
            "status": status,
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": max(0, usage.ru_maxrss * 1024),
            "why": self.why,
        }

    def _kill(self) -> None:
        if not self.isolate:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)  # the first process of its namespace: everything in it goes too

    def _watch(self) -> None:
        if self._reap(os.WNOHANG) or not self.isolate:
            return
        pids = [pid for pid in _pids() if pid not in self.before]
        memory = sum(max(0, _memory(pid) - self.base_memory) for pid in pids)
        if memory > self.limits["memory"]:
            self.why = "memory"
        elif len(pids) > self.limits["processes"]:
            self.why = "processes"
        if self.why:
            self._kill()


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _memory(pid: int) -> int:
    """Bytes of anonymous and shared memory of a process; 0 once it is gone."""
    total = 0
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/status", "rb") as file:
            for line in file:
                if line.startswith((b"RssAnon:", b"RssShmem:")):
                    total += int(line.split()[1]) * 1024
    return total


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    data, extra, _, _ = control.recvmsg(1 << 16, socket.CMSG_SPACE(4))
    fds = array.array("i")
    for level, kind, content in extra:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    return data, list(fds)


def private_places(limits: dict[str, Any]) -> None:
    """Namespaces of this submission's own, an empty size-limited /tmp and /dev/shm, and a /proc that shows nobody."""
    _check(libc.unshare(NEW_MOUNTS | NEW_CGROUP | NEW_UTS | NEW_IPC | NEW_NET), "unshare")
    _check(libc.mount(b"none", b"/", None, PRIVATE_ALL, None), "make mounts private")
    facts = {}
    for name in ("cpuinfo", "meminfo", "version"):
        with contextlib.suppress(OSError), open(f"/proc/{name}", "rb") as file:
            facts[name] = file.read()
    size = f"size={limits['disk']},nr_inodes=10000,mode=1777".encode()
    for place in (b"/tmp", b"/dev/shm"):
        _check(libc.mount(b"tmpfs", place, b"tmpfs", NOSUID_NODEV, size), f"mount {place.decode()}")
    _check(libc.mount(b"tmpfs", b"/proc", b"tmpfs", NOSUID_NODEV, b"size=1m,mode=755"), "mount /proc")
    for name, text in facts.items():
        with open(f"/proc/{name}", "wb") as file:
            file.write(text)
    remount_read_only = NOSUID_NODEV | 1 | 32
    _check(libc.mount(b"none", b"/proc", None, remount_read_only, None), "protect /proc")


def set_limits(limits: dict[str, Any]) -> None:
    """Limits that the kernel keeps for each process."""

    def cap(which: int, value: int) -> None:
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))

    cap(resource.RLIMIT_CORE, 0)
    cap(resource.RLIMIT_NOFILE, 256)
    cap(resource.RLIMIT_FSIZE, limits["disk"])
    cap(resource.RLIMIT_MEMLOCK, 1 << 20)
    cap(resource.RLIMIT_CPU, int(limits["cpu_seconds"]) + 1)
    cap(resource.RLIMIT_DATA, limits["data"])
    with contextlib.suppress(AttributeError):
        cap(resource.RLIMIT_MSGQUEUE, 0)
        cap(resource.RLIMIT_RTPRIO, 0)
    if limits["isolate"]:
        cap(resource.RLIMIT_NPROC, 2 * limits["processes"])  # counts threads too


def data_size() -> int:
    """What RLIMIT_DATA counts and this process already has, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[5]) * resource.getpagesize()


def drop_rights(uid: int) -> None:
    """Give up every capability for good, become nobody, and put on the system call filter."""
    from vae_lab.grading.seccomp import install

    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    if uid:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    libc.prctl(PR_CAP_AMBIENT, 4, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    none = (ctypes.c_uint32 * 6)()
    _check(libc.capset(header, none), "capset")
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _check(libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "not dumpable")
    install()


USUAL = ("matplotlib.pyplot", "tqdm.auto", "ipywidgets")


def warm_up(modules: Iterable[str]) -> None:
    """Import modules and run a first gradient, so that a fork has what they load."""
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    layer = torch.nn.Linear(2, 2)
    layer(torch.randn(2, 2)).sum().backward()
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    package = importlib.import_module("vae_lab")
    for name in package.__all__:  # its names come when they are asked for: here, and before any is reserved
        getattr(package, name)


def main() -> None:
    """Entry point: warm up, freeze, serve."""
    settings = json.loads(sys.argv[1])
    control = socket.socket(fileno=settings["fd"])
    control.set_inheritable(False)
    started = time.monotonic()
    warm_up([*settings["modules"], *USUAL])
    zygote = Zygote(control, isolate=settings["isolate"])
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"ready": True, "seconds": time.monotonic() - started}).encode())
    zygote.run()


if __name__ == "__main__":
    main()
