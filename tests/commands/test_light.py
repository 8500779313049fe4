"""What a command loads: one that needs no torch loads none, nor nbgrader, whatever it does on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.grading import tiny_course
from tests.grading.lms_zip import make_zip, notebook
from vae_lab.grading.classroom.records import Record, Records
from vae_lab.grading.results import CellResult, SubmissionResult

HEAVY = {"torch", "nbgrader", "IPython", "matplotlib", "ipywidgets", "torchvision", "safetensors", "pandas", "scipy"}
PROGRAM = """
import json, sys
from vae_lab_command import main
sys.argv[0] = "vae-lab"
try:
    status = main()
except SystemExit as ended:
    status = ended.code or 0
print("LOADED " + json.dumps([status, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with a zip of three submissions, a gradebook and one result."""
    tiny_course.make(tmp_path)
    make_zip(tmp_path / "three.zip", {f"{name}_{n}_{n}_halves.ipynb": notebook("halves") for n, name in
                                      enumerate(("ana", "bo", "cem"), 11)})  # fmt: skip
    cells = {name: CellResult(1.0, 1.0, True) for name in ("half_tests", "half_tests_2", "double_tests")}
    cells["why"] = CellResult(0.0, 4.0, None)
    result = SubmissionResult("ana", "halves", "manual", cells)
    Records(tmp_path / "report" / "halves" / "records").write([Record(result, "key", "content")])
    (tmp_path / "gradebook.db").write_bytes(tiny_course.empty_gradebook())
    return tmp_path


def run(course: Path, command: str) -> tuple[int, set[str]]:
    """The exit status of a command, and the top-level modules that were there at its end."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command.split()], cwd=course, capture_output=True, text=True, timeout=300
    )
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    assert last.startswith("LOADED "), done.stderr
    status, loaded = json.loads(last.removeprefix("LOADED "))
    return status, set(loaded)


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "grade --help",
        "collect three.zip halves",
        "send-back three.zip halves --to back.zip",
        "release",
        "init-course mine --source .",
        "report halves",
        "doctor",
        "collect nothing.zip halves",
    ],
)
def test_a_command_that_needs_no_torch_loads_none(course: Path, command: str) -> None:
    _, loaded = run(course, command)
    assert not loaded & HEAVY


def test_what_they_do_is_done(course: Path) -> None:
    assert run(course, "collect three.zip halves")[0] == 0
    assert len(list((course / "submitted").glob("*/halves/halves.ipynb"))) == 3
    assert run(course, "report halves")[0] == 0
    assert (course / "report" / "index.html").is_file()


def test_the_measure_can_fail(course: Path) -> None:
    (course / "submitted" / "ana" / "halves").mkdir(parents=True)
    (course / "submitted" / "ana" / "halves" / "halves.ipynb").write_bytes(b"{}")
    status, loaded = run(course, "grade halves --unsafe-no-sandbox --db sqlite:////nonexistent/gradebook.db")
    assert status == 2
    assert "nbgrader" in loaded


def test_a_plain_import_loads_neither_torch_nor_numpy() -> None:
    program = "import sys, vae_lab; print(sorted({'torch', 'numpy', 'matplotlib'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
