"""Code that does not end is told, not waited for again, and bounded as a whole; what is slow but ends loses nothing."""

from __future__ import annotations

import json

import pytest

from tests.grading import tiny
from vae_lab.grading.classroom.appeal import appeal
from vae_lab.grading.judge.engine import Limits, grade_submission, sandbox_problem
from vae_lab.grading.judge.patience import LEASHES, Patience, Thing
from vae_lab.grading.results import SubmissionResult

LIMITS = Limits(cell_seconds=3, call_seconds=3, test_seconds=20, submission_seconds=90, memory=1 << 30)
FULL = float(sum(tiny.POINTS.values()))
LOOP = "    n = 0; exec('while True: n += 1')"


@pytest.fixture(scope="module", autouse=True)
def sandboxed() -> None:
    problem = sandbox_problem()
    assert problem is None, problem


def grade(answers: dict[str, str], limits: Limits = LIMITS) -> SubmissionResult:
    return grade_submission(tiny.lab(), "s001", tiny.submission(answers), limits=limits)


def lost(result: SubmissionResult) -> dict[str, str]:
    assert result.status in ("graded", "manual"), result.reason
    return {name: cell.message for name, cell in result.cells.items() if cell.passed is False and name != "why"}


@pytest.mark.parametrize("first", [30.0, 3.0])
@pytest.mark.parametrize("things", [1, 12, 200])
def test_what_is_waited_for_in_vain_is_bounded_however_much_there_is(first: float, things: int) -> None:
    limits = Limits(cell_seconds=first, call_seconds=first)
    patience = Patience(limits)
    waited = []
    for number in range(things):
        thing = Thing("", cell=number) if number % 2 else Thing(f"f{number}")
        if not patience.refusal(thing):
            waited.append(patience.for_cell(thing) if number % 2 else patience.leash(first))
            assert patience.note(thing, waited[-1], waited[-1] + 0.1)
    assert waited[0] == first
    assert sum(waited) <= first + 15.0
    assert sorted(waited, reverse=True) == waited
    assert patience.exhausted == (patience.refusal(Thing("g")) != "") == (things > 1)


def test_what_ends_in_time_teaches_nothing() -> None:
    patience = Patience(Limits())
    assert not patience.note(Thing("f"), 30.0, 29.9)
    assert (patience.leash(30.0), patience.flags()) == (30.0, [])


def test_a_function_that_did_not_end_is_not_called_again_and_others_get_less() -> None:
    loops = {
        "double": f"def double(x):\n{LOOP}",
        "facts": f"def facts():\n{LOOP}",
        "Line": f"class Line(nn.Module):\n    def __init__(self, n):\n    {LOOP}",
        "apply_twice": f"def apply_twice(f, x):\n{LOOP}",
    }
    result = grade(loops)
    after = "all that it was given after `double` did not end within 3 s."
    assert lost(result) == {
        "double_tests": "Your code took longer than 3 s.",
        "facts_tests": f"Your code took longer than 3 s, {after}",
        "Line_tests": f"Your code took longer than {LEASHES[1]:g} s, {after}",
        "fit_tests": f"Not tried again: `Line` did not end within {LEASHES[1]:g} s in an earlier call.",
        "apply_twice_tests": f"Your code took longer than {LEASHES[1]:g} s, {after}",
    }
    named = "`double` within 3 s; `facts` within 3 s; `Line` within 1 s; `apply_twice` within 1 s"
    assert result.flags == (f"did not end: {named}",)
    assert result.resources["starts"] == 1
    assert result.score == tiny.POINTS["noisy_tests"]


def test_what_goes_in_circles_is_told_soon_and_leaves_the_others_their_time() -> None:
    circles = "    while True: pass"
    result = grade(
        {
            "double": f"def double(x):\n{circles}",
            "facts": f"def facts():\n{circles}",
            "noisy": "while True: pass",
            "Line": f"class Line(nn.Module):\n    def __init__(self, n):\n    {circles}",
            "apply_twice": "import time\ndef apply_twice(f, x):\n    time.sleep(2)\n    return f(f(x))",
        },
        Limits(test_seconds=60, memory=1 << 30),
    )
    never = "Your code does not end: it came back to a line, and nothing that its loop looks at had changed."
    assert lost(result) == {
        "double_tests": never,
        "facts_tests": never,
        "noisy_tests": "You have not defined `noisy`. Its cell stopped: it does not end, it goes in circles",
        "Line_tests": never,
        "fit_tests": "Not tried again: `Line` did not end in an earlier call, where it went in circles.",
    }
    named = ("`double`", "`facts`", "the cell of `noisy`", "`Line`")
    assert result.flags == ("did not end: " + "; ".join(f"{name}, which goes in circles" for name in named),)


