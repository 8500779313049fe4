"""What a zip of an LMS holds: whose each file is, and which of them may be the notebook that was asked for."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from vae_lab.grading.course import CourseError
from vae_lab.grading.lms.names import UploadName, letters, plain, read_name
from vae_lab.grading.lms.resolving import Who
from vae_lab.grading.lms.store import Candidate, Stored
from vae_lab.grading.lms.zips import ZipEntry, read_zip

# Browsers and mail programs add to a name or take from it; what is in such a file decides.
PERHAPS = re.compile(r"\.ipynb(?!\w)|\.(?:json|txt|download)$|^[^.]+$", re.IGNORECASE)
ARCHIVE = re.compile(r"\.(?:zip|rar|7z|t?gz)$", re.IGNORECASE)


@dataclass
class Contents:
    """The files of a zip, by who handed them in.

    `people` has everybody in the zip, whatever was handed in; `candidates` the notebooks; `outcomes` what became of all
    other files, under the name that the zip has for the student.
    """

    people: dict[Who, UploadName] = field(default_factory=dict)
    candidates: dict[Who, list[Candidate]] = field(default_factory=lambda: defaultdict(list))
    outcomes: list[tuple[Who | None, Stored]] = field(default_factory=list)


def wanted(name: str) -> bool:
    """Whether a file may be a notebook, by its name."""
    last = name.rsplit("/", 1)[-1]
    return bool(PERHAPS.search(last)) and not ARCHIVE.search(last)


def read_contents(path: Path, lab: str) -> Contents:
    """Read what a zip holds; a number that has two names is nobody's.

    Raises:
        CourseError: if the zip cannot be read, or no file in it is named as Moodle or Canvas does.
    """
    found = Contents()
    names: dict[Who, set[str]] = defaultdict(set)
    named = any_named(path)
    for position, entry in enumerate(read_zip(path, wanted)):
        handed_in = read_name(entry.name, named=named)
        if handed_in is None:
            became = entry.problem or "left aside: not named as Moodle or Canvas names what is handed in"
            found.outcomes.append((None, Stored(entry.name, "", became, bool(entry.problem) or is_notebook(entry))))
            continue
        who = handed_in.who
        names[who].add(letters(handed_in.name))
        found.people.setdefault(who, handed_in)
        if is_notebook(entry):
            found.candidates[who].append(candidate(handed_in, position, entry, lab))
        else:
            became = entry.problem or f"left aside: {what_it_is(handed_in)}"
            found.outcomes.append((who, Stored(entry.name, handed_in.key, became, bool(entry.problem))))
    if not names:
        raise CourseError(f"no file in {path} is named as Moodle or Canvas names what students hand in")
    for who in [who for who in found.people if len(names[who]) > 1]:
        # A number is one student's: somebody's name was made to look like another's, or two zips were made one.
        became = f"refused: several names have the number {who[1]}: {', '.join(sorted(names[who]))}"
        found.outcomes += [(None, Stored(one.name, "", became, look=True)) for one in found.candidates.pop(who, [])]
        del found.people[who]
    return found


def any_named(path: Path) -> bool:
    """Whether Canvas names a student in this zip; then it names all of them."""
    read = (read_name(entry.name) for entry in read_zip(path, lambda name: False))
    return any(one is not None and one.system == "canvas" and not one.anonymous for one in read)


def is_notebook(entry: ZipEntry) -> bool:
    """Whether a file is a notebook: by its name, or by what it holds where the name has lost its ending."""
    if entry.content is None:
        return False
    usual = entry.name.lower().endswith((".ipynb", ".ipynb.txt", ".ipynb.json"))
    return usual or (b'"cells"' in entry.content and b'"nbformat"' in entry.content)


def what_it_is(handed_in: UploadName) -> str:
    """What was handed in that is no notebook, in a few words."""
    if not handed_in.file:
        return "a text or a link that was typed in, not a notebook"
    return "a zip, which is not opened" if ARCHIVE.search(handed_in.file) else "not a notebook"


def candidate(handed_in: UploadName, position: int, entry: ZipEntry, lab: str) -> Candidate:
    """Look into a notebook for the lab's cells, by the comments they begin with, and into its name for the lab's."""
    anchor = rb"vae-lab: *" + re.escape(lab).encode() + rb"\\?/"
    content = (entry.content or b"").replace(b"\0", b"")  # as good as any Unicode for a word in ASCII
    inside = plain(handed_in.file)
    last = inside.rsplit("/", 1)[-1]
    checkpoint = ".ipynb_checkpoints/" in inside or re.search(r"-checkpoint(?:-\d+)?\.ipynb", last) is not None
    words = re.findall(r"[^\W\d_]+", last)
    named, exact = plain(lab) in words, re.fullmatch(rf"{re.escape(plain(lab))}(?:-\d+)?\.ipynb", last) is not None
    is_lab, digest = re.search(anchor, content) is not None, hashlib.sha256(entry.content or b"").hexdigest()
    return Candidate(handed_in, position, entry.name, entry.time, is_lab, named, checkpoint, exact, digest)
