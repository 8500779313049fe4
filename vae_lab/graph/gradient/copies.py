"""A function and its inputs as copies that ask for a gradient, so that nothing of the reader's is touched.

A leaf is what can be asked for a gradient: a tensor, called after its argument, or one parameter of a module, called
`model.encoder.weight`. The parameters of the function itself (a module, or a module's method) are leaves, too.
"""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from vae_lab.graph.gradient.dependence import Change
from vae_lab.graph.recording.values import tensors_in

OWN = ""  # the name of the function itself among the modules


class Copies:
    """One set of copies."""

    def __init__(
        self,
        f: Callable[..., Any],
        given: dict[str, Any],
        change: Change | None = None,
        where: Iterable[str] = (),
        as_results: bool = False,
    ) -> None:
        """Copy `f` and its inputs.

        Args:
            f: the function.
            given: its inputs by name.
            change: what to do with the leaves named in `where`.
            where: names of leaves.
            as_results: hand tensors in as results of a computation, which may be changed in place, not as leaves.
        """
        module = _module_of(f)
        memo: dict[int, Any] = {}
        modules = {n: _deep(v, memo) for n, v in given.items() if isinstance(v, nn.Module)}
        self.f = f
        if module is not None:
            modules[OWN] = _deep(module, memo)
            self.f = modules[OWN] if f is module else types.MethodType(f.__func__, modules[OWN])  # type: ignore[attr-defined]
        self.modules: dict[str, nn.Module] = modules
        self.leaves: dict[str, Tensor] = {}
        self.inputs: dict[str, Any] = {}
        changed = set(where)
        for name, thing in given.items():
            if name in modules:
                self.inputs[name] = modules[name]
            elif isinstance(thing, Tensor) and can_ask(thing):
                twin = thing.detach().clone()
                if change is not None and name in changed:
                    twin = change(twin)
                self.leaves[name] = twin.requires_grad_()
                self.inputs[name] = twin.clone() if as_results else twin
            else:
                self.inputs[name] = thing.clone() if isinstance(thing, Tensor) else thing
        for owner, copied in modules.items():
            for path, parameter in copied.named_parameters():
                name = f"{owner}.{path}" if owner else path
                if parameter.requires_grad:
                    self.leaves[name] = parameter
                    if change is not None and name in changed:
                        with torch.no_grad():
                            parameter.copy_(change(parameter.detach().clone()))

    def parts(self, name: str) -> list[str]:
        """The leaves of one input: itself if it is a tensor, the parameters if it is a module."""
        if name not in self.modules:
            return [name] if name in self.leaves else []
        start = f"{name}." if name else ""
        own = [start + path for path, _ in self.modules[name].named_parameters()]
        return [leaf for leaf in own if leaf in self.leaves]


def can_ask(tensor: Tensor) -> bool:
    """Whether a tensor of this kind can carry a gradient."""
    return tensor.is_floating_point() or tensor.is_complex()


def _module_of(f: Callable[..., Any]) -> nn.Module | None:
    """The module that a function is, or is a method of."""
    if isinstance(f, nn.Module):
        return f
    owner = getattr(f, "__self__", None)
    return owner if isinstance(owner, nn.Module) and hasattr(f, "__func__") else None


def _deep(module: nn.Module, memo: dict[int, Any]) -> nn.Module:
    for part in module.modules():
        for tensor in tensors_in(vars(part)):
            if tensor.grad_fn is not None:  # kept from an earlier computation (`self.z = z`): torch refuses to copy it
                memo[id(tensor)] = tensor.detach().clone()
    try:
        return copy.deepcopy(module, memo)
    except (RuntimeError, TypeError) as error:
        raise TypeError(
            f"explain: {type(module).__name__} cannot be copied, and only copies are run; give a function of tensors "
            f"instead. Python says: {str(error).splitlines()[0]}"
        ) from error
