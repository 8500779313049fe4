"""A share of a class for one node, and the file that it writes: for sites where machines may not talk.

Which share a name belongs to depends on the name alone, so that nobody moves to another when others come or go.
The file only grows, a line at a time, and each line has its digest: what is cut short is told and done again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vae_lab.grading.executors.interface import ExecutorError

MOST = 100_000  # shares


class Share(NamedTuple):
    """The `number`-th of `of` shares, from 1.

    Example:
        >>> sum(Share(number, 40).holds("s017") for number in range(1, 41))
        1
    """

    number: int
    of: int

    def holds(self, name: str) -> bool:
        """Whether a name belongs to it."""
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % self.of == self.number - 1

    @property
    def file(self) -> str:
        """The name of its file; in alphabetical order they are in order."""
        return f"{self.number:0{len(str(self.of))}d}-of-{self.of}.jsonl"

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def read_share(text: str) -> Share:
    """What `--shard` says.

    Raises:
        ValueError: if it is none.

    Example:
        >>> read_share("3/40")
        Share(number=3, of=40)
    """
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found is None:
        raise ValueError(f"{text!r} is no shard; write the third of forty as 3/40")
    share = Share(int(found[1]), int(found[2]))
    if not 1 <= share.of <= MOST or not 1 <= share.number <= share.of:
        raise ValueError(f"there is no shard {text}; they go from 1/N to N/N, with N at most {MOST:,}")
    return share


def read_lines(path: Path) -> Iterator[str]:
    """The whole lines of a file; one that was cut short or damaged is left out."""
    with open(path, "rb") as file:
        for line in file:
            if (text := checked(line)) is not None:
                yield text


def checked(line: bytes) -> str | None:
    """The text of a line, if its digest is right and its end is there."""
    said, space, text = line.removesuffix(b"\n").partition(b" ")
    whole = line.endswith(b"\n") and space and hashlib.sha256(text).hexdigest()[:32].encode() == said
    with contextlib.suppress(UnicodeDecodeError):
        return text.decode() if whole else None
    return None


class Lines:
    """A file of lines, open for more; one process has it at a time.

    Args:
        path: made if it is missing, with its folder.

    Raises:
        ExecutorError: if another process is writing it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self.handle)
            raise ExecutorError(f"{path} is being written by another process") from None

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *problem: object) -> None:
        with contextlib.suppress(OSError):
            os.fsync(self.handle)
        os.close(self.handle)

    def begin_anew(self) -> None:
        """Leave nothing in it."""
        os.ftruncate(self.handle, 0)

    def mend(self) -> None:
        """Take away a last line that was cut short, so that the next one begins on a line of its own."""
        size = os.fstat(self.handle).st_size
        back, tail = 0, b""
        while back < size and b"\n" not in tail:
            back = min(size, back + 65536)
            tail = os.pread(self.handle, min(back, 65536), size - back)
        if size and not (back and tail.endswith(b"\n") and size == size - back + len(tail)):
            os.ftruncate(self.handle, size - back + tail.rfind(b"\n") + 1 if b"\n" in tail else 0)

    def append(self, text: str) -> None:
        """Add a line, whole or not at all.

        Raises:
            OSError: if the disk is full.
        """
        data = text.encode()
        line = hashlib.sha256(data).hexdigest()[:32].encode() + b" " + data + b"\n"
        size = os.fstat(self.handle).st_size
        try:
            if os.write(self.handle, line) != len(line):
                raise OSError(28, os.strerror(28), str(self.path))
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self.handle, size)
            raise
