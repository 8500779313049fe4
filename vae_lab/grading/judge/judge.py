"""The trusted side of one submission: runs the instructor's cells, proxies for the student's, and decides.

Runs in a process of its own, forked from the warm server and thrown away afterwards. Nothing that a student wrote is
executed here.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import random
import signal
import sys
import time
import types
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import torch
from IPython.core.inputtransformer2 import TransformerManager

from vae_lab.checks.messages import brief, is_stub, told
from vae_lab.checks.substitution import notebook_is_elsewhere
from vae_lab.grading.judge.environment import Needs, unrun_answers
from vae_lab.grading.judge.session import GRACE_SECONDS, OutOfTime, Session
from vae_lab.grading.judge.submitted_notebook import Step, SubmittedNotebook
from vae_lab.grading.judge.verdict import clean, not_defined, say_why
from vae_lab.grading.lab.source import Lab, LabCell
from vae_lab.grading.limits import Limits
from vae_lab.grading.rpc.exceptions import chain
from vae_lab.grading.rpc.proxy import Proxy, RemoteError
from vae_lab.grading.rpc.wire import Gone, Late, WireError
from vae_lab.grading.sandbox.bubblewrap import WarmSandbox

Call = tuple[Any, tuple[Any, ...], dict[str, Any]]
UNJUDGED = "Not judged here: your code needs {}, which the grader's machine has not. A person will look at it."


class TestTookTooLong(BaseException):
    """A test cell is over its time."""


class Judge:
    """Runs a lab's cells against one submission.

    Args:
        lab: the instructor's lab.
        submission: what was read from the submitted notebook.
        limits: of time and size.
        warm: the sandbox.
        seed: all randomness of this grading derives from it.
        report: called with (grade_id, passed, message) after each test cell; passed is None where a person must look.
    """

    def __init__(
        self,
        lab: Lab,
        submission: SubmittedNotebook,
        limits: Limits,
        warm: WarmSandbox,
        seed: int,
        report: Callable[[str, bool | None, str], None],
    ) -> None:
        self.lab, self.submission, self.limits, self.report = lab, submission, limits, report
        self.session = Session(lab, limits, warm, seed)
        self.session.watch = self._note_hidden
        self.session.needs = Needs(submission.steps, submission.python)
        self.seed = seed
        self.withheld: dict[str, Again | None] = {}
        self.namespace: dict[str, Any] = _main_namespace()
        self.borrowed: set[str] = set()
        self.current: LabCell | None = None
        self.flags: list[str] = []
        notebook_is_elsewhere(lambda answer, functions: self.session.replaced(functions))
        _seed_everything(seed)

    def run(self) -> None:
        """Run every step in order and report each test cell."""
        try:
            for step in self.submission.steps:
                if step.kind == "tests":
                    self._judge(step)
                    continue
                with suppress(OutOfTime):
                    if step.kind in ("student", "setup"):
                        self.session.execute(step)
                if step.kind in ("setup", "given") and step.cell is not None:
                    with suppress(Exception, TestTookTooLong, SystemExit):
                        self._run_cell(step.cell)
        finally:
            self.session.close()
        if self.withheld:
            self._say_more()
        if self.session.changed_arguments:
            self.flags.append("an answer changes its arguments in place")
        self.flags += unrun_answers(self.submission.steps) + self.session.needs.flags()
        self.flags += [f"ended its process: {why}" for why in sorted(self.session.incidents)]

    def _judge(self, step: Step) -> None:
        assert step.cell is not None
        cell = self.lab.cells[step.cell]
        message = ""
        passed: bool | None
        try:
            peer = self.session.connected()
            self._run_cell(step.cell)
            passed = not peer.reason and self.session.peer is peer
            if not passed:
                message = f"Your code's answer could not be read: {peer.reason}."
        except (Gone, Late, WireError) as error:
            passed = False
            message = self._wire_message(error)
        except OutOfTime as error:
            passed, message = False, str(error)
        except TestTookTooLong:
            passed, message = False, f"Took longer than {self.limits.test_seconds:g} s."
            self.session.close()
        except BaseException as error:
            need = self._lacked(error)
            passed = None if need else False
            message = UNJUDGED.format(need) if need else self._explain(error, cell)
        peer_now = self.session.peer
        if peer_now is not None and peer_now.reason:
            self.session.incidents.add(peer_now.reason)
            self.session.close()
        self.report(cell.grade_id, passed, "" if passed else clean(message or "a check failed"))

    def _lacked(self, error: BaseException) -> str:
        """What this machine has not and the student's code needed when a test failed, or ""."""
        for link in chain(error):
            if isinstance(link, RemoteError):
                return self.session.needs.of_call(link.kind, link.text or link.withheld)
        return self.session.needs.lost.get(error.name or "", "") if isinstance(error, NameError) else ""

    def _wire_message(self, error: WireError) -> str:
        peer = self.session.peer
        if peer is None or not peer.reason:
            return f"What the test needs cannot cross to it: {error}."
        why = say_why(error, self.session.close(), self.limits, self.limits.test_seconds)
        self.session.incidents.add(why)
        return why

    def _run_cell(self, number: int) -> None:
        """Execute one of the instructor's cells here.

        Raises:
            Whatever the cell raises.
        """
        self.current = self.lab.cells[number]
        try:
            self._run_source(number, self.current.source)
        finally:
            self.current = None

    def _run_source(self, number: int, source: str) -> None:
        """Execute a source here in place of one of the instructor's cells.

        Raises:
            Whatever the cell raises.
        """
        cell = self.lab.cells[number]
        tree = ast.parse(TransformerManager().transform_cell(source))
        self._borrow(number, tree)
        code = compile(tree, f"<{cell.grade_id or number}>", "exec", dont_inherit=True)
        if self.session.peer is not None:
            self.session.peer.deadline = (
                min(time.monotonic() + self.limits.test_seconds, self.session.end) + GRACE_SECONDS
            )
        signal.signal(signal.SIGALRM, _too_long)
        signal.setitimer(signal.ITIMER_REAL, self.limits.test_seconds + 2 * GRACE_SECONDS, 1.0)
        try:
            exec(code, self.namespace)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _borrow(self, number: int, tree: ast.Module) -> None:
        """Put proxies for the student's names into the namespace, fresh ones for each cell."""
        for name in self.borrowed:
            self.namespace.pop(name, None)
        self.borrowed.clear()
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        own = self.lab.cells[number].defines
        wanted = sorted(name for name in used if self._is_students(name, number, own))
        if not wanted or self.session.peer is None:
            return
        self.session.peer.deadline = time.monotonic() + GRACE_SECONDS + 10.0
        found = self.session.peer.ask("names", wanted)
        if type(found) is not dict or not set(found) <= set(wanted):
            raise self.session.peer.broken("names are malformed")
        if any(callable(value) and not isinstance(value, Proxy) for value in found.values()):
            raise self.session.peer.broken("a name of the notebook means a function of a test")
        self.namespace.update(found)
        self.borrowed.update(found)

    def _is_students(self, name: str, number: int, own: tuple[str, ...]) -> bool:
        """Whether a name means the student's object at this cell: the lab's last cell that binds it is a solution."""
        for earlier in reversed(range(number)):
            cell = self.lab.cells[earlier]
            if name in cell.defines:
                return cell.role in ("solution", "written")
        return name not in self.namespace and name not in own and not hasattr(builtins, name)

    def _note_hidden(self) -> None:
        """Remember that the student's process has seen a hidden test's inputs, which its texts could now hold."""
        if not self.session.knows_hidden:
            self.session.knows_hidden = self._in_hidden()

    def _say_more(self) -> None:
        """Fetch texts that were withheld from a process that has never seen a hidden test's inputs.

        The notebook runs once more, alone; then the visible part of each test that failed. Where that passes, what a
        hidden line called is called again, with other numbers. Verdicts stay as they are.
        """
        fresh = Session(self.lab, self.limits, self.session.warm, self.seed)
        fresh.end = min(fresh.end, self.session.end)
        old, self.session = self.session, fresh
        _seed_everything(self.seed)
        try:
            for step in self.submission.steps:
                if step.kind in ("student", "setup"):
                    fresh.execute(step)
            for number, cell in enumerate(self.lab.cells):
                if cell.grade_id in self.withheld:
                    self._say_more_about(number, cell)
        except (OutOfTime, WireError):
            pass
        finally:
            fresh.close()
            self.session = old

    def _say_more_about(self, number: int, cell: LabCell) -> None:
        message = ""
        try:
            self._run_source(number, cell.released)
            message = self._said_again(self.withheld[cell.grade_id])
        except NameError as error:
            if error.name:
                message = not_defined(error.name, self.lab, self.session.errors)
        except (Exception, TestTookTooLong) as error:
            if remote_in(error) is not None:
                message = self._words(error, hidden=False)
        if message:
            self.report(cell.grade_id, False, clean(message))

    def _said_again(self, again: Again | None) -> str:
        """What the student's function says, called with numbers that have nothing to do with a hidden test's."""
        peer = self.session.peer
        if again is None or peer is None:
            return ""
        peer.deadline = min(time.monotonic() + self.limits.test_seconds, self.session.end) + GRACE_SECONDS
        function = peer.ask("names", [again.name]).get(again.name)
        args = [other_numbers(value) for value in again.args]
        try:
            function(*args)
        except RemoteError as error:
            words = told(f"{again.name}({brief(*args)})", error)
            return f"{words}\n(A hidden check called it like this; the words are from a call with other numbers.)"
        return ""

    def _in_hidden(self) -> bool:
        """Whether a hidden line of the test cell is being executed."""
        cell, frame = self.current, sys._getframe()
        if cell is None or not cell.hidden:
            return False
        name = f"<{cell.grade_id}>"
        step: types.FrameType | None = frame
        while step is not None:
            if step.f_code.co_filename == name and step.f_lineno in cell.hidden:
                return True
            step = step.f_back
        return False

    def _explain(self, error: BaseException, cell: LabCell) -> str:
        name = f"<{cell.grade_id}>"
        lines: list[int] = []
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == name:
                lines.append(trace.tb_lineno)
            trace = trace.tb_next
        hidden = any(line in cell.hidden for line in lines)
        remote = remote_in(error)
        if remote is not None:
            if remote.silenced and remote.kind != "TookTooLong" and not is_stub(remote):
                self.withheld[cell.grade_id] = self._again(remote) if hidden else None
            return self._words(error, hidden)
        if isinstance(error, AssertionError):
            if str(error) or hidden or not lines:
                return str(error) or "A hidden check failed."
            return f"This check failed: {cell.source.splitlines()[lines[0] - 1].strip()}"
        if (
            isinstance(error, NameError)
            and error.name
            and self._is_students(error.name, self.lab.cells.index(cell), cell.defines)
        ):
            message = not_defined(error.name, self.lab, self.session.errors)
            if self.session.knows_hidden and "stopped" in message:
                self.withheld[cell.grade_id] = None
            return message
        kind = type(error).__name__
        if not hidden:
            return f"{kind}: {error}"
        called = self._called(self.session.peer.last_call if self.session.peer else None)
        return f"A hidden check stopped with {kind}: what your code gave it{called} is of another kind than asked for."

    def _words(self, error: BaseException, hidden: bool) -> str:
        """What a student reads of an exception that their code raised, or that a check made of one."""
        remote = remote_in(error)
        assert remote is not None
        if remote.kind == "TookTooLong":
            return f"Your code took longer than {self.limits.call_seconds:g} s."
        if error is not remote:  # a check has put it into words
            return f"{error}\n(A hidden check.)" if hidden else str(error)
        if is_stub(remote):
            return "Not attempted yet: your code raises NotImplementedError."
        if hidden:
            return f"Your code raised {remote.kind} in a hidden check{self._called(remote.called)}."
        return told("Your code", remote)

    def _called(self, call: Call | None) -> str:
        """What a hidden line called, as far as a student may know: shapes and types, no values."""
        again = self._named(call)
        return f", called as {again.name}({brief(*again.args)})" if again is not None else ""

    def _named(self, call: Call | None) -> Again | None:
        """A call of one of the student's functions, by its name."""
        if call is None:
            return None
        name = next((name for name in sorted(self.borrowed) if self.namespace.get(name) is call[0]), "")
        return Again(name, call[1]) if name else None

    def _again(self, error: RemoteError) -> Again | None:
        """What to call again for the words of an exception: a function of plain values, without keywords."""
        named = self._named(error.called)
        if named is None or error.called is None or error.called[2]:
            return None
        plain = torch.Tensor | int | float | str | None
        return named if all(isinstance(value, plain) for value in named.args) else None


