"""The other side of `worker`: jobs made into packets, and what comes back believed only after it has been checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vae_lab.grading.classroom.job import Job
from vae_lab.grading.classroom.judged_by import difference, digest_of_judge, judged_by
from vae_lab.grading.classroom.needed import needed_by
from vae_lab.grading.classroom.packets import (
    BadPacket,
    JobPacket,
    LabFile,
    job_digest,
    pack_job,
    pack_lab,
    result_from_json,
    unpacked,
    wanted,
)
from vae_lab.grading.classroom.worker import grade_packet, greet
from vae_lab.grading.executors.interface import Failed, Refused, Unacquainted
from vae_lab.grading.limits import Sandbox
from vae_lab.grading.results import SubmissionResult


class ByPacket:
    """How an executor that moves bytes speaks with the workers of a class.

    `greet` and `work` run at a worker; the others here.

    Args:
        sandbox: what is to shut submissions in.
    """

    greet: Callable[[bytes], bytes] = staticmethod(greet)
    work: Callable[[bytes], bytes] = staticmethod(grade_packet)

    def __init__(self, sandbox: Sandbox) -> None:
        self.judge = judged_by(sandbox)
        self.digest = digest_of_judge(self.judge)
        self.lab = ""

    def pack_shared(self, file: LabFile) -> bytes:
        """The lab on its way to a worker."""
        packet = pack_lab(file)
        self.lab = str(unpacked(packet)[0]["sha256"])
        return packet

    def admit(self, packet: object) -> None:
        """Let a worker in that shows the lab and what judges here.

        Raises:
            Refused: if it shows something else; the text names the difference.
        """
        head = checked(packet, "greeting")
        if head.get("lab") != self.lab:
            raise Refused("it has another lab than it was sent")
        self.compare(head)

    def pack(self, job: Job) -> bytes:
        """A submission on its way to a worker."""
        absent = tuple(sorted(needed_by(job.content)))
        return pack_job(
            JobPacket(job.student, job.lab.digest, job.content, job.limits, job.sandbox, absent, self.digest)
        )

    def unpack(self, job: Job, sent: bytes, packet: object) -> SubmissionResult:
        """The result in an answer.

        Raises:
            Refused: if the worker is a stranger, or this is no answer to this job.
            Unacquainted: if it does not know the lab.
            Failed: if the grader failed there.
        """
        head = checked(packet, "answer")
        if head.get("job") != job_digest(sent):
            raise Refused(f"its answer for {job.student} belongs to another job")
        if head.get("judge") != self.digest:
            raise Refused(f"its answer for {job.student} was made by another judge than it has shown")
        try:
            result = result_from_json(wanted(head, "result", dict), job.lab, job.student)
        except BadPacket as error:
            raise Refused(f"its answer for {job.student} is none: {error}") from None
        if result.status == "error":
            raise Failed(result, result.reason)
        return result

    def compare(self, head: Mapping[str, Any]) -> None:
        """Hold what judges there against what judges here.

        Raises:
            Refused: with the difference named.
        """
        there = head.get("judge")
        if not isinstance(there, dict) or not all(type(value) is str for value in there.values()):
            raise Refused("it does not say what judges there")
        if told := difference(self.judge, {name: value[:300] for name, value in there.items()}):
            raise Refused(told)


def checked(packet: object, kind: str) -> dict[str, Any]:
    """The head of a packet of a kind.

    Raises:
        Refused, Unacquainted, Failed: if it is of another, which says why.
    """
    try:
        head, _ = unpacked(packet)
        found = wanted(head, "kind", str)
        if found == kind:
            return head
        if found == "unacquainted":
            raise Unacquainted
        why = wanted(head, "why", str)[:500] if found in ("refused", "failed") else ""
        there = wanted(head, "judge", dict) if found == "stranger" else {}
    except BadPacket as error:
        raise Refused(str(error)) from None
    if found == "failed":
        raise Failed(RuntimeError(why), why)
    if found == "stranger":
        here = judged_by("unsafe" if there.get("sandbox") == "none" else "required")
        raise Refused(difference(here, {str(name): str(value)[:300] for name, value in there.items()}))
    raise Refused(why or f"it sent a {found[:30]!r}")
