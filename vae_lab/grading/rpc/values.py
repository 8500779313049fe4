"""Values as JSON: exact builtin types, tensors by number, everything else as a handle.

`encode` and `decode` are the same on both sides. A scalar (`None`, bool, int, finite float, str) is itself;
everything else is an object `{"k": kind, ...}`. Subclasses of builtin types (a named tuple, `OrderedDict`, `IntEnum`)
cross as the builtin type, so that the reader only ever holds exact builtins. Tensors, generators and objects are left
to the `Outbox` and `Inbox` of the message.
"""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Callable
from types import FunctionType, MethodType
from typing import Any, Protocol

import numpy as np
import torch

from vae_lab.grading.rpc.proxy import PROXIES
from vae_lab.grading.rpc.wire import WireError

MAX_DEPTH = 24
MAX_ITEMS = 200_000
MAX_TEXT = 1_000_000
MAX_BITS = 4096
MAX_HASHED = 20_000  # members of sets and keys of dictionaries in one message
MAX_ALIKE = 16  # of one container that hash alike: a container of n such costs n * n comparisons, in C, past any alarm

DTYPES = {str(value).removeprefix("torch."): value for value in vars(torch).values() if isinstance(value, torch.dtype)}


class Outbox(Protocol):
    """Where `encode` leaves what is no plain value."""

    items: int

    def tensor(self, tensor: torch.Tensor) -> dict[str, Any]:
        """Describe a tensor."""

    def plain(self, tensor: torch.Tensor) -> int:
        """Add numbers and return their place."""

    def generator(self, generator: torch.Generator) -> dict[str, Any]:
        """Describe a generator."""

    def object(self, value: object) -> dict[str, Any]:
        """Name an object."""


class Inbox(Protocol):
    """Where `decode` takes it from."""

    items: int
    hashed: int

    def tensor(self, node: dict[str, Any]) -> torch.Tensor:
        """The tensor that a node describes."""

    def plain(self, number: Any) -> torch.Tensor:
        """Numbers by their place."""

    def generator(self, node: dict[str, Any]) -> torch.Generator:
        """The generator that a node names."""

    def object(self, node: dict[str, Any]) -> object:
        """The object that a node names."""


def encode(value: Any, out: Outbox, depth: int = 0) -> Any:
    """Describe a value in JSON.

    Raises:
        WireError: if it is nested too deeply (or contains itself), has too many items, or holds what cannot cross.
    """
    out.items += 1
    if depth > MAX_DEPTH:
        raise WireError(f"a value nested more than {MAX_DEPTH} deep cannot cross")
    if out.items > MAX_ITEMS:
        raise WireError(f"a value of more than {MAX_ITEMS:,} items cannot cross")
    if value is None or value is True or value is False:
        return value
    kind = _BY_TYPE.get(type(value))
    if kind is None:
        kind = next((encoder for base, encoder in _BY_BASE if isinstance(value, base)), _encode_object)
    return kind(value, out, depth + 1)


def _encode_int(value: int, out: Outbox, depth: int) -> Any:
    number = int.__index__(value)
    if number.bit_length() > MAX_BITS:
        raise WireError(f"an integer of more than {MAX_BITS} bits cannot cross")
    return number


def _encode_float(value: float, out: Outbox, depth: int) -> Any:
    number = float.__float__(value)
    return number if math.isfinite(number) else {"k": "float", "v": float.__repr__(number)}


def _encode_str(value: str, out: Outbox, depth: int) -> Any:
    if len(value) > MAX_TEXT:
        raise WireError(f"a text of {len(value):,} characters is too long to cross")
    return str.__str__(value)


def _encode_complex(value: complex, out: Outbox, depth: int) -> Any:
    return {"k": "complex", "v": [float.__repr__(value.real), float.__repr__(value.imag)]}


def _encode_bytes(value: bytes | bytearray, out: Outbox, depth: int) -> Any:
    if len(value) > MAX_TEXT:
        raise WireError(f"{len(value):,} bytes are too many to cross")
    return {"k": "bytearray" if isinstance(value, bytearray) else "bytes", "v": base64.b64encode(value).decode("ascii")}


