"""Names for values, given by the reader or taken from the local variables of the code while it runs."""

from __future__ import annotations

from types import FrameType
from typing import Any

from torch import Tensor

from vae_lab.graph.recording.comprehensions import variables_of_comprehensions
from vae_lab.graph.recording.tape import Tape
from vae_lab.graph.recording.values import Value

_NAMELESS = {"<listcomp>", "<genexpr>", "<setcomp>", "<dictcomp>", "<lambda>"}  # their variables are no names to show


class Naming:
    """Looks at variables just before each operation: what a line before it assigned has a name by then."""

    def __init__(self) -> None:
        self._begin: dict[int, tuple[FrameType, int]] = {}  # frame -> the first value that can have been made in it
        self._last: FrameType | None = None

    def look(self, frames: tuple[FrameType, ...], tape: Tape) -> None:
        """Name what the frames, outermost first, hold in their variables."""
        inner = frames[-1] if frames else None
        for frame in frames:
            _, begin = self._begin.setdefault(id(frame), (frame, len(tape.values)))
            # an outer frame cannot assign while the same inner one goes on
            if (frame is inner or self._last is not inner) and frame.f_code.co_name not in _NAMELESS:
                inside = variables_of_comprehensions(frame)
                variables = {name: thing for name, thing in frame.f_locals.items() if name not in inside}
                name_values(variables, tape, 0 if frame is frames[0] else begin)
        self._last = inner


def name_values(variables: dict[str, Any], tape: Tape, begin: int = 0) -> None:
    """Give values from number `begin` on the names of variables that hold them (an argument keeps its caller's)."""
    for name, thing in variables.items():
        if isinstance(thing, Tensor) and not name.startswith("_"):
            value = tape.find(thing)
            nameless = value is not None and value.name is None and value.local is None
            if value is not None and nameless and value.kind == "result" and value.key >= begin:
                value.local = name


def names_of(tape: Tape) -> dict[Value, str]:
    """The name of each named value: as given, and where no result was given one, the name of its variable."""
    names = {v: v.name for v in tape.values if v.name is not None}
    if any(v.op is not None for v in names):
        return names
    held: dict[str, list[Value]] = {}
    for value in tape.values:
        if value.local is not None and value not in names:
            held.setdefault(value.local, []).append(value)
    taken = {*names.values(), *tape.modules}
    for local, those in held.items():
        for i, value in enumerate(those, 1):
            names[value] = local if len(those) == 1 and local not in taken else f"{local}_{i}"
    return names


def default_output(tape: Tape) -> Value | None:
    """The value called loss, else the last result not used by another, preferably a scalar that asks for a gradient."""
    named = [v for v, name in names_of(tape).items() if "loss" in {name, v.local}]
    if named:
        return named[-1]
    used = {u for op in tape.operations for u in op.inputs}
    made = [v for v in tape.values if v.op is not None and v.op.inputs and v not in used and v.differentiable]
    return max(made, key=lambda v: (v.edge is not None, v.tensor.numel() == 1, v.key), default=None)
