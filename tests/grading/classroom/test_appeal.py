"""An appeal shows the calls that decided, with the numbers that were used, and agrees with the grade."""

import json
import os
import time

import pytest
import torch
from grading import tiny, tiny_course

from vae_lab.cli import main
from vae_lab.grading.classroom.appeal import appeal, lines
from vae_lab.grading.course import CourseError
from vae_lab.grading.judge.engine import grade_submission
from vae_lab.grading.judge.value_text import show
from vae_lab.grading.judge.watching import Call, Tried
from vae_lab.grading.limits import Limits

WRONG = {
    "double": "def double(x):\n    return 2 * x.detach()",
    "facts": "def facts():\n    raise ValueError('red \\x1b[31m line\\nnext')",
    "apply_twice": "def apply_twice(f, x):\n    return f(x)",
}


@pytest.fixture(scope="module")
def tried():
    return {one.grade_id: one for one in appeal(tiny.lab(), tiny.submission(WRONG))}


def test_it_agrees_with_the_grade(tried):
    graded = grade_submission(tiny.lab(), "s1", tiny.submission(WRONG)).cells
    assert {name: (one.passed, one.message) for name, one in tried.items()} == {
        name: (cell.passed, cell.message) for name, cell in graded.items() if name != "why"
    }
    assert [name for name, one in tried.items() if not one.passed] == [
        "double_tests",
        "facts_tests",
        "apply_twice_tests",
    ]


def test_it_shows_what_was_called_and_what_came_back(tried):
    calls = tried["double_tests"].calls
    assert calls[0] == Call(3, False, "double(float32 [2], with gradient = 1, 2)", "float32 [2] = 2, 4")
    hidden = next(call for call in calls if call.hidden)
    assert hidden.question == "double(float32 [2], with gradient = 123.25, -77.5)"
    assert tried["facts_tests"].calls[0].answer.startswith("raised ValueError: red")
    assert any("model" in call.question or "Line(3)" in call.question for call in tried["Line_tests"].calls)
    assert any(call.question.startswith("the gradient, given") for call in tried["noisy_tests"].calls)
    assert tried["apply_twice_tests"].calls[0].answer.endswith("= 9")


def test_many_calls_are_counted_not_listed(tried):
    long = Tried("a_tests", 2.0, "a()", True, "", [Call(1, False, "a()", "1")], 3)
    assert list(lines([long])) == [
        "a_tests: 2 of 2 points",
        "  line 1: a()",
        "    a()",
        "      -> 1",
        "  and 3 calls more",
        "",
    ]
    assert all(len(one.calls) <= 60 for one in tried.values())


def test_nothing_a_student_wrote_moves_the_cursor(tried):
    for line in lines(list(tried.values())):
        assert line.isprintable()


def test_an_instructor_reads_what_a_student_does_not():
    """The values of a hidden check that failed are in the calls, and what the check said is there in full."""
    wrong = {"double": "def double(x):\n    if x[0] > 100: raise KeyError(f'got {x.tolist()}')\n    return 2 * x"}
    one = next(one for one in appeal(tiny.lab(), tiny.submission(wrong)) if one.grade_id == "double_tests")
    assert "123.25" not in one.message
    shown = "\n".join(lines([one]))
    assert "raised KeyError: 'got [123.25, -77.5]'" in shown
    assert "In full, not told to the student:" in shown


@pytest.mark.parametrize(
    ("answer", "limits"),
    [
        ("def facts():\n    return ['x' * 900_000] * 15", Limits(memory=1 << 20, test_seconds=5)),
        ("import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\ndef facts():\n    while True: pass",
         Limits(call_seconds=1, test_seconds=2, submission_seconds=8)),
    ],
)  # fmt: skip
def test_no_answer_holds_an_appeal(answer, limits):
    (one,) = [t for t in appeal(tiny.lab(), tiny.submission({"facts": answer}), limits) if t.grade_id == "facts_tests"]
    assert not one.passed


def test_a_judge_that_ends_or_stays_is_one_line(monkeypatch):
    for function, seconds, said in ((_end, 120.0, "died"), (_stay, 3.0, "no answer within")):
        monkeypatch.setattr("vae_lab.grading.classroom.appeal.watch", function)
        monkeypatch.setattr("vae_lab.grading.classroom.appeal.START_SECONDS", seconds - Limits().judge_seconds)
        with pytest.raises(CourseError, match=said):
            appeal(tiny.lab(), tiny.submission())


def _end(watched):
    os._exit(1)


def _stay(watched):
    time.sleep(99)


def test_what_is_no_notebook_has_no_calls():
    assert appeal(tiny.lab(), b"no notebook") == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.zeros(0, 3), "float32 [0, 3] = "),
        (torch.arange(30), "int64 [30] = " + ", ".join(map(str, range(24))) + ", ..."),
        (torch.tensor(True), "bool [] = 1"),
        ([1, [2, (3,)]], "[1; [2; (3)]]"),
        ({"a": {1}}, "{'a': {1}}"),
        (list(range(20)), "[0; 1; 2; 3; 4; 5; 6; 7; ...]"),
        ("x" * 500, None),
        (torch.tensor([1 + 2j]), "complex64 [1] = 1+2j"),
    ],
)
def test_values_are_shown(value, text):
    shown = show(value)
    assert shown == text or (text is None and len(shown) < 200)


def test_from_the_command_line(tmp_path, monkeypatch, capsys):
    course = tiny_course.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    handed_in = tmp_path / "submitted/s1/halves/halves.ipynb"
    handed_in.parent.mkdir(parents=True)
    made = json.loads(course.source("halves").read_text())
    for cell in made["cells"]:
        if cell["source"].startswith("# vae-lab: halves/half\n"):
            cell["source"] = "# vae-lab: halves/half\ndef half(x):\n    return x ** 0.5"
    handed_in.write_text(json.dumps(made))
    assert main(["appeal", "s1", "halves"]) == 0
    said = capsys.readouterr().out
    assert "half_tests: 0 of 3 points" in said
    assert "    half(float32 [1] = 16)\n      -> float32 [1] = 4\n" in said
    assert "double_tests: 2 of 2 points" in said
    assert main(["appeal", "s2", "halves"]) == 2
    assert capsys.readouterr().err == "vae-lab appeal: 's2' handed in no halves under submitted\n"
