"""The line of a student's own code that an exception came from: not the library's line, nor the check's."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path
from typing import NamedTuple

PACKAGE = str(Path(__file__).parents[1])
LIBRARIES = tuple({sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")})
LONGEST = 200


class StudentLine(NamedTuple):
    """A line, in words: "In train, line 7: loss.backward()".

    Args:
        function: what it is in; "<module>" or the like at the top of a cell.
        number: counted from 1 in its cell.
        source: the line itself.
    """

    function: str
    number: int
    source: str

    def __str__(self) -> str:
        where = "In a cell" if self.function.startswith(("<module", "<cell")) else f"In {self.function}"
        return f"{where}, line {self.number}: {self.source}"


def student_line(error: BaseException) -> StudentLine | None:
    r"""The deepest line of an exception's traceback that is no library's, or None.

    Example:
        >>> try:
        ...     1 / 0
        ... except ZeroDivisionError as error:
        ...     print(student_line(error))
        In a cell, line 2: 1 / 0
    """
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.line and frame.lineno and not _is_library(frame.filename):
            return StudentLine(frame.name[:LONGEST], frame.lineno, frame.line.strip()[:LONGEST])
    return None


def _is_library(filename: str) -> bool:
    libraries = ("site-packages", "dist-packages", "<frozen")
    return any(word in filename for word in libraries) or filename.startswith((PACKAGE, *LIBRARIES))
