"""The sandbox: bubblewrap around the warm process that forks for each submission.

What is visible inside, all of it read-only: the Python installation, the environment's packages, shared libraries,
fonts, and the `vae_lab` package. There is no network, no home, no `/etc` beyond what the loader needs, no shell. Each
submission has in addition its own PID, mount, IPC and network namespaces, an empty `/tmp`, no capability and a system
call filter (see `zygote`).
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
import sysconfig
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from vae_lab.grading.limits import Sandbox

UNSAFE_FLAG = "graded without the sandbox"
PACKAGE = Path(__file__).resolve().parents[2]
INSIDE = "/course"


class SandboxError(RuntimeError):
    """The sandbox could not be started or has ended."""


def sandbox_problem() -> str | None:
    """Why this machine cannot sandbox submissions, in one line with the remedy; None if it can."""
    return _probe()


@lru_cache(maxsize=1)
def _probe() -> str | None:
    if not sys.platform.startswith("linux"):
        return f"Sandboxing needs Linux, and this is {sys.platform}; grade in a Linux machine, container or WSL 2."
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed; install it with `apt-get install bubblewrap`."
    if hidden := [place for place in _places() if f"{os.path.realpath(place)}/".startswith("/tmp/")]:
        return (
            f"this Python lives in {hidden[0]}, and submissions see an empty /tmp; "
            "make the environment in a folder outside /tmp."
        )
    probe = [*bubblewrap(()), sys.executable, "-I", "-S", "-c", "import os; os.listdir('/proc')"]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=60, env=_environment(), check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap cannot be run here ({type(error).__name__}); check that `bwrap --version` works."
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[:200]
        return (
            f"bubblewrap cannot set up a sandbox here ({said}); allow unprivileged user namespaces "
            "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), "
            "or run the container with --privileged."
        )
    return None


def _places() -> list[str]:
    """What the sandboxed Python needs to see of this machine."""
    wanted = [sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")]
    wanted += [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *_way_to(sys.executable)]
    wanted += ["/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/share/fonts", "/usr/share/zoneinfo"]
    wanted += ["/etc/ld.so.cache", "/etc/fonts", "/etc/localtime"]
    found: list[str] = []
    for place in wanted:
        if place == "/usr" or not os.path.exists(place):
            continue
        if not any(place == other or place.startswith(f"{other}/") for other in found):
            found.append(place)
    return found


def _way_to(path: str) -> list[str]:
    """A file and every link on the way to it: an environment's Python is often a link to /usr/bin/python3, a link."""
    way = [path]
    while os.path.islink(path):
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        way.append(path)
    return way


def bubblewrap(fds: tuple[int, ...]) -> list[str]:
    """The command line up to the program: bubblewrap with everything but the program and its arguments."""
    command = [shutil.which("bwrap") or "bwrap"]
    if (
        os.geteuid() == 0
    ):  # real rights until the fork: submissions become a user of their own, which a user namespace could not give them
        command += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-drop", "ALL"]
    command += ["--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP", "--cap-add", "CAP_KILL"]
    command += ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try"]
    command += ["--die-with-parent", "--new-session", "--hostname", "sandbox"]
    places = _places()
    parents = {str(parent) for place in [*places, f"{INSIDE}/vae_lab"] for parent in Path(place).parents} - {"/"}
    for parent in sorted(parents):  # bubblewrap would make them for its own user alone
        if parent not in places and not any(parent.startswith(f"{place}/") for place in places):
            command += ["--perms", "0755", "--dir", parent]
    for place in places:
        if os.path.islink(place) and place.startswith("/usr/"):
            command += ["--symlink", os.readlink(place), place]
        else:
            command += ["--ro-bind", place, place]
    for name in ("lib", "lib32", "lib64"):
        if os.path.islink(f"/{name}"):
            command += ["--symlink", os.readlink(f"/{name}"), f"/{name}"]
        elif os.path.isdir(f"/{name}"):
            command += ["--ro-bind", f"/{name}", f"/{name}"]
    command += ["--ro-bind", str(PACKAGE), f"{INSIDE}/vae_lab"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"]
    # What bubblewrap makes is memory that belongs to its user: nobody may leave anything there.
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return command


def _environment() -> dict[str, str]:
    """The only environment variables inside."""
    return {
        "PATH": "/nonexistent",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "agg",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "IPYTHONDIR": "/tmp/ipython",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "CUDA_VISIBLE_DEVICES": "",
        "TORCHDYNAMO_DISABLE": "1",  # torch.compile would need a compiler, and gives the same numbers without
    }


@dataclass
class Ended:
    """How a submission's process ended. `why` is "memory" or "processes" where a limit ended it."""

    cpu_seconds: float
    memory: int
    why: str
    status: int


class WarmSandbox:
    """A running sandbox: starts and stops submissions, one at a time.

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
        self._sequence = 0
        self._scratch: str | None = None
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control = mine
        settings = json.dumps({"fd": theirs.fileno(), "modules": list(modules), "isolate": self.isolate})
        program = [sys.executable, "-P", "-s", "-m", "vae_lab.grading.student.zygote", settings]
        environment = _environment()
        if self.isolate:
            program = [*bubblewrap((theirs.fileno(),)), *program]
            environment["PYTHONPATH"] = INSIDE
        else:
            self._scratch = tempfile.mkdtemp(prefix="vae-lab-unsafe-")
            environment |= {
                "PYTHONPATH": str(PACKAGE.parent),
                "HOME": self._scratch,
                "MPLCONFIGDIR": self._scratch,
                "TMPDIR": self._scratch,
            }
        self.process = subprocess.Popen(
            program,
            env=environment,
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        theirs.close()
        self.uid = 60_000 + self.process.pid % 5_000 if self.isolate and os.geteuid() == 0 else 0

    def wait(self) -> None:
        """Wait until it has warmed up.

        Raises:
            SandboxError: if it ended instead.
        """
        self._read(120.0)

    def _read(self, seconds: float) -> dict[str, Any]:
        self.control.settimeout(seconds)
        try:
            data = self.control.recv(1 << 16)
        except OSError as error:
            raise SandboxError(f"the sandbox does not answer ({type(error).__name__})") from None
        if not data:
            self.process.kill()
            said = (self.process.stderr.read() if self.process.stderr else b"")[-400:].decode("utf-8", "replace")
            raise SandboxError(f"the sandbox has ended: {' '.join(said.split())}")
        return json.loads(data)

    def _order(self, order: dict[str, Any], fd: int | None = None) -> dict[str, Any]:
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
            home = "/tmp/home" if self.isolate else os.path.join(self._scratch or "/tmp", f"run-{self._sequence}")
            limits = {**limits, "uid": self.uid, "isolate": self.isolate, "home": home}
            reply = self._order({"op": "start", "limits": limits}, theirs.fileno())
        except BaseException:
            mine.close()
            raise
        finally:
            theirs.close()
        return mine, int(reply["pid"])

    def stop(self) -> Ended:
        """Kill the running submission with everything it started; returns once all of it is gone."""
        reply = self._order({"op": "stop"})
        return Ended(reply["cpu"], reply["memory"], reply["why"], reply["status"])

    def close(self) -> None:
        """End the sandbox."""
        self.control.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(2)
        self.process.kill()
        self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
