"""How soon the first result is there, what a further worker costs, and what a class with endless code costs.

    python -m benchmarks.grading_start [--students 60] [--workers 2] [--skip endless] [--results FILE]

Times are printed beside `import torch` on the same machine at the same time; memory is what each process has of its
own and its share of the rest (PSS). In the class with endless code each tenth notebook loops in every function that is
asked for: by turns in circles, with a counter that nothing reads, and with one that the condition reads, which only the
limit of time can end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.grading import LAB, ROOT, descendants, make_class, proportional, show, tell
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.classroom.grade import grade_class
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import Course
from vae_lab.grading.judge.engine import WarmPair, _Server
from vae_lab.grading.lab.cells import to_bytes
from vae_lab.grading.lab.source import Lab, load_lab

COMMAND = "import sys, vae_lab_command; sys.exit(vae_lab_command.main())"
LOOPS = {
    "in circles": "while True:\n        pass",
    "with a counter": "n = 0\n    while True:\n        n += 1",
    "as long as a counter says": "n = 0\n    while n >= 0:\n        n += 1",
}
MOST = 4


def seconds_of(*command: str, cwd: Path = ROOT) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, cwd=cwd, capture_output=True)
    return time.perf_counter() - began


def first_result(folder: Path) -> tuple[float, float]:
    """Seconds of `import torch`, and of `vae-lab grade` for a class of one, start to end."""
    make_class(folder, 1)
    torch = seconds_of("-c", "import torch")
    return torch, seconds_of("-c", COMMAND, "grade", LAB, cwd=folder)


def memory(lab: Lab, most: int) -> list[float]:
    """Megabytes of the pair and all below it, with one worker connected, with two, ..."""
    pair = WarmPair(lab, "required")
    connections, found = [], []
    try:
        for _ in range(most):
            connections.append(_Server(pair.address))
            time.sleep(0.5)
            found.append(sum(proportional(pid) for pid in descendants(pair.process.pid)) / 1e6)
    finally:
        for connection in connections:
            with suppress(OSError):
                connection.close()
        pair.close()
    return found


def endless(lab: Lab, source: str, body: str) -> bytes:
    """A notebook in which every function that is asked for loops."""
    asked = [cell for cell in lab.cells if cell.role == "solution"]
    loops = {cell.grade_id: f"def {cell.grade_id}(*args, **kwargs):\n    {body}" for cell in asked}
    return to_bytes(with_answers(source, LAB, loops, hidden_tests=False))


def class_seconds(folder: Path, students: int, workers: int, bodies: list[str]) -> float:
    """Seconds for a class in which each tenth loops, in turn with each of the bodies; without bodies none does."""
    course = make_class(folder, students)
    lab, source = load_lab(course.source(LAB)), course.source(LAB).read_text()
    for number, path in enumerate(sorted((folder / "submitted").rglob("*.ipynb"))[::10]):
        if bodies:
            path.write_bytes(endless(lab, source, bodies[number % len(bodies)]))
    began = time.perf_counter()
    grade_class(Classroom(course, LAB, course.root), course.root / "submitted", workers=workers, progress=show)
    print()
    return time.perf_counter() - began


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--students", type=int, default=60)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--skip", nargs="*", default=[], choices=("start", "memory", "endless"))
    options.add_argument("--results", type=Path, help="where to write the table of the book's page")
    chosen = options.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    figures = {}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        if "start" not in chosen.skip:
            torch, first = first_result(Path(folder) / "one")
            figures["seconds for `import torch`"] = f"{torch:.1f}"
            figures["seconds for `vae-lab grade` with one new submission, start included"] = f"{first:.1f}"
        if "memory" not in chosen.skip:
            found = memory(load_lab(Course(ROOT).source(LAB)), MOST)
            figures["MB of all warm processes, one worker"] = f"{found[0]:.0f}"
            figures[f"MB of all warm processes, {MOST} workers"] = f"{found[-1]:.0f}"
        if "endless" not in chosen.skip:
            for name, bodies in (("", []), *((f", one in ten loops {name}", [body]) for name, body in LOOPS.items())):
                seconds = class_seconds(Path(folder) / (name or "none"), chosen.students, chosen.workers, bodies)
                figures[f"seconds for a class of {chosen.students}{name}"] = f"{seconds:.0f}"
    tell(figures, chosen.workers, chosen.results)


if __name__ == "__main__":
    main()
