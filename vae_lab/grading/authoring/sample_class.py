"""A made-up class: right and wrong answers from the lab's bank, honest accidents, and a few who try to cheat.

The same lab and number give the same class. What each submission deserves is written down beside it.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vae_lab.grading.authoring.accidents import ACCIDENTS, endless
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.authoring.attacks import ATTACKS
from vae_lab.grading.authoring.bank import Answer, load_bank
from vae_lab.grading.authoring.made_up import MadeUp, code_cell
from vae_lab.grading.authoring.verify import test_cells
from vae_lab.grading.course import Course, CourseError, write_atomically
from vae_lab.grading.lab.cells import Notebook, grader, text, to_bytes
from vae_lab.grading.lab.release import release_notebook

KEY = ".sample-class"  # the folder under submitted/ that says which students were made up

FIRST = """Ana Bao Chloé Dmitri Emeka Fatima Grace Hiro Ines Jürgen Khadija Liam Mei Noah Olga Priya Quentin Rosa Sanjay
Thảo Uma Viktor Wanjiru Ximena Yusuf Zoë""".split()  # noqa: SIM905  (a list of names reads better as text)
LAST = """Alvarez Bauer Cohen Đặng Eriksen Fofanah García Haddad Ivanova Jensen Kim López Mwangi Nguyễn O'Neill Petrov
Qureshi Rossi Silva Tanaka Ueda Vargas Weber Xu Yılmaz Zhang""".split()  # noqa: SIM905
WORDS = (
    "It follows from the graph: what has nothing behind it has nothing to learn.",
    "Because the chain rule stops where no parameter is left.",
    "I would draw the arrows and look which of them lead back to a weight.",
    "",
)


class Maker:
    """Makes submissions of one lab."""

    def __init__(self, course: Course, lab: str) -> None:
        self.lab = lab
        try:
            self.source = course.source(lab).read_text(encoding="utf-8")
            self.bank = load_bank(course.bank(lab))
            self.empty: Notebook = json.loads(release_notebook(self.source, lab))
        except (ValueError, OSError) as error:
            raise CourseError(f"{lab}: {error}") from error
        self.tests = test_cells(self.empty)
        self.points = {
            grader(cell)["grade_id"]: float(grader(cell)["points"])
            for cell in self.empty["cells"]
            if grader(cell).get("grade")
        }

    def solved(self, cells: dict[str, str], number: int) -> Notebook:
        """A notebook with the given answers, the solution elsewhere, and a student's own words."""
        notebook = with_answers(self.source, self.lab, cells, hidden_tests=False)
        for cell in notebook["cells"]:
            about = grader(cell)
            if about.get("solution") and about.get("grade"):
                stub = next(text(c) for c in self.empty["cells"] if grader(c).get("grade_id") == about["grade_id"])
                words = WORDS[number % len(WORDS)]
                cell["source"] = stub.replace("YOUR ANSWER HERE", f"{words} ({number})") if words else stub
            elif about.get("solution"):
                cell["source"] = f"{text(cell).rstrip()}\n\n# attempt {number}"
        return notebook

    def everyone(self, n: int) -> Iterator[MadeUp]:
        """The first `n` submissions: of ten, four right, three wrong, two accidents, one hostile."""
        right = itertools.cycle([None, *spread(self.bank.right)])
        wrong = itertools.cycle(spread(self.bank.wrong))
        again = [accident for accident in ACCIDENTS.items() if accident[1] is not endless]  # one such is enough
        accidents = itertools.chain(ACCIDENTS.items(), itertools.cycle(again))
        hostile = itertools.cycle(ATTACKS.items())
        for number in range(n):
            place = "rwarwrhrwa"[number % 10]
            if place == "r":
                answer = next(right)
                name, cells = ("the solution", {}) if answer is None else (f"right: {answer.name}", dict(answer.cells))
                yield MadeUp(name, to_bytes(self.solved(cells, number)), frozenset())
            elif place == "w":
                mistakes = [next(wrong)]
                for mistake in itertools.islice(wrong, number % 4):  # some make more than one mistake
                    if not any(mistake.cells.keys() & other.cells.keys() for other in mistakes):
                        mistakes.append(mistake)
                cells = {name: source for mistake in mistakes for name, source in mistake.cells.items()}
                what = "wrong: " + "; ".join(mistake.name for mistake in mistakes)
                loses = frozenset(name for mistake in mistakes for name in mistake.loses)
                yield MadeUp(what, to_bytes(self.solved(cells, number)), loses)
            elif place == "a":
                what, change = next(accidents)
                yield change(self, f"accident: {what}", self.solved({}, number))
            else:
                what, code = next(hostile)
                yield self.attack(f"hostile: {what}", code)

    def attack(self, what: str, code: str) -> MadeUp:
        """Nothing solved, and code that would rather have the points some other way."""
        notebook: Notebook = json.loads(json.dumps(self.empty))
        for cell in notebook["cells"]:
            if grader(cell).get("grade") and cell["cell_type"] == "code":
                cell["metadata"]["tags"] = ["skip-execution"]
                cell["outputs"] = [
                    {
                        "output_type": "execute_result",
                        "execution_count": 1,
                        "metadata": {},
                        "data": {"text/plain": "20"},
                    }
                ]
        place = next(i for i, cell in enumerate(notebook["cells"]) if grader(cell).get("solution"))
        notebook["cells"].insert(place, code_cell(code, "extra"))
        return MadeUp(what, to_bytes(notebook), self.tests)


