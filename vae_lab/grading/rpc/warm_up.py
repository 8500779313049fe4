"""What both warm processes load before they fork, so that both ends of a connection know the same modules."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable


def warm_up(modules: Iterable[str]) -> None:
    """Import modules and run a first gradient, so that a fork has what they load."""
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    layer = torch.nn.Linear(2, 2)
    layer(torch.randn(2, 2)).sum().backward()
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    package = importlib.import_module("vae_lab")
    for name in package.__all__:  # its names come when they are asked for: here, and before any is reserved
        getattr(package, name)
