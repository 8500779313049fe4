"""The warm sandboxed process, seen from outside: one for a machine, with a slot for each submission that is graded.

    warm = WarmSandbox(("torch",)); warm.wait()
    slot = warm.slot()                 # another at the same time is another slot
    sock, _ = slot.start(limits)       # forks the submission's process, in namespaces of its own
    slot.stop(); slot.close(); warm.close()

Slots share the memory of what was imported, as forks do, and nothing else: each has its own process that takes orders
and watches over its submission, its own user, and each submission its own namespaces.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.sandbox.bubblewrap import INSIDE, SandboxError, bubblewrap, environment, sandbox_problem
from vae_lab.grading.sandbox.places import PACKAGE

USERS = range(60_000, 65_000)  # of submissions, where whoever grades is root


@dataclass
class Ended:
    """How a submission's process ended. `why` is "memory" or "processes" where a limit ended it."""

    cpu_seconds: float
    memory: int
    why: str
    status: int


class Slot:
    """Room for one submission at a time in a running sandbox.

    Args:
        control: to the process in the sandbox that takes orders.
        user: of its submissions, 0 for the sandbox's own.
        scratch: a folder for submissions, where they are not isolated.
    """

    def __init__(self, control: socket.socket, user: int, scratch: str | None) -> None:
        self.control, self.user, self.scratch = control, user, scratch
        self._sequence = 0

    def _read(self, seconds: float) -> dict[str, Any]:
        self.control.settimeout(seconds)
        try:
            data = self.control.recv(1 << 16)
        except OSError as error:
            raise SandboxError(f"the sandbox does not answer ({type(error).__name__})") from None
        if not data:
            raise SandboxError(f"the sandbox has ended{self._said()}")
        return json.loads(data)

    def _said(self) -> str:
        return ""

    def order(self, order: dict[str, Any], fd: int | None = None) -> dict[str, Any]:
        """Send an order, with a file descriptor, and wait for its answer."""
        self._sequence += 1
        ticket = f"{os.getpid()}.{self._sequence}"  # a judge that was killed may leave an answer: not mistaken for ours
        extra = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))]
        try:
            self.control.settimeout(30.0)
            self.control.sendmsg([json.dumps({**order, "n": ticket}).encode()], extra)
        except OSError as error:
            raise SandboxError(f"the sandbox does not take orders ({type(error).__name__})") from None
        while True:
            reply = self._read(30.0)
            if reply.get("n") == ticket:
                return reply

    def start(self, limits: dict[str, Any]) -> tuple[socket.socket, int]:
        """Fork a process for one submission; returns the trusted end of its socket and its number."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            home = "/tmp/home" if self.scratch is None else os.path.join(self.scratch, f"run-{self._sequence}")
            limits = {**limits, "uid": self.user, "isolate": self.scratch is None, "home": home}
            reply = self.order({"op": "start", "limits": limits}, theirs.fileno())
        except BaseException:
            mine.close()
            raise
        finally:
            theirs.close()
        return mine, int(reply["pid"])

    def stop(self) -> Ended:
        """Kill the running submission with everything it started; returns once all of it is gone."""
        reply = self.order({"op": "stop"})
        return Ended(reply["cpu"], reply["memory"], reply["why"], reply["status"])

    def try_out(self) -> None:
        """Start a process as for a submission, and end it: what this machine lacks is told before the first.

        Raises:
            SandboxError: if it could not be shut in.
        """
        sock, _ = self.start(Limits().for_student())
        with sock, contextlib.suppress(OSError):
            sock.settimeout(30.0)
            sock.shutdown(socket.SHUT_WR)  # nothing will be asked of it: it ends by itself
            while sock.recv(1 << 12):
                pass
        ended = self.order({"op": "leave"})
        if ended["status"]:
            raise SandboxError(f"no submission can be shut in here{self._said()}")

    def close(self) -> None:
        """Give up this slot, and end what runs in it."""
        self.control.close()


class WarmSandbox(Slot):
    """A running sandbox; itself its first slot.

    Args:
        modules: what to import beforehand, once.
        sandbox: "required", or "unsafe" for no protection at all.

    Raises:
        SandboxError: if it cannot be started.
    """

    def __init__(self, modules: tuple[str, ...] = (), sandbox: Sandbox = "required") -> None:
        self.isolate = sandbox == "required"
        problem = sandbox_problem() if self.isolate else None
        if problem:
            raise SandboxError(problem)
        scratch = None if self.isolate else tempfile.mkdtemp(prefix="vae-lab-unsafe-")
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = json.dumps({"fd": theirs.fileno(), "modules": list(modules), "isolate": self.isolate})
        program = [sys.executable, "-P", "-s", "-m", "vae_lab.grading.student.zygote", settings]
        if scratch is None:
            program, variables = [*bubblewrap((theirs.fileno(),)), *program], environment(INSIDE)
        else:
            own = dict.fromkeys(("HOME", "MPLCONFIGDIR", "TMPDIR"), scratch)
            variables = environment(str(PACKAGE.parent)) | own
        try:
            self.process = subprocess.Popen(
                program,
                env=variables,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            mine.close()
            raise SandboxError(f"the sandbox cannot be started: {error.strerror}: {program[0]}") from None
        finally:
            theirs.close()
        self.users = [0]
        if self.isolate and os.geteuid() == 0:
            first = self.process.pid * 64 % len(USERS)
            self.users = [USERS[(first + number) % len(USERS)] for number in range(len(USERS))]
        super().__init__(mine, self.users[0], scratch)
        self._slots = 0

    def wait(self) -> None:
        """Wait until it has warmed up.

        Raises:
            SandboxError: if it ended instead.
        """
        self._read(120.0)

    def _said(self) -> str:
        self.process.kill()
        said = (self.process.stderr.read() if self.process.stderr else b"").decode("utf-8", "replace").split("\n")
        return f": {next((' '.join(line.split()) for line in reversed(said) if line.strip()), 'it said nothing')[:300]}"

    def slot(self) -> Slot:
        """Another slot, beside those that there are."""
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.order({"op": "slot"}, theirs.fileno())
        except BaseException:
            mine.close()
            raise
        finally:
            theirs.close()
        self._slots += 1
        return Slot(mine, self.users[self._slots % len(self.users)], self.scratch)

    def close(self) -> None:
        """End the sandbox, with all its slots."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)


def warm_problem() -> str | None:
    """Why submissions cannot be graded here, in one line, or None; the very process that would run them is started."""
    try:
        warm = WarmSandbox(())
    except SandboxError as error:
        return str(error)
    try:
        warm.wait()
        warm.try_out()
    except SandboxError as error:
        return f"students' code cannot be run here: {error}"
    finally:
        warm.close()
    return None
