"""One call at one worker of dask.distributed: made, brought home, forgotten; and whatever can go wrong on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from vae_lab.grading.executors.clusters import quiet
from vae_lab.grading.executors.interface import ExecutorError, Refused

if TYPE_CHECKING:
    from distributed import Client, Future

SECONDS = 60.0  # that the scheduler may take to answer
RESULT_SECONDS = 10.0  # that a result may take to come over; it may lie on a worker that has died since


class Cut(Exception):
    """The way to the scheduler is cut."""


class Gone(Exception):
    """A call ended without an answer.

    Args:
        killed: True if its worker died of it, time and again; False if the call was let go.
    """

    def __init__(self, killed: bool) -> None:
        super().__init__()
        self.killed = killed


@contextlib.contextmanager
def over_the_wire() -> Iterator[None]:
    """Turn what speaking to a scheduler may raise into Cut."""
    try:
        yield
    except (OSError, TimeoutError, RuntimeError, AttributeError) as error:  # AttributeError: a client that was closed
        raise Cut(str(error)) from error


def who_is_there(client: Client) -> dict[str, int]:
    """The workers' addresses, and how many threads each has.

    Raises:
        Cut: if the scheduler does not answer.
    """
    if client.status != "running":
        raise Cut
    with over_the_wire():
        found: dict[str, int] = client.nthreads(callback_timeout=SECONDS)
        return found


def call(
    client: Client, function: Callable[[bytes], bytes], packet: bytes, address: str, key: str, then: Callable[[], None]
) -> Future:
    """Call a function at one worker and no other; `then` is called when that has ended, however it was.

    Raises:
        Cut: if the scheduler cannot be told.
    """
    with over_the_wire():
        future = client.submit(function, packet, key=key, workers=[address], pure=False, retries=0)
        future.add_done_callback(lambda _: then())
        return future


def brought(future: Future) -> object:
    """What a call brought.

    Raises:
        Gone: if it brought nothing.
        Refused: if what it brought cannot be read.
    """
    if future.status in ("cancelled", "lost", "pending"):
        raise Gone(killed=False)
    try:
        return future.result(timeout=RESULT_SECONDS)
    except Exception as error:
        name = type(error).__name__
        if name in ("KilledWorker", "FutureCancelledError", "CancelledError", "TimeoutError", "CommClosedError"):
            raise Gone(killed=name == "KilledWorker") from None
        raise Refused(f"{name}: {str(error).splitlines()[0][:200] if str(error) else 'no more is said'}") from None
    finally:
        future.release()  # it has ended: to cancel it, too, would be one more question to the scheduler


def forget(future: Future) -> None:
    """Tell the scheduler that a result is no longer wanted."""
    with contextlib.suppress(Exception):
        future.cancel()
        future.release()


def start_here(workers: int) -> Any:
    """A cluster of this machine, closed to its other users by a certificate that lasts as long as it does."""
    from distributed import LocalCluster, Security

    with quiet():
        try:
            return LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                dashboard_address=None,
                security=Security.temporary(),
                silence_logs=60,
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise ExecutorError(f"no cluster can be started here: {error}") from None
