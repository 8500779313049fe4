"""What the package's functions are given: each refusal names the function, what came, and what is wanted.

    TypeError   it is another kind of thing: a list, an array, a class
    ValueError  it is the right kind of thing, with a shape, dtype, device or value that does not fit

What is asked of a tensor here is known without reading it, so that a check costs microseconds and no GPU has to wait.
Values are read in one place, `extent`; `values_known` switches that off where they have been looked at before.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.overrides import _get_current_function_mode_stack
from torch.utils._device import DeviceContext
from torch.utils._python_dispatch import _get_current_dispatch_mode

_KNOWN: ContextVar[bool] = ContextVar("values that are known to be good", default=False)


def kind(value: object) -> str:
    """What something is, in words: "a float", "the class VAE", "None"."""
    if value is None:
        return "None"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"


def require_tensor(caller: str, name: str, value: object, *, floating: bool = True) -> None:
    """Refuse what is no tensor, a sparse one, and one that is not of a floating type that torch computes with."""
    if not isinstance(value, Tensor):
        cure = ""
        if hasattr(value, "__array__"):
            cure = f": torch.from_numpy({name})"
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Tensor):
            cure = f": torch.stack({name})"
        raise TypeError(f"{caller}: {name} is {kind(value)}; wanted a tensor{cure}.")
    if not value.dtype.is_floating_point and (floating or value.dtype.is_complex):
        cure = f", e.g. {name}.float()" if name.isidentifier() else ""
        raise ValueError(f"{caller}: {name} has dtype {value.dtype}; wanted a floating type{cure}.")
    if value.layout != torch.strided:
        raise ValueError(f"{caller}: {name} has {value.layout}; wanted a dense tensor, e.g. {name}.to_dense().")
    if floating and value.dtype.itemsize < 2:
        raise ValueError(
            f"{caller}: {name} has dtype {value.dtype}, which torch stores and does not compute with; wanted e.g. "
            "torch.float32."
        )


def require_same_place(caller: str, name: str, value: Tensor, other_name: str, other: Tensor) -> None:
    """Refuse a tensor that lies on another device."""
    if value.device != other.device:
        raise ValueError(
            f"{caller}: {name} is on {value.device} but {other_name} is on {other.device}; move one of them with .to()."
        )


def require_pair(caller: str, mu: object, logvar: object, shape: str) -> None:
    """Refuse mu and logvar that are no two tensors of one shape on one device."""
    require_tensor(caller, "mu", mu)
    require_tensor(caller, "logvar", logvar)
    assert isinstance(mu, Tensor)
    assert isinstance(logvar, Tensor)
    if mu.shape != logvar.shape:
        raise ValueError(
            f"{caller}: logvar has shape {tuple(logvar.shape)} but mu has shape {tuple(mu.shape)}; "
            f"both must be {shape}."
        )
    require_same_place(caller, "logvar", logvar, "mu", mu)


def require_whole(caller: str, name: str, value: Any, least: int | None) -> int:
    """A whole number that is at least `least`, also one of numpy's."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{caller}: {name} is {value!r}; wanted a whole number.") from None
    if least is not None and number < least:
        raise ValueError(f"{caller}: {name} is {number}; wanted a whole number of at least {least}.")
    return number


