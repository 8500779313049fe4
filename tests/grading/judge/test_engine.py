"""One submission in, one result out: what honest, wrong, broken and hostile notebooks score."""

from __future__ import annotations

import os

import pytest

from tests.grading import tiny
from vae_lab.grading.judge.engine import Limits, grade_submission, sandbox_problem
from vae_lab.grading.results import SubmissionResult

LIMITS = Limits(cell_seconds=3, call_seconds=3, test_seconds=6, submission_seconds=40, memory=1 << 30)
FULL = float(sum(tiny.POINTS.values()))


@pytest.fixture(scope="module", autouse=True)
def sandboxed() -> None:
    problem = sandbox_problem()
    assert problem is None, problem


def grade(answers: dict[str, str] | bytes) -> SubmissionResult:
    data = answers if isinstance(answers, bytes) else tiny.submission(answers)
    return grade_submission(tiny.lab(), "s001", data, limits=LIMITS)


def lost(result: SubmissionResult) -> dict[str, str]:
    assert result.status in ("graded", "manual"), result.reason
    return {name: cell.message for name, cell in result.cells.items() if cell.passed is False and name != "why"}


def test_the_solution_gets_every_point() -> None:
    result = grade({})
    assert lost(result) == {}
    assert (result.score, result.max_score) == (FULL, FULL + tiny.WRITTEN_POINTS)
    assert result.flags == ()


WRONG = [
    ("double", "def double(x):\n    return 3 * x", "double(x) is not 2 x"),
    ("double", "def double(x):\n    return 2 * x.detach()", "A hidden check stopped with RuntimeError"),
    ("double", "def double(x):\n    raise NotImplementedError()", "Not attempted yet"),
    ("double", "y = 1", "You have not defined `double`."),
    (
        "double",
        "def double(x) return",
        "You have not defined `double`. Its cell stopped: SyntaxError: expected ':' (line 2)",
    ),
    ("double", "def double(x):\n    raise ValueError(f'got {x}')", "Your code raised ValueError: got tensor([1., 2.]"),
    (
        "double",
        "def double(x):\n    if x[0] > 100: raise ValueError(f'got {x}')\n    return 2 * x",
        "Your code raised ValueError in a hidden check, called as double(float32 [n]).",
    ),
    (
        "double",
        "def double(x):\n    if x[0] != 1: raise ValueError(f'got {x.shape}')\n    return 2 * x",
        "double(float32 [n]) raised ValueError: got torch.Size([2])\nIn double, line 3: if x[0] != 1: raise ValueError",
    ),
    (
        "noisy",
        "def noisy(mu, sigma):\n    return half(mu)\ndef half(x):\n    return x / 'two'",
        "Your code raised TypeError: unsupported operand type(s) for /: 'Tensor' and 'str'\nIn half, line 5: return",
    ),
    ("double", "def double(x):\n    return (2 * x).detach().numpy()", "double returned ndarray"),
    ("double", "import os\ndef double(x):\n    os._exit(0)", "Your code ended the Python process it ran in."),
    ("noisy", "def noisy(mu, sigma):\n    return torch.normal(mu, sigma)", "no gradient reaches mu"),
    (
        "noisy",
        "def noisy(mu, sigma):\n    torch.manual_seed(3)\n    return mu + sigma * torch.randn_like(mu)",
        "noisy draws the same noise each time",
    ),
    ("fit", "def fit(model, x, y, steps):\n    return [1.0] + [0.0] * (steps - 1)", "fit leaves the parameters alone"),
    ("apply_twice", "def apply_twice(f, x):\n    return f(f(x).detach())", "A hidden check stopped with RuntimeError"),
    ("facts", "def facts():\n    while True: pass", "Your code does not end: it came back to a line"),
]


@pytest.mark.parametrize(("cell", "source", "message"), WRONG)
def test_a_wrong_answer_loses_its_own_points_and_no_others(cell: str, source: str, message: str) -> None:
    found = lost(grade({cell: source}))
    assert set(found) == {f"{cell}_tests"}
    assert found[f"{cell}_tests"].startswith(message)


def test_texts_never_come_from_a_process_that_has_seen_hidden_inputs() -> None:
    spy = "SEEN = []\ndef double(x):\n    SEEN.append(x.tolist())\n    return 2 * x"
    tell = "def noisy(mu, sigma):\n    raise ValueError(f'seen: {SEEN}')"
    result = grade({"double": spy, "facts": "raise KeyError(str(SEEN))", "noisy": tell})
    found = lost(result)
    assert found == {
        "facts_tests": "You have not defined `facts`. Its cell stopped: KeyError: '[]'\n"
        "In a cell, line 2: raise KeyError(str(SEEN))",
        "noisy_tests": "Your code raised ValueError: seen: []\nIn noisy, line 3: raise ValueError(f'seen: {SEEN}')",
    }


SPIES = {
    "a text": "raise ValueError(x.tolist())",
    "a type's name": "raise type(f'E{int(x[0])}', (ValueError,), {})()",
    "a line's text": "exec(compile('def f(): raise ValueError', f'{x[0]:g}.py', 'exec'), space := {})\n"
    "    import linecache; linecache.cache[f'{x[0]:g}.py'] = (9, None, [f'{x[0]:g}\\n'], 'a')\n    space['f']()",
    "a function's name": "exec(f'def f{int(x[0])}(): raise ValueError', space := {}); space[f'f{int(x[0])}']()",
}


@pytest.mark.parametrize("spy", SPIES)
def test_no_part_of_an_exception_carries_a_hidden_input(spy: str) -> None:
    source = f"def double(x):\n    if x[0] <= 1: return 2 * x\n    {SPIES[spy]}"
    (message,) = lost(grade({"double": source})).values()
    assert message == "Your code raised ValueError in a hidden check, called as double(float32 [n])."


def test_a_cell_that_ends_or_holds_the_process_costs_only_its_own_task() -> None:
    hard = "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
    result = grade({"double": "import os; os._exit(1)", "facts": hard, "noisy": "while True: pass"})
    assert set(lost(result)) == {"double_tests", "facts_tests", "noisy_tests"}


@pytest.mark.parametrize("data", [b"", b"xx", b"[1]", b"{}", b'{"cells": 3}', b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_notebook_is_graded_zero_and_says_so(data: bytes) -> None:
    result = grade(data)
    assert (result.status, result.score) == ("graded", 0.0)
    assert all("not a notebook" in cell.message or "empty" in cell.message for cell in result.cells.values())


def test_grades_and_messages_are_the_same_each_time() -> None:
    answers = {"noisy": "import random\ndef noisy(mu, sigma):\n    return mu + random.random() * torch.randn_like(mu)"}
    assert len({str(lost(grade(answers))) for _ in range(3)}) == 1


def test_submissions_are_forks_that_share_nothing() -> None:
    leave = "open('/tmp/mark', 'w').write('x')\nimport math; math.pi = 3\ndef double(x):\n    return 2 * x"
    find = (
        "import os, math\ndef double(x):\n    return 2 * x if not os.path.exists('/tmp/mark') and math.pi != 3 else x"
    )
    assert lost(grade({"double": leave})) == {}
    assert lost(grade({"double": find})) == {}


def test_without_the_sandbox_every_result_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ})
    result = grade_submission(tiny.lab(), "s001", tiny.submission(), limits=LIMITS, sandbox="unsafe")
    assert result.score == FULL
    assert "graded without the sandbox" in result.flags
