"""What a worker on another machine runs: it shows what would judge there, keeps the lab, and grades what comes.

Bytes come and bytes go (`packets`); neither function raises, whatever the bytes are. Trusted: students' code runs in
the sandbox of the worker's machine, as it does where the class is graded from.
"""

from __future__ import annotations

from vae_lab.grading.classroom.judged_by import digest_of_judge, judged_by
from vae_lab.grading.classroom.needed import needed_by
from vae_lab.grading.classroom.packets import (
    BadPacket,
    JobPacket,
    job_digest,
    packed,
    result_to_json,
    unpack_job,
    unpack_lab,
)
from vae_lab.grading.judge.engine import RoomError, grade_submission, shared_pair
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.results import SubmissionResult

_labs: dict[str, Lab] = {}  # by digest: the lab that this process was given last


def greet(packet: bytes) -> bytes:
    """Take the lab, and show what would judge it here."""
    try:
        file = unpack_lab(packet)
        lab = Lab.from_bytes(file.name, file.data)
        _labs.clear()
        _labs[lab.digest] = lab
        return packed({"kind": "greeting", "lab": lab.digest, "judge": dict(judged_by(file.sandbox))})
    except Exception as error:
        return refusal(error)


def grade_packet(packet: bytes) -> bytes:
    """Grade one submission, if this is still the worker that was greeted.

    And if the notebook's imports find here what they would find where the class is graded from.
    """
    try:
        job = unpack_job(packet)
        lab = _labs.get(job.lab)
        if lab is None:
            return packed({"kind": "unacquainted"})
        judge = judged_by(job.sandbox)
        if digest_of_judge(judge) != job.judge:
            return packed({"kind": "stranger", "judge": dict(judge)})
        if other := needed_by(job.content) ^ set(job.absent):
            return packed({"kind": "refused", "why": f"{', '.join(sorted(other))}: installed only on one side"})
        result = grade_beside_others(lab, job)
    except Exception as error:
        return refusal(error)
    return packed({"kind": "answer", "job": job_digest(packet), "judge": job.judge, "result": result_to_json(result)})


def grade_beside_others(lab: Lab, job: JobPacket) -> SubmissionResult:
    """Grade with the warm pair of this machine. One that ended before it was reached is begun anew, once.

    Raises:
        RoomError: if no submission can be graded here.
    """

    def grade() -> SubmissionResult:
        pair = shared_pair(lab, job.sandbox, f"{job.judge[:16]}-{lab.digest[:16]}")
        return grade_submission(lab, job.student, job.content, limits=job.limits, sandbox=job.sandbox, pair=pair)

    try:
        return grade()
    except RoomError:
        return grade()


def refusal(error: Exception) -> bytes:
    """What is wrong, for the other side."""
    kind = "refused" if isinstance(error, BadPacket) else "failed"
    return packed({"kind": kind, "why": f"{type(error).__name__}: {error}"[:500]})
