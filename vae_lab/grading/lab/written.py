"""Where a written answer stands: in its own cell, in new cells beside it, or anywhere else in the notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vae_lab.grading.lab.matching import unanswered
from vae_lab.grading.lab.notebook_file import StudentCell
from vae_lab.grading.lab.own_words import (
    as_text,
    comments,
    enough,
    is_broken,
    is_prose,
    lab_lines,
    own_lines,
    says_something,
)
from vae_lab.grading.lab.source import Lab


@dataclass(frozen=True)
class Answer:
    """What a student gave for one cell of the lab: the text for reading, with what was pasted into it.

    `outside` is True if a written answer was found only in cells other than its own.
    """

    text: str
    blank: bool
    outside: bool = False
    outputs: Any = None
    attachments: Any = None


def written(lab: Lab, number: int, cells: Sequence[StudentCell], matched: Sequence[int | None]) -> Answer | None:
    """A written answer, or None if the notebook has neither its cell nor any text of the student's own.

    New cells between the lab's neighbours of the cell belong to it. If there is nothing, then whatever else the student
    wrote: what it is worth is for a person to say, and it is never passed over.
    """
    wanted, known = lab.cells[number], lab_lines(lab)
    places = [place for place, found in enumerate(matched) if found == number]
    own = {place: as_text(cells[place]) for place in places if not unanswered(wanted, cells[place].source)}
    before = max((place for place, found in enumerate(matched) if found is not None and found < number), default=-1)
    after = [place for place, found in enumerate(matched) if found is not None and found > number and place > before]
    near = range(before + 1, min(after, default=len(cells)))
    texts = own | {place: text for place in near if matched[place] is None and (text := beside(cells[place], known))}
    if not texts:
        far = ((place, elsewhere(lab, cell, matched[place], known)) for place, cell in enumerate(cells))
        texts = {place: text for place, text in far if enough(text)}
    if not texts:
        return Answer("\n".join(as_text(cells[place]) for place in places), blank=True) if places else None
    pasted: dict[str, Any] = {}
    for place in sorted(texts):
        found = cells[place].attachments
        pasted |= found if isinstance(found, dict) else {}
    return Answer("\n\n".join(texts[place] for place in sorted(texts)), False, not own, attachments=pasted or None)


def beside(cell: StudentCell, known: frozenset[str]) -> str:
    """The student's own text in a new cell beside the question, or "": prose in a code cell counts, even broken."""
    if cell.code and not is_prose(cell.source) and not is_broken(cell.source):
        return ""
    text = own_lines(as_text(cell), known)
    return text if says_something(text) else ""


def elsewhere(lab: Lab, cell: StudentCell, number: int | None, known: frozenset[str]) -> str:
    """The student's own text in a cell far from the question, or "": also a comment in one of the lab's own cells."""
    if number is not None and lab.cells[number].role in ("solution", "written"):
        return ""
    if cell.code and not is_prose(cell.source):
        return own_lines(as_text(StudentCell("code", comments(cell.source))), known) if number is not None else ""
    text = own_lines(as_text(cell), known)
    return text if says_something(text) else ""
