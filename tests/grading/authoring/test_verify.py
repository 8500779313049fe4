from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.grading import tiny_course
from vae_lab.grading.authoring import verify as module
from vae_lab.grading.authoring.verify import (
    NOTE,
    ONE_PROCESS,
    Case,
    Verdict,
    cases,
    differences,
    judge_in_one_process,
    verify,
)
from vae_lab.grading.course import Course, CourseError


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return tiny_course.make(tmp_path)


def test_a_good_bank_holds(course: Course) -> None:
    seen = []
    found = verify(course, ["halves"], workers=2, ways=(ONE_PROCESS,), progress=lambda *both: seen.append(both))
    assert found == []
    assert seen[-1] == (7, 7)


def test_every_kind_of_surprise_is_told(course: Course) -> None:
    bank = course.bank("halves").read_text()
    bank = bank.replace("return 0.5 * x", "return 0.4 * x").replace("return abs(x) / 2", "return x / 2")
    bank = bank.replace("the square root", "the cube root")
    bank = bank.replace('frozenset({"double_tests"})', 'frozenset({"double_tests", "half_tests"})')
    course.bank("halves").write_text(bank)
    found = verify(course, ["halves"], workers=2, ways=(ONE_PROCESS,))
    assert len(found) == 5
    told = "\n".join(found)
    assert "right answer 'multiplies by 0.5' loses half_tests, in one process, and should not: half of 16 is 8" in told
    assert "right answer 'multiplies by 0.5' loses half_tests_2" in told
    assert "wrong answer 'wrong below zero' keeps half_tests, in one process, and should not" in told
    assert "no message says 'the cube root'; they say ['half of 16 is 8" in told
    assert "wrong answer 'does not double' keeps half_tests" in told


def test_a_solution_that_fails_its_own_tests_is_told(course: Course) -> None:
    source = course.source("halves")
    source.write_text(source.read_text().replace("return 2 * x", "return 3 * x"))
    found = verify(course, ["halves"], ways=(ONE_PROCESS,))
    assert "halves: the solution loses double_tests, in one process, and should not: expected 2.0, got 3.0" in found


def test_an_answer_that_kills_its_process_is_one_line_and_the_rest_goes_on(course: Course) -> None:
    bank = course.bank("halves").read_text().replace("return 0.5 * x", "import os; os._exit(0)")
    course.bank("halves").write_text(bank)
    found = verify(course, ["halves"], ways=(ONE_PROCESS,))
    assert found == ["halves: right answer 'multiplies by 0.5' cannot be judged in one process: RuntimeError: "
                     "Python ended without an answer"]  # fmt: skip


def test_what_a_test_leaves_to_chance_is_told_with_its_share_and_the_same_every_time(course: Course) -> None:
    bank = course.bank("halves").read_text().replace("return 0.5 * x", "return (0.5 + (torch.rand(()) < 0.3)) * x")
    course.bank("halves").write_text(bank)
    found = verify(course, ["halves"], ways=(ONE_PROCESS,), seeds=40)
    (line,) = [line for line in found if "loses half_tests_2" in line]
    share = int(re.search(r"under (\d+) of 40 seeds: ", line)[1])
    assert 3 <= share <= 21  # each seed is a draw of its own: within three standard errors of 0.3 * 40
    assert verify(course, ["halves"], ways=(ONE_PROCESS,), seeds=40) == found


def test_where_there_is_a_gpu_each_answer_runs_whole_and_says_the_same(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CUDA does not work in the fork of a process that has looked for it, and a lab's first cell looks."""
    notebooks = [case.as_student for case in cases(course, "halves")]
    told = judge_in_one_process(notebooks)
    monkeypatch.setattr(module, "sees_a_gpu", lambda: True)
    assert judge_in_one_process(notebooks) == told
    assert module.run_branches([["x = 1", "y = 2"]]) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"half_tests_2"}', '"half_tests_3"}', "loses 'half_tests_3', which is no test cell of halves"),
        ('{"double":', '{"treble":', "'treble' is no solution cell of halves"),
        ('"wrong below zero"', '"does not double"', "two answers share a name"),
    ],
)
def test_a_bank_that_does_not_fit_the_lab_is_refused(course: Course, old: str, new: str, says: str) -> None:
    course.bank("halves").write_text(course.bank("halves").read_text().replace(old, new, 1))
    with pytest.raises(CourseError, match=says):
        cases(course, "halves")


def test_a_lab_without_a_bank_is_refused(course: Course) -> None:
    course.bank("halves").unlink()
    with pytest.raises(CourseError, match="No bank of answers"):
        cases(course, "halves")


def test_a_case_that_goes_as_it_must_has_no_differences() -> None:
    case = Case("halves", "wrong", frozenset({"a"}), "spread", "", b"")
    verdicts = {"a": Verdict(False, "the spread is wrong"), "b": Verdict(True, "")}
    assert list(differences(case, ONE_PROCESS, [verdicts])) == []


@pytest.mark.parametrize(("lab", "notes"), [("sampling", 1), ("halves", 0)])
def test_a_message_without_words_in_a_labs_other_language_is_a_note_and_no_surprise(lab: str, notes: int) -> None:
    case = Case(lab, "wrong answer 'x'", frozenset({"x_tests"}), "", "", b"")
    found = list(differences(case, ONE_PROCESS, [{"x_tests": Verdict(False, "The zebra was not where it should be.")}]))
    assert len(found) == notes
    assert all(line.startswith(NOTE) and "zebra" in line for line in found)
