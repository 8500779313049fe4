"""Who is at the other end of a socket on this machine."""

from __future__ import annotations

import socket
import struct


def user_behind(sock: socket.socket) -> int:
    """The user whose process connected, or listens, at the other end of a Unix socket; the kernel says it."""
    _, user, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return int(user)
