"""The pages as they are written: their front matter, code cells and directives, without building anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADER = re.compile(r"\A---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """One code cell: its options and its code."""

    page: str
    options: dict
    code: str

    @property
    def lines(self) -> list[str]:
        return [line for line in self.code.splitlines() if line.strip()]


def toc_pages() -> list[Path]:
    """The pages that _toc.yml lists, in reading order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    names = [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]
    return [ROOT / f"{name}.md" for name in names]


def has_widgets(page: Path) -> bool:
    """Whether the page shows an interaction."""
    return bool(re.search(r"^widgets\.\w+\(", page.read_text(), re.MULTILINE))


def cells(page: Path) -> list[Cell]:
    """The code cells of a page."""
    found = []
    for match in CELL.finditer(page.read_text()):
        body = match.group(1)
        header = HEADER.match(body)
        options = (yaml.safe_load(header.group(1)) or {}) if header else {}
        found.append(Cell(page.stem, options, body[header.end() :] if header else body))
    return found
