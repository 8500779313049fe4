"""Honest accidents that happen to notebooks on their way; they must cost nothing that they need not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vae_lab.grading.authoring.made_up import MadeUp, Solver, code_cell
from vae_lab.grading.lab.cells import Notebook, grader, text, to_bytes


def unharmed(change: Callable[[Notebook], None]) -> Callable[[Solver, str, Notebook], MadeUp]:
    """An accident that happens to a right answer and must not cost a point."""

    def made(maker: Solver, what: str, notebook: Notebook) -> MadeUp:
        change(notebook)
        return MadeUp(what, to_bytes(notebook), frozenset())

    return made


def from_colab(notebook: Notebook) -> None:
    """What a round trip through Colab leaves: no cell ids, ids of its own, outputs, a shorter kernelspec."""
    notebook["nbformat_minor"] = 0
    notebook["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for number, cell in enumerate(notebook["cells"]):
        cell.pop("id")
        cell["metadata"]["id"] = f"aB{number}xY"
        if cell["cell_type"] == "code":
            cell["metadata"]["outputId"] = f"0-{number}"
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["ran in Colab\n"]}]


def stripped(notebook: Notebook) -> None:
    """An editor or a colleague's tool that drops all metadata."""
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def doubled_test(notebook: Notebook) -> None:
    """Copy and paste of a test cell, metadata and all."""
    place = next(i for i, cell in enumerate(notebook["cells"]) if is_test(cell))
    notebook["cells"].insert(place + 1, {**notebook["cells"][place], "id": "pasted"})


def lost_test(notebook: Notebook) -> None:
    """A test cell deleted by a slip."""
    notebook["cells"].remove(next(cell for cell in notebook["cells"] if is_test(cell)))


def noisy(notebook: Notebook) -> None:
    """A warning on stderr and a progress bar in every answer."""
    for cell in notebook["cells"]:
        if grader(cell).get("solution") and cell["cell_type"] == "code":
            cell["source"] = f"{text(cell)}\nimport warnings\nwarnings.warn('mind the gap')\nprint('50%', end='\\r')"


def other_kernel(notebook: Notebook) -> None:
    """A kernel that only this student has."""
    notebook["metadata"]["kernelspec"] = {"name": "my-conda-env", "display_name": "my env", "language": "python"}


def extra_cells(notebook: Notebook) -> None:
    """Notes, an experiment that failed, and a shell command left in."""
    notebook["cells"].insert(0, code_cell("!echo hello\n%timeit -n1 -r1 1 + 1", "shell"))
    notebook["cells"].append(code_cell("1 / 0", "failed-experiment"))


def is_test(cell: dict[str, Any]) -> bool:
    """Whether nbgrader grades the cell by running it."""
    return bool(grader(cell).get("grade")) and not grader(cell).get("solution")


def endless(maker: Solver, what: str, notebook: Notebook) -> MadeUp:
    """A loop that never ends, after everything else."""
    notebook["cells"].append(code_cell("while True:\n    pass", "loop"))
    return MadeUp(what, to_bytes(notebook), frozenset())


def not_json(maker: Solver, what: str, notebook: Notebook) -> MadeUp:
    """Half of a file, as an upload that broke off leaves it."""
    content = to_bytes(notebook)
    return MadeUp(what, content[: len(content) // 2], maker.tests)


def copied(maker: Solver, what: str, notebook: Notebook) -> MadeUp:
    """Letter by letter what the first student handed in."""
    return MadeUp(what, to_bytes(maker.solved({}, 0)), frozenset())


def other_name(maker: Solver, what: str, notebook: Notebook) -> MadeUp:
    """The name that a browser gives to a second download."""
    return MadeUp(what, to_bytes(notebook), maker.tests, file=f"{maker.lab} (1).ipynb")


ACCIDENTS: dict[str, Callable[[Solver, str, Notebook], MadeUp]] = {
    "round trip through Colab": unharmed(from_colab),
    "metadata stripped": unharmed(stripped),
    "copied from a friend": copied,
    "test cell doubled": unharmed(doubled_test),
    "not JSON, upload broke off": not_json,
    "warning on stderr, progress bar": unharmed(noisy),
    "test cell deleted": unharmed(lost_test),
    "handed in under another name": other_name,
    "cells added, one of them fails": unharmed(extra_cells),
    "kernel renamed": unharmed(other_kernel),
    "endless loop at the end": endless,
}