def require_number(caller: str, name: str, value: Any, *, zero: bool, also: str = "") -> float:
    """A finite number above zero, or from zero on."""
    wanted = f"a finite number {'of at least 0' if zero else 'above 0'}{also}"
    try:
        if isinstance(value, str | bytes | bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(f"{caller}: {name} is {value!r}; wanted {wanted}.") from None
    if not (number >= 0 if zero else number > 0) or math.isinf(number):
        raise ValueError(f"{caller}: {name} is {value!r}; wanted {wanted}.")
    return number


def require_sizes(caller: str, name: str, value: Any, *, some: bool) -> tuple[int, ...]:
    """Whole numbers above zero, e.g. widths of layers or a shape; `some`: at least one of them."""
    try:
        if isinstance(value, str):
            raise TypeError
        sizes = tuple(operator.index(size) for size in value)
        if min(sizes, default=1) < 1 or (some and not sizes):
            raise TypeError
    except TypeError:
        example = f"({value},)" if isinstance(value, int) else "(28, 28)"
        raise ValueError(f"{caller}: {name} is {value!r}; wanted whole numbers above 0, e.g. {example}.") from None
    return sizes


def require_generator(caller: str, generator: object, device: torch.device) -> None:
    """Refuse what is no generator, and one that draws on another kind of device."""
    if generator is None:
        return
    if not isinstance(generator, torch.Generator):
        raise TypeError(
            f"{caller}: generator is {kind(generator)}; wanted a torch.Generator, e.g. "
            "torch.Generator().manual_seed(0)."
        )
    if generator.device.type != device.type:
        raise ValueError(
            f"{caller}: generator is on {generator.device}, but noise is wanted on {device}: "
            f"torch.Generator({device.type!r})."
        )


def require_device(caller: str, device: Any) -> torch.device | None:
    """A device that torch knows, or None; no GPU where there is none, but for a mode that only pretends to compute."""
    try:
        wanted = None if device is None else torch.device(device)
    except (RuntimeError, TypeError):
        raise ValueError(f"{caller}: device is {device!r}; wanted e.g. 'cpu' or 'cuda'.") from None
    pretended = _get_current_dispatch_mode() is not None
    if wanted is not None and wanted.type == "cuda" and not pretended and not torch.cuda.is_available():
        raise RuntimeError(
            f"{caller}: device is {str(wanted)!r} but torch finds no GPU here; use device='cpu' or leave it out."
        )
    return wanted


def require_switch(caller: str, name: str, value: object) -> None:
    """Refuse what is neither True nor False: of a word such as "no", Python would make True."""
    if not isinstance(value, bool):
        raise TypeError(f"{caller}: {name} is {value!r}; wanted True or False.")


def require_function(caller: str, name: str, value: object) -> None:
    """Refuse what cannot be called."""
    if not callable(value):
        raise TypeError(f"{caller}: {name} is {kind(value)}; wanted a function.")


def require_returned(caller: str, name: str, value: object, shape: tuple[int, ...], meaning: str) -> None:
    """Refuse what a caller's own function returned in another shape, which would broadcast into a wrong number."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{caller}: {name} returned {kind(value)}; wanted a tensor {meaning}.")
    if tuple(value.shape) != shape:
        raise ValueError(f"{caller}: {name} returned shape {tuple(value.shape)}; wanted {shape}, {meaning}.")


def require_model(caller: str, model: object, *methods: str) -> None:
    """Refuse what has not the methods that are needed; a class in place of a model is told apart."""
    if isinstance(model, type):
        raise TypeError(f"{caller}: model is {kind(model)}; wanted a model, e.g. {model.__name__}().")
    for method in methods:
        if not callable(getattr(model, method, None)):
            raise TypeError(f"{caller}: model is {kind(model)}, which has no `{method}`; see `vae_lab.models.VAE`.")


def place(model: object) -> tuple[torch.device | None, torch.dtype | None]:
    """Device and floating type of a model's first such parameter; None for a model that has none."""
    for parameter in model.parameters() if isinstance(model, torch.nn.Module) else ():
        if parameter.dtype.is_floating_point:
            return parameter.device, parameter.dtype
    return None, None


@contextmanager
def values_known() -> Iterator[None]:
    """Within it no value is read: what comes has been looked at, once, before."""
    token = _KNOWN.set(True)
    try:
        yield
    finally:
        _KNOWN.reset(token)


def known() -> bool:
    """Tell whether values, device and floating type have been looked at: `values_known`."""
    return not torch.compiler.is_compiling() and _KNOWN.get()


def can_read(tensor: Tensor) -> bool:
    """Tell whether values may be looked at here and now.

    Not while torch compiles or captures a graph, where a value is none yet; not while somebody watches what is called,
    since a look would be seen as part of the computation; and not where `values_known`.
    """
    if torch.compiler.is_compiling() or _KNOWN.get() or tensor.is_meta or not tensor.numel():
        return False
    if _get_current_dispatch_mode() is not None:
        return False
    if any(not isinstance(mode, DeviceContext) for mode in _get_current_function_mode_stack()):
        return False
    return not (tensor.is_cuda and torch.cuda.is_current_stream_capturing())


def extent(tensor: Tensor) -> tuple[float, float] | None:
    """The smallest and largest value, NaN if there is one; None where values cannot be read."""
    if not can_read(tensor):
        return None
    try:
        low, high = tensor.detach().aminmax()
        return low.item(), high.item()
    except RuntimeError:  # inside vmap, or a tensor that only pretends to have values
        return None
