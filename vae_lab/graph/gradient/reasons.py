"""Why a gradient ends on one edge: the measured facts, put into a clause."""

from __future__ import annotations

from vae_lab.graph.gradient.measure import CUT, Flow, lets_pass, seed_for
from vae_lab.graph.gradient.replay import flat, taken_twice
from vae_lab.graph.recording.values import Operation, Value


def culprit(operand: Value, result: Value) -> Operation:
    """The operation to name: the one that made the operand, where that is what cannot carry a gradient."""
    assert result.op is not None
    if operand.op is not None and (operand.op.outside or not operand.differentiable):
        return culprit(operand.op.inputs[0], operand) if _only_formats(operand) else operand.op
    return result.op


def _only_formats(value: Value) -> bool:
    """Whether the value was made from one that already could not carry a gradient (`mask & other`, `index[0]`)."""
    assert value.op is not None
    inputs = value.op.inputs
    return bool(inputs) and not value.op.outside and all(not u.differentiable and u.op is not None for u in inputs)


def reason(operand: Value, result: Value, flow: Flow) -> str:
    """A clause that completes "the gradient ends there, because ..."."""
    op = culprit(operand, result)
    verdict = flow.verdicts.get((operand, result))
    if result in flow.refused:
        return _refusal(result, flow)
    if op.outside:
        sure = "may have come back" if op.presumed else "came back"
        return f"the value left torch by {op.name} and {sure} as plain numbers, which carry no history"
    if op.name in {"tensor", "new_tensor"} and verdict == CUT:
        return "it copies the numbers into a new tensor without their history; use the value itself"
    if op.name in {"detach", "data", "detach_"}:
        return "it hands on the numbers without their history"
    if op.own_backward and op.grad_enabled:
        return f"the backward written for it gives {'None' if verdict == CUT else 'exactly zero'}"
    if verdict == CUT:
        if op.random or any(g.kind == "distribution" and g.name.endswith(".sample") for g in op.groups):
            return "it draws at random, and no path leads from the draw back to what it was drawn with"
        if not op.grad_enabled:
            return "it ran while gradients were switched off (no_grad or inference_mode)"
        if op.outputs and not op.outputs[0].differentiable:
            kind = "true or false" if str(op.outputs[0].dtype) == "torch.bool" else "integers"
            return f"its result is {kind}, and those carry no gradient"
        return "torch knows no derivative for it"
    if op.random and not lets_pass(result, [operand]):
        return "it draws at random, and torch gives what it was drawn with a gradient of exactly zero, without an error"
    if taken_twice(result, operand):
        return "it takes the same value more than once, and the shares of the gradient cancel"
    if flat(result, operand, seed_for(result.tensor.detach())):
        return "it is flat: a small change of its input does not change its result"
    return "its slope is zero at this point, while other values would let the gradient pass"


def _refusal(result: Value, flow: Flow) -> str:
    """Autograd's own complaint, with the line that overwrote what it needs."""
    complaint = flow.refused[result].rstrip(".")
    if "modified by an inplace operation" not in complaint or result.op is None:
        return f"autograd refuses to go on: {complaint}"
    needed = {id(v.tensor) for v in [*result.op.inputs, *result.op.outputs]}
    later = [v for v in flow.values if v.key > result.key and id(v.tensor) in needed and v.op is not None]
    by = next((v.op for v in later if v.op is not None and v.op is not result.op), None)
    place = "" if by is None else f" by {by.name}{f' ({by.source})' if by.source else ''}"
    return (
        f"autograd refuses to go on: {complaint}. The value was changed{place}; write `a = a * b` instead of `a *= b`"
    )
