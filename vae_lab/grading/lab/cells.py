"""A notebook file's cells as plain dictionaries: text, nbgrader's metadata, anchors and markers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Notebook = dict[str, Any]

STUB = "YOUR ANSWER HERE"
LEFTOVER = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
ANCHOR = re.compile(r"vae-lab: *(?P<lab>[\w-]+)/(?P<grade_id>[\w-]+)")


def text(cell: Mapping[str, Any]) -> str:
    """The source of a cell, which a file may hold as one string or as a list of lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def grader(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's nbgrader metadata, or an empty dict."""
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def with_anchor(source: str, lab: str, grade_id: str, cell_type: str) -> str:
    """Put the comment that names a graded cell on its first line, unless it is there already."""
    if ANCHOR.search(source):
        return source
    name = f"vae-lab: {lab}/{grade_id}"
    return (f"# {name}\n" if cell_type == "code" else f"<!-- {name} -->\n") + source


def without_markers(source: str) -> str:
    """A solution cell's text as a student would have typed it: no BEGIN and END lines."""
    return "\n".join(line for line in source.split("\n") if not LEFTOVER.search(line))


def to_bytes(notebook: Notebook) -> bytes:
    """A notebook as the bytes of a file."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
