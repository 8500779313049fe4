"""A lab at a glance: which tasks pass their visible tests, which fail, which are not attempted, what to read next.

It knows no more than the notebook does: the visible tests are run again in the student's own kernel, on what has been
defined so far. Nothing here is worth points, and a grader has no use for it.
"""

from __future__ import annotations

import html
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vae_lab.checks.cell_log import ANCHOR, ended, is_released_stub
from vae_lab.checks.common_errors import in_plain_words
from vae_lab.checks.student_line import student_line
from vae_lab.language import said

State = Literal["passed", "failed", "not attempted", "not run", "for a person"]

TESTS = re.compile(r"^(?P<task>\w+?)_tests(?:_\d+)?$")
STUBS = ("raise NotImplementedError", "YOUR ANSWER HERE")
NOT_RUN = "written, but its cell has not run since the kernel started: run it, then this cell again."
READ_NEXT = re.compile(r"^Read next: *(.+)$", re.MULTILINE)
ROW = re.compile(r"^\|[^|`]*`(?P<task>\w+)`.*\|(?P<reading>[^|]+)\|\s*$", re.MULTILINE)
LINK = re.compile(r"\[([^\]]+)\]\(([^)]*)\)")
URL = re.compile(r"https://[^\s)&<]+")


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


@dataclass(frozen=True, repr=False)
class Overview:
    """All tasks of a notebook; prints as a table, in a terminal and in Jupyter."""

    tasks: list[TaskState] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> tuple[float, float]:
        """The points in view that are reached, and all that there are."""
        known = [task for task in self.tasks if task.points is not None and not task.written]
        return sum(task.earned for task in known), sum(task.points or 0.0 for task in known)

    @property
    def passed(self) -> bool:
        """True when every task with visible tests passes them; a written answer has none."""
        return all(task.state == "passed" for task in self.tasks if not task.written)

    @property
    def headline(self) -> str:
        """The sentences under the table."""
        earned, total = self.points
        words = f"{earned:g} of {total:g} points in view. " if total else ""
        words += "Hidden tests try your answers on other inputs; only they decide."
        if self.tasks and self.passed:
            words += " Before you hand in: restart the kernel, run all cells, save."
        return words

    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """The table's body: task, state, points, all that the test says, what to read next."""
        return [
            (
                task.name,
                task.state,
                "" if task.points is None else f"{task.points:g} by hand" if task.written else _share(task),
                READ_NEXT.sub("", task.says).strip(),
                task.read_next,
            )
            for task in self.tasks
        ]

    def __str__(self) -> str:
        mark = {"passed": "+", "failed": "x", "not attempted": ".", "not run": "!", "for a person": "?"}
        names = max((len(task.name) for task in self.tasks), default=4)
        lines = []
        for name, state, points, says, read in self.rows():
            lines.append(f"{mark[state]} {name:<{names}}  {said(state):<13}  {said(points):>9}")
            read = read and said(f"Read next: {read}")
            lines += [f"    {line}" for line in (*said(says).splitlines(), read) if line]
        return "\n".join([*lines, "", said(self.headline), *map(said, self.notes)])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        colour = {"passed": "#1a7f4b", "failed": "#c0392b", "not run": "#c0392b"}
        left = "text-align:left;vertical-align:top"
        cells = []
        for name, state, points, says, read in self.rows():
            styles = (left, f"{left};color:{colour.get(state, 'inherit')};white-space:nowrap", left, left, left)
            texts = (name, *map(said, (state, points, says, read)))
            shown = [_linked(html.escape(text)).replace("\n", "<br>") for text in texts]
            row = [f'<td style="{s}">{t}</td>' for s, t in zip(styles, shown, strict=True)]
            cells.append(f"<tr>{''.join(row)}</tr>")
        words = ("task", "", "points", "the test says", "read next")
        head = "".join(f'<th style="text-align:left">{said(word)}</th>' for word in words)
        return f"<table><tr>{head}</tr>{''.join(cells)}</table><p>{html.escape(said(self.headline))}</p>"


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
    written = not tests and (bool(about.get("grade")) if about else bool(anchor) and not code)
    return Cell(code, source, name, about.get("points"), tests, written)


def readings(cells: Iterable[Cell]) -> dict[str, str]:
    r"""What the lab's own table of tasks says to read first, by task.

    Example:
        >>> table = "| task | read first |\n|---|---|\n| 1 `half` | [Halves](halves.md), [Sums](sums.md) |"
        >>> readings([Cell(False, table, "", None, False, False)])
        {'half': 'the book\'s pages "Halves", "Sums"'}
    """
    found = {}
    for cell in cells:
        for row in ROW.finditer("" if cell.code else cell.source):
            if pages := LINK.findall(row["reading"]):
                named = ", ".join(f'"{page}"' + (f" ({to})" if URL.match(to) else "") for page, to in pages)
                found[row["task"]] = f"the book's page{'s' if len(pages) > 1 else ''} {named}"
    return found


