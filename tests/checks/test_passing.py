"""Success is said, by an object that gives nobody points; and "run all" reaches the last cell, whatever fails."""

from __future__ import annotations

import json
import types
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade

from vae_lab import checks
from vae_lab.checks.passing import Passed, lacking, passed
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.lab.cells import grader, text

ROOT = Path(__file__).parents[2]
LABS = [path.name for path in sorted((ROOT / "solutions").iterdir()) if path.is_dir()]
SOURCE = (ROOT / "solutions" / "sampling" / "sampling.ipynb").read_text(encoding="utf-8")
WRONG = {
    "std_from_logvar": "# vae-lab: sampling/std_from_logvar\ndef std_from_logvar(logvar):\n    return logvar.exp()",
    "reparameterize": "# vae-lab: sampling/reparameterize\ndef reparameterize(mu, logvar)\n    return mu",
    "node_kinds": "# vae-lab: sampling/node_kinds\ndef node_kinds():\n    raise NotImplementedError()",
}
LOST = {"std_from_logvar_tests", "reparameterize_tests", "reparameterize_tests_2", "node_kinds_tests"}


def solution(lab: str) -> list[dict]:
    return json.loads((ROOT / "solutions" / lab / f"{lab}.ipynb").read_text(encoding="utf-8"))["cells"]


def graded(result: object) -> tuple[float, float]:
    """What nbgrader gives a test cell of 2 points that ended with this result."""
    output = {"output_type": "execute_result", "data": {"text/plain": repr(result)}, "metadata": {}}
    about = {"grade": True, "solution": False, "points": 2, "grade_id": "x", "locked": True}
    output["execution_count"] = 1
    cell = nbformat.from_dict({"cell_type": "code", "source": "", "outputs": [output], "metadata": {"nbgrader": about}})
    return determine_grade(cell)


@pytest.mark.parametrize("task", ["half", "nan", "inf", "1", "-1", "0", "1e400", "_", "\u0661"])
def test_what_a_passing_cell_returns_is_no_number_to_nbgrader(task):
    assert graded(passed(task, 2, "odd numbers")) == (2, 2)
    assert graded(passed(task, 0)) == (2, 2)
    assert repr(passed(task, 2)).startswith(f"passed: {task}, 2 points")


def test_nbgrader_takes_a_number_for_points():
    assert graded(1.0) == (1, 2)


def test_it_says_the_same_in_html_and_nothing_active():
    shown = Passed("<b>half</b>", 1, "a & b")._repr_html_()
    assert "passed: &lt;b&gt;half&lt;/b&gt;, 1 point in view" in shown
    assert "a &amp; b" in shown


@pytest.mark.parametrize("lab", LABS)
def test_the_last_line_of_a_test_cell_says_that_it_passed_and_what_it_is_worth(lab):
    for cell in solution(lab):
        info = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and info.get("grade"):
            said = eval(text(cell).splitlines()[-1], {"checks": checks})
            assert (said.points, said.task) == (info["points"], info["grade_id"].split("_tests")[0])


@pytest.mark.parametrize("lab", LABS)
def test_no_cell_that_may_fail_stops_the_ones_below_it(lab):
    for cell in solution(lab):
        if cell["cell_type"] == "code" and grader(cell).get("grade_id") not in ("setup", "overview"):
            assert cell["metadata"].get("tags") == ["raises-exception"], text(cell)


def test_run_all_reaches_the_overview_past_cells_that_fail():
    made = with_answers(SOURCE, "sampling", WRONG, hidden_tests=False)
    notebook = nbformat.reads(json.dumps(made), as_version=4)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()  # stops at errors
    (table,) = notebook.cells[-1].outputs
    assert "x std_from_logvar" in table["data"]["text/plain"]
    assert "+ hand_gradients" in table["data"]["text/plain"]
    (picture,) = next(cell for cell in notebook.cells if cell.id == "figure-draws").outputs
    assert "This cell needs task 2, reparameterize." in picture["text"]
    (said,) = next(cell for cell in notebook.cells if cell.id == "hand-gradients-tests").outputs
    assert said["data"]["text/plain"].startswith("passed: hand_gradients, 2 points")


def test_the_tags_give_nobody_points_in_stock_nbgrader(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    made = with_answers(SOURCE, "sampling", WRONG, hidden_tests=True)
    notebook = nbformat.reads(json.dumps(made), as_version=4)
    tests = [cell for cell in notebook.cells if cell.cell_type == "code" and grader(cell).get("grade")]
    assert all(cell.metadata.tags == ["raises-exception"] for cell in tests)
    Execute(timeout=120).preprocess(notebook, {"metadata": {"path": str(ROOT)}})
    grades = {grader(cell)["grade_id"]: determine_grade(cell) for cell in tests}
    assert {name for name, (points, _) in grades.items() if points == 0} == LOST
    assert all(points == most for name, (points, most) in grades.items() if name not in LOST)


def test_a_cell_that_shows_something_says_what_it_needs(monkeypatch, capsys):
    def half(x):
        raise NotImplementedError()

    class Model:
        def encode(self, x):
            raise NotImplementedError()

    assert lacking({"half": half, "Model": Model, "torch": 3}, {"half": 1, "Model": 2, "torch": 3}) == [
        "task 1, half",
        "task 2, Model",
    ]
    shell = types.SimpleNamespace(kernel=object(), user_ns={"double": lambda x: 2 * x})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    assert checks.ready(double=1)
    assert not checks.ready(double=1, my_vae="the cell that trains it")
    assert capsys.readouterr().out == "This cell needs my_vae: run the cell that trains it. Then run it again.\n"


def test_where_nobody_looks_nothing_is_shown(capsys):
    assert not checks.ready(torch=1)
    assert capsys.readouterr().out == ""
