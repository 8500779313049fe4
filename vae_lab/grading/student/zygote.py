"""The warm process inside the sandbox: imports torch once, never runs a student's code, and forks for each submission.

`python -m vae_lab.grading.student.zygote FD` reads orders from a packet socket, one JSON object each, and answers each
with one:

- `{"op": "start", "limits": {...}}` with one file descriptor, the submission's socket: forks into a PID namespace of
  its own; `{"pid": n}`
- `{"op": "stop"}`: kills that namespace, waits for it; `{"status", "cpu", "memory", "why"}`
- `{"op": "leave"}`: the same, but waits until it has ended by itself
- `{"op": "slot"}` with one file descriptor, a packet socket: forks another process that takes orders there, for
  submissions that run at the same time as those here

While a submission runs, its memory and number of processes are watched from here; over the limit the whole namespace
is killed, and `why` says so.
"""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import signal
import socket
import sys
import time
from typing import Any

from vae_lab.grading.rpc.warm_up import warm_up
from vae_lab.grading.sandbox.namespaces import private_places
from vae_lab.grading.sandbox.rights import drop_rights
from vae_lab.grading.sandbox.rlimits import data_size, set_limits
from vae_lab.grading.sandbox.syscalls import NEW_PID, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, check, libc
from vae_lab.grading.student import shell

WATCH_SECONDS = 0.1


class Zygote:
    """The loop that takes orders.

    Args:
        control: the packet socket.
        isolate: whether to give each submission namespaces of its own (false only in the unsafe mode).
    """

    def __init__(self, control: socket.socket, *, isolate: bool) -> None:
        self.control, self.isolate = control, isolate
        self.pid = 0
        self.slots: list[int] = []
        self.limits: dict[str, Any] = {}
        self.why = ""
        self.ended: tuple[int, Any] | None = None
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if isolate else -1
        self.base_memory = _memory(os.getpid()) if isolate else 0
        self.shell = shell.make_shell()

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
            elif order["op"] == "slot":
                if self._slot(fds[0]):
                    continue
            elif order["op"] == "leave":
                self._reap(0)
                reply |= self._stop()
            else:
                reply |= self._stop()
            self.control.send(json.dumps(reply).encode())
        self._stop()

    def _slot(self, fd: int) -> bool:
        """Fork a process that takes orders from a socket of its own, for submissions beside those of this one.

        Returns:
            whether this is that process.
        """
        for pid in list(self.slots):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self.slots.remove(pid)
        pid = os.fork()
        if pid:
            os.close(fd)
            self.slots.append(pid)
            return False
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        self.control.close()
        self.control, self.pid, self.slots = socket.socket(fileno=fd), 0, []
        self.control.set_inheritable(False)
        return True

    def _start(self, fd: int, limits: dict[str, Any]) -> None:
        self.limits, self.why, self.ended = limits, "", None
        if self.isolate:
            check(libc.unshare(NEW_PID), "unshare")
        pid = os.fork()
        if pid == 0:
            status = 0
            try:
                self._become_student(fd)
            except BaseException as error:
                status = 1
                with contextlib.suppress(BaseException):
                    os.write(2, f"{type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(status)
        if self.isolate:
            check(libc.setns(self.own_pids, NEW_PID), "setns")
        os.close(fd)
        self.pid = pid

    def _become_student(self, fd: int) -> None:
        self.control.close()
        self.limits["data"] = data_size() + self.limits["memory"]
        if self.isolate:
            os.close(self.own_pids)
            private_places(self.limits)
        os.setsid()  # kill(0, ...) reaches a whole process group, beyond its namespace: its own, and no other
        os.dup2(fd, 3)
        os.closerange(4, 4096)
        set_limits(self.limits)
        os.nice(5)  # the watch and the judge go first
        if self.isolate:
            drop_rights(self.limits["uid"])
        else:
            check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # with whoever watches over it
        work = self.limits["home"]
        os.makedirs(work, exist_ok=True)
        os.chdir(work)
        os.environ["HOME"] = work
        sys.path.append(work)  # what a notebook writes can be imported, and shadows nothing
        shell.quiet()
        shell.serve(socket.socket(fileno=3), self.shell, self.limits)

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
        pids = _below(self.pid)
        memory = sum(max(0, _memory(pid) - self.base_memory) for pid in pids)
        if memory > self.limits["memory"]:
            self.why = "memory"
        elif len(pids) > self.limits["processes"]:
            self.why = "processes"
        if self.why:
            self._kill()


def _below(first: int) -> list[int]:
    """A submission's processes: its first one and all below it; whoever loses a parent in there becomes its child."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{int(name)}/stat", "rb") as file:
                children.setdefault(int(file.read().rpartition(b")")[2].split()[1]), []).append(int(name))
    found = [first]
    for pid in found:
        found += children.get(pid, [])
    return found


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


USUAL = ("matplotlib.pyplot", "tqdm.auto", "ipywidgets")


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