class Again(NamedTuple):
    """A call to make once more: the name of the student's function, and what it was called with."""

    name: str
    args: tuple[Any, ...]


def other_numbers(value: Any) -> Any:
    """A tensor of the same kind with other numbers, in [0, 1); anything else as it is."""
    if not isinstance(value, torch.Tensor):
        return value
    return torch.rand(value.shape).to(value.dtype).requires_grad_(value.requires_grad)


def remote_in(error: BaseException) -> RemoteError | None:
    """The exception of the student's code that this one is, or was made of."""
    return next((link for link in chain(error, contexts=False) if isinstance(link, RemoteError)), None)


def _too_long(*args: Any) -> None:
    raise TestTookTooLong


def _main_namespace() -> dict[str, Any]:
    """A fresh `__main__`, with as much of IPython as an instructor's cell may touch."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__dict__["get_ipython"] = lambda: _NoMagic()
    return module.__dict__


class _NoMagic:
    """Ignores magics in the instructor's own cells."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *args, **kwargs: None


def _seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % (1 << 32))
    torch.manual_seed(seed)


def seed_for(lab: Lab, data: bytes) -> int:
    """A seed that depends on nothing but the lab and the submitted bytes, so that a regrade gives the same points."""
    return int.from_bytes(hashlib.sha256(lab.digest.encode() + data).digest()[:8], "big") >> 1
