"""What a worker process does for one submission; without nbgrader, so that it starts fast."""

from __future__ import annotations

from typing import NamedTuple

from vae_lab.grading.judge.engine import grade_submission
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.results import SubmissionResult


class Job(NamedTuple):
    """What a worker needs to grade one submission; plain data, so any `concurrent.futures` executor can take it."""

    lab: Lab
    student: str
    content: bytes
    limits: Limits
    sandbox: Sandbox


def grade_job(job: Job) -> SubmissionResult:
    """Bytes in, result out."""
    return grade_submission(job.lab, job.student, job.content, limits=job.limits, sandbox=job.sandbox)
