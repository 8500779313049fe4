"""The hostile bank against stock `nbgrader autograde`: who earns points they do not deserve, and who stops the class.

    python -m benchmarks.hostile [--results benchmarks/results/hostile.md]

Only the cases that cannot exhaust the machine are tried, one after another, in a jail of bubblewrap (no network, own
processes, nothing writable but the class). Where a case ends the batch, it is taken out, and the batch goes on.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from nbgrader.api import Gradebook
from sqlalchemy.engine import URL

from tests.grading import tiny
from tests.hostile.bank import BANK, Hostile, build
from vae_lab.grading.classroom.gradebook import LabGradebook

# Of the kind "stop", those that take no memory, disk, processes or time without end.
TAME = (
    "os._exit in a cell",
    "no JSON",
    "an empty file",
    "a list instead of a notebook",
    "cells of the wrong type",
    "no cells",
    "lone surrogates",
    "a null byte",
    "duplicated grade_ids",
    "metadata of the wrong type",
    "builtins deleted",
    "sys.modules emptied",
)


OUTCOMES = ("earns undeserved points", "stops the class", "has no score", "scored as deserved")


def chosen() -> list[Hostile]:
    return [case for case in BANK if case.kind == "forge" or case.name in TAME]


def autograde(folder: Path, seconds: float) -> int:
    """Run stock nbgrader over the class in a jail; its exit status."""
    jail = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent", "--new-session"]
    jail += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/run"]
    jail += ["--bind", str(folder), str(folder), "--chdir", str(folder)]
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    environment = {**os.environ, "PATH": path, "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    command = [*jail, sys.executable, "-m", "nbgrader", "autograde", "tiny", "--ExecutePreprocessor.timeout=20"]
    with open(folder / "log", "ab") as log:
        return subprocess.run(command, env=environment, stdout=log, stderr=log, timeout=seconds, check=False).returncode


def hand_in(folder: Path, name: str, content: bytes) -> None:
    path = folder / "submitted" / name / "tiny" / "tiny.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def earned(folder: Path) -> dict[str, dict[str, float | None]]:
    """What stands in the gradebook, by student and cell."""
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        return {
            each.student.id: {grade.name: grade.auto_score for book in each.notebooks for grade in book.grades}
            for each in gradebook.assignment_submissions("tiny")
        }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--cases", type=int, default=10**6, help="try only the first few")
    options.add_argument("--seconds", type=float, default=3600.0)
    options.add_argument("--results", type=Path, help="where to write the table of the book's page")
    limits = options.parse_args()
    cases = {f"s{number:03}": case for number, case in enumerate(chosen()[: limits.cases])}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        cells = [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(tiny.cells())]
        source = tiny.notebook(cells).decode()
        (folder / "source" / "tiny").mkdir(parents=True)
        (folder / "source" / "tiny" / "tiny.ipynb").write_text(source)
        with LabGradebook(URL.create("sqlite", database=str(folder / "gradebook.db")), "tiny", source):
            pass
        for name, case in cases.items():
            hand_in(folder, name, build(case))
        hand_in(folder, "z-honest", tiny.submission())
        stopped: list[str] = []
        while autograde(folder, limits.seconds) and not (folder / "autograded" / "z-honest").exists():
            tried = {path.name for path in (folder / "autograded").glob("*")} | set(stopped)
            culprit = min(name for name in (*cases, "z-honest") if name not in tried and not failed(folder, name))
            print(f"  {cases[culprit].name!r} stops the class", flush=True)
            stopped.append(culprit)
            shutil.rmtree(folder / "submitted" / culprit)
        scores = earned(folder)
    outcome = {name: judge(case, scores.get(name, {}), name in stopped) for name, case in cases.items()}
    for name, said in outcome.items():
        print(f"{said:<28} {cases[name].kind:<6} {cases[name].name}")
    count = Counter(outcome.values())
    print(dict(count), "of", len(cases))
    if limits.results:
        limits.results.write_text(table([(cases[name], said) for name, said in outcome.items()]))


def table(outcome: list[tuple[Hostile, str]]) -> str:
    """The counts by what a case tries, and the names of the cases, in MyST."""
    count = Counter((case.kind, said) for case, said in outcome)
    lines = [f"| {' | '.join(['what it tries', 'submissions', *OUTCOMES])} |", "|---|" + "---:|" * (1 + len(OUTCOMES))]
    for kind, words in (("forge", "to get points for nothing"), ("stop", "to stop the class")):
        counts = [sum(case.kind == kind for case, _ in outcome), *(count[kind, said] for said in OUTCOMES)]
        lines.append(f"| {' | '.join([words, *map(str, counts)])} |")
    lines += ["", f"Stock `nbgrader autograde` {version('nbgrader')}, {datetime.date.today().isoformat()}.", ""]
    for said in OUTCOMES[:-1]:
        names = sorted(case.name for case, found in outcome if found == said)
        lines += [f":::{{dropdown}} Which ones: {said}", *(f"- {name}" for name in names), ":::", ""]
    return "\n".join(lines)


def failed(folder: Path, name: str) -> bool:
    """Whether nbgrader's log says that it gave up on this student alone."""
    return f"for student '{name}'" in (folder / "log").read_text(errors="replace")


def judge(case: Hostile, scores: dict[str, float | None], stopped: bool) -> str:
    """What stock nbgrader made of a case."""
    if stopped:
        return "stops the class"
    dishonest = {f"{name}_tests" for name in case.cells}  # what else such a case loses with us, its own doing broke
    undeserved = [name for name in case.loses & dishonest if scores.get(name)]
    if undeserved:
        return "earns undeserved points"
    return (
        "has no score" if not scores or any(scores.get(name) is None for name in tiny.POINTS) else "scored as deserved"
    )


if __name__ == "__main__":
    main()
