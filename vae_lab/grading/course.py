"""Where a course keeps its things, and how its files are written: completely or not at all."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path


class CourseError(ValueError):
    """Something that the person at the keyboard can mend; its text is the one line they read."""


@dataclass(frozen=True)
class Course:
    """The folder that holds `solutions/`, `labs/` and, once a class hands in, `submitted/`.

    Example:
        >>> Course(Path("/srv/vae")).source("sampling").as_posix()
        '/srv/vae/solutions/sampling/sampling.ipynb'
    """

    root: Path

    def source(self, lab: str) -> Path:
        """Where a lab is written: the one edited file of it."""
        return self.root / "solutions" / lab / f"{lab}.ipynb"

    def released(self, lab: str, language: str = "en") -> Path:
        """Where the students' version of a lab is generated; in another language it has a folder of that name above."""
        folder = self.root / "labs" if language == "en" else self.root / "labs" / language
        return folder / lab / f"{lab}.ipynb"

    def bank(self, lab: str) -> Path:
        """Where the made-up right and wrong answers to a lab are."""
        return self.root / "tests" / "misconceptions" / f"{lab}.py"

    def labs(self) -> list[str]:
        """The labs found under `solutions/`, in alphabetical order.

        Raises:
            CourseError: if there is no `solutions/` with at least one lab in it.
        """
        folder = self.root / "solutions"
        if not folder.is_dir():
            raise CourseError(f"no solutions/ folder in {self.root.resolve()}; run this in the course's own folder")
        found = sorted(path.name for path in folder.iterdir() if self.source(path.name).is_file())
        if not found:
            raise CourseError(f"no lab in {folder}; expected solutions/<lab>/<lab>.ipynb")
        return found

    def choose(self, wanted: list[str]) -> list[str]:
        """The labs asked for, or all of them when none is named.

        Raises:
            CourseError: if one of them does not exist; the line lists those that do.
        """
        there = self.labs()
        for lab in wanted:
            if lab not in there:
                raise CourseError(f"there is no lab {lab!r}; the labs here are: {', '.join(there)}")
        return list(dict.fromkeys(wanted)) or there


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a run cut short, never sees half of it.

    The folder is made if it is missing. An existing file with the same content is left untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
        return
    temporary = path.with_name(f".writing-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
