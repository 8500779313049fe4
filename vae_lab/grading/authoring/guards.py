"""What a student's cell may not do while `vae-lab check` runs it: ask a question, install something, run for ever."""

from __future__ import annotations

import _thread
import builtins
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

INSTALLS = re.compile(
    r"^\s*(?:[!%]+\s*)(?:\{?sys\.executable\}?\s+-m\s+|[\w./]*python[\d.]*\s+-m\s+|uv\s+)?(?:pip3?|conda|mamba|uv)\s+"
    r"(?:install|add|uninstall|remove|sync)\b.*$",
    re.MULTILINE,
)


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
    """
    changed = INSTALLS.sub("pass  # not installed by vae-lab check", source)
    return changed, changed != source


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Interrupt what runs in the main thread after so many seconds; works wherever Ctrl-C does.

    Raises:
        TookTooLong: if the time was up.
    """
    over = threading.Event()

    def interrupt() -> None:
        over.set()
        _thread.interrupt_main()

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except KeyboardInterrupt:
        if not over.is_set():
            raise
    finally:
        timer.cancel()
    if over.is_set():
        raise TookTooLong(f"stopped after {seconds:g} s: a loop without an end, or much more work than the task needs?")


@contextmanager
def nobody_answers() -> Iterator[None]:
    """Let `input` fail at once."""
    kept: Any = builtins.input
    builtins.input = no_input
    try:
        yield
    finally:
        builtins.input = kept
