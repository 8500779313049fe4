"""Proxies: what one side holds for an object that lives on the other. **What crosses the boundary** is written here.

A test cell runs on the trusted side; the student's function, class or model lives in the sandbox. The test cell sees:

- *Plain values as themselves*: None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict, range,
  slice, `torch.Size`, `torch.dtype`, `torch.device`, NumPy arrays and scalars, and tensors, nested at most 24 deep.
  Subclasses of builtin types arrive as the builtin type. They are copies: a list that the student's function appends
  to does not change here.
- *Tensors* arrive as plain `torch.Tensor` (a parameter as `torch.nn.Parameter`) with dtype, strides and
  `requires_grad` kept. A result that requires grad has a `grad_fn`, and backward (also twice, with
  `create_graph=True`) asks the other side for vector-Jacobian products. A result that *is* one of the arguments is
  the very same object here. An argument that the student's function changes in place is changed here too.
- *Parameters* of a student's model are mirrored: `p.grad` reads true after `loss.backward()`, the student's optimizer
  sees it, and `p` follows training that happens there.
- *Random state*: torch's default generator goes along with each call, so `torch.manual_seed` before a call decides
  what the student draws. When the student's code has drawn or reseeded, the trusted generator continues from a state
  derived from theirs (a digest): equal states stay equal and different ones different, but nobody can choose what a
  hidden test draws next. `torch.Generator` arguments behave alike.
- *Everything else* (functions, classes, models, iterators) is a proxy: it can be called, iterated, indexed,
  measured with `len`, tested with `in`, asked for public attributes and methods, and for `isinstance(model, VAE)` and
  `isinstance(model, torch.nn.Module)`. The same object is the same proxy. Passed back as an argument it is the
  original.
- *Callables as arguments* are called back, with gradients through them. Of an object passed as an argument the
  student's side may call it, use what it defines itself under public names, and the usual methods of
  `torch.nn.Module`; nothing else of the trusted side can be reached.
- *Exceptions*: what the student's code raises is raised here as a `RemoteError` that also is a ValueError, TypeError,
  RuntimeError, ... if it was one there. An exception that a test's own callback raised comes back as itself.

What does not cross: the source of a function (`inspect`), setting attributes of a proxy, patches of torch on the
other side, arithmetic on proxies, sparse or CUDA tensors, modules. A test cell that needs one of these fails with a
message that says so.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any, Protocol

import torch

from vae_lab.checks.messages import NO_COPY
from vae_lab.checks.student_line import StudentLine


class Asks(Protocol):
    """The part of a connection that a proxy uses."""

    def ask(self, op: str, *values: Any) -> Any:
        """Ask the other side."""


class RemoteError(Exception):
    """The other side's code raised. `kind` is the name of its exception's type and `text` its text.

    `called` is what was asked for: the proxy, its arguments and its keyword arguments. `silenced` says that more was
    told than may be shown; `withheld` keeps the text for an instructor.
    """

    kind: str = "Exception"
    text: str = ""
    student_line: StudentLine | None = None
    called: tuple[Any, tuple[Any, ...], dict[str, Any]] | None = None
    silenced: bool = False
    withheld: str = ""

    def in_full(self) -> str:
        """What it says, with a text that was withheld: for the instructor's eyes, not for a message."""
        text = self.text or self.withheld
        return f"{self.kind}: {text}" if text else self.kind


_MIXED = (
    "ValueError", "TypeError", "RuntimeError", "NotImplementedError", "IndexError", "KeyError", "AttributeError",
    "LookupError", "ZeroDivisionError", "OverflowError", "ArithmeticError", "RecursionError", "NameError",
    "ImportError", "StopIteration", "AssertionError",
)  # fmt: skip
_CLASSES: dict[str, type[RemoteError]] = {}
_WELL_KNOWN = ("Trying to backward through the graph a second time",)


