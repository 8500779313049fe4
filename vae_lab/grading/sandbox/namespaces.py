"""A submission's own namespaces: what its process sees of the machine, put on before any of its code runs."""

from __future__ import annotations

import contextlib
from typing import Any

from vae_lab.grading.sandbox.syscalls import (
    DETACH,
    NEW_CGROUP,
    NEW_IPC,
    NEW_MOUNTS,
    NEW_NET,
    NEW_UTS,
    NOSUID_NODEV,
    PRIVATE_ALL,
    check,
    libc,
)


def private_places(limits: dict[str, Any]) -> None:
    """Namespaces of this submission's own, an empty size-limited /tmp and /dev/shm, and a /proc that shows nobody."""
    check(libc.unshare(NEW_MOUNTS | NEW_CGROUP | NEW_UTS | NEW_IPC | NEW_NET), "unshare")
    check(libc.mount(b"none", b"/", None, PRIVATE_ALL, None), "make mounts private")
    facts = {}
    for name in ("cpuinfo", "meminfo", "version"):
        with contextlib.suppress(OSError), open(f"/proc/{name}", "rb") as file:
            facts[name] = file.read()
    with contextlib.suppress(OSError):  # terminals: nobody needs one, and each takes memory of the kernel's
        check(libc.umount2(b"/dev/pts", DETACH), "unmount /dev/pts")
    size = f"size={limits['disk']},nr_inodes=10000,mode=1777".encode()
    for place in (b"/tmp", b"/dev/shm"):
        check(libc.mount(b"tmpfs", place, b"tmpfs", NOSUID_NODEV, size), f"mount {place.decode()}")
    check(libc.mount(b"tmpfs", b"/proc", b"tmpfs", NOSUID_NODEV, b"size=1m,mode=755"), "mount /proc")
    for name, text in facts.items():
        with open(f"/proc/{name}", "wb") as file:
            file.write(text)
    remount_read_only = NOSUID_NODEV | 1 | 32
    check(libc.mount(b"none", b"/proc", None, remount_read_only, None), "protect /proc")
