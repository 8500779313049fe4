"""Answer an appeal: grade one submission again and show, for each test cell, what was called and what came back.

The judge is the one that graded, on the same bytes and so with the same seed: it calls with the same numbers. It is
meant for the instructor's eyes, since the inputs of hidden tests are among what it shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vae_lab.grading.bridge import Peer
from vae_lab.grading.judge import Judge, seed_for
from vae_lab.grading.lab import Lab
from vae_lab.grading.limits import Limits
from vae_lab.grading.notebook import read_submission
from vae_lab.grading.sandbox import Sandbox, Warm
from vae_lab.grading.show import show
from vae_lab.grading.standin import STANDINS, RemoteError
from vae_lab.grading.verdict import clean
from vae_lab.grading.workers import pool
from vae_lab.grading.zygote import warm_up

MOST_CALLS = 60  # shown of one test cell
LONGEST = 1200  # characters of one question or answer
SPOKEN = {"attr": "{0}.{1}", "item": "{0}[{1}]", "len": "len({0})", "contains": "{1} in {0}", "iter": "iter({0})"}


@dataclass
class Call:
    """One question to the student's code: the test cell's line that asked, the question and the answer, as text."""

    line: int
    hidden: bool
    question: str
    answer: str = ""


@dataclass
class Tried:
    """What happened in one test cell; `more` counts the calls that are not listed."""

    grade_id: str
    points: float
    source: str
    passed: bool = False
    message: str = ""
    calls: list[Call] = field(default_factory=list)
    more: int = 0


class Watching(Judge):
    """A judge that writes down what it asks in test cells."""

    tried: dict[str, Tried]
    labels: dict[int, tuple[object, str]]  # the object is kept, so that no other gets its id

    def _run_cell(self, number: int) -> None:
        cell, peer = self.lab.cells[number], self.session.peer
        if cell.role != "tests" or peer is None:
            return super()._run_cell(number)
        tried = self.tried.setdefault(cell.grade_id, Tried(cell.grade_id, cell.points, cell.source))
        self.labels = {}
        vars(peer)["ask"] = lambda op, *values, **named: self._ask(peer, tried, op, values, named)
        try:
            return super()._run_cell(number)
        finally:
            vars(peer).pop("ask", None)

    def _ask(self, peer: Peer, tried: Tried, op: str, values: tuple[Any, ...], named: dict[str, Any]) -> Any:
        call = self._call(tried, op, values)
        if call is not None and len(tried.calls) >= MOST_CALLS:
            tried.more, call = tried.more + 1, None
        if call is not None:
            tried.calls.append(call)
        try:
            result = Peer.ask(peer, op, *values, **named)
        except BaseException as error:
            if call is not None:
                said = error.in_full() if isinstance(error, RemoteError) else error or type(error).__name__
                call.answer = f"raised {said}"
            raise
        if op == "names":
            self.labels |= {
                id(value): (value, name) for name, value in result.items() if type(value) in STANDINS.values()
            }
        elif op == "attr" and call is not None and type(result) in STANDINS.values():
            self.labels.setdefault(id(result), (result, call.question))
        if call is not None:
            call.answer = self._say(result)
        return result

    def _call(self, tried: Tried, op: str, values: tuple[Any, ...]) -> Call | None:
        if op == "call":
            what, args, kwargs = values
            inside = [*map(self._say, args), *(f"{name}={self._say(value)}" for name, value in kwargs.items())]
            question = f"{self._say(what)}({', '.join(inside)})"
        elif op == "vjp":
            question = f"the gradient, given {self._say(values[1])} for its results"
        elif op in SPOKEN:
            question = SPOKEN[op].format(self._say(values[0]), *(str(value) for value in values[1:]))
        else:
            return None
        line = asking_line(f"<{tried.grade_id}>")
        hidden = self.current is not None and line in self.current.hidden
        return Call(line, hidden, question)

    def _say(self, value: object) -> str:
        _, label = self.labels.get(id(value), (None, ""))
        return label or show(value)


def stands_in(value: object) -> bool:
    """Tell whether a value is a stand-in for something of the student's; plain values are shared and have no name."""
    return type(value) in STANDINS.values()


def asking_line(file: str) -> int:
    """The line of the test cell that is being executed, or 0."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_filename == file:
            return frame.f_lineno
    return 0


def appeal(lab: Lab, notebook: bytes, limits: Limits | None = None, sandbox: Sandbox = "required") -> list[Tried]:
    """Grade a submission once more, watching.

    Args:
        lab: from `load_lab`.
        notebook: the submitted bytes.
        limits: as in grading.
        sandbox: as in grading.

    Returns:
        what happened in each test cell, in the lab's order; none if the bytes are no notebook.
    """
    with pool(1, "vae_lab.grading.appeal") as workers:
        return workers.submit(watch, lab, notebook, limits or Limits(), sandbox).result()


def watch(lab: Lab, notebook: bytes, limits: Limits, sandbox: Sandbox) -> list[Tried]:
    """Run a watching judge; in a process of its own, for it takes over the process's `__main__`, timer and seeds."""
    submission = read_submission(lab, notebook)
    if submission.problem:
        return []
    warm = Warm(lab.students_imports, sandbox)
    try:
        warm_up(list(lab.imports))
        warm.wait()
        tried = {cell.grade_id: Tried(cell.grade_id, cell.points, cell.source) for cell in lab.cells if is_test(cell)}

        def report(grade_id: str, passed: bool, message: str) -> None:
            tried[grade_id].passed, tried[grade_id].message = passed, message

        judge = Watching(lab, submission, limits, warm, seed_for(lab, notebook), report)
        judge.tried = tried
        judge.run()
    finally:
        warm.close()
    return list(tried.values())


def is_test(cell: Any) -> bool:
    """Tell whether a cell of a lab decides about points by being run."""
    return bool(cell.role == "tests")


def one_line(text: str) -> str:
    """A text, part of which the student chose, without anything that would move the cursor of a terminal."""
    return " ".join(clean(text, LONGEST).split())


def lines(tried: list[Tried]) -> Iterator[str]:
    """What happened, for reading: points and message, then each call under the line of the test that made it."""
    for one in tried:
        points = one.points if one.passed else 0.0
        yield f"{one.grade_id}: {points:g} of {one.points:g} points"
        yield from (f"  {one_line(part)}" for part in one.message.splitlines())
        source, last = one.source.splitlines(), 0
        for call in one.calls:
            if call.line != last:
                last = call.line
                text = source[last - 1].strip() if 0 < last <= len(source) else ""
                yield f"  line {last}{' (hidden)' if call.hidden else ''}: {text}"
            yield f"    {one_line(call.question)}"
            yield f"      -> {one_line(call.answer)}"
        if one.more:
            yield f"  and {one.more} calls more"
        yield ""
