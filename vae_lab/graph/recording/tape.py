"""The tape of a recording: which value each tensor is now, and what happens to it when memory is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction

from vae_lab.graph.recording.memory import overlap, storage_of
from vae_lab.graph.recording.untracked import Left
from vae_lab.graph.recording.values import Operation, Source, Value, version_of

# In place, and nothing of the old content is left.
OVERWRITES = {"zero_", "fill_", "copy_", "set_", "normal_", "uniform_", "exponential_", "cauchy_", "log_normal_"}
OVERWRITES |= {"geometric_", "random_", "bernoulli_", "trunc_normal_", "zeros_", "ones_", "constant_"}
OVERWRITES |= {"kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_", "orthogonal_"}


class Tape:
    """Values and operations in the order in which they came."""

    def __init__(self) -> None:
        self.values: list[Value] = []
        self.operations: list[Operation] = []
        self.modules: dict[str, nn.Module] = {}
        self.learned: dict[int, Tensor] = {}  # id (kept alive) -> a parameter of one of them
        self.problems: list[str] = []  # why the recording cannot be shown truthfully
        self.departures: list[Left] = []  # what left torch as numbers or arrays
        self._now: dict[int, Value] = {}  # id of a tensor (kept alive by its Value) -> its newest version
        self._storages: dict[int, list[Value]] = {}  # where in memory -> the values that lie there

    def problem(self, line: str) -> None:
        """Note why the recording cannot be shown truthfully; it is raised at the end of the block."""
        self.problems.append(line)

    # -- values ----------------------------------------------------------------------------------------------------

    def find(self, tensor: Tensor) -> Value | None:
        """The newest version of a tensor, if it was recorded."""
        known = self._now.get(id(tensor))
        same = known is not None and known.version == version_of(tensor)
        if known is not None and same and known.edge is None and tensor.requires_grad:
            if isinstance(tensor.grad_fn, BackwardCFunction):
                return self._custom_result(tensor, known)
            known.look()  # requires_grad_() was called since
        return known

    def value(self, tensor: Tensor, written_from: int | None = None) -> Value:
        """The newest version of a tensor, taken in as a leaf where nothing is known of it.

        Where the call at hand has just written the tensor, `written_from` is the version that went in.
        """
        known = self.find(tensor)
        if known is None and isinstance(tensor.grad_fn, BackwardCFunction):
            return self._custom_result(tensor, None)
        if known is None:
            if tensor.grad_fn is not None and self.follows(tensor):
                self.problem(
                    f"record: a value of shape {tuple(tensor.shape)} follows from recorded ones through "
                    f"{tensor.grad_fn.name()}, which the recorder did not see; compute it inside the block, with "
                    "torch's own operations and not with autograd.grad(create_graph=True)."
                )
            shared = [v for v in self._sharing(tensor) if v.kind != "constant"]
            if shared and tensor.grad_fn is None:  # wrapped anew (nn.Parameter), or shared through NumPy
                origin = shared[-1]
                place = origin.op if origin.op is not None else Operation(-1, "", [])
                op = self.step(type(tensor).__name__, [origin], place, grad_enabled=False)
                return self.new(tensor, "result", op)
            return self.leaf(tensor)
        if known.version not in {version_of(tensor), written_from} and known.op is None:  # an optimizer's step, perhaps
            return self.new(tensor, known.kind, None, known.name)
        return known

    def leaf(self, tensor: Tensor, name: str | None = None) -> Value:
        """Take in a tensor that was not made by a recorded operation."""
        learned = isinstance(tensor, nn.Parameter) or id(tensor) in self.learned  # TorchScript's are plain tensors
        kind = "parameter" if learned else "input" if name else "constant"
        return self.new(tensor, kind, None, name)

    def new(self, tensor: Tensor, kind: str, op: Operation | None, name: str | None = None) -> Value:
        """Enter a value, from now on the newest version of its tensor."""
        value = Value(len(self.values), tensor, kind, op, name)
        value.look()
        self.values.append(value)
        self._now[id(tensor)] = value
        if op is not None:
            op.outputs.append(value)
        if place := storage_of(tensor):
            self._storages.setdefault(place, []).append(value)
        return value

    def step(self, name: str, inputs: list[Value], like: Operation, **facts: Any) -> Operation:
        """Enter an operation that no call stands for, at the place of the operation `like`."""
        op = Operation(len(self.operations), name, inputs, source=like.source, groups=like.groups, **facts)
        self.operations.append(op)
        return op

    # -- memory ----------------------------------------------------------------------------------------------------

    def write(self, tensor: Tensor, op: Operation) -> None:
        """A tensor was written in place by `op`: it, and whatever shares its memory, gets a new version."""
        foreign = all(v.tensor is tensor or v.kind == "constant" for v in op.inputs)
        if isinstance(tensor, nn.Parameter) and tensor.is_leaf and foreign:  # being initialised, or updated by hand
            known = self._now.get(id(tensor))
            self.new(tensor, "parameter", None, known.name if known else None)
            return
        old = self._now.get(id(tensor)) or self.leaf(tensor)
        aliases = [v for v in self._sharing(tensor) if v.tensor is not tensor]
        base = tensor._base
        whole = self._now.get(id(base)) if base is not None else None
        if base is not None and whole is not None:
            op.inputs[:] = [v for v in op.inputs if v is not old]
            if op.name not in OVERWRITES or tensor.numel() < base.numel():
                op.inputs.append(whole)
            written = self.new(base, op.makes, op)
            self.new(tensor, written.kind, self.step("view", [written], op))
            aliases = [v for v in aliases if v.tensor is not base]
            for sister in self._views(base):  # elsewhere in the same memory: the same numbers with a new history
                if sister.tensor is not tensor and not overlap(sister.tensor, tensor):
                    self.new(sister.tensor, written.kind, self.step("view", [written], op))
        else:
            if old not in op.inputs and op.name not in OVERWRITES:
                op.inputs.append(old)
            written = self.new(tensor, op.makes, op)
        for alias in aliases:
            partly = alias.tensor._base is None or alias.tensor.numel() > tensor.numel()
            shared = self.step("shared memory", [written, alias][: 1 + partly], op)
            self.new(alias.tensor, shared.makes, shared)

    def _views(self, base: Tensor) -> list[Value]:
        return [v for v in self._stored_with(base) if v.tensor._base is base]

    def _sharing(self, tensor: Tensor) -> list[Value]:
        return [v for v in self._stored_with(tensor) if overlap(v.tensor, tensor)]

    def _stored_with(self, tensor: Tensor) -> list[Value]:
        """The newest version of each tensor that lies in the same storage."""
        return list({id(v.tensor): v for v in self._storages.get(storage_of(tensor), [])}.values())

    # -- what no ordinary call stands for ----------------------------------------------------------------------------

    def round_trip(self, leaver: Value, exit_name: str, presumed: bool, op: Operation, place: Source | None) -> Value:
        """A value that left torch and came back in `op`; nothing can tell autograd about it."""
        trip = self.step(exit_name, [leaver], op, outside=True, presumed=presumed, grad_enabled=False)
        trip.source = place
        value = Value(len(self.values), leaver.tensor, "result", trip)
        self.values.append(value)
        trip.outputs.append(value)
        return value

    def _custom_result(self, tensor: Tensor, known: Value | None) -> Value:
        """The result of a custom `autograd.Function`: what its forward computed, under a gradient of its own."""
        inner = known.op if known is not None else None
        group = next((g for g in inner.groups if g.kind == "autograd"), None) if inner else None
        members = [op for op in self.operations if group is not None and group in op.groups]
        made = {v for op in members for v in op.outputs}
        inputs = {v: None for op in members for v in op.inputs if v not in made}
        assert tensor.grad_fn is not None
        nodes = {(n, slot) for n, slot in tensor.grad_fn.next_functions if n is not None}
        inputs |= {v: None for v in self.values if v.edge is not None and (v.edge.node, v.edge.output_nr) in nodes}
        name = tensor.grad_fn.name().removesuffix("Backward")
        written = not type(tensor.grad_fn)._forward_cls.__module__.startswith("torch.")  # type: ignore[attr-defined]
        op = Operation(len(self.operations), name, list(inputs), own_backward=written)
        op.random = any(m.random for m in members)
        if inner is not None:
            op.source, op.groups = inner.source, tuple(g for g in inner.groups if g != group)
        self.operations.append(op)
        return self.new(tensor, "result", op)

    def follows(self, tensor: Tensor) -> bool:
        """Whether autograd says that an unknown tensor follows from recorded values."""
        known = {v.edge.node for v in self.values if v.edge is not None}
        learned = {id(p) for m in self.modules.values() for p in m.parameters()}
        todo, seen = [tensor.grad_fn], set()
        while todo:
            node = todo.pop()
            if node is None or node in seen:
                continue
            if node in known or id(getattr(node, "variable", None)) in learned:
                return True
            seen.add(node)
            todo.extend(n for n, _ in node.next_functions)
        return False


def unique(tensors: Iterable[Tensor]) -> list[Tensor]:
    """The tensors without repetition, in order."""
    return list({id(t): t for t in tensors}.values())