def _sequence(kind: str, items: Callable[[Any], Any]) -> Callable[[Any, Outbox, int], Any]:
    def encoder(value: Any, out: Outbox, depth: int) -> Any:
        return {"k": kind, "v": [encode(item, out, depth) for item in items(value)]}

    return encoder


def _encode_dict(value: dict[Any, Any], out: Outbox, depth: int) -> Any:
    return {"k": "dict", "v": [[encode(key, out, depth), encode(item, out, depth)] for key, item in dict.items(value)]}


def _encode_tensor(value: torch.Tensor, out: Outbox, depth: int) -> Any:
    return out.tensor(value)


def _encode_array(value: np.ndarray, out: Outbox, depth: int) -> Any:
    if value.dtype.hasobject or value.dtype.kind not in "biufc":
        raise WireError(f"a NumPy array of dtype {value.dtype} cannot cross")
    kind = "ndarray" if isinstance(value, np.ndarray) else "npscalar"
    return {"k": kind, "i": out.plain(torch.from_numpy(np.array(value, order="C", copy=True)))}


def _encode_size(value: torch.Size, out: Outbox, depth: int) -> Any:
    return {"k": "size", "v": list(value)}


def _encode_range(value: range, out: Outbox, depth: int) -> Any:
    return {"k": "range", "v": [value.start, value.stop, value.step]}


def _encode_slice(value: slice, out: Outbox, depth: int) -> Any:
    return {"k": "slice", "v": [encode(part, out, depth) for part in (value.start, value.stop, value.step)]}


def _encode_named(kind: str) -> Callable[[Any, Outbox, int], Any]:
    def encoder(value: Any, out: Outbox, depth: int) -> Any:
        return {"k": kind, "v": str(value).removeprefix("torch.")}

    return encoder


def _encode_generator(value: torch.Generator, out: Outbox, depth: int) -> Any:
    return out.generator(value)


def _encode_object(value: object, out: Outbox, depth: int) -> Any:
    return out.object(value)


_BY_BASE: list[tuple[type, Callable[[Any, Outbox, int], Any]]] = [
    (torch.Tensor, _encode_tensor),
    (np.ndarray, _encode_array),
    (np.generic, _encode_array),
    (torch.Size, _encode_size),
    (int, _encode_int),
    (float, _encode_float),
    (complex, _encode_complex),
    (str, _encode_str),
    (bytes, _encode_bytes),
    (bytearray, _encode_bytes),
    (list, _sequence("list", list.__iter__)),
    (tuple, _sequence("tuple", tuple.__iter__)),
    (set, _sequence("set", set.__iter__)),
    (frozenset, _sequence("frozenset", frozenset.__iter__)),
    (dict, _encode_dict),
    (range, _encode_range),
    (slice, _encode_slice),
    (torch.dtype, _encode_named("dtype")),
    (torch.device, _encode_named("device")),
    (torch.Generator, _encode_generator),
    (type(Ellipsis), _encode_named("ellipsis")),
]
_BY_TYPE: dict[type, Callable[[Any, Outbox, int], Any]] = dict(_BY_BASE)
# Known to be objects: asking each base class about them would cost more than the rest of a call.
_BY_TYPE |= dict.fromkeys((*PROXIES.values(), FunctionType, MethodType, type), _encode_object)


def decode(node: Any, inbox: Inbox, depth: int = 0) -> Any:
    """Build the value that a node describes, out of exact builtin types.

    Raises:
        WireError: if the node is none that `encode` could have written.
    """
    inbox.items += 1
    if depth > MAX_DEPTH or inbox.items > MAX_ITEMS:
        raise WireError("a value is nested too deeply or has too many items")
    if node is None or type(node) in (bool, int, float):
        return node
    if type(node) is str:
        if len(node) > MAX_TEXT:
            raise WireError("a text is too long")
        return node
    if type(node) is not dict or type(node.get("k")) is not str:
        raise WireError("a value has no kind")
    decoder = _DECODERS.get(node["k"])
    if decoder is None:
        raise WireError("a value is of an unknown kind")
    try:
        return decoder(node, inbox, depth + 1)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, RuntimeError, OverflowError) as error:
        raise WireError("a value is malformed") from error


