"""Record a computation while it runs.

Two of torch's own modes watch the block, and both end with it. A `TorchFunctionMode` sees each call as the person wrote
it. Below it a `TorchDispatchMode` sees the kernels that the call starts: it learns from torch's own tag whether random
numbers were drawn, and it catches whatever reached a kernel without passing the first mode (scripted code, extensions).
Nothing is computed twice, so results, gradients and the random stream are those of the same code unrecorded.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from vae_lab.graph.outside import Outside
from vae_lab.graph.stack import Stack, source_of
from vae_lab.graph.values import Operation, Value, tensors_in, version_of

# The result takes its shape from the operand and nothing else.
SHAPE_ONLY = {"zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like"}
SHAPE_ONLY |= {"new_zeros", "new_ones", "new_empty", "new_full", "new_tensor"}
# In place, and nothing of the old content is left.
OVERWRITES = {"zero_", "fill_", "copy_", "set_", "normal_", "uniform_", "exponential_", "cauchy_", "log_normal_"}
OVERWRITES |= {"geometric_", "random_", "bernoulli_", "trunc_normal_", "zeros_", "ones_", "constant_"}
OVERWRITES |= {"kaiming_uniform_", "kaiming_normal_", "xavier_uniform_", "xavier_normal_", "orthogonal_"}
EXITS = {"numpy", "item", "tolist", "__array__", "__float__", "__int__", "__complex__", "__index__"}
_VIEW_GETTERS = {"data", "T", "mT", "H", "mH", "real", "imag"}
_BACKWARD = {torch.Tensor.backward, torch.autograd.backward, torch.autograd.grad}


class Recorder(TorchFunctionMode):
    """Keeps every value and operation of the block in `values` and `operations`, in the order in which they came."""

    def __init__(self, frame: FrameType, whole: Iterable[Any] = ()) -> None:
        super().__init__()
        self.values: list[Value] = []
        self.operations: list[Operation] = []
        self.modules: dict[str, nn.Module] = {}
        self.stack = Stack(frame, (f.__code__ for f in whole if hasattr(f, "__code__")))
        self.problems: list[str] = []  # why the recording cannot be shown truthfully
        self.drew = False
        self.on_backward: Any = None  # called with the tensors about to be differentiated
        self._now: dict[int, Value] = {}  # id of a tensor (kept alive by its Value) -> its newest version
        self._storages: dict[int, list[Value]] = {}  # where in memory -> the values that lie there
        self._outside = Outside()
        self._kernels = _Kernels(self)

    # -- the block -----------------------------------------------------------------------------------------------

    def __enter__(self) -> Recorder:
        self._kernels.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        super().__exit__(*exc)
        self._kernels.__exit__(*exc)

    def close(self) -> None:
        """Look once more at values made below autograd, and let go of the stack."""
        for value in self.values:
            if value.op is not None and value.op.name.startswith("aten."):
                value.look()
        self.stack.close()

    # -- values --------------------------------------------------------------------------------------------------

    def leaf(self, tensor: Tensor, name: str | None = None) -> Value:
        """Take in a tensor that was not made by a recorded operation."""
        kind = "input" if name else "parameter" if isinstance(tensor, nn.Parameter) else "constant"
        if name and isinstance(tensor, nn.Parameter):
            kind = "parameter"
        return self._new(tensor, kind, None, name)

    def find(self, tensor: Tensor) -> Value | None:
        """The newest version of a tensor, if it was recorded."""
        return self._now.get(id(tensor))

    def value(self, tensor: Tensor) -> Value:
        """The newest version of a tensor, taken in as a leaf where nothing is known of it."""
        known = self._now.get(id(tensor))
        if isinstance(tensor.grad_fn, BackwardCFunction) and (known is None or known.edge is None):
            return self._custom_result(tensor, known)
        if known is None:
            if tensor.grad_fn is not None and not _outside_history(tensor, self):
                self.problems.append(
                    f"record: a value of shape {tuple(tensor.shape)} was computed from recorded ones by "
                    f"{tensor.grad_fn.name()}, which the recorder did not see; write that step with ordinary torch "
                    "operations, or leave it outside the block."
                )
            return self.leaf(tensor)
        if known.version != version_of(tensor) and known.op is None:  # an optimizer's step, for instance
            return self._new(tensor, known.kind, None, known.name)
        return known

    def _new(self, tensor: Tensor, kind: str, op: Operation | None, name: str | None = None) -> Value:
        value = Value(
            len(self.values),
            tensor,
            kind,
            op,
            name,
            version=version_of(tensor),
            shape=tuple(tensor.shape),
            dtype=tensor.dtype,
        )
        value.look()
        self.values.append(value)
        self._now[id(tensor)] = value
        if op is not None:
            op.outputs.append(value)
        place = _storage(tensor)
        if place:
            self._storages.setdefault(place, []).append(value)
        return value

    # -- operations ----------------------------------------------------------------------------------------------

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = _name(func)
        if name is None:
            return func(*args, **kwargs)
        tensors = list(tensors_in((args, kwargs)))
        if func in _BACKWARD:
            if self.on_backward is not None:
                self.on_backward(list(tensors_in(args[:1])))
            return func(*args, **kwargs)
        before = [version_of(t) for t in tensors]
        grad_enabled = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        outer, self.drew = self.drew, False
        result = func(*args, **kwargs)
        drew, self.drew = self.drew, outer
        results = list(tensors_in(result))
        changed = [t for t, was in zip(tensors, before, strict=True) if version_of(t) != was]
        if not results and not changed and name not in EXITS:
            return result
        place = self.stack.place()
        if place.updating:
            return result
        source = source_of(place.frame)
        if name in EXITS:
            if tensors and (known := self.find(tensors[0])) is not None:
                self._outside.left(known, result, source)
            return result
        fresh = [t for t in _unique(results) if id(t) not in self._now and not any(t is c for c in changed)]
        if not fresh and not changed:
            return result
        inputs = [] if name in SHAPE_ONLY else [self.value(t) for t in _unique(tensors)]
        if changed and name in OVERWRITES:
            inputs = [v for v in inputs if not any(v.tensor is c for c in changed)]
        op = Operation(
            len(self.operations), name, inputs, [], drew, grad_enabled, source, place.groups, (func, args, kwargs)
        )
        for leaver, presumed in self._outside.arrivals(name, args, kwargs, source):
            op.inputs.append(self._round_trip(leaver, presumed, op))
        self.operations.append(op)
        for tensor in _unique(changed):
            self._write(tensor, op)
        for tensor in fresh:
            self._new(tensor, "result" if op.inputs or op.random else "constant", op)
        self._name_locals(place.frame)
        return result

    def _write(self, tensor: Tensor, op: Operation) -> None:
        """A tensor was written in place: it, and whatever shares the memory, gets a new version."""
        touched = [v for v in self._aliases(tensor) if v.tensor is not tensor]
        old = self._now.get(id(tensor)) or self.leaf(tensor)
        base = tensor._base
        if base is not None and (whole := self._now.get(id(base))) is not None:
            if not (op.name in OVERWRITES and tensor.numel() == base.numel()):
                op.inputs.append(whole)
            source: Value = self._new(base, "result", op)
            through = Operation(len(self.operations), "view", [source], [], False, True, op.source, op.groups)
            self.operations.append(through)
            self._new(tensor, "result", through)
            touched = [v for v in touched if v.tensor is not base]
        else:
            if old not in op.inputs and op.name not in OVERWRITES:
                op.inputs.append(old)
            source = self._new(tensor, "result", op)
        for alias in touched:
            inputs = [source]
            if alias.tensor._base is None or alias.tensor.numel() > tensor.numel():
                inputs.append(alias)
            shared = Operation(len(self.operations), "shared memory", inputs, [], False, True, op.source, op.groups)
            self.operations.append(shared)
            self._new(alias.tensor, "result", shared)

    def _custom_result(self, tensor: Tensor, known: Value | None) -> Value:
        """The result of a custom `autograd.Function`: what its forward computed, under a gradient of its own."""
        inner = known.op if known is not None else None
        group = next((g for g in inner.groups if g.kind == "autograd"), None) if inner else None
        members = [op for op in self.operations if group is not None and group in op.groups]
        made = {v for op in members for v in op.outputs}
        inputs = {v: None for op in members for v in op.inputs if v not in made}
        assert tensor.grad_fn is not None
        nodes = {(n, nr) for n, nr in tensor.grad_fn.next_functions if n is not None}
        inputs |= {v: None for v in self.values if v.edge is not None and (v.edge.node, v.edge.output_nr) in nodes}
        name = tensor.grad_fn.name().removesuffix("Backward")
        op = Operation(
            len(self.operations),
            name,
            list(inputs),
            [],
            any(m.random for m in members),
            True,
            inner.source if inner else None,
            tuple(g for g in inner.groups if g != group) if inner else (),
        )
        self.operations.append(op)
        return self._new(tensor, "result", op)

    def _aliases(self, tensor: Tensor) -> list[Value]:
        place = _storage(tensor)
        newest = {id(v.tensor): v for v in self._storages.get(place, [])} if place else {}
        return [v for v in newest.values() if _overlap(v.tensor, tensor)]

    def _round_trip(self, leaver: Value, presumed: bool, op: Operation) -> Value:
        trip = Operation(
            len(self.operations),
            "NumPy or Python numbers",
            [leaver],
            [],
            False,
            False,
            op.source,
            op.groups,
            outside=True,
            presumed=presumed,
        )
        self.operations.append(trip)
        value = Value(len(self.values), leaver.tensor, "result", trip, shape=leaver.shape, dtype=leaver.dtype)
        self.values.append(value)
        trip.outputs.append(value)
        return value

    def _name_locals(self, frame: FrameType | None) -> None:
        if frame is None or frame.f_code.co_name == "<module>" or frame is self.stack.base:
            return
        self.name_from(frame.f_locals)

    def name_from(self, variables: dict[str, Any]) -> None:
        """Give values the names of the local variables that hold them."""
        for name, thing in variables.items():
            if isinstance(thing, Tensor) and not name.startswith("_"):
                value = self._now.get(id(thing))
                if value is not None and value.name is None and value.local is None and value.kind == "result":
                    value.local = name


class _Kernels(TorchDispatchMode):
    """Notes whether a kernel drew random numbers."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if torch.Tag.nondeterministic_seeded in func.tags:
            self.recorder.drew = True
        return func(*args, **(kwargs or {}))


