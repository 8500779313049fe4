"""Read an nbgrader gradebook: the marks of one lab and the people it knows.

With SQLAlchemy alone: importing `nbgrader.api` loads Jupyter's server, and a report needs none of it.
"""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from vae_lab.grading.classroom.database import told
from vae_lab.grading.marks import Mark, Person


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns))


ASSIGNMENT = _table("assignment", "id", "name")
NOTEBOOK = _table("notebook", "id", "name", "assignment_id")
HANDED_IN = _table("submitted_assignment", "id", "assignment_id", "student_id")
SUBMITTED_NOTEBOOK = _table("submitted_notebook", "id", "assignment_id", "notebook_id")
CELL = _table("base_cell", "id", "name")
GRADE = _table("grade", "cell_id", "notebook_id", "auto_score", "manual_score", "extra_credit", "needs_manual_grade")
COMMENT = _table("comment", "cell_id", "notebook_id", "manual_comment")
STUDENT = _table("student", "id", "first_name", "last_name", "email", "lms_user_id")


def read_marks(connection: Connection, lab: str) -> dict[str, dict[str, Mark]]:
    """For each student and graded cell of a lab, what stands in the gradebook now."""
    whose = (
        SUBMITTED_NOTEBOOK.join(HANDED_IN, SUBMITTED_NOTEBOOK.c.assignment_id == HANDED_IN.c.id)
        .join(NOTEBOOK, SUBMITTED_NOTEBOOK.c.notebook_id == NOTEBOOK.c.id)
        .join(ASSIGNMENT, NOTEBOOK.c.assignment_id == ASSIGNMENT.c.id)
    )
    this_lab = (ASSIGNMENT.c.name == lab) & (NOTEBOOK.c.name == lab)
    found: dict[str, dict[str, Mark]] = {}
    grades = (
        sa.select(
            HANDED_IN.c.student_id,
            CELL.c.name,
            GRADE.c.auto_score,
            GRADE.c.manual_score,
            GRADE.c.extra_credit,
            GRADE.c.needs_manual_grade,
        )
        .select_from(
            GRADE.join(whose, GRADE.c.notebook_id == SUBMITTED_NOTEBOOK.c.id).join(CELL, GRADE.c.cell_id == CELL.c.id)
        )
        .where(this_lab)
    )
    for student, name, auto, manual, extra, waits in connection.execute(grades):
        found.setdefault(student, {})[name] = Mark(auto, manual, extra, bool(waits))
    notes = (
        sa.select(HANDED_IN.c.student_id, CELL.c.name, COMMENT.c.manual_comment)
        .select_from(
            COMMENT.join(whose, COMMENT.c.notebook_id == SUBMITTED_NOTEBOOK.c.id).join(
                CELL, COMMENT.c.cell_id == CELL.c.id
            )
        )
        .where(this_lab & COMMENT.c.manual_comment.is_not(None))
    )
    for student, name, said in connection.execute(notes):
        mark = found.setdefault(student, {}).get(name, Mark(None, None, None, False))
        found[student][name] = replace(mark, comment=said)
    return found


def read_people(connection: Connection) -> dict[str, Person]:
    """Names and addresses of all students the gradebook knows."""
    who = STUDENT.c
    rows = connection.execute(sa.select(who.id, who.first_name, who.last_name, who.email, who.lms_user_id))
    return {row[0]: Person(*[str(field or "") for field in row[1:5]]) for row in rows}  # type: ignore[arg-type]


def read_gradebook(url: URL, lab: str) -> tuple[dict[str, dict[str, Mark]], dict[str, Person]]:
    """The marks of one lab and the people; both empty where there is no gradebook yet.

    Raises:
        CourseError: if the database cannot be used.
    """
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with told(url), engine.connect() as connection:
        if not sa.inspect(connection).has_table(GRADE.name):
            return {}, {}
        return read_marks(connection, lab), read_people(connection)
