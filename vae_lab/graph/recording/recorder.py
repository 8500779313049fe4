"""Record a computation while it runs.

Two of torch's own modes watch the block, and both end with it. A `TorchFunctionMode` sees each call as the person wrote
it. Below it a `TorchDispatchMode` sees the kernels that the call starts: it learns from torch's own tag whether random
numbers were drawn, and whatever reached a kernel without passing the first mode (scripted code, `from_numpy`) passes it
from there. Nothing is computed twice, so results, gradients and the random stream are those of the code unrecorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from vae_lab.graph.recording.call_stack import CallStack, source_of
from vae_lab.graph.recording.memory import storage_of
from vae_lab.graph.recording.tape import OVERWRITES, Tape, unique
from vae_lab.graph.recording.untracked import EXITS, Untracked
from vae_lab.graph.recording.values import Operation, tensors_in, version_of
from vae_lab.graph.recording.variable_names import Naming

# The result takes its shape from the operand and nothing else.
SHAPE_ONLY = {"zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like"}
SHAPE_ONLY |= {"new_zeros", "new_ones", "new_empty", "new_full"}
_PROPERTIES = {"data", "T", "mT", "H", "mH", "real", "imag"}
_SILENT = {
    "__set__",
    "_set_grad_enabled",
    "__repr__",
    "__format__",
    "requires_grad_",
    "backward",
    "grad",
}


class Recorder(TorchFunctionMode):
    """Writes every value and operation of the block into a tape."""

    def __init__(self, frame: FrameType, whole: Iterable[CodeType] = ()) -> None:
        super().__init__()
        self.tape = Tape()
        self.stack = CallStack(frame, whole)
        self.drew = False  # whether a kernel of the current call drew random numbers
        self.on_backward: Callable[[list[Tensor]], None] | None = None  # told what is about to be differentiated
        self._untracked = Untracked(self.tape.departures)
        self._naming = Naming()
        self._kernels = _Kernels(self)

    def __enter__(self) -> Recorder:
        self._kernels.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        super().__exit__(*exc)
        self._kernels.__exit__(*exc)

    def close(self) -> None:
        """Look once more at what was made below autograd, and let go of the stack."""
        for value in self.tape.values:
            if value.op is not None and value.op.below:
                value.look()
        self.stack.close()
        self._naming = Naming()

    def __torch_function__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = _name(func)
        if name is None or name in _SILENT:
            if name in {"backward", "grad"} and self.on_backward is not None:
                self.on_backward(list(tensors_in(args[:1])))
            return func(*args, **kwargs)
        tensors = list(tensors_in((args, kwargs)))
        before = [version_of(t) for t in tensors]
        enabled = torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        outer, self.drew = self.drew, False
        try:
            result = func(*args, **kwargs)
        finally:
            drew, self.drew = self.drew or _draws(func), outer
        changed = _written(t for t, was in zip(tensors, before, strict=True) if version_of(t) != was)
        if isinstance(result, Tensor) or changed or name in EXITS or any(True for _ in tensors_in(result)):
            versions = {id(t): was for t, was in zip(tensors, before, strict=True)}
            self._enter(name, func, args, kwargs, unique(tensors), versions, result, changed, enabled, drew)
        return result

    def _enter(
        self, name: str, func: Any, args: Any, kwargs: Any, tensors: list[Tensor], versions: dict[int, int],
        result: Any, changed: list[Tensor], enabled: bool, drew: bool,
    ) -> None:  # fmt: skip
        place = self.stack.place(3)
        if place.updating:
            return
        if any(torch._C._functorch.is_functorch_wrapped_tensor(t) for t in tensors):
            self.tape.problem(
                f"record: {name} ran inside vmap or another transform of torch.func, where the recorder cannot see; "
                "compute it with ordinary operations, or outside the block."
            )
            return
        tape, source = self.tape, source_of(place.frames)
        self._naming.look(place.frames, tape)
        if name in EXITS:
            if tensors and (known := tape.find(tensors[0])) is not None:
                self._untracked.left(known, name, result, source)
            return
        arrives_here = name == "from_numpy"
        fresh = [t for t in unique(tensors_in(result)) if all(t is not c for c in changed)]
        fresh = [t for t in fresh if tape.find(t) is None or arrives_here]
        if not fresh and not changed:
            return
        inputs = [] if name in SHAPE_ONLY or arrives_here else [tape.value(t, versions[id(t)]) for t in tensors]
        if name in OVERWRITES:
            inputs = [v for v in inputs if all(v.tensor is not c for c in changed)]
        op = Operation(len(tape.operations), name, inputs, [], drew, enabled, source, place.groups)
        op.call, op.below = (func, args, kwargs), isinstance(func, torch._ops.OpOverload)
        for left, presumed in self._untracked.arrivals(name, args, kwargs, source):
            op.inputs.append(tape.round_trip(left.value, left.by, presumed, op, left.source))
        tape.operations.append(op)
        for tensor in changed:
            tape.write(tensor, op)
        for tensor in fresh:
            tape.new(tensor, op.makes, op)


class _Kernels(TorchDispatchMode):
    """Notes whether a kernel drew random numbers."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> Any:
        if _draws(func):
            self.recorder.drew = True
        if func is torch.ops.aten._local_scalar_dense.default and not isinstance(args[0], Tensor):
            return args[0]  # a constant of a traced function: TorchScript hands it over as a number
        return func(*args, **(kwargs or {}))


def _written(changed: Iterable[Tensor]) -> list[Tensor]:
    """Of tensors with a new version those that a call wrote itself: the views of a tensor count versions together.

    The first of them is the one, for `x.add_(x[0])` and `x[0] = x[1]` write what they are called on.
    """
    first: dict[int, Tensor] = {}
    for tensor in changed:
        first.setdefault(storage_of(tensor) or id(tensor), tensor)
    return list(first.values())


def _draws(func: Any) -> bool:
    """Whether it is a kernel that draws random numbers."""
    return isinstance(func, torch._ops.OpOverload) and torch.Tag.nondeterministic_seeded in func.tags


def _name(func: Any) -> str | None:
    """What the person called it, or None for what is no computation (a property, a mode switch)."""
    if isinstance(func, torch._ops.OpOverload):
        name = str(func._schema.name).split("::")[-1]
        if func.namespace == "profiler":
            return None
        return "from_numpy" if name == "lift_fresh" else name
    name = getattr(func, "__name__", "") or ""
    if name == "__get__":
        owner: str = getattr(getattr(func, "__self__", None), "__name__", "")
        return owner if owner in _PROPERTIES else None
    return None if name.startswith("_record_function") else name
