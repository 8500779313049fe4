"""The ways into a model: its encode, decode and loss, in the many forms in which people write them."""

from __future__ import annotations

import builtins
import contextlib
import dataclasses
import functools
import inspect
import random
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

_IMAGE = {"x", "xs", "data", "target", "targets", "image", "images", "img", "input", "inputs", "batch", "original"}
_IMAGE |= {"x_true", "x_in", "orig", "y", "obs", "real", "true"}
_MODEL = {"model", "net", "network", "vae", "module", "m", "self", "autoencoder"}
_LOSSES = ("loss_terms", "loss", "compute_loss", "get_loss", "loss_fn", "neg_elbo", "negative_elbo", "nelbo", "elbo")


class Doors:
    """A model with its callables, ready to be run and left as it was."""

    def __init__(
        self, model: Any, x: Tensor, encode: Callable[..., Any] | None, decode: Callable[..., Any] | None,
        loss: Callable[..., Any] | None,
    ) -> None:  # fmt: skip
        self.model, self.x = model, x
        self.modules = list({id(m): m for f in (model, encode, decode, loss) for m in _behind(f)}.values())
        self.encode = encode or getattr(model, "encode", None) or getattr(model, "encoder", None)
        self.decode = decode or getattr(model, "decode", None) or getattr(model, "decoder", None)
        self._loss = loss
        self.how = "your loss" if loss is not None else ""
        if loss is None:
            self._loss, self.how = self._own_loss()

    @property
    def has_loss(self) -> bool:
        """Whether there is a loss to look at."""
        return self._loss is not None

    def run(self, x: Tensor) -> tuple[Any, Tensor | None]:
        """The outputs of the model, as far as they are to be had, and the loss summed to one number."""
        if self._loss is None:
            return self.model(x), None
        f, arguments = self._loss, _needed(self._loss)
        if len(arguments) <= 1:
            value = f(x)
        elif len(arguments) == 2 and (
            arguments[0] in _MODEL or (arguments[1] in _IMAGE - {"target"} and self._gives_loss)
        ):
            value = f(self.model, x)
        elif len(arguments) == 2 and arguments[1] in _MODEL:
            value = f(x, self.model)
        else:
            value = f(*self._in_order(self.model(x), arguments, x))
        return None, self._total(value)

    @property
    def _gives_loss(self) -> bool:
        """Whether the first argument of a loss of two is the model: it is not if its name speaks of an output."""
        first = _needed(self._loss)[0] if self._loss is not None else ""
        return not any(word in first for word in ("out", "rec", "hat", "pred", "logit", "result", "res"))

    def _in_order(self, outputs: Any, names: list[str], x: Tensor) -> list[Any]:
        """Outputs and image in the order of a loss such as `loss_function(recon_x, x, mu, logvar)`."""
        if len(names) == 2:
            return [outputs, x]
        named = outputs if isinstance(outputs, dict) else {}
        rest = iter(list(named.values()) if named else _spread(outputs))
        return [x if n in _IMAGE else named[n] if n in named else next(rest) for n in names]

    def _own_loss(self) -> tuple[Callable[..., Any] | None, str]:
        for name in _LOSSES:
            method = getattr(self.model, name, None)
            if callable(method) and not isinstance(method, nn.Module | type):
                return method, f"model.{name}"
        function = getattr(self.model, "loss_function", None)
        if callable(function):
            names = _needed(function)
            if len(names) <= 1 and "args" not in inspect.signature(function).parameters:
                return function, "model.loss_function"
            if "args" in inspect.signature(function).parameters:  # loss_function(*outputs, M_N=...)

                def from_outputs(x: Tensor) -> Any:
                    options = {"M_N": 1.0} if "kwargs" in inspect.signature(function).parameters else {}
                    return function(*_spread(self.model(x)), **options)

                return from_outputs, "model.loss_function"
            return function, "model.loss_function"
        return self._from_forward()

    def _from_forward(self) -> tuple[Callable[..., Any] | None, str]:
        """A forward that gives the loss itself, or among its outputs."""
        try:
            with torch.no_grad(), quiet(self.modules):
                outputs = self.model(self.x)
        except TypeError:
            return None, ""
        if isinstance(outputs, Tensor) and outputs.numel() == 1:
            return (lambda x: self.model(x)), "the model itself"
        named = outputs if isinstance(outputs, dict) else getattr(outputs, "__dict__", {})
        name = next((n for n in ("loss", "nelbo", "elbo") if isinstance(named.get(n), Tensor)), None)
        if name is None and hasattr(outputs, "_fields"):
            name = next((n for n in ("loss", "elbo") if n in outputs._fields), None)
        if name is None:
            return None, ""

        def pick(x: Tensor) -> Any:
            got = self.model(x)
            value = got[name] if isinstance(got, dict) else getattr(got, name)
            return -value if name == "elbo" else value

        return pick, f"the model's {name}"

    def _total(self, value: Any) -> Tensor:
        """One number, whatever the loss gives: a scalar, one per image, two terms, a dict with the total in it."""
        sign = -1.0 if self.how == "model.elbo" else 1.0
        named = value if isinstance(value, dict) else value._asdict() if hasattr(value, "_asdict") else None
        if named is None and dataclasses.is_dataclass(value):
            named = vars(value)
        if named is not None:
            for name in ("loss", "total", "total_loss", "elbo"):
                if isinstance(named.get(name), Tensor):
                    return (-1.0 if name == "elbo" and sign == 1.0 else sign) * named[name].sum()
            terms = [t for t in named.values() if isinstance(t, Tensor)]
            return sign * sum((t.sum() for t in terms[1:]), terms[0].sum())
        if isinstance(value, Tensor):
            return sign * value.sum()
        tensors = [t for t in value if isinstance(t, Tensor)]
        if not tensors:
            raise TypeError(f"diagnose: {self.how} gave a {type(value).__name__}; a tensor is wanted.")
        if len(tensors) == 2:  # (reconstruction, kl)
            return sign * (tensors[0].sum() + tensors[1].sum())
        return sign * tensors[0].sum()


