"""The built book, once for all tests of the run: an up-to-date build is only checked, and takes a few seconds."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the strictly built book."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    done = shared / "book-is-built"
    with (shared / "book.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            tool = Path(sys.executable).with_name("jupyter-book")
            path = os.pathsep.join([str(tool.parent), os.environ.get("PATH", "")])  # pages run in this environment
            environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": path}
            command = [str(tool), "build", ".", "-n", "-W", "--keep-going"]
            build = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            assert build.returncode == 0, f"the strict build failed:\n{build.stdout[-3000:]}\n{build.stderr[-3000:]}"
            command = [sys.executable, "-m", "tools.translation.build"]
            build = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            assert build.returncode == 0, f"in Vietnamese it failed:\n{build.stdout[-3000:]}\n{build.stderr[-3000:]}"
            done.touch()
    return ROOT / "_build" / "html"
