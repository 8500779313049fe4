"""One message's tensors, generators and objects: on the way out (`Message`) and as they came in (`Arrival`)."""

from __future__ import annotations

import math
from typing import Any

import torch

from vae_lab.grading.rpc.connection import Connection
from vae_lab.grading.rpc.leaves import same_bits
from vae_lab.grading.rpc.wire import Frame, WireError


class Message:
    """The tensors of one message on its way out: `slots` are numbered, `outs` those of an answer that carry a graph."""

    def __init__(self, peer: Connection, received: Arrival | None = None) -> None:
        self.peer, self.received = peer, received
        self.items = 0
        self.tensors: list[torch.Tensor] = []
        self.slots: list[dict[str, Any]] = []
        self.originals: list[torch.Tensor] = []
        self.outs: list[torch.Tensor] = []
        self.out_nodes: list[dict[str, Any]] = []
        self.generators: list[torch.Generator] = []
        self._slot_of: dict[int, int] = {}
        self._out_of: dict[int, int] = {}

    def plain(self, tensor: torch.Tensor) -> int:
        """Add numbers to the frame and return their place."""
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def tensor(self, tensor: torch.Tensor) -> dict[str, Any]:
        """Describe a tensor."""
        if self.received is not None:
            slot = self.received.slot_of(tensor)
            if slot is not None and not (tensor.requires_grad and self.received.was_changed(slot)):
                return {"k": "tensor", "same": slot}
        if tensor.layout != torch.strided or tensor.device.type != "cpu":
            raise WireError(
                f"a tensor with layout {tensor.layout} on device {tensor.device} cannot cross; a dense CPU tensor can"
            )
        if tensor.requires_grad and (
            tensor.is_leaf if self.received is not None else self.peer.leaves.find(tensor) is not None
        ):
            return self.leaf(tensor)
        key = id(tensor)
        if self.received is not None and tensor.requires_grad:
            if key not in self._out_of:
                self._out_of[key] = len(self.outs)
                self.outs.append(tensor)
                self.out_nodes.append(self._body(tensor))
            return {"k": "tensor", "out": self._out_of[key]}
        if key not in self._slot_of:
            self._slot_of[key] = len(self.slots)
            self.originals.append(tensor)
            self.slots.append({**self._body(tensor), "g": tensor.requires_grad, "leaf": tensor.is_leaf})
        return {"k": "tensor", "slot": self._slot_of[key]}

    def original(self, slot: Any) -> torch.Tensor:
        """The tensor that was sent in a slot, which the other side names."""
        if type(slot) is not int or not 0 <= slot < len(self.originals):
            raise WireError("an argument is named that was never sent")
        return self.originals[slot]

    def leaf(self, tensor: torch.Tensor) -> dict[str, Any]:
        """Describe a shared leaf, with its numbers the first time."""
        node: dict[str, Any] = {"k": "tensor", "of": self.peer.leaves.describe(tensor, self.plain)}
        leaf = self.peer.leaves.find(tensor)
        if leaf is not None and leaf.mine and leaf.synced is None:
            leaf.synced = tensor.detach().clone()
            node["i"] = self.plain(leaf.synced)
        return node

    def _body(self, tensor: torch.Tensor) -> dict[str, Any]:
        node: dict[str, Any] = {}
        data = tensor.detach()
        if data.numel() * data.element_size() > self.peer.channel.max_tensors:
            raise WireError(f"a tensor of shape {tuple(data.shape)} is too large to cross")
        if not data.is_contiguous() and data.numel():
            node["stride"] = list(data.stride())
            data = data[tuple(slice(0, 1) if step == 0 else slice(None) for step in data.stride())]
            node["shape"] = list(tensor.shape)
        return {"i": self.plain(data), **node}

    def generator(self, generator: torch.Generator) -> dict[str, Any]:
        """Name a generator and send its state."""
        if generator.device.type != "cpu":
            raise WireError("a generator that is not on the CPU cannot cross")
        known = self.peer.handles.of_generator(generator)
        return {"k": "generator", **known, "i": self.plain(generator.get_state())}

    def object(self, value: object) -> dict[str, Any]:
        """Name an object."""
        return {"k": "object", **self.peer.handles.of_object(value)}


