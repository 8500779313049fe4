"""What the parts of a message need of the connection that carries it; `Peer` is one."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from vae_lab.grading.rpc.handles import Handles
from vae_lab.grading.rpc.leaves import Leaves
from vae_lab.grading.rpc.wire import Channel, WireError


class Connection(Protocol):
    """One end of a connection, as messages and remote gradients see it."""

    trusted: bool
    channel: Channel
    handles: Handles
    leaves: Leaves
    forget: list[int]

    def ask(self, op: str, *values: Any, link: Any = None) -> Any:
        """Ask the other side."""

    def broken(self, reason: str) -> WireError:
        """Note that the connection cannot be used again; returns the exception to raise."""

    def digest(self, state: torch.Tensor) -> torch.Tensor:
        """A random state derived from the other side's, but nobody's choice."""
