"""What a student hands in: the notebook run from nothing in a kernel of its own and saved; and a receipt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from vae_lab.checks.lab_overview import Cell, Overview, read_cell, summary
from vae_lab.grading.course import CourseError, write_atomically


def run_and_save(path: Path, seconds: float, starts: Callable[[str], None] = lambda name: None) -> Overview:
    """Restart, run all cells, save, as the last steps before handing in ask.

    Args:
        path: the notebook; saved with its outputs.
        seconds: for one cell.
        starts: called with a cell's name before it runs.

    Raises:
        CourseError: if nothing here can run a notebook.
    """
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import CellTimeoutError
    except ImportError as error:
        raise CourseError(f"--hand-in needs Jupyter, and {error.name} is missing: pip install jupyterlab") from error
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    client = NotebookClient(
        notebook,
        timeout=seconds,
        interrupt_on_timeout=True,
        allow_errors=True,
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    outcomes: list[tuple[Cell, str, str]] = []
    ran: dict[str, str] = {}
    with client.setup_kernel():
        for number, cell in enumerate(notebook.cells):
            if cell.cell_type != "code":
                continue
            named = read_cell(json.loads(json.dumps(cell)))
            starts(named.name or f"cell {number + 1}")
            try:
                client.execute_cell(cell, number)
            except CellTimeoutError:
                cell.outputs.append(
                    nbformat.v4.new_output("error", ename="TookTooLong", evalue=f"stopped after {seconds:g} s")
                )
            kind, text = next(
                ((str(out.ename), str(out.evalue)) for out in cell.outputs if out.output_type == "error"), ("", "")
            )
            said = text if kind in ("", "CheckFailed", "AssertionError") else f"{kind}: {text}"
            if named.tests:
                outcomes.append((named, kind, said))
            elif named.name:
                ran[named.name] = said
    write_atomically(path, nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n")
    return summary([read_cell(json.loads(json.dumps(cell))) for cell in notebook.cells], outcomes, ran)


def receipt(path: Path, found: Overview, when: datetime) -> str:
    """What a student keeps: which file, when, its SHA-256, the points in view; also written beside the notebook."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    earned, total = found.points
    text = (
        f"Upload this one file: {path.resolve()}\n"
        f"saved   {when:%Y-%m-%d %H:%M:%S %z}\n"
        f"points  {earned:g} of {total:g} in view; hidden tests and written answers are not counted here\n"
        f"sha256  {digest}\n"
    )
    write_atomically(path.with_suffix(".receipt.txt"), text)
    return text
