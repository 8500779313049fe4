"""Which cell of the lab each cell of a submitted notebook is: the one matcher of the engine and of all pages.

Cells are known by nbgrader's metadata, then by the anchor comment in their source, then by their text if it is the
lab's own, then by the name that they define, so that a round trip through Colab or an editor that drops metadata costs
nobody points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vae_lab.grading.lab.notebook_file import StudentCell
from vae_lab.grading.lab.source import STUB, Lab, LabCell, anchor_of

CODE_STUB = ("# YOUR CODE HERE", "raise NotImplementedError()")  # what nbgrader puts where a solution was
BINDS = re.compile(
    r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)"
    r"|^from[ \t]+[\w.]+[ \t]+import[ \t]+(?:[^\n]*[\s,])?(\w+)[ \t]*$",
    re.MULTILINE,
)


def bare(source: str) -> str:
    """A source without its anchor and whitespace, to compare with what was released."""
    lines = [line for line in source.splitlines() if anchor_of(line) is None]
    return "".join("".join(lines).split())


def is_as_released(cell: LabCell, source: str) -> bool:
    """Whether a cell's text is the lab's own, in any of its languages."""
    return bare(source) in map(bare, cell.as_released)


def unanswered(cell: LabCell, answer: str) -> bool:
    """Whether an answer is blank or still the text that was released."""
    given = bare(answer)
    for stub in CODE_STUB if cell.role == "solution" else (STUB,):
        given = given.replace(bare(stub), "")
    return given == "" or is_as_released(cell, given)


def binds(source: str) -> set[str]:
    r"""The names that a student's cell appears to define; read without parsing it.

    >>> sorted(binds("def f(): pass\ng = lambda x: x\nfrom answers import h"))
    ['f', 'g', 'h']
    """
    return {name for found in BINDS.finditer(source) for name in found.groups() if name}


def match(lab: Lab, cells: Sequence[StudentCell]) -> list[int | None]:
    """For each submitted cell the number of the lab's cell that it is, or None."""
    ids = {cell.grade_id: number for number, cell in enumerate(lab.cells) if cell.grade_id}
    by_text = {
        (cell.code, bare(text)): number
        for number, cell in enumerate(lab.cells)
        for text in cell.as_released
        if bare(text) and (cell.locked or cell.role == "text")
    }
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
        matched.append(by_text.get((cell.code, bare(cell.source))) if number is None else number)
    for number, wanted in enumerate(lab.cells):
        if wanted.role == "solution" and wanted.code:
            place = defined_elsewhere(wanted, cells, matched, number)
            if place is not None:
                matched[place] = number
    return matched


def defined_elsewhere(
    wanted: LabCell, cells: Sequence[StudentCell], matched: Sequence[int | None], number: int
) -> int | None:
    """Where an answer stands if its own cell is lost or as it was released: the last other cell that defines it."""
    if any(found == number and not unanswered(wanted, cells[place].source) for place, found in enumerate(matched)):
        return None
    for place in reversed(range(len(cells))):
        if matched[place] is None and cells[place].code and wanted.grade_id in binds(cells[place].source):
            return place
    return None


def best(wanted: LabCell, cells: Sequence[StudentCell], places: Sequence[int]) -> int:
    """Of several copies of a cell the one that counts: the last, and of solutions the last that was answered."""
    given = [place for place in places if cells[place].code == wanted.code] or list(places)
    if wanted.role in ("solution", "written"):
        given = [place for place in given if not unanswered(wanted, cells[place].source)] or given
    return given[-1]


def flags_on(lab: Lab, cells: Sequence[StudentCell], matched: Sequence[int | None]) -> Iterator[str]:
    """What a person should look at: cells that are missing, doubled, edited, or not run."""
    for number, wanted in enumerate(lab.cells):
        places = [place for place, found in enumerate(matched) if found == number]
        if not wanted.grade_id or wanted.role == "text":
            continue
        if not places:
            yield f"cell missing: {wanted.grade_id}"
        if wanted.role == "solution" and wanted.code and places and not any(cells[place].code for place in places):
            yield f"not run, for it is no code cell: {wanted.grade_id}"
        if len([place for place in places if not copied_stub(wanted, cells[place], places)]) > 1:
            yield f"cell duplicated: {wanted.grade_id}"
        if wanted.locked and any(not is_as_released(wanted, cells[place].source) for place in places):
            yield f"locked cell edited: {wanted.grade_id}"


def copied_stub(wanted: LabCell, cell: StudentCell, places: Sequence[int]) -> bool:
    """Whether a cell is only the stub that was left beside the answer."""
    return len(places) > 1 and wanted.role in ("solution", "written") and unanswered(wanted, cell.source)
