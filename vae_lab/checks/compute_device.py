"""Where a lab computes: on the GPU, if there is one that can; VAE_LAB_DEVICE says otherwise.

Torch is imported when it is asked, since `vae_lab.checks` is imported by what needs none.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from vae_lab.language import said

if TYPE_CHECKING:
    import torch

VARIABLE = "VAE_LAB_DEVICE"


@cache
def trouble(name: str) -> str:
    """Try one small operation on a device: "" if it computes, else what it says.

    A GPU may be there and too old for this torch, or have no memory left.

    Example:
        >>> trouble("cpu")
        ''
    """
    import torch  # here, so that a lab's first line loads nothing

    try:
        ones = torch.ones(64, 64, device=name)
        if float((ones @ ones).sum()) != 64.0**3:
            return "it computes something else"
    except Exception as error:
        return (f"{type(error).__name__}: {error}".strip().splitlines() or ["it fails"])[0][:200]
    return ""


def choose() -> tuple[torch.device, str]:
    """The device for this lab, and a note if it is not the GPU that is here.

    Raises:
        ValueError: if VAE_LAB_DEVICE names no device that computes here.

    Example:
        >>> device, note = choose()
        >>> device.type in ("cpu", "cuda")
        True
    """
    import torch

    wanted = os.environ.get(VARIABLE, "").strip()
    if wanted:
        fails = trouble(wanted)
        if fails:
            raise ValueError(f"{VARIABLE} is {wanted!r}, and that does not compute here: {fails}")
        return torch.device(wanted), ""
    if not torch.cuda.is_available():
        return torch.device("cpu"), ""
    fails = trouble("cuda")
    if fails:
        return torch.device("cpu"), f"The GPU here cannot compute ({fails}); this lab runs on the CPU, which is enough."
    return torch.device("cuda"), ""


def device() -> torch.device:
    """The device for this lab; says so if a GPU is left alone because it cannot compute.

    Example:
        >>> device().type in ("cpu", "cuda")
        True
    """
    chosen, note = choose()
    if note:
        print(said(note))
    return chosen
