"""Find what was handed in, and read it without following a link or opening anything but a plain file.

Submissions lie where nbgrader puts them: `submitted/<student>/<lab>/<lab>.ipynb`.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from vae_lab.grading.course import CourseError
from vae_lab.grading.lab.plain_text import MOVES_TEXT

LARGEST = 32 * 2**20  # bytes read of one notebook; the grader's own limits may be lower
LONGEST_NAME = 128  # characters: the width of nbgrader's student column


# What operating systems and editors leave behind; not worth a note.
USUAL = {".DS_Store", "Thumbs.db", ".ipynb_checkpoints", ".gitkeep", ".keep", ".sample-class", ".lms"}


@dataclass(frozen=True)
class SubmittedFile:
    """One student's notebook as handed in.

    `content` is None where there is no file that may be read, and `problem` then says why, in words for the student.
    `timestamp` is what nbgrader's collecting wrote beside the notebook, or "".
    """

    student: str
    lab: str
    content: bytes | None
    problem: str = ""
    timestamp: str = ""


class Found(NamedTuple):
    """Handles of the students who handed in, and a line for each thing that was left aside."""

    students: list[str]
    notes: list[str]


def find_students(submitted: Path, lab: str) -> Found:
    """List the students who handed in a lab, in alphabetical order.

    Raises:
        CourseError: if the folder does not exist or nobody handed in this lab.
    """
    if not submitted.is_dir():
        raise CourseError(f"no folder {submitted}; expected {submitted}/<student>/{lab}/{lab}.ipynb")
    students, notes = [], []
    for entry in sorted(os.scandir(submitted), key=lambda entry: entry.name):
        if entry.name in USUAL:
            continue
        if entry.is_symlink():
            notes.append(f"{shown(entry.name)}: a link, not followed")
        elif not entry.is_dir(follow_symlinks=False):
            notes.append(f"{shown(entry.name)}: not a student's folder, ignored")
        elif entry.name.startswith("."):
            notes.append(f"{shown(entry.name)}: hidden folder, ignored")
        elif not os.path.lexists(os.path.join(entry.path, lab)):
            continue  # handed in other labs only
        elif not is_utf8(entry.name) or len(entry.name) > LONGEST_NAME:
            notes.append(f"{shown(entry.name)}: the gradebook cannot hold this name (UTF-8, at most {LONGEST_NAME})")
        elif MOVES_TEXT.search(entry.name):
            notes.append(
                f"{shown(entry.name)}: control characters or marks of direction in the name; rename the folder"
            )
        else:
            students.append(entry.name)
            if has_other_names(os.path.join(entry.path, lab, f"{lab}.ipynb")):
                notes.append(f"{entry.name}: {lab}.ipynb is a hard link; see whether it is another's work")
    if not students:
        left = f" ({len(notes)} entries ignored: {notes[0]})" if notes else ""
        raise CourseError(f"nobody handed in {lab}: no {submitted}/<student>/{lab}/{lab}.ipynb{left}")
    return Found(students, notes)


def has_other_names(path: str) -> bool:
    """Whether a file lies under another name too, which may be anywhere on the same disk."""
    try:
        about = os.stat(path, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(about.st_mode) and about.st_nlink > 1


def shown(name: str) -> str:
    """A file name fit for one line of a terminal."""
    return name if name.isprintable() and is_utf8(name) else ascii(name)


def is_utf8(name: str) -> bool:
    """False for a name with bytes that are no UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_submitted_file(submitted: Path, student: str, lab: str) -> SubmittedFile:
    """Read `submitted/<student>/<lab>/<lab>.ipynb`; never raises for what a student may have put there.

    Every step is relative to the folder opened before it and refuses links, so nothing can be swapped in between.
    """
    opened: list[int] = []
    try:
        opened.append(os.open(submitted, os.O_RDONLY | os.O_DIRECTORY))
        for part in (student, lab):
            opened.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=opened[-1]))
    except OSError:
        return SubmittedFile(student, lab, None, f"the folder {lab} is a link or no folder")
    else:
        timestamp, _ = read_plain_file("timestamp.txt", opened[-1], 200)
        content, problem = read_plain_file(f"{lab}.ipynb", opened[-1], LARGEST)
        if content is None and problem.startswith("no file"):
            others = sorted(name for name in os.listdir(opened[-1]) if name.endswith(".ipynb"))
            if others:
                problem += f"; handed in instead: {', '.join(shown(name) for name in others[:3])}"
        return SubmittedFile(student, lab, content, problem, (timestamp or b"").decode("utf-8", "replace").strip())
    finally:
        for handle in opened:
            os.close(handle)


def read_plain_file(name: str, folder: int, largest: int) -> tuple[bytes | None, str]:
    """The content of a regular file, or None and the reason why not."""
    try:
        # O_NONBLOCK: opening a named pipe must not wait for somebody to write into it
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        return None, f"no file {name}"
    except OSError:
        return None, f"{name} is a link or cannot be read"
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            return None, f"{name} is not a plain file"
        if about.st_size > largest:
            return None, f"{name} has {about.st_size / 2**20:.0f} MB; at most {largest / 2**20:.0f} MB are read"
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(largest), ""
    except OSError:
        return None, f"{name} cannot be read"
    finally:
        os.close(handle)
