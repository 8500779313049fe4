"""A student's own view of a notebook: which tasks pass their visible tests, which fail, which are not attempted.

It runs on the student's machine, in the student's own kernel or a process beside it, and knows no more than the
notebook does. In a notebook, after the lab's cells have been run:

    from vae_lab.grading.selfcheck import check
    check()
"""

from __future__ import annotations

import html
import json
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vae_lab.grading.one_process import Outcome, describe, run_cells

State = Literal["passed", "failed", "not attempted", "for a person"]

ANCHOR = re.compile(r"^\s*(?:#|<!--)\s*vae-lab:\s*[\w-]+/([\w-]+)", re.MULTILINE)
TESTS = re.compile(r"^(?P<task>\w+?)_tests(?:_\d+)?$")
STUBS = ("raise NotImplementedError", "YOUR ANSWER HERE")
READ_NEXT = re.compile(r"^Read next: *(.+)$", re.MULTILINE)


class Cell(NamedTuple):
    """What is read of a notebook's cell."""

    code: bool
    source: str
    name: str
    points: float | None
    tests: bool
    written: bool


@dataclass
class TaskState:
    """How one task stands. `points` is None where the notebook has lost them."""

    name: str
    points: float | None = None
    earned: float = 0.0
    state: State = "not attempted"
    says: str = ""
    read_next: str = ""
    written: bool = False


@dataclass(frozen=True)
class SelfCheck:
    """All tasks of a notebook; prints as a table, in a terminal and in Jupyter."""

    tasks: list[TaskState] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True when every task with visible tests passes them."""
        return all(task.state in ("passed", "for a person") for task in self.tasks)

    @property
    def headline(self) -> str:
        """The sentence under the table."""
        known = [task for task in self.tasks if task.points is not None and not task.written]
        total = sum(task.points or 0.0 for task in known)
        words = f"{sum(task.earned for task in known):g} of {total:g} points in view." if known else ""
        return f"{words} Hidden tests try your answers on other inputs; only they decide.".strip()

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """The table's body: task, state, points, first line of what the test says, what to read next."""
        return [
            (
                task.name,
                task.state,
                "" if task.points is None else f"{task.earned:g} / {task.points:g}",
                task.says.strip().split("\n")[0],
                task.read_next,
            )
            for task in self.tasks
        ]

    def __str__(self) -> str:
        mark = {"passed": "+", "failed": "x", "not attempted": ".", "for a person": "?"}
        names = max((len(task.name) for task in self.tasks), default=4)
        lines = []
        for name, state, points, says, read in self.rows():
            lines.append(f"{mark[state]} {name:<{names}}  {state:<13}  {points:>7}")
            lines += [f"    {line}" for line in (says, read and f"Read next: {read}") if line and state == "failed"]
        return "\n".join([*lines, "", self.headline])

    def _repr_html_(self) -> str:
        colour = {"passed": "#1a7f4b", "failed": "#c0392b"}
        left = "text-align:left;vertical-align:top"
        cells = []
        for name, state, points, says, read in self.rows():
            texts = (name, state, points, says if state == "failed" else "", read)
            styles = (left, f"{left};color:{colour.get(state, 'inherit')}", left, left, left)
            row = [f'<td style="{s}">{html.escape(t)}</td>' for s, t in zip(styles, texts, strict=True)]
            cells.append(f"<tr>{''.join(row)}</tr>")
        head = "".join(
            f'<th style="text-align:left">{word}</th>' for word in ("task", "", "points", "the test says", "read next")
        )
        return f"<table><tr>{head}</tr>{''.join(cells)}</table><p>{html.escape(self.headline)}</p>"


