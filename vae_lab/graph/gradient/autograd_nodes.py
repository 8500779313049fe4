"""One operation's share of a gradient, taken from the nodes that autograd itself recorded for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vae_lab.graph.recording.values import Value


def through_nodes(value: Value, operands: list[Value], cotangent: Tensor) -> dict[Value, Tensor | None]:
    """Walk autograd's nodes from the result to the operands and no further.

    An operand that was itself computed from another operand keeps its own share: the walk ends at each of them.

    Raises:
        RuntimeError: where autograd refuses, for instance because a value it saved was overwritten in place.
    """
    stop = {(u.edge.node, u.edge.output_nr): u for u in operands}
    first = (value.edge.node, value.edge.output_nr)
    if first in stop:
        return {stop[first]: cotangent}
    shares: dict[Value, Tensor | None] = dict.fromkeys(operands)
    pending: dict[Any, dict[int, Tensor]] = {first[0]: {first[1]: cotangent}}
    with torch.no_grad():
        for node in _in_order(first[0], {node for node, _ in stop}):
            given = pending.pop(node, None)
            if given is None or not node.next_functions:
                continue
            for (onward, slot), grad in zip(node.next_functions, _apply(node, given), strict=False):
                if onward is None or grad is None:
                    continue
                if (onward, slot) in stop:
                    operand = stop[onward, slot]
                    grad = _fit(grad, operand.shape, operand.dtype)
                    before = shares[operand]
                    shares[operand] = grad if before is None else before + grad
                else:
                    grad = _fit_to_node(grad, onward, slot)
                    waiting = pending.setdefault(onward, {})
                    waiting[slot] = waiting[slot] + grad if slot in waiting else grad
    return shares


def _in_order(root: Any, ends: set[Any]) -> list[Any]:
    """Nodes from the root down, each after all that lead to it; not beyond the `ends`."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node is not None and node not in seen:
            seen.add(node)
            stack.append((node, True))
            if node is root or node not in ends:
                stack.extend((n, False) for n, _ in node.next_functions)
    return order[::-1]


def _apply(node: Any, given: dict[int, Tensor]) -> tuple[Tensor | None, ...]:
    """Call one node; a slot into which nothing flows is None."""
    width = max([*given, len(node._input_metadata) - 1]) + 1
    call = node if callable(node) else node.apply  # a custom autograd.Function has only apply
    got = call(*[given.get(i) for i in range(width)])
    return got if isinstance(got, tuple) else (got,)


def _fit_to_node(grad: Tensor, node: Any, slot: int) -> Tensor:
    meta = node._input_metadata
    if slot >= len(meta):
        return grad
    return _fit(grad, tuple(meta[slot].shape), meta[slot].dtype)


def _fit(grad: Tensor, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Undo broadcasting, as autograd's engine does between nodes."""
    if tuple(grad.shape) != shape and grad.layout == torch.strided:
        grad = grad.sum_to_size(shape)
    if grad.is_complex() and not dtype.is_complex:
        grad = grad.real
    return grad.to(dtype)
