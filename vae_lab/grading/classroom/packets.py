"""What travels between machines: bytes with a digest, and JSON that is checked when it arrives, in both directions.

    packet = one line of JSON ("head") + newline + the bytes that the head speaks of (may be none)

Nothing is unpickled here. What arrives is believed as little as a student's message: every field has a type and a
bound, an answer belongs to the job it was asked for, and its points are those that the lab gives.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, NamedTuple

from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.results import CellResult, SubmissionResult

FORMAT = 1
LONGEST_HEAD = 8 << 20  # bytes: an answer with all its messages is a few kilobytes
LONGEST_TEXT = 1 << 16  # characters of one message
MOST_FLAGS = 1000


class BadPacket(ValueError):
    """What arrived is not what was asked for; the text says how."""


class LabFile(NamedTuple):
    """An instructor's lab on its way: its name, the bytes of its notebook, and what is to shut submissions in.

    `optimizers` is whether a notebook that is due points to any; it does not travel, for only this machine is warmed
    up for one class.
    """

    name: str
    data: bytes
    sandbox: Sandbox = "required"
    optimizers: bool = True


class JobPacket(NamedTuple):
    """One submission on its way to a worker.

    `absent` are the modules that it imports and that are not installed where the class is graded from: a worker on
    which others are absent would judge it differently. `judge` is the digest of what is to judge it.
    """

    student: str
    lab: str
    content: bytes
    limits: Limits
    sandbox: Sandbox
    absent: tuple[str, ...]
    judge: str


def packed(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """A head and the bytes it speaks of, whose digest goes into it."""
    return (
        json.dumps({"format": FORMAT, **head, "sha256": hashlib.sha256(body).hexdigest()}, sort_keys=True).encode()
        + b"\n"
        + body
    )


def unpacked(packet: object) -> tuple[dict[str, Any], bytes]:
    """The inverse.

    Raises:
        BadPacket: if it is no packet, of another format, or not whole.
    """
    if type(packet) is not bytes:
        raise BadPacket(f"bytes were expected, and {type(packet).__name__} came")
    line, newline, body = packet.partition(b"\n")
    if not newline or len(line) > LONGEST_HEAD:
        raise BadPacket("what came has no head")
    try:
        head = json.loads(line, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise BadPacket("the head of what came is not JSON") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise BadPacket("what came has another format: the two machines have different versions of vae-lab")
    if head.get("sha256") != hashlib.sha256(body).hexdigest():
        raise BadPacket("what came is not whole: its digest differs")
    return head, body


def refuse_constant(name: str) -> None:
    """JSON has no NaN and no infinity, though Python reads them.

    Raises:
        ValueError: always.
    """
    raise ValueError(name)


def wanted(head: Mapping[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
    """A field of the right type; a bool is no number.

    Raises:
        BadPacket: if it is missing or of another.
    """
    value = head.get(key)
    if type(value) not in (kind if isinstance(kind, tuple) else (kind,)):
        raise BadPacket(f"{key!r} is missing or is no {getattr(kind, '__name__', 'number')}")
    if type(value) is str and len(value) > LONGEST_TEXT:
        raise BadPacket(f"{key!r} has {len(value):,} characters")
    return value


def pack_lab(lab: LabFile) -> bytes:
    """A lab, sent once to each worker."""
    return packed({"kind": "lab", "name": lab.name, "sandbox": lab.sandbox}, lab.data)


def unpack_lab(packet: object) -> LabFile:
    """A lab as it arrives."""
    head, body = unpacked(packet)
    if head.get("kind") != "lab" or head.get("sandbox") not in ("required", "unsafe"):
        raise BadPacket("a lab was expected")
    return LabFile(wanted(head, "name", str), body, head["sandbox"])


def pack_job(job: JobPacket) -> bytes:
    """A submission; the lab is named by its digest alone."""
    head = {"student": job.student, "lab": job.lab, "limits": asdict(job.limits), "sandbox": job.sandbox}
    return packed({"kind": "job", **head, "absent": list(job.absent), "judge": job.judge}, job.content)


def unpack_job(packet: object) -> JobPacket:
    """A submission as it arrives at a worker."""
    head, body = unpacked(packet)
    if head.get("kind") != "job" or head.get("sandbox") not in ("required", "unsafe"):
        raise BadPacket("a job was expected")
    limits = limits_from_json(wanted(head, "limits", dict))
    absent = texts(head, "absent")
    student, lab, judge = (wanted(head, key, str) for key in ("student", "lab", "judge"))
    return JobPacket(student, lab, body, limits, head["sandbox"], absent, judge)


def limits_from_json(said: Mapping[str, Any]) -> Limits:
    """Limits, each a number above zero.

    Raises:
        BadPacket: if some are missing or unknown, as they are to another version.
    """
    known = {field.name: type(getattr(Limits(), field.name)) for field in fields(Limits)}
    if said.keys() != known.keys():
        raise BadPacket(f"limits differ: {', '.join(sorted(map(str, said.keys() ^ known.keys())))}")
    found = {name: wanted(said, name, (int, float) if kind is float else kind) for name, kind in known.items()}
    if not all(0 < number < math.inf for number in found.values()):
        raise BadPacket("a limit is not above zero")
    return Limits(**found)


def texts(head: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts."""
    found = wanted(head, key, list)
    if len(found) > MOST_FLAGS or any(type(one) is not str or len(one) > LONGEST_TEXT for one in found):
        raise BadPacket(f"{key!r} is no list of texts")
    return tuple(found)


