"""How the two sides name objects and generators to each other: by number, mine or yours."""

from __future__ import annotations

from typing import Any

import torch

from vae_lab.grading.rpc.proxy import PROXIES, Asks, Proxy, traits
from vae_lab.grading.rpc.wire import WireError

MAX_OBJECTS = 100_000
MAX_GENERATORS = 1_000


class Handles:
    """One side's numbers of its own objects, and its proxies for those of the other side.

    Args:
        peer: whom a proxy asks.
    """

    def __init__(self, peer: Asks) -> None:
        self._peer = peer
        self._objects: list[object] = []
        self._number_of: dict[int, int] = {}
        self._proxies: dict[int, Proxy] = {}
        self._generators: list[torch.Generator] = []
        self._their_generators: dict[int, torch.Generator] = {}

    def of_object(self, value: object) -> dict[str, Any]:
        """How to name an object to the other side."""
        if type(value) in PROXIES.values():
            if object.__getattribute__(value, "_peer") is not self._peer:
                raise WireError("an object of another submission cannot cross")
            return {"yours": object.__getattribute__(value, "_number")}
        if isinstance(value, type(torch)):
            raise WireError(f"the module {value.__name__} cannot cross")
        number = self._number_of.get(id(value))
        if number is None:
            number = self._number_of[id(value)] = len(self._objects)
            self._objects.append(value)
        return {"mine": number, "type": _type_name(value), "is": traits(value)}

    def object(self, node: dict[str, Any]) -> object:
        """The object that the other side names: one of mine, or a proxy for one of theirs."""
        if "yours" in node:
            number = node["yours"]
            if type(number) is not int or not 0 <= number < len(self._objects):
                raise WireError("an object is not known here")
            return self._objects[number]
        number, kind, suits = node.get("mine"), node.get("type"), node.get("is")
        if type(number) is not int or type(kind) is not str or suits not in PROXIES:
            raise WireError("an object is malformed")
        if number not in self._proxies:
            if len(self._proxies) >= MAX_OBJECTS:
                raise WireError("too many objects have crossed")
            self._proxies[number] = PROXIES[suits](self._peer, number, kind[:80])
        return self._proxies[number]

    def of_generator(self, generator: torch.Generator) -> dict[str, int]:
        """How to name a generator to the other side."""
        for number, known in self._their_generators.items():
            if known is generator:
                return {"yours": number}
        for number, known in enumerate(self._generators):
            if known is generator:
                return {"mine": number}
        self._generators.append(generator)
        return {"mine": len(self._generators) - 1}

    def generator(self, node: dict[str, Any]) -> torch.Generator:
        """The generator that the other side names."""
        if "yours" in node:
            if type(node["yours"]) is not int or not 0 <= node["yours"] < len(self._generators):
                raise WireError("a generator is not known here")
            return self._generators[node["yours"]]
        number = node.get("mine")
        if type(number) is not int or (
            number not in self._their_generators and len(self._their_generators) >= MAX_GENERATORS
        ):
            raise WireError("a generator is malformed")
        return self._their_generators.setdefault(number, torch.Generator())


def _type_name(value: object) -> str:
    if isinstance(value, type):
        return f"class {value.__name__}"[:80]
    name = type(value).__name__
    if name in ("function", "method") and hasattr(value, "__name__"):
        name = f"function {value.__name__}"
    return name[:80]
