"""Which code a result and its pages depend on: whole rooms, so that no list of files can be out of date."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from vae_lab.grading.classroom.records import digest
from vae_lab.language.catalogue import FOLDERS

PACKAGE = Path(__file__).parents[2]

# A change in one of these grades again. "." is the teaching package, files directly under vae_lab/, which labs may use.
JUDGING = (
    ".",
    "checks",
    "grading/judge",
    "grading/rpc",
    "grading/student",
    "grading/sandbox",
    "grading/lab",
    "grading/limits.py",
)
# A change in this writes graded notebooks and feedback pages again, from the results that are there.
RENDERING = ("grading/pages", "language")


def digest_of(*rooms: str) -> str:
    """A digest of the names and contents of all files in some rooms of the package; "." has no rooms below it."""
    parts: list[str | bytes] = []
    for room in rooms:
        place = PACKAGE / room
        found = place.glob("*.py") if room == "." else [place] if place.is_file() else place.rglob("*")
        for path in sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts):
            parts += [path.relative_to(PACKAGE).as_posix(), path.read_bytes()]
    return digest(*parts)


def grader_version() -> str:
    """A digest of the code that judges and of torch's version: when either changes, results are made anew."""
    return digest(version("torch"), digest_of(*JUDGING))


def pages_version() -> str:
    """A digest of the code, templates and translations that make pages from results."""
    translations = sorted(path for folder in FOLDERS for path in folder.rglob("*.po"))
    return digest(digest_of(*RENDERING), *(path.read_bytes() for path in translations))
