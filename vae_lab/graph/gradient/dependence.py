"""Does a result depend on an input at all? The function run again, with the input changed and the same random numbers.

A gradient of zero says nothing about that: it is zero for an input that is not used, and zero for one behind a draw. A
change of the result that is no larger than rounding is no dependence: `(z - mu).sum()` with z = mu + sigma * eps moves
in its last digit when mu does, and not at all on paper.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vae_lab.graph.gradient.measure import seed_for
from vae_lab.graph.recording.values import Operation, Value

STEP = 1e-2  # relative size of the nudge
ROUNDING = 512  # times the last digit of the largest number: what is more is a real change
TRIES = 12  # large changes of each kind that are tried where the result moves in jumps

_JUMPING = {"round", "floor", "ceil", "trunc", "fix", "sign", "sgn", "heaviside", "floor_divide", "__floordiv__"}
Change = Callable[[Tensor], Tensor]


def depends(run: Callable[[Change], list[Tensor]], first: list[Tensor], size: float, jumps: bool) -> bool:
    """Whether the results `first` change when the input does.

    Args:
        run: computes the results again with the given change of the input, and the same random numbers.
        first: the results without a change.
        size: the largest number in the input.
        jumps: the result may move in jumps (a draw of whole numbers, an argmax), so that a small change of few entries
            may show nothing; then large changes are tried, too.
    """
    for small in (nudge, shrink):  # an input of probabilities may not grow
        moved = _moved(run, first, small)
        if moved is None:
            continue
        if moved > ROUNDING * _last_digit(first, size):
            return True
        if moved > 0 and not jumps:  # a real change grows with the step, rounding does not
            smaller = [_moved(run, first, partial(small, step=STEP / by)) or 0.0 for by in (8, 64)]
            if moved > 3 * smaller[0] > 9 * smaller[1]:
                return True
        break
    else:
        jumps = True
    bound = 4 * ROUNDING * _last_digit(first, size)
    return jumps and any((_moved(run, first, change) or 0.0) > bound for change in _large_changes())


def nudge(tensor: Tensor, step: float = STEP) -> Tensor:
    """Every entry moved a little, each by another amount."""
    return tensor + step * (1 + tensor.abs()) * seed_for(tensor)


def shrink(tensor: Tensor, step: float = STEP) -> Tensor:
    """Every entry a little nearer to zero, each by another amount."""
    return tensor * (1 - step * seed_for(tensor))


def may_jump(inputs: list[Value], operations: list[Operation]) -> bool:
    """Whether a step after the inputs draws, counts, compares, rounds, or leaves torch: results there move in jumps."""
    after = set(inputs)
    for op in operations:
        if any(u in after for u in op.inputs):
            after.update(op.outputs)
            stepped = op.name in _JUMPING or any(not v.differentiable for v in op.outputs)
            if op.random or op.outside or stepped:
                return True
    return False


def _moved(run: Callable[[Change], list[Tensor]], first: list[Tensor], change: Change) -> float | None:
    """How far the results move; None where the function does not take the changed input."""
    try:
        return _distance(first, run(change))
    except (ValueError, RuntimeError, IndexError):
        return None


def _large_changes() -> Iterator[Change]:
    """Other inputs, of the kinds that people use: any numbers, numbers in [0, 1], rows that sum to one."""
    for seed in range(TRIES):
        for kind in (_any_numbers, _smaller_numbers, _other_shares):
            yield partial(kind, seed=seed)


def _any_numbers(t: Tensor, seed: int) -> Tensor:
    return t + (1.0 + seed % 4) * (1 + t.abs()) * _noise(t, seed)


def _smaller_numbers(t: Tensor, seed: int) -> Tensor:
    return t * torch.sigmoid(3 * _noise(t, seed))


def _other_shares(t: Tensor, seed: int) -> Tensor:
    return _same_sum(t, t * torch.exp(2 * _noise(t, seed)))


def _noise(t: Tensor, seed: int) -> Tensor:
    generator = torch.Generator("cpu").manual_seed(seed)
    real = torch.randn(t.shape, generator=generator, dtype=torch.float64, device="cpu")
    return real.to(t.device, t.dtype)


def _same_sum(t: Tensor, other: Tensor) -> Tensor:
    if not t.ndim:
        return other
    total = other.sum(-1, keepdim=True)
    return torch.where(total != 0, other / total * t.sum(-1, keepdim=True), other)


def _last_digit(results: list[Tensor], size: float = 0.0) -> float:
    """The last digit of the largest number in sight."""
    sizes = [torch.finfo(t.dtype).eps * max(size, float(_finite(t).abs().max())) for t in results if t.numel()]
    return max(sizes, default=0.0)


def _finite(t: Tensor) -> Tensor:
    return torch.nan_to_num(t.detach(), nan=0.0, posinf=0.0, neginf=0.0)


def _shape_differs(first: list[Tensor], second: list[Tensor]) -> bool:
    if [t.shape for t in first] != [t.shape for t in second]:
        return True
    return any(not torch.equal(a.isfinite(), b.isfinite()) for a, b in zip(first, second, strict=True))


def _distance(first: list[Tensor], second: list[Tensor]) -> float:
    if _shape_differs(first, second):
        return float("inf")
    pairs = zip(first, second, strict=True)
    return max((float((_finite(a) - _finite(b)).abs().max()) for a, b in pairs if a.numel()), default=0.0)


@contextmanager
def same_randomness() -> Iterator[Any]:
    """Put the random streams of torch, NumPy and Python back afterwards: each run inside begins at the same place."""
    np = sys.modules.get("numpy")  # its stream matters only where somebody uses it
    python, numpy = random.getstate(), np.random.get_state() if np is not None else None
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        if np is not None:
            np.random.set_state(numpy)