def _behind(f: Any) -> list[nn.Module]:
    """The modules that can be reached from a model or a callable: its owner, what that holds, closure, globals."""
    found: list[nn.Module] = []
    todo, seen = [(f, 0)], set()
    while todo:
        thing, depth = todo.pop()
        if id(thing) in seen or depth > DEEPEST:
            continue
        seen.add(id(thing))
        if isinstance(thing, nn.Module):
            found.append(thing)
        todo += [(t, depth + 1) for t in _held(thing)]
    return found


def _held(thing: Any) -> list[Any]:
    """What a thing holds that may be a module, or lead to one."""
    if isinstance(thing, list | tuple | set) and len(thing) <= MANY:
        return list(thing)
    if isinstance(thing, dict) and len(thing) <= MANY:
        return list(thing.values())
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, types.MethodType):
        return [thing.__self__, thing.__func__]
    if isinstance(thing, types.FunctionType):
        held: list[Any] = [thing.__wrapped__] if hasattr(thing, "__wrapped__") else []
        with contextlib.suppress(TypeError, ValueError):
            variables = inspect.getclosurevars(thing)
            held += [*variables.nonlocals.values(), *variables.globals.values()]
        return held
    library = (type(thing).__module__ or "").split(".")[0] in _LIBRARIES and not _exec_made(thing)
    if isinstance(thing, type | types.ModuleType | Tensor) or (library and not isinstance(thing, nn.Module)):
        return []
    methods = [m for m in vars(type(thing)).values() if isinstance(m, types.FunctionType)]
    return [*getattr(thing, "__dict__", {}).values(), *([] if library else methods)]


def _exec_made(thing: Any) -> bool:
    """Whether its class was made in a namespace without a name, and so counts as one of Python's own."""
    return type(thing).__module__ == "builtins" and type(thing) is not getattr(builtins, type(thing).__name__, None)


DEEPEST, MANY = 5, 200  # how far is looked for modules, and in how long a list
_LIBRARIES = {"torch", "numpy", "builtins", "functools", "types", "typing", "logging", "torchvision"}


def _needed(f: Callable[..., Any]) -> list[str]:
    """The names of the arguments without a default."""
    called = f.forward if isinstance(f, nn.Module) else f
    kinds = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    parameters = inspect.signature(called).parameters.values()
    return [p.name for p in parameters if p.kind in kinds and p.default is p.empty]


def _spread(outputs: Any) -> list[Any]:
    if isinstance(outputs, dict):
        return list(outputs.values())
    if dataclasses.is_dataclass(outputs):
        return list(vars(outputs).values())
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def numbers(thing: Any) -> list[Tensor]:
    """The tensors of whatever an encoder gives back: tuples, dicts, dataclasses, a Normal's mean and spread."""
    if isinstance(thing, Tensor):
        return [thing]
    if isinstance(thing, Distribution):
        base = getattr(thing, "base_dist", thing)
        return [t for t in (getattr(base, "loc", None), getattr(base, "scale", None)) if isinstance(t, Tensor)]
    return [t for item in _spread(thing) if item is not thing for t in numbers(item)] if _holds(thing) else []


def _holds(thing: Any) -> bool:
    return isinstance(thing, dict | list | tuple) or dataclasses.is_dataclass(thing)


def layers(modules: list[nn.Module]) -> list[nn.Module]:
    """The modules and all that they hold, each once."""
    return list({id(m): m for module in modules for m in module.modules()}.values())


@contextlib.contextmanager
def quiet(modules: list[nn.Module], seed: int | None = 0, mode: str = "train") -> Iterator[None]:
    """Run in the given mode with dropout off, and leave modes, buffers, gradients and random streams as they were."""
    every = layers(modules)
    modes = [m.training for m in every]
    buffers = [(b, b.clone()) for module in modules for b in module.buffers()]
    counters = [(m, {k: v for k, v in vars(m).items() if type(v) in {int, float}}) for m in every]
    np = sys.modules.get("numpy")
    python, numpy = random.getstate(), np.random.get_state() if np is not None else None
    for m in every:
        drops = isinstance(m, nn.modules.dropout._DropoutNd | nn.MultiheadAttention)  # the latter do nothing else there
        m.training = mode == "train" and not drops
    try:
        with torch.random.fork_rng():
            if seed is not None:
                torch.manual_seed(seed)
                random.seed(seed)
                if np is not None:
                    np.random.seed(seed)
            yield
    finally:
        random.setstate(python)
        if np is not None:
            np.random.set_state(numpy)
        for m, was in zip(every, modes, strict=True):
            m.training = was
        for m, counted in counters:
            vars(m).update(counted)  # steps of a warm-up
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.data.copy_(kept)  # .data: autograd must not take it for a change of what it saved


def changed_by_run(doors: Doors, x: Tensor) -> float:
    """By how much a pass of the model changes the images that it is given, at most."""
    given = x.clone()
    with quiet(doors.modules), torch.enable_grad():
        doors.run(given)
    return float((given - x).detach().abs().max())