def _items(node: dict[str, Any], inbox: Inbox, depth: int) -> list[Any]:
    if type(node["v"]) is not list:
        raise TypeError
    return [decode(item, inbox, depth) for item in node["v"]]


def _ints(node: dict[str, Any], least: int = -(1 << 63)) -> list[int]:
    if type(node["v"]) is not list or not all(type(item) is int and least <= item < 1 << 63 for item in node["v"]):
        raise TypeError
    return node["v"]


def _hashable(items: list[Any], inbox: Inbox) -> list[Any]:
    """The same items, if a set or dictionary of them takes a time in proportion to their number.

    Raises:
        WireError: if they are too many, or too many of them hash alike.
    """
    inbox.hashed += len(items)
    if inbox.hashed > MAX_HASHED:
        raise WireError("sets and dictionaries have too many members")
    if len(items) > MAX_ALIKE and max(Counter(map(hash, items)).values()) > MAX_ALIKE:
        raise WireError("too many members of a set or dictionary hash alike")
    return items


def _decode_dict(node: dict[str, Any], inbox: Inbox, depth: int) -> dict[Any, Any]:
    pairs = [(decode(key, inbox, depth), decode(item, inbox, depth)) for key, item in node["v"]]
    _hashable([key for key, _ in pairs], inbox)
    return dict(pairs)


def _decode_float(node: dict[str, Any], inbox: Inbox, depth: int) -> float:
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[node["v"]]


def _decode_complex(node: dict[str, Any], inbox: Inbox, depth: int) -> complex:
    real, imag = node["v"]
    return complex(float(real[:64]), float(imag[:64]))


def _decode_array(node: dict[str, Any], inbox: Inbox, depth: int) -> Any:
    return inbox.plain(node["i"]).numpy()


def _decode_scalar(node: dict[str, Any], inbox: Inbox, depth: int) -> Any:
    array = inbox.plain(node["i"]).numpy()
    if array.shape != ():
        raise TypeError
    return array[()]


def _decode_device(node: dict[str, Any], inbox: Inbox, depth: int) -> torch.device:
    if node["v"] not in ("cpu", "meta", "cuda", "cuda:0"):
        raise ValueError
    return torch.device(node["v"])


_DECODERS: dict[str, Callable[[dict[str, Any], Inbox, int], Any]] = {
    "list": _items,
    "tuple": lambda node, inbox, depth: tuple(_items(node, inbox, depth)),
    "set": lambda node, inbox, depth: set(_hashable(_items(node, inbox, depth), inbox)),
    "frozenset": lambda node, inbox, depth: frozenset(_hashable(_items(node, inbox, depth), inbox)),
    "dict": _decode_dict,
    "float": _decode_float,
    "complex": _decode_complex,
    "bytes": lambda node, inbox, depth: base64.b64decode(node["v"], validate=True),
    "bytearray": lambda node, inbox, depth: bytearray(base64.b64decode(node["v"], validate=True)),
    "size": lambda node, inbox, depth: torch.Size(_ints(node, least=0)),
    "range": lambda node, inbox, depth: range(*_ints(node)),
    "slice": lambda node, inbox, depth: slice(*_items(node, inbox, depth)),
    "ellipsis": lambda node, inbox, depth: ...,
    "dtype": lambda node, inbox, depth: DTYPES[node["v"]],
    "device": _decode_device,
    "ndarray": _decode_array,
    "npscalar": _decode_scalar,
    "tensor": lambda node, inbox, depth: inbox.tensor(node),
    "generator": lambda node, inbox, depth: inbox.generator(node),
    "object": lambda node, inbox, depth: inbox.object(node),
}
