"""A wire between two ends that a test can cut, let go silent, and heal."""

from __future__ import annotations

import contextlib
import socket
import threading


class Proxy:
    """Forwards connections to an address, in threads.

    Args:
        target: port on this machine to forward to.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.broken, self.silent = threading.Event(), threading.Event()
        self.pairs: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            if self.broken.is_set():
                here.close()
                continue
            with contextlib.suppress(OSError):
                there = socket.create_connection(("127.0.0.1", self.target))
                self.pairs += [here, there]
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=self.forward, args=(source, sink), daemon=True).start()

    def forward(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                if self.silent.is_set():
                    self.broken.wait(60)  # whatever was on its way is lost, and nobody is told
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.close()

    def cut(self) -> None:
        """Close all connections, and take no others."""
        self.broken.set()
        for end in self.pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.pairs.clear()

    def heal(self) -> None:
        """Forward again."""
        self.broken.clear()
        self.silent.clear()

    def close(self) -> None:
        self.cut()
        self.listener.close()
