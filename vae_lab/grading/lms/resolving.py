"""Which students of the class list a name in an LMS's zip means: one, the members of a group, or nobody for certain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from vae_lab.grading.lms.class_list import ClassList, Student
from vae_lab.grading.lms.names import UploadName, letters

Who = tuple[str, str]  # the system, and what tells its students apart there


@dataclass
class Resolved:
    """For whom it is certain who they are, by who they are in the zip; what a person should know about the others.

    `groups` names those who are a group, whether its members are known or not.
    """

    students: dict[Who, list[Student]] = field(default_factory=dict)
    doubts: dict[Who, str] = field(default_factory=dict)
    groups: dict[Who, str] = field(default_factory=dict)


def resolve(handed_in: Iterable[UploadName], listed: ClassList) -> Resolved:
    """Find each LMS student of a zip on the class list.

    Groups are known by their names, if the list has a column with them. Else the number decides where the list has it
    and the name does not speak against it. Else the name does, if exactly one student on the list and exactly one in
    the zip have it. Two LMS students never get one student of the list, but a group's members all get what it handed
    in.

    Args:
        handed_in: what the names in the zip say, one for each LMS student.
        listed: the class list.
    """
    people = {one.who: one for one in handed_in}
    found = Resolved(groups=groups(people, listed))
    column = group_column(people, listed)
    for who, group in found.groups.items():
        members = [
            student
            for student in listed.students
            if column is not None and letters(student.cells[column]) == letters(group)
        ]
        if members:
            found.students[who] = members
        else:
            found.doubts[who] = f"handed in by the group {group!r}; the class list does not say who is in it"
    certain: dict[Who, Student] = {}
    for who, one in people.items():
        if who in found.groups or one.anonymous:
            continue
        student = by_number(one, listed)
        if student is None:
            continue
        if problem := contradiction(one, student, listed):
            found.doubts[who] = problem
        else:
            certain[who] = student
    unsaid = {who: one for who, one in people.items() if who not in found.groups and who not in found.doubts}
    certain |= by_name(unsaid, certain, listed)
    once = Counter(student.id for student in certain.values())
    found.students |= {who: [student] for who, student in certain.items() if once[student.id] == 1}
    for who in found.students:
        found.doubts.pop(who, None)
    return found


def by_number(one: UploadName, listed: ClassList) -> Student | None:
    """The student with this number in this system, or None."""
    return next(
        (student for student in listed.students if one.number and student.numbers.get(one.system) == one.number), None
    )


def contradiction(one: UploadName, student: Student, listed: ClassList) -> str:
    """Why a number of the list cannot be the zip's, or "": what the zip calls its owner is not that student's name.

    Canvas's numbers are a user's for good, so a name that is nobody's else may be a new one, or a group's.
    """
    name = letters(one.name)
    words = [letters(word) for word in f"{student.person.first} {student.person.last} {student.person.name}".split()]
    words = [word for word in words if len(word) > 1]
    if not words or name in student.names or any(word in name for word in words) or name == letters(listed.label):
        return ""
    others = [other for other in listed.students if name in other.names]
    if one.system == "canvas" and not others:
        return ""
    return f"number {one.number} is {student.id}'s on the class list, but the zip calls it {one.name!r}"


def by_name(people: dict[Who, UploadName], certain: dict[Who, Student], listed: ClassList) -> dict[Who, Student]:
    """Those whose name is one student's alone, on the list and in the zip."""
    taken = {student.id for student in certain.values()}
    wanted = Counter(letters(one.name) for who, one in people.items() if who not in certain)
    left = [student for student in listed.students if student.id not in taken]
    found = {}
    for who, one in people.items():
        matches = [student for student in left if letters(one.name) in student.names]
        if who not in certain and wanted[letters(one.name)] == 1 and len(matches) == 1:
            found[who] = matches[0]
    return found


def groups(people: dict[Who, UploadName], listed: ClassList) -> dict[Who, str]:
    """Who of the zip is a group: all of Moodle's, once one of them has no number, else whoever has a group's name."""
    moodle = {who: one for who, one in people.items() if one.system == "moodle"}
    if any(not one.number for one in moodle.values()):
        return {who: one.name for who, one in moodle.items()}
    column = group_column(people, listed)
    if column is None:
        return {}
    called = {letters(student.cells[column]) for student in listed.students}
    return {who: one.name for who, one in moodle.items() if letters(one.name) in called}


def group_column(people: dict[Who, UploadName], listed: ClassList) -> int | None:
    """The column of a worksheet with names of groups, in any language: those that the zip has, and nobody's own."""
    own = {name for student in listed.students for name in student.names}
    called = (
        {letters(one.name) for one in people.values() if one.system == "moodle"} - own - {letters(listed.label), ""}
    )
    for column in range(1, len(listed.table.head)):
        if any(letters(student.cells[column]) in called for student in listed.students):
            return column
    return None
