"""Answers that are right, but for destroying or altering all that they can reach first: none passes its own tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.course import Course
from vae_lab.grading.judge.engine import grade_submission, sandbox_problem
from vae_lab.grading.lab.cells import grader, text, to_bytes
from vae_lab.grading.lab.source import load_lab

COURSE = Course(Path(__file__).parents[2])

WRAP = """

_right_{name} = {name}
def {name}(*args, **kwargs):
    import torch
    def alter(value, depth=0):
        try:
            if isinstance(value, torch.Tensor):
                with torch.no_grad():
                    value.detach().copy_({change})
            elif isinstance(value, (list, tuple)) and depth < 3:
                for item in value:
                    alter(item, depth + 1)
            else:
                for parameter in value.parameters():
                    alter(parameter)
        except Exception:
            pass
    if "{when}" == "before":
        alter(args)
    answer = _right_{name}(*args, **kwargs)
    if "{when}" == "after":
        alter(args)
    return answer
"""
METHODS = """

def _altering(method):
    def altered(self, value):
        import torch
        with torch.no_grad():
            value.detach().copy_({change})
        return method(self, value)
    return altered
for _name in ("encode", "decode", "forward"):
    setattr(VAE, _name, _altering(getattr(VAE, _name)))
"""
TAKES_NO_TENSOR = {"node_kinds", "gradient_reaches", "recognisable_fraction"}  # nothing of the judge's within reach
CHANGES = {"halved": "value * 0.5", "zero": "value * 0", "drawn anew": "torch.rand_like(value)"}


@pytest.mark.parametrize(("change", "when"), [("halved", "before"), ("drawn anew", "before"), ("zero", "after")])
@pytest.mark.parametrize("lab", COURSE.labs())
def test_no_answer_passes_that_changes_what_it_was_given(lab: str, change: str, when: str) -> None:
    if problem := sandbox_problem():
        pytest.fail(problem)
    source = COURSE.source(lab).read_text(encoding="utf-8")
    solved = with_answers(source, lab, {}, hidden_tests=False)
    wrapped = set()
    for cell in solved["cells"]:
        about = grader(cell)
        if about.get("solution") and cell["cell_type"] == "code" and about["grade_id"] not in TAKES_NO_TENSOR:
            name = about["grade_id"]
            more = METHODS if name == "VAE" else WRAP
            cell["source"] = text(cell) + more.replace("{name}", name).replace("{change}", CHANGES[change]).replace(
                "{when}", when
            )
            wrapped.add(name)
    result = grade_submission(load_lab(COURSE.source(lab)), "mallory", to_bytes(json.loads(json.dumps(solved))))
    tests = {name: cell for name, cell in result.cells.items() if name.partition("_tests")[0] in wrapped}
    assert len({name.partition("_tests")[0] for name in tests}) == len(wrapped)
    assert {name for name, cell in tests.items() if cell.passed} == set()
