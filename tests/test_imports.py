"""The order of the package, as DESIGN promises it: who may import whom, and what a plain import may load."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import vae_lab

PACKAGE = Path(__file__).parents[1] / "vae_lab"

# Each row may import the rows it names, and nothing else of the package. cli is on top and imports what it runs.
# `language` stands under what shows something to a person: it puts a finished text into another language.
MAY_IMPORT = {
    "arguments": set(),
    "pixels": {"arguments"},
    "sampling": {"arguments"},
    "language": set(),
    "graph": {"language"},
    "mnist5k": set(),
    "data": {"arguments", "mnist5k", "shipped"},
    "checks": {"language"},
    "diagnosis": {"arguments", "language"},
    "estimators": {"arguments"},
    "elbo": {"arguments", "pixels", "sampling"},
    "logits_loss": {"pixels"},
    "models": {"arguments", "pixels", "elbo", "logits_loss", "sampling"},
    "evaluation": {"arguments", "pixels", "elbo", "models"},
    "training_step": {"arguments", "models"},
    "capture": {"training_step"},
    "training": {"arguments", "pixels", "models", "training_step", "capture"},
    "generation": {"arguments", "pixels", "sampling", "models"},
    "broken": {"pixels", "models", "elbo", "sampling"},
    "score_function": {"arguments", "models", "elbo", "sampling"},
    "shipped": set(),
    "pretrained": {"arguments", "pixels", "models", "shipped"},
    "tables": set(),
    "architecture": {"models"},
    "plots": {"evaluation", "training", "generation", "models", "elbo", "estimators", "sampling"},
    "widgets": {
        "language",
        "arguments",
        "data",
        "shipped",
        "evaluation",
        "plots",
        "graph",
        "training",
        "generation",
        "models",
        "elbo",
        "estimators",
        "sampling",
    },
    "grading": {"checks", "language"},
    "doctor": set(),
    "lab_files": {"checks", "language"},
    "commands": {"grading", "doctor", "lab_files", "language"},
    "cli": {"commands", "grading", "language"},
}


def imported(path):
    """Names of the package's rows that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; the package writes its imports in full"
            modules = [node.module]
            if node.module == "vae_lab":
                modules = [f"vae_lab.{alias.name}" for alias in node.names]
        for module in modules:
            if module.startswith("vae_lab."):
                yield module.split(".")[1]


def sources():
    for path in sorted(PACKAGE.rglob("*.py")):
        row = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if row != "__init__":
            yield pytest.param(path, row, id=str(path.relative_to(PACKAGE)))


@pytest.mark.parametrize(("path", "row"), list(sources()))
def test_imports_point_one_way(path, row):
    assert row in MAY_IMPORT, f"{row} is not in the table of who may import whom"
    extra = set(imported(path)) - MAY_IMPORT[row] - {row}
    assert not extra, f"{path.name} imports {sorted(extra)}"


def fresh(program):
    """What a program prints that runs in an interpreter of its own."""
    done = subprocess.run([sys.executable, "-c", program], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_plain_import_loads_next_to_nothing():
    """Some twenty small modules of Python's own; torch is more than a thousand."""
    program = "import sys; before = set(sys.modules); import vae_lab; print(*sorted(set(sys.modules) - before))"
    loaded = fresh(program).split()
    assert not {"torch", "numpy", "matplotlib", "tqdm"} & set(loaded)
    assert len(loaded) < 60, loaded


@pytest.mark.parametrize("name", ["checks", "doctor", "cli"])
def test_what_needs_no_tensor_to_start_loads_none(name):
    """The command's parts, and the module that a lab's first cell imports."""
    heavy = {"torch", "numpy", "nbgrader", "matplotlib", "IPython"}
    assert not heavy & set(fresh(f"import sys, vae_lab.{name}; print(*sys.modules)").split())


def test_using_the_package_loads_no_plots_no_widgets_and_no_grader():
    program = "import sys, vae_lab; [getattr(vae_lab, name) for name in vae_lab.__all__]; print(*sys.modules)"
    heavy = {"matplotlib", "ipywidgets", "nbgrader", "nbformat", "torchvision", "safetensors"}
    assert not heavy & set(fresh(program).split())


def stub():
    return ast.parse((PACKAGE / "__init__.pyi").read_text(encoding="ascii"))


def test_type_checkers_and_python_are_told_the_same_names():
    (listed,) = (ast.literal_eval(node.value) for node in stub().body if isinstance(node, ast.Assign))
    assert vae_lab.__all__ == listed == sorted(listed) == dir(vae_lab)
    for node in ast.walk(stub()):
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            found = getattr(vae_lab, alias.name)
            if node.module is None:
                assert found is importlib.import_module(f"vae_lab.{alias.name}")
            else:
                assert found.__module__ == f"vae_lab.{node.module}"
    with pytest.raises(AttributeError, match="reparametrize"):
        vae_lab.reparametrize  # noqa: B018


def test_the_lab_may_begin_before_anything_else_is_imported():
    """What a lab keeps for its student is taken from them alone: the rest of the package goes on using it."""
    program = """
from vae_lab import checks
checks.start("sampling")
import torch
from vae_lab import importance_weighted_bound
bound = importance_weighted_bound(lambda z: torch.zeros(z.shape[:2]), torch.zeros(2, 3), torch.zeros(2, 3), 5)
assert bound.tolist() == [0, 0], bound
from vae_lab import reparameterize
try:
    reparameterize(torch.zeros(1), torch.zeros(1))
except RuntimeError as error:
    print(error)
"""
    assert "write reparameterize yourself" in fresh(program)
