"""What one side does with its own objects when the other side asks: call, look up, iterate."""

from __future__ import annotations

import sys
from itertools import islice
from typing import Any

import torch

from vae_lab.grading.rpc.wire import WireError

MODULE_METHODS = {
    *("training", "train", "eval", "parameters", "named_parameters", "buffers", "named_buffers", "children", "modules"),
    *("state_dict", "zero_grad", "requires_grad_", "forward", "apply", "compile", "to", "cpu", "cuda", "float"),
}


def use(op: str, values: list[Any], *, guarded: bool) -> Any:
    """Do what the other side asks for with one of this side's objects.

    Args:
        op: "call", "attr", "item", "len", "bool", "contains", "iter", "next" or "isinstance".
        values: the object, then the operation's own values.
        guarded: whether to refuse attributes that could lead further than the object itself (the trusted side).

    >>> use("item", [{"a": 1}, "a"], guarded=True)
    1
    >>> use("attr", [use, "__globals__"], guarded=True)
    Traceback (most recent call last):
    ...
    AttributeError: '__globals__' cannot be reached from the other side
    """
    target, *rest = values
    match op, rest:
        case "call", [tuple() as args, dict() as kwargs]:
            return target(*args, **kwargs)
        case "attr", [str() as name]:
            if guarded and not _reachable(target, name):
                raise AttributeError(f"{name!r} cannot be reached from the other side")
            if guarded and name == "compile" and isinstance(target, torch.nn.Module):
                return _as_it_is  # a test's own model computes the same without
            return getattr(target, name)
        case "item", [key]:
            return target[key]
        case "len", []:
            return len(target)
        case "bool", []:
            return bool(target)
        case "contains", [value]:
            return value in target
        case "iter", []:
            return iter(target)
        case "next", []:
            return tuple(islice(target, 1))
        case "isinstance", [cls] if not guarded:
            return isinstance(target, cls)
    raise WireError("a question is malformed")


def _as_it_is(*args: object, **kwargs: object) -> None:
    """What `model.compile()` does to a model of a test."""


def _reachable(target: object, name: str) -> bool:
    """Whether a test's own object offers this name: public, and its own or a usual one of a module.

    Attributes of functions, generators, frames, classes and Python modules lead to everything else in a process; none
    is offered. A class that keeps books for a check lists in OFFERS what a task speaks of, and nothing else is.
    """
    if name.startswith("_") or isinstance(target, type | type(sys)):
        return False
    offers = getattr(type(target), "OFFERS", None)
    if offers is not None:
        return name in offers or (isinstance(target, torch.nn.Module) and name in MODULE_METHODS)
    if isinstance(target, torch.nn.Module):
        own = (vars(target), target._parameters, target._buffers, target._modules)
        if name in MODULE_METHODS or any(name in names for names in own):
            return True
    elif name in getattr(target, "__dict__", {}):
        return True
    defining = (cls for cls in type(target).__mro__ if name in vars(cls))
    return any(not _foreign(cls) for cls in defining)


def _foreign(cls: type) -> bool:
    """Whether a class comes from Python or a library and not from the course."""
    top = cls.__module__.partition(".")[0]
    return top in sys.stdlib_module_names - {"__main__"} or top in ("builtins", "torch", "numpy")
