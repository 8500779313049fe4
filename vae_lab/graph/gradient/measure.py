"""What becomes of a gradient on its way back through a recording: measured, edge by edge.

For one operation and one cotangent g (the gradient of the output with respect to the operation's result), the share
that an operand receives is the vector-Jacobian product g dv/du. Where autograd followed the operation, `nodes` takes
the share from autograd's own graph, so it is what `backward` would do. Where autograd did not follow because the
operand asked for no gradient, `replay` computes the one operation again on copies that do ask: this tells a step
through which a gradient could pass from one that stops it. User hooks do not run and no `.grad` is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from vae_lab.graph.gradient.autograd_nodes import through_nodes
from vae_lab.graph.gradient.replay import ever_passes, replay
from vae_lab.graph.recording.tape import Tape
from vae_lab.graph.recording.values import Operation, Value

PASSES, ZERO, CUT, UNASKED = "passes", "zero", "cut", "unasked"
ROUNDING = 4  # units in the last place, to which the shares of a gradient that cancel may add up
Shares = dict[Value, Tensor | None]


@dataclass
class Flow:
    """The gradient of one output at every value and along every edge of a recording."""

    output: Value
    asked: Collection[Value]
    values: Sequence[Value] = ()  # all of the recording, in order
    arrives: dict[Value, Tensor] = field(default_factory=dict)  # d output / d value; missing where nothing arrives
    verdicts: dict[tuple[Value, Value], str] = field(default_factory=dict)  # (operand, result) -> verdict
    hooked: list[Value] = field(default_factory=list)  # values with a hook of the person's, which was not run
    refused: dict[Value, str] = field(default_factory=dict)  # result -> autograd's own complaint
    spoiled: list[Value] = field(default_factory=list)  # results behind which a finite gradient is finite no more
    along: dict[Value, list[Tensor]] = field(default_factory=dict)  # value -> the shares that came along several ways

    def alive(self, value: Value) -> bool:
        """Whether a gradient that is not zero everywhere arrives at the value."""
        return value in self.arrives and nonzero(self.arrives[value]) and not self.cancels(value)

    def cancels(self, value: Value) -> bool:
        """Whether gradients arrive along several ways and add up to nothing, or to no more than rounding."""
        shares = [s for s in self.along.get(value, []) if nonzero(s)]
        if len(shares) < 2 or not all(s.isfinite().all() for s in shares):
            return False
        size = sum((s.abs() for s in shares[1:]), shares[0].abs())
        return bool((self.arrives[value].abs() <= ROUNDING * torch.finfo(value.dtype).eps * size).all())


def nonzero(tensor: Tensor) -> bool:
    """Whether any entry differs from zero (not-a-number does)."""
    return bool((tensor != 0).any())


def seed_for(tensor: Tensor) -> Tensor:
    """The gradient to begin with: 1 for a scalar, else fixed irregular weights, so that nothing cancels by accident."""
    if tensor.numel() == 1:
        return torch.ones_like(tensor)
    n = torch.arange(1, tensor.numel() + 1, dtype=torch.float64, device=tensor.device)
    return (torch.frac(n * 0.6180339887498949) + 0.5).reshape(tensor.shape).to(tensor.dtype)


def measure(output: Value, asked: Collection[Value], values: Sequence[Value] = ()) -> Flow:
    """Send the gradient of `output` back through the whole recording.

    Args:
        output: where to begin. A value of several entries counts as their sum under fixed irregular weights.
        asked: the values about whose gradient it is worth asking; edges from all others are "unasked".
        values: all values of the recording, to tell what was overwritten later.
    """
    flow = Flow(output, asked, values)
    if output.differentiable:
        with torch.no_grad():
            flow.arrives[output] = seed_for(output.tensor.detach())

    def note(operand: Value, result: Value, share: Tensor | None) -> bool:
        if operand not in asked:
            verdict = UNASKED
        elif share is None:
            verdict = CUT
        else:
            verdict = PASSES if nonzero(share) else ZERO
        flow.verdicts[operand, result] = verdict
        if share is not None and not share.isfinite().all() and flow.arrives[result].isfinite().all():
            flow.spoiled.append(result)
        if verdict == PASSES and share is not None:
            flow.along.setdefault(operand, []).append(share)
        return True

    walk_back({output: flow.arrives.get(output)}, asked, note, flow.arrives, flow.refused)
    flow.hooked = sorted((v for v in flow.arrives if v.tensor._backward_hooks), key=lambda v: v.key)
    return flow


def walk_back(
    start: dict[Value, Tensor | None],
    asked: Collection[Value],
    note: Callable[[Value, Value, Tensor | None], bool],
    arrives: dict[Value, Tensor],
    refused: dict[Value, str],
) -> None:
    """Go back from `start`, newest value first; `note` sees each share and says whether to go on behind the operand."""
    todo = set(start)
    while todo:
        value = max(todo, key=lambda v: v.key)
        todo.discard(value)
        operands = list(dict.fromkeys(value.op.inputs)) if value.op is not None else []
        cotangent = arrives.get(value)
        shares: Shares = {}
        if cotangent is not None and operands:
            try:
                shares = pull_back(value, operands, cotangent, asked)
            except RuntimeError as error:
                refused[value] = str(error).split("\n")[0].split(" Hint:")[0]
        for operand in operands:
            share = shares.get(operand)
            if not note(operand, value, share):
                continue
            todo.add(operand)
            if operand in asked and share is not None:
                before = arrives.get(operand)
                arrives[operand] = share if before is None else before + share


def lets_pass(value: Value, operands: list[Value]) -> bool:
    """Whether a random operation is a smooth function of its operands and of noise in it (dropout, `Gamma.rsample`)."""
    if not operands:
        return False
    seed = seed_for(value.tensor.detach())
    if value.op is not None and value.op.call is not None:
        return ever_passes(value, operands, seed)
    shares = pull_back(value, operands, seed, operands)  # a custom autograd.Function cannot be repeated
    return any(s is not None and nonzero(s) for s in shares.values())


def pull_back(value: Value, operands: list[Value], cotangent: Tensor, asked: Collection[Value]) -> Shares:
    """The share of `cotangent` that each operand receives; None where no path leads there."""
    assert value.op is not None
    shares: Shares = dict.fromkeys(operands)
    followed = [u for u in operands if u.edge is not None]
    if value.edge is not None and followed:
        shares |= through_nodes(value, followed, cotangent)
    would = [u for u in operands if u.edge is None and u in asked and u.differentiable]
    if would and value.op.grad_enabled and value.differentiable:
        shares |= replay(value, would, cotangent)
    return shares


def smooth_draws(operations: list[Operation]) -> set[Value]:
    """Results of random operations that are not a draw's end for the gradient: smooth functions of noise inside."""
    return {
        value
        for op in operations
        if op.random and op.grad_enabled
        for value in op.outputs
        if value.differentiable and lets_pass(value, [u for u in op.inputs if u.differentiable])
    }


def asked_values(tape: Tape) -> set[Value]:
    """The values that ask for a gradient, and all that follow from them."""
    asked: set[Value] = set()
    for value in tape.values:
        if value.edge is not None or (value.op is not None and any(u in asked for u in value.op.inputs)):
            asked.add(value)
    return asked


def reached_parts(tape: Tape, flow: Flow) -> dict[str, tuple[list[str], list[str]]]:
    """The parameters of each named module that ask for a gradient: those it reaches, and those it does not."""
    alive = {id(v.tensor) for v in flow.arrives if v.kind == "parameter" and flow.alive(v)}
    parts = {}
    for name, module in tape.modules.items():
        asking = {f"{name}.{path}": id(p) for path, p in module.named_parameters() if p.requires_grad}
        parts[name] = ([n for n, p in asking.items() if p in alive], [n for n, p in asking.items() if p not in alive])
    return parts
