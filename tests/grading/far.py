"""Another process at the other end of a connection: an honest one, or one that sends what it likes."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from vae_lab.grading.rpc.objects import use
from vae_lab.grading.rpc.peer import Peer
from vae_lab.grading.rpc.wire import Channel


@contextmanager
def process(run: Callable[[socket.socket], None]) -> Iterator[socket.socket]:
    """Fork a process that runs a function with its end of a socket."""
    mine, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            mine.close()
            run(theirs)
        finally:
            os._exit(0)
    theirs.close()
    try:
        yield mine
    finally:
        mine.close()
        os.kill(pid, 9)
        os.waitpid(pid, 0)


@contextmanager
def side(source: str, seconds: float = 20.0) -> Iterator[tuple[Peer, dict[str, Any]]]:
    """The trusted end of a connection to a process that has executed `source`, and what it defined there."""
    torch.set_num_threads(1)

    def run(sock: socket.socket) -> None:
        namespace: dict[str, Any] = {"torch": torch}
        exec(source, namespace)

        def serve(op: str, values: list[Any]) -> Any:
            if op == "names":
                return {name: namespace[name] for name in values[0] if name in namespace}
            return use(op, values, guarded=False)

        Peer(Channel(sock), serve, trusted=False).answer_forever()

    state = torch.get_rng_state()
    with process(run) as sock:
        peer = Peer(Channel(sock), lambda op, values: use(op, values, guarded=True), trusted=True)
        peer.deadline = time.monotonic() + seconds
        names = [
            line.split()[1].split("(")[0].split(":")[0] for line in source.splitlines() if line[:4] in ("def ", "clas")
        ]
        names += [line.split(" = ")[0] for line in source.splitlines() if " = " in line and not line.startswith(" ")]
        yield peer, peer.ask("names", names)
    torch.set_rng_state(state)
