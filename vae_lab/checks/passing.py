"""What a student sees of success, and before a picture that needs an answer that is not there yet.

Silence looks like a cell that did not run, so the last line of a test cell says that it passed. It is a text and never
a number: nbgrader takes a number that a test cell ends with for its points.
"""

from __future__ import annotations

import html
import os
import sys
from dataclasses import dataclass
from typing import Any

from vae_lab.language import said


@dataclass(frozen=True, repr=False)
class Passed:
    """The end of a test cell that has passed; Jupyter and Colab show it.

    Args:
        task: the function or class that was tested.
        points: what the cell is worth.
        hidden: what the hidden half will try, in a few words; "" if it tries nothing else.
    """

    task: str
    points: float
    hidden: str = ""

    def __repr__(self) -> str:
        return f"{self._says()}. {self._will_try()}".strip()

    def _repr_html_(self) -> str:
        more = self._will_try()
        end = f"<br>{html.escape(more)}" if more else ""
        return f'<span style="color:#1a7f4b">&#10003; {html.escape(self._says())}</span>{end}'

    def _says(self) -> str:
        return said(f"passed: {self.task}, {self.points:g} point{'' if self.points == 1 else 's'} in view")

    def _will_try(self) -> str:
        return said(f"Hidden tests will also try: {self.hidden}.") if self.hidden else ""


def passed(task: str, points: float, hidden: str = "") -> Passed:
    """Say that the test cell above this line has passed.

    Args:
        task: the function or class that was tested.
        points: what the cell is worth, as its nbgrader metadata has it.
        hidden: what the hidden half will try, in a few words that give no input away.

    Example:
        >>> passed("half", 2, "odd numbers")
        passed: half, 2 points in view. Hidden tests will also try: odd numbers.
    """
    return Passed(task, points, hidden)


def in_notebook() -> bool:
    """Whether a person may be looking: True in Jupyter and Colab, False where a grader runs the cells.

    A cell that only shows something, and takes seconds for it, asks first.

    Example:
        >>> in_notebook()
        False
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return hasattr(shell, "kernel") and "NBGRADER_EXECUTION" not in os.environ


def lacking(namespace: dict[str, Any], needs: dict[str, int | str]) -> list[str]:
    """What of the needed names is not there, or is as the lab was released, in words.

    Example:
        >>> def half(x): raise NotImplementedError()
        >>> lacking({"half": half, "three": 3}, {"half": 1, "three": 2, "my_model": "the cell that trains it"})
        ['task 1, half', 'my_model: run the cell that trains it']
    """
    return [
        f"task {where}, {name}" if isinstance(where, int) else f"{name}: run {where}"
        for name, where in needs.items()
        if name not in namespace or _is_stub(namespace[name])
    ]


def ready(**needs: int | str) -> bool:
    """Tell whether a cell that only shows something should run: somebody looks, and what it needs is there.

    Args:
        needs: each name that the cell uses, with the number of its task, or where else it is made.

    Returns:
        True if so; else it has said what is missing, if somebody looks.

    Example:
        >>> ready(half=1)
        False
    """
    if not in_notebook():  # a grader has no eyes
        return False
    missing = lacking(sys.modules["IPython"].get_ipython().user_ns, needs)
    if missing:
        print(said(f"This cell needs {'; '.join(missing)}. Then run it again."))
    return not missing


def _is_stub(value: Any) -> bool:
    """Whether a function, or a method of a class, still raises NotImplementedError as the released lab does."""
    if isinstance(value, type):
        return any(_is_stub(member) for member in vars(value).values() if hasattr(member, "__code__"))
    code = getattr(value, "__code__", None)
    return code is not None and "NotImplementedError" in code.co_names
