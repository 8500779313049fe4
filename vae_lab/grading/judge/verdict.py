"""The words of a verdict: why a check failed, cleaned of everything but text."""

from __future__ import annotations

import unicodedata

from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits
from vae_lab.grading.rpc.wire import Late, WireError
from vae_lab.grading.sandbox.warm import Ended

MAX_MESSAGE = 2_000


def clean(text: str, limit: int = MAX_MESSAGE) -> str:
    r"""A text without control characters, direction marks and excess length.

    >>> clean("a\x1b[31mred\u202e\nb")
    'a[31mred\nb'
    """
    text = text[: 4 * limit]
    kept = "".join(
        c
        for c in text
        if c == "\n" or c == "\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    )
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"


def say_why(error: WireError, ended: Ended, limits: Limits, seconds: float) -> str:
    """Why the student's process is gone, in one line for the student."""
    if ended.why == "memory":
        return f"Your code used more than {limits.memory >> 20} MiB of memory."
    if ended.why == "processes":
        return f"Your code started more than {limits.processes} processes."
    if isinstance(error, Late):
        return f"Your code took longer than {seconds:g} s and could not be interrupted."
    if str(error) == "the other side ended":
        return "Your code ended the Python process it ran in."
    return f"Your code's answer could not be read: {error}."


def not_defined(name: str, lab: Lab, errors: dict[int, str]) -> str:
    """What to tell a student whose notebook does not define a name that a test needs."""
    for number, cell in enumerate(lab.cells):
        if cell.role in ("solution", "setup") and name in cell.defines and number in errors:
            return f"You have not defined `{name}`. Its cell stopped: {errors[number]}"
    return f"You have not defined `{name}`."
