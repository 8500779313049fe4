"""A seccomp filter, written by hand: calls that attacks on a kernel begin with are refused.

A list of what is refused, not of what is allowed: Python, NumPy and torch use many calls, and the namespaces already
take away what these could reach. The filter is a second wall. On a machine that is neither x86-64 nor arm64 there is
none, and the rest still stands.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from vae_lab.grading.sandbox.syscalls import check, libc

# name: (x86-64, arm64)
REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "unshare": (272, 97), "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "syslog": (103, 116), "quotactl": (179, 60),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194),
    "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "sethostname": (170, 161), "personality": (135, 92),
    "mbind": (237, 235), "set_mempolicy": (238, 237), "migrate_pages": (256, 238),
    "move_pages": (279, 239), "set_mempolicy_home_node": (450, 450), "vmsplice": (278, 75),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "statmount": (457, 457), "listmount": (458, 458), "kexec_file_load": (320, 294),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
    # Locks and watches on files that all submissions see, read-only, would be a way to talk from one to another.
    "flock": (73, 32), "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    "vhangup": (153, 58), "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
}  # fmt: skip
CLONE = (56, 220)
CLONE3 = (435, 435)
SOCKET, SOCKETPAIR, AF_UNIX = (41, 198), (53, 199), 1
FCNTL = (72, 25)
LOCKS = (5, 6, 7, 36, 37, 38, 1024, 1025, 1026)  # F_GETLK to F_SETLKW, the same for open files, leases, F_NOTIFY
NAMESPACES = 0x7E020080  # every CLONE_NEW* flag

ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
PR_SET_SECCOMP, FILTER_MODE = 22, 2


def program(machine: str) -> bytes:
    """The filter's instructions for a machine, b"" for one that is not known.

    >>> len(program("x86_64")) % 8, program("pdp11")
    (0, b'')
    """
    if machine not in ARCHITECTURES:
        return b""
    architecture, column = ARCHITECTURES[machine]
    code: list[tuple[int, int, int, int]] = [
        (LOAD, 0, 0, 4),
        (JUMP_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),
    ]
    if machine == "x86_64":  # the x32 numbers would slip past every comparison below
        code += [(JUMP_AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, REFUSE | errno.EPERM)]
    for numbers in REFUSED.values():
        number = numbers[column]
        if number is not None:
            code += [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | errno.EPERM)]
    # Processes of one notebook may talk to each other: only local sockets.
    for call in (SOCKET, SOCKETPAIR):
        code += [
            (JUMP_EQUAL, 0, 4, call[column]),
            (LOAD, 0, 0, 16),
            (JUMP_EQUAL, 1, 0, AF_UNIX),
            (RETURN, 0, 0, REFUSE | errno.EPERM),
            (RETURN, 0, 0, ALLOW),
        ]
    # Of fcntl everything but locks: "no locks available", which programs expect of some file systems.
    code += [(JUMP_EQUAL, 0, 3 + len(LOCKS), FCNTL[column]), (LOAD, 0, 0, 24)]
    code += [(JUMP_EQUAL, len(LOCKS) - place, 0, command) for place, command in enumerate(LOCKS)]
    code += [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, REFUSE | errno.ENOLCK)]
    # clone3 hides its flags behind a pointer: pretend not to have it, so that libc falls back to clone.
    code += [(JUMP_EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, REFUSE | errno.ENOSYS)]
    code += [
        (JUMP_EQUAL, 0, 3, CLONE[column]),
        (LOAD, 0, 0, 16),
        (JUMP_ANY_BIT, 0, 1, NAMESPACES),
        (RETURN, 0, 0, REFUSE | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("<HBBI", *step) for step in code)


def install() -> bool:
    """Put the filter on this process for good; whether there is one for this machine.

    Raises:
        OSError: if the kernel refuses it.
    """
    code = program(platform.machine())
    if not code:
        return False
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    filter_of = ctypes.create_string_buffer(header, len(header))
    check(libc.prctl(PR_SET_SECCOMP, FILTER_MODE, filter_of, 0, 0), "the kernel refuses the seccomp filter")
    return True
