"""What the author of a lab types: release, verify, sample-class."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from vae_lab.commands.arguments import Commands, positive, takes_workers
from vae_lab.commands.progress import Progress


def add(commands: Commands) -> None:
    """Add these commands to the command line."""
    release = commands.add("release", "make the students' labs in labs/ from solutions/", run_release)
    release.add_argument("labs", nargs="*", metavar="LAB", help="default: all labs")

    verify = commands.add("verify", "hold each lab's tests against its bank of right and wrong answers", run_verify)
    verify.add_argument("labs", nargs="*", metavar="LAB", help="default: all labs")
    takes_workers(verify)
    verify.add_argument(
        "--seeds", type=positive(int), default=1, metavar="N",
        help="run each test under N seeds, in one process: what it leaves to chance shows (default 1)",
    )  # fmt: skip

    sample = commands.add("sample-class", "make up a class of submissions under submitted/", run_sample_class)
    sample.add_argument("lab", metavar="LAB")
    sample.add_argument("-n", type=positive(int), default=20, metavar="N", help="how many students (default 20)")
    sample.add_argument("--submitted", type=Path, default=Path("submitted"), metavar="DIR")


def run_release(options: argparse.Namespace) -> int:
    """Release labs and say which changed."""
    from vae_lab.grading.course import Course, CourseError
    from vae_lab.grading.lab.release import release
    from vae_lab.grading.lab.translation import translated_into
    from vae_lab.language import SOURCE

    course = Course(Path())
    labs = course.choose(options.labs)
    for lab, language in [(name, one) for name in labs for one in (SOURCE, *translated_into(name))]:
        try:
            path, changed = release(course, lab, language)
        except ValueError as error:
            raise CourseError(error) from error
        print(f"{path}  {'written' if changed else 'unchanged'}")
    return 0


def run_verify(options: argparse.Namespace) -> int:
    """Verify labs; print what differs."""
    from vae_lab.grading.authoring.verify import NOTE, ONE_PROCESS, SPLIT, verify
    from vae_lab.grading.course import Course
    from vae_lab.grading.sandbox.bubblewrap import sandbox_problem

    course = Course(Path())
    labs = course.choose(options.labs)
    problem = sandbox_problem() if options.seeds == 1 else ""
    if problem:
        print(f"vae-lab verify: judging in one process only: {problem}", file=sys.stderr)
    ways = (ONE_PROCESS,) if problem or options.seeds > 1 else (ONE_PROCESS, SPLIT)
    with Progress("verify", " answers") as progress:
        found = verify(course, labs, workers=options.workers, ways=ways, seeds=options.seeds, progress=progress)
    for line in found:
        print(line)
    surprises = [line for line in found if not line.startswith(NOTE)]
    times = f" under {options.seeds} seeds" if options.seeds > 1 else ""
    end = "" if surprises else ", judged " + " and ".join(ways) + times
    print(f"{', '.join(labs)}: {len(surprises) or 'no'} surprises{end}")
    return 1 if surprises else 0


def run_sample_class(options: argparse.Namespace) -> int:
    """Make up a class."""
    from vae_lab.grading.authoring.sample_class import sample_class
    from vae_lab.grading.course import Course

    course = Course(Path())
    course.choose([options.lab])
    made = sample_class(course, options.lab, options.n, options.submitted)
    print(f"{len(made)} made-up submissions of {options.lab} under {options.submitted}/")
    return 0
