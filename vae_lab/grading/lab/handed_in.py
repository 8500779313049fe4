"""A submitted notebook as read against its lab: what the engine runs and what every page shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vae_lab.grading.lab.matching import best, flags_on, match, unanswered
from vae_lab.grading.lab.notebook_file import NoNotebook, StudentCell, read_file
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.lab.spoken import language_of
from vae_lab.grading.lab.written import Answer, written
from vae_lab.language import SOURCE


@dataclass(frozen=True)
class HandedIn:
    """A submitted notebook as read against its lab.

    Args:
        cells: in order; the `grade_id` of each says which cell of the lab it is, "" for the student's own. Where
            several are the same cell of the lab, the one that holds the answer has it.
        numbers: for each cell the number of the lab's cell that it is, or is a copy of, or None.
        answers: what was given for each solution and written cell of the lab, by grade_id; none where there is nothing.
        flags: what a person should look at.
        problem: a line for the student if the file is no notebook; then there are no cells.
        python: the version of Python that the file says it was written with, or "".
        language: that the notebook is in.
    """

    cells: tuple[StudentCell, ...] = ()
    numbers: tuple[int | None, ...] = ()
    answers: dict[str, Answer] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    problem: str = ""
    python: str = ""
    language: str = SOURCE


def read_handed_in(lab: Lab, data: bytes | None) -> HandedIn:
    """Read the bytes of a submitted notebook. Never raises, whatever they are."""
    try:
        file = read_file(data)
    except NoNotebook as error:
        return HandedIn(problem=str(error), flags=("not a readable notebook",))
    cells = file.cells
    numbers = match(lab, cells)
    answers: dict[str, Answer] = {}
    shown: dict[int, str] = {}
    for number, wanted in enumerate(lab.cells):
        places = [place for place, found in enumerate(numbers) if found == number]
        place = best(wanted, cells, places) if places else None
        if place is not None:
            shown[place] = wanted.grade_id
        if wanted.role == "written":
            answer = written(lab, number, cells, numbers)
            if answer is not None:
                answers[wanted.grade_id] = answer
        elif wanted.role == "solution" and place is not None:
            source = cells[place].source
            answers[wanted.grade_id] = Answer(source, unanswered(wanted, source), outputs=cells[place].outputs)
    flags = list(flags_on(lab, cells, numbers))
    flags += [f"written answer found in another cell: {name}" for name, answer in answers.items() if answer.outside]
    named = tuple(replace(cell, grade_id=shown.get(place, "")) for place, cell in enumerate(cells))
    return HandedIn(named, tuple(numbers), answers, tuple(flags), python=file.python, language=language_of(lab, file))
