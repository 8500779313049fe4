"""Hold a lab's tests against its bank: the solution, the empty release, every wrong and every right answer.

Each is judged twice, in one process as on a student's machine and split by the grader, and both must say the same.
In one process, notebooks that begin with the same cells run these once, and part by forks where they begin to differ.
There each test cell runs under a seed, so that `verify` says the same every time; under many seeds, it shows what a
test leaves to chance.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby
from typing import Any, NamedTuple

from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.authoring.bank import load_bank
from vae_lab.grading.authoring.run_notebook import CellRun, in_a_fork, run_cells
from vae_lab.grading.course import Course, CourseError
from vae_lab.grading.executors.local import pool, worthwhile
from vae_lab.grading.lab.cells import grader, text, to_bytes
from vae_lab.grading.lab.release import release_notebook
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.lab.translation import translated_into
from vae_lab.language.leftover import left_in_english

ONE_PROCESS, SPLIT = "in one process", "split by the grader"
NOTE = "note: "  # how a line begins that is no surprise: a message that stays English in a translated lab
SECONDS = 300.0  # for one answer, in one process: far more than a lab may take
SEED = "__import__('random').seed({0}), __import__('numpy').random.seed({0}), __import__('torch').manual_seed({0});"
TOGETHER = 6  # at most so many answers share their first cells: more would leave the other workers idle at the end


class Verdict(NamedTuple):
    """Whether a test cell passed, and what it said."""

    passed: bool
    message: str


@dataclass(frozen=True)
class Case:
    """One notebook to judge, the test cells it must lose, and what one of their messages must contain."""

    lab: str
    name: str
    loses: frozenset[str]
    says: str
    as_student: str  # the instructor's notebook with this answer, hidden tests included
    as_submission: bytes


def cases(course: Course, lab: str) -> list[Case]:
    """All that must hold of one lab.

    Raises:
        CourseError: if the lab has no bank of answers, or an answer names a cell that the lab does not have.
    """
    source = course.source(lab).read_text(encoding="utf-8")
    master = json.loads(source)
    tests = test_cells(master)
    try:
        bank = load_bank(course.bank(lab))
        everything: list[tuple[str, dict[str, str], frozenset[str], str]] = [("the solution", {}, frozenset(), "")]
        everything += [(f"right answer {a.name!r}", dict(a.cells), a.loses, a.says) for a in bank.right]
        everything += [(f"wrong answer {a.name!r}", dict(a.cells), a.loses, a.says) for a in bank.wrong]
        found = []
        for name, cells, loses, says in everything:
            if unknown := sorted(loses - tests):
                raise ValueError(f"{name} loses {unknown[0]!r}, which is no test cell of {lab}")
            student = json.dumps(with_answers(source, lab, cells, hidden_tests=True))
            submission = to_bytes(with_answers(source, lab, cells, hidden_tests=False))
            found.append(Case(lab, name, loses, says, student, submission))
        empty = release_notebook(source, lab)
        stubs = {
            grader(cell)["grade_id"]: text(cell) for cell in json.loads(empty)["cells"] if grader(cell).get("solution")
        }
        student = json.dumps(with_answers(source, lab, stubs, hidden_tests=True))
        found.insert(1, Case(lab, "the released lab", frozenset(tests), "", student, empty.encode()))
    except (ValueError, OSError) as error:
        raise CourseError(f"{lab}: {error}") from error
    return found


def test_cells(notebook: Mapping[str, list[dict[str, object]]]) -> frozenset[str]:
    """The grade_ids of the automatically graded cells."""
    graders = [grader(cell) for cell in notebook["cells"]]
    return frozenset(g["grade_id"] for g in graders if g.get("grade") and not g.get("solution"))


def code(notebook: str) -> list[dict[str, Any]]:
    """The code cells of a notebook."""
    return [cell for cell in json.loads(notebook)["cells"] if cell["cell_type"] == "code"]


def shared_cells(notebooks: Sequence[list[str]]) -> int:
    """How many first cells all notebooks have in common, the last cell of each left out.

    >>> shared_cells([["a", "b", "c"], ["a", "b", "d"]]), shared_cells([["a", "b"]])
    (2, 1)
    """
    shortest = min(len(notebook) for notebook in notebooks) - 1
    return next((n for n in range(shortest) if len({notebook[n] for notebook in notebooks}) > 1), max(0, shortest))


def run_branches(notebooks: Sequence[list[str]], seeds: int = 1) -> list[list[CellRun] | str]:
    """Run what the notebooks begin with, then the rest of each in a fork of its own.

    Returns:
        for each notebook how its cells ended, or what ended its process; nothing at all if there is a GPU: CUDA does
        not work in the fork of a process that has looked for one.
    """
    same = shared_cells(notebooks)
    begin = run_cells(notebooks[0][:same])
    if sees_a_gpu():
        return []
    ends = (run_alone(rest[same:], seeds) for rest in notebooks)
    return [end if isinstance(end, str) else begin + end for end in ends]


def run_alone(cells: Sequence[str], seeds: int = 1) -> list[CellRun] | str:
    """Run cells in a fork of this process; how each ended, or what ended the fork."""
    try:
        ends: list[CellRun] = in_a_fork(run_cells, cells, seconds=SECONDS * seeds)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ends


def sees_a_gpu() -> bool:
    """Whether torch finds a GPU here. From then on, none of this process's forks can use it."""
    import torch

    return torch.cuda.is_available()


