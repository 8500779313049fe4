"""One lab of a course, and where its class's things are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from vae_lab.grading.classroom.database import database_url
from vae_lab.grading.classroom.gradebook_rows import read_gradebook
from vae_lab.grading.classroom.records import Records
from vae_lab.grading.course import Course, CourseError
from vae_lab.grading.lab.cells import Notebook
from vae_lab.grading.lab.release import release_notebook
from vae_lab.grading.lab.source import Lab, load_lab
from vae_lab.grading.marks import Mark, Person
from vae_lab.language import SOURCE

if TYPE_CHECKING:
    from vae_lab.grading.classroom.gradebook import LabGradebook


@dataclass(frozen=True)
class Classroom:
    """One lab of a course, and where its class's things are.

    Args:
        course: the folder with `solutions/`.
        name: the lab.
        out: where `autograded/`, `feedback/`, `report/` and the default gradebook go.
        db: the gradebook's SQLAlchemy URL, or None for `gradebook.db` in `out`.
    """

    course: Course
    name: str
    out: Path
    db: str | None = None

    @cached_property
    def source(self) -> str:
        """Text of the lab's source."""
        return self.course.source(self.name).read_text(encoding="utf-8")

    @cached_property
    def lab(self) -> Lab:
        """The lab as the grading engine reads it."""
        try:
            return load_lab(self.course.source(self.name))
        except ValueError as error:
            raise CourseError(error) from error

    @cached_property
    def released(self) -> Notebook:
        """The lab as students got it."""
        return self.released_in(SOURCE)

    def released_in(self, language: str) -> Notebook:
        """The lab as students of a language got it."""
        try:
            notebook: Notebook = json.loads(release_notebook(self.source, self.name, language))
        except ValueError as error:
            raise CourseError(error) from error
        return notebook

    @property
    def records(self) -> Records:
        """What has been graded so far."""
        return Records(self.out / "report" / self.name / "records")

    def judged_by(self, judge: str) -> Path:
        """Where it is kept what a judge's digest stands for."""
        return self.out / "report" / self.name / "judges" / f"{judge}.json"

    @property
    def identities(self) -> Path:
        """Who is who in the LMS, as collecting found out."""
        return self.out / "report" / self.name / "lms.json"

    def book(self) -> LabGradebook:
        """The gradebook, opened for writing; made if it is missing."""
        from vae_lab.grading.classroom.gradebook import LabGradebook  # nbgrader, which takes seconds to import

        url, _ = database_url(self.db, self.out), self.released  # a faulty lab is told before anything is opened
        self.out.mkdir(parents=True, exist_ok=True)
        return LabGradebook(url, self.name, self.source)

    def read_gradebook(self) -> tuple[dict[str, dict[str, Mark]], dict[str, Person]]:
        """The marks and people that the gradebook holds; none where there is no gradebook."""
        if self.db is None and not (self.out / "gradebook.db").is_file():
            return {}, {}
        return read_gradebook(database_url(self.db, self.out), self.name)

    def file(self, kind: str, student: str) -> Path:
        """Where nbgrader looks for a student's "autograded" notebook or "feedback" page."""
        suffix = "ipynb" if kind == "autograded" else "html"
        return self.out / kind / student / self.name / f"{self.name}.{suffix}"
