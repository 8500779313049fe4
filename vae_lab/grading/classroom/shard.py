"""A share of a class, graded on one node into one file, without gradebook or pages: those are made by merging.

DIR/shards/<lab>/03-of-40.jsonl     first a line that says what judges, then a line for each result
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vae_lab.grading.classroom.grade import begun, depends_on, failed, lab_file, nothing_to_read
from vae_lab.grading.classroom.job import Job
from vae_lab.grading.classroom.judged_by import judged_by
from vae_lab.grading.classroom.packets import (
    BadPacket,
    limits_from_json,
    result_from_json,
    result_to_json,
    wanted,
)
from vae_lab.grading.classroom.places import Here, Place
from vae_lab.grading.classroom.room import Classroom
from vae_lab.grading.classroom.submissions import SubmittedFile, find_students, read_submitted_file
from vae_lab.grading.classroom.writer import key_of
from vae_lab.grading.course import CourseError
from vae_lab.grading.executors.interface import ExecutorError
from vae_lab.grading.executors.shards import Lines, Share, read_lines, read_share
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.results import SubmissionResult

FORMAT = 1


@dataclass(frozen=True)
class ShardHead:
    """The first line of a shard's file: which share it is, and all that its results depend on.

    Args:
        share: which.
        lab: the lab's name.
        lab_digest: of its notebook.
        limits: of one submission.
        sandbox: what shut submissions in.
        judge: what judged them.
    """

    share: Share
    lab: str
    lab_digest: str
    limits: Limits
    sandbox: Sandbox
    judge: dict[str, str]

    def to_line(self) -> str:
        """As it is written."""
        plain = asdict(self) | {"share": str(self.share), "format": FORMAT}
        return json.dumps(plain, sort_keys=True)


@dataclass(frozen=True)
class ShardResult:
    """Any other line: a result, and the digest of all that it depends on."""

    result: SubmissionResult
    key: str


@dataclass
class ShardTally:
    """What a run did: how many belong to the share, how many were graded now, how many of all are errors."""

    path: Path
    students: int = 0
    graded: int = 0
    errors: int = 0


def shard_file(folder: Path, lab: str, share: Share) -> Path:
    """Where a share's results are."""
    return folder / "shards" / lab / share.file


def grade_shard(
    room: Classroom,
    submitted: Path,
    share: Share,
    *,
    workers: int = 1,
    limits: Limits | None = None,
    sandbox: Sandbox = "required",
    progress: Callable[[int, int], None] = lambda done, total: None,
    place: Place | None = None,
) -> ShardTally:
    """Grade those of a share that are new or changed, into the share's file under the room's `out`.

    Raises:
        CourseError: if nobody handed in, or another process writes the file.
    """
    limits = limits or Limits()
    lab = room.lab
    mine = [student for student in find_students(submitted, room.name).students if share.holds(student)]
    head = ShardHead(share, room.name, lab.digest, limits, sandbox, dict(judged_by(sandbox)))
    depends = depends_on(room, limits, sandbox)
    tally = ShardTally(shard_file(room.out, room.name, share), len(mine))
    place = place or Here(workers, limits)
    with opened(tally.path) as lines:
        known = results_so_far(tally.path, head, lab)
        if known is None:
            lines.begin_anew()
            lines.append(head.to_line())
        lines.mend()
        kept = known or {}
        keys: dict[str, str] = {}

        def read(student: str) -> SubmittedFile:
            """Read again when it is its turn, so that a share of large notebooks fits into memory."""
            file = read_submitted_file(submitted, student, room.name)
            keys[student] = key_of(file, depends)
            return file

        def is_due(student: str) -> bool:
            read(student)
            return student not in kept or kept[student].key != keys[student] or is_error(kept[student])

        due = [student for student in mine if is_due(student)]

        def take(result: SubmissionResult) -> None:
            kept[result.student] = ShardResult(result, keys[result.student])
            lines.append(json.dumps({"key": keys[result.student], "result": result_to_json(result)}, sort_keys=True))
            tally.graded += 1
            progress(tally.graded, len(due))

        def jobs() -> Iterator[Job]:
            for student in due:
                file = read(student)
                if file.content is None:
                    take(nothing_to_read(lab, file))
                else:
                    yield Job(lab, student, file.content, limits, sandbox)

        progress(0, len(due))
        if due:
            with begun(place, lab_file(room, sandbox)):
                for job, answer in place.run(jobs(), len(due)):
                    take(answer if isinstance(answer, SubmissionResult) else failed(job, answer))
    tally.errors = sum(is_error(kept[student]) for student in mine)
    return tally


def opened(path: Path) -> Lines:
    """The share's file, for this process alone.

    Raises:
        CourseError: if another has it.
    """
    try:
        return Lines(path)
    except ExecutorError as error:
        raise CourseError(error) from error


def is_error(line: ShardResult) -> bool:
    """Whether the grader failed, so that another try is due."""
    return line.result.status == "error"


def results_so_far(path: Path, head: ShardHead, lab: Lab) -> dict[str, ShardResult] | None:
    """The last result of each student in a file; None if it was begun with another lab or judge, or is damaged."""
    try:
        before, results = read_shard(path, lab)
    except CourseError:
        return None
    return {line.result.student: line for line in results} if before == head else None


def read_shard(path: Path, lab: Lab) -> tuple[ShardHead, Iterator[ShardResult]]:
    """The head of a file, and its results as they are read; lines that are damaged are left out.

    Raises:
        CourseError: if it is no shard's file, or was graded with another version of the lab.
    """
    lines = read_lines(path)
    try:
        head = head_from_line(next(lines, ""))
    except (BadPacket, ValueError, OSError) as error:
        raise CourseError(f"{path} is no shard's file, or was cut short at its first line ({error})") from None
    if head.lab != lab.name or head.lab_digest != lab.digest:
        raise CourseError(
            f"{path} was graded with another version of the lab {head.lab} ({head.lab_digest[:8]} there, "
            f"{lab.digest[:8]} here); grade that shard again, or merge where that version is"
        )
    return head, results_in(lines, lab)


def head_from_line(line: str) -> ShardHead:
    """The inverse of `to_line`.

    Raises:
        ValueError: if it is none.
    """
    said = json.loads(line)
    if not isinstance(said, dict) or said.get("format") != FORMAT or said.get("sandbox") not in ("required", "unsafe"):
        raise BadPacket("another format")
    judge = wanted(said, "judge", dict)
    limits = limits_from_json(wanted(said, "limits", dict))
    share = read_share(wanted(said, "share", str))
    return ShardHead(share, wanted(said, "lab", str), wanted(said, "lab_digest", str), limits, said["sandbox"], judge)


def results_in(lines: Iterator[str], lab: Lab) -> Iterator[ShardResult]:
    """The results in lines, each held against the lab."""
    for line in lines:
        try:
            said: Any = json.loads(line)
            result = wanted(said, "result", dict)
            yield ShardResult(result_from_json(result, lab, wanted(result, "student", str)), wanted(said, "key", str))
        except (BadPacket, ValueError, AttributeError):
            continue
