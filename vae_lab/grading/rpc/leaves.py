"""Leaf tensors (a model's parameters) that live on one side and have a mirror on the other.

A parameter of the student's model stays with the student. As soon as a result depends on it, or a test asks for it,
the trusted side holds a
mirror: a plain leaf of the same shape and dtype. Autograd accumulates `.grad` into the mirror; the next message
    carries that gradient home, so that the student's own optimizer sees it, and brings back what changed there. A
    mirror whose numbers nobody has asked for yet is a ghost: a shape without storage. A mirror that nothing on its side
    holds any more is let go, so that a message compares what is in use and not every model there ever was.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import equal  # as it is before any student's code runs

from vae_lab.grading.rpc.wire import PLAIN_DTYPES, WireError, bytes_of

MAX_LEAVES = 20_000
MAX_NUMEL = 1 << 30
FLOATS = {str(dtype).removeprefix("torch."): dtype for dtype in PLAIN_DTYPES if dtype.is_floating_point}


@dataclass
class Leaf:
    """One shared leaf: `synced` are the numbers that both sides had last, None for a ghost; `grad` likewise."""

    number: int
    mine: bool
    tensor: torch.Tensor
    synced: torch.Tensor | None = None
    grad: torch.Tensor | None = None
    grad_version: int = -1

    def note_grad(self) -> None:
        """Remember the gradient as known to both sides."""
        self.grad = self.tensor.grad
        self.grad_version = -1 if self.grad is None else self.grad._version


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors of one dtype hold the same bytes (NaN equals itself, 0.0 differs from -0.0).

    >>> same_bits(torch.tensor([float("nan")]), torch.tensor([float("nan")]))
    True
    """
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    return bool(equal(bytes_of(a), bytes_of(b)))


def held(leaf: Leaf) -> bool:
    """Whether anything but the leaf's own record can reach its tensor or its numbers: a name, a graph, a view.

    >>> leaf = Leaf(0, False, torch.zeros(2, requires_grad=True))
    >>> held(leaf)
    False
    >>> view = leaf.tensor.detach().numpy()
    >>> held(leaf)
    True
    """
    storage = leaf.tensor.untyped_storage()  # a second holder of the storage, beside the tensor
    return (
        sys.getrefcount(leaf.tensor) > 2
        or leaf.tensor._use_count() > 1  # type: ignore[attr-defined]
        or torch._C._storage_Use_Count(storage._cdata) > 2
    )


