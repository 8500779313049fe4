"""What a student's cell may not do while `vae-lab check` runs it: ask a question, install something, run for ever."""

from __future__ import annotations

import _thread
import builtins
import re
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

COMMAND = (
    r"(?:\b|-m)(?:pip[\d.]*|conda|mamba|micromamba|uv|apt|apt-get|brew|npm)(?:\s+(?:-\S+|pip))*\s+"
    r"(?:install|add|uninstall|remove|sync|upgrade)\b"
)
REST = r"[^\n\\]*(?:\\.[^\n\\]*)*$"  # of a line that a backslash may carry on
INSTALLS = re.compile(rf"^([ \t]*)[!%]{{1,2}}[^\n%]*?{COMMAND}{REST}", re.MULTILINE | re.DOTALL)
SHELL_CELL = re.compile(r"\A\s*%%(?:bash|sh|script|system)\b")
SHELL_INSTALLS = re.compile(rf"^([ \t]*)(?!%)[^\n#]*?{COMMAND}{REST}", re.MULTILINE | re.DOTALL)
LEFT_OUT = "Lines that install packages were left out: what they install must be here already."


class TookTooLong(Exception):
    """A cell ran over its time."""


def no_input(prompt: object = "") -> NoReturn:
    """Stands for `input`: nobody is there to answer, here or in the grader."""
    raise RuntimeError(
        "input() waits for somebody to type, and nobody does here or in the grader: write the value down"
    )


def without_installs(source: str) -> tuple[str, bool]:
    r"""A cell whose lines that install packages are left out, and whether there were any.

    Example:
        >>> without_installs("%pip install einops\nx = 1")
        ('pass  # not installed by vae-lab check\nx = 1', True)
        >>> without_installs("%%bash\nls\npip install einops")
        ('%%bash\nls\n:  # not installed by vae-lab check', True)
    """
    if SHELL_CELL.match(source):
        changed = SHELL_INSTALLS.sub(r"\1:  # not installed by vae-lab check", source)
    else:
        changed = INSTALLS.sub(r"\1pass  # not installed by vae-lab check", source)
    return changed, changed != source


def not_handed_in(files: Iterable[str]) -> Iterator[str]:
    """What to tell a student whose cells use other files than the notebook."""
    for file in files:
        yield f"{file} lies beside the notebook and is not handed in: copy what you use into a cell."


def too_late(seconds: float) -> str:
    """What to tell a student whose cell was interrupted."""
    return f"stopped after {seconds:g} s: a loop without an end, or much more work than the task needs?"


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Interrupt what runs in the main thread after so many seconds, as Ctrl-C would.

    A shell's background job ignores Ctrl-C, and would ignore this too: there it is heeded for as long as this lasts.

    Raises:
        TookTooLong: if the time was up.
    """
    over = threading.Event()

    def interrupt() -> None:
        over.set()
        _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if not over.is_set():
            raise
    finally:
        timer.cancel()
        if ignored:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    if over.is_set():
        raise TookTooLong(too_late(seconds))


@contextmanager
def nobody_answers() -> Iterator[None]:
    """Let `input` fail at once."""
    kept: Any = builtins.input
    builtins.input = no_input
    try:
        yield
    finally:
        builtins.input = kept
