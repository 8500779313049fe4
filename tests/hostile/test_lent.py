# ruff: noqa: E501  (sources are data)
"""A right function that a check lends to an answer earns nothing where that function itself is asked for."""

from __future__ import annotations

import pytest

from tests.grading import tiny
from vae_lab.grading.judge.engine import grade_submission, sandbox_problem
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits

SETUP = """
import torch
from vae_lab.checks.messages import ask, fail
from vae_lab.checks.substitution import may_use

@may_use({"half": lambda x: x / 2})
def check_quarter(quarter):
    if ask("quarter", quarter, 8.0) != 2.0:
        fail("quarter", "quarter(8) is not 2.", "Wanted x / 4.")
"""
SOLUTIONS = {"half": "def half(x):\n    return x / 2", "quarter": "def quarter(x):\n    return half(half(x))"}
TESTS = {
    "quarter": "check_quarter(quarter)",
    "half": 'assert half(8.0) == 4.0, "half(8) is not 4"\n### BEGIN HIDDEN TESTS\n'
    'assert half(6.0) == 3.0, "half(6) is not 3"\n### END HIDDEN TESTS',
}
LIMITS = Limits(cell_seconds=3, call_seconds=3, test_seconds=6, submission_seconds=40, memory=1 << 30)
TAKE = "\nKEPT, OWN = [], half\ndef quarter(x):\n    h = globals()['half']\n    if h is not OWN: KEPT.append(h)\n"
QUARTER = TAKE + "    return half(half(x))"

ANSWERS: dict[str, dict[str, str]] = {
    "calls it later": {"half": "def half(x):\n    return KEPT[0](x) if KEPT else 0", "quarter": QUARTER},
    "becomes it": {
        "half": "def half(x):\n    globals()['half'] = KEPT[0]\n    return KEPT[0](x)",
        "quarter": QUARTER,
    },
    "is an object that calls it": {
        "half": "class Half:\n    def __call__(self, x):\n        return KEPT[0](x) if KEPT else 0\nhalf = Half()",
        "quarter": QUARTER,
    },
    "calls it in a thread": {
        "half": "import threading\ndef half(x):\n    out = []\n    t = threading.Thread(target=lambda: out.append(KEPT[0](x)))\n"
        "    t.start(); t.join(1)\n    return out[0] if out else 0",
        "quarter": QUARTER,
    },
    "gives it as its answer": {"half": "def half(x):\n    return KEPT[0] if KEPT else 0", "quarter": QUARTER},
    "keeps what it says": {
        "half": "def half(x):\n    return SAID.get(x, 0)",
        "quarter": "SAID = {}" + TAKE.replace("KEPT.append(h)", "SAID[7.0] = h(7.0)") + "    return half(half(x))",
    },
    "ends its process": {
        "half": "def half(x):\n    return KEPT[0](x) if KEPT else 0",
        "quarter": TAKE + "    if KEPT: import os; os._exit(0)\n    return 0",
    },
    "asks for the swap itself": {
        "half": "import gc\nfrom IPython import get_ipython\ndef half(x):\n    s = get_ipython()\n"
        "    s.replace({'half': KEPT[0]} if KEPT else {})\n    return half(x) if KEPT and half is KEPT[0] else 0",
        "quarter": QUARTER,
    },
}


def cells(answers: dict[str, str], *, hidden: bool) -> list[dict[str, object]]:
    made = [tiny.cell("code", SETUP, "setup", locked=True)]
    for name in SOLUTIONS:
        made.append(
            tiny.cell("code", f"# vae-lab: lent/{name}\n{answers.get(name, SOLUTIONS[name])}", name, solution=True)
        )
    for name, test in TESTS.items():
        test = test if hidden else test.partition("### BEGIN")[0]
        made.append(
            tiny.cell(
                "code", f"# vae-lab: lent/{name}_tests\n{test}", f"{name}_tests", grade=True, locked=True, points=1
            )
        )
    return made


@pytest.fixture(scope="module", autouse=True)
def sandboxed() -> None:
    problem = sandbox_problem()
    assert problem is None, problem


def passed(answers: dict[str, str]) -> set[str]:
    lab = Lab.from_bytes("lent", tiny.notebook(cells({}, hidden=True)))
    result = grade_submission(lab, "mallory", tiny.notebook(cells(answers, hidden=False)), limits=LIMITS)
    assert result.status == "graded", result.reason
    return {name for name, cell in result.cells.items() if cell.passed}


def test_the_solution_passes_and_a_slip_is_charged_once() -> None:
    assert passed({}) == {"half_tests", "quarter_tests"}
    assert passed({"half": "def half(x):\n    return x / 3"}) == {"quarter_tests"}


@pytest.mark.parametrize("answer", ANSWERS)
def test_what_was_lent_earns_nothing_for_itself(answer: str) -> None:
    assert "half_tests" not in passed(ANSWERS[answer])
