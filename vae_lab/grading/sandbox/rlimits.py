"""Limits that the kernel keeps for each process."""

from __future__ import annotations

import contextlib
import resource
from typing import Any


def set_limits(limits: dict[str, Any]) -> None:
    """Limits that the kernel keeps for each process."""

    def cap(which: int, value: int) -> None:
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (value, value))

    cap(resource.RLIMIT_CORE, 0)
    cap(resource.RLIMIT_NOFILE, 256)
    cap(resource.RLIMIT_FSIZE, limits["disk"])
    cap(resource.RLIMIT_MEMLOCK, 1 << 20)
    cap(resource.RLIMIT_CPU, int(limits["cpu_seconds"]) + 1)
    cap(resource.RLIMIT_DATA, limits["data"])
    with contextlib.suppress(AttributeError):
        cap(resource.RLIMIT_MSGQUEUE, 0)
        cap(resource.RLIMIT_RTPRIO, 0)
    if limits["isolate"]:
        cap(resource.RLIMIT_NPROC, 2 * limits["processes"])  # counts threads too


def hold_memory(more: int) -> None:
    """Let this process take so many bytes more than it has, and no more than that, for good."""
    room = data_size() + more
    resource.setrlimit(resource.RLIMIT_DATA, (room, room))


def data_size() -> int:
    """What RLIMIT_DATA counts and this process already has, in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[5]) * resource.getpagesize()
