"""Every hostile submission scores what it deserves, gets a result, and leaves the next honest one untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.grading import tiny
from tests.hostile.bank import BANK, LIMITS, Hostile, build
from vae_lab.grading.judge import engine
from vae_lab.grading.judge.engine import grade_submission, sandbox_problem


@pytest.fixture(scope="module", autouse=True)
def sandboxed() -> None:
    problem = sandbox_problem()
    assert problem is None, problem


def test_the_bank_is_large_and_its_names_differ() -> None:
    assert len(BANK) >= 60
    assert len({case.name for case in BANK}) == len(BANK)


@pytest.mark.parametrize("case", BANK, ids=lambda case: f"{case.kind}: {case.name}")
def test_a_hostile_submission_scores_what_it_deserves(case: Hostile) -> None:
    result = grade_submission(tiny.lab(), "mallory", build(case), limits=LIMITS)
    assert result.status in ("graded", "manual"), result.reason
    lost = {name for name, cell in result.cells.items() if cell.passed is False and name != "why"}
    assert lost == case.loses, {name: cell.message for name, cell in result.cells.items() if cell.message}
    for cell in result.cells.values():
        assert cell.points in (0.0, cell.max_points)
        assert len(cell.message) <= 2000
        assert cell.message.isprintable() or {c for c in cell.message if not c.isprintable()} <= {"\n", "\t"}
        assert "123.25" not in cell.message
    assert case.flag in " ".join(result.flags)
    assert all(case.says in result.cells[name].message for name in case.loses)
    assert leftovers() == []


def test_an_honest_submission_afterwards_gets_every_point() -> None:
    result = grade_submission(tiny.lab(), "alice", tiny.submission(), limits=LIMITS)
    assert (result.score, result.flags) == (sum(tiny.POINTS.values()), ())


def leftovers() -> list[str]:
    """Processes below the warm server besides the sandbox's own: there are none between submissions."""
    server = engine._servers[engine._key(tiny.lab(), "required")]
    below: list[int] = []
    todo = [server.process.pid]
    while todo:
        children = Path(f"/proc/{todo[0]}/task/{todo[0]}/children").read_text().split()
        below += [int(child) for child in children]
        todo = todo[1:] + [int(child) for child in children]
    names = [Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode() for pid in below]
    return names[5:]  # bubblewrap, its first process, the warm process, and of each warm one a fork for this worker
