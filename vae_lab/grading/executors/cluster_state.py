"""What an executor over a cluster knows of its jobs and workers, and how it speaks with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from distributed import Future

Job = TypeVar("Job")
Shared_in = TypeVar("Shared_in", contravariant=True)
Job_in = TypeVar("Job_in", contravariant=True)
Answer_out = TypeVar("Answer_out", covariant=True)


class Speech(Protocol[Shared_in, Job_in, Answer_out]):
    """How jobs become bytes and bytes answers. `greet` and `work` run at a worker; the others here.

    `admit` and `unpack` raise Refused, Unacquainted or Failed.
    """

    greet: Callable[[bytes], bytes]
    work: Callable[[bytes], bytes]

    def pack_shared(self, shared: Shared_in) -> bytes: ...  # noqa: D102
    def admit(self, packet: object) -> None: ...  # noqa: D102
    def pack(self, job: Job_in) -> bytes: ...  # noqa: D102
    def unpack(self, job: Job_in, sent: bytes, packet: object) -> Answer_out: ...  # noqa: D102


@dataclass(eq=False)
class Try(Generic[Job]):
    """A job, and what has happened to it so far."""

    job: Job
    lost: int = 0  # workers that were lost while they had it
    lost_alone: int = 0  # and had nothing else
    failed_at: set[str] = field(default_factory=set)
    answer: object = None  # what it ends in if no worker is left to try


@dataclass(eq=False)
class Worker(Generic[Job]):
    """A worker as seen from here. `holds` are its jobs, the one that runs first."""

    address: str
    holds: dict[str, tuple[Try[Job], Future, bytes]] = field(default_factory=dict)
    greeting: Future | None = None
    admitted: bool = False
    since: float = 0.0  # when the first of its jobs, or its greeting, began
    faults: int = 0


def at_the_first(worker: Worker[Any]) -> bool:
    """Whether the first of a worker's jobs still runs, so that the next has not begun."""
    _, future, _ = next(iter(worker.holds.values()))
    return bool(future.status == "pending")
