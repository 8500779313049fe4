"""The `vae-lab` command: reads arguments, calls one importable function, prints what came out of it.

Exit status: 0 when all is well, 1 when something needs a look, 2 for bad arguments, with one line on stderr.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from tqdm import tqdm


class Parser(argparse.ArgumentParser):
    """Argparse that answers bad arguments with one line instead of a page."""

    def error(self, message: str) -> NoReturn:
        """Print one line and end with status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def positive(kind: type[int] | type[float]) -> Callable[[str], float]:
    """An argument that must be a finite number above zero."""

    def convert(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not 0 < number < 1e6:
            raise argparse.ArgumentTypeError(f"{text} is out of range; give a number above 0 and below 1000000")
        return number

    return convert


def moment(text: str) -> datetime:
    """A date and time in this machine's time zone, unless it names another."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it like '2026-11-30 23:59'") from None


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Progress:
    """A bar on stderr with rate and time left, from the first thing to do on.

    Where nobody watches a terminal, it is written every ten seconds.
    """

    def __init__(self, what: str, unit: str) -> None:
        self.what, self.unit = what, unit
        self.bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *problem: object) -> None:
        if self.bar is not None:
            self.bar.close()

    def __call__(self, done: int, total: int) -> None:
        """So much of so much is done."""
        if self.bar is None and total:
            pause = 0.1 if sys.stderr.isatty() else 10.0
            self.bar = tqdm(total=total, desc=self.what, unit=self.unit, mininterval=pause, dynamic_ncols=True)
        if self.bar is not None:
            self.bar.update(done - self.bar.n)


def parser() -> Parser:
    """All commands and their options."""
    top = Parser(prog="vae-lab", description="Labs about z = mu + sigma * eps: release, verify, grade, report, check.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)

    def command(name: str, what: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")

    def workers(to: argparse.ArgumentParser) -> None:
        to.add_argument("--workers", type=positive(int), default=cores(), metavar="N", help="processes side by side")

    release = command("release", "make the students' labs in labs/ from solutions/")
    release.add_argument("labs", nargs="*", metavar="LAB", help="default: all labs")

    verify = command("verify", "hold each lab's tests against its bank of right and wrong answers")
    verify.add_argument("labs", nargs="*", metavar="LAB", help="default: all labs")
    workers(verify)

    sample = command("sample-class", "make up a class of submissions under submitted/")
    sample.add_argument("lab", metavar="LAB")
    sample.add_argument("-n", type=positive(int), default=20, metavar="N", help="how many students (default 20)")
    sample.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")

    grade = command("grade", "grade what is new or changed under submitted/; write gradebook, feedback and report")
    grade.add_argument("lab", metavar="LAB")
    grade.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")
    grade.add_argument("--timeout", type=positive(float), metavar="S", help="seconds that one submission may take")
    grade.add_argument(
        "--unsafe-no-sandbox",
        action="store_true",
        help="run students' code with YOUR rights: it can read your files, other submissions and the network; marks "
        "every result",
    )
    grade.add_argument("--json", type=Path, metavar="FILE", help="write one JSON object per submission, one a line")
    workers(grade)

    report = command("report", "write the class at a glance again: HTML, and CSV for Canvas and Moodle")
    report.add_argument("lab", metavar="LAB")
    for to in (grade, report):
        to.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where results go (default: here)")
        to.add_argument("--db", metavar="URL", help="gradebook as an SQLAlchemy URL (default: OUT/gradebook.db)")

    check = command("check", "run one notebook's visible tests on this machine, as a student does")
    check.add_argument("notebook", type=Path, metavar="NOTEBOOK")

    init = command("init-course", "start a course of your own in a folder: labs, solutions, settings, a class list")
    init.add_argument("folder", type=Path, metavar="DIR", help="what is there already stays as it is")
    init.add_argument("--source", type=Path, default=Path(), metavar="DIR", help="the course to start from (here)")

    collect = command("collect", "put what students handed in, from the zip of Moodle or Canvas, under submitted/")
    collect.add_argument("zip", type=Path, metavar="ZIP", help="all submissions of one assignment, as downloaded")
    collect.add_argument("lab", metavar="LAB")
    collect.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")
    collect.add_argument(
        "--students",
        type=Path,
        metavar="CSV",
        help="class list: id, first_name, last_name, email, lms_user_id; or Moodle's grading worksheet or Canvas's "
        "gradebook as they are",
    )
    collect.add_argument(
        "--due", type=moment, metavar="TIME", help="what Moodle received later is called late: '2026-11-30 23:59'"
    )

    back = command("send-back", "pack the feedback pages as the zip that Moodle takes back")
    back.add_argument("zip", type=Path, metavar="ZIP", help="the same zip of submissions that was collected")
    back.add_argument("lab", metavar="LAB")
    back.add_argument("--students", type=Path, metavar="CSV", help="the same class list as in collecting, if any")
    back.add_argument("--feedback", type=Path, default=Path("feedback"), metavar="DIR")
    back.add_argument("--to", type=Path, metavar="FILE", help="the zip to write (default: feedback/LAB.zip)")

    appeal = command("appeal", "show what the tests of a lab called in one submission, and what came back")
    appeal.add_argument("student", metavar="STUDENT")
    appeal.add_argument("lab", metavar="LAB")
    appeal.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")

    command("doctor", "say what is here and what is missing, for students, instructors and authors")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = parser().parse_args(arguments)
    name = f"vae-lab {options.command}"
    if options.command not in ("check", "doctor") and importlib.util.find_spec("nbgrader") is None:
        print(f"{name}: nbgrader is missing; install it with: pip install 'vae-lab[grade]'", file=sys.stderr)
        return 2
    from vae_lab.grading.course import CourseError

    try:
        return int(COMMANDS[options.command](options))
    except CourseError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output, e.g. `head`, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # a folder that cannot be written, a full disk
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: stopped; the same command goes on where it was", file=sys.stderr)
        return 130


def run_release(options: argparse.Namespace) -> int:
    """Release labs and say which changed."""
    from vae_lab.grading.course import Course, CourseError
    from vae_lab.grading.lab.release import release

    course = Course(Path())
    for lab in course.choose(options.labs):
        try:
            path, changed = release(course, lab)
        except ValueError as error:
            raise CourseError(error) from error
        print(f"{path}  {'written' if changed else 'unchanged'}")
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Verify labs; print what differs."""
    from vae_lab.grading.authoring.verify import ONE_PROCESS, SPLIT, verify
    from vae_lab.grading.course import Course
    from vae_lab.grading.sandbox.bubblewrap import sandbox_problem

    course = Course(Path())
    labs = course.choose(options.labs)
    problem = sandbox_problem()
    if problem:
        print(f"vae-lab verify: judging in one process only: {problem}", file=sys.stderr)
    ways = (ONE_PROCESS,) if problem else (ONE_PROCESS, SPLIT)
    with Progress("verify", " answers") as progress:
        found = verify(course, labs, workers=options.workers, ways=ways, progress=progress)
    for line in found:
        print(line)
    print(f"{', '.join(labs)}: {len(found) or 'no'} surprises" + ("" if found else ", judged " + " and ".join(ways)))
    return 1 if found else 0


def run_sample_class(options: argparse.Namespace) -> int:
    """Make up a class."""
    from vae_lab.grading.authoring.sample_class import sample_class
    from vae_lab.grading.course import Course

    course = Course(Path())
    course.choose([options.lab])
    made = sample_class(course, options.lab, options.n, options.submitted)
    print(f"{len(made)} made-up submissions of {options.lab} under {options.submitted}/")
    return 0


def run_grade(options: argparse.Namespace) -> int:
    """Grade a class; say what came out of it and where to look."""
    from vae_lab.grading.classroom.grade import grade_class, write_class_report
    from vae_lab.grading.classroom.room import Classroom
    from vae_lab.grading.course import Course, CourseError
    from vae_lab.grading.judge.engine import Limits
    from vae_lab.grading.pages.report import write_json
    from vae_lab.grading.sandbox.bubblewrap import sandbox_problem

    course = Course(Path())
    course.choose([options.lab])
    room = Classroom(course, options.lab, options.out, options.db)
    if options.json and not options.json.parent.is_dir():
        raise CourseError(f"--json {options.json}: there is no folder {options.json.parent}")
    if not options.unsafe_no_sandbox and (problem := sandbox_problem()):
        raise CourseError(f"students' code cannot be shut in here: {problem}")
    if options.unsafe_no_sandbox:
        print("vae-lab grade: NO SANDBOX: students' code runs with your rights", file=sys.stderr)
    limits = Limits() if options.timeout is None else Limits(submission_seconds=options.timeout)
    with Progress("grade", " submissions") as progress:
        tally = grade_class(
            room,
            options.submitted,
            workers=options.workers,
            limits=limits,
            sandbox="unsafe" if options.unsafe_no_sandbox else "required",
            progress=progress,
        )
    for note in tally.notes:
        print(f"note: {note}", file=sys.stderr)
    page = write_class_report(room)
    if options.json:
        write_json(tally.results, options.json)
    count = Counter(result.status for result in tally.results)
    kept = len(tally.results) - tally.graded
    print(
        f"{options.lab}: {len(tally.results)} submissions ({tally.graded} graded now, {kept} unchanged) in "
        f"{tally.seconds:.1f} s: {count['graded']} graded, {count['manual']} wait for a person, {count['error']} errors"
    )
    for result in tally.results:
        if result.status == "error":
            print(f"error: {result.student}: {result.reason}", file=sys.stderr)
    print(f"report: {page}")
    return 1 if count["error"] else 0


def run_report(options: argparse.Namespace) -> int:
    """Write the report again, with the marks given since."""
    from vae_lab.grading.classroom.grade import write_class_report
    from vae_lab.grading.classroom.room import Classroom
    from vae_lab.grading.course import Course

    course = Course(Path())
    course.choose([options.lab])
    print(f"report: {write_class_report(Classroom(course, options.lab, options.out, options.db))}")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Check one notebook as a student does; status 1 while something fails."""
    from vae_lab.grading.authoring.kernel import in_a_fork
    from vae_lab.grading.authoring.selfcheck import SelfCheck, check_file, read_lab
    from vae_lab.grading.course import CourseError

    def run() -> SelfCheck:
        with Progress("check", " cells") as progress:
            return check_file(options.notebook, progress)

    try:
        read_lab(options.notebook)
        found = in_a_fork(run, seconds=3600.0) if sys.platform == "linux" else run()
    except OSError as error:
        raise CourseError(f"{options.notebook}: {error.strerror or error}") from error
    except (ValueError, RuntimeError) as error:
        raise CourseError(f"{options.notebook}: {error}") from error
    print(found)
    return 0 if found.passed else 1


def run_init_course(options: argparse.Namespace) -> int:
    """Start a course and say what was written."""
    from vae_lab.grading.course import Course
    from vae_lab.grading.lms.init_course import init_course

    for path, written in init_course(options.folder, Course(options.source)):
        print(f"{path}  {'written' if written else 'there already, left as it is'}")
    print(f"Next: {options.folder / 'README.md'}")
    return 0


def run_collect(options: argparse.Namespace) -> int:
    """Collect a zip and say what became of each file."""
    from vae_lab.grading.course import Course
    from vae_lab.grading.lms.class_list import read_class_list
    from vae_lab.grading.lms.collect import collect, summary

    (lab,) = Course(Path()).choose([options.lab])
    students = read_class_list(options.students) if options.students else None
    result = collect(options.zip, lab, options.submitted, students, options.due)
    for line in summary(result):
        print(line)
    return 1 if result.look else 0


def run_send_back(options: argparse.Namespace) -> int:
    """Pack feedback for Moodle; say who is in it and who is not."""
    from vae_lab.grading.course import Course
    from vae_lab.grading.lms.class_list import read_class_list
    from vae_lab.grading.lms.send_back import send_back

    (lab,) = Course(Path()).choose([options.lab])
    students = read_class_list(options.students) if options.students else None
    target = options.to or options.feedback / f"{lab}.zip"
    result = send_back(options.zip, lab, options.feedback, target, students)
    for student in result.without:
        print(f"{student}: no feedback page yet")
    print(f"{target}: feedback for {len(result.students)} students")
    return 1 if result.without else 0


def run_appeal(options: argparse.Namespace) -> int:
    """Grade one submission again, watching."""
    from vae_lab.grading.classroom.appeal import appeal, lines
    from vae_lab.grading.classroom.submissions import find_students, read_submitted_file
    from vae_lab.grading.course import Course, CourseError
    from vae_lab.grading.lab.source import load_lab
    from vae_lab.grading.sandbox.bubblewrap import SandboxError

    course = Course(Path())
    (lab,) = course.choose([options.lab])
    if options.student not in find_students(options.submitted, lab).students:
        raise CourseError(f"{options.student!r} handed in no {lab} under {options.submitted}")
    handed_in = read_submitted_file(options.submitted, options.student, lab)
    if handed_in.content is None:
        raise CourseError(f"{options.student}: {handed_in.problem}")
    try:
        tried = appeal(load_lab(course.source(lab)), handed_in.content)
    except SandboxError as error:
        raise CourseError(error) from error
    for line in lines(tried):
        print(line)
    return 0


def run_doctor(options: argparse.Namespace) -> int:
    """Print what is here and what is missing."""
    from vae_lab.doctor import doctor

    return 0 if doctor() else 1


COMMANDS = {
    "release": run_release,
    "verify": run_verify,
    "sample-class": run_sample_class,
    "grade": run_grade,
    "report": run_report,
    "check": run_check,
    "init-course": run_init_course,
    "collect": run_collect,
    "send-back": run_send_back,
    "appeal": run_appeal,
    "doctor": run_doctor,
}


if __name__ == "__main__":
    sys.exit(main())
