"""A lab in another language is the same lab: its cells, names and code; handed in and read as the English one."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vae_lab.checks.messages import TITLES
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.authoring.selfcheck import as_released, find_written, language_spoken
from vae_lab.grading.course import Course
from vae_lab.grading.judge.submitted_notebook import read_notebook
from vae_lab.grading.lab.cells import grader, text, to_bytes
from vae_lab.grading.lab.handed_in import read_handed_in
from vae_lab.grading.lab.release import release_notebook
from vae_lab.grading.lab.source import Lab, load_lab
from vae_lab.grading.lab.translation import pieces, translate_source, translated_into
from vae_lab.lab_files import labs
from vae_lab.language import translate

HERE = Course(Path(__file__).parents[3])
PAIRS = [(lab, language) for lab in HERE.labs() for language in translated_into(lab)]
Notebook = dict[str, Any]


def source(lab: str) -> str:
    return HERE.source(lab).read_text(encoding="utf-8")


def released(lab: str, language: str) -> Notebook:
    notebook: Notebook = json.loads(HERE.released(lab, language).read_bytes())
    return notebook


def solved(lab: str, language: str) -> Notebook:
    return with_answers(source(lab), lab, {}, hidden_tests=False, language=language)


def bare(code: str) -> str:
    """What runs, without documentation, comments and the language; a print's words aside, which a reader sees."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "checks.start":
            node.keywords = []
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            node.args = []
    return ast.unparse(tree)


def test_every_lab_is_translated() -> None:
    assert {lab for lab, _ in PAIRS} == set(HERE.labs())


@pytest.mark.parametrize(("lab", "language"), PAIRS)
def test_what_is_in_labs_is_what_the_source_and_the_catalogue_give(lab: str, language: str) -> None:
    made = release_notebook(source(lab), lab, language)
    assert HERE.released(lab, language).read_bytes() == made.encode(), f"out of date; run `vae-lab release {lab}`"
    assert release_notebook(source(lab), lab, language) == made


