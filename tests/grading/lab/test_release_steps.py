"""Our release steps beside nbgrader's own, which are the oracle: the same notebook after each, the same refusals."""

from __future__ import annotations

import copy
import itertools
import json
import logging
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbgrader import preprocessors

from tests.grading import tiny_course
from vae_lab.grading.course import Course
from vae_lab.grading.lab.release_steps import STEPS

HERE = Course(Path(__file__).parents[3])
SOURCES = {lab: HERE.source(lab).read_text(encoding="utf-8") for lab in HERE.labs()}
SOURCES["halves"] = json.dumps(tiny_course.notebook())
QUIET = logging.Logger("nbgrader", level=logging.CRITICAL + 1)


def theirs(name: str, notebook: Any) -> Any:
    """The notebook after nbgrader's own step, or None where nbgrader refuses it."""
    notebook = copy.deepcopy(notebook)
    resources = {"language": "python"}
    try:
        made, _ = getattr(preprocessors, name)(log=QUIET).preprocess(notebook, resources)
    except Exception:
        return None
    return made


def ours(name: str, notebook: Any) -> Any:
    """The notebook after our step, or None where it is refused."""
    notebook = copy.deepcopy(notebook)
    try:
        STEPS[name](notebook.cells)
    except (ValueError, KeyError):  # KeyError: what CheckCellMetadata, which comes before, refuses with a sentence
        return None
    return notebook


@pytest.mark.parametrize("lab", SOURCES)
def test_each_step_leaves_what_nbgrader_leaves(lab: str) -> None:
    notebook = nbformat.reads(SOURCES[lab], as_version=4)
    for name in STEPS:
        wanted = theirs(name, notebook)
        assert wanted is not None, name
        assert ours(name, notebook) == wanted, name
        notebook = wanted


def test_the_steps_are_nbgraders_in_its_order() -> None:
    from nbgrader.converters import GenerateAssignment

    used = [step.__name__ for step in GenerateAssignment.preprocessors.default()]
    first = {name: used.index(name) for name in STEPS}
    last = {name: len(used) - 1 - used[::-1].index(name) for name in STEPS}
    assert all(first[before] < last[after] for before, after in itertools.pairwise(STEPS))


LINES = st.lists(
    st.sampled_from(
        [
            "x = 1",
            "    ### BEGIN SOLUTION",
            "    ### END SOLUTION",
            "### BEGIN HIDDEN TESTS",
            "### END HIDDEN TESTS",
            "=== BEGIN MARK SCHEME ===",
            "=== END MARK SCHEME ===",
            "![a](attachment:a.png)",
            "",
            "\tassert x",
        ]
    ),
    max_size=6,
)
FLAGS = st.fixed_dictionaries(
    {
        "grade": st.booleans(),
        "solution": st.booleans(),
        "locked": st.booleans(),
        "schema_version": st.sampled_from([3, 3, 3, 3, 2, 4]),
        "grade_id": st.sampled_from(["a", "b", "c", "d", ""]),
    },
    optional={"points": st.sampled_from([0, 1, 2.5, -1]), "task": st.booleans(), "cell_type": st.just("code")},
)
CELLS = st.lists(st.tuples(st.sampled_from(["code", "markdown"]), LINES, st.none() | FLAGS), max_size=5)


def made_up(cells: list[tuple[str, list[str], dict[str, Any] | None]]) -> Any:
    """A notebook of such cells."""
    notebook = nbformat.v4.new_notebook()
    for kind, lines, flags in cells:
        cell = nbformat.v4.new_code_cell() if kind == "code" else nbformat.v4.new_markdown_cell()
        cell.source = "\n".join(lines)
        if kind == "code":
            cell.execution_count = 3
            cell.metadata["scrolled"] = True
        if flags is not None:
            cell.metadata["nbgrader"] = nbformat.from_dict(flags)
        notebook.cells.append(cell)
    return notebook


@pytest.mark.parametrize("name", STEPS)
@settings(max_examples=120, deadline=None, derandomize=True)
@given(cells=CELLS)
def test_made_up_notebooks_come_out_alike_or_are_refused_by_both(name: str, cells: list[Any]) -> None:
    notebook = made_up(cells)
    wanted, got = theirs(name, notebook), ours(name, notebook)
    assert (got is None) == (wanted is None)
    assert got == wanted