def test_a_method_is_known_by_what_made_its_object() -> None:
    line = "class Line(nn.Linear):\n    def __init__(self, n):\n        super().__init__(n, 1)\n"
    result = grade({"Line": f"{line}    def forward(self, x):\n    {LOOP}"})
    assert lost(result)["Line_tests"] == "Your code took longer than 3 s."
    assert lost(result)["fit_tests"] == "Not tried again: `Line` did not end within 3 s in an earlier call."


def test_a_call_that_cannot_be_interrupted_is_learned_from_too() -> None:
    hard = "    import signal\n    signal.signal(signal.SIGALRM, signal.SIG_IGN)"
    line = f"class Line(nn.Module):\n    def __init__(self, n):\n{hard}\n{LOOP}".replace("\n    ", "\n        ")
    line = line.replace("        def __init__", "    def __init__")
    result = grade({"Line": line})
    assert lost(result)["Line_tests"] == "Your code took longer than 3 s and could not be interrupted."
    assert lost(result)["fit_tests"].startswith("Not tried again: `Line` did not end within 3 s")


def test_cells_that_hang_are_told_and_not_given_their_time_again_when_the_process_starts_anew() -> None:
    loops = {
        "facts": "n = 0\nwhile n >= 0: n += 1",
        "noisy": "n = 0\nwhile n >= 0: n += 1",
        "double": "import os\ndef double(x): os._exit(1)",
    }
    result = grade({**loops, "Line": "import os; os._exit(1)"})
    found = lost(result)
    assert found["facts_tests"] == "You have not defined `facts`. Its cell stopped: it took longer than 3 s"
    assert found["noisy_tests"] == "You have not defined `noisy`. Its cell stopped: it took longer than 3 s"
    assert "apply_twice_tests" not in found
    assert result.resources["starts"] <= 4
    assert "did not end: the cell of `facts` within 3 s; the cell of `noisy` within 3 s" in " ".join(result.flags)


def test_going_through_an_iterator_without_end_is_one_call() -> None:
    result = grade(
        {"facts": "def facts():\n    while True: yield 1", "double": "def double(x):\n    return iter(int, 1)"}
    )
    assert set(lost(result)) == {"facts_tests", "double_tests"}


def test_what_is_slow_but_ends_has_its_whole_time() -> None:
    wait = "time.sleep(2)"
    double = f"import time\ndef double(x):\n    {wait}\n    return 2 * x"
    facts = f"import time\n{wait}\ndef facts():\n    {wait}\n    return dict(pi=3.14, primes={{2, 3, 5}})"
    result = grade({"double": double, "facts": facts})
    assert (lost(result), result.score, result.flags) == ({}, FULL, ())


def test_when_too_much_did_not_end_the_rest_is_not_tried() -> None:
    made = json.loads(tiny.submission())
    made["cells"][2:2] = [tiny.cell("code", "while True: pass")] * 14
    limits = Limits(cell_seconds=1, call_seconds=1, test_seconds=20, submission_seconds=90)
    result = grade_submission(tiny.lab(), "s001", json.dumps(made).encode(), limits=limits)
    found = lost(result)
    assert set(found) == set(tiny.POINTS)
    assert set(found.values()) == {"Not tried: too much of this notebook did not end (a cell of its own within 1 s)."}


def test_an_appeal_shows_what_was_cut_short() -> None:
    line = f"class Line(nn.Module):\n    def __init__(self, n):\n    {LOOP}"
    limits = Limits(cell_seconds=2, call_seconds=2, test_seconds=20, submission_seconds=90)
    tried = {one.grade_id: one for one in appeal(tiny.lab(), tiny.submission({"Line": line}), limits)}
    assert tried["Line_tests"].calls[-1].answer == "raised Your code took longer than 2 s."
    assert tried["fit_tests"].message.startswith("Not tried again: `Line`")
    assert "Not tried again" in tried["fit_tests"].calls[-1].answer