def spread(answers: Sequence[Answer]) -> list[Answer]:
    """The same answers in an order in which neighbours are far apart, so that a small class sees every task.

    Example:
        >>> spread(list("abcdefgh"))
        ['a', 'f', 'c', 'h', 'e', 'b', 'g', 'd']
    """
    return [answer for _, answer in sorted(enumerate(answers), key=lambda pair: pair[0] * 0.6180339887 % 1)]


def name_of(number: int) -> str:
    """A student's folder name, different for every number.

    Example:
        >>> name_of(0), name_of(27)
        ('ana.alvarez', 'bao.cohen')
    """
    first, last = FIRST[number % len(FIRST)], LAST[(number + number // len(FIRST)) % len(LAST)]
    again = number // (len(FIRST) * len(LAST))
    return f"{first}.{last}".lower() + (f".{again + 1}" if again else "")


def sample_class(course: Course, lab: str, n: int, submitted: Path) -> list[dict[str, Any]]:
    """Write `n` submissions under `submitted/`, and what they deserve to `submitted/.sample-class/<lab>.json`.

    Returns:
        for each student a dict with "student", "what", "score" and "cells" (which test cells it deserves to pass).

    Raises:
        CourseError: if the lab has no bank, or `submitted/` holds somebody who was not made up.
    """
    maker = Maker(course, lab)
    key = submitted / KEY / f"{lab}.json"
    made_up = {entry["student"] for path in (submitted / KEY).glob("*.json") for entry in json.loads(path.read_text())}
    there = {path.name for path in submitted.iterdir() if path.name != KEY} if submitted.is_dir() else set()
    if real := sorted(there - made_up):
        raise CourseError(f"{submitted} holds {real[0]!r}, who was not made up; choose another folder with --submitted")
    entries: list[dict[str, Any]] = []
    for number, made in enumerate(maker.everyone(n)):
        cells = {name: name not in made.loses for name in sorted(maker.tests)}
        score = sum(maker.points[name] for name, good in cells.items() if good)
        student = name_of(number)
        entries.append({"student": student, "what": made.what, "score": score, "cells": cells})
        folder = submitted / student / lab
        if folder.is_dir():
            shutil.rmtree(folder)
        write_atomically(folder / (made.file or f"{lab}.ipynb"), made.content)
    for student in made_up - {entry["student"] for entry in entries}:
        shutil.rmtree(submitted / student / lab, ignore_errors=True)
        if (submitted / student).is_dir() and not any((submitted / student).iterdir()):
            (submitted / student).rmdir()
    write_atomically(key, json.dumps(entries, indent=1, ensure_ascii=False) + "\n")
    return entries