def well_known(text: str) -> str:
    """The one of torch's own sentences that a text begins with, or nothing: all that passes of a text that is withheld.

    >>> well_known("Trying to backward through the graph a second time (or directly access ...)")
    'Trying to backward through the graph a second time'
    >>> well_known("the hidden mu is 0.25")
    ''
    """
    return next((sentence for sentence in _WELL_KNOWN if text.startswith(sentence)), "")


def remote_error(kind: str, bases: list[str], text: str) -> RemoteError:
    """The exception to raise here for one that was raised there.

    Args:
        kind: the name of its type.
        bases: the names of the types it derives from, nearest first.
        text: its text.

    >>> isinstance(remote_error("Odd", ["Odd", "ValueError", "Exception"], "no"), ValueError)
    True
    """
    base = next((name for name in bases if name in _MIXED), "")
    if base not in _CLASSES:
        mixed = (RemoteError, getattr(builtins, base)) if base else (RemoteError,)
        _CLASSES[base] = type(
            "RemoteError", mixed, {"__str__": lambda self: f"{self.kind}: {self.text}" if self.text else self.kind}
        )
    error = _CLASSES[base]()
    error.kind, error.text = kind, text
    return error


class Proxy:
    """An object of the other side.

    Args:
        peer: the connection.
        number: the object's number there.
        kind: the name of its type there, for messages only.
    """

    __slots__ = ("__weakref__", "_kind", "_number", "_peer")

    def __init__(self, peer: Asks, number: int, kind: str) -> None:
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_kind", kind)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{name!r} of the student's {self._kind} cannot be looked at from a test")
        return self._peer.ask("attr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a test cannot set {name!r} on the student's {self._kind}")

    def __repr__(self) -> str:
        return f"<the student's {self._kind}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError(NO_COPY)

    def __len__(self) -> int:
        size = self._peer.ask("len", self)
        if type(size) is not int:
            raise TypeError("the length is no integer")
        return size

    def __bool__(self) -> bool:
        return self._peer.ask("bool", self) is True

    def __getitem__(self, key: Any) -> Any:
        return self._peer.ask("item", self, key)

    def __contains__(self, value: Any) -> bool:
        return self._peer.ask("contains", self, value) is True

    def __iter__(self) -> Iterator[Any]:
        iterator = self._peer.ask("iter", self)
        while True:
            more = self._peer.ask("next", iterator)
            if type(more) is not tuple or len(more) > 1:
                raise TypeError("the iterator is none")
            if not more:
                return
            yield more[0]

    def __instancecheck__(self, value: Any) -> bool:
        return isinstance(value, Proxy) and self._peer.ask("isinstance", value, self) is True


class CallableProxy(Proxy):
    """An object of the other side that can be called: a function, a class, a bound method."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it there."""
        return self._peer.ask("call", self, args, kwargs)


class ModuleProxy(CallableProxy):
    """A `torch.nn.Module` of the other side; `isinstance(model, torch.nn.Module)` holds."""

    __slots__ = ()

    __class__ = property(lambda self: torch.nn.Module)


class IteratorProxy(Proxy):
    """An iterator or generator of the other side."""

    __slots__ = ()
    __len__ = None  # type: ignore[assignment]  # list(iterator) asks for a length, and takes a TypeError for "none"

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        more = self._peer.ask("next", self)
        if type(more) is not tuple or len(more) > 1:
            raise TypeError("the iterator is none")
        if not more:
            raise StopIteration
        return more[0]


PROXIES: dict[str, type[Proxy]] = {
    "plain": Proxy,
    "callable": CallableProxy,
    "module": ModuleProxy,
    "iterator": IteratorProxy,
}


def traits(value: object) -> str:
    """Which proxy suits a value: a key of `PROXIES`."""
    if isinstance(value, torch.nn.Module):
        return "module"
    if callable(value):
        return "callable"
    return "iterator" if hasattr(type(value), "__next__") else "plain"
