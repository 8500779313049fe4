"""One operation computed again on copies: what would pass if its operands asked for a gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from vae_lab.graph.recording.values import Operation, Value

TRIES = 16  # dropout may drop everything once


def replay(value: Value, operands: list[Value], cotangent: Tensor) -> dict[Value, Tensor | None]:
    """The share of `cotangent` that each operand of the operation behind `value` would receive."""
    none: dict[Value, Tensor | None] = dict.fromkeys(operands)
    op = value.op
    if op is None or op.call is None or op.outside:
        return none
    return _shares(value, {u: u.tensor for u in operands}, cotangent) or none


def ever_passes(value: Value, operands: list[Value], cotangent: Tensor) -> bool:
    """Whether any of several draws lets a gradient through to an operand."""
    for seed in range(TRIES):
        shares = _shares(value, {u: u.tensor for u in operands}, cotangent, seed) or {}
        if any(s is not None and bool((s != 0).any()) for s in shares.values()):
            return True
    return False


def flat(value: Value, operand: Value, cotangent: Tensor) -> bool:
    """Whether the operation's slope is zero not only here but at other values of all its operands, too.

    Half of the tries are positive, for a spread or a concentration; False where no try could be computed.
    """
    others = [u for u in value.op.inputs if u.differentiable] if value.op is not None else []
    seen = False
    for seed in range(TRIES):
        generator = torch.Generator().manual_seed(seed)
        size = 1 + seed % 4
        moved = {u: torch.randn(u.shape, generator=generator, device="cpu").to(u.tensor) * size for u in others}
        if seed % 2:
            moved = {u: t.abs() for u, t in moved.items()}
        share = (_shares(value, moved, cotangent, seed) or {}).get(operand)
        if share is not None and bool((share != 0).any()):
            return False
        seen = seen or share is not None
    return seen


def taken_twice(value: Value, operand: Value) -> bool:
    """Whether the operation takes the operand more than once (`mu - mu`), and a gradient would reach each alone."""
    op = value.op
    if op is None or op.call is None:
        return False
    func, args, kwargs = op.call
    flat_args, spec = pytree.tree_flatten((args, kwargs))
    places = [i for i, thing in enumerate(flat_args) if thing is operand.tensor]
    if len(places) < 2:
        return False
    twins = {i: operand.tensor.detach().clone().requires_grad_() for i in places}
    try:
        with torch.enable_grad(), torch.random.fork_rng(devices=[]):
            args, kwargs = pytree.tree_unflatten([twins.get(i, t) for i, t in enumerate(flat_args)], spec)
            grads = torch.autograd.grad(func(*args, **kwargs).sum(), list(twins.values()), allow_unused=True)
    except (RuntimeError, ValueError, TypeError, AttributeError):
        return False
    return sum(g is not None and bool((g != 0).any()) for g in grads) > 1


def _shares(
    value: Value, at: dict[Value, Tensor], cotangent: Tensor, seed: int | None = None
) -> dict[Value, Tensor | None] | None:
    """Gradients with respect to each operand in `at`, with the operands at the given values."""
    op = value.op
    if op is None or op.call is None:
        return None
    leaves = {u: t.detach().clone().requires_grad_() for u, t in at.items()}
    try:
        with torch.enable_grad():
            outputs = _run(op, leaves, seed)
            place = op.outputs.index(value)
            if place >= len(outputs) or not outputs[place].requires_grad or outputs[place].shape != cotangent.shape:
                return None
            grads = torch.autograd.grad(outputs[place], list(leaves.values()), cotangent.detach(), allow_unused=True)
    except (RuntimeError, ValueError, TypeError):  # not every operation can be repeated at other values
        return None
    return dict(zip(leaves, grads, strict=True))


def _run(op: Operation, leaves: dict[Value, Tensor], seed: int | None) -> list[Tensor]:
    """Run the operation on copies; the random stream and every tensor of the person's stay as they are."""
    assert op.call is not None
    func, args, kwargs = op.call
    given = {id(u.tensor): leaf for u, leaf in leaves.items()}
    copies: dict[int, Tensor] = {}

    def copy(thing: Any) -> Any:
        if isinstance(thing, torch.Generator):
            return thing.clone_state()
        if not isinstance(thing, Tensor):
            return thing
        if id(thing) not in copies:
            copies[id(thing)] = given[id(thing)].clone() if id(thing) in given else thing.detach().clone()
        return copies[id(thing)]

    cuda = sorted({v.tensor.device.index or 0 for v in op.inputs if v.tensor.is_cuda})
    with torch.random.fork_rng(devices=cuda):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
            for device in cuda:
                torch.cuda.default_generators[device].manual_seed(seed)
        args, kwargs = pytree.tree_map(copy, (args, kwargs))
        result = func(*args, **kwargs)
    outputs = [t for t in pytree.tree_leaves(result) if isinstance(t, Tensor)]
    return outputs or ([args[0]] if isinstance(args[0], Tensor) else [])
