"""A lab that was solved in Colab is graded as if it had never been there."""

import json
from pathlib import Path

import pytest
from grading.colab import through_colab

from tools.notebooks import install_cell, lab_notebook
from vae_lab.grading.course import Course
from vae_lab.grading.judge.engine import grade_submission
from vae_lab.grading.lab.source import load_lab

COURSE = Course(Path(__file__).parents[3])
WHEEL = "https://x.example/vae_lab-0.1.0-py3-none-any.whl"


def about(cell):
    return cell["metadata"].get("nbgrader", {})


def is_test(cell):
    return bool(about(cell).get("grade")) and not about(cell).get("solution")


def is_locked(cell):
    return bool(about(cell).get("locked")) and not about(cell).get("solution")


# Each way is what a student may have done; what it may not do is change the score.
WAYS = {
    "opened and downloaded": {"run": False},
    "solved and run": {},
    "metadata stripped": {"nbgrader": "stripped"},
    "test cells deleted": {"delete": is_test},
    "every locked cell deleted": {"delete": is_locked},
    "stripped, and every locked cell deleted": {"nbgrader": "stripped", "delete": is_locked},
    "the published notebook": {"install": install_cell(WHEEL)["source"]},
    "installed with a magic": {"install": f"!pip install -q {WHEEL}\n%matplotlib inline\n#@title Set up"},
}


def solved(lab, wrong=0):
    """The released lab with the instructor's answers; the first `wrong` functions left unwritten."""
    answers = {
        about(cell)["grade_id"]: cell["source"]
        for cell in json.loads(COURSE.source(lab).read_text())["cells"]
        if about(cell).get("solution")
    }
    notebook = json.loads(COURSE.released(lab).read_text())
    for cell in notebook["cells"]:
        if about(cell).get("solution"):
            if wrong and cell["cell_type"] == "code":
                wrong -= 1
            else:
                cell["source"] = answers[about(cell)["grade_id"]]
    return notebook


def graded(lab, data):
    result = grade_submission(load_lab(COURSE.source(lab)), "s1", data)
    assert result.status != "error", result.reason
    return {name: (cell.points, cell.passed) for name, cell in result.cells.items()}, result.status


@pytest.fixture(scope="module")
def unchanged():
    """The result of each lab as handed in from JupyterLab: complete, and with two answers missing."""
    known = {}

    def grade(lab, wrong):
        if (lab, wrong) not in known:
            known[lab, wrong] = graded(lab, json.dumps(solved(lab, wrong)).encode())
        return known[lab, wrong]

    return grade


def test_the_solved_lab_has_its_points_and_the_other_has_fewer(unchanged):
    for lab in COURSE.labs():
        complete, _ = unchanged(lab, 0)
        assert all(passed is not False for _, passed in complete.values()), lab
        assert any(passed is False for _, passed in unchanged(lab, 2)[0].values())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lab", COURSE.labs())
def test_colab_changes_no_score(unchanged, lab, way):
    wrong = 2 if way in ("solved and run", "stripped, and every locked cell deleted") else 0
    notebook = solved(lab, wrong)
    if way == "the published notebook":
        notebook = lab_notebook(notebook, WHEEL, "https://x.example")
    before = json.dumps(notebook)
    data = through_colab(notebook, **WAYS[way])
    assert json.dumps(notebook) == before
    assert graded(lab, data) == unchanged(lab, wrong)


def test_the_imitation_is_what_colab_writes():
    """Facts about files that Colab wrote, against which the imitation is held."""
    made = json.loads(through_colab(solved("sampling"), nbgrader="stripped"))
    assert list(made) == ["nbformat", "nbformat_minor", "metadata", "cells"]
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 0)
    assert made["metadata"]["kernelspec"] == {"name": "python3", "display_name": "Python 3"}
    assert made["metadata"]["accelerator"] == "GPU"
    assert "vae_lab" not in made["metadata"]
    assert not any("id" in cell for cell in made["cells"])
    assert all(cell["metadata"]["id"] for cell in made["cells"])
    assert not any("nbgrader" in cell["metadata"] for cell in made["cells"])
    ran = [cell for cell in made["cells"] if cell["cell_type"] == "code"]
    assert all({"outputId", "colab", "id"} == set(cell["metadata"]) for cell in ran)
    assert {output["output_type"] for cell in ran for output in cell["outputs"]} >= {"stream", "execute_result"}
    kept = json.loads(through_colab(solved("sampling"), run=False))
    assert any("nbgrader" in cell["metadata"] for cell in kept["cells"])
    assert kept["metadata"]["vae_lab"]["lab"] == "sampling"
