"""A lab computes where it can: a GPU that is there and cannot is left alone, with a note; VAE_LAB_DEVICE decides."""

from __future__ import annotations

import pytest
import torch

from vae_lab import checks
from vae_lab.checks import compute_device


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.delenv("VAE_LAB_DEVICE", raising=False)
    compute_device.trouble.cache_clear()
    yield
    compute_device.trouble.cache_clear()


def test_a_gpu_that_cannot_compute_is_left_alone_and_it_is_said(monkeypatch, capsys):
    def no_kernel(*shape, device=None):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device\nCompile with ...")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", no_kernel)
    assert checks.device() == torch.device("cpu")
    said = capsys.readouterr()
    assert "no kernel image" in said.out
    assert "Compile with" not in said.out
    assert said.err == ""  # nbgrader takes what is on stderr for a failure


def test_without_a_gpu_nothing_is_said(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert checks.device() == torch.device("cpu")
    assert capsys.readouterr().out == ""


def test_the_variable_decides(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setenv("VAE_LAB_DEVICE", "cpu")
    assert checks.device() == torch.device("cpu")
    monkeypatch.setenv("VAE_LAB_DEVICE", "abacus")
    with pytest.raises(ValueError, match="VAE_LAB_DEVICE is 'abacus'"):
        checks.device()
