"""Reading a submitted notebook's file, believing nothing of it: any bytes give cells, or one line that says why not.

What Jupyter opens is read: nbformat 4 and 3, with or without a byte order mark, in UTF-8 or in the UTF-16 that
Windows' own tools write.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from vae_lab.grading.lab.source import text_of

MAX_BYTES = 32 << 20
MAX_CELLS = 2_000
MAX_SOURCE = 1 << 20
KINDS = ("code", "markdown", "raw")


class NoNotebook(Exception):
    """The bytes are no notebook; the text is a line for the student."""


@dataclass(frozen=True)
class StudentCell:
    """One cell as handed in; `grade_id` is what its own metadata claims, or "".

    `outputs` and `attachments` are whatever stood there: nothing is known of them.
    """

    kind: str
    source: str
    grade_id: str = ""
    outputs: Any = None
    attachments: Any = None

    @property
    def code(self) -> bool:
        """Whether Jupyter would run it."""
        return self.kind == "code"


class NotebookFile(NamedTuple):
    """The cells of a file, and what the file says of itself, or "": its version of Python, its language."""

    cells: list[StudentCell]
    python: str = ""
    language: str = ""


def read_file(data: bytes | None) -> NotebookFile:
    """Read the bytes of a submitted notebook.

    Raises:
        NoNotebook: if they are none, and nothing else.
    """
    if not isinstance(data, bytes) or not data.strip():
        raise NoNotebook("The submitted file is empty.")
    if len(data) > MAX_BYTES:
        raise NoNotebook(
            f"The submitted file has {len(data):,} bytes; a notebook may have {MAX_BYTES:,}. "
            "Clear its outputs and hand it in again."
        )
    try:
        notebook = json.loads(data.decode(json.detect_encoding(data), errors="strict"))
    except (ValueError, RecursionError, MemoryError):
        raise NoNotebook("The submitted file is not a notebook: it cannot be read as JSON.") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict) and isinstance(notebook.get("worksheets"), list):  # nbformat 3
        sheets = [sheet.get("cells") for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    if not isinstance(cells, list):
        raise NoNotebook("The submitted file is not a notebook: it has no list of cells.")
    if len(cells) > MAX_CELLS:
        raise NoNotebook(f"The submitted notebook has {len(cells):,} cells; at most {MAX_CELLS:,} are read.")
    return NotebookFile(
        [cell for cell in map(read_cell, cells) if cell is not None], python_of(notebook), language_in(notebook)
    )


def read_cell(raw: Any) -> StudentCell | None:
    """One cell, or None for something that is none: the rest of the notebook still counts."""
    if not isinstance(raw, dict):
        return None
    try:
        source = text_of(raw["source"] if "source" in raw else raw.get("input", ""))
    except TypeError:
        return None
    source = source.encode("utf-8", "replace").decode("utf-8")[:MAX_SOURCE]
    metadata = raw.get("metadata")
    info = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = info.get("grade_id") if isinstance(info, dict) else None
    kind = raw.get("cell_type")
    return StudentCell(
        kind if kind in KINDS else "markdown",  # nbformat 3 has headings
        source,
        grade_id if isinstance(grade_id, str) else "",
        raw.get("outputs"),
        raw.get("attachments"),
    )


def python_of(notebook: dict[str, Any]) -> str:
    """The version that a notebook's metadata names, e.g. "3.12.4", or ""."""
    metadata = notebook.get("metadata")
    language = metadata.get("language_info") if isinstance(metadata, dict) else None
    version = language.get("version") if isinstance(language, dict) else None
    return version[:20] if isinstance(version, str) else ""


def language_in(notebook: Any) -> str:
    """The language that a lab's file names, as it was released, or ""."""
    metadata = notebook.get("metadata") if isinstance(notebook, dict) else None
    own = metadata.get("vae_lab") if isinstance(metadata, dict) else None
    language = own.get("language") if isinstance(own, dict) else None
    return language if isinstance(language, str) and len(language) <= 8 else ""
