"""The student's process as the judge sees it: started when needed, and again without a cell that ended it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import torch

from vae_lab.grading.judge.environment import Needs
from vae_lab.grading.judge.patience import CIRCLES, GRACE_SECONDS, INTERRUPTED, Patience, PatientPeer, Thing
from vae_lab.grading.judge.submitted_notebook import Step
from vae_lab.grading.judge.verdict import clean, say_why
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits
from vae_lab.grading.rpc.objects import use
from vae_lab.grading.rpc.proxy import RemoteError
from vae_lab.grading.rpc.wire import Channel, WireError
from vae_lab.grading.sandbox.warm import Ended, Slot


class OutOfTime(Exception):
    """The submission has used up its time or its restarts."""


class Session:
    """The student's process as the judge sees it: started when needed, and again without a cell that ended it."""

    def __init__(self, lab: Lab, limits: Limits, warm: Slot, seed: int) -> None:
        self.lab, self.limits, self.warm, self.seed = lab, limits, warm, seed
        self.peer: PatientPeer | None = None
        self.patience = Patience(limits)
        self.done: list[Step] = []
        self.fatal: dict[int, str] = {}
        self.errors: dict[int, str] = {}
        self.starts = 0
        self.cpu = 0.0
        self.memory = 0
        self.watch: Callable[[], None] = lambda: None
        self.knows_hidden = False  # once true for good: a new process is not trusted to have inherited nothing
        self.end = time.monotonic() + limits.submission_seconds
        self.changed_arguments = False
        self.incidents: set[str] = set()
        self.needs = Needs()

    def connected(self) -> PatientPeer:
        """The connection, with every cell so far executed.

        Raises:
            OutOfTime: if the submission has used up its time or its restarts.
        """
        if self.patience.exhausted:
            raise OutOfTime(self.patience.refusal(Thing("")))
        while self.peer is None:
            if self.starts > self.limits.restarts:
                raise OutOfTime(f"The notebook ended its Python process {self.starts} times; grading stopped there.")
            if time.monotonic() > self.end:
                raise OutOfTime(f"The notebook took longer than {self.limits.submission_seconds:g} s in all.")
            self._start()
        return self.peer

    def _start(self) -> None:
        self.starts += 1
        sock, _ = self.warm.start(self.limits.for_student())
        channel = Channel(sock, max_text=self.limits.max_text, max_tensors=self.limits.max_tensors)
        self.peer = PatientPeer(
            channel, lambda op, values: use(op, values, guarded=True), trusted=True, patience=self.patience
        )
        self.peer.watch, self.peer.redact = self.watch, lambda: self.knows_hidden
        state = torch.get_rng_state()
        try:
            self.peer.deadline = time.monotonic() + 30.0
            torch.manual_seed(self.seed)
            self.peer.ask("begin", self.seed, list(self.lab.reserves), self.lab.name)
            for place in range(len(self.done)):
                self._execute(place)
                if self.peer is None:
                    break
        except WireError:
            self.close()
        finally:
            torch.set_rng_state(state)

    def execute(self, step: Step) -> None:
        """Run one more cell there."""
        self.connected()
        self.done.append(step)
        state = torch.get_rng_state()
        try:
            self._execute(len(self.done) - 1)
        finally:
            torch.set_rng_state(state)

    def _execute(self, place: int) -> None:
        assert self.peer is not None
        step = self.done[place]
        if place in self.fatal or self.patience.exhausted:
            return
        names = self.lab.cells[step.cell].defines if step.cell is not None else ()
        thing = Thing(names[0] if names else "", cell=place)
        seconds, began = self.patience.for_cell(thing), time.monotonic()
        try:
            self.peer.deadline = min(began + seconds, self.end) + GRACE_SECONDS
            self.needs.ran(step, self.peer.ask("cell", step.source, seconds))
        except RemoteError as error:
            text = f"{error}\n{error.student_line}" if error.student_line else str(error)
            self.needs.stopped(step, error.kind, error.text or error.withheld)
            if error.kind == INTERRUPTED and self.patience.note(thing, seconds, time.monotonic() - began):
                text = f"it took longer than {self.patience.unending[thing]:g} s"
            if error.kind == CIRCLES:
                self.patience.note_circles(thing, time.monotonic() - began)
                text = "it does not end, it goes in circles"
            if step.cell is not None:
                self.errors[step.cell] = clean(text, 300)
        except WireError as error:
            self.patience.note(thing, seconds, time.monotonic() - began)
            why = say_why(error, self.close(), self.limits, seconds)
            self.fatal[place] = why
            self.incidents.add(why)
            if step.cell is not None:
                self.errors[step.cell] = why

    @contextmanager
    def replaced(self, functions: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
        """While this lasts, names of the notebook mean these functions of a test; what is kept of them answers no more.

        Args:
            functions: right answers to other tasks.
        """
        peer = self.connected()
        lent: list[bool] = [True]
        self.patience.replaced = frozenset(functions)
        peer.ask("replace", {name: _while(lent, function) for name, function in functions.items()})
        try:
            yield
        finally:
            lent.clear()
            self.patience.replaced = frozenset()
            with suppress(WireError):
                peer.ask("replace", {})

    def close(self) -> Ended:
        """End the student's process and everything it started."""
        if self.peer is not None:
            self.changed_arguments |= self.peer.changed_arguments
            self.peer.reason = self.peer.reason or "the student's process has ended"
            self.peer.channel.close()
            self.peer = None
        ended = self.warm.stop()
        self.cpu += ended.cpu_seconds
        self.memory = max(self.memory, ended.memory)
        return ended


def _while(lent: list[bool], function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that can be called as long as it is lent."""

    def answer(*args: Any, **kwargs: Any) -> Any:
        if not lent:
            raise RuntimeError("this function was lent for one check, which is over")
        return function(*args, **kwargs)

    return answer
