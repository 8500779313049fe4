"""Exceptions across: what one side says of an exception, and the exception that the other side raises for it."""

from __future__ import annotations

from typing import Any

from vae_lab.grading.rpc.proxy import RemoteError, remote_error, well_known
from vae_lab.grading.rpc.wire import WireError

MAX_ERROR_TEXT = 4_000


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
            return {"type": type(error).__name__, "bases": ["RuntimeError"], "text": "", "origin": number}
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, RemoteError) and hasattr(cause, "origin"):
                return {"back": cause.origin, "type": "", "bases": [], "text": ""}
            cause = cause.__cause__ or cause.__context__
        bases = [base.__name__ for base in type(error).__mro__ if base.__module__ == "builtins"]
        try:
            text = f"{error.msg} (line {error.lineno})" if isinstance(error, SyntaxError) else str(error)
        except Exception:
            text = ""
        return {"type": type(error).__name__, "bases": bases, "text": text[:MAX_ERROR_TEXT]}

    def read(self, node: Any, withhold: bool) -> BaseException:
        """The exception to raise for what the other side described.

        Args:
            node: what `describe` wrote there.
            withhold: whether to keep its text away, all but torch's own sentences.

        Raises:
            WireError: if it is malformed.
        """
        if type(node) is not dict:
            raise WireError("an answer is malformed")
        back = node.get("back")
        if type(back) is int and 0 <= back < len(self._raised):
            return self._raised[back]
        kind, bases, text = node.get("type"), node.get("bases"), node.get("text")
        if type(kind) is not str or type(text) is not str:
            raise WireError("an answer is malformed")
        if type(bases) is not list or not all(type(base) is str for base in bases):
            raise WireError("an answer is malformed")
        text = text[:MAX_ERROR_TEXT]
        error = remote_error(kind[:80], bases, well_known(text) if withhold else text)
        error.withheld = text
        origin = node.get("origin")
        if type(origin) is int:
            error.origin = origin  # type: ignore[attr-defined]
        return error
