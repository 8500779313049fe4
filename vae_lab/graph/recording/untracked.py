"""Values that leave torch as NumPy arrays or Python numbers, and what comes back.

No tool can follow a number through NumPy. What can be known: memory that is still shared, and content that came back
equal. Anything else that arrives in the same function after a value left is reported as a way back that is presumed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch

from vae_lab.graph.recording.values import Source, Value

_ARRIVES = {
    "tensor",
    "as_tensor",
    "from_numpy",
    "asarray",
    "scalar_tensor",
    "full",
    "frombuffer",
    "new_tensor",
    "Tensor",
}
EXITS = {"numpy", "item", "tolist", "__array__", "__float__", "__int__", "__complex__", "__index__"}
_EXIT_WORDS = {"numpy": "numpy()", "item": "item()", "tolist": "tolist()", "__array__": "numpy", "__float__": "float()"}
_PLAIN = {0.0, 1.0, -1.0, 2.0, 0.5, -0.5}


class Left(NamedTuple):
    """One departure."""

    value: Value
    by: str
    data: Any
    source: Source | None


class Untracked:
    """Keeps the departures of a recording and answers which of them an operation brings back."""

    def __init__(self, left: list[Left]) -> None:
        self._left = left

    def left(self, value: Value, name: str, data: Any, source: Source | None) -> None:
        """Note that `value` was read as the array, list or number `data`."""
        if value.differentiable:
            self._left.append(Left(value, _EXIT_WORDS.get(name, name), data, source))

    def arrivals(self, name: str, args: Any, kwargs: Any, source: Source | None) -> Iterator[tuple[Left, bool]]:
        """The values that come back in this call, each with whether the return is only presumed."""
        if not self._left:
            return
        arrives = name in _ARRIVES
        seen: set[int] = set()
        foreign = False
        things = (
            [args[0].numpy()] if name == "from_numpy" and args[0].device.type == "cpu" else _foreign((args, kwargs))
        )
        for thing in things:
            sure = [left for left in self._left if _same(left, thing, source)]
            for left in sure[-1:]:
                if left.value.key not in seen:
                    seen.add(left.value.key)
                    yield left, False
            foreign = foreign or (not sure and (arrives or hasattr(thing, "__array_interface__")))
        if foreign and not seen and not _literal(name, source):
            for left in self._left:
                here = source is not None and left.source is not None and left.source.function == source.function
                if here and left.value.key not in seen:
                    seen.add(left.value.key)
                    yield left, True


def _foreign(thing: Any, depth: int = 0) -> Iterator[Any]:
    """Numbers, arrays and lists of numbers among an operation's arguments."""
    if isinstance(thing, torch.Tensor | str | bool) or thing is None:
        return
    numbers = isinstance(thing, list) and depth > 0 and all(isinstance(x, float | int | list) for x in thing)
    if isinstance(thing, float) or hasattr(thing, "__array_interface__") or (numbers and thing):
        yield thing
    elif isinstance(thing, list | tuple) and depth < 4:
        for item in thing:
            yield from _foreign(item, depth + 1)
    elif isinstance(thing, dict):
        for item in thing.values():
            yield from _foreign(item, depth + 1)


def _same(departure: Left, thing: Any, source: Source | None) -> bool:
    """Whether what arrives is what left: shared memory, or equal content that is not just any number."""
    left = departure.data
    if isinstance(left, float) and isinstance(thing, float):
        return left == thing and (left not in _PLAIN or departure.source == source)
    if isinstance(left, list) and isinstance(thing, list):
        return left is thing or (left == thing and len(left) > 0)
    if hasattr(left, "__array_interface__") and hasattr(thing, "__array_interface__"):
        import numpy as np

        if np.may_share_memory(left, thing):
            return True
        return left.shape == thing.shape and left.size > 0 and bool((left == thing).all()) and bool(left.any())
    return False


def _literal(name: str, source: Source | None) -> bool:
    """Whether the line spells the arriving numbers out, as in `torch.tensor([0.5, 1.5])`."""
    if source is None or not source.text:
        return False
    try:
        tree = ast.parse(source.text.rstrip(":"))
    except SyntaxError:
        return False
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == name and n.args]
    return bool(calls) and all(_spelled(arg) for call in calls for arg in call.args)


def _spelled(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True
