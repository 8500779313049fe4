"""The untrusted side: runs a student's cells in order in one IPython shell and answers the judge's questions.

Everything here runs inside the sandbox, in a process that the student's code may corrupt as it likes: nothing in this
file protects anything. It only tries to be a fair place to run a notebook in: magics work or do nothing, output goes
nowhere, `input()` fails cleanly, and a cell or call that runs over its time is interrupted so that the rest of the
notebook still counts.
"""

from __future__ import annotations

import builtins
import importlib
import os
import random
import signal
import socket
import sys
import time
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from vae_lab.grading.rpc.lacking import OTHER_LANGUAGES
from vae_lab.grading.rpc.objects import use
from vae_lab.grading.rpc.peer import Peer
from vae_lab.grading.rpc.wire import Channel
from vae_lab.grading.student.other_machine import Wanting, carry_on, settle
from vae_lab.grading.student.standstill import Following

FIRST_LOOK = 1.0  # seconds

RUNNABLE_MAGICS = frozenset(
    {"time", "timeit", "capture", "prun", "who", "whos", "writefile", "file", "run", "pwd", "cd", "env"}
)


class TookTooLong(BaseException):
    """ExceptionTable inside a student's cell or call when its time is over."""


class StandsStill(TookTooLong):
    """The same, where it is known that it would never end."""


class Shell(InteractiveShell):
    """IPython without terminal, history, tracebacks or a system shell; a magic that is not available does nothing."""

    wanting: Wanting
    replaced: dict[str, Any]  # the notebook's own, while a test has others in their place

    def replace(self, functions: dict[str, Any]) -> None:
        """Let names of the notebook mean a test's functions, and those that were replaced before what they meant."""
        self.user_ns.update(self.replaced)
        self.replaced = {name: self.user_ns[name] for name in functions if name in self.user_ns}
        self.user_ns.update({name: functions[name] for name in self.replaced})

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        """Show nothing: who asks learns the exception itself."""

    def showsyntaxerror(self, *args: Any, **kwargs: Any) -> None:
        """Show nothing."""

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        """Run a harmless magic, ignore any other."""
        return super().run_line_magic(magic_name, line, _stack_depth + 1) if magic_name in RUNNABLE_MAGICS else None

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        """Run a harmless magic; of any other the body, unless it is in another language."""
        if magic_name in RUNNABLE_MAGICS:
            return super().run_cell_magic(magic_name, line, cell)
        if magic_name in OTHER_LANGUAGES:
            return None
        result = self.run_cell(cell)  # %%memit, %%snakeviz, and whatever a student's packages brought along
        result.raise_error()
        return result.result

    def system(self, cmd: str) -> None:
        """Refuse `!command` quietly."""

    system_raw = system_piped = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> list[str]:
        """Refuse `x = !command` quietly."""
        return []

    def enable_gui(self, gui: Any = None) -> None:
        """There is none."""


def make_shell() -> Shell:
    """A shell whose namespace is `__main__`; built once, before any student's code."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main
    Shell.clear_instance()
    config = Config()
    config.HistoryManager.enabled = False
    shell = Shell.instance(config=config, user_module=main, user_ns=main.__dict__)
    shell.Completer.use_jedi = False
    shell.displayhook.write_output_prompt = lambda: None
    shell.displayhook.write_format_data = lambda *args, **kwargs: None
    shell.display_pub.publish = lambda *args, **kwargs: None
    shell.run_cell("def warm(): pass\n%time warm()\n")  # what IPython loads on first use
    shell.reset(new_session=True)
    shell.wanting, shell.replaced = settle(shell), {}
    return shell


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt the body with `TookTooLong` after so many seconds, and again every second in case it is swallowed.

    From time to time before that it is looked at whether it goes in circles; then it is interrupted at once.
    """
    if signal.getitimer(signal.ITIMER_REAL)[0] > 0:  # a call within a call: the outer one's time goes on
        yield
        return
    began, looks, following = time.monotonic(), looked_at(seconds), None

    def stop(number: int, frame: types.FrameType | None) -> None:
        nonlocal following
        if following is not None:
            following.stop()
        if time.monotonic() - began >= seconds - 0.01:
            raise TookTooLong(f"took longer than {seconds:g} s")
        signal.setitimer(signal.ITIMER_REAL, max(0.01, began + next(looks) - time.monotonic()), 1.0)
        following = Following(frame, _serve.__code__, stands_still)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, next(looks), 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        if following is not None:
            following.stop()


first_look = [FIRST_LOOK]


def looked_at(seconds: float) -> Iterator[float]:
    """The times, from the start, at which a call or cell that still runs is looked at, and last its end."""
    after = first_look[0]
    while after < seconds:
        yield after
        after *= 2
    while True:
        yield seconds


def stands_still() -> StandsStill:
    """The exception for code that goes in circles; what comes after is looked at sooner."""
    first_look[0] = FIRST_LOOK / 5
    return StandsStill("is where it was before, with every value that it looks at as it was")


def reserve(names: list[str], lab: str) -> None:
    """Replace names such as `vae_lab.sampling.reparameterize` by functions that say what the lab asks for."""
    for dotted in names:
        module_name, _, name = dotted.rpartition(".")
        try:
            module = importlib.import_module(module_name)
        except ImportError:
            continue
        if hasattr(module, name):
            setattr(module, name, _reserved(name))


def _reserved(name: str) -> type:
    message = f"this lab asks you to write {name} yourself"

    class Reserved:
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            raise RuntimeError(message)

    Reserved.__name__ = Reserved.__qualname__ = name
    return Reserved


def _no_input(prompt: object = "") -> str:
    raise RuntimeError("input() is not available while a notebook is graded")


def serve(sock: socket.socket, shell: Shell, limits: dict[str, Any]) -> None:
    """Answer the judge until it closes."""
    peer = Peer(
        Channel(sock, max_text=limits["max_text"], max_tensors=limits["max_tensors"]),
        lambda op, values: _serve(shell, limits, op, values),
        trusted=False,
    )
    os.register_at_fork(after_in_child=sock.close)  # a process that the notebook forks does not answer for it
    peer.answer_forever()


def _serve(shell: Shell, limits: dict[str, Any], op: str, values: list[Any]) -> Any:
    match op, values:
        case "begin", [seed, names, lab]:
            random.seed(seed)
            np.random.seed(seed % (1 << 32))
            torch.manual_seed(seed)
            reserve(names, lab)
            builtins.input = _no_input
            return None
        case "patience", [float() | int() as seconds]:
            limits["call_seconds"] = seconds
            return None
        case "cell", [str() as source, float() | int() as seconds]:
            with time_limit(seconds):
                result = shell.run_cell(source, store_history=True)
                error = result.error_before_exec or result.error_in_exec
                if error is not None:
                    carry_on(error, shell.transform_cell(source), shell.user_ns)
            asked_for = shell.wanting.take()
            if error is not None:
                raise error
            return asked_for
        case "names", [list() as names]:
            return {name: shell.user_ns[name] for name in names if name in shell.user_ns}
        case "replace", [dict() as functions]:
            shell.replace(functions)
            return None
    with time_limit(limits["call_seconds"]):
        return use(op, values, guarded=False)


def quiet() -> None:
    """Send standard output and error to nowhere, and read nothing from standard input."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    if null > 2:
        os.close(null)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(n, mode, closefd=False) for n, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
