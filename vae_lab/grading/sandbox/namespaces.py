"""A submission's own namespaces: what its process sees of the machine, put on before any of its code runs."""

from __future__ import annotations

import contextlib
import os
from typing import Any

from vae_lab.grading.sandbox.syscalls import (
    NEW_CGROUP,
    NEW_IPC,
    NEW_MOUNTS,
    NEW_NET,
    NEW_USER,
    NEW_UTS,
    NOSUID_NODEV,
    PRIVATE_ALL,
    READ_ONLY,
    check,
    libc,
)


def private_places(limits: dict[str, Any]) -> None:
    """Namespaces of this submission's own, an empty size-limited /tmp and /dev/shm, and a /proc that shows nobody."""
    own_user = 0 if limits["uid"] else NEW_USER  # who is no root has no other users: a namespace counts processes apart
    check(libc.unshare(own_user | NEW_MOUNTS | NEW_CGROUP | NEW_UTS | NEW_IPC | NEW_NET), "unshare")
    if own_user:
        for name, line in (("setgroups", b"deny"), ("uid_map", b"0 0 1"), ("gid_map", b"0 0 1")):
            with open(f"/proc/self/{name}", "wb") as users:
                users.write(line)
    check(libc.mount(b"none", b"/", None, PRIVATE_ALL, None), "make mounts private")
    facts = {}
    for name in ("cpuinfo", "meminfo", "version"):
        with contextlib.suppress(OSError), open(f"/proc/{name}", "rb") as file:
            facts[name] = file.read()
    if os.path.isdir("/dev/pts"):  # terminals: nobody needs one, and each takes memory of the kernel's
        check(
            libc.mount(b"tmpfs", b"/dev/pts", b"tmpfs", NOSUID_NODEV | READ_ONLY, b"size=4k,mode=755"), "hide /dev/pts"
        )
    size = f"size={limits['disk']},nr_inodes=10000,mode=1777".encode()
    for place in (b"/tmp", b"/dev/shm"):
        check(libc.mount(b"tmpfs", place, b"tmpfs", NOSUID_NODEV, size), f"mount {place.decode()}")
    check(libc.mount(b"tmpfs", b"/proc", b"tmpfs", NOSUID_NODEV, b"size=1m,mode=755"), "mount /proc")
    for name, text in facts.items():
        with open(f"/proc/{name}", "wb") as file:
            file.write(text)
    remount_read_only = NOSUID_NODEV | 1 | 32
    check(libc.mount(b"none", b"/proc", None, remount_read_only, None), "protect /proc")
