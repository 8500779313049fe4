"""What a student types: `check` and `doctor`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from vae_lab.commands.arguments import Commands
from vae_lab.commands.progress import Progress


def add(commands: Commands) -> None:
    """Add these commands to the command line."""
    check = commands.add("check", "run one notebook's visible tests on this machine, as a student does", run_check)
    check.add_argument("notebook", type=Path, metavar="NOTEBOOK")

    doctor = commands.add(
        "doctor", "say what is here and what is missing, for students, instructors and authors", run_doctor
    )
    doctor.add_argument(
        "--submitted",
        type=Path,
        metavar="DIR",
        help="say instead what the notebooks handed in there need, before grading",
    )


def run_check(options: argparse.Namespace) -> int:
    """Check one notebook as a student does; status 1 while something fails."""
    from vae_lab.grading.authoring.run_notebook import in_a_fork
    from vae_lab.grading.authoring.selfcheck import SelfCheck, before_handing_in, check_file, read_lab
    from vae_lab.grading.course import CourseError

    def run() -> SelfCheck:
        with Progress("check", " cells") as progress:
            return check_file(options.notebook, progress)

    try:
        read_lab(options.notebook)
        forks = sys.platform == "linux" and hasattr(os, "fork")
        found = in_a_fork(run, seconds=3600.0) if forks else run()
    except OSError as error:
        raise CourseError(f"{options.notebook}: {error.strerror or error}") from error
    except (ValueError, RuntimeError) as error:
        raise CourseError(f"{options.notebook}: {error}") from error
    print(found)
    for line in before_handing_in(options.notebook.read_bytes()):
        print(line)
    return 0 if found.passed else 1


def run_doctor(options: argparse.Namespace) -> int:
    """Print what is here and what is missing, on this machine or for a class's notebooks."""
    if options.submitted:
        from vae_lab.grading.classroom.needed import needed

        for line in needed(options.submitted):
            print(line)
        return 0
    from vae_lab.doctor import doctor

    return 0 if doctor() else 1
