"""Grading one submission: bytes in, a result out, whatever the bytes are.

    grade_submission(load_lab(path), "s017", notebook_bytes)

The caller's process stays light: it reads the notebook and hands the rest to a warm server of its own (see `server`),
which is started on first use, kept for further submissions, and ends with this process. Any worker of
`concurrent.futures` may call it.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection

from vae_lab.grading.judge.door import user_behind
from vae_lab.grading.judge.judge_report import JudgeReport
from vae_lab.grading.judge.submitted_notebook import SubmittedNotebook, read_notebook
from vae_lab.grading.lab.source import OPTIMIZERS, Lab, LabCell
from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.results import CellResult, SubmissionResult
from vae_lab.grading.sandbox.bubblewrap import UNSAFE_FLAG, SandboxError, sandbox_problem
from vae_lab.grading.sandbox.places import PACKAGE, search_path

__all__ = [
    "Limits",
    "RoomError",
    "Sandbox",
    "SandboxError",
    "WarmPair",
    "grade_submission",
    "sandbox_problem",
    "shut_down",
]

START_SECONDS = 180.0
MAX_SERVERS = 2


class RoomError(SandboxError):
    """No submission can be graded here: a fault of the machine, of no submission."""


class WarmPair:
    """The two warm processes of a machine, trusted and sandboxed; begun at once, ready some seconds later.

    Args:
        lab: what they get ready for.
        sandbox: as in `grade_submission`.
        students: what to import where students' code runs; by default what the lab points to.
        address: where it is found; by default one that nobody can guess. A pair with a given one lives on without its
            caller, for as long as it has workers.

    Raises:
        OSError: if there is one at this address already.
    """

    def __init__(self, lab: Lab, sandbox: Sandbox, students: tuple[str, ...] | None = None, address: str = "") -> None:
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "MPLBACKEND": "agg",
            "PYTHONHASHSEED": "0",
        }
        environment["CUDA_VISIBLE_DEVICES"] = ""
        environment["TORCHDYNAMO_DISABLE"] = "1"
        environment["PYTHONPATH"] = os.pathsep.join([str(PACKAGE.parent), *search_path()])
        settings = {
            "modules": lab.imports,
            "students": lab.students_imports if students is None else students,
            "sandbox": sandbox,
            "outlives": bool(address),
        }
        self.address = address or f"vae-lab-{secrets.token_hex(16)}"  # an abstract one: no file to leave behind
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(f"\0{self.address}")
            door.listen(256)
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "vae_lab.grading.judge.begin", str(door.fileno()), json.dumps(settings)],
                pass_fds=(door.fileno(),),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def close(self) -> None:
        """End both, and whatever is judged by them."""
        self.process.kill()
        self.process.wait()


class _Server:
    """A connection to a warm pair, this process's own or one that is shared."""

    def __init__(self, address: str, pair: WarmPair | None = None) -> None:
        self.pair = pair
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(f"\0{address}")
        except OSError as error:
            sock.close()
            raise RoomError(f"the grading server is not there ({type(error).__name__})") from None
        if user_behind(sock) != os.geteuid():  # an address that can be guessed can be taken by somebody else first
            sock.close()
            raise RoomError("another user's process listens where the grading server should")
        self.connection = Connection(sock.detach())
        try:
            problem = self.receive(START_SECONDS)
        except SandboxError as error:
            raise RoomError(str(error)) from None
        if isinstance(problem, SandboxError):
            self.close()
            raise RoomError(str(problem))

    def receive(self, seconds: float) -> object:
        try:
            if self.connection.poll(seconds):
                return self.connection.recv()
        except (EOFError, OSError) as error:
            self.close()
            raise SandboxError(f"the grading server has ended ({type(error).__name__})") from None
        self.close()
        raise SandboxError(f"the grading server did not answer within {seconds:g} s")

    def judge(self, lab: Lab, submission: SubmittedNotebook, notebook: bytes, limits: Limits) -> object:
        try:
            self.connection.send((lab, submission, notebook, limits))
            return self.receive(limits.submission_seconds + limits.test_seconds + 60.0)
        except BaseException:
            self.close()  # an answer that comes late must not be taken for the next submission's
            raise

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.close()
        if self.pair is not None:
            self.pair.close()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The trusted process, if it is this process's own."""
        assert self.pair is not None
        return self.pair.process

    @property
    def usable(self) -> bool:
        return not self.connection.closed and (self.pair is None or self.pair.process.poll() is None)


_lock = threading.Lock()
_shared: list[WarmPair] = []  # begun here, for all workers of this machine
Key = tuple[int, frozenset[str], bool, Sandbox, str]
_servers: dict[Key, _Server] = {}
_inherited: list[_Server] = []  # through a fork: the parent's, not ours to use or to close


