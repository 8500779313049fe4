"""A judge that writes down, for each test cell, what it called and what came back.

The judge is the one that graded, on the same bytes and so with the same seed: it calls with the same numbers. It is
meant for the instructor's eyes, since the inputs of hidden tests are among what it shows.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from vae_lab.grading.judge.judge import Judge, seed_for
from vae_lab.grading.judge.retelling import retell
from vae_lab.grading.judge.submitted_notebook import read_notebook
from vae_lab.grading.judge.value_text import show
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.rpc.peer import Peer
from vae_lab.grading.rpc.proxy import PROXIES, RemoteError
from vae_lab.grading.rpc.warm_up import warm_up
from vae_lab.grading.sandbox.rlimits import hold_memory
from vae_lab.grading.sandbox.warm import WarmSandbox

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
    """What happened in one test cell.

    `message` is what the student reads, `in_full` what the check said, if that is more; `more` counts the calls that
    are not listed.
    """

    grade_id: str
    points: float
    source: str
    passed: bool = False
    message: str = ""
    calls: list[Call] = field(default_factory=list)
    more: int = 0
    in_full: str = ""


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
            result = type(peer).ask(peer, op, *values, **named)
        except BaseException as error:
            if call is not None:
                said = error.in_full() if isinstance(error, RemoteError) else error or type(error).__name__
                call.answer = f"raised {said}"
            raise
        if op == "names":
            self.labels |= {
                id(value): (value, name) for name, value in result.items() if type(value) in PROXIES.values()
            }
        elif op == "attr" and call is not None and type(result) in PROXIES.values():
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
    """Tell whether a value is a proxy for something of the student's; plain values are shared and have no name."""
    return type(value) in PROXIES.values()


def asking_line(file: str) -> int:
    """The line of the test cell that is being executed, or 0."""
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if frame.f_code.co_filename == file:
            return frame.f_lineno
    return 0


class Watched(NamedTuple):
    """One submission to watch being judged."""

    lab: Lab
    notebook: bytes
    limits: Limits
    sandbox: Sandbox


def watch(watched: Watched) -> list[Tried]:
    """Run a watching judge; in a process of its own, for it takes over its `__main__`, timer, seeds and memory."""
    lab, notebook, limits, sandbox = watched
    submission = read_notebook(lab, notebook)
    if submission.problem:
        return []
    warm = WarmSandbox(lab.students_imports, sandbox)
    try:
        warm_up(list(lab.imports))
        warm.wait()
        hold_memory(limits.judge_memory)
        tried = {cell.grade_id: Tried(cell.grade_id, cell.points, cell.source) for cell in lab.cells if is_test(cell)}

        def report(grade_id: str, passed: bool | None, message: str) -> None:
            tried[grade_id].passed, tried[grade_id].message = bool(passed), message

        judge = Watching(lab, submission, limits, warm, seed_for(lab, notebook), report)
        judge.tried = tried
        judge.run()
        retell(judge)
        for grade_id, text in judge.in_full.items():
            tried[grade_id].in_full = text
    finally:
        warm.close()
    return list(tried.values())


def is_test(cell: Any) -> bool:
    """Tell whether a cell of a lab decides about points by being run."""
    return bool(cell.role == "tests")
