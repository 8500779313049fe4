"""From an LMS's zip to `submitted/<student>/<lab>/<lab>.ipynb`: each file accounted for, no two students mixed up."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from vae_lab.grading.classroom.submissions import shown
from vae_lab.grading.course import CourseError
from vae_lab.grading.lms.class_list import Student, resolve
from vae_lab.grading.lms.names import UploadName, letters, plain, read_name
from vae_lab.grading.lms.store import Candidate, Stored, place
from vae_lab.grading.lms.zips import ZipEntry, read_zip

Person = tuple[str, int]  # which system, and the student's number in it
ENDINGS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # browsers and mail programs add the latter two


def candidate(handed_in: UploadName, position: int, entry: ZipEntry, lab: str) -> Candidate:
    """Look into a notebook for the lab's cells, by the comments they begin with, and into its name for the lab's."""
    anchor = rb"vae-lab: *" + re.escape(lab).encode() + rb"\\?/"
    words = re.findall(r"[^\W\d_]+", plain(handed_in.file.rsplit("/", 1)[-1]))
    is_lab = re.search(anchor, entry.content or b"") is not None
    return Candidate(handed_in, position, entry.name, entry.time, is_lab, plain(lab) in words)


@dataclass
class Collected:
    """The outcome of collecting one zip."""

    outcomes: list[Stored] = field(default_factory=list)
    students: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def look(self) -> bool:
        """True if a person should look at something."""
        return any(outcome.look for outcome in self.outcomes)


def collect(
    path: Path, lab: str, submitted: Path, students: list[Student] | None = None, due: datetime | None = None
) -> Collected:
    """Put each student's newest notebook of a lab where the grader looks for it.

    A notebook that is there already and differs is kept under `earlier/` beside the new one. Collecting the same zip
    twice changes nothing.

    Args:
        path: the zip that Moodle or Canvas made of the assignment.
        lab: the lab's name, e.g. "sampling".
        submitted: the folder to fill.
        students: the class list, if there is one; else a student is called by name and LMS number.
        due: what Moodle received later than this is called late; Canvas says itself what is late.

    Returns:
        `Collected`: one outcome for each file in the zip, and who of the class list is missing.

    Raises:
        CourseError: if the zip cannot be read, or no file in it is named as Moodle or Canvas does.
    """
    result = Collected()
    by_person: dict[Person, list[Candidate]] = defaultdict(list)
    names: dict[Person, set[str]] = defaultdict(set)
    for position, entry in enumerate(read_zip(path, ENDINGS)):
        handed_in = read_name(entry.name)
        if handed_in is None:
            became = entry.problem or "left aside: not named as Moodle or Canvas names what is handed in"
            look = bool(entry.problem) or entry.content is not None
            result.outcomes.append(Stored(entry.name, "", became, look))
            continue
        person = handed_in.system, handed_in.number
        names[person].add(letters(handed_in.name))
        if entry.content is None:
            became = entry.problem or "left aside: not a notebook"
            result.outcomes.append(Stored(entry.name, handed_in.key, became, bool(entry.problem)))
        else:
            by_person[person].append(candidate(handed_in, position, entry, lab))
    if not names:
        raise CourseError(f"no file in {path} is named as Moodle or Canvas names what students hand in")
    for person in [person for person in by_person if len(names[person]) > 1]:
        # A number is one student's: somebody's name was made to look like another's.
        became = f"refused: several names have the number {person[1]}: {', '.join(sorted(names[person]))}"
        result.outcomes += [Stored(one.name, "", became, look=True) for one in by_person.pop(person)]
    people = [found[0].handed_in for found in by_person.values()]
    certain = resolve(people, students) if students else {}
    chosen: dict[int, tuple[str, list[Candidate]]] = {}
    for person, found in sorted(by_person.items()):
        found.sort(key=lambda one: one.rank, reverse=True)
        key = certain.get(person, found[0].handed_in.key)
        if key in result.students:
            key = f"{person[0]}-{key}"
        if students and person not in certain:
            result.notes.append(f"{key}: not on the class list, or not for certain; keeps this name")
        result.students.add(key)
        chosen[found[0].position] = key, found
    for position, entry in enumerate(read_zip(path, ENDINGS)):  # again, so that no class has to fit into memory
        if position in chosen and entry.content is not None:
            key, found = chosen[position]
            result.outcomes += place(key, found, entry.content, lab, submitted, due)
    finish(result, students, people)
    return result


def finish(result: Collected, students: list[Student] | None, people: list[UploadName]) -> None:
    """Note who is missing and what to beware of."""
    if students:
        result.missing = sorted({student.id for student in students} - result.students)
    elif any(one.system == "moodle" for one in people):
        result.notes.append(
            "Moodle numbers students anew in each assignment: give its grading worksheet, or a class list, as "
            "--students, so that a student has one name in all labs"
        )


def summary(result: Collected) -> list[str]:
    """Lines for the person who collects: each file, what to beware of, who is missing, and the count."""
    lines = [f"{shown(one.file)}  ->  {one.student or '-'}: {one.became}" for one in result.outcomes]
    lines += [f"Note: {note}" for note in result.notes]
    if result.missing:
        lines.append(f"Nothing from {len(result.missing)} on the class list: {', '.join(result.missing)}")
    looks = sum(outcome.look for outcome in result.outcomes)
    lines.append(f"{len(result.students)} students" + (f"; {looks} files need a look" if looks else ""))
    return lines
