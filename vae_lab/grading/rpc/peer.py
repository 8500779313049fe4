"""The connection between the trusted and the untrusted side: questions, answers, gradients and random state.

Both sides run the same code; they differ in what they answer (`serve`) and in whom they trust. One side asks, the
other answers, and while it works out the answer it may ask back (a callback, a vector-Jacobian product): strictly
last in, first out, in one thread. On the trusted side every read has a deadline, an answer that is malformed breaks
the connection for good, and random state that comes back is digested first.

Gradients: a question carries tensors as *slots*. The answering side makes leaves of those that require grad, and
keeps the results that depend on them together with the list of leaves they depend on (`KeptGraph`). The asking side
wires the results into its own graph with `RemoteFunction`, whose backward asks for vector-Jacobian products of exactly
that kept graph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import torch

from vae_lab.checks.instruments.autograd_leaves import leaves_of
from vae_lab.grading.rpc.autograd import KeptGraph, Link, RemoteFunction, products_of
from vae_lab.grading.rpc.exceptions import ExceptionTable
from vae_lab.grading.rpc.handles import Handles
from vae_lab.grading.rpc.leaves import Leaves
from vae_lab.grading.rpc.messages import Arrival, Message
from vae_lab.grading.rpc.proxy import RemoteError
from vae_lab.grading.rpc.values import DTYPES, decode, encode
from vae_lab.grading.rpc.wire import Channel, Frame, Gone, Late, WireError

MAX_ASKS_BACK = 20_000
MAX_NESTED = 24

Serve = Callable[[str, list[Any]], Any]


class Peer:
    """One end of the connection.

    Args:
        channel: carries frames.
        serve: answers the other side's questions: `serve(op, values)` returns a value or raises.
        trusted: whether this is the side that decides.
    """

    def __init__(self, channel: Channel, serve: Serve, *, trusted: bool) -> None:
        self.channel, self.serve, self.trusted = channel, serve, trusted
        self.deadline: float | None = None
        self.reason: str = ""
        self.changed_arguments = False
        self.watch: Callable[[], None] = lambda: None  # called before each question
        self.redact: Callable[[], bool] = lambda: False  # whether to keep the other side's texts away
        self.last_call: tuple[Any, tuple[Any, ...], dict[str, Any]] | None = None
        self.leaves = Leaves()
        self.forget: list[int] = []
        self._kept: dict[int, KeptGraph] = {}
        self.handles = Handles(self)
        self._exceptions = ExceptionTable(trusted)
        self._sequence = self._record = self._depth = self._asked_back = 0
        self._random: torch.Tensor | None = None

    # -- asking ----------------------------------------------------------------------------------------------------

    def broken(self, reason: str) -> WireError:
        """Note that the connection cannot be used again; returns the exception to raise."""
        self.reason = self.reason or reason
        return WireError(reason)

    def ask(self, op: str, *values: Any, link: Link | None = None) -> Any:
        """Ask the other side.

        Raises:
            RemoteError: if its code raised.
            WireError: if a value cannot cross, or the other side is gone, late or malformed (then `reason` says so).
        """
        self.watch()
        if self.reason:
            raise Gone(self.reason)
        if self._depth >= MAX_NESTED:
            raise WireError("calls across the boundary are nested too deeply")
        if op == "call" and self._depth == 0 and len(values) == 3:
            self.last_call = (values[0], values[1], values[2])
        message = Message(self)
        body = encode(list(values), message)
        self._sequence += 1
        sequence = self._sequence
        text = {"m": "ask", "n": sequence, "op": op, "v": body, "slots": message.slots}
        text |= {"grad": torch.is_grad_enabled(), "default": str(torch.get_default_dtype()).removeprefix("torch.")}
        self._depth += 1
        try:
            self._send(text, message)
            while True:
                frame = self.channel.receive(self.deadline)
                self._take_state(frame)
                if frame.text.get("m") == "ask":
                    self._answer(frame)
                elif frame.text.get("m") == "answer" and frame.text.get("n") == sequence:
                    return self._read_answer(frame, message, link)
                else:
                    raise self.broken("an answer came out of order")
        except RemoteError as error:
            raise self._noted(error, op, values) from None
        except (Gone, Late) as error:
            self.reason = self.reason or str(error)
            raise
        except WireError as error:
            raise self.broken(str(error)) from None
        finally:
            self._depth -= 1

    def _send(self, text: dict[str, Any], message: Message) -> None:
        text["leaves"] = self.leaves.updates(message.tensors)
        text["let_go"] = self.leaves.let_go()
        forget, self.forget[:] = list(self.forget), []
        text["forget"] = forget
        state = torch.get_rng_state()
        if self._random is None or not torch.equal(state, self._random):
            text["random"] = message.plain(state)
            self._random = state
        self.channel.send(text, message.tensors, self.deadline)

    def _take_state(self, frame: Frame) -> None:
        """Leaves, forgotten records and random state that every message carries."""
        try:
            self.leaves.update(frame.text.get("leaves", []), frame.tensors)
            self.leaves.release(frame.text.get("let_go", []))
            for number in frame.text.get("forget", []):
                self._kept.pop(number, None)
            if "random" in frame.text:
                state = frame.tensors[frame.text["random"]]
                torch.set_rng_state(self.digest(state) if self.trusted else state)
                self._random = state
        except (KeyError, IndexError, TypeError, RuntimeError, ValueError) as error:
            raise WireError(f"a message is malformed ({type(error).__name__})") from None

    def digest(self, state: torch.Tensor) -> torch.Tensor:
        """A state derived from the other side's: equal for equal ones, but nobody's choice."""
        if state.dtype != torch.uint8:
            raise WireError("random state is malformed")
        seed = int.from_bytes(hashlib.sha256(state.contiguous().numpy().tobytes()).digest()[:8], "big") >> 1
        return torch.Generator().manual_seed(seed).get_state()

    def _read_answer(self, frame: Frame, asked: Message, link: Link | None) -> Any:
        text = frame.text
        arrival = Arrival(self, frame, asked)
        try:
            if text.get("ok") is not True:
                self._apply_changes(text, arrival, asked)
                raised = self._exceptions.read(text.get("error"), self.redact())
            else:
                raised, value = None, self._read_value(text, arrival, asked, link)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError, RuntimeError, OverflowError) as error:
            raise WireError(f"an answer is malformed ({type(error).__name__})") from None
        if raised is not None:
            raise raised
        return value

    def _noted(self, error: RemoteError, op: str, values: tuple[Any, ...]) -> RemoteError:
        """Write down on an exception what was called, unless a call inside of that one did."""
        if op == "call" and error.called is None:
            error.called = (values[0], values[1], values[2])
        return error

    def _read_value(self, text: dict[str, Any], arrival: Arrival, asked: Message, link: Link | None) -> Any:
        refs, outs = text.get("refs", []), text.get("outs", [])
        if type(refs) is not list or type(outs) is not list:
            raise WireError("an answer is malformed")
        inputs = [self._input(ref, arrival, asked, link) for ref in refs]
        results = [arrival.body(node) for node in outs]
        if results:
            if (
                not all(result.dtype.is_floating_point or result.dtype.is_complex for result in results)
                or type(text["record"]) is not int
            ):
                raise WireError("an answer is malformed")
            ours = Link(self, text["record"], inputs)
            with torch.enable_grad():
                arrival.wired = (
                    RemoteFunction.apply(ours, results, *inputs)
                    if inputs
                    else tuple(r.requires_grad_() for r in results)
                )
        value = decode(text["v"], arrival)
        self._apply_changes(text, arrival, asked)
        return value

    def _input(self, ref: Any, arrival: Arrival, asked: Message, link: Link | None) -> torch.Tensor:
        """The tensor of this side that a result of the other side depends on."""
        kind, which = ref
        tensor: torch.Tensor | None = None
        if kind == "slot":
            tensor = asked.original(which)
        elif kind == "in" and link is not None and type(which) is int and 0 <= which < len(link.inputs):
            tensor = link.inputs[which]
        elif kind == "leaf":
            tensor = self.leaves.resolve(which, arrival.frame.tensors).tensor
        if tensor is None or not tensor.requires_grad:
            raise WireError("a result depends on what was never sent")
        return tensor

    def _apply_changes(self, text: dict[str, Any], arrival: Arrival, asked: Message) -> None:
        """Arguments that the other side changed in place or asked a gradient for, and generators it drew from."""
        for slot, number in text.get("changed", []):
            original, numbers = asked.original(slot), arrival.plain(number)
            if numbers.shape != original.shape or numbers.dtype != original.dtype:
                raise WireError("a changed argument does not fit")
            self.changed_arguments = True
            with torch.no_grad():
                original.copy_(numbers)
        for slot in text.get("asks", []):
            original = asked.original(slot)
            if original.is_leaf and original.is_floating_point():
                original.requires_grad_()
        for which, number in text.get("drawn", []):
            state = arrival.plain(number)
            generator = self.handles.generator(which)
            generator.set_state(self.digest(state) if self.trusted else state)

    # -- answering -------------------------------------------------------------------------------------------------

    def answer_forever(self) -> None:
        """Answer questions until the other side closes."""
        while True:
            try:
                frame = self.channel.receive(self.deadline)
            except Gone:
                return
            self._take_state(frame)
            self._answer(frame)

    def _answer(self, frame: Frame) -> None:
        self._asked_back += 1
        if self.trusted and self._asked_back > MAX_ASKS_BACK:
            raise WireError(f"a test's function was called back more than {MAX_ASKS_BACK:,} times")
        if self._depth >= MAX_NESTED:
            raise WireError("calls across the boundary are nested too deeply")
        text = frame.text
        arrival = Arrival(self, frame)
        reply = Message(self, arrival)
        self._depth += 1
        answer: dict[str, Any] = {"m": "answer", "n": text.get("n")}
        try:
            try:
                values = decode(text.get("v"), arrival)
                if type(values) is not list or type(text.get("op")) is not str:
                    raise WireError("a question is malformed")
                refs: dict[int, list[Any]] = {id(tensor): ["slot", slot] for slot, tensor in arrival.inputs.items()}
                result = self._work(text, values, refs)
                answer |= {"ok": True, "v": encode(result, reply)}
                if reply.outs:
                    answer |= self._keep(reply, refs, arrival)
            except BaseException as error:
                if self.trusted and (self.reason or not isinstance(error, Exception)):
                    raise
                reply = Message(self, arrival)
                answer |= {"ok": False, "error": self._exceptions.describe(error)}
            answer["slots"] = reply.slots
            answer["changed"] = [
                [slot, reply.plain(value.detach())]
                for slot, value in arrival.values.items()
                if arrival.was_changed(slot)
            ]
            answer["asks"] = [
                slot
                for slot, value in arrival.values.items()
                if slot not in arrival.inputs and value.is_leaf and value.requires_grad
            ]
            answer["drawn"] = [
                [self.handles.of_generator(generator), reply.plain(generator.get_state())]
                for generator, state in arrival.generators.values()
                if not torch.equal(generator.get_state(), state)
            ]
            try:
                self._send(answer, reply)
            except WireError as error:
                if isinstance(error, Gone | Late):
                    raise
                self._send(
                    {"m": "answer", "n": text.get("n"), "ok": False, "error": self._exceptions.describe(error)},
                    Message(self),
                )
        finally:
            self._depth -= 1

    def _work(self, text: dict[str, Any], values: list[Any], refs: dict[int, list[Any]]) -> Any:
        default = torch.get_default_dtype()
        wanted = DTYPES.get(str(text.get("default")))
        try:
            if wanted is not None and wanted.is_floating_point and not self.trusted:
                torch.set_default_dtype(wanted)
            with torch.set_grad_enabled(text.get("grad") is not False):
                return self._vjp(values, refs) if text["op"] == "vjp" else self.serve(text["op"], values)
        finally:
            torch.set_default_dtype(default)

    def _vjp(self, values: list[Any], refs: dict[int, list[Any]]) -> list[torch.Tensor | None]:
        number, grads, create, wanted = values
        kept = self._kept.get(number) if type(number) is int else None
        if kept is None or type(grads) is not list or len(grads) != len(kept.outs) or len(wanted) != len(kept.ins):
            raise WireError("a gradient was asked for what is not known here")
        refs.update({id(tensor): ["in", place] for place, tensor in enumerate(kept.ins)})
        pairs = [(out, grad) for out, grad in zip(kept.outs, grads, strict=True) if grad is not None]
        ins = [tensor for tensor, wants in zip(kept.ins, wanted, strict=True) if wants is True]
        if not pairs or not ins:
            return [None] * len(kept.ins)
        products = iter(products_of(pairs, ins, create=create is True))
        return [next(products) if wants is True else None for wants in wanted]

    def _keep(self, reply: Message, refs: dict[int, list[Any]], arrival: Arrival) -> dict[str, Any]:
        """KeptGraph the results that carry a graph, and say which inputs and leaves they depend on."""
        ins = leaves_of(reply.outs)
        named = [refs.get(id(tensor)) or ["leaf", self.leaves.describe(tensor, reply.plain)] for tensor in ins]
        self._record += 1
        self._kept[self._record] = KeptGraph(reply.outs, ins)
        return {"outs": reply.out_nodes, "refs": named, "record": self._record}
