"""Accidents that happen to honest notebooks cost nothing, and no bytes make the reader raise."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading import tiny
from vae_lab.grading.judge.submitted_notebook import SubmittedNotebook, read_notebook
from vae_lab.grading.lab.matching import unanswered
from vae_lab.grading.lab.notebook_file import MAX_BYTES
from vae_lab.grading.lab.source import Lab

LAB = tiny.lab()


def read(change: Callable[[dict[str, Any]], None]) -> SubmittedNotebook:
    notebook = json.loads(tiny.submission())
    change(notebook)
    return read_notebook(LAB, json.dumps(notebook).encode())


def order(submission: SubmittedNotebook) -> list[str]:
    """What runs, in order: a grade_id for each step, with its kind where it is not the student's."""
    names = []
    for step in submission.steps:
        name = "extra" if step.cell is None else LAB.cells[step.cell].grade_id
        names.append(name if step.kind == "student" else f"{step.kind}:{name}")
    return names


HONEST = ["setup:setup", *(part for name in tiny.SOLUTIONS for part in (name, f"tests:{name}_tests"))]


def cell_named(notebook: dict[str, Any], grade_id: str) -> dict[str, Any]:
    return next(c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id)


def strip_metadata(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def colab(notebook: dict[str, Any]) -> None:
    notebook.update(nbformat=4, nbformat_minor=0)
    notebook["metadata"] = {"colab": {"provenance": []}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] = {"id": f"x{number}", "outputId": "y", **cell["metadata"]}
        cell["source"] = cell["source"].splitlines(keepends=True)


def old_format(notebook: dict[str, Any]) -> None:
    cells = notebook.pop("cells")
    for cell in cells:
        if cell["cell_type"] == "code":
            cell["input"] = cell.pop("source")
    notebook.update(nbformat=3, nbformat_minor=0, worksheets=[{"cells": cells}])


def bare(notebook: dict[str, Any]) -> None:
    """No metadata and no anchors: only the names that cells define are left."""
    strip_metadata(notebook)
    for cell in notebook["cells"]:
        cell["source"] = "\n".join(line for line in cell["source"].split("\n") if "vae-lab:" not in line)


def outputs(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stderr", "text": ["Warning"]}, {"output_type": "?"}]
            cell["execution_count"] = "none"


def other_kernel(notebook: dict[str, Any]) -> None:
    notebook["metadata"] = {"kernelspec": {"name": "my-env", "display_name": "mine"}, "language_info": 3}


@pytest.mark.parametrize(
    "accident", [strip_metadata, colab, old_format, outputs, other_kernel], ids=lambda f: f.__name__
)
def test_an_accident_changes_nothing(accident: Callable[[dict[str, Any]], None]) -> None:
    submission = read(accident)
    assert order(submission) == HONEST
    assert submission.flags == ()
    assert not submission.problem


def test_cells_without_metadata_and_anchor_are_known_by_what_they_define() -> None:
    assert order(read(bare)) == HONEST


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_a_byte_order_mark_is_no_obstacle(encoding: str) -> None:
    assert order(read_notebook(LAB, tiny.submission().decode().encode(encoding))) == HONEST


def test_deleted_cells_are_put_back_and_named() -> None:
    def delete(notebook: dict[str, Any]) -> None:
        gone = ("setup", "double_tests", "facts", "noisy_tests")
        notebook["cells"] = [
            c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") not in gone
        ]

    submission = read(delete)
    assert order(submission) == [name for name in HONEST if name != "facts"]
    assert set(submission.flags) == {f"cell missing: {n}" for n in ("setup", "double_tests", "facts", "noisy_tests")}


def test_a_duplicated_solution_runs_twice_and_is_tested_after_the_last() -> None:
    def duplicate(notebook: dict[str, Any]) -> None:
        notebook["cells"].append(json.loads(json.dumps(cell_named(notebook, "double"))))

    submission = read(duplicate)
    names = order(submission)
    assert names.count("double") == 2
    assert names.index("tests:double_tests") > len(names) - 3
    assert submission.flags == ("cell duplicated: double",)


def test_a_duplicated_test_runs_once() -> None:
    submission = read(lambda notebook: notebook["cells"].append(cell_named(notebook, "double_tests")))
    assert order(submission).count("tests:double_tests") == 1


def test_edited_instructor_cells_are_restored_and_flagged_and_edited_code_of_the_setup_runs_on_the_students_side() -> (
    None
):
    def edit(notebook: dict[str, Any]) -> None:
        cell_named(notebook, "setup")["source"] = "import torch; torch.allclose = print"
        cell_named(notebook, "double_tests")["source"] += "\n\n"
        cell_named(notebook, "facts_tests")["source"] = "pass"

    submission = read(edit)
    assert order(submission) == ["setup:setup", "setup", *HONEST[1:]]
    assert submission.flags == ("locked cell edited: setup", "locked cell edited: facts_tests")
    assert [step.kind for step in submission.steps if "print" in step.source] == ["student"]
    assert not any(step.source == "pass" for step in submission.steps)


def test_extra_cells_run_where_they_stand() -> None:
    extra = tiny.cell("code", "helper = 1")
    assert order(read(lambda notebook: notebook["cells"].insert(2, extra))) == [HONEST[0], "extra", *HONEST[1:]]


def test_no_step_of_the_student_holds_a_test() -> None:
    for step in read(lambda notebook: None).steps:
        assert step.kind != "student" or "assert" not in step.source


@pytest.mark.parametrize("answer", ["", "  \n", "YOUR ANSWER HERE", "<!-- vae-lab: tiny/why -->\nYOUR ANSWER HERE\n"])
def test_a_blank_answer_is_no_answer(answer: str) -> None:
    why = next(cell for cell in LAB.cells if cell.grade_id == "why")
    assert unanswered(why, answer)
    assert not unanswered(why, answer + "\nBecause eps has nothing to learn.")


def test_a_notebook_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert "bytes" in read_notebook(LAB, b" " * 10 + b"[" * (MAX_BYTES + 1)).problem


KEYS = st.sampled_from(["cells", "source", "metadata", "nbgrader", "grade_id", "cell_type", "worksheets", "input", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    assert read_notebook(LAB, data).problem


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_no_json_makes_the_reader_raise(value: Any) -> None:
    read_notebook(LAB, json.dumps(value).encode())


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_random_damage_never_makes_the_reader_raise(data: st.DataObject) -> None:
    notebook = json.loads(tiny.submission())
    for _ in range(data.draw(st.integers(1, 4))):
        node: Any = notebook
        while isinstance(node, dict | list) and node:
            keys = sorted(node) if isinstance(node, dict) else range(len(node))
            key = data.draw(st.sampled_from(keys))
            if data.draw(st.integers(0, 3)) == 0 or not isinstance(node[key], dict | list):
                node[key] = data.draw(JSON)
                break
            node = node[key]
    damaged = bytearray(json.dumps(notebook).encode())
    for _ in range(data.draw(st.integers(0, 2))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    submission = read_notebook(LAB, bytes(damaged))
    assert submission.problem or sum(step.kind == "tests" for step in submission.steps) == len(tiny.POINTS)


def lab_with(**changes: Any) -> bytes:
    made = tiny.cells()
    target = next(c for c in made if c["metadata"].get("nbgrader", {}).get("grade_id") == "double_tests")
    for key, value in changes.items():
        if key in ("source", "cell_type"):
            target[key] = value
        else:
            target["metadata"]["nbgrader"][key] = value
    return tiny.notebook(made)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "not a notebook"),
        (b"[]", "not a notebook"),
        (tiny.notebook([]), "no cell gives points"),
        (lab_with(grade_id="double"), "'double' names 2 cells"),
        (lab_with(grade_id=""), "without a grade_id"),
        (lab_with(points=-1), "points -1"),
        (lab_with(points=float("nan")), "points nan"),
        (lab_with(points="3"), "points '3'"),
        (lab_with(source="assert ("), "no valid Python"),
        (lab_with(source="### BEGIN HIDDEN TESTS\n1"), "without END"),
        (lab_with(source="### END HIDDEN TESTS\n1"), "unmatched"),
        (lab_with(cell_type="markdown"), "no code cell"),
    ],
)
def test_a_malformed_lab_is_refused_in_one_line(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match="lab tiny") as caught:
        Lab.from_bytes("tiny", data)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_lab_knows_its_cells() -> None:
    roles = [(cell.role, cell.grade_id) for cell in LAB.cells]
    assert roles[:4] == [("text", ""), ("setup", "setup"), ("solution", "double"), ("tests", "double_tests")]
    assert roles[-1] == ("written", "why")
    tests = LAB.cells[3]
    assert "secret" not in tests.released
    assert all(
        "secret" not in line or number in tests.hidden for number, line in enumerate(tests.source.split("\n"), 1)
    )
    assert LAB.cells[2].defines == ("double",)
    assert "2 * x" not in LAB.cells[2].released
    assert LAB.imports == ("torch", "torch.nn")
    assert LAB.students_imports == ("torch", "torch.nn", "vae_lab.grading.rpc.optimizers")  # they train a model
    assert sum(cell.points for cell in LAB.graded) == 20.0
