"""What a recording is made of: values, and the operations that made them.

A `Value` is one version of one tensor. An in-place operation makes a new version, so a `Value` never changes after it
was made. An `Operation` is one call, at the level at which a person wrote it (`torch.normal`, not `aten::normal`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge


class RecordingError(RuntimeError):
    """The computation cannot be shown truthfully; the message says why and what to do."""


class Source(NamedTuple):
    """A line of the reader's own code."""

    file: str
    line: int
    function: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}" if self.text else f"line {self.line}"


class Group(NamedTuple):
    """A call that may be shown as one step: a module, a distribution's method, a custom `autograd.Function`."""

    key: int
    kind: str  # "module", "distribution", "autograd", "function"
    name: str
    subject: Any  # the module, or the function's code object


@dataclass(eq=False)
class Operation:
    """One recorded call: what went in, what came out, and whether it drew random numbers."""

    key: int
    name: str
    inputs: list[Value]
    outputs: list[Value] = field(default_factory=list)
    random: bool = False
    grad_enabled: bool = True
    source: Source | None = None
    groups: tuple[Group, ...] = ()
    call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]] | None = None
    below: bool = False  # seen only as a kernel, below autograd
    outside: bool = False  # the value left torch (NumPy, a Python number) and came back
    own_backward: bool = False  # a custom autograd.Function: its gradient is whatever the person wrote
    presumed: bool = False  # ... and the way back could not be followed, only guessed at

    def __repr__(self) -> str:
        return f"Operation({self.name})"

    @property
    def makes(self) -> str:
        """The kind of its results: constants as long as nothing but constants goes in."""
        return "result" if self.random or any(v.kind != "constant" for v in self.inputs) else "constant"


@dataclass(eq=False)
class Value:
    """One version of a tensor: where it came from and how autograd knows it."""

    key: int
    tensor: Tensor
    kind: str  # "input", "parameter", "constant" or "result"
    op: Operation | None = None
    name: str | None = None  # given by the person
    local: str | None = None  # the name of a local variable that held it
    edge: Any = None  # torch.autograd.graph.GradientEdge, or None where autograd does not follow it

    def __post_init__(self) -> None:
        self.version = version_of(self.tensor)
        self.shape: tuple[int, ...] = tuple(self.tensor.shape)
        self.dtype = self.tensor.dtype

    def __repr__(self) -> str:
        return f"Value({self.name or self.local or self.key}, {self.kind})"

    @property
    def differentiable(self) -> bool:
        """Whether numbers of this kind can carry a gradient at all: floating point or complex."""
        return self.dtype.is_floating_point or self.dtype.is_complex

    def look(self) -> None:
        """Note how autograd knows the tensor now."""
        with torch._C.DisableTorchFunction():  # asking must not be recorded
            self._look()

    def _look(self) -> None:
        try:
            self.edge = get_gradient_edge(self.tensor) if self.tensor.requires_grad else None
        except AssertionError:  # a view taken under no_grad says requires_grad but has nothing behind it
            self.edge = None


def version_of(tensor: Tensor) -> int:
    """How often the tensor was written in place; -1 for an inference tensor, which does not count."""
    return -1 if tensor.is_inference() else tensor._version


def tensors_in(thing: Any, depth: int = 0) -> Iterator[Tensor]:
    """Every tensor in nested tuples, lists and dicts, in order."""
    if isinstance(thing, Tensor):
        yield thing
    elif isinstance(thing, list | tuple) and depth < 4:
        for item in thing:
            yield from tensors_in(item, depth + 1)
    elif isinstance(thing, dict) and depth < 4:
        for item in thing.values():
            yield from tensors_in(item, depth + 1)