def calling_frame(depth: int = 2) -> FrameType:
    """The frame `depth` calls up."""
    return sys._getframe(depth)


def _name(func: Any) -> str | None:
    """What the person called it, or None for what is no computation (a property, a mode switch)."""
    name: str = getattr(func, "__name__", "") or ""
    if name == "__get__":
        owner = getattr(getattr(func, "__self__", None), "__name__", "")
        return owner if owner in _VIEW_GETTERS else None
    if isinstance(func, torch._ops.OpOverload):
        return f"aten.{func._schema.name.split('::')[-1]}" if func.namespace == "aten" else _custom(func)
    if name in {"__set__", "_set_grad_enabled", "__repr__", "__format__", "__deepcopy__", "requires_grad_"}:
        return None
    if name.startswith("_record_function"):
        return None
    return name


def _custom(func: Any) -> str | None:
    return None if func.namespace == "profiler" else func._schema.name.replace("::", ".")


def _unique(tensors: Iterable[Tensor]) -> list[Tensor]:
    return list({id(t): t for t in tensors}.values())


def _storage(tensor: Tensor) -> int:
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # a sparse tensor, or one without memory
        return 0


def _overlap(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors of one storage share an element."""
    if a is b:
        return True
    size = max(_end(a), _end(b))
    if size > 5_000_000:
        return bool(a.storage_offset() < _end(b) and b.storage_offset() < _end(a))
    mark = torch.zeros(size, dtype=torch.bool)
    mark.as_strided(b.shape, b.stride(), b.storage_offset()).fill_(True)
    return bool(mark.as_strided(a.shape, a.stride(), a.storage_offset()).any())


def _end(tensor: Tensor) -> int:
    if tensor.numel() == 0:
        return 0
    return (
        int(tensor.storage_offset()) + 1 + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride(), strict=True))
    )


def _outside_history(tensor: Tensor, recorder: Recorder) -> bool:
    """Whether autograd can explain the tensor without any recorded value: it was computed before the block."""
    known = {v.edge.node for v in recorder.values if v.edge is not None and v.op is not None}
    todo, seen = [tensor.grad_fn], set()
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        if node in known:
            return False
        seen.add(node)
        todo.extend(n for n, _ in node.next_functions)
    return True
