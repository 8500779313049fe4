"""Copies of what a check hands to a student's function: what decides must not be theirs to write.

A check compares an answer with what it computes from its own tensors. If the function may change those, it may change
what is right. So they are put back as they were, and the change is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

OURS = __name__.rpartition(".")[0]  # models of the checks' own; a student's model is theirs to change


class Untouched:
    """Copies of the tensors among some arguments, and of those that a model of the checks' own consists of.

    Args:
        args: what a student's function will be called with.
        names: what to call them; the first ones, or none.

    Example:
        >>> x = torch.ones(2)
        >>> copies = Untouched((x, 3), ("x",))
        >>> x.mul_(5).tolist(), copies.put_back(), x.tolist()
        ([5.0, 5.0], 'x', [1.0, 1.0])
        >>> copies.put_back() is None
        True
    """

    def __init__(self, args: tuple[Any, ...], names: Sequence[str] = ()) -> None:
        called = [*names, *(f"argument {place}" for place in range(len(names) + 1, len(args) + 1))]
        self._kept = [
            (name, tensor, tensor.detach().clone())
            for name, value in zip(called, args, strict=False)
            for tensor in _tensors(value)
        ]

    def put_back(self) -> str | None:
        """Undo all changes; the name of the first argument that had any, or None."""
        changed = None
        for name, tensor, before in self._kept:
            if tensor.shape != before.shape or not _same(tensor.detach(), before):
                changed = changed or name
                with torch.no_grad():
                    if tensor.shape != before.shape:
                        tensor.data = before.clone()
                    else:
                        tensor.copy_(before)
        return changed


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif issubclass(type(value), torch.nn.Module) and type(value).__module__.startswith(OURS):
        yield from () if getattr(value, "to_be_trained", False) else (*value.parameters(), *value.buffers())


def _same(now: Tensor, before: Tensor) -> bool:
    return torch.equal(now, before) or (
        now.is_floating_point() and bool(((now == before) | (now.isnan() & before.isnan())).all())
    )