class Leaves:
    """The shared leaves of one connection, mine and theirs."""

    def __init__(self) -> None:
        self._shared = 0
        self._let_go: list[int] = []
        self._mine: dict[int, Leaf] = {}
        self._theirs: dict[int, Leaf] = {}
        self._by_tensor: dict[int, Leaf] = {}

    def find(self, tensor: torch.Tensor) -> Leaf | None:
        """The shared leaf that this very tensor object is, if any."""
        leaf = self._by_tensor.get(id(tensor))
        return leaf if leaf is not None and leaf.tensor is tensor else None

    def _add(self, leaf: Leaf) -> Leaf:
        if len(self._by_tensor) >= MAX_LEAVES:
            raise WireError(f"more than {MAX_LEAVES:,} parameters cannot cross")
        leaf.note_grad()
        (self._mine if leaf.mine else self._theirs)[leaf.number] = leaf
        self._by_tensor[id(leaf.tensor)] = leaf
        return leaf

    def describe(self, tensor: torch.Tensor, put: Callable[[torch.Tensor], int]) -> dict[str, Any]:
        """How to name a leaf to the other side; a leaf of mine becomes shared here, with the gradient it has.

        Args:
            tensor: the leaf.
            put: adds numbers to the message and returns their place.
        """
        leaf = self.find(tensor)
        first: dict[str, Any] = {}
        if leaf is None:
            self._shared += 1
            leaf = self._add(Leaf(self._shared, True, tensor))
            if tensor.grad is not None:
                first = {"grad": put(tensor.grad.detach())}
        if not leaf.mine:
            return {"yours": leaf.number}
        return {
            **first,
            "mine": leaf.number,
            "shape": list(tensor.shape),
            "dtype": str(tensor.dtype).removeprefix("torch."),
            "parameter": isinstance(tensor, torch.nn.Parameter),
        }

    def resolve(self, node: Any, tensors: list[torch.Tensor]) -> Leaf:
        """The leaf that the other side names; one that is new here starts as a ghost.

        Args:
            node: what `describe` wrote.
            tensors: those of the message.
        """
        if type(node) is not dict:
            raise WireError("a leaf is malformed")
        if "yours" in node:
            leaf = self._mine.get(node["yours"]) if type(node["yours"]) is int else None
            if leaf is None:
                raise WireError("a leaf is not known here")
            return leaf
        number, shape, dtype = node.get("mine"), node.get("shape"), FLOATS.get(str(node.get("dtype")))
        if type(number) is not int or type(shape) is not list or dtype is None or len(shape) > 16:
            raise WireError("a leaf is malformed")
        if not all(type(size) is int and 0 <= size <= MAX_NUMEL for size in shape) or math.prod(shape) > MAX_NUMEL:
            raise WireError("a leaf has an impossible shape")
        leaf = self._theirs.get(number)
        if leaf is None:
            ghost = torch.zeros((), dtype=dtype).expand(shape)
            tensor = torch.nn.Parameter(ghost) if node.get("parameter") is True else ghost.requires_grad_()
            leaf = self._add(Leaf(number, False, tensor))
        if list(leaf.tensor.shape) != shape or leaf.tensor.dtype != dtype:
            raise WireError("a leaf has changed its shape")
        if "grad" in node:
            self._take_grad(leaf, _take(node["grad"], tensors))
        return leaf

    def fill(self, leaf: Leaf, numbers: torch.Tensor) -> None:
        """Give a leaf the numbers that the other side sent."""
        if numbers.shape != leaf.tensor.shape or numbers.dtype != leaf.tensor.dtype:
            raise WireError("a leaf's numbers do not fit it")
        if leaf.synced is None:
            leaf.tensor.data = numbers.clone()
        else:
            with torch.no_grad():
                leaf.tensor.copy_(numbers)
        leaf.synced = numbers.clone()

    def updates(self, tensors: list[torch.Tensor]) -> list[dict[str, Any]]:
        """What changed since the last message, in numbers and gradients; the numbers go to `tensors`."""
        changes: list[dict[str, Any]] = []
        for leaf in list(self._by_tensor.values()):
            change: dict[str, Any] = {}
            if leaf.synced is not None and not same_bits(leaf.tensor, leaf.synced):
                leaf.synced = leaf.tensor.detach().clone()
                change["data"] = _put(leaf.synced, tensors)
            grad = leaf.tensor.grad
            if grad is not leaf.grad or (grad is not None and grad._version != leaf.grad_version):
                change["grad"] = None if grad is None else _put(grad.detach(), tensors)
                leaf.note_grad()
            if change:
                changes.append({"of": {"mine" if leaf.mine else "yours": leaf.number}, **change})
            elif not leaf.mine and not held(leaf):
                self._remove(leaf)
                self._let_go.append(leaf.number)
        return changes

    def let_go(self) -> list[int]:
        """The other side's leaves that this side holds no longer, since the last time."""
        numbers, self._let_go = self._let_go, []
        return numbers

    def release(self, numbers: Any) -> None:
        """Share no longer what the other side has let go."""
        for number in numbers:
            if (leaf := self._mine.get(number)) is not None:
                self._remove(leaf)

    def _remove(self, leaf: Leaf) -> None:
        del (self._mine if leaf.mine else self._theirs)[leaf.number]
        del self._by_tensor[id(leaf.tensor)]

    def update(self, changes: Any, tensors: list[torch.Tensor]) -> None:
        """Take over what changed on the other side."""
        if type(changes) is not list or len(changes) > MAX_LEAVES:
            raise WireError("the changes of leaves are malformed")
        for change in changes:
            of = change.get("of") if type(change) is dict else None
            if type(of) is not dict:
                raise WireError("the changes of leaves are malformed")
            table, number = (self._mine, of.get("yours")) if "yours" in of else (self._theirs, of.get("mine"))
            leaf = table.get(number) if type(number) is int else None
            if leaf is None:
                raise WireError("a leaf is not known here")
            if "data" in change:
                if leaf.synced is None:
                    raise WireError("a leaf that was never shown has changed")
                self.fill(leaf, _take(change["data"], tensors))
            if "grad" in change:
                self._take_grad(leaf, None if change["grad"] is None else _take(change["grad"], tensors))

    def _take_grad(self, leaf: Leaf, grad: torch.Tensor | None) -> None:
        if grad is not None and (grad.shape != leaf.tensor.shape or grad.dtype != leaf.tensor.dtype):
            raise WireError("a gradient does not fit its leaf")
        leaf.tensor.grad = None if grad is None else grad.clone()
        leaf.note_grad()


def _put(tensor: torch.Tensor, tensors: list[torch.Tensor]) -> int:
    tensors.append(tensor)
    return len(tensors) - 1


def _take(number: Any, tensors: list[torch.Tensor]) -> torch.Tensor:
    if type(number) is not int or not 0 <= number < len(tensors):
        raise WireError("a tensor is missing")
    return tensors[number]