def read_cells(content: bytes | str) -> list[Cell]:
    """The cells of a notebook's file.

    Raises:
        ValueError: if it is no notebook.
    """
    try:
        notebook = json.loads(content)
        return [read_cell(cell) for cell in notebook["cells"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("not a notebook: it has no cells that can be read") from None


def read_cell(cell: dict[str, Any]) -> Cell:
    """One cell, named by nbgrader's metadata or by the anchor in its text."""
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    about = cell.get("metadata", {}).get("nbgrader", {})
    anchor = ANCHOR.search(source)
    name = about.get("grade_id") or (anchor[1] if anchor else "")
    code = cell["cell_type"] == "code"
    tests = code and bool(TESTS.match(name))
    written = not code and (bool(about.get("grade")) if about else bool(anchor))
    return Cell(code, source, name, about.get("points"), tests, written)


def summary(cells: Iterable[Cell], outcomes: Iterable[tuple[Cell, Outcome]]) -> SelfCheck:
    """Put together how the tasks stand.

    Args:
        cells: all of the notebook.
        outcomes: how each test cell ended.
    """
    cells = list(cells)
    answers = {cell.name: cell.source for cell in cells if cell.name and not cell.tests}
    states: dict[str, TaskState] = {}
    for cell, outcome in outcomes:
        match = TESTS.match(cell.name)
        assert match is not None
        name = match["task"]
        task = states.setdefault(name, TaskState(name, state="passed"))
        if cell.points is not None:
            task.points = (task.points or 0.0) + cell.points
            task.earned += cell.points if outcome.passed else 0.0
        untouched = STUBS[0] in answers.get(name, "") or outcome.error == "NotImplementedError"
        missing = outcome.error == "NameError" and f"'{name}'" in outcome.message
        if outcome.passed:
            continue
        if untouched or missing:
            task.state = "not attempted" if task.state != "failed" else task.state
        elif task.state != "failed":
            task.state, task.says = "failed", outcome.message
            reading = READ_NEXT.search(outcome.message)
            task.read_next = reading[1] if reading else ""
    for cell in cells:
        if cell.written:
            bare = ANCHOR.sub("", cell.source).replace("-->", "").strip()
            state: State = "not attempted" if bare in ("", STUBS[1]) else "for a person"
            states[cell.name] = TaskState(cell.name, cell.points, 0.0, state, written=True)
    return SelfCheck(list(states.values()))


def read_lab(path: Path) -> list[Cell]:
    """The cells of a lab's notebook.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no notebook, or no lab.
    """
    cells = read_cells(path.read_bytes())
    if not any(cell.tests for cell in cells):
        raise ValueError("not a lab: it has no test cells")
    return cells


def check_file(path: Path, progress: Callable[[int, int], None] = lambda done, total: None) -> SelfCheck:
    """Run a notebook from top to bottom in this process, as its kernel would, and say how its tasks stand.

    Args:
        path: the notebook.
        progress: called with the number of cells run and of all.

    Raises:
        OSError: if the file cannot be read.
        ValueError: if it is no notebook, or no lab.
    """
    cells = read_lab(path)
    code = [cell for cell in cells if cell.code]
    os.chdir(path.resolve().parent)
    outcomes = run_cells([cell.source for cell in code], progress)
    return summary(cells, [pair for pair in zip(code, outcomes, strict=True) if pair[0].tests])


def check(notebook: str | Path | None = None) -> SelfCheck:
    """Run the visible tests again, in this kernel, on what has been defined so far, and say how the tasks stand.

    Args:
        notebook: path of the notebook; by default the one this kernel belongs to, where Jupyter, VS Code or Colab tell
            it, else the test cells that have been run.

    Raises:
        RuntimeError: outside of a notebook, or if no test cell is to be found.
    """
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise RuntimeError("check: there is no kernel here; in a terminal, run: vae-lab check NOTEBOOK")
    cells = read_cells(Path(notebook).read_bytes()) if notebook else this_notebook(shell)
    tests = [cell for cell in cells if cell.tests]
    if not tests:
        raise RuntimeError("check: no test cell found; run the lab's cells first, or give the notebook's path")
    outcomes = []
    for cell in tests:
        try:
            exec(compile(shell.transform_cell(cell.source), f"<{cell.name}>", "exec"), shell.user_ns)
        except Exception as error:
            outcomes.append((cell, Outcome(type(error).__name__, describe(error))))
        else:
            outcomes.append((cell, Outcome("", "")))
    return summary([*cells, *cells_that_ran(shell)], outcomes)


def cells_that_ran(shell: Any) -> list[Cell]:
    """The named code cells that this kernel has executed, the last of each name."""
    ran = {}
    for source in shell.user_ns.get("In", []):
        cell = read_cell({"source": source, "cell_type": "code"})
        if cell.name:
            ran[cell.name] = cell
    return list(ran.values())


def this_notebook(shell: Any) -> list[Cell]:
    """The cells of this kernel's notebook, as last saved; else those that have been run, the last of each name."""
    for where in (os.environ.get("JPY_SESSION_NAME"), shell.user_ns.get("__vsc_ipynb_file__")):
        if where and Path(where).is_file():
            return read_cells(Path(where).read_bytes())
    if "google.colab" in sys.modules:
        from google.colab import _message  # type: ignore[import-not-found, unused-ignore]

        answer = _message.blocking_request("get_ipynb", timeout_sec=20)
        if answer:
            return read_cells(json.dumps(answer["ipynb"]))
    return cells_that_ran(shell)
