from __future__ import annotations

import json
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.grading import tiny_course
from vae_lab.checks.lab_overview import read_cells, summary
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.authoring.run_notebook import in_a_fork
from vae_lab.grading.authoring.selfcheck import SelfCheck, before_handing_in, check, check_file, find_written
from vae_lab.grading.lab.cells import text, to_bytes
from vae_lab.grading.lab.release import release_notebook
from vae_lab.lab_files import labs

SOURCE = json.dumps(tiny_course.notebook())


def checked(tmp_path: Path, cells: dict[str, str], change=lambda notebook: None) -> SelfCheck:
    notebook = with_answers(SOURCE, "halves", cells, hidden_tests=False)
    change(notebook)
    path = tmp_path / "halves.ipynb"
    path.write_bytes(to_bytes(notebook))
    return in_a_fork(check_file, path)


def states(result: SelfCheck) -> dict[str, str]:
    return {task.name: task.state for task in result.tasks}


def test_a_solved_lab_passes_all_visible_tests(tmp_path: Path) -> None:
    result = checked(tmp_path, {})
    assert states(result) == {"half": "passed", "double": "passed", "why": "for a person"}
    assert result.passed
    assert "6 of 6 points in view" in str(result)


def test_the_released_lab_is_not_attempted(tmp_path: Path) -> None:
    path = tmp_path / "halves.ipynb"
    path.write_text(release_notebook(SOURCE, "halves"))
    result = in_a_fork(check_file, path)
    assert set(states(result).values()) == {"not attempted"}
    assert not result.passed
    assert "0 of 6 points in view" in str(result)


def test_a_failed_task_says_why_and_what_to_read(tmp_path: Path) -> None:
    wrong = "def double(x):\n    raise ValueError(\"too hard\\nRead next: the book's page 'Doubles' (doubles.html).\")"
    result = checked(tmp_path, {"double": wrong, "half": "def half(x):\n    return x ** 0.5"})
    assert states(result) == {"half": "failed", "double": "failed", "why": "for a person"}
    text = str(result)
    assert "half of 16 is 8" in text
    assert "ValueError: too hard" in text
    assert "Read next: the book's page 'Doubles' (doubles.html)." in text
    assert "half of 16 is 8" in result._repr_html_()


def test_what_the_hidden_tests_find_is_not_in_view(tmp_path: Path) -> None:
    result = checked(tmp_path, {"half": "def half(x):\n    return abs(x) / 2"})
    assert states(result)["half"] == "passed"


def test_a_notebook_without_metadata_is_read_by_its_anchors(tmp_path: Path) -> None:
    def strip(notebook: dict) -> None:
        for cell in notebook["cells"]:
            cell["metadata"] = {}

    result = checked(tmp_path, {"half": "def half(x):\n    return x ** 0.5"}, strip)
    assert states(result) == {"half": "failed", "double": "passed", "why": "for a person"}
    assert result.tasks[0].points is None


def test_a_missing_function_is_not_attempted(tmp_path: Path) -> None:
    result = checked(tmp_path, {"half": "# later"})
    assert states(result)["half"] == "not attempted"


def test_what_a_student_wrote_is_escaped(tmp_path: Path) -> None:
    result = checked(tmp_path, {"half": "def half(x):\n    raise ValueError('<script>alert(1)</script>')"})
    assert "<script>" not in result._repr_html_()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"cells": 3}', b'{"cells": [{}]}', b"[" * 100_000, b"\xff"]
)
def test_a_file_that_is_no_notebook_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="not a notebook"):
        check_file(path)


def run_in_kernel(path: str | None) -> tuple[dict[str, str], str]:
    shell = InteractiveShell.instance()
    for cell in with_answers(SOURCE, "halves", {"double": "def double(x):\n    return x"}, hidden_tests=False)["cells"]:
        if cell["cell_type"] == "code" and (path is None or "_tests" not in cell["id"]):
            shell.run_cell(text(cell), store_history=True)
    found = check(path)
    return states(found), str(found)


@pytest.mark.parametrize("with_path", [True, False])
def test_the_same_in_one_cell_of_a_notebook(tmp_path: Path, with_path: bool) -> None:
    path = tmp_path / "halves.ipynb"
    path.write_text(release_notebook(SOURCE, "halves"))
    found, text = in_a_fork(run_in_kernel, str(path) if with_path else None)
    assert found["double"] == "failed"
    assert found["half"] == "passed"
    assert "expected 2.0, got 1.0" in text


def test_outside_of_a_kernel_it_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match="vae-lab check NOTEBOOK"):
        check()


def test_code_in_a_test_cell_is_told_before_handing_in() -> None:
    notebook = with_answers(SOURCE, "halves", {}, hidden_tests=False)
    assert list(before_handing_in(to_bytes(notebook))) == []
    tests = next(cell for cell in notebook["cells"] if cell["id"] == "half_tests")
    tests["source"] = text(tests) + "   \n"
    assert list(before_handing_in(to_bytes(notebook))) == []
    tests["source"] = "def half(x):\n    return x / 2\n" + text(tests)
    (line,) = before_handing_in(to_bytes(notebook))
    assert line.startswith("half_tests: you have changed this test cell.")
    assert "Move your code" in line
    tests["metadata"] = {}
    assert list(before_handing_in(to_bytes(notebook))) == []
    assert list(before_handing_in(b"no notebook")) == []


def test_a_written_answer_in_a_code_cell_is_for_a_person_too(tmp_path: Path) -> None:
    def as_code(notebook: dict) -> None:
        cell = next(cell for cell in notebook["cells"] if cell["id"] == "why")
        cell |= {"cell_type": "code", "outputs": [], "execution_count": None}
        cell["source"] = "# vae-lab: halves/why\n# Two halves, a whole."

    assert states(checked(tmp_path, {}, as_code))["why"] == "for a person"


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ({"cell_type": "markdown", "source": "A gradient needs a path of deterministic nodes."}, "cell of its own"),
        ({"cell_type": "code", "source": "# A gradient needs a path.\n# No node may draw."}, "cell of its own"),
        ({"cell_type": "markdown", "source": "See ![it](attachment:IMG_1.HEIC)"}, "Nobody can see IMG_1.HEIC"),
        ({"cell_type": "markdown", "source": "See ![it](C:/me/photo.jpg)"}, "Nobody can see C:/me/photo.jpg"),
    ],
)
def test_a_written_answer_is_found_where_the_grader_finds_it(added, says) -> None:
    released = json.loads(labs()["sampling"].read_text(encoding="utf-8"))
    places = [n for n, cell in enumerate(released["cells"]) if "YOUR ANSWER HERE" in text(cell)]
    released["cells"].insert(places[-1] + 1, {"metadata": {}, "outputs": [], "execution_count": None} | added)
    content = to_bytes(released)
    found = summary(read_cells(content), [])
    assert {task.state for task in found.tasks} == {"not attempted"}
    find_written(found, content, labs())
    assert [task.state for task in found.tasks] == ["for a person"]
    assert says in found.tasks[0].says


def test_a_lab_that_is_not_the_packages_is_read_as_it_stands(tmp_path: Path) -> None:
    content = release_notebook(SOURCE, "halves").encode()
    found = summary(read_cells(content), [])
    find_written(found, content, labs())
    assert {task.state for task in found.tasks} == {"not attempted"}