def result_to_json(result: SubmissionResult) -> dict[str, Any]:
    """All of a result, the parts that `--json` leaves out too."""
    return result.to_json() | {"reason": result.reason, "resources": dict(result.resources)}


def result_from_json(said: Mapping[str, Any], lab: Lab, student: str) -> SubmissionResult:
    """A result as it arrives, held against the lab.

    Raises:
        BadPacket: if it is another student's or lab's, or its cells and points are not those that the lab gives.
    """
    if wanted(said, "student", str) != student:
        raise BadPacket(f"the result of {student} was asked for, and one of another student came")
    if wanted(said, "lab", str) != lab.name:
        raise BadPacket(f"a result of the lab {lab.name} was asked for, and one of another came")
    told = wanted(said, "cells", dict)
    if told.keys() != {cell.grade_id for cell in lab.graded}:
        raise BadPacket("the cells of the result are not those of the lab")
    error = said.get("status") == "error"
    cells = {cell.grade_id: cell_from_json(told[cell.grade_id], cell.points, error) for cell in lab.graded}
    waits = any(cell.passed is None for cell in cells.values())
    if said.get("status") not in ("error", "manual" if waits else "graded"):
        raise BadPacket("the status of the result does not go with its cells")
    used = wanted(said, "resources", dict)
    for name in used:
        wanted(used, name, (int, float))
    seconds = wanted(said, "seconds", (int, float))
    if not 0 <= seconds < 1e7:
        raise BadPacket("the seconds of the result are no time")
    reason = wanted(said, "reason", str)
    if error != bool(reason):
        raise BadPacket("an error without a reason, or a reason without an error")
    return SubmissionResult(
        student, lab.name, said["status"], cells, float(seconds), texts(said, "flags"), reason, dict(used)
    )


def cell_from_json(said: Any, points: float, error: bool) -> CellResult:
    """One cell's verdict: all of its points or none, and none while it waits or where the grader failed."""
    if not isinstance(said, dict) or said.keys() != {"points", "max_points", "passed", "message"}:
        raise BadPacket("a cell of the result is malformed")
    earned, most = (wanted(said, key, (int, float)) for key in ("points", "max_points"))
    if said["passed"] not in (True, False, None) or type(said["passed"]) not in (bool, type(None)):
        raise BadPacket("a cell of the result has no verdict")
    if most != points or earned != (points if said["passed"] and not error else 0.0):
        raise BadPacket("the points of a cell are not those that the lab gives")
    return CellResult(float(earned), float(most), said["passed"], wanted(said, "message", str))


def job_digest(packet: bytes) -> str:
    """By which an answer says what it answers."""
    return hashlib.sha256(packet).hexdigest()
