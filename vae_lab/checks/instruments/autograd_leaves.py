"""The tensors in which a gradient ends, found by walking autograd's own graph."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor

MAX_GRAPH = 1_000_000
"""Nodes that are looked at; a graph may be as large as an answer makes it."""


def leaves_of(results: Iterable[Tensor]) -> list[Tensor]:
    """The leaves that tensors depend on, each once.

    Example:
        >>> import torch
        >>> a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
        >>> [leaf is b for leaf in leaves_of([(b * 2).sum()])]
        [True]
    """
    found: dict[int, Tensor] = {}
    seen: set[Any] = set()
    todo = [result.grad_fn for result in results]
    while todo and len(seen) < MAX_GRAPH:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if isinstance(variable, Tensor):
            found[id(variable)] = variable
        todo.extend(parent for parent, _ in node.next_functions)
    return list(found.values())
