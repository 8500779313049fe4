"""A GPU that is not there: tensors that say they lie elsewhere and keep their numbers on the processor.

`torch._subclasses.FakeTensorMode` finds two devices that meet by shapes alone, and stops where Python asks for a value.
The checks ask for many. Here each operation is done on the processor, after a look at where its tensors say they lie:

- tensors on two devices do not meet, but for single numbers from the processor, as on a GPU;
- a tensor that is made with `device=THERE` lies there. It is called "meta", the one device besides the processor for
  which autograd needs no driver;
- a generator of the processor does not draw there, and NumPy does not read there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_flatten, tree_map

THERE, CPU = torch.device("meta"), torch.device("cpu")


class Elsewhere(Tensor):
    """A tensor on the GPU that is not there; its numbers are `inner`'s."""

    inner: Tensor

    @staticmethod
    def __new__(cls, inner: Tensor) -> Elsewhere:
        layout = {"strides": inner.stride(), "storage_offset": inner.storage_offset()}
        made = Tensor._make_wrapper_subclass(cls, inner.shape, dtype=inner.dtype, device=THERE, **layout)
        made.inner = inner
        return made

    def __repr__(self) -> str:
        return f"Elsewhere({self.inner})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return operate(func, args, kwargs or {})


def operate(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Do an operation, if its tensors lie in one place."""
    tensors = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, Tensor)]
    there = any(isinstance(value, Elsewhere) for value in tensors)
    wanted = kwargs.get("device")
    moves = func in (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)
    if there and not moves:
        strangers = [value for value in tensors if not isinstance(value, Elsewhere) and value.ndim]
        if strangers:
            raise RuntimeError(f"Expected all tensors to be on the same device, but {func} got two")
    goes = there if wanted is None else torch.device(wanted).type == THERE.type
    if func is torch.ops.aten.copy_.default:
        goes = isinstance(args[0], Elsewhere)
    generator = kwargs.get("generator") or next((a for a in args if isinstance(a, torch.Generator)), None)
    if goes and generator is not None:
        raise RuntimeError(f"Expected another device type for generator but found {generator.device.type!r}")
    if func is torch.ops.aten._pin_memory.default:
        goes = False
    inner = tree_map(lambda value: value.inner if isinstance(value, Elsewhere) else value, (args, kwargs))
    if wanted is not None:
        inner[1]["device"] = CPU
    found = func(*inner[0], **inner[1])
    if not goes:
        return found
    found = tree_map(lambda value: Elsewhere(value) if type(value) is Tensor else value, found)
    return return_and_correct_aliasing(func, args, kwargs, found) if there else found


class _Watch(TorchDispatchMode):
    """Sees also what is made from nothing."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return operate(func, args, kwargs or {})


class _Made(TorchFunctionMode):
    """Takes numbers of Python's along: torch.tensor makes an empty one on "meta"."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.tensor, torch.as_tensor) and kwargs.get("device") is not None:
            return func(*args, **kwargs | {"device": CPU}).to(kwargs["device"])
        return func(*args, **kwargs)


@contextmanager
def gpu_that_is_not_there() -> Iterator[None]:
    """Within it, what is made with `device=THERE` lies there, and keeps its numbers."""
    with _Watch(), _Made():
        yield
