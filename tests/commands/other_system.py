"""Pretend to be a student's Windows or macOS: `python -m tests.commands.other_system PLATFORM WHAT...`.

What only POSIX has is taken away after Python's own libraries, torch and IPython have been imported, which would
notice; the package is imported after that, and meets a machine without it. WHAT is "package", or words for `vae-lab`.
"""

from __future__ import annotations

import importlib.abc
import multiprocessing.connection  # noqa: F401
import os
import pkgutil
import signal
import subprocess  # noqa: F401
import sys
from collections.abc import Sequence
from typing import Any

POSIX_MODULES = frozenset({"fcntl", "resource", "grp", "pwd", "termios", "tty", "pty", "syslog", "readline", "curses"})
OS_NAMES = ("fork", "forkpty", "register_at_fork", "sched_getaffinity", "getuid", "geteuid", "setsid", "killpg",
            "set_blocking", "mkfifo", "wait4", "uname", "getloadavg", "nice", "O_CLOEXEC")  # fmt: skip
SIGNAL_NAMES = ("SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "setitimer", "ITIMER_REAL", "alarm",
                "pthread_sigmask", "SIG_BLOCK", "sigwait")  # fmt: skip
ALSO_ON_MACOS = frozenset(OS_NAMES + SIGNAL_NAMES) - {"sched_getaffinity", "fork", "SIGALRM", "wait4"}
LIBRARIES = ("IPython.core.interactiveshell", "IPython.utils.capture", "ipywidgets", "matplotlib.pyplot", "torch",
             "torchvision", "tqdm.auto", "anywidget")  # fmt: skip
STUDENTS = ("vae_lab", "vae_lab.checks", "vae_lab.graph", "vae_lab.plots", "vae_lab.widgets", "vae_lab.broken",
            "vae_lab.pretrained", "vae_lab.commands", "vae_lab.cli", "vae_lab.doctor", "vae_lab_command")  # fmt: skip


class NotThere(importlib.abc.MetaPathFinder):
    """Says of POSIX's modules what Python says on Windows."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> None:
        if name in POSIX_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def become(platform: str) -> None:
    """Take POSIX away; macOS keeps most of it, and loses fork and the alarm too, for a stricter test."""
    for name in LIBRARIES:
        importlib.import_module(name)
    assert not any(name.startswith("vae_lab") for name in sys.modules)
    for module, names in ((os, OS_NAMES), (signal, SIGNAL_NAMES)):
        for name in names:
            if hasattr(module, name) and not (platform == "darwin" and name in ALSO_ON_MACOS):
                delattr(module, name)
    for name in POSIX_MODULES:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, NotThere())
    sys.platform = platform


def import_everything() -> None:
    """All that a student may import, and all that lies below it."""
    import vae_lab

    assert [getattr(vae_lab, name) for name in vae_lab.__all__]
    for name in STUDENTS:
        module = importlib.import_module(name)
        for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
            if name != "vae_lab":
                importlib.import_module(found.name)


if __name__ == "__main__":
    become(sys.argv[1])
    if sys.argv[2] == "package":
        import_everything()
        sys.exit(0)
    sys.argv[:] = ["vae-lab", *sys.argv[2:]]
    sys.exit(importlib.import_module("vae_lab_command").main())
