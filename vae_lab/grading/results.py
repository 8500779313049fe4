"""What grading one submission yields, and the JSON object that other tools may rely on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["graded", "manual", "error"]


@dataclass(frozen=True, slots=True)  # a class of a hundred thousand has a million of them
class CellResult:
    """The verdict on one test cell (all of its points or none), or on one written answer.

    `passed` is None for what waits for a person: a written answer, or a test that could not be judged on this machine.
    """

    points: float
    max_points: float
    passed: bool | None
    message: str = ""


@dataclass(frozen=True)
class SubmissionResult:
    """Everything known about one graded notebook.

    `status` is "graded", "manual" (a written answer waits for a person) or "error" (the grader's own failure, never
    the student's; `reason` says which). `flags` names what a person should look at.
    """

    student: str
    lab: str
    status: Status
    cells: Mapping[str, CellResult]
    seconds: float = 0.0
    flags: tuple[str, ...] = ()
    reason: str = ""
    resources: Mapping[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        """Points earned so far; a written answer counts 0 until a person has read it."""
        return float(sum(cell.points for cell in self.cells.values()))

    @property
    def max_score(self) -> float:
        """Points that the lab gives, written answers included."""
        return float(sum(cell.max_points for cell in self.cells.values()))

    def to_json(self) -> dict[str, Any]:
        """The object that `vae-lab grade --json FILE` writes, one for each submission."""
        record: dict[str, Any] = {
            "student": self.student,
            "lab": self.lab,
            "status": self.status,
            "score": self.score,
            "max_score": self.max_score,
            "seconds": round(self.seconds, 3),
            "flags": list(self.flags),
            "cells": {
                name: {
                    "points": cell.points,
                    "max_points": cell.max_points,
                    "passed": cell.passed,
                    "message": cell.message,
                }
                for name, cell in self.cells.items()
            },
        }
        if self.reason:
            record["reason"] = self.reason
        return record
