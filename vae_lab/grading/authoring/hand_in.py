"""What a student hands in: the notebook run from nothing in a kernel of its own and saved; and a receipt."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from vae_lab.checks.lab_overview import Cell, Overview, read_cell, summary
from vae_lab.grading.authoring.guards import LEFT_OUT, TookTooLong, not_handed_in, too_late, without_installs
from vae_lab.grading.course import CourseError, write_atomically
from vae_lab.language import said

LATE = TookTooLong.__name__
IMPORTS = re.compile(r"^\s*(?:from|import)\s+(.+)$|^\s*%run\s+(.+)$", re.MULTILINE)


def run_and_save(path: Path, seconds: float, starts: Callable[[str], None] = lambda name: None) -> Overview:
    """Restart, run all cells, save, as the last steps before handing in ask.

    Lines that install packages are left out while it runs, and stay in the notebook.

    Args:
        path: the notebook; saved with its outputs, unless the run is cut short.
        seconds: for one cell; it is interrupted then, and the next one runs.
        starts: called with a cell's name before it runs.

    Raises:
        CourseError: if nothing here can run a notebook, or Python dies in a cell.
    """
    try:
        import nbformat
        from jupyter_client.kernelspec import NoSuchKernel
        from nbclient import NotebookClient
        from nbclient.exceptions import DeadKernelError
    except ImportError as error:
        raise CourseError(
            said(f"--hand-in needs Jupyter, and {error.name} is missing: pip install jupyterlab")
        ) from error
    notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    replies: dict[int, dict[str, Any]] = {}
    client = NotebookClient(
        notebook,
        timeout=seconds,
        interrupt_on_timeout=True,
        error_on_timeout={"ename": LATE, "evalue": too_late(seconds), "traceback": []},
        allow_errors=True,
        kernel_name="python3",  # this very Python, whatever the notebook was last opened with
        store_widget_state=False,
        record_timing=False,
        on_cell_executed=lambda cell, cell_index, execute_reply: replies.update({cell_index: execute_reply["content"]}),
        resources={"metadata": {"path": str(path.resolve().parent)}},
    )
    client.log.setLevel("CRITICAL")
    runs: list[Run] = []
    skipped, name = False, "the first cell"
    try:
        with client.setup_kernel(stderr=subprocess.DEVNULL):  # of the kernel's own warnings none is for a student
            for number, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                named, source = read_cell(json.loads(json.dumps(cell))), cell.source
                name = named.name or f"code cell {len(runs) + 1}"
                starts(name)
                cell.source, changed = without_installs(source)
                skipped |= changed
                client.execute_cell(cell, number)
                cell.source = source
                reply = replies.get(number, {})
                kind, says = str(reply.get("ename") or ""), str(reply.get("evalue") or "")
                if kind == LATE:
                    cell.outputs.append(nbformat.v4.new_output("error", ename=kind, evalue=says, traceback=[says]))
                runs.append(Run(named, name, kind, says))
    except NoSuchKernel as error:
        raise CourseError(said("--hand-in needs a kernel, and there is none here: pip install ipykernel")) from error
    except DeadKernelError as error:
        raise CourseError(
            said(f"Python ended while it ran {name}: exit(), or no memory left? Nothing was saved")
        ) from error
    write_atomically(path, nbformat.writes(notebook, indent=1, ensure_ascii=False) + "\n")
    found = summary(
        [read_cell(json.loads(json.dumps(cell))) for cell in notebook.cells],
        [(run.cell, run.kind, run.message) for run in runs if run.cell.tests],
        {run.cell.name: run.message for run in runs if run.cell.name and not run.cell.tests},
    )
    found.notes.extend(f"{run.name} stopped: {run.message}" for run in runs if run.kind and not run.cell.tests)
    found.notes.extend([LEFT_OUT] if skipped else [])
    found.notes.extend(not_handed_in(named_beside(path.resolve().parent, [run.cell.source for run in runs])))
    return found


class Run(NamedTuple):
    """How a code cell ended: the exception's type, "" if it ran to its end, and what that says."""

    cell: Cell
    name: str
    kind: str
    says: str

    @property
    def message(self) -> str:
        """As `vae-lab check` words it."""
        return self.says if self.kind in ("", LATE, "CheckFailed", "AssertionError") else f"{self.kind}: {self.says}"


def named_beside(folder: Path, sources: Iterable[str]) -> Iterator[str]:
    """The Python files of a folder that cells import, going by their text."""
    lines = [" ".join(found) for source in sources for found in IMPORTS.findall(source)]
    words = set(re.findall(r"\w+", " ".join(lines)))
    yield from (path.name for path in sorted(folder.glob("*.py")) if path.stem in words)


def receipt(path: Path, found: Overview, when: datetime) -> str:
    """What a student keeps: which file, when, its SHA-256, the points in view; also written beside the notebook."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    earned, total = found.points
    text = said(
        f"Upload this one file: {path.resolve()}\n"
        f"saved   {when:%Y-%m-%d %H:%M:%S %z}\n"
        f"points  {earned:g} of {total:g} in view; hidden tests and written answers are not counted here\n"
        f"sha256  {digest}\n"
    )
    write_atomically(path.with_suffix(".receipt.txt"), text)
    return text
