"""What `pip install .` brings along, and a Python that has nothing else: the rest of this environment is hidden."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]

# Runs first in a Python of its own: what is no part of a base install is found neither by import nor by version.
WALL = """
import importlib.metadata, sys

class Wall:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in MODULES else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)

real = importlib.metadata.Distribution.from_name.__func__

def from_name(cls, name):
    if name.lower().replace("_", "-") in PACKAGES:
        raise importlib.metadata.PackageNotFoundError(name)
    return real(cls, name)

importlib.metadata.Distribution.from_name = classmethod(from_name)
sys.meta_path[:] = [Wall(finder) for finder in sys.meta_path]
"""


@cache
def base_packages() -> frozenset[str]:
    """The packages that the wheel's own requirements lead to, extras aside, by their canonical names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting, found = list(project["dependencies"]), set()
    while waiting:
        need = Requirement(waiting.pop())
        name = canonicalize_name(need.name)
        if name in found or (need.marker and not need.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        with suppress(PackageNotFoundError):  # what is for another system
            waiting += requires(name) or []
    return frozenset(found)


@cache
def base_modules() -> frozenset[str]:
    """What can be imported in a base install, by the first part of its name."""
    ours = {
        module
        for module, packages in packages_distributions().items()
        if base_packages() & {canonicalize_name(package) for package in packages}
    }
    return frozenset({*sys.stdlib_module_names, *ours, "vae_lab"})


def run_in_base_install(program: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program in a Python that sees this checkout and a base install alone."""
    hidden = {module for module in packages_distributions() if module not in base_modules()}
    packages = {canonicalize_name(name) for names in packages_distributions().values() for name in names}
    packages -= base_packages() | {"vae-lab"}
    wall = f"MODULES, PACKAGES = {hidden - {'vae_lab_command'}!r}, {packages!r}\n{WALL}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    return subprocess.run(
        [sys.executable, "-c", f"{wall}\n{program}"],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
