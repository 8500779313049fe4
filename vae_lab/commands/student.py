"""What a student types: `lab`, `check` and `doctor`."""

from __future__ import annotations

import argparse
import importlib.util
import mmap
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from vae_lab.commands.arguments import Commands, positive, takes_language
from vae_lab.commands.progress import Progress


def add(commands: Commands) -> None:
    """Add these commands to the command line."""
    check = commands.add("check", "run one notebook's visible tests on this machine, as a student does", run_check)
    check.add_argument("notebook", type=Path, metavar="NOTEBOOK")
    check.add_argument("--seconds", type=positive(float), default=300.0, metavar="S", help="for one cell (default 300)")
    check.add_argument(
        "--hand-in",
        action="store_true",
        help="run it in a kernel of its own, save it with what it shows, and say what to upload, with a receipt",
    )

    lab = commands.add("lab", "put a lab into this folder, if it is not here yet, and open it", run_lab)
    lab.add_argument("lab", metavar="LAB")
    lab.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="the folder to put it into")
    lab.add_argument("--fetch-only", action="store_true", help="do not open it")
    takes_language(lab)

    doctor = commands.add("doctor", "say what is here and what is missing to solve a lab", run_doctor)
    takes_language(doctor)
    doctor.add_argument("--all", action="store_true", help="also what grading and building the book need")
    doctor.add_argument(
        "--submitted",
        type=Path,
        metavar="DIR",
        help="say instead what the notebooks handed in there need, before grading",
    )


def run_check(options: argparse.Namespace) -> int:
    """Check one notebook as a student does; status 1 while something fails."""
    from vae_lab.grading.authoring.hand_in import receipt, run_and_save
    from vae_lab.grading.authoring.run_notebook import in_a_fork
    from vae_lab.grading.authoring.selfcheck import (
        SelfCheck,
        before_handing_in,
        check_file,
        find_written,
        language_spoken,
        read_lab,
    )
    from vae_lab.grading.course import CourseError
    from vae_lab.lab_files import labs
    from vae_lab.language import said, speak

    notebook = options.notebook.absolute()  # a check works in the notebook's folder
    running = mmap.mmap(-1, 200)  # seen on both sides of a fork: the cell that runs

    def run() -> SelfCheck:
        with Progress(said("check"), f" {said('cells')}") as progress:

            def starts(name: str) -> None:
                progress.doing(said(name))
                running[:] = name.encode()[:200].ljust(200, b"\0")

            progress(0, 1)
            return check_file(notebook, progress, seconds=options.seconds, starts=starts, released=labs())

    try:
        content = notebook.read_bytes()
        speak(language_spoken(content, labs()))
        read_lab(content)
        forks = sys.platform == "linux" and hasattr(os, "fork")
        if options.hand_in:
            found = run_and_save(notebook, options.seconds, lambda name: print(f"  {name}", file=sys.stderr))
            find_written(found, notebook.read_bytes(), labs())
        else:
            found = in_a_fork(run, seconds=3600.0) if forks else run()
    except OSError as error:
        raise CourseError(f"{options.notebook}: {error.strerror or error}") from error
    except (ValueError, RuntimeError) as error:
        cell = running[:].rstrip(b"\0").decode(errors="ignore")
        died = "ended without an answer" in str(error) and cell
        where = f" in {cell}: does it call exit(), or is no memory left?" if died else ""
        raise CourseError(f"{options.notebook}: {said(f'{error}{where}')}") from error
    except KeyboardInterrupt:
        stopped = said("stopped; your notebook is as it was, and the next check starts anew")
        print(f"vae-lab check: {stopped}", file=sys.stderr)
        return 130
    print(found)
    for line in before_handing_in(notebook.read_bytes()):
        print(said(line))
    if options.hand_in:
        print(f"\n{receipt(notebook, found, datetime.now().astimezone())}")
    return 0 if found.passed else 1


def run_lab(options: argparse.Namespace) -> int:
    """Fetch a lab and open it."""
    from vae_lab import lab_files
    from vae_lab.grading.course import CourseError
    from vae_lab.language import said

    try:
        here = Path(options.lab).is_file()
        path = Path(options.lab) if here else lab_files.fetch(options.lab, options.to, options.language)
    except ValueError as error:
        raise CourseError(error) from error
    print(path)
    if options.fetch_only:
        return 0
    if importlib.util.find_spec("jupyterlab") is None:
        print(said("JupyterLab is not installed here: open the file in your editor, or run: pip install jupyterlab"))
        return 0
    return subprocess.run([sys.executable, "-m", "jupyterlab", str(path)], check=False).returncode


def run_doctor(options: argparse.Namespace) -> int:
    """Print what is here and what is missing, on this machine or for a class's notebooks."""
    from vae_lab.language import said

    if options.submitted:
        from vae_lab.grading.classroom.needed import needed

        for line in needed(options.submitted):
            print(said(line))
        return 0
    from vae_lab.doctor import doctor

    return 0 if doctor(everyone=options.all, say=said) else 1
