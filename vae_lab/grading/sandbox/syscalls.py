"""Calls of the Linux kernel that Python has no function for: namespaces, mounts, capabilities."""

from __future__ import annotations

import ctypes
import os

NEW_MOUNTS, NEW_CGROUP, NEW_UTS = 0x00020000, 0x02000000, 0x04000000
NEW_IPC, NEW_PID, NEW_NET = 0x08000000, 0x20000000, 0x40000000
READ_ONLY = 1
NOSUID_NODEV, PRIVATE_ALL = 2 | 4, (1 << 18) | (1 << 14)
NEW_USER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 24, 38, 47

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise the kernel's error if a call of `libc` failed.

    Raises:
        OSError: naming what was tried.
    """
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")
