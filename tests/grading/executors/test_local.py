from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import vae_lab.grading.executors.local as module
from vae_lab.grading.executors.local import run_all, worthwhile


def work(job: str) -> str:
    if job.startswith("die"):
        os._exit(3)
    if job.startswith("raise"):
        raise ValueError(job)
    if job.startswith("hang"):
        time.sleep(60)
    return job.upper()


def most_together(folder: str) -> int:
    """How many jobs are at work during this one, at most."""
    mine = Path(folder) / str(os.getpid())
    mine.touch()
    seen, until = 0, time.monotonic() + 1.0
    while time.monotonic() < until:
        seen = max(seen, len(list(Path(folder).iterdir())))
        time.sleep(0.02)
    mine.unlink()
    return seen


def meet(folder: str) -> int:
    """Wait until two processes are here."""
    (Path(folder) / str(os.getpid())).touch()
    while len(list(Path(folder).iterdir())) < 2:
        time.sleep(0.05)
    return os.getpid()


def outcome(jobs: list[str], workers: int = 2, patience: float = 60.0) -> dict[str, str]:
    answers = run_all(work, jobs, workers=workers, patience=patience)
    return {job: answer if isinstance(answer, str) else type(answer).__name__ for job, answer in answers}


def test_every_job_is_answered_whatever_the_others_do() -> None:
    jobs = [f"job-{number}" for number in range(12)]
    jobs[3:3] = ["die", "raise"]
    jobs.append("die too")
    expected = {job: job.upper() for job in jobs} | {
        "die": "RuntimeError",
        "die too": "RuntimeError",
        "raise": "ValueError",
    }
    assert outcome(jobs) == expected


def test_a_job_that_hangs_is_ended_and_the_others_are_answered() -> None:
    began = time.monotonic()
    assert outcome(["hang", "a", "b", "c"], patience=3.0) == {"hang": "TimeoutError", "a": "A", "b": "B", "c": "C"}
    assert time.monotonic() - began < 50


@pytest.mark.parametrize("workers", [1, 3])
def test_answers_do_not_depend_on_the_number_of_workers(workers: int) -> None:
    assert outcome(list("abcdefg"), workers) == {letter: letter.upper() for letter in "abcdefg"}


def test_few_jobs_go_to_few_workers(tmp_path: Path) -> None:
    answers = run_all(most_together, [str(tmp_path)] * 3, workers=3, patience=60.0, expected=3)
    assert max(count for _, count in answers) <= worthwhile(3, 3) == 2


def test_few_jobs_that_are_slow_get_all_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOW_SECONDS", 0.0)
    answers = run_all(meet, [str(tmp_path)] * 2, workers=2, patience=60.0, expected=2)
    assert len({pid for _, pid in answers}) == 2


def test_no_jobs_need_no_workers() -> None:
    assert outcome([]) == {}


def test_stopping_in_the_middle_ends_the_workers() -> None:
    running = run_all(work, ["a", "hang", "b"], workers=2, patience=60.0)
    assert next(running)[0] in ("a", "b")
    began = time.monotonic()
    running.close()
    assert time.monotonic() - began < 10
