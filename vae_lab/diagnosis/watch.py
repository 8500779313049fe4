"""Watch a computation call by call, and put other numbers in at chosen calls.

A `Watch` numbers the calls of torch's functions; the same code on images of the same shape makes the same calls, so a
number found in one run is a place in the next. At such a place the result can be replaced: the code downstream goes on
with other numbers and does not notice.

A tensor that is written in place (`logvar.mul_(0.5)`, `z[:, 0] = 1`) was another value before. What it was, a copy with
the same history, then takes its place in the calls so far: a recorded tensor is one value, from its call to the end.
"""

from __future__ import annotations

import inspect
import re
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
SHAPES = {"zeros_like", "ones_like", "empty_like", "full_like", "new_zeros", "new_ones", "new_empty", "new_full"}
_IN_PLACE = re.compile(r"__(setitem|i(add|sub|mul|truediv|floordiv|pow|mod|and|or|xor))__|.*[^_]_")
Change = Callable[[Tensor], Tensor]


@dataclass(eq=False)
class Call:
    """One call: its name, the tensors that went in, and those that came out."""

    number: int
    name: str
    inputs: list[Tensor]
    outputs: list[Tensor]

    def sources(self, place: int) -> list[Tensor]:
        """What one of the outputs is made of."""
        return self.inputs[place : place + 1] if self.name == "broadcast_tensors" else self.inputs


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
        before = [(t, t._version, self._copy(t)) for t in _may_write(func, name, args, kwargs)]
        result = func(*args, **kwargs)
        written = {id(t): (t, old) for t, version, old in before if t._version != version}
        outputs = list(tensors_in(result)) or [t for t, _ in written.values()]
        if not outputs:
            return result
        given = [] if name in SHAPES or name in {"randn_like", "rand_like"} else list(tensors_in((args, kwargs)))
        inputs = [written[id(t)][1] if id(t) in written else t for t in given]
        for t, old in written.values():
            self._was(t, old)
        number = len(self.calls)
        for place, t in enumerate(outputs):
            if (change := self.changes.get((number, place))) is None:
                continue
            if id(t) in written:
                t.copy_(change(t))
                continue
            outputs[place] = change(t)
            result = outputs[0] if isinstance(result, Tensor) else type(result)(outputs)
        call = Call(number, name, inputs, outputs)
        self.calls.append(call)
        for place, tensor in enumerate(outputs):
            if all(tensor is not u for u in inputs):
                self.made_by[id(tensor)] = call, place
        if number == self.until:
            raise Enough
        return result

    def _copy(self, t: Tensor) -> Tensor:
        """What a tensor is, before it is written: with its history, where it has one."""
        if not torch.is_grad_enabled() or not t.requires_grad or t.is_leaf:
            return t.detach().clone()
        old = t.clone()
        t.copy_(old)  # so that a gradient with respect to the copy is one with respect to what was there
        return old

    def _was(self, t: Tensor, old: Tensor) -> None:
        """Let what a tensor was stand in its place in all calls so far."""
        for call in self.calls:
            call.inputs = [old if u is t else u for u in call.inputs]
            call.outputs = [old if u is t else u for u in call.outputs]
        if id(t) in self.made_by:
            self.made_by[id(old)] = self.made_by.pop(id(t))

    def after(self, sources: list[Tensor], plainly: bool = False) -> set[int]:
        """The ids of all tensors that follow from the sources; plainly: without a layer in between."""
        found = {id(t) for t in sources}
        for call in self.calls:
            if not (plainly and call.name in MIXES):
                outputs = enumerate(call.outputs)
                found.update([id(t) for place, t in outputs if any(id(u) in found for u in call.sources(place))])
        return found

    def draws(self) -> list[Call]:
        """The calls that drew at random."""
        return [c for c in self.calls if c.name in DRAWS]


def _may_write(func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """The tensors that a call may write, by its name and its arguments `out` and `inplace`."""
    wanted = list(tensors_in(kwargs.get("out")))
    inside = _IN_PLACE.fullmatch(name) is not None
    if not inside and inspect.isfunction(func):
        signature = inspect.signature(func, follow_wrapped=False)
        inside = "inplace" in signature.parameters and bool(signature.bind(*args, **kwargs).arguments.get("inplace"))
    wanted += [t for t in args[:1] if inside and isinstance(t, Tensor)]
    return [t for t in wanted if not t.is_inference()]


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
