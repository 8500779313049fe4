"""What a student's notebook shows a person: its cells in order, and which of them answer which cell of the lab.

For reading only. Which code is run, and what it earns, is the grading engine's business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vae_lab.grading.lab.cells import Notebook, grader
from vae_lab.grading.lab.release import ANCHOR

MOST_CELLS = 1000
LONGEST_CELL = 100_000  # characters
KINDS = ("code", "markdown", "raw")


@dataclass(frozen=True)
class StudentCell:
    """One cell as handed in; `grade_id` says which cell of the lab it is, or is "" for the student's own."""

    kind: str
    source: str
    grade_id: str = ""
    outputs: Any = None
    attachments: Any = None


def student_cells(content: bytes | None, lab: str, master: Notebook) -> list[StudentCell]:
    """The cells of a notebook, or an empty list if it cannot be read as one.

    A cell belongs to the lab's cell named by its nbgrader metadata, else by the anchor in its text, else by the
    function or class it defines. Where two claim the same, the last has it: it ran
    last, too.
    """
    try:
        cells = json.loads((content or b"").decode("utf-8-sig"))["cells"]
    except (ValueError, KeyError, TypeError, RecursionError, MemoryError):
        return []
    found = [piece for cell in (cells if isinstance(cells, list) else [])[:MOST_CELLS] if (piece := read(cell))]
    known = {grader(cell)["grade_id"]: cell["cell_type"] for cell in master["cells"] if grader(cell)}
    solutions = [grader(cell)["grade_id"] for cell in master["cells"] if grader(cell).get("solution")]
    taken: dict[str, int] = {}
    for claims in (by_metadata, by_anchor(lab), by_definition(solutions)):
        for index, (piece, cell) in reversed(list(enumerate(found))):
            for name in claims(piece, cell):
                if known.get(name) == piece.kind and name not in taken and index not in taken.values():
                    taken[name] = index
    names = {index: name for name, index in taken.items()}
    return [
        StudentCell(piece.kind, piece.source, names.get(index, ""), piece.outputs, piece.attachments)
        for index, (piece, _) in enumerate(found)
    ]


def read(cell: Any) -> tuple[StudentCell, Mapping[str, Any]] | None:
    """A cell if it is one."""
    if not isinstance(cell, Mapping) or cell.get("cell_type") not in KINDS:
        return None
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return None
    piece = StudentCell(
        cell["cell_type"], source[:LONGEST_CELL], outputs=cell.get("outputs"), attachments=cell.get("attachments")
    )
    return piece, cell


def by_metadata(piece: StudentCell, cell: Mapping[str, Any]) -> Iterable[str]:
    """The grade_id in the cell's metadata."""
    metadata = cell.get("metadata")
    about = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    name = about.get("grade_id") if isinstance(about, Mapping) else None
    return [name] if isinstance(name, str) else []


def by_anchor(lab: str) -> Any:
    """The grade_id in a comment of the cell's text."""

    def claims(piece: StudentCell, cell: Mapping[str, Any]) -> Iterable[str]:
        return [match["grade_id"] for match in ANCHOR.finditer(piece.source[:2000]) if match["lab"] == lab][:1]

    return claims


def by_definition(solutions: list[str]) -> Any:
    """The solution whose function or class the cell defines."""

    def claims(piece: StudentCell, cell: Mapping[str, Any]) -> Iterable[str]:
        if piece.kind != "code":
            return []
        defined = set(re.findall(r"^(?:def|class|async def) +(\w+)", piece.source, re.MULTILINE))
        return [name for name in solutions if name in defined]

    return claims