def under_seeds(notebook: str, seeds: int) -> list[tuple[str, tuple[int, str] | None]]:
    """What to run: each test cell after a seed, all of them again at the end for every further seed.

    Returns:
        the text of each cell and, for a test cell, its seed and grade_id.
    """
    first: list[tuple[str, tuple[int, str] | None]] = []
    again: list[tuple[str, tuple[int, str] | None]] = []
    for cell in code(notebook):
        if not grader(cell).get("grade"):
            first.append((text(cell), None))
            continue
        name = grader(cell)["grade_id"]
        first += [(SEED.format(0), None), (text(cell), (0, name))]
        for seed in range(1, seeds):
            again += [(SEED.format(seed), None), (text(cell), (seed, name))]
    return first + again


def judge_in_one_process(notebooks: Sequence[str], seeds: int = 1) -> list[list[dict[str, Verdict]] | str]:
    """Run notebooks from top to bottom as a student does, hidden tests included, in processes of their own.

    Args:
        notebooks: their texts; they should begin alike.
        seeds: under how many seeds each test cell runs.

    Returns:
        for each notebook its verdicts under each seed, or why there are none.
    """
    programs = [under_seeds(notebook, seeds) for notebook in notebooks]
    sources = [[source for source, _ in program] for program in programs]
    seconds = SECONDS * seeds * (1 + len(notebooks))
    ends = in_a_fork(run_branches, sources, seeds, seconds=seconds) or [run_alone(cells, seeds) for cells in sources]
    found: list[list[dict[str, Verdict]] | str] = []
    for program, end in zip(programs, ends, strict=True):
        if isinstance(end, str):
            found.append(end)
            continue
        runs: list[dict[str, Verdict]] = [{} for _ in range(seeds)]
        for (_, tested), outcome in zip(program, end, strict=True):
            if tested is not None:
                seed, name = tested
                runs[seed][name] = Verdict(outcome.passed, outcome.message)
        found.append(runs)
    return found


def judge_split(lab: Lab, case: Case) -> dict[str, Verdict]:
    """Give the notebook to the grader, as if it had been handed in."""
    from vae_lab.grading.judge.engine import grade_submission

    result = grade_submission(lab, "verify", case.as_submission)
    if result.status == "error":
        raise RuntimeError(result.reason)
    tests = {cell.grade_id for cell in lab.cells if cell.role == "tests"}
    return {name: Verdict(bool(cell.passed), cell.message) for name, cell in result.cells.items() if name in tests}


def differences(case: Case, way: str, runs: Sequence[Mapping[str, Verdict]]) -> Iterator[str]:
    """One line for everything that is not as it must be, with its share of the runs if there are several."""
    first: dict[str, str] = {}
    times: Counter[str] = Counter()
    for verdicts in runs:
        for line, seen in _differences(case, way, verdicts):
            first.setdefault(line, seen)
            times[line] += 1
    for line, seen in first.items():
        yield line + (f", under {times[line]} of {len(runs)} seeds" if len(runs) > 1 else "") + seen


