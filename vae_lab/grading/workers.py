"""Worker processes that start quickly: forked from one clean process that has imported torch and little else."""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context


def get_ready() -> None:
    """First thing in every worker: Ctrl-C is the parent's business, and one thread is enough."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)


def pool(workers: int, module: str) -> ProcessPoolExecutor:
    """An executor whose processes have imported torch and the module whose functions they will be sent.

    They are forked from a server process that runs nothing else, so no thread of the caller is copied.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["torch", "torch.optim", "IPython", module])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=get_ready)
