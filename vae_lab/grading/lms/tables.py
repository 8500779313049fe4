"""Reading the table that somebody exported: any encoding and delimiter that Canvas, Moodle and spreadsheets write."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from vae_lab.grading.course import CourseError


class Table(NamedTuple):
    """A table's first line, its other lines, and what stands between two cells."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str


def decoded(data: bytes) -> str:
    r"""The text of a file: UTF-8, UTF-16 with its mark, or else the Windows code page of western Europe.

    Raises:
        ValueError: if it is no text.

    Example:
        >>> decoded("id\nzoë".encode("cp1252")), decoded("id\nzoë".encode("utf-16"))
        ('id\nzoë', 'id\nzoë')
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252")
    if "\0" in text:
        raise ValueError("it is no text")
    return text


def read_table(path: Path, known: Callable[[tuple[str, ...]], bool]) -> Table:
    """Read a table.

    Args:
        path: the file.
        known: tells of a first line, its cells trimmed, whether it is that of a table wanted here. It settles what the
            delimiter is: a head may hold commas between semicolons.

    Raises:
        CourseError: if the file cannot be read or is no text.
    """
    try:
        text = decoded(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read as a class list: {error}") from None
    first, _, rest = text.partition("\n")
    named = first.strip().lower()
    if named.startswith("sep=") and len(named) == 5:  # what a spreadsheet is told by
        text, delimiters = rest, [first.strip()[4]]
    else:
        delimiters = sorted(",;\t", key=first.count, reverse=True)
    tables = [split(text, delimiter) for delimiter in delimiters]
    return next((table for table in tables if known(table.head)), tables[0])


def split(text: str, delimiter: str) -> Table:
    """A text as a table with this delimiter; lines without anything are left out."""
    try:
        lines = [
            tuple(cell.strip() for cell in line)
            for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error:
        lines = []
    lines = [line for line in lines if any(line)]
    head = lines[0] if lines else ()
    rows = tuple((*line, *[""] * (len(head) - len(line))) for line in lines[1:])
    return Table(head, rows, delimiter)
