"""How much time, memory and room one submission gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Sandbox = Literal["required", "unsafe"]  # "unsafe": students' code runs with the rights of whoever grades


@dataclass(frozen=True)
class Limits:
    """Limits of one submission; each is enforced from outside the student's process.

    Those of a cell and a call hold until the first does not end; what comes then gets less (`judge/patience.py`).

    Args:
        cell_seconds: of wall-clock time for each of the student's cells.
        call_seconds: for each call that a test makes.
        test_seconds: for each test cell.
        submission_seconds: for the whole notebook, restarts included.
        memory: bytes beyond what Python and torch need themselves, all processes together.
        disk: bytes under /tmp, and of any one file.
        processes: how many processes at once; twice as many with their threads.
        restarts: how often the notebook is run again without a cell that ended its process.
        max_text: bytes of JSON in one message.
        max_tensors: bytes of tensors in one message.
    """

    cell_seconds: float = 30.0
    call_seconds: float = 30.0
    test_seconds: float = 60.0
    submission_seconds: float = 300.0
    memory: int = 2 << 30
    disk: int = 64 << 20
    processes: int = 16
    restarts: int = 6
    max_text: int = 16 << 20
    max_tensors: int = 256 << 20

    @property
    def judge_memory(self) -> int:
        """Bytes that whoever judges may take beyond what it has before: what an answer may hold, and 1 GiB."""
        return self.memory + (1 << 30)

    @property
    def judge_seconds(self) -> float:
        """After which a judge is ended, whatever it is doing: the notebook's time, one test's, and 10 s."""
        return self.submission_seconds + self.test_seconds + 10.0

    def for_student(self) -> dict[str, Any]:
        """What the student's side needs to know of them."""
        return {
            "call_seconds": min(self.call_seconds, self.test_seconds),
            "cpu_seconds": 2 * self.submission_seconds,
            "memory": self.memory,
            "disk": self.disk,
            "processes": self.processes,
            "max_text": self.max_text,
            "max_tensors": self.max_tensors,
        }
