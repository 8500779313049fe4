"""A Jupyter server of our own on this machine, for as long as something is done with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

OPTIONS = ("--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port_retries=0")
OPTIONS += ("--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True")


@contextmanager
def running(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], *, seconds: float = 120
) -> Iterator[str]:
    """Start a server on a free port, open to this machine alone and without a password, and end it afterwards.

    Args:
        command: what starts it, e.g. ["jupyter", "lab"].
        folder: where it runs, and its home: settings and the list of running servers stay there.
        environment: variables, with the PATH on which `command` is found.
        seconds: how long it may take to answer.

    Yields:
        its address.

    Raises:
        RuntimeError: if it ends or does not answer in time, with the end of what it printed.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", folder / ".jupyter-server.log"
    own = {"HOME": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / ".runtime")}
    with log.open("wb") as written:
        server = subprocess.Popen(
            [*command, *OPTIONS, f"--ServerApp.port={port}"],
            cwd=folder,
            env={**environment, **own},
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + seconds
        while not _answers(f"{url}/api"):
            ended = server.poll() is not None
            if ended or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise RuntimeError(f"the Jupyter server {'has ended' if ended else 'does not answer'}: {said}")
            time.sleep(0.2)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True
