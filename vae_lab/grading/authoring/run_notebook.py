"""Run a notebook's cells as a student's own kernel does: in order, in one process, going on after an error.

Nothing is shielded here. It is for code one trusts: the course's own, and a student's on the student's machine.
"""

from __future__ import annotations

import math
import os
import pickle
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from vae_lab.checks.lab_overview import describe
from vae_lab.grading.authoring.guards import TookTooLong, limited, nobody_answers
from vae_lab.grading.stand_ins import stand_in


class CellRun(NamedTuple):
    """How one code cell ended: `error` is "" or the exception's type name, `message` what it says."""

    error: str
    message: str

    @property
    def passed(self) -> bool:
        """True when the cell ran to its end."""
        return not self.error


def run_cells(
    sources: Sequence[str],
    progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    seconds: float = math.inf,
    starts: Callable[[int], None] = lambda number: None,
) -> list[CellRun]:
    """Execute code cells in this process's own IPython namespace; what they print is swallowed.

    A second call goes on where the first one ended. `input()` fails, as it does in the grader.

    Args:
        sources: the text of each code cell; IPython's magics and a top-level `await` work as in a notebook.
        progress: called with the number of cells run and of all.
        seconds: for one cell; one that runs longer is interrupted, and the next one runs.
        starts: called with the number of a cell, from 0, before it runs.

    Example:
        >>> [outcome.message for outcome in in_a_fork(run_cells, ["x = 1", "assert x == 2, 'x is 1'", "y = x"])]
        ['', 'x is 1', '']
    """
    os.environ["MPLBACKEND"] = "agg"
    stand_in()
    config = Config()
    config.HistoryManager.enabled = False  # no database of what was typed
    config.InteractiveShell.cache_size = 0  # no references to earlier results
    shell = InteractiveShell.instance(config=config)
    outcomes = []
    for number, source in enumerate(sources):
        starts(number)
        outcomes.append(_run(shell, source, seconds))
        progress(len(outcomes), len(sources))
    return outcomes


def _run(shell: InteractiveShell, source: str, seconds: float) -> CellRun:
    """Run one cell; a Ctrl-C of the student's own ends more than the cell."""
    result = None
    try:
        with capture_output(), nobody_answers(), limited(seconds) if math.isfinite(seconds) else nullcontext():
            result = shell.run_cell(source, store_history=False)
            if isinstance(result.error_in_exec, KeyboardInterrupt):
                raise result.error_in_exec
    except TookTooLong as late:
        return CellRun(type(late).__name__, str(late))
    assert result is not None
    error = result.error_before_exec or result.error_in_exec
    return CellRun("", "") if error is None else CellRun(type(error).__name__, describe(error))


def in_a_fork(function: Callable[..., Any], *arguments: Any, seconds: float = 300.0) -> Any:
    """Call a function in a forked copy of this process, so that nothing it changes is left behind.

    The copy uses one thread: those that torch has started here do not exist there, and it would wait for them for ever.

    Raises:
        TimeoutError: if it takes longer than `seconds`.
        RuntimeError: if it raises, or its process dies.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(1)
            try:
                answer: tuple[bool, Any] = (True, function(*arguments))
            except BaseException as error:
                answer = (False, describe(error))
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(answer, pipe)
        finally:
            os._exit(0)
    os.close(writer)
    received = bytearray()
    deadline = time.monotonic() + seconds
    try:
        while True:
            ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"in_a_fork: not finished after {seconds:g} s")
            chunk = os.read(reader, 1 << 16)
            if not chunk:
                break
            received += chunk
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    if not received:
        raise RuntimeError("Python ended without an answer")
    good, value = pickle.loads(received)
    if not good:
        raise RuntimeError(value)
    return value
