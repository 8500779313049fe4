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

from vae_lab.checks.messages import is_stub, told
from vae_lab.checks.substitution import notebook_is_elsewhere
from vae_lab.grading.judge.environment import Needs, unrun_answers
from vae_lab.grading.judge.hidden_words import words_of
from vae_lab.grading.judge.kinds import kind_of
from vae_lab.grading.judge.patience import GRACE_SECONDS, CutShort
from vae_lab.grading.judge.session import OutOfTime, Session
from vae_lab.grading.judge.submitted_notebook import Step, SubmittedNotebook
from vae_lab.grading.judge.verdict import clean, not_defined, say_why
from vae_lab.grading.lab.source import Lab, LabCell
from vae_lab.grading.limits import Limits
from vae_lab.grading.rpc.exceptions import chain, usual_kind
from vae_lab.grading.rpc.proxy import Proxy, RemoteError, well_known
from vae_lab.grading.rpc.wire import Gone, Late, WireError
from vae_lab.grading.sandbox.warm import Slot

Call = tuple[Any, tuple[Any, ...], dict[str, Any]]
NO_VALUES = "… stands for a value, and n for any number but 1."
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
        warm: Slot,
        seed: int,
        report: Callable[[str, bool | None, str], None],
    ) -> None:
        self.lab, self.submission, self.limits, self.report = lab, submission, limits, report
        self.session = Session(lab, limits, warm, seed)
        self.session.watch = self._note_hidden
        self.session.needs = Needs(submission.steps, submission.python)
        self.seed = seed
        self.withheld: dict[str, Withheld] = {}
        self.in_full: dict[str, str] = {}  # for an instructor, where a student reads less
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
                self._run_step(step)
        finally:
            self.session.close()
        if self.session.changed_arguments:
            self.flags.append("an answer changes its arguments in place")
        self.flags += unrun_answers(self.submission.steps) + self.session.needs.flags()
        self.flags += self.session.patience.flags()
        self.flags += [f"ended its process: {why}" for why in sorted(self.session.incidents)]

    def _run_step(self, step: Step) -> None:
        """Run what is no test: the student's cells there, the instructor's here."""
        with suppress(OutOfTime):
            if step.kind in ("student", "setup"):
                self.session.execute(step)
        if step.kind in ("setup", "given") and step.cell is not None:
            with suppress(Exception, TestTookTooLong, SystemExit):
                self._run_cell(step.cell)

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
        except BaseException as error:  # among them what the test asserts
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
            return self._without_values(f"What the test needs cannot cross to it: {error}.")
        why = say_why(error, self.session.close(), self.limits, peer.waited or self.limits.test_seconds)
        self.session.incidents.add(why)
        return why

    def _run_cell(self, number: int) -> None:
        """Execute one of the instructor's cells here.

        Raises:
            Whatever the cell raises.
        """
        self.current = cell = self.lab.cells[number]
        reached = True
        try:
            self._run_source(number, cell.source)
        except BaseException as error:
            reached = max(lines_in(error, cell), default=0) >= min(cell.hidden, default=0)
            raise
        finally:
            self.session.knows_hidden |= bool(cell.hidden) and reached
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
        """What a student reads: everything, or once hidden inputs are known what holds none of them."""
        hidden = bool(lines_in(error, cell) & cell.hidden)
        if not hidden and not self.session.knows_hidden:
            return self._all_words(error, cell)
        self.in_full[cell.grade_id] = self._all_words(error, cell)
        text, whole, again = self._words(error, cell, hidden)
        if not whole:
            self.withheld[cell.grade_id] = Withheld(hidden, again)
        return text

    def _without_values(self, text: str) -> str:
        """A text that may hold a value, or what it says without one."""
        return text if not self.session.knows_hidden else f"{text.partition(':')[0]}."

    def _all_words(self, error: BaseException, cell: LabCell) -> str:
        """What there is to say, with values: for a student who has seen no hidden input, or an instructor."""
        remote = remote_in(error)
        if remote is not None:
            if fixed := self._of_course(error, remote):
                return fixed
            return str(error) if error is not remote else told("Your code", remote)
        if isinstance(error, AssertionError):
            lines = sorted(lines_in(error, cell))
            asserted = cell.source.splitlines()[lines[0] - 1].strip() if lines else ""
            return str(error) or (f"This check failed: {asserted}" if asserted else "A check failed.")
        if isinstance(error, NameError) and error.name and self._means_students(error.name, cell):
            return not_defined(error.name, self.lab, self.session.errors)
        return f"{type(error).__name__}: {error}"

    def _words(self, error: BaseException, cell: LabCell, hidden: bool) -> tuple[str, bool, Again | None]:
        """What there is to say without a value, whether that is all, and else what to call again for more."""
        remote = remote_in(error)
        where = " in a hidden check" if hidden else ""
        if remote is not None:
            if fixed := self._of_course(error, remote):
                return fixed, True, None
            sentence = well_known(remote.text or remote.withheld)
            text = f"Your code raised {usual_kind(remote.kind)}{where}{self._called(remote.called)}."
            return f"{text} {sentence}.".removesuffix(" ."), False, self._again(remote)
        if isinstance(error, AssertionError):
            if not str(error) and not hidden:
                return self._all_words(error, cell), True, None
            words = words_of(error, cell)
            if not words.text.strip("… ") and error.__cause__ is not None:  # what a check's own model raised at a call
                kind = usual_kind(type(error.__cause__).__name__)
                last = self.session.peer.last_call if self.session.peer else None
                return f"Your code raised {kind}{where}{self._called(last)}.", False, None
            legend = f"\n({'A hidden check: ' if hidden else ''}{NO_VALUES})"
            return words.text + ("" if words.whole else legend), words.whole, None
        if isinstance(error, NameError) and error.name and self._means_students(error.name, cell):
            stopped = "stopped" in self._all_words(error, cell)
            return f"You have not defined `{error.name}`." + " Its cell stopped." * stopped, not stopped, None
        called = self._called(self.session.peer.last_call if self.session.peer else None)
        kind = usual_kind(type(error).__name__)
        check = "A hidden check" if hidden else "A check"
        return (
            f"{check} stopped with {kind}: what your code gave it{called} is of another kind than asked for.",
            False,
            None,
        )

    def _of_course(self, error: BaseException, remote: RemoteError) -> str:
        """What is said without any of the student's own words, or "" where those tell more."""
        if isinstance(remote, CutShort):
            return remote.text
        if error is remote and is_stub(remote):
            return "Not attempted yet: your code raises NotImplementedError."
        return ""

    def _means_students(self, name: str, cell: LabCell) -> bool:
        return self._is_students(name, self.lab.cells.index(cell), cell.defines)

    def _called(self, call: Call | None) -> str:
        """What was called, as far as a student may know: the kind of each argument."""
        again = self._named(call)
        return f", called as {again.name}({', '.join(map(kind_of, again.args))})" if again is not None else ""

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


class Withheld(NamedTuple):
    """What is not told of a failed test cell: whether a hidden line failed, and the call that raised, if one did."""

    hidden: bool
    again: Again | None


def lines_in(error: BaseException, cell: LabCell) -> frozenset[int]:
    """The lines of a test cell that an exception passed through."""
    found, trace = set(), error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == f"<{cell.grade_id}>":
            found.add(trace.tb_lineno)
        trace = trace.tb_next
    return frozenset(found)


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
