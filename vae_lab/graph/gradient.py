"""What becomes of a gradient on its way back through a recording: measured, edge by edge.

For one operation and one cotangent g (the gradient of the output with respect to the operation's result), the share
that an operand receives is the vector-Jacobian product g dv/du. Where autograd followed the operation, the share comes
from autograd's own nodes between the two values, so it is what `backward` would do. Where autograd did not follow
because the operand asked for no gradient, the operation alone is computed again on copies that do: this tells a step through
which a gradient could pass from one that stops it. User hooks do not run and `.grad` is never touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from vae_lab.graph.values import Operation, Value

PASSES, ZERO, CUT, UNASKED = "passes", "zero", "cut", "unasked"


@dataclass
class Flow:
    """The gradient of one output at every value and along every edge of a recording."""

    output: Value
    arrives: dict[Value, Tensor] = field(default_factory=dict)  # d output / d value; missing where nothing arrives
    shares: dict[tuple[Value, Value], Tensor] = field(default_factory=dict)  # (operand, result) -> its share
    verdicts: dict[tuple[Value, Value], str] = field(default_factory=dict)
    asked: set[Value] = field(default_factory=set)
    refused: dict[Value, str] = field(default_factory=dict)  # result -> autograd's own complaint


def measure(output: Value, asked: Iterable[Value]) -> Flow:
    """Send the gradient of `output` back through the recording; `asked` are the values worth asking about."""
    wanted = set(asked)
    flow = Flow(output, asked=wanted)
    if not output.differentiable:
        return flow
    with torch.no_grad():
        flow.arrives[output] = torch.ones_like(output.tensor)
    todo = {output}
    while todo:
        value = max(todo, key=lambda v: v.key)
        todo.discard(value)
        if value.op is None:
            continue
        operands = list(dict.fromkeys(value.op.inputs))
        todo.update(operands)
        cotangent = flow.arrives.get(value)
        shares: dict[Value, Tensor | None] = dict.fromkeys(operands)
        if cotangent is not None:
            try:
                shares = pull_back(value, operands, cotangent, wanted)
            except RuntimeError as error:
                flow.refused[value] = str(error).split("\n")[0]
        for operand in operands:
            share = shares.get(operand)
            if operand not in wanted:
                flow.verdicts[operand, value] = UNASKED
            elif share is None:
                flow.verdicts[operand, value] = CUT
            else:
                flow.shares[operand, value] = share
                flow.verdicts[operand, value] = PASSES if bool((share != 0).any()) else ZERO
                before = flow.arrives.get(operand)
                flow.arrives[operand] = share if before is None else before + share
    return flow


def pull_back(
    value: Value, operands: list[Value], cotangent: Tensor, wanted: Iterable[Value]
) -> dict[Value, Tensor | None]:
    """The share of `cotangent` that each operand receives; None where no path leads there."""
    assert value.op is not None
    followed = [u for u in operands if u.edge is not None]
    shares: dict[Value, Tensor | None] = dict.fromkeys(operands)
    if value.edge is not None and followed:
        shares |= _through_nodes(value, followed, cotangent)
    elif value.op.name in {"view", "shared memory"} and not followed and value.op.inputs:
        return shares
    chosen = set(wanted)
    would = [u for u in operands if u.edge is None and u in chosen and u.differentiable]
    if would and value.op.grad_enabled and value.differentiable:
        shares |= again(value, would, cotangent)
    return shares


def _through_nodes(value: Value, operands: list[Value], cotangent: Tensor) -> dict[Value, Tensor | None]:
    """Walk autograd's nodes from the result to the operands and no further."""
    stop = {(u.edge.node, u.edge.output_nr): u for u in operands}
    start = (value.edge.node, value.edge.output_nr)
    if start in stop:
        return {stop[start]: cotangent}
    ends = {node for node, _ in stop}
    order, seen = [], set()

    def visit(root: Any) -> None:
        stack = [(root, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node is not None and node not in seen:
                seen.add(node)
                stack.append((node, True))
                if node not in ends or node is root:
                    stack.extend((n, False) for n, _ in node.next_functions)

    visit(start[0])
    pending: dict[Any, dict[int, Tensor]] = {start[0]: {start[1]: cotangent}}
    shares: dict[Value, Tensor | None] = dict.fromkeys(operands)
    with torch.no_grad():
        for node in reversed(order):
            given = pending.pop(node, None)
            if given is None:
                continue
            width = max(given) + 1
            meta = getattr(node, "_input_metadata", None)
            width = max(width, len(meta)) if meta is not None else width
            call = getattr(node, "apply", node) if not callable(node) else node
            if not node.next_functions or type(node).__name__ == "AccumulateGrad":
                continue
            got = call(*[given.get(i) for i in range(width)])
            for (onward, nr), grad in zip(node.next_functions, got if isinstance(got, tuple) else (got,), strict=False):
                if onward is None or grad is None:
                    continue
                if (onward, nr) in stop:
                    operand = stop[onward, nr]
                    had = shares[operand]
                    shares[operand] = grad if had is None else had + grad
                else:
                    slot = pending.setdefault(onward, {})
                    slot[nr] = slot[nr] + grad if nr in slot else grad
    return shares


def again(value: Value, operands: list[Value], cotangent: Tensor) -> dict[Value, Tensor | None]:
    """Compute the operation once more on copies of its operands that ask for a gradient."""
    none: dict[Value, Tensor | None] = dict.fromkeys(operands)
    op = value.op
    if op is None or op.call is None or op.outside:
        return none
    replay = rerun(op, {u: u.tensor for u in operands})
    if replay is None:
        return none
    leaves, outputs = replay
    place = op.outputs.index(value)
    if place >= len(outputs) or not outputs[place].requires_grad or outputs[place].shape != cotangent.shape:
        return none
    with torch.enable_grad():
        grads = torch.autograd.grad(
            outputs[place], [leaves[u] for u in operands], cotangent.detach(), allow_unused=True
        )
    return dict(zip(operands, grads, strict=True))


def rerun(op: Operation, asking: dict[Value, Tensor]) -> tuple[dict[Value, Tensor], list[Tensor]] | None:
    """Run one operation on copies; the random stream and every tensor of the person's stay as they are."""
    assert op.call is not None
    func, args, kwargs = op.call
    leaves = {u: t.detach().clone().requires_grad_() for u, t in asking.items()}
    copies: dict[int, Tensor] = {id(u.tensor): leaf for u, leaf in leaves.items()}
    ids = {id(v.tensor): v for v in op.inputs}

    def copy(thing: Any) -> Any:
        if not isinstance(thing, Tensor):
            return thing
        if id(thing) not in copies:
            copies[id(thing)] = thing.detach().clone()
        made = copies[id(thing)]
        return made.clone() if made.requires_grad and id(thing) in ids else made

    devices = sorted({v.tensor.device.index or 0 for v in op.inputs if v.tensor.is_cuda})
    generator = kwargs.get("generator")
    if generator is not None:
        kwargs = {**kwargs, "generator": generator.clone_state()}
    with torch.random.fork_rng(devices=devices), torch.enable_grad():
        try:
            args, kwargs = pytree.tree_map(copy, (args, kwargs))
            result = func(*args, **kwargs)
        except (RuntimeError, ValueError, TypeError):
            return None
    outputs = [t for t in pytree.tree_leaves(result) if isinstance(t, Tensor)]
    if not outputs and op.name == "__setitem__":
        outputs = [args[0]]
    return leaves, outputs
