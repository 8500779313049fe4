"""What a notebook may ask of a machine that lacks it: a keyboard, a compiler, a GPU as the default device.

The same for a student's own `check` and for the grader, so that both say the same of a notebook.
"""

from __future__ import annotations

import builtins
import os
import sys
from typing import Any


def no_input(prompt: object = "") -> str:
    """Stands where `input` was: nobody is there to type."""
    raise RuntimeError("input() is not available while a notebook is checked or graded")


def stand_in() -> None:
    """Make `input()` fail at once, `torch.compile` run as written, and a default device that is not here the CPU.

    Call it before a notebook's first cell. (Where torch's compiler has been loaded, it is switched off; where not, the
    environment says so when it is.)
    """
    builtins.input = no_input
    os.environ["TORCHDYNAMO_DISABLE"] = "1"
    if "torch._dynamo" in sys.modules:
        sys.modules["torch._dynamo"].config.disable = True
    import torch

    if torch.cuda.is_available() or hasattr(torch.set_default_device, "stands_in"):
        return
    choose = torch.set_default_device

    def set_default_device(device: Any) -> None:
        """Choose the device, or the CPU where there is no such device."""
        kind = torch.device(device).type if device is not None else "cpu"
        choose("cpu" if kind == "cuda" else device)

    set_default_device.stands_in = True  # type: ignore[attr-defined]
    torch.set_default_device = set_default_device
