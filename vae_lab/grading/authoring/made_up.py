"""One made-up submission, and what is needed to make one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from vae_lab.grading.lab.cells import Notebook


class Solver(Protocol):
    """What an accident needs to know of a lab: its name, its test cells, and a way to solve it."""

    lab: str
    tests: frozenset[str]

    def solved(self, cells: dict[str, str], number: int) -> Notebook:
        """A notebook with the given answers and the solution elsewhere."""


@dataclass(frozen=True)
class MadeUp:
    """One made-up submission: what it is, the file's content, the test cells it deserves to lose, the file's name."""

    what: str
    content: bytes
    loses: frozenset[str]
    file: str = ""


def code_cell(source: str, cell_id: str) -> dict[str, Any]:
    """A code cell that a student added."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": {},
        "outputs": [],
        "source": source,
    }