class Arrival:
    """The tensors of one message that came in."""

    def __init__(self, peer: Connection, frame: Frame, asked: Message | None = None) -> None:
        self.peer, self.frame, self.asked = peer, frame, asked
        self.items = self.hashed = 0
        self.expanded = 0  # bytes of tensors that are larger here than in the frame
        self.values: dict[int, torch.Tensor] = {}
        self.inputs: dict[int, torch.Tensor] = {}
        self.pristine: dict[int, torch.Tensor] = {}
        self.generators: dict[int, tuple[torch.Generator, torch.Tensor]] = {}
        self.wired: tuple[torch.Tensor, ...] = ()

    def plain(self, number: Any) -> torch.Tensor:
        """A tensor of the frame by its number."""
        if type(number) is not int or not 0 <= number < len(self.frame.tensors):
            raise WireError("a tensor is missing")
        return self.frame.tensors[number]

    def body(self, node: Any) -> torch.Tensor:
        """The numbers of a slot or result, laid out in memory as they were on the other side."""
        if type(node) is not dict:
            raise WireError("a tensor is malformed")
        data = self.plain(node.get("i"))
        if "stride" not in node:
            return data
        stride, shape = node["stride"], node.get("shape")
        if type(stride) is not list or type(shape) is not list or not len(stride) == len(shape) == data.dim():
            raise WireError("a tensor's strides are malformed")
        if not all(type(n) is int and 0 <= n < 1 << 40 for n in stride + shape):
            raise WireError("a tensor's strides are malformed")
        seen = [1 if step == 0 else size for size, step in zip(shape, stride, strict=True)]
        if seen != list(data.shape):
            raise WireError("a tensor's strides do not fit its numbers")
        self.expanded += math.prod(shape) * data.element_size()
        if self.expanded > self.peer.channel.max_tensors:
            raise WireError("the tensors of a message are too large")
        if self.peer.trusted and seen != shape:  # an expanded result: its numbers, repeated
            return data.expand(shape).contiguous()
        span = 1 + sum((size - 1) * step for size, step in zip(seen, stride, strict=True))
        if span > 8 * data.numel() + 1024 or not _apart(seen, stride):
            return data.expand(shape)
        return torch.empty_strided(seen, stride, dtype=data.dtype).copy_(data).expand(shape)

    def slot(self, number: Any) -> torch.Tensor:
        """A numbered tensor of the message; of a question, one that gradients can flow back from."""
        slots = self.frame.text.get("slots", [])
        if type(number) is not int or type(slots) is not list or not 0 <= number < len(slots):
            raise WireError("a tensor is missing")
        if number not in self.values:
            node = slots[number]
            value = self.body(node)
            if self.asked is None:
                self.pristine[number] = value.clone()
                if node.get("g") is True and value.dtype.is_floating_point:
                    value = self.inputs[number] = value.requires_grad_()
                    if node.get("leaf") is not True:
                        with torch.enable_grad():
                            value = value.clone()
            self.values[number] = value
        return self.values[number]

    def tensor(self, node: dict[str, Any]) -> torch.Tensor:
        """The tensor that a node describes."""
        if "slot" in node:
            return self.slot(node["slot"])
        if "of" in node:
            leaf = self.peer.leaves.resolve(node["of"], self.frame.tensors)
            if "i" in node and not leaf.mine:
                self.peer.leaves.fill(leaf, self.plain(node["i"]))
            return leaf.tensor
        if self.asked is not None and "same" in node:
            return self.asked.original(node["same"])
        if self.asked is not None and type(node.get("out")) is int and 0 <= node["out"] < len(self.wired):
            return self.wired[node["out"]]
        raise WireError("a tensor is malformed")

    def generator(self, node: dict[str, Any]) -> torch.Generator:
        """A generator, with the state it has on the other side."""
        generator = self.peer.handles.generator(node)
        state = self.plain(node.get("i"))
        if self.asked is None or not self.peer.trusted:
            generator.set_state(self.peer.digest(state) if self.peer.trusted else state)
        self.generators[id(generator)] = (generator, state)
        return generator

    def object(self, node: dict[str, Any]) -> object:
        """The object that a node names."""
        return self.peer.handles.object(node)

    def slot_of(self, tensor: torch.Tensor) -> int | None:
        """The number of the slot that this very object came from."""
        return next((number for number, value in self.values.items() if value is tensor), None)

    def was_changed(self, slot: int) -> bool:
        """Whether a slot was changed in place."""
        return not same_bits(self.values[slot], self.pristine[slot])


def _apart(shape: list[int], stride: list[int]) -> bool:
    """Whether no two elements share memory."""
    reach = 0
    for step, size in sorted((step, size) for size, step in zip(shape, stride, strict=True) if size > 1):
        if step <= reach:
            return False
        reach += step * (size - 1)
    return True
