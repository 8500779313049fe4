"""What a judge found out about one submission, as it travels from the warm server to the engine."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class JudgeReport:
    """Verdicts by grade_id (passed, message), flags, resources; `failure` says why if the grader itself failed.

    `passed` is None where a person must look.
    """

    verdicts: dict[str, tuple[bool | None, str]] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    resources: dict[str, float] = field(default_factory=dict)
    failure: str = ""