def _differences(case: Case, way: str, verdicts: Mapping[str, Verdict]) -> Iterator[tuple[str, str]]:
    """What differs in one run, and what was said with it."""
    lost = {name for name, verdict in verdicts.items() if not verdict.passed}
    for name in sorted(lost - case.loses):
        yield f"{case.lab}: {case.name} loses {name}, {way}, and should not", f": {verdicts[name].message}"
    for name in sorted(case.loses - lost):
        yield f"{case.lab}: {case.name} keeps {name}, {way}, and should not", ""
    said = [verdicts[name].message for name in sorted(lost)]
    for language in translated_into(case.lab):
        for left in dict.fromkeys(piece for message in said for piece in left_in_english(message, language)):
            yield f"{NOTE}{case.lab}: {case.name}, {way}: no {language} words in the catalogue for {left!r}", ""
    if case.says and not any(case.says in message for message in said):
        yield f"{case.lab}: {case.name}, {way}: no message says {case.says!r}", f"; they say {said}"


def together(everything: Sequence[Case]) -> Iterator[list[Case]]:
    """Put cases together that begin to differ from the solution in the same cell, at most `TOGETHER` of them."""
    for _, of_lab in groupby(everything, key=lambda case: case.lab):
        sources = {case: [text(cell) for cell in code(case.as_student)] for case in of_lab}
        solution = next(iter(sources.values()))
        same = {case: shared_cells([source, solution]) for case, source in sources.items()}
        for _, alike in groupby(sorted(same, key=same.__getitem__), key=same.__getitem__):
            group = list(alike)
            yield from (group[start : start + TOGETHER] for start in range(0, len(group), TOGETHER))


def examine(group: Sequence[Case], source: bytes, ways: tuple[str, ...], seeds: int = 1) -> list[str]:
    """Judge cases in each way and list what differs from what must be; runs in a worker process."""
    lab = Lab.from_bytes(group[0].lab, source)
    for module in lab.students_imports:
        with suppress(Exception):
            import_module(module)
    found: list[str] = []
    for way in ways:
        ends: Sequence[list[dict[str, Verdict]] | str]
        if way == ONE_PROCESS:
            try:
                ends = judge_in_one_process([case.as_student for case in group], seeds)
            except Exception as error:
                ends = [f"{type(error).__name__}: {error}"] * len(group)
        else:
            ends = [try_split(lab, case) for case in group]
        for case, end in zip(group, ends, strict=True):
            if isinstance(end, str):
                found.append(f"{case.lab}: {case.name} cannot be judged {way}: {end}")
            else:
                found += differences(case, way, end)
    return found


def try_split(lab: Lab, case: Case) -> list[dict[str, Verdict]] | str:
    """The grader's verdicts, or why there are none: one run, for its seed follows from the submitted bytes."""
    try:
        return [judge_split(lab, case)]
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def verify(
    course: Course,
    labs: list[str],
    *,
    workers: int = 1,
    ways: tuple[str, ...] = (ONE_PROCESS, SPLIT),
    seeds: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Judge every case of the labs and return, sorted, what is not as it must be: an empty list is what one wants.

    Args:
        course: where the labs and their banks are.
        labs: names of the labs.
        workers: at most how many processes work side by side.
        ways: judge in one process, split by the grader, or (the default) both.
        seeds: under how many seeds each test runs in one process.
        progress: called with the number of cases done and of all.

    Raises:
        CourseError: if a lab has no bank, or the bank does not fit the lab.
    """
    everything = [case for lab in labs for case in cases(course, lab)]
    sources = {lab: course.source(lab).read_bytes() for lab in labs}
    found: list[str] = []
    with pool(worthwhile(workers, len(everything)), __name__) as executor:
        futures = {
            executor.submit(examine, group, sources[group[0].lab], ways, seeds): group for group in together(everything)
        }
        done = 0
        for future in as_completed(futures):
            found += future.result()
            done += len(futures[future])
            progress(done, len(everything))
    return sorted(found)
