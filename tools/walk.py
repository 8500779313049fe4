"""Walk through the student's door: run every published notebook, top to bottom, with only what is published.

    python -m tools.walk _build/site --port 8000

serves the folder, so publish it with `--site http://localhost:8000`. Each notebook starts in a kernel of its own; its
first cell installs the course from the served wheel where it is missing. Labs are run with the answers of `solutions/`
filled in. Needs nbclient and ipykernel, which Colab has. Ends with status 1 if a cell fails, or if torch is not the one
that was there before.
"""

from __future__ import annotations

import argparse
import functools
import sys
import threading
import time
from datetime import datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[1]


class Quiet(SimpleHTTPRequestHandler):
    """A web server that does not report each request."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def serve(folder: Path, port: int) -> ThreadingHTTPServer:
    """Serve a folder on this machine alone, in the background."""
    server = ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def fill_in(lab: nbformat.NotebookNode, solved: nbformat.NotebookNode) -> None:
    """Put the instructor's answers into a released lab."""
    answers = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in solved.cells
        if cell.metadata.get("nbgrader", {}).get("solution")
    }
    for cell in lab.cells:
        about = cell.metadata.get("nbgrader", {})
        if about.get("solution"):
            cell.source = answers[about["grade_id"]]


def walk(site: Path, folder: Path, only: str = "**/*", timeout: float = 600) -> list[str]:
    """Run the notebooks of a published site.

    Args:
        site: the published folder.
        folder: where the kernels run.
        only: which of them, a pattern without the ending, e.g. "labs/*".
        timeout: seconds for one cell.

    Returns:
        one line for each notebook that failed.
    """
    failed = []
    for path in sorted((site / "notebooks").glob(f"{only}.ipynb")):
        name = path.relative_to(site).as_posix()
        notebook = nbformat.read(path, as_version=4)
        if path.parent.name == "labs":
            fill_in(notebook, nbformat.read(ROOT / "solutions" / path.stem / path.name, as_version=4))
        start = time.perf_counter()
        try:
            NotebookClient(notebook, timeout=timeout, kernel_name="python3", resources=at(folder)).execute()
            verdict = ""
        except CellExecutionError as error:
            verdict = f"FAILED  {error.ename}: {error.evalue}"
            failed.append(f"{name}  {verdict}")
        print(f"{name}  {time.perf_counter() - start:.1f} s  (install {install_seconds(notebook):.1f} s)  {verdict}")
    return failed


def install_seconds(notebook: nbformat.NotebookNode) -> float:
    """How long the first code cell took, which installs the course where it is missing."""
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    times = [
        datetime.fromisoformat(text.replace("Z", "+00:00")) for text in first.metadata.get("execution", {}).values()
    ]
    return (max(times) - min(times)).total_seconds() if times else 0.0


def at(folder: Path) -> dict[str, dict[str, str]]:
    """What tells nbclient where to run a kernel."""
    return {"metadata": {"path": str(folder)}}


def main() -> int:
    """Walk, and report."""
    parser = argparse.ArgumentParser(description="Run every published notebook with only what is published.")
    parser.add_argument("site", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--at", type=Path, default=Path("/tmp"), help="folder that the kernels run in")
    parser.add_argument("--only", default="**/*", metavar="PATTERN", help='which notebooks, e.g. "labs/*" (all)')
    options = parser.parse_args()
    torch_before = version("torch")
    server = serve(options.site, options.port)
    try:
        failed = walk(options.site, options.at, options.only)
    finally:
        server.shutdown()
    if version("torch") != torch_before:
        failed.append(f"torch was {torch_before} before and is {version('torch')} now")
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
