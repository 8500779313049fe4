"""Exceptions across: what one side says of an exception, and the exception that the other side raises for it."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

from vae_lab.checks.student_line import LONGEST, StudentLine, student_line
from vae_lab.grading.rpc.proxy import RemoteError, remote_error, well_known
from vae_lab.grading.rpc.wire import WireError

MAX_ERROR_TEXT = 4_000
KNOWN_KINDS = frozenset(
    name for name, value in vars(builtins).items() if isinstance(value, type) and issubclass(value, BaseException)
) | {"TookTooLong", "StandsStill", "OutOfMemoryError", "InductorError"}
"""Names of exceptions that no student chose."""
USUAL_KINDS = (
    "ValueError", "TypeError", "IndexError", "KeyError", "AttributeError", "NameError", "UnboundLocalError",
    "ZeroDivisionError", "AssertionError", "NotImplementedError", "RecursionError", "ImportError", "StopIteration",
    "OutOfMemoryError", "MemoryError", "RuntimeError",
)  # fmt: skip
"""Those of them that answers raise."""


def chain(error: BaseException, *, contexts: bool = True) -> Iterator[BaseException]:
    """An exception and what it came from, each once: code that raises a kept exception again makes a ring of them.

    Args:
        error: the exception.
        contexts: whether to follow also what was being handled when it was raised, and not only `raise ... from`.

    Example:
        >>> one, two = ValueError("one"), ValueError("two")
        >>> one.__context__, two.__context__ = two, one
        >>> [str(error) for error in chain(one)]
        ['one', 'two']
    """
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (link.__context__ if contexts else None)


def usual_kind(kind: str) -> str:
    """The name of an exception if it is a usual one; a name tells no more than which of these.

    Example:
        >>> usual_kind("ValueError"), usual_kind("BrokenPipeError")
        ('ValueError', 'an exception')
    """
    return kind if kind in USUAL_KINDS else "an exception"


class ExceptionTable:
    """One side's exceptions that have crossed, so that one that comes back is raised as itself.

    Args:
        trusted: whether this is the side that decides; it says no more than that its function raised.
    """

    def __init__(self, trusted: bool) -> None:
        self._trusted = trusted
        self._raised: list[BaseException] = []

    def describe(self, error: BaseException) -> dict[str, Any]:
        """An exception for the other side."""
        if self._trusted:
            self._raised.append(error)
            number = len(self._raised) - 1
            base = "AttributeError" if isinstance(error, AttributeError) else "RuntimeError"  # for hasattr's sake
            return {"type": type(error).__name__, "bases": [base], "text": "", "origin": number}
        for cause in chain(error):
            if isinstance(cause, RemoteError) and hasattr(cause, "origin"):
                return {"back": cause.origin, "type": "", "bases": [], "text": "", "line": student_line(error)}
        bases = [base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"]
        try:
            text = f"{error.msg} (line {error.lineno})" if isinstance(error, SyntaxError) else str(error)
        except Exception:
            text = ""
        where = student_line(error)
        return {"type": type(error).__name__, "bases": bases, "text": text[:MAX_ERROR_TEXT], "line": where}

    def read(self, node: Any, withhold: bool) -> BaseException:
        """The exception to raise for what the other side described.

        Args:
            node: what `describe` wrote there.
            withhold: whether to keep away all that the other side chose: its text, all but torch's own sentences, the
                line it came from, and a name that is not one of Python's or torch's.

        Raises:
            WireError: if it is malformed.
        """
        if type(node) is not dict:
            raise WireError("an answer is malformed")
        back, line = node.get("back"), None if withhold else _line(node.get("line"))
        if type(back) is int and 0 <= back < len(self._raised):
            ours = self._raised[back]
            ours.student_line = line  # type: ignore[attr-defined]
            return ours
        kind, bases, text = node.get("type"), node.get("bases"), node.get("text")
        if type(kind) is not str or type(text) is not str:
            raise WireError("an answer is malformed")
        if type(bases) is not list or not all(type(base) is str for base in bases):
            raise WireError("an answer is malformed")
        text = text[:MAX_ERROR_TEXT]
        if withhold and kind not in KNOWN_KINDS:
            kind = next((base for base in bases if base in KNOWN_KINDS), "Exception")
        error = remote_error(kind[:80], bases, well_known(text) if withhold else text)
        error.student_line, error.silenced, error.withheld = line, withhold, text
        origin = node.get("origin")
        if type(origin) is int:
            error.origin = origin  # type: ignore[attr-defined]
        return error


def _line(node: Any) -> StudentLine | None:
    """The line that the other side names, if it does."""
    match node:
        case [str() as function, int() as number, str() as source] if source:
            return StudentLine(function[:LONGEST], number, source[:LONGEST])
    return None
