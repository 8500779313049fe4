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

CHECKPOINT = "a checkpoint of Jupyter's own, not what was handed in"


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
    is_checkpoint: bool = False
    is_exact: bool = False
    digest: str = ""

    @property
    def fits(self) -> tuple[bool, bool, bool]:
        """How much it looks like what was asked for: no checkpoint, the lab's own cells, the lab's name."""
        return not self.is_checkpoint, self.is_lab, self.is_named

    @property
    def age(self) -> tuple[int, tuple[int, ...]]:
        """What is larger for the newer of two."""
        return self.handed_in.order, self.time

    @property
    def rank(self) -> tuple[object, ...]:
        """What is taken first is largest: what fits best, then what is newest, then what is called like the lab."""
        return self.fits, self.age, self.is_exact, -self.position


def place(key: str, found: list[Candidate], content: bytes, lab: str, submitted: Path, received: datetime | None,
          late: bool) -> list[Stored]:  # fmt: skip
    """Write one student's notebook, the first of those found, and say what became of each."""
    best, *others = found
    folder = submitted / key / lab
    if any(part.is_symlink() for part in (submitted / key, folder)):
        return [Stored(one.name, key, f"refused: {folder} is a link", look=True) for one in found]
    became = put(folder, lab, content)
    stamp = folder / "timestamp.txt"  # where nbgrader looks for it
    if received is not None:
        write_atomically(stamp, received.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"))
    else:
        stamp.unlink(missing_ok=True)
    if late:
        became += ", late"
    if best.is_checkpoint:
        became += f", though it is {CHECKPOINT}"
    if not best.is_lab:
        became += f", but it has no cell of {lab}"
    outcomes = [Stored(best.name, key, became, look=best.is_checkpoint or not best.is_lab)]
    return outcomes + [left_aside(other, best, key, lab) for other in others]


def left_aside(other: Candidate, best: Candidate, key: str, lab: str) -> Stored:
    """Why another notebook was not taken; two that differ and might both be meant are for a person to look at."""
    taken = f"left aside: {shown(best.handed_in.file)} was taken"
    if other.digest == best.digest:
        return Stored(other.name, key, f"{taken}, the same")
    if other.is_checkpoint and not best.is_checkpoint:
        older = best.age > other.age
        return Stored(
            other.name, key, f"left aside: {CHECKPOINT}" + ("" if older else "; the two differ"), look=not older
        )
    if (other.is_lab, other.is_checkpoint) != (best.is_lab, best.is_checkpoint):
        return Stored(other.name, key, f"{taken}, more like {lab}")
    why = "which is newer" if best.age > other.age else "by its name" if other.age == best.age else f"more like {lab}"
    return Stored(other.name, key, f"{taken}, {why}; the two differ", look=True)


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
