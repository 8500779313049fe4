"""A course with one small lab, `halves`, for tests of everything around the grading engine."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path

from vae_lab.grading.classroom.database import database_url
from vae_lab.grading.classroom.gradebook import LabGradebook
from vae_lab.grading.course import Course

BANK = """
from vae_lab.grading.authoring.bank import Answer

RIGHT = [
    Answer("multiplies by 0.5", {"half": "def half(x):\\n    return 0.5 * x"}),
    Answer("shifts and warns on stderr", {"double": "import sys\\ndef double(x):\\n"
        "    print('careful', file=sys.stderr)\\n    return x + x"}),
]
WRONG = [
    Answer("takes the square root", {"half": "def half(x):\\n    return x ** 0.5"},
        frozenset({"half_tests", "half_tests_2"}), says="the square root"),
    Answer("wrong below zero", {"half": "def half(x):\\n    return abs(x) / 2"}, frozenset({"half_tests"})),
    Answer("does not double", {"double": "def double(x):\\n    return x"}, frozenset({"double_tests"}), says="2.0"),
]
"""


def cell(kind: str, grade_id: str | None, source: str, **flags: object) -> dict[str, object]:
    """A notebook cell; `flags` are nbgrader's, with everything off by default."""
    made: dict[str, object] = {"cell_type": kind, "id": grade_id or "plain", "metadata": {}}
    if kind == "code":
        made |= {"execution_count": None, "outputs": []}
    if grade_id:
        about = {"grade": False, "grade_id": grade_id, "locked": False, "schema_version": 3, "solution": False}
        made["metadata"] = {"nbgrader": {**about, "task": False, **flags}}
        if flags.get("grade") or flags.get("solution"):
            name = f"vae-lab: halves/{grade_id}"
            source = (f"# {name}\n" if kind == "code" else f"<!-- {name} -->\n") + source
    return {**made, "source": source}


def notebook() -> dict[str, object]:
    """The source of the lab: 3 + 1 + 2 points for code, 4 for a written answer."""
    tests = {"grade": True, "locked": True}
    return {
        "cells": [
            cell("markdown", "title", "# Halves and doubles", locked=True),
            cell("code", "setup", "import torch", locked=True),
            cell(
                "code",
                "half",
                "def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION",
                solution=True,
            ),
            cell(
                "code",
                "half_tests",
                "got = half(torch.tensor([16.0]))\nassert got.item() == 8.0, 'half of 16 is 8; this looks like "
                "something else, perhaps the square root'\n"
                "### BEGIN HIDDEN TESTS\nSECRET = torch.tensor([-7.25])\nassert half(SECRET).item() == -3.625, "
                "'wrong for a number below zero'\n### END HIDDEN TESTS",
                points=3,
                **tests,
            ),
            cell("code", "half_tests_2", "assert half(torch.tensor([9.0])).item() == 4.5", points=1, **tests),
            cell(
                "code",
                "double",
                "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
                solution=True,
            ),
            cell(
                "code",
                "double_tests",
                "got = double(torch.tensor([1.0]))\nassert got.item() == 2.0, f'expected 2.0, got {got.item()}'",
                points=2,
                **tests,
            ),
            cell(
                "markdown",
                "why",
                "<!-- ### BEGIN SOLUTION -->\nBecause two halves make a whole.\n<!-- ### END SOLUTION -->",
                grade=True,
                solution=True,
                points=4,
            ),
        ],
        "metadata": {"kernelspec": {"display_name": "x", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def make(root: Path) -> Course:
    """Write the course into a folder."""
    course = Course(root)
    course.source("halves").parent.mkdir(parents=True)
    course.source("halves").write_text(json.dumps(notebook(), indent=1))
    course.bank("halves").parent.mkdir(parents=True)
    course.bank("halves").write_text(BANK)
    return course


@cache
def empty_gradebook() -> bytes:
    """A new gradebook for this lab, as bytes of SQLite: made once, since nbgrader takes seconds to make one."""
    with tempfile.TemporaryDirectory() as folder:
        with LabGradebook(database_url(None, Path(folder)), "halves", json.dumps(notebook())):
            pass
        return (Path(folder) / "gradebook.db").read_bytes()