def _key(lab: Lab, sandbox: Sandbox, address: str = "") -> Key:
    """What a server must be warm for; labs that differ only in modules of `vae_lab`, quickly loaded, share it."""
    slow = {name if name == OPTIMIZERS else name.partition(".")[0] for name in lab.students_imports}
    return os.getpid(), frozenset(slow), OPTIMIZERS in lab.imports, sandbox, address


def _server(lab: Lab, sandbox: Sandbox, address: str) -> _Server:
    key = _key(lab, sandbox, address)
    for other in [other for other in _servers if other[0] != key[0]]:
        _inherited.append(_servers.pop(other))
    server = _servers.get(key)
    if server is not None and server.usable:
        _servers[key] = _servers.pop(key)
        return server
    while len(_servers) >= MAX_SERVERS:
        _servers.pop(next(iter(_servers))).close()
    if address:
        _servers[key] = _Server(address)
    else:
        pair = WarmPair(lab, sandbox)
        _servers[key] = _Server(pair.address, pair)
    return _servers[key]


def shut_down() -> None:
    """End this process's warm servers; the next `grade_submission` starts a new one."""
    with _lock:
        for key in list(_servers):
            server = _servers.pop(key)
            if key[0] == os.getpid():
                server.close()


atexit.register(shut_down)


def shared_pair(lab: Lab, sandbox: Sandbox, name: str) -> str:
    """The address of the warm pair that all workers of this user on this machine share, begun by the first that asks.

    Args:
        lab: what it gets ready for.
        sandbox: as in `grade_submission`.
        name: of all that judges, so that no pair serves what it was not begun for.
    """
    about = json.dumps([os.geteuid(), sandbox, name, sys.executable, search_path()])
    address = f"vae-lab-{hashlib.sha256(about.encode()).hexdigest()[:32]}"
    try:
        _shared.append(WarmPair(lab, sandbox, address=address))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:  # that is: it is there
            raise
    return address


def grade_submission(
    lab: Lab,
    student: str,
    notebook: bytes,
    *,
    limits: Limits | None = None,
    sandbox: Sandbox = "required",
    pair: str = "",
) -> SubmissionResult:
    """Grade one submitted notebook.

    Args:
        lab: from `load_lab`.
        student: whose it is; only copied into the result.
        notebook: the bytes of the submitted file, whatever they are.
        limits: of time, memory and size.
        sandbox: "required", or "unsafe" to run students' code with this process's own rights (each result is flagged).
        pair: the address of a `WarmPair` that several workers share; by default this process has one of its own.

    Returns:
        One result. Its status is "error" only where the grader itself failed, with the reason.

    Raises:
        RoomError: if no submission could be graded here.
    """
    limits = limits or Limits()
    began = time.perf_counter()
    submission = read_notebook(lab, notebook)
    flags = list(submission.flags)
    if sandbox == "unsafe":
        flags.append(UNSAFE_FLAG)
    if submission.problem:
        cells = {cell.grade_id: CellResult(0.0, cell.points, False, submission.problem) for cell in lab.graded}
        return SubmissionResult(student, lab.name, "graded", cells, time.perf_counter() - began, tuple(flags))
    try:
        with _lock:
            server = _server(lab, sandbox, pair)
            began = time.perf_counter()
            outcome = server.judge(lab, submission, notebook, limits)
        if not isinstance(outcome, JudgeReport):
            raise SandboxError("the grading server answered with something else than an outcome")
    except RoomError:
        raise
    except (SandboxError, OSError) as error:
        return _failed(lab, student, str(error), began, flags)
    if outcome.failure:
        return _failed(lab, student, outcome.failure, began, flags)
    verdicts = outcome.verdicts
    cells = {cell.grade_id: _cell_result(cell, submission, verdicts) for cell in lab.graded}
    waits = any(result.passed is None for result in cells.values())
    return SubmissionResult(
        student,
        lab.name,
        "manual" if waits else "graded",
        cells,
        time.perf_counter() - began,
        tuple(flags + outcome.flags),
        resources=outcome.resources,
    )


def _cell_result(
    cell: LabCell, submission: SubmittedNotebook, verdicts: dict[str, tuple[bool | None, str]]
) -> CellResult:
    if cell.role == "written":
        if cell.grade_id in submission.blank:
            return CellResult(0.0, cell.points, False, "no answer given")
        return CellResult(0.0, cell.points, None)
    passed, message = verdicts.get(
        cell.grade_id, (False, "The notebook's time was over before this check was reached.")
    )
    return CellResult(cell.points if passed else 0.0, cell.points, passed, message)


def _failed(lab: Lab, student: str, reason: str, began: float, flags: list[str]) -> SubmissionResult:
    cells = {
        cell.grade_id: CellResult(0.0, cell.points, None if cell.role == "written" else False) for cell in lab.graded
    }
    return SubmissionResult(student, lab.name, "error", cells, time.perf_counter() - began, tuple(flags), reason)
