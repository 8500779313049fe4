"""From an LMS's zip to `submitted/<student>/<lab>/<lab>.ipynb`: each file accounted for, no two students mixed up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from vae_lab.grading.classroom.identities import Identities, beside, read_identities, write_identities
from vae_lab.grading.classroom.submissions import shown
from vae_lab.grading.course import CourseError
from vae_lab.grading.lms.class_list import ClassList
from vae_lab.grading.lms.contents import Contents, read_contents, wanted
from vae_lab.grading.lms.dates import all_at_once, submitted_at, unreadable_time
from vae_lab.grading.lms.known import is_of_this_assignment, known_after, person_of
from vae_lab.grading.lms.names import letters
from vae_lab.grading.lms.resolving import Resolved, Who, resolve
from vae_lab.grading.lms.store import Candidate, Stored, place, when
from vae_lab.grading.lms.zips import read_zip
from vae_lab.grading.marks import Person


@dataclass
class Collected:
    """The outcome of collecting one zip.

    Args:
        outcomes: what became of each file, for each student who gets it.
        students: everybody in the zip, whatever was handed in.
        without: those of them who handed in no notebook.
        missing: who of the class list is not in the zip.
        notes: what to beware of.
        people: what is known of each student in the LMS.
    """

    outcomes: list[Stored] = field(default_factory=list)
    students: set[str] = field(default_factory=set)
    without: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    doubts: int = 0

    @property
    def look(self) -> bool:
        """True if a person should look at something."""
        return self.doubts > 0 or any(outcome.look for outcome in self.outcomes)


def collect(
    path: Path, lab: str, submitted: Path, students: ClassList | None = None, due: datetime | None = None
) -> Collected:
    """Put each student's newest notebook of a lab where the grader looks for it.

    A notebook that is there already and differs is kept under `earlier/` beside the new one. Collecting the same zip
    twice changes nothing. What is found out about who is who goes to `submitted/.lms/`, for the files that go back.

    Args:
        path: the zip that Moodle or Canvas made of the assignment.
        lab: the lab's name, e.g. "sampling".
        submitted: the folder to fill.
        students: the class list, if there is one; else a student is called by name and LMS number.
        due: what Moodle received later than this is called late; Canvas says itself what is late.

    Returns:
        `Collected`: one outcome for each file in the zip, and who of the class list is missing.

    Raises:
        CourseError: if the zip cannot be read, no file in it is named as Moodle or Canvas does, or nobody in it is on
            the class list.
    """
    held = read_contents(path, lab)
    before = read_identities(beside(submitted, lab))
    listed = students or ClassList([])
    certain = resolve(held.people.values(), listed)
    if listed.students and held.people and not certain.students:
        strangers(path, held, listed)
    keys = name_folders(held, certain, before)
    result = Collected(doubts=len(certain.doubts))
    for who, one in held.people.items():
        for key in keys[who]:
            student = dict(zip(keys[who], certain.students.get(who, []), strict=False)).get(key)
            result.students.add(key)
            uploads = tuple(found.handed_in.order for found in held.candidates.get(who, []) if found.handed_in.order)
            result.people[key] = person_of(one, student, who in certain.groups, uploads)
        if who in certain.doubts:
            result.notes.append(f"{keys[who][0]}: {certain.doubts[who]}")
        elif listed.students and who not in certain.students:
            result.notes.append(f"{keys[who][0]}: not on the class list, or not for certain; keeps this name")
    for owner, outcome in held.outcomes:
        for key in keys.get(owner, [""]) if owner else [""]:
            result.outcomes.append(outcome._replace(student=key))
    times = {who: times_of(who, found, certain, listed) for who, found in held.candidates.items()}
    stamped = all_at_once(zip_time for zip_time, _ in times.values() if zip_time is not None)
    best = {}
    for who, found in held.candidates.items():
        found.sort(key=lambda one: one.rank, reverse=True)
        best[found[0].position] = who
    for position, entry in enumerate(read_zip(path, wanted)):  # again, so that no class has to fit into memory
        if position not in best or entry.content is None:
            continue
        who = best[position]
        zip_time, sheet_time = times[who]
        received = sheet_time or (None if stamped else zip_time)
        late = held.candidates[who][0].handed_in.late or bool(due and received and received > due)
        for key in keys[who]:
            result.outcomes += place(key, held.candidates[who], entry.content, lab, submitted, received, late)
    fits = is_of_this_assignment(held.people, certain)
    if listed.kind == "worksheet" and not fits:
        result.notes.append("the worksheet is another assignment's: its numbers are not those of this zip")
        result.doubts += 1
    if result.people:
        write_identities(beside(submitted, lab), known_after(before, result.people, listed, certain, keys, lab, fits))
    finish(result, held, certain, listed, keys)
    if stamped and any(sheet is None for _, sheet in times.values()):
        result.notes.append(
            "all times in this zip lie within minutes, as Moodle stamps a download: they were not used"
            + (", and --due could call nobody late" if due else "")
            + "; Moodle's grading worksheet, as --students, has the real ones"
        )
    if listed.kind == "worksheet" and not any(sheet for _, sheet in times.values()):
        unread = unreadable_time(cell for student in listed.students for cell in student.cells)
        if unread:
            result.notes.append(f"the worksheet's times are written as {unread!r}, which is not known here: not used")
    return result


def strangers(path: Path, held: Contents, listed: ClassList) -> None:
    """Refuse a list that has nothing to do with the zip: nobody's name is on it. Canvas may hide all names.

    Raises:
        CourseError: if it is so.
    """
    names = {name for student in listed.students for name in student.names}
    people = list(held.people.values())
    if not any(one.anonymous or letters(one.name) in names for one in people):
        one = people[0]
        raise CourseError(
            f"nobody in {path} is on the class list: the zip has e.g. {one.name!r} with number {one.number}, the list "
            f"has e.g. {listed.students[0].id!r}; is it another assignment's or another course's?"
        )


def times_of(
    who: Who, found: list[Candidate], certain: Resolved, listed: ClassList
) -> tuple[datetime | None, datetime | None]:
    """When the zip and when the worksheet says that somebody handed in."""
    mine = certain.students.get(who, []) if listed.kind == "worksheet" else []
    sheet = next((moment for student in mine if (moment := submitted_at(student.cells)) is not None), None)
    return when(max(found, key=lambda one: one.rank)), sheet


def name_folders(held: Contents, certain: Resolved, before: Identities) -> dict[Who, list[str]]:
    """The folders of each LMS student, no two the same: the list's id, or the name and number, or what it was before.

    Whoever Canvas hid behind a number and now names keeps the folder, and with it the marks: the uploads are the same.
    """
    hidden = {key: person for key, person in before.people.items() if person.anonymous or key.startswith("anon_")}
    earlier = {order: key for key, person in hidden.items() for order in person.uploads}
    numbers = {person.canvas: key for key, person in hidden.items() if person.canvas}
    keys: dict[Who, list[str]] = {}
    taken: set[str] = set()
    for who, one in sorted(held.people.items()):
        orders = [found.handed_in.order for found in held.candidates.get(who, [])]
        known = next((earlier[order] for order in orders if order in earlier), numbers.get(str(one.number)))
        if one.system != "canvas":
            known = None
        mine = [known] if known else [student.id for student in certain.students.get(who, [])] or [one.key]
        keys[who] = [key if key not in taken else f"{who[0]}-{key}" for key in mine]
        taken |= set(keys[who])
    return keys


def finish(result: Collected, held: Contents, certain: Resolved, listed: ClassList, keys: dict[Who, list[str]]) -> None:
    """Note who is missing, who handed in no notebook, and what to beware of."""
    result.without = sorted(key for who in held.people if not held.candidates.get(who) for key in keys[who])
    there = {student.id for students in certain.students.values() for student in students}
    result.missing = sorted({student.id for student in listed.students} - there)
    moodle = [one for one in held.people.values() if one.system == "moodle"]
    if moodle and not listed.students:
        if certain.groups:
            result.notes.append(
                "these are hand-ins of groups: give Moodle's grading worksheet, which says who is in which, as "
                "--students"
            )
        else:
            result.notes.append(
                "Moodle numbers students anew in each assignment: give its grading worksheet, or a class list, as "
                "--students, so that a student has one name in all labs"
            )
    if any(one.anonymous for one in held.people.values()):
        result.notes.append(
            "Canvas hides who these students are: canvas.csv will leave them out; once names are shown, download and "
            "collect again before you send grades back"
        )


def summary(result: Collected) -> list[str]:
    """Lines for the person who collects: each file, what to beware of, who is missing, and the count."""
    lines = [f"{shown(one.file)}  ->  {one.student or '-'}: {one.became}" for one in result.outcomes]
    lines += [f"Note: {note}" for note in result.notes]
    if result.without:
        lines.append(f"No notebook from {len(result.without)} who handed something in: {', '.join(result.without)}")
    if result.missing:
        lines.append(f"Nothing from {len(result.missing)} on the class list: {', '.join(result.missing)}")
    looks = sum(outcome.look for outcome in result.outcomes)
    count = f"{len(result.students)} students"
    if result.without:
        count += f", {len(result.students) - len(result.without)} with a notebook"
    lines.append(count + (f"; {looks} files need a look" if looks else ""))
    return lines
