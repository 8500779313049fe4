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
    pair: str = ""  # the address of warm processes that all workers of this machine share; "" for a worker's own


def grade_job(job: Job) -> SubmissionResult:
    """Bytes in, result out."""
    lab, student, content, limits, sandbox, pair = job
    return grade_submission(lab, student, content, limits=limits, sandbox=sandbox, pair=pair)
