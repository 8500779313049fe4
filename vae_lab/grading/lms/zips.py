"""Read a zip that strangers filled: nothing is unpacked, names are only looked at, and sizes are believed to nobody."""

from __future__ import annotations

import contextlib
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from vae_lab.grading.classroom.submissions import LARGEST
from vae_lab.grading.course import CourseError

MOST_FILES = 100_000
MOST_BYTES = 16 * 2**30  # of all notebooks together, unpacked
JUNK = ("__MACOSX/", "._", ".DS_Store", "Thumbs.db", "desktop.ini")


class ZipEntry(NamedTuple):
    """One file of the zip. `time` is (year, month, ... second) as written there, without a time zone."""

    name: str
    time: tuple[int, int, int, int, int, int]
    content: bytes | None
    problem: str = ""


def read_zip(path: Path, wanted: Callable[[str], bool]) -> Iterator[ZipEntry]:
    """Read the files of a zip one by one, in the order they have there.

    Args:
        path: the zip.
        wanted: tells of a name whether its content is read; of others only the name is given.

    Yields:
        an `ZipEntry` for each file; `content` is None where it was not wanted or, as `problem` then says, refused.

    Raises:
        CourseError: if it is no zip, or has absurdly many files.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) > MOST_FILES:
                raise CourseError(f"{path} has {len(members)} files; at most {MOST_FILES} are read")
            room = MOST_BYTES
            for member in members:
                name = readable(member)
                if is_junk(name) or name.endswith("/"):
                    continue
                problem = refused(member)
                content = None
                if not problem and wanted(name):
                    content, problem = unpack(archive, member, min(LARGEST, room))
                    room -= len(content or b"")
                yield ZipEntry(name, member.date_time, content, problem)
    except (OSError, zipfile.BadZipFile) as error:
        raise CourseError(f"{path} cannot be read as a zip: {error}") from None


def is_junk(name: str) -> bool:
    """Tell whether an operating system left this behind."""
    return name.startswith(JUNK[0]) or f"/{JUNK[0]}" in name or name.rsplit("/", 1)[-1].startswith(JUNK[1:])


def readable(member: zipfile.ZipInfo) -> str:
    """The name, in UTF-8 also where the zip does not say that it is, and with "/" where Windows wrote its own."""
    name = member.filename
    if not member.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def refused(member: zipfile.ZipInfo) -> str:
    """Why a file is left alone, going by its entry in the zip's list, or ""."""
    name, mode = member.filename.replace("\\", "/"), member.external_attr >> 16
    if name.startswith("/") or ":" in name.split("/")[0][1:2] or ".." in name.split("/"):
        return "refused: its name points outside the folder"
    if "\0" in member.orig_filename:
        return "refused: its name is cut in two by a zero"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "refused: a link or a special file"
    if member.flag_bits & 0x1:
        return "refused: encrypted"
    if member.file_size > LARGEST:
        return f"refused: {member.file_size / 2**20:.0f} MB; at most {LARGEST / 2**20:.0f} MB are read"
    return ""


def unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, room: int) -> tuple[bytes | None, str]:
    """The content of one file, or None and why not; never more than `room` bytes, whatever the list says."""
    try:
        with archive.open(member) as file:
            content = file.read(room + 1)
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        EOFError,
        OSError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        return None, f"damaged: {error}"
    if len(content) > room:
        return None, "refused: the notebooks in this zip are too large"
    return content, ""
