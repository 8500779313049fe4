"""Put one student's notebook under `submitted/`, keep the one that was there, and say what became of each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from vae_lab.grading.classroom.submissions import shown
from vae_lab.grading.course import write_atomically
from vae_lab.grading.lms.names import UploadName


class Stored(NamedTuple):
    """What became of one file. `look` says that a person should."""

    file: str
    student: str
    became: str
    look: bool = False


@dataclass(frozen=True)
class Candidate:
    """A notebook that may be what a student hands in for the lab; `position` is its place in the zip."""

    handed_in: UploadName
    position: int
    name: str
    time: tuple[int, int, int, int, int, int]
    is_lab: bool
    is_named: bool

    @property
    def rank(self) -> tuple[bool, bool, int, tuple[int, ...], int]:
        """What is taken first is largest: has the lab's own cells, has its name, is newest."""
        return self.is_lab, self.is_named, self.handed_in.order, self.time, self.position


def place(
    key: str, found: list[Candidate], content: bytes, lab: str, submitted: Path, due: datetime | None
) -> list[Stored]:
    """Write one student's notebook, the first of those found, and say what became of each."""
    best, *others = found
    received = when(best)
    folder = submitted / key / lab
    if any(part.is_symlink() for part in (submitted / key, folder)):
        return [Stored(one.name, key, f"refused: {folder} is a link", look=True) for one in found]
    became = put(folder, lab, content)
    stamp = folder / "timestamp.txt"  # where nbgrader looks for it
    if received is not None:
        write_atomically(stamp, received.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"))
    else:
        stamp.unlink(missing_ok=True)
    if best.handed_in.late or (due is not None and received is not None and received > due):
        became += ", late"
    if not best.is_lab:
        became += f", but it has no cell of {lab}"
    outcomes = [Stored(best.name, key, became, look=not best.is_lab)]
    for other in others:
        reason = "newer" if other.rank[:2] == best.rank[:2] else f"more like {lab}"
        outcomes.append(Stored(other.name, key, f"left aside: {shown(best.handed_in.file)} was taken, {reason}"))
    return outcomes


def put(folder: Path, lab: str, content: bytes) -> str:
    """Write the notebook; what was there before and differs is kept."""
    notebook = folder / f"{lab}.ipynb"
    if not notebook.is_file() or notebook.is_symlink():
        write_atomically(notebook, content)
        return "collected"
    before = notebook.read_bytes()
    if before == content:
        return "unchanged"
    kept = folder / "earlier" / f"{hashlib.sha256(before).hexdigest()[:12]}.ipynb"
    write_atomically(kept, before)
    write_atomically(notebook, content)
    return f"collected; the earlier one is kept as {kept.relative_to(folder)}"


def when(handed_in: Candidate) -> datetime | None:
    """When it was handed in, where the zip says so: Moodle does, in this machine's time zone; Canvas does not."""
    if handed_in.handed_in.system != "moodle" or handed_in.time[0] < 2000:
        return None
    try:
        return datetime(*handed_in.time).astimezone()
    except ValueError:
        return None
