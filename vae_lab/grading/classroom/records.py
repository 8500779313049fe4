"""What has been graded so far: one small file per submission, written the moment its result is there.

A class that is stopped, by Ctrl-C or by a power cut, goes on from these files; nothing that was finished is done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vae_lab.grading.course import write_atomically
from vae_lab.grading.results import CellResult, SubmissionResult


def digest(*parts: bytes | str) -> str:
    """A SHA-256 over several pieces, each with its length, so that no two lists of pieces look alike.

    Example:
        >>> digest("ab", "c") == digest("a", "bc")
        False
    """
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        sha.update(len(data).to_bytes(8, "big"))
        sha.update(data)
    return sha.hexdigest()


@dataclass(frozen=True)
class Record:
    """One graded submission.

    Args:
        result: what the grader said.
        key: digest of all that the result depends on: notebook, lab, grader version, limits.
        content: digest of the notebook alone.
        timestamp: when it was handed in, as nbgrader's collecting wrote it, or "".
        look_again: True if the notebook has changed since a person may have marked it.
        copies: digest of the student's own words, the same for two who handed in the same, or "".
        outputs: for "autograded" and "feedback", the digest of what the written file was made from; for "gradebook",
            the digest of what was last written there.
        judge: digest of what judged it; `report/<lab>/judges/` says what that is.
    """

    result: SubmissionResult
    key: str
    content: str
    timestamp: str = ""
    look_again: bool = False
    copies: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    judge: str = ""

    def with_outputs(self, **made: str) -> Record:
        """The same record, after some files were written."""
        return replace(self, outputs={**self.outputs, **made})


class Records:
    """The folder of records of one lab, by student."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, student: str) -> Path:
        """A file name of fixed length for any student's name."""
        return self.folder / f"{digest(student)[:32]}.json"

    def read(self) -> dict[str, Record]:
        """All records; a damaged one counts as not there, so that its submission is graded again."""
        found = {}
        for path in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else ():
            try:
                record = from_json(json.loads(path.read_text(encoding="utf-8")))
            except (ValueError, KeyError, TypeError, AttributeError, OSError):
                continue
            if path == self.path(record.result.student):
                found[record.result.student] = record
        return found

    def write(self, records: Iterable[Record]) -> None:
        """Write records, each completely or not at all."""
        for record in records:
            write_atomically(self.path(record.result.student), json.dumps(to_json(record), indent=1) + "\n")


def to_json(record: Record) -> dict[str, Any]:
    """A record as plain values."""
    return {
        "key": record.key,
        "content": record.content,
        "timestamp": record.timestamp,
        "look_again": record.look_again,
        "copies": record.copies,
        "outputs": dict(record.outputs),
        "judge": record.judge,
        "resources": dict(record.result.resources),
        "reason": record.result.reason,
        "result": record.result.to_json(),
    }


def from_json(plain: Mapping[str, Any]) -> Record:
    """The inverse of `to_json`."""
    kept = plain["result"]
    result = SubmissionResult(
        student=kept["student"],
        lab=kept["lab"],
        status=kept["status"],
        cells={name: CellResult(**cell) for name, cell in kept["cells"].items()},
        seconds=kept["seconds"],
        flags=tuple(kept["flags"]),
        reason=plain["reason"],
        resources=plain["resources"],
    )
    return Record(
        result,
        plain["key"],
        plain["content"],
        plain["timestamp"],
        plain["look_again"],
        plain["copies"],
        plain["outputs"],
        plain.get("judge", ""),
    )
