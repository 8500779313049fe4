"""A notebook written on another machine: what can be judged here is judged, the rest waits for a person."""

from __future__ import annotations

import json

import pytest

from tests.grading import tiny
from vae_lab.grading.judge.engine import Limits, grade_submission, sandbox_problem
from vae_lab.grading.judge.environment import Needs, absent_modules, newer_python
from vae_lab.grading.judge.submitted_notebook import Step
from vae_lab.grading.results import SubmissionResult

LIMITS = Limits(memory=1 << 30)
RIGHT = "def double(x):\n    return 2 * x"


@pytest.fixture(scope="module", autouse=True)
def sandboxed() -> None:
    problem = sandbox_problem()
    assert problem is None, problem


def grade(source: str) -> SubmissionResult:
    """Grade a notebook whose cell `double` begins with this source, known by its metadata."""
    notebook = json.loads(tiny.submission())
    notebook["cells"][2]["source"] = source
    return grade_submission(tiny.lab(), "s001", json.dumps(notebook).encode(), limits=LIMITS)


NOT_HERE = {
    "imported and not used": ("import no_such_package as nsp\n", "no_such_package"),
    "first of several imports": ("import no_such_package, math\nfrom math import pi\nassert pi\n", "no_such_package"),
    "named in an annotation": ("import no_such_package as n\ndef other(x: n.Frame): ...\n", "no_such_package"),
    "Colab's drive": ("from google.colab import drive\ndrive.mount('/content')\n", "google.colab"),
    "a question at the keyboard": ("k = float(input('k? '))\n", "a keyboard"),
    "everything on a GPU": ("torch.set_default_device('cuda')\n", "a GPU"),
}  # fmt: skip
HERE_ENOUGH = {
    "a window": "import matplotlib\nmatplotlib.use('TkAgg')\n",
    "a window, later": "import matplotlib.pyplot as plt\nplt.switch_backend('TkAgg')\n",
    "a compiler": "@torch.compile\n",
    "an unknown magic": "%%memit -r 3\n",
    "a guarded import": "try:\n    import no_such_package\n    1 / 0\nexcept ImportError:\n    pass\n",
}


@pytest.mark.parametrize("what", NOT_HERE)
def test_what_does_not_need_it_is_judged_all_the_same_and_flagged(what: str) -> None:
    before, need = NOT_HERE[what]
    result = grade(before + RIGHT)
    assert result.cells["double_tests"].passed is True
    assert result.flags == (f"needs {need}, which is not here",)


@pytest.mark.parametrize("what", HERE_ENOUGH)
def test_what_only_looks_like_another_machine_is_no_matter(what: str) -> None:
    result = grade(HERE_ENOUGH[what] + RIGHT)
    assert (result.cells["double_tests"].passed, result.flags) == (True, ())


@pytest.mark.parametrize(
    ("source", "need"),
    [
        ("import no_such_package as n\ndef double(x):\n    return n.twice(x)", "no_such_package"),
        ("def double(x):\n    import no_such_package\n    return 2 * x", "no_such_package"),
        ("import no_such_package as n\ntwo = n.two()\ndef double(x):\n    return two * x", "no_such_package"),
        ("import no_such_package as n\ndouble = n.jit(lambda x: 2 * x)", "no_such_package"),
        ("def double(x):\n    return 2 * x.cuda()", "a GPU"),
    ],
)
def test_what_needs_it_waits_for_a_person_and_is_never_zero_unasked(source: str, need: str) -> None:
    result = grade(source)
    cell = result.cells["double_tests"]
    assert (result.status, cell.passed, cell.points) == ("manual", None, 0.0)
    assert need in cell.message
    assert f"needs {need}, which is not here" in result.flags


def test_an_error_of_the_students_own_is_no_want_of_the_machine() -> None:
    for wrong in ("from torch import no_such_name\n", "x = 1 +\n", "import math\nmath.no_such\n"):
        result = grade(wrong + RIGHT)
        assert (result.cells["double_tests"].passed, result.flags) == (False, ())


def test_an_answer_in_another_language_is_told() -> None:
    assert "cell not run, for it begins with %%bash" in grade(f"%%bash\n{RIGHT}").flags


def test_names_of_modules_come_from_the_notebook_alone() -> None:
    assert absent_modules("import torch, json\n  from no_such.part import x as y\nimport os") == ("no_such",)
    assert absent_modules("# import no_such") == ()
    needs = Needs([Step("student", "import no_such", 2)])
    needs.ran(Step("student", "import no_such", 2), ["no_such", "a secret", 3])
    needs.ran(Step("student", "x = 1", 2), ["another secret"])
    assert needs.of_call("ModuleNotFoundError", "No module named 'a secret'") == "no_such"
    assert needs.flags() == ["needs no_such, which is not here"]


@pytest.mark.parametrize(
    ("source", "written_with", "need"),
    [
        ("type Number = int | float", "", "Python 3.12"),
        ("def first[T](x: list[T]) -> T:\n    return x[0]", "", "Python 3.12"),
        ("print(f\"{names[\"ada\"]}\")", "", "Python 3.12"),
        ("x = 1 +", "3.13.1", "Python 3.13"),
        ("x = 1 +", "3.10.4", ""),
        ("x = 1 +", "", ""),
        ("x = type(1)", "nonsense", ""),
    ],
)  # fmt: skip
def test_syntax_of_a_newer_python_is_told_from_a_mistake(source: str, written_with: str, need: str) -> None:
    assert newer_python(source, written_with, here=(3, 11)) == need
