"""The one interface behind which jobs run: this machine's processes, machines that talk, or a share of a class.

    executor.start(lab)                       # what all jobs need, given once
    for job, answer in executor.run(jobs, expected=len(students)):
        ...                                   # as they come; an Exception where a job failed
    executor.stop()

An executor knows neither labs nor students: `Shared`, `Job` and `Answer` are whatever its maker says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

Shared = TypeVar("Shared", contravariant=True)
Job = TypeVar("Job")
Answer = TypeVar("Answer", covariant=True)


class ExecutorError(RuntimeError):
    """The place where jobs run cannot be used, or is lost; no job's fault. Its text is one line for a person."""


class Refused(Exception):
    """A worker is a stranger or sent what cannot be: it gets no more jobs, and its job goes to another."""


class Unacquainted(Exception):
    """A worker does not know what all jobs share: it has been started anew, and is to be greeted again."""


class Failed(Exception):
    """A job failed by the worker's own fault: it is tried on another, and is its answer where there is none.

    Args:
        answer: the exception or answer that it ends in then.
    """

    def __init__(self, answer: object, why: str) -> None:
        super().__init__(why)
        self.answer = answer


class Executor(Protocol[Shared, Job, Answer]):
    """Where jobs run, for one class."""

    def start(self, shared: Shared) -> None:
        """Get ready, with what all jobs need.

        Raises:
            ExecutorError: if it cannot.
        """

    def run(self, jobs: Iterable[Job], expected: int) -> Iterator[tuple[Job, Answer | Exception]]:
        """Yield each job once, with its answer or with the exception it ended in, as they come.

        Args:
            jobs: taken one by one, as there is room for them.
            expected: about how many there are.

        Raises:
            ExecutorError: if the place is lost. What has been yielded holds; the others may be run again.
        """

    def cancel(self) -> None:
        """Begin no other job and let go of those that run; `run` then ends. From any thread."""

    def stop(self) -> None:
        """End whatever was started. Again does no harm."""
