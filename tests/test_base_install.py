"""A student has the package and what it asks for: pages, labs and a student's commands need nothing else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook

from tests.base_install import ROOT, base_modules, base_packages, run_in_base_install
from tests.grading import tiny_course
from vae_lab.grading.authoring.answers import with_answers
from vae_lab.grading.lab.cells import to_bytes

PAGES = [path for path in sorted((ROOT / "book").glob("*.md")) if is_myst_markdown_notebook(path.read_text("utf-8"))]
LABS = sorted((ROOT / "labs").glob("*/*.ipynb"))
TEACHING = [
    path
    for path in sorted((ROOT / "vae_lab").rglob("*.py"))
    if path.relative_to(ROOT / "vae_lab").parts[0] not in ("grading", "commands")
]
KNOWN = {"IPython", "google"}  # what every kernel has; what Colab has, asked for only there


def page_cells(path: Path) -> list[str]:
    cells = read_myst_markdown_notebook(path.read_text(encoding="utf-8")).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def lab_cells(path: Path) -> list[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def imported(code: str) -> Iterator[str]:
    """The first part of each name that a piece of code imports, wherever it stands; magics aside."""
    for node in ast.walk(ast.parse(re.sub(r"(?m)^\s*[%!].*$", "", code))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_a_base_install_is_what_the_wheel_asks_for():
    assert {"torch", "matplotlib", "anywidget", "ipython"} <= base_packages()
    assert not {"scikit-learn", "nbgrader", "jupyter-book", "jupyterlab", "safetensors"} & base_packages()
    assert {"torch", "PIL", "json"} <= base_modules()
    assert not {"sklearn", "nbgrader", "myst_nb"} & base_modules()


@pytest.mark.parametrize("path", [*PAGES, *LABS], ids=lambda path: path.stem)
def test_cells_import_what_a_base_install_has(path):
    for code in page_cells(path) if path.suffix == ".md" else lab_cells(path):
        beyond = set(imported(code)) - base_modules() - KNOWN
        assert not beyond, f"{path.name} needs {sorted(beyond)}, which `pip install .` does not bring:\n{code}"


@pytest.mark.parametrize("path", TEACHING, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_teaching_package_imports_what_it_asks_for(path):
    assert not set(imported(path.read_text(encoding="utf-8"))) - base_modules() - KNOWN


def test_the_wall_hides_what_is_not_part_of_it(tmp_path):
    done = run_in_base_install("import torch\nimport sklearn", tmp_path)
    assert "No module named 'sklearn'" in done.stderr
    assert "jupyter-book" in run_in_base_install("importlib.metadata.version('jupyter-book')", tmp_path).stderr


def test_the_page_that_says_what_was_executed_runs_in_it(tmp_path):
    (page,) = (path for path in PAGES if path.stem == "status")
    program = "\n".join([*page_cells(page), "print(str(table))"])
    done = run_in_base_install(program, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "not installed" in done.stdout


def test_a_student_checks_and_fetches_in_it(tmp_path):
    notebook = with_answers(json.dumps(tiny_course.notebook()), "halves", {}, hidden_tests=False)
    (tmp_path / "halves.ipynb").write_bytes(to_bytes(notebook))
    program = "from vae_lab.cli import main\nprint('status', main(['check', 'halves.ipynb']))"
    done = run_in_base_install(program, tmp_path)
    assert "status 0" in done.stdout, done.stderr
    assert "+ half" in done.stdout
    done = run_in_base_install("from vae_lab.cli import main\nmain(['lab', 'elbo'])", tmp_path)
    assert "pip install jupyterlab" in done.stdout, done.stderr
    assert (tmp_path / "elbo.ipynb").is_file()
    done = run_in_base_install("from vae_lab.cli import main\nmain(['check', 'halves.ipynb', '--hand-in'])", tmp_path)
    assert "--hand-in needs Jupyter" in done.stderr
    assert len(done.stderr.splitlines()) == 1