def summary(
    cells: Iterable[Cell], outcomes: Iterable[tuple[Cell, str, str]], ran: Mapping[str, str] | None = None
) -> Overview:
    """Put together how the tasks stand.

    Args:
        cells: all of the notebook.
        outcomes: each test cell, the type's name of the exception that ended it ("" if it passed), and its text.
        ran: each named cell that ran, and what stopped it ("" if nothing did); None if that is not known.
    """
    cells = list(cells)
    answers = {cell.name: cell.source for cell in cells if cell.name and not cell.tests}
    pages = readings(cells)
    states: dict[str, TaskState] = {}
    for cell, error, message in outcomes:
        match = TESTS.match(cell.name)
        assert match is not None
        name = match["task"]
        task = states.setdefault(name, TaskState(name, state="passed"))
        if cell.points is not None:
            task.points = (task.points or 0.0) + cell.points
            task.earned += 0.0 if error else cell.points
        stop = (ran or {}).get(name, "")
        if not error:
            if stop and task.state == "passed":
                task.says = f"its cell stopped with {stop}\nWhat passes is what was defined before."
        elif task.state != "failed":
            task.state, task.says = _state(name, answers.get(name, ""), error, message, ran)
            reading = READ_NEXT.search(message)
            task.read_next = reading[1] if reading else pages.get(name, "")
    for cell in cells:
        if cell.written:
            blank = ANCHOR.sub("", cell.source).replace("-->", "").strip() in ("", STUBS[1])
            task = TaskState(cell.name, cell.points, written=True)
            task.state = "not attempted" if blank else "for a person"
            task.says = "as last saved" if blank else ""
            states[cell.name] = task
    return Overview(list(states.values()))


def _state(name: str, source: str, error: str, message: str, ran: Mapping[str, str] | None) -> tuple[State, str]:
    """How a task stands whose test cell ended with an error, and what to say of it."""
    missing = error == "NameError" and f"'{name}'" in message
    stop = (ran or {}).get(name, "")
    if missing and stop:
        return "failed", f"its cell stopped with {stop}"
    if is_released_stub(source):
        return "not attempted", ""
    if missing and ran is not None and name not in ran:
        return "not run", NOT_RUN
    if missing or (error == "NotImplementedError" and (message == error or STUBS[0] in message)):
        return "not attempted", ""
    return "failed", message


def look(notebook: str | Path | None = None) -> Overview:
    """Run the visible tests again, in this kernel, on what has been defined so far, and say how the tasks stand.

    Args:
        notebook: path of the notebook; by default the one this kernel belongs to, where Jupyter, VS Code or Colab tell
            it, else the test cells that have been run.

    Raises:
        RuntimeError: outside of a notebook, or if no test cell is to be found.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        raise RuntimeError("check: there is no kernel here; in a terminal, run: vae-lab check NOTEBOOK")
    cells = read_cells(Path(notebook).read_bytes()) if notebook else this_notebook(shell)
    tests = [cell for cell in cells if cell.tests]
    if not tests:
        raise RuntimeError("check: no test cell found; run the lab's cells first, or give the notebook's path")
    outcomes = []
    for cell in tests:
        error, message = "", ""
        try:
            exec(compile(shell.transform_cell(cell.source), f"<{cell.name}>", "exec"), shell.user_ns)
        except Exception as raised:
            error, message = type(raised).__name__, describe(raised)
        outcomes.append((cell, error, message))
    ran = cells_that_ran(shell)
    return summary([*cells, *ran], outcomes, {**{cell.name: "" for cell in ran}, **ended()})


def describe(error: BaseException) -> str:
    """What a student reads of an exception that ended a cell: an assertion's own text, else its type, text and line.

    Example:
        >>> describe(AssertionError("half of 16 is 8")), describe(KeyError("z"))
        ('half of 16 is 8', "KeyError: 'z'")
    """
    text, kind = str(error), type(error).__name__
    if isinstance(error, AssertionError) and text:
        return text
    line = student_line(error)
    plain = in_plain_words(kind, text, line.source if line else "")
    return "\n".join([f"{kind}: {text}" if text else kind, *filter(None, (line and str(line), plain))])


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


def _linked(escaped: str) -> str:
    """HTML text with its addresses as links.

    Example:
        >>> _linked("see https://x.org/book/elbo.html")
        'see <a href="https://x.org/book/elbo.html" target="_blank">https://x.org/book/elbo.html</a>'
    """
    return URL.sub(lambda found: f'<a href="{found[0]}" target="_blank">{found[0]}</a>', escaped)


def _share(task: TaskState) -> str:
    return f"{task.earned:g} / {task.points:g}"
