"""The instructor's door from end to end: a course, a zip from the LMS, grades, a report."""

import json

import pytest
from grading import tiny_course
from grading.colab import through_colab
from grading.lms_zip import make_zip

from vae_lab.cli import main

HALVES = {
    "half": "def half(x):\n    return x / 2",
    "double": "def double(x):\n    return 2 * x",
    "why": "Two halves, a whole.",
}


def solved(course, **answers):
    """The released lab with answers, as JSON."""
    notebook = json.loads(course.released("halves").read_text())
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            anchor = "# {}" if cell["cell_type"] == "code" else "<!-- {} -->"
            cell["source"] = f"{anchor.format(f'vae-lab: halves/{grade_id}')}\n{answers[grade_id]}"
    return notebook


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course that was started from another one, in its own folder."""
    theirs = tiny_course.make(tmp_path / "theirs")
    monkeypatch.chdir(theirs.root)
    assert main(["init-course", str(tmp_path / "mine")]) == 0
    monkeypatch.chdir(tmp_path / "mine")
    return type(theirs)(tmp_path / "mine")


def scores(path):
    records = json.loads(path.read_text())
    return {record["student"]: (record["status"], record["score"]) for record in records}


def test_from_a_class_list_to_a_report(course, tmp_path, capsys):
    with (course.root / "students.csv").open("a", encoding="utf-8") as file:
        file.write("al01,Ada,Lovelace,,\nat02,Alan,Turing,,\ngh03,Grace,Hopper,,\n")
    square_root = {**HALVES, "half": "def half(x):\n    return x ** 0.5"}
    make_zip(
        tmp_path / "all.zip",
        {
            "Ada Lovelace_7_assignsubmission_file_/halves.ipynb": json.dumps(solved(course, **HALVES)).encode(),
            "Alan Turing_8_assignsubmission_file_/Copy of halves.ipynb": through_colab(solved(course, **square_root)),
        },
    )
    assert main(["collect", "../all.zip", "halves", "--students", "students.csv"]) == 0
    assert "Nothing from 1 on the class list: gh03" in capsys.readouterr().out
    assert main(["grade", "halves", "--workers", "1", "--json", "grades.json"]) == 0
    assert scores(course.root / "grades.json") == {"al01": ("manual", 6.0), "at02": ("manual", 2.0)}
    assert (course.root / "report" / "halves" / "index.html").is_file()
    assert (course.root / "feedback" / "at02" / "halves" / "halves.html").is_file()
