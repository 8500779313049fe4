"""Walk through the instructor's door: type every command of the page `instructors`, with a made-up class.

    python -m tools.walk_instructors /tmp/term

runs the page's ```bash blocks one after the other in a new folder. What a person does in between, this program does:
it fills in nothing but the LMS's downloads, reads a written answer in formgrader, and mends a test. A ```text block
after a command is what it must print, with `...` for what differs from day to day. Ends with status 1 if a command
fails or prints something else.
"""

from __future__ import annotations

import argparse
import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tools.jupyter_server import running
from vae_lab.grading.authoring.sample_class import Maker
from vae_lab.grading.course import Course
from vae_lab.grading.lab.cells import grader, text, to_bytes

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "book" / "instructors.md"
LAB = "sampling"
WORD = "Say which arrow leads back to a weight."
FENCED = re.compile(r"^```(?P<language>bash|text)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
TASK, WRITTEN = "std_from_logvar", "why_eps_needs_no_gradient"  # what a short copy of the lab keeps
NOON = (2026, 11, 30, 12, 0, 0)
MIDNIGHT = (2026, 12, 1, 0, 30, 0)


class Step(NamedTuple):
    """A block of commands, and what the page says that it prints ("" if it says nothing)."""

    commands: str
    printed: str


def steps(page: str) -> list[Step]:
    r"""The page's blocks of commands in order.

    Example:
        >>> text = chr(96) * 3
        >>> steps(f"{text}bash\necho hello\n{text}\n\nIt says\n\n{text}text\nhel...\n{text}\n")
        [Step(commands='echo hello\n', printed='hel...\n')]
    """
    found: list[Step] = []
    for block in FENCED.finditer(page):
        if block["language"] == "bash":
            found.append(Step(block["body"], ""))
        elif found:
            found[-1] = found[-1]._replace(printed=block["body"])
    return found


def differs(step: Step, printed: str) -> str:
    """Say how a command's output differs from the page, or nothing if it does not."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    checker = doctest.OutputChecker()
    if not step.printed or checker.check_output(step.printed, printed, flags):
        return ""
    return f"the page says\n{step.printed}\nand it printed\n{printed}"


def copy_course(target: Path, whole: bool) -> None:
    """Copy what a course is started from; unless it is to be whole, with one task and the written question of the lab.

    Args:
        target: the copy's folder.
        whole: keep the lab as it is. A class takes about a minute longer then.
    """
    for name in ("solutions", "tests/misconceptions"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    shutil.copy(ROOT / "nbgrader_config.py", target)
    if whole:
        return
    course = Course(target)
    notebook = json.loads(course.source(LAB).read_text(encoding="utf-8"))
    kept = ("setup", TASK, f"{TASK}_tests", WRITTEN)
    notebook["cells"] = [cell for cell in notebook["cells"] if grader(cell).get("grade_id", "setup") in kept]
    course.source(LAB).write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    only = f"[one for one in {{}} if set(one.cells) == {{{{{TASK!r}}}}}]"
    with course.bank(LAB).open("a", encoding="utf-8") as bank:
        bank.write(f"\nRIGHT, WRONG = {only.format('RIGHT')}, {only.format('WRONG')}\n")


def hand_in(course: Path) -> None:
    """Put the LMS's downloads where the page finds them: Moodle's of one lab, Canvas's of another."""
    maker = Maker(Course(course), LAB)
    wrong = next(answer for answer in maker.bank.wrong if answer.name == "sigma is the variance")
    moodle = {
        "Ada Lovelace_101_assignsubmission_file_/sampling.ipynb": (to_bytes(maker.solved({}, 0)), NOON),
        "Alan Turing_102_assignsubmission_file_/Copy of sampling.ipynb": (
            to_bytes(maker.solved(dict(wrong.cells), 1)),
            NOON,
        ),
        "Grace Hopper_103_assignsubmission_file_/sampling.ipynb": (to_bytes(maker.solved({}, 2)), MIDNIGHT),
        "Emmy Noether_104_assignsubmission_file_/notes.pdf": (b"%PDF", NOON),
    }
    write_zip(course / "moodle.zip", moodle)
    elbo = to_bytes(Maker(Course(course), "elbo").solved({}, 0))
    canvas = {
        "lovelaceada_2001_77_elbo.ipynb": (elbo, NOON),
        "turingalan_LATE_2002_78_elbo-1.ipynb": (elbo, MIDNIGHT),
    }
    write_zip(course / "canvas.zip", canvas)


def write_zip(path: Path, files: dict[str, tuple[bytes, tuple[int, int, int, int, int, int]]]) -> None:
    """Write a zip whose members have the given times."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, (content, moment) in files.items():
            archive.writestr(zipfile.ZipInfo(name, moment), content)


def mend_a_test(course: Path) -> None:
    """Edit the lab's source as an instructor does, and keep little of the bank, which is long to verify."""
    path = course / "solutions" / LAB / f"{LAB}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cell = next(cell for cell in notebook["cells"] if grader(cell).get("grade_id") == f"{TASK}_tests")
    cell["source"] = text(cell) + f"\nassert {TASK}(torch.zeros(())).item() == 1.0, 'sigma of logvar 0 is 1'"
    path.write_text(json.dumps(notebook, indent=1), encoding="utf-8")
    with (course / "tests" / "misconceptions" / f"{LAB}.py").open("a", encoding="utf-8") as bank:
        bank.write("\nRIGHT, WRONG = RIGHT[:1], WRONG[:1]\n")


def read_answers(course: Path, environment: dict[str, str], command: str) -> str:
    """Do what a person does in formgrader: open it, give a mark and a word for each written answer, and close it.

    Returns:
        what was marked.
    """
    with running(shlex.split(command), course, environment) as server:
        api = f"{server}/formgrader/api"
        marked = []
        for notebook in ask(f"{api}/submitted_notebooks/{LAB}/{LAB}"):
            for grade in ask(f"{api}/grades?submission_id={notebook['id']}"):
                if grade["needs_manual_grade"]:
                    ask(f"{api}/grade/{grade['id']}", {"manual_score": 1.5, "extra_credit": 0})
                    marked.append(f"{notebook['student']}: {grade['name']}")
            for comment in ask(f"{api}/comments?submission_id={notebook['id']}"):
                ask(f"{api}/comment/{comment['id']}", {"manual_comment": WORD})
    return "\n".join(marked) + "\n"


def ask(url: str, put: dict[str, object] | None = None) -> Any:
    """Read from formgrader, or write to it."""
    data = None if put is None else json.dumps(put).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method="PUT" if put else "GET")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