@pytest.mark.parametrize(("lab", "language"), PAIRS)
def test_it_has_the_same_cells_names_and_code(lab: str, language: str) -> None:
    ours, theirs = released(lab, "en")["cells"], released(lab, language)["cells"]
    assert [cell["id"] for cell in ours] == [cell["id"] for cell in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one["cell_type"] == other["cell_type"]
        about, same = dict(grader(one)), dict(grader(other))
        about.pop("checksum", None), same.pop("checksum", None)
        assert about == same
        assert as_released(other) if grader(other) else True
        assert [line for line in text(one).split("\n") if "vae-lab: " in line] == [
            line for line in text(other).split("\n") if "vae-lab: " in line
        ]
        if one["cell_type"] == "code":
            assert bare(text(one)) == bare(text(other))
    assert f'checks.start("{lab}", language="{language}")' in json.dumps(theirs).replace('\\"', '"')
    assert released(lab, language)["metadata"]["vae_lab"]["language"] == language


@pytest.mark.parametrize(("lab", "language"), PAIRS)
def test_it_names_the_pages_as_the_messages_do(lab: str, language: str) -> None:
    """A title in the table of tasks is that of the page in that language's book."""
    everything = "".join(text(cell) for cell in released(lab, language)["cells"] if cell["cell_type"] == "markdown")
    english = "".join(text(cell) for cell in released(lab, "en")["cells"] if cell["cell_type"] == "markdown")
    for title in TITLES.values():
        assert english.count(f"[{title}](") == everything.count(f"[{translate(title, language)}](")


@pytest.mark.parametrize(("lab", "language"), PAIRS)
def test_handed_in_it_is_read_without_a_flag(lab: str, language: str) -> None:
    """Blank as released, and solved: no cell counts as edited, and none as answered that is not."""
    known = load_lab(HERE.source(lab))
    blank = read_handed_in(known, HERE.released(lab, language).read_bytes())
    assert (blank.flags, blank.language) == ((), language)
    assert all(answer.blank for answer in blank.answers.values())
    done = read_handed_in(known, to_bytes(solved(lab, language)))
    assert (done.flags, done.language) == ((), language)
    assert not any(answer.blank for answer in done.answers.values())
    english = read_notebook(known, to_bytes(solved(lab, "en")))
    steps = read_notebook(known, to_bytes(solved(lab, language))).steps
    assert [(step.kind, step.cell) for step in steps] == [(step.kind, step.cell) for step in english.steps]
    assert all(
        one.source == other.source for one, other in zip(steps, english.steps, strict=True) if one.kind != "student"
    )


def strip_metadata(notebook: Notebook) -> None:
    notebook["metadata"] = {}
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def edit_setup(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        if grader(cell).get("grade_id") == "setup":
            cell["source"] = text(cell).replace(', language="vi"', "") + "\nimport math"


def own_cells(notebook: Notebook) -> None:
    new = [{"cell_type": "markdown", "metadata": {}, "source": f"My own English text, number {n}."} for n in range(30)]
    notebook["cells"][1:1] = new


def only_code(notebook: Notebook) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


@pytest.mark.parametrize("change", [strip_metadata, edit_setup, own_cells, only_code])
@pytest.mark.parametrize(("lab", "language"), PAIRS)
def test_its_language_is_found_whatever_a_student_does(
    lab: str, language: str, change: Callable[[Notebook], None]
) -> None:
    known = load_lab(HERE.source(lab))
    for one in ("en", language):
        notebook = solved(lab, one)
        change(notebook)
        assert read_handed_in(known, to_bytes(notebook)).language == one
        assert language_spoken(to_bytes(notebook), labs()) == one


@pytest.mark.parametrize(("lab", "language"), PAIRS)
def test_an_edited_test_is_still_seen(lab: str, language: str) -> None:
    notebook = solved(lab, language)
    tests = next(cell for cell in notebook["cells"] if grader(cell).get("grade_id", "").endswith("_tests"))
    tests["source"] = text(tests) + "\npass"
    flags = read_handed_in(load_lab(HERE.source(lab)), to_bytes(notebook)).flags
    assert flags == (f"locked cell edited: {grader(tests)['grade_id']}",)


def test_cells_of_two_languages_in_one_notebook_are_the_labs_own() -> None:
    notebook, other = solved("sampling", "vi"), solved("sampling", "en")
    notebook["cells"][::2] = other["cells"][::2]
    assert read_handed_in(load_lab(HERE.source("sampling")), to_bytes(notebook)).flags == ()


def test_a_written_answer_beside_the_question_is_found() -> None:
    """The translated question is the lab's own text, and no part of the answer."""
    notebook = released("sampling", "vi")
    own = "Sau eps không có tham số nào, nên gradient của nó không dùng để làm gì."
    place = next(n for n, cell in enumerate(notebook["cells"]) if grader(cell).get("grade_id", "").startswith("why"))
    notebook["cells"].insert(place, {"cell_type": "markdown", "metadata": {}, "source": own})
    answers = read_handed_in(load_lab(HERE.source("sampling")), to_bytes(notebook)).answers
    assert answers["why_eps_needs_no_gradient"].text == own

    from vae_lab.checks.lab_overview import Overview, TaskState

    found = Overview([TaskState("why_eps_needs_no_gradient", 3.0, written=True)])
    find_written(found, to_bytes(notebook), labs())
    assert found.tasks[0].state == "for a person"


def test_pieces_are_text_comments_and_docstrings() -> None:
    docstring = '    """Do.\n\n    Args:\n        x: it.\n    """\n'
    code = f'# vae-lab: a/f\ndef f(x):\n{docstring}    # YOUR CODE HERE\n    y = "no"  # why\n'
    assert [piece.text for piece in pieces(code, True, True)] == ["Do.", "Args:\n    x: it.", "# why"]
    words = {"Do.": "Làm.", "Args:\n    x: it.": "Đối số:\n    x: nó.", "# why": "# vì sao"}
    made = translate_source(code, True, True, words, "vi")
    assert made == code.replace("Do.", "Làm.").replace("Args", "Đối số").replace("x: it", "x: nó").replace(
        "# why", "# vì sao"
    )


def test_a_lab_without_a_catalogue_is_in_one_language() -> None:
    assert translated_into("pottery") == ()
    lab = load_lab(HERE.source("elbo"))
    assert isinstance(lab, Lab)
    assert [language for language, _ in lab.cells[0].also] == list(translated_into("elbo"))
