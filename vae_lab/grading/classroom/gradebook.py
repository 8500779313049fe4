"""Write results into nbgrader's gradebook, as nbgrader's own autograde would have left it, many at a time.

Marks and comments that a person gave are never changed. One process writes; any database SQLAlchemy can open will do.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from nbgrader import api, utils
from sqlalchemy.engine import URL

from vae_lab.grading.classroom.database import begin, told
from vae_lab.grading.classroom.gradebook_rows import read_marks, read_people
from vae_lab.grading.course import CourseError
from vae_lab.grading.lab.nbgrader_cells import as_nbgrader_saves_it, cells_of
from vae_lab.grading.marks import GradebookEntry, Mark, Person, auto_score


class LabGradebook:
    """nbgrader's gradebook, opened for one lab.

    Args:
        url: which database; it and its tables are made if they are missing.
        lab: the lab's name, nbgrader's assignment and notebook.
        source: text of `solutions/<lab>/<lab>.ipynb`.

    Raises:
        CourseError: if the database cannot be used, or holds hand-given marks for cells that the lab no longer has.
    """

    def __init__(self, url: URL, lab: str, source: str) -> None:
        self.url, self.lab = url, lab
        with told(url):
            begin(url)
            self.gradebook = api.Gradebook(url.render_as_string(hide_password=False))
        try:
            with told(url):
                self._prepare(source)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LabGradebook:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.gradebook.close()

    def _prepare(self, source: str) -> None:
        """Make or bring up to date the assignment, its notebook and its cells, in one transaction."""
        session = self.gradebook.db
        assignment = session.scalar(sa.select(api.Assignment).filter_by(name=self.lab))
        if assignment is None:
            assignment = api.Assignment(name=self.lab, course_id=self.gradebook.course_id)
            session.add(assignment)
        notebook = next((book for book in assignment.notebooks if book.name == self.lab), None)
        if notebook is None:
            notebook = api.Notebook(name=self.lab, assignment=assignment)
            session.add(notebook)
        master = as_nbgrader_saves_it(source)
        notebook.kernelspec = json.dumps(master.metadata.get("kernelspec", {}))
        session.flush()
        wanted = dict(cells_of(master))
        there: dict[tuple[type, str], Any] = {(type(cell), cell.name): cell for cell in notebook._base_cells}
        there |= {(api.SourceCell, cell.name): cell for cell in notebook.source_cells}
        for gone in [key for key in there if key not in wanted]:
            self._remove(there[gone])
        for (kind, name), about in wanted.items():
            cell = there.get((kind, name))
            if cell is None:
                session.add(kind(name=name, notebook=notebook, **about))
            else:
                for attribute, value in about.items():
                    setattr(cell, attribute, value)
        session.commit()
        self.notebook_id = notebook.id
        self.assignment_id = assignment.id
        self.grade_cells = {cell.name: cell.id for cell in notebook.grade_cells}
        self.solution_cells = {cell.name: cell.id for cell in notebook.solution_cells}

    def _remove(self, cell: Any) -> None:
        """Take a cell out that the lab no longer has, unless a person has given marks or comments for it."""
        session = self.gradebook.db
        if not isinstance(cell, api.SourceCell):
            marks = session.scalars(sa.select(api.Grade).filter_by(cell_id=cell.id)).all()
            notes = session.scalars(sa.select(api.Comment).filter_by(cell_id=cell.id)).all()
            if any(mark.manual_score is not None for mark in marks) or any(note.manual_comment for note in notes):
                session.rollback()
                raise CourseError(
                    f"the gradebook holds marks given by hand for {cell.name}, which {self.lab} no longer has; "
                    "put the cell back, or use another --db"
                )
            for row in (*marks, *notes):
                session.delete(row)
            session.flush()
        session.delete(cell)

    def write(self, entries: Iterable[GradebookEntry]) -> None:
        """Record results in one transaction; what a person has given stays.

        A written answer waits for a person until it has a mark, and again when its notebook changes.

        Raises:
            CourseError: if the database refuses; nothing of these entries is recorded then.
        """
        batch = {entry.result.student: entry for entry in entries}
        if not batch:
            return
        session = self.gradebook.db
        try:
            with told(self.url):
                notebooks = self._submitted_notebooks(batch)
                ids = [notebook.id for notebook in notebooks.values()]
                grades = self._rows(api.Grade, ids, self.grade_cells.values())
                comments = self._rows(api.Comment, ids, self.solution_cells.values())
                for student, entry in batch.items():
                    notebook_id = notebooks[student].id
                    for name, cell_id in self.grade_cells.items():
                        grade = grades.get((notebook_id, cell_id))
                        if grade is None:
                            grade = api.Grade(cell_id=cell_id, notebook_id=notebook_id)
                            session.add(grade)
                        set_grade(grade, entry, name)
                    for name, cell_id in self.solution_cells.items():
                        comment = comments.get((notebook_id, cell_id))
                        if comment is None:
                            comment = api.Comment(cell_id=cell_id, notebook_id=notebook_id)
                            session.add(comment)
                        comment.auto_comment = "No response." if name in entry.unanswered else None
                session.commit()
        finally:
            session.rollback()
            session.expunge_all()

    def _rows(self, kind: Any, notebooks: list[str], cells: Iterable[str]) -> dict[tuple[str, str], Any]:
        """The grades or comments of some notebooks, by notebook and cell.

        nbgrader's index begins with the cell: asked for by notebook alone, the whole table is read for each batch.
        """
        wanted = sa.select(kind).where(kind.cell_id.in_(list(cells)), kind.notebook_id.in_(notebooks))
        return {(row.notebook_id, row.cell_id): row for row in self.gradebook.db.scalars(wanted)}

    def _submitted_notebooks(self, batch: Mapping[str, GradebookEntry]) -> dict[str, Any]:
        """The gradebook's rows for these students' notebooks, made where they are missing."""
        session = self.gradebook.db
        known = set(session.scalars(sa.select(api.Student.id).where(api.Student.id.in_(batch))))
        session.add_all([api.Student(id=student) for student in batch if student not in known])
        session.flush()
        handed_in = {
            row.student_id: row
            for row in session.scalars(
                sa.select(api.SubmittedAssignment).where(
                    api.SubmittedAssignment.assignment_id == self.assignment_id,
                    api.SubmittedAssignment.student_id.in_(batch),
                )
            )
        }
        for student in batch:
            if student not in handed_in:
                handed_in[student] = api.SubmittedAssignment(assignment_id=self.assignment_id, student_id=student)
                session.add(handed_in[student])
        session.flush()
        by_id = {row.id: student for student, row in handed_in.items()}
        notebooks = {
            by_id[row.assignment_id]: row
            for row in session.scalars(
                sa.select(api.SubmittedNotebook).where(
                    api.SubmittedNotebook.notebook_id == self.notebook_id,
                    api.SubmittedNotebook.assignment_id.in_(by_id),
                )
            )
        }
        for student, entry in batch.items():
            with contextlib.suppress(ValueError, OverflowError):  # a timestamp that is none is no reason to stop
                handed_in[student].timestamp = utils.parse_utc(entry.timestamp or None)
            if student not in notebooks:
                notebooks[student] = api.SubmittedNotebook(
                    notebook_id=self.notebook_id, assignment_id=handed_in[student].id
                )
                session.add(notebooks[student])
        session.flush()
        return notebooks

    def marks(self) -> dict[str, dict[str, Mark]]:
        """For each student and graded cell, what stands in the gradebook now."""
        with told(self.url), self.gradebook.engine.connect() as connection:
            return read_marks(connection, self.lab)

    def introduce(self, people: Mapping[str, Person]) -> None:
        """Note names, addresses and LMS ids of students that the gradebook has; what stands there already stays."""
        with told(self.url):
            session = self.gradebook.db
            for student in session.scalars(sa.select(api.Student)):
                person = people.get(student.id, Person())
                student.first_name = student.first_name or person.first or None
                student.last_name = student.last_name or person.last or None
                student.email = student.email or person.email or None
                student.lms_user_id = student.lms_user_id or person.lms or None
            session.commit()
            session.expunge_all()

    def people(self) -> dict[str, Person]:
        """Names and addresses of all students the gradebook knows."""
        with told(self.url), self.gradebook.engine.connect() as connection:
            return read_people(connection)


def set_grade(grade: Any, entry: GradebookEntry, name: str) -> None:
    """Set what the grader gives for one cell; `manual_score` and `extra_credit` are a person's and stay."""
    grade.auto_score = auto_score(entry.result, name)
    if grade.manual_score is None:
        grade.needs_manual_grade = grade.auto_score is None
    elif entry.look_again:
        grade.needs_manual_grade = True
