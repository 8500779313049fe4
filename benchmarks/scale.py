"""How large a class may be: what one scheduler carries, what a job weighs, what one writer and one report can take.

    python -m benchmarks.scale [--jobs 2000] [--workers 4] [--records 100000] [--results benchmarks/results/scale.md]

Jobs only wait and records are made up, so that nothing is measured but what lies between the machines that grade. Rows
of the gradebook are filled in by plain SQL up to a size, and at each size some are written as grading writes them.
Seconds are those that one core works, unless a line says otherwise: they do not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import datetime
import json
import pickle
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa

from benchmarks.grading import LAB, make_class
from benchmarks.training.machine import processor
from vae_lab.grading.classroom.class_report import class_report
from vae_lab.grading.classroom.grade import grade_class
from vae_lab.grading.classroom.gradebook import LabGradebook
from vae_lab.grading.classroom.job import Job
from vae_lab.grading.classroom.needed import needed_by
from vae_lab.grading.classroom.packets import JobPacket, LabFile, pack_job, result_to_json
from vae_lab.grading.classroom.records import Record, Records
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.course import Course
from vae_lab.grading.executors.clusters import Cluster
from vae_lab.grading.executors.dask import Dask
from vae_lab.grading.limits import Limits
from vae_lab.grading.marks import GradebookEntry
from vae_lab.grading.pages.report import write_report
from vae_lab.grading.results import CellResult, SubmissionResult

T = TypeVar("T")
WAITS = (0.0, 0.1)  # seconds that a job waits
SIZES = (0, 1_000, 10_000, 100_000)  # submissions in the gradebook when some more are written
MORE = 500  # how many are


class Waiting:
    """Jobs of a submission's size that wait, and are answered with a result's size."""

    @staticmethod
    def greet(packet: bytes) -> bytes:
        return packet

    @staticmethod
    def work(packet: bytes) -> bytes:
        time.sleep(float(packet[:8]))
        return packet[:4000]

    def pack_shared(self, shared: bytes) -> bytes:
        return shared

    def admit(self, packet: object) -> None:
        pass

    def pack(self, job: tuple[float, int]) -> bytes:
        return f"{job[0]:8.3f}".encode() + b"x" * job[1]

    def unpack(self, job: tuple[float, int], sent: bytes, packet: object) -> int:
        assert type(packet) is bytes
        return len(packet)


def timed(action: Callable[[], T]) -> tuple[float, T]:
    """Seconds that this process has worked, all its threads together."""
    began = time.process_time()
    result = action()
    return time.process_time() - began, result


def through_a_scheduler(jobs: int, workers: int, size: int) -> Iterator[tuple[str, str]]:
    """Jobs a second through one scheduler, with TLS, all of it on this machine."""
    place: Dask[bytes, tuple[float, int], int] = Dask(Cluster(workers=workers), Waiting())
    began = time.perf_counter()
    place.start(b"lab")
    yield (
        f"seconds by the clock until `--cluster local:{workers}` has its first worker",
        f"{time.perf_counter() - began:.1f}",
    )
    for wait in WAITS:
        count = jobs if wait == 0 else jobs // 4
        began = time.perf_counter()
        seconds, done = timed(lambda wait=wait, count=count: len(list(place.run([(wait, size)] * count, count))))
        assert done == count
        by_the_clock = time.perf_counter() - began
        yield f"ms of scheduler and client for a job that waits {wait:g} s", f"{1e3 * seconds / count:.1f}"
        yield f"jobs a second by the clock, each waiting {wait:g} s, {workers} workers", f"{count / by_the_clock:.0f}"
    place.stop()


def weights(course: Course) -> Iterator[tuple[str, str]]:
    """Bytes that travel."""
    room = Classroom(course, LAB, course.root)
    path = next((course.root / "submitted").rglob("*.ipynb"))
    content = path.read_bytes()
    absent = tuple(sorted(needed_by(content)))
    packet = pack_job(JobPacket("student", room.lab.digest, content, Limits(), "required", absent, "0" * 32))
    pickled = pickle.dumps(Job(room.lab, "student", content, Limits(), "required"))
    answer = json.dumps(result_to_json(made_up(room, 7)))
    yield "kB of a notebook", f"{len(content) / 1e3:.1f}"
    yield "kB of a job as it travels", f"{len(packet) / 1e3:.1f}"
    yield "kB of a job as it would be pickled, with its lab", f"{len(pickled) / 1e3:.1f}"
    yield "kB of the lab, once for each worker", f"{len(room.source.encode()) / 1e3:.1f}"
    yield "kB of an answer", f"{len(answer) / 1e3:.1f}"


class AtOnce:
    """A place that answers at once with something made up."""

    def __init__(self, room: Classroom) -> None:
        self.room = room

    def start(self, shared: LabFile) -> None:
        pass

    def run(self, jobs: Iterable[Job], expected: int) -> Iterator[tuple[Job, SubmissionResult | Exception]]:
        for number, job in enumerate(jobs):
            yield job, replace(made_up(self.room, number), student=job.student)

    def cancel(self) -> None:
        pass

    def stop(self) -> None:
        pass


def writing(folder: Path, students: int) -> Iterator[tuple[str, str]]:
    """What the one writer does for a submission: record, gradebook, graded notebook, feedback page."""
    course = make_class(folder, students)
    room = Classroom(course, LAB, course.root)
    with room.book():
        pass  # nbgrader is loaded and the gradebook made
    seconds, _ = timed(lambda: grade_class(room, course.root / "submitted", place=AtOnce(room)))
    yield (
        "ms of the writer for a submission: record, gradebook, graded notebook, feedback",
        f"{1e3 * seconds / students:.0f}",
    )


def made_up(room: Classroom, number: int) -> SubmissionResult:
    """A result as long as real ones: every third test fails, with a message of some lines."""
    cells = {}
    for place, cell in enumerate(room.lab.graded):
        passed = None if cell.role == "written" else (number + place) % 3 > 0
        said = f"sigma looks like exp(logvar): {number}.\nLikely mistake: that is the variance.\n" + "Read next. " * 10
        cells[cell.grade_id] = CellResult(
            cell.points if passed else 0.0, cell.points, passed, said if passed is False else ""
        )
    used = {"cpu_seconds": 0.2, "memory_bytes": 5e7, "starts": 1}
    return SubmissionResult(f"s{number:07d}", LAB, "manual", cells, 0.2, resources=used)


def records(room: Classroom, count: int) -> Iterator[tuple[str, str]]:
    """Records: time to write and to read, and the memory of who holds them, in a process of its own."""
    kept = Records(room.records.folder)
    seconds, _ = timed(lambda: kept.write(Record(made_up(room, each), "0" * 64, "0" * 64) for each in range(count)))
    yield f"seconds to write {count:,} records", f"{seconds:.0f}"
    program = (
        "import sys, time, json; from pathlib import Path\n"
        "from vae_lab.grading.classroom.records import Records\n"
        "held = lambda: int(Path('/proc/self/status').read_text().split('VmRSS:')[1].split()[0]) / 1024\n"
        "before = held(); began = time.process_time()\n"
        "found = Records(Path(sys.argv[1])).read()\n"
        "print(json.dumps([time.process_time() - began, held() - before, len(found)]))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(kept.folder)], capture_output=True, text=True, check=True)
    seconds, megabytes, found = json.loads(done.stdout)
    assert found == count
    yield f"seconds to read {count:,} records", f"{seconds:.0f}"
    yield f"MB of the writer for {count:,} records", f"{megabytes:.0f}"
    yield "kB of it for each", f"{megabytes * 1024 / count:.1f}"


def fill(book: LabGradebook, first: int, last: int) -> None:
    """Rows of so many students, as nbgrader has them."""
    key = [uuid.uuid5(uuid.NAMESPACE_OID, str(number)).hex for number in range(first, last)]
    names = [f"s{number:07d}" for number in range(first, last)]
    with book.gradebook.engine.begin() as connection:

        def put(statement: str, rows: list[dict[str, object]]) -> None:
            connection.execute(sa.text(statement), rows)

        put("INSERT INTO student (id) VALUES (:s)", [{"s": name} for name in names])
        put(
            "INSERT INTO submitted_assignment (id, assignment_id, student_id) VALUES (:k, :a, :s)",
            [{"k": each, "a": book.assignment_id, "s": name} for each, name in zip(key, names, strict=True)],
        )
        put(
            "INSERT INTO submitted_notebook (id, assignment_id, notebook_id) VALUES (:k, :k, :n)",
            [{"k": each, "n": book.notebook_id} for each in key],
        )
        for cell in book.grade_cells.values():
            rows = [{"k": uuid.uuid4().hex, "n": each, "c": cell} for each in key]
            put("INSERT INTO grade (id, notebook_id, cell_id, needs_manual_grade) VALUES (:k, :n, :c, 0)", rows)
        for cell in book.solution_cells.values():
            rows = [{"k": uuid.uuid4().hex, "n": each, "c": cell} for each in key]
            put("INSERT INTO comment (id, notebook_id, cell_id) VALUES (:k, :n, :c)", rows)


def gradebook(room: Classroom, sizes: list[int]) -> Iterator[tuple[str, str]]:
    """What it costs to write one more submission, and to read all, at several sizes."""
    there = 0
    with room.book() as book:
        for size in sizes:
            if size > there:
                fill(book, there, size)
                there = size
            news = [GradebookEntry(made_up(room, 9_000_000 + each)) for each in range(MORE)]
            seconds, _ = timed(lambda news=news: [book.write(news[at : at + 50]) for at in range(0, MORE, 50)])
            yield f"ms to write a submission into a gradebook of {size:,}", f"{1e3 * seconds / MORE:.1f}"
            with book.gradebook.engine.begin() as connection:  # as it was
                gone = "SELECT id FROM submitted_assignment WHERE student_id >= 's9'"
                for table in ("grade", "comment"):
                    connection.execute(sa.text(f"DELETE FROM {table} WHERE notebook_id IN (SELECT id FROM "
                        f"submitted_notebook WHERE assignment_id IN ({gone}))"))  # fmt: skip
                connection.execute(sa.text(f"DELETE FROM submitted_notebook WHERE assignment_id IN ({gone})"))
                connection.execute(sa.text("DELETE FROM submitted_assignment WHERE student_id >= 's9'"))
                connection.execute(sa.text("DELETE FROM student WHERE id >= 's9'"))
        seconds, _ = timed(book.marks)
        yield f"seconds to read all marks of {there:,}", f"{seconds:.0f}"


def page(room: Classroom, count: int) -> Iterator[tuple[str, str]]:
    """The report of so many, and how long a browser takes to open it."""
    seconds, made = timed(lambda: class_report(room))
    writing, path = timed(lambda: write_report(made, room.out / "report"))
    yield f"seconds to make and write the report of {count:,}", f"{seconds + writing:.0f}"
    yield f"MB of its page for {count:,}", f"{path.stat().st_size / 1e6:.1f}"
    if (opened := in_a_browser(path)) is not None:
        yield f"seconds by the clock until a browser has opened it, {count:,}", f"{opened:.2f}"


def in_a_browser(path: Path) -> float | None:
    """Seconds from asking for a page to its rows being drawn, the second time; None without a browser."""
    from playwright.sync_api import sync_playwright

    from vae_lab.doctor import find_browser

    if (found := find_browser()) is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        tab = browser.new_page()
        for _ in range(2):
            began = time.perf_counter()
            tab.goto(path.as_uri())
            tab.wait_for_selector("#class tbody tr:nth-child(100)")
            seconds = time.perf_counter() - began
        browser.close()
    return seconds


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--jobs", type=int, default=2000)
    options.add_argument("--workers", type=int, default=4)
    options.add_argument("--records", type=int, default=100_000)
    options.add_argument("--parts", nargs="*", default=["wire", "class"], choices=["wire", "class"])
    options.add_argument("--results", type=Path, help="where to write the table of the book's page")
    chosen = options.parse_args()
    figures: list[tuple[str, str]] = []

    def note(found: Iterator[tuple[str, str]]) -> None:
        for what, figure in found:
            print(f"{what:<80}{figure:>10}", flush=True)
            figures.append((what, figure))

    with tempfile.TemporaryDirectory() as folder:
        course = make_class(Path(folder), 1)
        if "wire" in chosen.parts:
            note(weights(course))
            note(writing(Path(folder) / "written", 300))
            note(through_a_scheduler(chosen.jobs, chosen.workers, 29_000))
        for count in (chosen.records // 10, chosen.records) if "class" in chosen.parts else ():
            out = Path(folder) / f"of-{count}"
            room = Classroom(course, LAB, out)
            note(records(room, count))
            if count == chosen.records:
                note(gradebook(room, [size for size in SIZES if size <= count]))
            note(page(room, count))
    if chosen.results:
        rows = [f"| {what} | {figure} |" for what, figure in figures]
        about = f"Lab `{LAB}`, {processor()}, {datetime.date.today().isoformat()}; other programs ran beside."
        chosen.results.write_text("\n".join(["| | |", "|---|---:|", *rows, "", about, ""]))


if __name__ == "__main__":
    main()
