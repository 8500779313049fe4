"""What a class needs that is not here is told before anything is graded, and what came since is graded again."""

from __future__ import annotations

import json

import pytest

from tests.grading import tiny_course
from vae_lab.cli import main
from vae_lab.grading.classroom.needed import needed, needed_by
from vae_lab.grading.classroom.writer import come_since
from vae_lab.grading.course import CourseError


def importing(*sources: str, python: str = "") -> bytes:
    notebook = tiny_course.notebook()
    notebook["cells"] += [tiny_course.cell("code", None, source) for source in sources]
    notebook["metadata"]["language_info"] = {"version": python}
    return json.dumps(notebook).encode()


def test_a_notebook_is_read_and_not_run(tmp_path):
    mark = tmp_path / "ran"
    content = importing(
        f"open({str(mark)!r}, 'w')", "import no_such_one\nfrom google.colab import drive", "import torch, json"
    )
    assert needed_by(content) == {"no_such_one", "google.colab"}
    assert not mark.exists()
    assert needed_by(importing("x = = 1", python="3.99.1")) == {"Python 3.99"}
    assert needed_by(importing("x = 1", python="3.99.1")) == set()
    assert needed_by(b"nothing") == set()


def test_the_class_is_counted_and_the_command_says_so(tmp_path, capsys):
    for number, content in enumerate(
        [importing("import no_such_one"), importing("import no_such_one, no_such_two"), b"{"]
    ):
        folder = tmp_path / f"s{number}" / "halves"
        folder.mkdir(parents=True)
        (folder / "halves.ipynb").write_bytes(content)
    assert main(["doctor", "--submitted", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "no_such_one: asked for by 2 of 3 notebooks, and not here; pip install no_such_one",
        "no_such_two: asked for by 1 of 3 notebooks, and not here; pip install no_such_two",
        f"3 notebooks under {tmp_path}",
    ]
    with pytest.raises(CourseError, match="no folder"):
        list(needed(tmp_path / "none"))


def test_a_result_that_waited_for_a_package_is_due_once_it_is_here():
    assert come_since("needs json, which is not here")
    assert come_since("needs no_such_one, json, which is not here")
    for flag in ("needs no_such_one, which is not here", "needs a GPU, which is not here", "locked cell edited: setup"):
        assert not come_since(flag)
