"""Names for values, taken from the local variables of the reader's code while it runs."""

from __future__ import annotations

from types import FrameType
from typing import Any

from torch import Tensor

from vae_lab.graph.ledger import Ledger

_NAMELESS = {"<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>", "<lambda>"}  # their variables are no names to show


class Naming:
    """Looks at variables just before each operation: what a line before it assigned has a name by then."""

    def __init__(self) -> None:
        self._begin: dict[int, tuple[FrameType, int]] = {}  # frame -> the first value that can have been made in it
        self._last: FrameType | None = None

    def look(self, frames: tuple[FrameType, ...], ledger: Ledger) -> None:
        """Name what the frames, outermost first, hold in their variables."""
        inner = frames[-1] if frames else None
        for frame in frames:
            _, begin = self._begin.setdefault(id(frame), (frame, len(ledger.values)))
            # an outer frame cannot assign while the same inner one goes on
            if (frame is inner or self._last is not inner) and frame.f_code.co_name not in _NAMELESS:
                name_values(frame.f_locals, ledger, 0 if frame is frames[0] else begin)
        self._last = inner


def name_values(variables: dict[str, Any], ledger: Ledger, begin: int = 0) -> None:
    """Give values from number `begin` on the names of variables that hold them (an argument keeps its caller's)."""
    for name, thing in variables.items():
        if isinstance(thing, Tensor) and not name.startswith("_"):
            value = ledger.find(thing)
            nameless = value is not None and value.name is None and value.local is None
            if value is not None and nameless and value.kind == "result" and value.key >= begin:
                value.local = name
