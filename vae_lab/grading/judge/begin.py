"""How a warm pair begins: the sandbox is started before anything slow is imported, so that both import side by side.

`python -m vae_lab.grading.judge.begin FD SETTINGS`: FD is a listening socket, SETTINGS JSON of what to import in each.
What is done then is `server`'s.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

from vae_lab.grading.sandbox.bubblewrap import SandboxError
from vae_lab.grading.sandbox.warm import WarmSandbox


def main() -> None:
    """Entry point."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    door, settings = socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2])
    warm: WarmSandbox | SandboxError
    try:
        warm = WarmSandbox(tuple(settings["students"]), settings["sandbox"])
    except SandboxError as error:
        warm = error  # told to each worker that knocks
    from vae_lab.grading.judge.server import run  # here: it imports torch

    run(door, warm, settings["modules"], parent, outlives=settings["outlives"])


if __name__ == "__main__":
    main()
