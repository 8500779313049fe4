"""Run one function over many jobs in worker processes, so that no job can stop the others.

The workers are forked from one clean process that has imported torch and little else, and die with the program.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context, parent_process
from typing import TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")

WORTH_A_WORKER = 2  # jobs: to start one more worker costs about as much
SLOW_SECONDS = 10.0  # jobs that last longer than expected get all workers after this


def worthwhile(workers: int, jobs: int) -> int:
    """How many workers to start for so many jobs.

    >>> worthwhile(4, 3), worthwhile(4, 20), worthwhile(4, 1000)
    (2, 4, 4)
    """
    return max(1, min(workers, -(-jobs // WORTH_A_WORKER)))


def get_ready() -> None:
    """First thing in every worker: leave Ctrl-C to the parent, die when it dies, and use one thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=die_with_parent, daemon=True).start()
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def die_with_parent() -> None:
    """Wait for the end of the process that asked for this worker, and end with it, whatever it was that ended it."""
    if (parent := parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGKILL)


def pool(workers: int, module: str) -> ProcessPoolExecutor:
    """An executor whose processes have imported torch and the module whose functions they will be sent.

    They are forked from a server process that runs nothing else, so no thread of the caller is copied.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([module])
    return ProcessPoolExecutor(workers, mp_context=context, initializer=get_ready)


def end(executor: ProcessPoolExecutor) -> None:
    """Stop an executor at once, whatever its processes are doing."""
    processes = list((executor._processes or {}).values())
    executor.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        with contextlib.suppress(OSError, ValueError):
            process.kill()


def run_all(
    function: Callable[[Job], Answer],
    jobs: Iterable[Job],
    *,
    workers: int,
    patience: float,
    expected: int | None = None,
) -> Iterator[tuple[Job, Answer | Exception]]:
    """Yield each job with its answer, or with the exception it ended in, as they come.

    A worker that dies takes down only the job that killed it: those that ran beside it are tried again, each alone.

    Args:
        function: a module-level function; it runs in a worker process.
        jobs: picklable arguments, none of them None; taken one by one as workers are free.
        workers: how many processes work side by side.
        patience: seconds after which a job's worker is killed and the job ends in TimeoutError.
        expected: about how many jobs there are. For few of them few workers are started, unless they turn out slow.
    """
    source = iter(jobs)
    job = next(source, None)
    few = workers if expected is None else worthwhile(workers, expected)
    began = time.monotonic()
    while job is not None:
        executor = pool(workers, function.__module__)
        running: dict[Future[Answer], tuple[Job, float]] = {}
        suspects: list[Job] = []
        try:
            while (job is not None or running) and not suspects:
                all_at_work = few == workers or time.monotonic() - began > SLOW_SECONDS
                while job is not None and len(running) < (2 * workers if all_at_work else few):
                    try:
                        running[executor.submit(function, job)] = (job, time.monotonic())
                    except BrokenExecutor:  # by one of those that are running, if there are any
                        if not running:
                            suspects.append(job)
                            job = next(source, None)
                        break
                    job = next(source, None)
                done, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
                for future in done:
                    finished, _ = running.pop(future)
                    try:
                        yield finished, future.result()
                    except BrokenExecutor:
                        suspects.append(finished)
                    except Exception as error:
                        yield finished, error
                late = any(time.monotonic() - since > patience for _, since in running.values())
                suspects += [each for each, _ in running.values()] if late or suspects else []
        finally:
            end(executor)
        for suspect in suspects:
            yield suspect, alone(function, suspect, patience)


def alone(function: Callable[[Job], Answer], job: Job, patience: float) -> Answer | Exception:
    """Run one job in a process of its own; whatever happens to it is an answer."""
    executor = pool(1, function.__module__)
    try:
        return executor.submit(function, job).result(timeout=patience)
    except BrokenExecutor:
        return RuntimeError("the grader's process died while working on this submission")
    except TimeoutError:
        return TimeoutError(f"the grader gave no answer within {patience:g} s")
    except Exception as error:
        return error
    finally:
        end(executor)
