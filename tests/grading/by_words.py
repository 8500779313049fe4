"""A stand-in for the engine, for tests of everything around it."""

from __future__ import annotations

from vae_lab.grading.classroom.job import Job
from vae_lab.grading.results import CellResult, SubmissionResult


def by_words(job: Job) -> SubmissionResult:
    """A stand-in for the engine: wrong is what says so."""
    cells = {}
    for cell in job.lab.graded:
        good = None if cell.role == "written" else b"wrong" not in job.content
        message = "" if good is not False else "this is wrong"
        cells[cell.grade_id] = CellResult(cell.points if good else 0.0, cell.points, good, message)
    return SubmissionResult(job.student, job.lab.name, "manual", cells, seconds=0.1)
