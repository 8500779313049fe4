from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.grading import tiny_course
from vae_lab.grading.course import Course
from vae_lab.grading.lab.release import release, release_notebook

HERE = Course(Path(__file__).parents[3])
LABS = HERE.labs() if (HERE.root / "solutions").is_dir() else []


def release_of(change=lambda notebook: None) -> dict:
    notebook = tiny_course.notebook()
    change(notebook)
    return json.loads(release_notebook(json.dumps(notebook), "halves"))


def sources(notebook: dict) -> dict[str, str]:
    return {
        cell["id"]: cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
        for cell in notebook["cells"]
    }


@pytest.mark.parametrize("lab", LABS)
def test_what_is_in_labs_is_what_the_source_gives(lab: str) -> None:
    made = release_notebook(HERE.source(lab).read_text(encoding="utf-8"), lab)
    assert HERE.released(lab).read_bytes() == made.encode(), f"labs/{lab} is out of date; run `vae-lab release {lab}`"


@pytest.mark.parametrize("lab", LABS)
def test_a_visible_test_speaks_through_the_checks_alone(lab: str) -> None:
    """A bare assert shows its own code, a traceback and English text in whatever language the notebook is."""
    made = json.loads(release_notebook(HERE.source(lab).read_text(encoding="utf-8"), lab))
    tests = {name: source for name, source in sources(made).items() if name.endswith("-tests")}
    assert tests
    assert not [name for name, source in tests.items() if re.search(r"^\s*(assert|raise)\b", source, re.M)]


def test_the_same_source_gives_the_same_bytes() -> None:
    source = json.dumps(tiny_course.notebook())
    assert release_notebook(source, "halves") == release_notebook(source, "halves")
    indented = json.dumps(tiny_course.notebook(), indent=4)
    assert release_notebook(source, "halves") == release_notebook(indented, "halves")


def test_solutions_and_hidden_tests_are_gone_and_anchors_stay() -> None:
    text = sources(release_of())
    assert text["half"] == "# vae-lab: halves/half\ndef half(x):\n    # YOUR CODE HERE\n    raise NotImplementedError()"
    assert text["half_tests"].startswith("# vae-lab: halves/half_tests\n")
    assert text["why"] == "<!-- vae-lab: halves/why -->\nYOUR ANSWER HERE"
    everything = json.dumps(release_of())
    for secret in ("x / 2", "SECRET", "3.625", "two halves", "HIDDEN", "SOLUTION"):
        assert secret not in everything


def test_test_cells_are_locked_and_outputs_are_gone() -> None:
    def print_something(notebook: dict) -> None:
        notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "7.25"}]
        notebook["cells"][1]["execution_count"] = 3

    made = {cell["id"]: cell for cell in release_of(print_something)["cells"]}
    assert made["half_tests"]["metadata"]["editable"] is False
    assert made["half_tests"]["metadata"]["deletable"] is False
    assert made["half"]["metadata"]["deletable"] is False
    assert made["setup"]["outputs"] == []
    assert made["setup"]["execution_count"] is None


def test_the_notebook_says_which_language_it_is_in() -> None:
    assert release_of()["metadata"]["language_info"]["pygments_lexer"] == "ipython3"
    assert release_of()["metadata"]["kernelspec"]["name"] == "python3"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda nb: nb["cells"][2].update(source="def half(x):\n    return x / 2"), "begins with no anchor"),
        (lambda nb: nb["cells"][3]["metadata"]["nbgrader"].update(grade_id="half"), "CheckCellMetadata"),
        (lambda nb: nb["cells"][0].pop("id"), "has no id"),
        (lambda nb: nb["cells"][2].update(source="### BEGIN SOLUTION\nx"), "ClearSolutions"),
        (
            lambda nb: nb["cells"][1].update(source="### BEGIN HIDDEN TESTS\nx\n### END HIDDEN TESTS"),
            "ClearHiddenTests",
        ),
        (lambda nb: nb.pop("cells"), "not a notebook"),
    ],
    ids=["anchor inside the solution", "grade_id twice", "cell without id", "no end", "hidden elsewhere", "no cells"],
)
def test_a_faulty_source_is_refused_in_one_line(change, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        release_of(change)
    assert "\n" not in str(caught.value).strip()


def test_release_writes_once_and_says_whether_it_did(tmp_path: Path) -> None:
    course = tiny_course.make(tmp_path)
    path, changed = release(course, "halves")
    assert changed
    before = path.stat().st_mtime_ns
    assert release(course, "halves") == (path, False)
    assert path.stat().st_mtime_ns == before
    assert [file.name for file in path.parent.iterdir()] == ["halves.ipynb"]
