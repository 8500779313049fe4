"""The order of the package, as DESIGN promises it: who may import whom, and what a plain import may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "vae_lab"

# Each row may import the rows it names, and nothing else of the package. cli is on top and imports what it runs.
MAY_IMPORT = {
    "sampling": set(),
    "graph": set(),
    "data": set(),
    "checks": set(),
    "estimators": set(),
    "elbo": {"sampling"},
    "logits_loss": set(),
    "models": {"elbo", "logits_loss", "sampling"},
    "evaluation": {"elbo", "models"},
    "training_step": {"models"},
    "capture": {"training_step"},
    "training": {"models", "training_step", "capture"},
    "generation": {"sampling", "models"},
    "broken": {"models", "elbo", "sampling"},
    "shipped": set(),
    "pretrained": {"models", "shipped"},
    "plots": {"evaluation", "training", "generation", "models", "elbo", "estimators", "sampling"},
    "widgets": {
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
    "grading": {"checks"},
    "doctor": set(),
    "cli": {"grading", "doctor"},
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


def test_a_plain_import_is_light_and_all_is_sorted_and_true():
    program = """
import sys, vae_lab
heavy = {"matplotlib", "ipywidgets", "nbgrader", "nbformat", "torchvision", "safetensors"} & set(sys.modules)
assert not heavy, heavy
assert vae_lab.__all__ == sorted(vae_lab.__all__), "not sorted"
assert all(hasattr(vae_lab, name) for name in vae_lab.__all__)
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=PACKAGE.parent)
