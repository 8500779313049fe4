"""Who is who in the LMS: what collecting found out about a class, kept beside its submissions and its results.

`submitted/.lms/<lab>.json` is written by collecting; grading takes it along as `report/<lab>/lms.json`, so that the
files for the LMS can be written whenever the report is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vae_lab.grading.course import write_atomically
from vae_lab.grading.marks import Person, Worksheet


@dataclass(frozen=True)
class Identities:
    """What is known of the class in the LMS.

    Args:
        people: by student.
        worksheet: Moodle's grading worksheet, if it was the class list.
        canvas_head: the lab's column in Canvas's gradebook, e.g. "sampling (9)", if that was the class list, or "".
    """

    people: Mapping[str, Person] = field(default_factory=dict)
    worksheet: Worksheet | None = None
    canvas_head: str = ""


def beside(submitted: Path, lab: str) -> Path:
    """Where collecting writes."""
    return submitted / ".lms" / f"{lab}.json"


def read_identities(path: Path) -> Identities:
    """What was written; nothing if there is no such file, or if it is damaged."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        people = {
            student: Person(**{**about, "uploads": tuple(about["uploads"])})
            for student, about in kept["people"].items()
        }
        sheet = kept["worksheet"]
        made = None
        if sheet is not None:
            rows = tuple(tuple(row) for row in sheet["rows"])
            made = Worksheet(tuple(sheet["head"]), rows, tuple(sheet["people"]), sheet["delimiter"])
        return Identities(people, made, kept["canvas_head"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Identities()


def write_identities(path: Path, known: Identities) -> None:
    """Write them for another run."""
    plain = {
        "people": {student: person._asdict() for student, person in sorted(known.people.items())},
        "worksheet": known.worksheet._asdict() if known.worksheet else None,
        "canvas_head": known.canvas_head,
    }
    write_atomically(path, json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
