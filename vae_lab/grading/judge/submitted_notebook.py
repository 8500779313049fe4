"""Reading a submitted notebook, believing nothing of it: any bytes give cells to run, or one line that says why not.

Cells are matched with the lab's by nbgrader's metadata, then by the anchor comment in their source, then by the name
they define, so that a round trip through Colab or an editor that drops metadata costs nobody points. The result is a
list of steps in the order in which Jupyter would run the notebook: the student's cells as they are, the instructor's
own cells and tests from the instructor's version.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from vae_lab.grading.lab.source import STUB, Lab, LabCell, anchor_of, text_of

MAX_BYTES = 32 << 20
MAX_CELLS = 2_000
MAX_SOURCE = 1 << 20

BINDS = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One cell to run.

    `kind` is "student" (their source), "setup" (the instructor's locked code, run on both sides), "given" (the
    instructor's code that a student may
    change: his version runs on the trusted side, theirs is a step of its own) or "tests" (trusted side only).

    `cell` is the lab's number of the cell, None for one that the student added.
    """

    kind: Literal["student", "setup", "given", "tests"]
    source: str
    cell: int | None


@dataclass(frozen=True)
class SubmittedNotebook:
    """What was read. `problem` is a line for the student if it is no notebook; then there are no steps."""

    steps: tuple[Step, ...] = ()
    written: dict[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class _Cell:
    code: bool
    source: str
    grade_id: str


def read_notebook(lab: Lab, data: bytes) -> SubmittedNotebook:
    """Read the bytes of a submitted notebook. Never raises, whatever they are."""
    try:
        cells = _cells(data)
    except _NoNotebook as error:
        return SubmittedNotebook(problem=str(error), flags=("not a readable notebook",))
    matched, flags = _match(lab, cells)
    written: dict[str, str] = {}
    for number, cell in zip(matched, cells, strict=True):
        if number is not None and lab.cells[number].role == "written":
            before = written.get(lab.cells[number].grade_id, "")
            written[lab.cells[number].grade_id] = f"{before}\n{cell.source}".strip("\n")
    steps = _steps(lab, cells, matched)
    return SubmittedNotebook(steps, written, tuple(flags))


def unanswered(cell: LabCell, answer: str) -> bool:
    """Whether a written answer is blank or still the text that was released."""
    return _bare(answer) in {"", _bare(STUB), _bare(cell.released), _bare(f"{cell.released}\n{STUB}")}


class _NoNotebook(Exception):
    pass


def _cells(data: bytes) -> list[_Cell]:
    if not isinstance(data, bytes) or not data.strip():
        raise _NoNotebook("The submitted file is empty.")
    if len(data) > MAX_BYTES:
        raise _NoNotebook(
            f"The submitted file has {len(data):,} bytes; a notebook may have {MAX_BYTES:,}. "
            "Clear its outputs and hand it in again."
        )
    try:
        notebook = json.loads(data.decode("utf-8-sig", errors="strict"))
    except (ValueError, RecursionError, MemoryError):
        raise _NoNotebook("The submitted file is not a notebook: it cannot be read as JSON.") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict) and isinstance(notebook.get("worksheets"), list):  # nbformat 3
        sheets = [sheet.get("cells") for sheet in notebook["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    if not isinstance(cells, list):
        raise _NoNotebook("The submitted file is not a notebook: it has no list of cells.")
    if len(cells) > MAX_CELLS:
        raise _NoNotebook(f"The submitted notebook has {len(cells):,} cells; at most {MAX_CELLS:,} are read.")
    return [cell for cell in map(_cell, cells) if cell is not None]


def _cell(raw: Any) -> _Cell | None:
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
    return _Cell(raw.get("cell_type") == "code", source, grade_id if isinstance(grade_id, str) else "")


def _bare(source: str) -> str:
    """A source without its anchor and whitespace, to compare with what was released."""
    lines = [line for line in source.splitlines() if anchor_of(line) is None]
    return "".join("".join(lines).split())


def _match(lab: Lab, cells: list[_Cell]) -> tuple[list[int | None], list[str]]:
    """For each submitted cell the number of the lab's cell that it is, and what a person should look at."""
    ids = {cell.grade_id: number for number, cell in enumerate(lab.cells) if cell.grade_id}
    by_text = {_bare(cell.released): number for number, cell in enumerate(lab.cells) if cell.locked and cell.code}
    matched: list[int | None] = []
    for cell in cells:
        anchor = anchor_of(cell.source)
        number = ids.get(cell.grade_id)
        if (
            anchor is not None
            and anchor[0] == lab.name
            and anchor[1] in ids
            and (number is None or cell.code != lab.cells[number].code)
        ):
            number = ids[anchor[1]]
        if number is None and cell.code:
            number = by_text.get(_bare(cell.source))
        matched.append(number)
    found = {number for number in matched if number is not None}
    flags: list[str] = []
    for number, wanted in enumerate(lab.cells):
        if wanted.role != "solution" or number in found or not wanted.code:
            continue
        for place in reversed(range(len(cells))):
            if matched[place] is None and cells[place].code and wanted.grade_id in _binds(cells[place].source):
                matched[place] = number
                break
    for number, wanted in enumerate(lab.cells):
        places = [place for place, match in enumerate(matched) if match == number]
        if not wanted.grade_id or wanted.role == "text":
            continue
        if not places:
            flags.append(f"cell missing: {wanted.grade_id}")
        if len(places) > 1:
            flags.append(f"cell duplicated: {wanted.grade_id}")
        if wanted.locked and any(_bare(cells[place].source) != _bare(wanted.released) for place in places):
            flags.append(f"locked cell edited: {wanted.grade_id}")
    return matched, flags


def _binds(source: str) -> set[str]:
    """The names that a student's cell appears to define; read without parsing it."""
    return {match.group(1) or match.group(2) for match in BINDS.finditer(source)}


def _steps(lab: Lab, cells: list[_Cell], matched: list[int | None]) -> tuple[Step, ...]:
    """The order in which to run: the submission's, with the instructor's cells put back where they are missing.

    A test runs where it stands in the submission, but not before the last copy of the solution cells that it follows
    in the lab.
    """
    last: dict[int, int] = {}
    first: dict[int, int] = {}
    for place, number in enumerate(matched):
        if number is not None:
            last[number] = place
            first.setdefault(number, place)

    def after(number: int) -> int:
        """The place behind everything that comes before this cell in the lab."""
        return max((place for other, place in last.items() if other < number), default=-1)

    keyed: list[tuple[tuple[float, int, int], Step]] = []
    for place, (number, cell) in enumerate(zip(matched, cells, strict=True)):
        role = None if number is None else lab.cells[number]
        if cell.code and (role is None or not role.locked):
            keyed.append(((place, 0, place), Step("student", cell.source, number)))
    for number, wanted in enumerate(lab.cells):
        if not wanted.code or wanted.role not in ("setup", "tests"):
            continue
        if wanted.role == "tests":
            place = max(last.get(number, after(number)), max((last.get(n, -1) for n in _task(lab, number)), default=-1))
            keyed.append(((place, 1, number), Step("tests", wanted.source, number)))
        else:
            place = first.get(number, after(number))
            keyed.append(((place, 1, number), Step("setup" if wanted.locked else "given", wanted.source, number)))
    return tuple(step for _, step in sorted(keyed, key=lambda pair: pair[0]))


def _task(lab: Lab, number: int) -> list[int]:
    """The solution cells that a test cell follows: the nearest run of them before it."""
    task: list[int] = []
    for earlier in reversed(range(number)):
        role = lab.cells[earlier].role
        if role == "solution":
            task.append(earlier)
        elif task and role in ("tests", "setup"):
            break
    return task
