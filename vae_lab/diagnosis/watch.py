"""Watch a computation call by call, and put other numbers in at chosen calls.

A `Watch` numbers the calls of torch's functions; the same code on images of the same shape makes the same calls, so a
number found in one run is a place in the next. At such a place the result can be replaced: the code downstream goes on
with other numbers and does not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

# What draws at random; dropout is counted apart, since it is no draw of z.
DRAWS = {"randn", "randn_like", "normal", "normal_", "rand", "rand_like", "uniform_", "_standard_gamma", "poisson"}
DRAWS |= {"bernoulli", "bernoulli_", "multinomial", "exponential_", "cauchy_", "log_normal_", "standard_normal"}
NORMAL = {"randn", "randn_like", "normal", "normal_"}
MIXES = {"linear", "matmul", "__matmul__", "__rmatmul__", "mm", "bmm", "addmm", "baddbmm", "einsum", "bilinear", "mv"}
MIXES |= {"conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "tensordot"}
_SHAPES = {"zeros_like", "ones_like", "empty_like", "full_like", "new_zeros", "new_ones", "new_empty", "new_full"}
Change = Callable[[Tensor], Tensor]


@dataclass(eq=False)
class Call:
    """One call: its name, the tensors that went in, and those that came out."""

    number: int
    name: str
    inputs: list[Tensor]
    outputs: list[Tensor]


class Enough(Exception):
    """Ends a run as soon as the tensor that was wanted is there."""


class Watch(TorchFunctionMode):
    """Records the calls of one run; `changes` says what becomes of the result of a call: (number, place) -> change."""

    def __init__(self, changes: dict[tuple[int, int], Change] | None = None, until: int | None = None) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.made_by: dict[int, tuple[Call, int]] = {}  # id of a tensor, kept alive by its call -> call and place
        self.changes, self.until = changes or {}, until
        self._from_numpy = torch.from_numpy

    def __enter__(self) -> Watch:
        torch.from_numpy = lambda ndarray: self._from_numpy(ndarray)[...]  # which a mode does see
        super().__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        super().__exit__(*exc)
        torch.from_numpy = self._from_numpy

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "")
        if name == "__get__":
            name = str(getattr(getattr(func, "__self__", None), "__name__", ""))
        result = func(*args, **kwargs)
        outputs = list(tensors_in(result))
        if not outputs:
            return result
        number = len(self.calls)
        if any((number, place) in self.changes for place in range(len(outputs))):
            new = [self.changes.get((number, i), lambda t: t)(t) for i, t in enumerate(outputs)]
            result = new[0] if isinstance(result, Tensor) else type(result)(new)
            outputs = new
        inputs = [] if name in _SHAPES or name in {"randn_like", "rand_like"} else list(tensors_in((args, kwargs)))
        call = Call(number, name, inputs, outputs)
        self.calls.append(call)
        for place, tensor in enumerate(outputs):
            if all(tensor is not u for u in inputs) or name in DRAWS or name.endswith("_") or name == "__setitem__":
                self.made_by[id(tensor)] = call, place
        if number == self.until:
            raise Enough
        return result

    def after(self, sources: list[Tensor], plainly: bool = False) -> set[int]:
        """The ids of all tensors that follow from the sources; plainly: without a layer in between."""
        found = {id(t) for t in sources}
        for call in self.calls:
            if any(id(t) in found for t in call.inputs) and not (plainly and call.name in MIXES):
                found.update(id(t) for t in call.outputs)
        return found

    def draws(self) -> list[Call]:
        """The calls that drew at random."""
        return [c for c in self.calls if c.name in DRAWS]


def tensors_in(thing: Any, depth: int = 0) -> Iterator[Tensor]:
    """Every tensor in nested tuples, lists and dicts, in order."""
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, dict) and depth < 4:
        for item in thing.values():
            yield from tensors_in(item, depth + 1)
    elif isinstance(thing, list | tuple) and depth < 4:
        for item in thing:
            yield from tensors_in(item, depth + 1)
