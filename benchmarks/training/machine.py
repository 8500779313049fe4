"""With what a measurement was made: kind of processor, cores, versions, date; no names of machines or folders."""

from __future__ import annotations

import datetime
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import torch

PACKAGES = ("torch", "torchvision", "pythae", "pyro-ppl", "numpy")


def describe(device: torch.device) -> dict[str, str]:
    """One line each."""
    about = {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "threads": str(torch.get_num_threads()),
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
    }
    if device.type == "cuda":
        about["gpu"] = torch.cuda.get_device_name(device)
    return about


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def import_times(rounds: int = 7) -> dict[str, float]:
    """Seconds of `import torch` and `import vae_lab`, each the median of fresh processes in turns."""
    taken: dict[str, list[float]] = {"torch": [], "vae_lab": []}
    for _ in range(rounds):
        for module, times in taken.items():
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", f"import {module}"], check=True)
            times.append(time.perf_counter() - began)
    return {module: sorted(times)[rounds // 2] for module, times in taken.items()}
