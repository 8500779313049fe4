"""What grading a class costs, side by side with stock `nbgrader autograde`, in one run on one class.

    python -m benchmarks.grading [--students 1000] [--stock 8] [--workers 2] [--results benchmarks/results/grading.md]

The class is honest: right and wrong answers from the bank of the lab `sampling`. Printed are the throughput of both,
the ratio, whether the grades are equal, what a submission costs beyond executing its own code, and the peak memory of
all processes together.
"""

from __future__ import annotations

import argparse
import datetime
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from nbgrader.api import Gradebook

from benchmarks.training.machine import processor
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.authoring.run_notebook import in_a_fork, run_cells
from vae_lab.grading.authoring.sample_class import Maker, name_of
from vae_lab.grading.classroom.grade import grade_class
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import Course
from vae_lab.grading.judge.engine import grade_submission
from vae_lab.grading.lab.cells import text, to_bytes
from vae_lab.grading.lab.source import load_lab

ROOT = Path(__file__).parents[1]
LAB = "sampling"


class Memory(threading.Thread):
    """Watches the memory of this process and all its descendants; shared pages count once."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.5):
            self.peak = max(self.peak, sum(proportional(pid) for pid in descendants(os.getpid())))


def descendants(pid: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found, waiting = set(), [pid]
    while waiting:
        found.add(current := waiting.pop())
        waiting += children.get(current, [])
    return found


def proportional(pid: int) -> int:
    """Bytes of a process, each shared page divided by the number of those who share it."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:")), 0)


def make_class(folder: Path, students: int) -> Course:
    """A course with an honest class."""
    course = Course(folder)
    shutil.copytree(ROOT / "solutions" / LAB, folder / "solutions" / LAB)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    honest = (
        made for made in Maker(Course(ROOT), LAB).everyone(100 * students) if made.what.startswith(("right", "wrong"))
    )
    for number in range(students):
        path = folder / "submitted" / name_of(number) / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(next(honest).content)
    return course


def ours(course: Course, workers: int) -> tuple[float, int]:
    """Seconds for the class from a cold start to the last row in the gradebook, and the peak memory."""
    memory = Memory()
    memory.start()
    began = time.perf_counter()
    grade_class(Classroom(course, LAB, course.root), course.root / "submitted", workers=workers, progress=show)
    seconds = time.perf_counter() - began
    memory.done.set()
    print()
    return seconds, memory.peak


def show(done: int, total: int) -> None:
    print(f"\r  graded {done} of {total}", end="", flush=True)


def stock(course: Course, folder: Path, students: int) -> tuple[float, dict[str, float]]:
    """Seconds that `nbgrader autograde` takes for the first few of the class, and their scores."""
    shutil.copytree(course.root / "solutions", folder / "solutions")
    shutil.copy(course.root / "nbgrader_config.py", folder)
    for student in sorted(os.listdir(course.root / "submitted"))[:students]:
        shutil.copytree(course.root / "submitted" / student, folder / "submitted" / student)
    with Classroom(Course(folder), LAB, folder).book():
        pass
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)])
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", LAB],
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - began, scores(folder)


def scores(folder: Path) -> dict[str, float]:
    with Gradebook(f"sqlite:///{folder}/gradebook.db") as gradebook:
        return {each.student.id: each.score for each in gradebook.assignment_submissions(LAB)}


def overhead(course: Course, count: int) -> list[float]:
    """For some submissions: seconds in the warm grader less the seconds that the same code takes in one process."""
    lab = load_lab(course.source(LAB))
    source = course.source(LAB).read_text()
    bank = Maker(Course(ROOT), LAB).bank
    found = []
    for answer in (*bank.right[:count], *bank.right[:count]):  # the first half warms up
        content = to_bytes(with_answers(source, LAB, dict(answer.cells), hidden_tests=False))
        began = time.perf_counter()
        grade_submission(lab, "x", content)
        graded = time.perf_counter() - began
        notebook = with_answers(source, LAB, dict(answer.cells), hidden_tests=True)
        cells = [text(cell) for cell in notebook["cells"] if cell["cell_type"] == "code"]
        found.append(graded - in_a_fork(timed, cells))
    return found[count:]


def timed(cells: list[str]) -> float:
    """Seconds to execute the cells, IPython's start not counted."""
    run_cells(["import torch", "torch.ones(2, requires_grad=True).sum().backward()"])
    began = time.perf_counter()
    run_cells(cells)
    return time.perf_counter() - began


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--students", type=int, default=1000)
    options.add_argument("--stock", type=int, default=8, help="how many of them stock nbgrader grades")
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--results", type=Path, help="where to write the table of the book's page")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        course = make_class(Path(one), chosen.students)
        print(f"Stock nbgrader, {chosen.stock} submissions")
        stock_seconds, stock_scores = stock(course, Path(two), chosen.stock)
        print(f"vae-lab grade, {chosen.students} submissions, {chosen.workers} workers")
        our_seconds, peak = ours(course, chosen.workers)
        again, _ = ours(course, chosen.workers)
        our_scores = scores(course.root)
        equal = sum(our_scores[student] == score for student, score in stock_scores.items())
        beyond = overhead(course, 12)
    per_stock, per_ours = stock_seconds / chosen.stock, our_seconds / chosen.students
    figures = {
        "stock `nbgrader autograde`, seconds for a submission": f"{per_stock:.2f}",
        "`vae-lab grade`, seconds for a submission, start included": f"{per_ours:.2f}",
        "ratio": f"{per_stock / per_ours:.1f}",
        "submissions that both grade, and equal scores among them": f"{len(stock_scores)}, {equal}",
        "seconds a submission costs beyond executing its own code, median": f"{statistics.median(beyond):.2f}",
        f"minutes for a class of {chosen.students:,}": f"{our_seconds / 60:.1f}",
        "seconds for the same command again, nothing changed": f"{again:.1f}",
        "peak memory of all processes, GB": f"{peak / 1e9:.1f}",
    }
    tell(figures, chosen.workers, chosen.results)


def tell(figures: Mapping[str, str], workers: int, results: Path | None) -> None:
    """Print figures, and write them as a table of the book's page."""
    for what, figure in figures.items():
        print(f"{what:<70}{figure:>10}")
    if results:
        rows = [f"| {what} | {figure} |" for what, figure in figures.items()]
        about = f"Lab `{LAB}`, {workers} workers, {processor()}, {datetime.date.today().isoformat()}."
        results.write_text("\n".join(["| | |", "|---|---:|", *rows, "", about, ""]))


if __name__ == "__main__":
    main()
