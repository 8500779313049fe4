"""What collecting finds out about who is who, put together for the files that go back."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vae_lab.grading.classroom.identities import Identities
from vae_lab.grading.lms.class_list import ClassList, Student, apart
from vae_lab.grading.lms.names import UploadName
from vae_lab.grading.lms.resolving import Resolved, Who
from vae_lab.grading.marks import Person, Worksheet


def person_of(one: UploadName, student: Student | None, group: bool, uploads: tuple[int, ...]) -> Person:
    """What is known of one student: what the list says, and what the zip says where the list is silent.

    A group's number is none of its members', and a name of one word may be no name at all but "Participant".
    """
    person = (student.person if student else Person())._replace(uploads=uploads, collected=True)
    if one.anonymous:
        return person._replace(anonymous=one.anonymous)
    if one.system == "canvas":
        return person._replace(canvas=str(one.number), lms=person.lms or str(one.number))
    number = str(one.number)
    if group:
        number = str(student.numbers.get("moodle", "")) if student else ""
    if not person.first and not person.last and not group and len(one.name.split()) > 1:
        first, last = apart(one.name)
        person = person._replace(first=first, last=last)
    return person._replace(participant=number, name=person.name or ("" if group else one.name))


def is_of_this_assignment(people: Mapping[Who, UploadName], certain: Resolved) -> bool:
    """Whether a list's numbers are those of the zip: Moodle has new ones for each assignment.

    Grades in another assignment's worksheet would reach other students. A group's number says nothing about it.
    """
    return all(
        student.numbers.get("moodle", people[who].number) == people[who].number
        for who, students in certain.students.items()
        for student in students
        if who[0] == "moodle" and who not in certain.groups
    )


def known_after(
    before: Identities,
    people: Mapping[str, Person],
    listed: ClassList,
    certain: Resolved,
    keys: Mapping[Who, list[str]],
    lab: str,
    fits: bool,
) -> Identities:
    """What was known before and what this zip and list add to it; `fits` says that a worksheet is this assignment's."""
    sheet, head = before.worksheet, before.canvas_head
    if listed.kind == "worksheet" and fits:
        whose = {
            student.row: key
            for who, students in certain.students.items()
            for student, key in zip(students, keys[who], strict=True)
        }
        rows = listed.table.rows
        sheet = Worksheet(
            listed.table.head, rows, tuple(whose.get(number, "") for number in range(len(rows))), listed.table.delimiter
        )
    if listed.kind == "canvas":
        heads = [name for name in listed.table.head if re.sub(r"\s*\(\d+\)$", "", name).casefold() == lab.casefold()]
        head = heads[0] if len(heads) == 1 else ""
    merged = dict(before.people)
    for key, person in people.items():
        old = merged.get(key, Person())
        new = {name: value or getattr(old, name) for name, value in person._asdict().items()}
        if person.canvas:
            new["anonymous"] = ""
        new["uploads"] = tuple(sorted({*old.uploads, *person.uploads}))
        merged[key] = Person(**new)
    return Identities(merged, sheet, head)
