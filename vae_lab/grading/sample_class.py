"""A made-up class: right and wrong answers from the lab's bank, honest accidents, and a few who try to cheat.

The same lab and number give the same class. What each submission deserves is written down beside it.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vae_lab.grading.answered import Notebook, answered, grader, text, to_bytes
from vae_lab.grading.bank import Answer, load_bank
from vae_lab.grading.course import Course, CourseError, write_atomically
from vae_lab.grading.release import release_notebook
from vae_lab.grading.verify import test_cells

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


@dataclass(frozen=True)
class MadeUp:
    """One made-up submission: what it is, the file's content, the test cells it deserves to lose, the file's name."""

    what: str
    content: bytes
    loses: frozenset[str]
    file: str = ""


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
        notebook = answered(self.source, self.lab, cells, hidden_tests=False)
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
        hostile = itertools.cycle(HOSTILE.items())
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


def code_cell(source: str, cell_id: str) -> dict[str, Any]:
    """A code cell that a student added."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def unharmed(change: Callable[[Notebook], None]) -> Callable[[Maker, str, Notebook], MadeUp]:
    """An accident that happens to a right answer and must not cost a point."""

    def made(maker: Maker, what: str, notebook: Notebook) -> MadeUp:
        change(notebook)
        return MadeUp(what, to_bytes(notebook), frozenset())

    return made


def from_colab(notebook: Notebook) -> None:
    """What a round trip through Colab leaves: no cell ids, ids of its own, outputs, a shorter kernelspec."""
    notebook["nbformat_minor"] = 0
    notebook["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for number, cell in enumerate(notebook["cells"]):
        cell.pop("id")
        cell["metadata"]["id"] = f"aB{number}xY"
        if cell["cell_type"] == "code":
            cell["metadata"]["outputId"] = f"0-{number}"
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["ran in Colab\n"]}]


def stripped(notebook: Notebook) -> None:
    """An editor or a colleague's tool that drops all metadata."""
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def doubled_test(notebook: Notebook) -> None:
    """Copy and paste of a test cell, metadata and all."""
    place = next(i for i, cell in enumerate(notebook["cells"]) if is_test(cell))
    notebook["cells"].insert(place + 1, {**notebook["cells"][place], "id": "pasted"})


def lost_test(notebook: Notebook) -> None:
    """A test cell deleted by a slip."""
    notebook["cells"].remove(next(cell for cell in notebook["cells"] if is_test(cell)))


def noisy(notebook: Notebook) -> None:
    """A warning on stderr and a progress bar in every answer."""
    for cell in notebook["cells"]:
        if grader(cell).get("solution") and cell["cell_type"] == "code":
            cell["source"] = f"{text(cell)}\nimport warnings\nwarnings.warn('mind the gap')\nprint('50%', end='\\r')"


def other_kernel(notebook: Notebook) -> None:
    """A kernel that only this student has."""
    notebook["metadata"]["kernelspec"] = {"name": "my-conda-env", "display_name": "my env", "language": "python"}


def extra_cells(notebook: Notebook) -> None:
    """Notes, an experiment that failed, and a shell command left in."""
    notebook["cells"].insert(0, code_cell("!echo hello\n%timeit -n1 -r1 1 + 1", "shell"))
    notebook["cells"].append(code_cell("1 / 0", "failed-experiment"))


def is_test(cell: dict[str, Any]) -> bool:
    """Whether nbgrader grades the cell by running it."""
    return bool(grader(cell).get("grade")) and not grader(cell).get("solution")


def endless(maker: Maker, what: str, notebook: Notebook) -> MadeUp:
    """A loop that never ends, after everything else."""
    notebook["cells"].append(code_cell("while True:\n    pass", "loop"))
    return MadeUp(what, to_bytes(notebook), frozenset())


def not_json(maker: Maker, what: str, notebook: Notebook) -> MadeUp:
    """Half of a file, as an upload that broke off leaves it."""
    content = to_bytes(notebook)
    return MadeUp(what, content[: len(content) // 2], maker.tests)


def copied(maker: Maker, what: str, notebook: Notebook) -> MadeUp:
    """Letter by letter what the first student handed in."""
    return MadeUp(what, to_bytes(maker.solved({}, 0)), frozenset())


def other_name(maker: Maker, what: str, notebook: Notebook) -> MadeUp:
    """The name that a browser gives to a second download."""
    return MadeUp(what, to_bytes(notebook), maker.tests, file=f"{maker.lab} (1).ipynb")


ACCIDENTS: dict[str, Callable[[Maker, str, Notebook], MadeUp]] = {
    "round trip through Colab": unharmed(from_colab),
    "metadata stripped": unharmed(stripped),
    "copied from a friend": copied,
    "test cell doubled": unharmed(doubled_test),
    "not JSON, upload broke off": not_json,
    "warning on stderr, progress bar": unharmed(noisy),
    "test cell deleted": unharmed(lost_test),
    "handed in under another name": other_name,
    "cells added, one of them fails": unharmed(extra_cells),
    "kernel renamed": unharmed(other_kernel),
    "endless loop at the end": endless,
}

HOSTILE = {
    "ends its process with success": "import os\nos._exit(0)",
    "makes every comparison true": "import torch\ntorch.allclose = lambda *a, **k: True\ntorch.equal = torch.allclose\n"
    "torch.Tensor.__eq__ = lambda *a: torch.tensor(True)\ntorch.Tensor.__bool__ = lambda s: True",
    "looks for the solutions and the gradebook": "import glob, os\nfor place in ('/', '/home', '/root', '..'):\n"
    "    for name in glob.glob(place + '/*/*/*.ipynb') + glob.glob(place + '/*.db'):\n"
    "        print(open(name, errors='replace').read()[:100])\nprint(os.environ, open('/etc/passwd').read())",
    "walks the stack for the judge": "import gc, sys\nfor thing in gc.get_objects():\n"
    "    if type(thing).__name__ in ('CellResult', 'Verdict'):\n        object.__setattr__(thing, 'points', 99.0)\n"
    "frame = sys._getframe()\nwhile frame:\n    frame.f_globals['passed'] = True\n    frame = frame.f_back",
    "writes to whoever reads the feedback": "print('<script>alert(document.cookie)</script>')\n"
    "raise SystemExit('<img src=x onerror=alert(1)>')",
}


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
