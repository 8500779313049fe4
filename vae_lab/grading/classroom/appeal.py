"""Answer an appeal: grade one submission again and show, for each test cell, what was called and what came back."""

from __future__ import annotations

from collections.abc import Iterator

from vae_lab.grading.course import CourseError
from vae_lab.grading.executors.local import alone
from vae_lab.grading.judge.engine import START_SECONDS, SandboxError
from vae_lab.grading.judge.verdict import clean
from vae_lab.grading.judge.watching import LONGEST, Tried, Watched, watch
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits, Sandbox


def appeal(lab: Lab, notebook: bytes, limits: Limits | None = None, sandbox: Sandbox = "required") -> list[Tried]:
    """Grade a submission once more, watching.

    Args:
        lab: from `load_lab`.
        notebook: the submitted bytes.
        limits: as in grading.
        sandbox: as in grading.

    Returns:
        what happened in each test cell, in the lab's order; none if the bytes are no notebook.

    Raises:
        SandboxError: if there is no sandbox here.
        CourseError: if the judge ended, or gave no answer in the time that it has.
    """
    limits = limits or Limits()
    found = alone(watch, Watched(lab, notebook, limits, sandbox), limits.judge_seconds + START_SECONDS)
    if isinstance(found, SandboxError):
        raise found
    if isinstance(found, Exception):
        raise CourseError(f"this submission could not be judged again: {type(found).__name__}: {found}") from found
    return found


def one_line(text: str) -> str:
    """A text, part of which the student chose, without anything that would move the cursor of a terminal."""
    return " ".join(clean(text, LONGEST).split())


def lines(tried: list[Tried]) -> Iterator[str]:
    """What happened, for reading: points and message, then each call under the line of the test that made it."""
    for one in tried:
        points = one.points if one.passed else 0.0
        yield f"{one.grade_id}: {points:g} of {one.points:g} points"
        yield from (f"  {one_line(part)}" for part in one.message.splitlines())
        if one.in_full and one.in_full != one.message:
            yield "  In full, not told to the student:"
            yield from (f"    {one_line(part)}" for part in one.in_full.splitlines())
        source, last = one.source.splitlines(), 0
        for call in one.calls:
            if call.line != last:
                last = call.line
                text = source[last - 1].strip() if 0 < last <= len(source) else ""
                yield f"  line {last}{' (hidden)' if call.hidden else ''}: {text}"
            yield f"    {one_line(call.question)}"
            yield f"      -> {one_line(call.answer)}"
        if one.more:
            yield f"  and {one.more} calls more"
        yield ""