# What a person does before the first block with this command.
IN_BETWEEN: dict[str, Callable[[Path], None]] = {"vae-lab collect": hand_in, "vae-lab verify": mend_a_test}


def walk(folder: Path, environment: dict[str, str], whole: bool = True) -> Iterator[tuple[Step, str, float, str]]:
    """Type the page's commands, one block after the other, beginning beside a copy of the course's repository.

    Args:
        folder: where the copy is put, and the course that is started.
        environment: `PATH` leads to vae-lab, nbgrader and jupyter.
        whole: with the lab as it is, or with one task of it.

    Yields:
        each step with what it printed, the seconds it took, and what is wrong with it, or "".
    """
    here = folder
    copy_course(folder / "vae-lab", whole)
    pending = dict(IN_BETWEEN)
    for step in steps(PAGE.read_text(encoding="utf-8")):
        for command in [command for command in pending if command in step.commands]:
            pending.pop(command)(here)
        start = time.perf_counter()
        if step.commands.startswith("jupyter lab"):
            printed, wrong = read_answers(here, environment, step.commands), ""
        else:
            printed, wrong, here = type_in(step, here, folder / "place", environment)
        yield step, printed, time.perf_counter() - start, wrong
        if wrong.startswith("status"):
            return


def type_in(step: Step, here: Path, place: Path, environment: dict[str, str]) -> tuple[str, str, Path]:
    """Run a block of commands in a folder.

    Returns:
        what it printed, what is wrong with that ("" if nothing), and the folder where it ended.
    """
    script = f"set -euo pipefail\n{step.commands}\npwd > '{place}'\n"
    command = ["bash", "-c", script]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        return done.stdout, f"status {done.returncode}\n{done.stdout}{done.stderr}", here
    return done.stdout, differs(step, done.stdout), Path(place.read_text().strip())


def environment_with(folder: Path) -> dict[str, str]:
    """An environment in which `vae-lab` is this checkout's, and the other tools are those beside this Python.

    Args:
        folder: where the program `vae-lab` is put.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shim = folder / "vae-lab"
    shim.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m vae_lab.cli "$@"\n')
    shim.chmod(0o755)
    path = os.pathsep.join([str(folder), os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "PYTHONWARNINGS": "ignore"}


def main() -> int:
    """Walk, and report."""
    parser = argparse.ArgumentParser(description="Type every command of the page for instructors.")
    parser.add_argument("folder", type=Path, help="a new folder")
    parser.add_argument("--installed", action="store_true", help="use the vae-lab that is on the PATH")
    parser.add_argument("--verbose", action="store_true", help="show what was printed")
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    failed = False
    environment = dict(os.environ) if options.installed else environment_with(options.folder / "bin")
    for step, printed, seconds, wrong in walk(options.folder, environment):
        print(f"{seconds:6.1f} s  {step.commands.splitlines()[0]}")
        if options.verbose or wrong:
            print(wrong or printed)
        failed = failed or bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
