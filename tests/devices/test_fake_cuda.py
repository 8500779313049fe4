"""No tensor is left behind on the processor: found without a GPU, by shapes and devices alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from devices import fake_cuda

NAMES = list(fake_cuda.calls({"device": "cpu"}))


@pytest.fixture(scope="module")
def found():
    """What each call came to in a process where all is on "cuda"."""
    root = Path(__file__).parents[2]
    program = [sys.executable, "-W", "ignore", "-m", "tests.devices.fake_cuda"]
    done = subprocess.run(program, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize(("kind", "default"), fake_cuda.SITUATIONS)
@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("planted")])
def test_it_stays_on_the_device(found, name, kind, default):
    assert found[f"{kind} {default}"][name] == kind


@pytest.mark.parametrize(("kind", "default"), [("cuda", None), ("cpu", "cuda")])
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("planted")])
def test_what_is_left_behind_is_found(found, name, kind, default):
    assert "device" in found[f"{kind} {default}"][name]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("planted")])
def test_the_same_calls_work_here(name):
    """What is not found to fail there is not merely left out."""
    torch.manual_seed(0)
    assert fake_cuda.tried(fake_cuda.calls({"device": "cpu"})[name]) == "cpu"
