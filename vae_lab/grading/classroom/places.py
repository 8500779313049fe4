"""Where a class may be graded: here, on a cluster; each an executor with the one interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec

from vae_lab.grading.classroom.elsewhere import ByPacket
from vae_lab.grading.classroom.job import Job, grade_job
from vae_lab.grading.classroom.packets import LabFile
from vae_lab.grading.executors.clusters import Certificates, read_cluster
from vae_lab.grading.executors.interface import Executor, ExecutorError
from vae_lab.grading.executors.local import run_all
from vae_lab.grading.judge.engine import RoomError, WarmPair
from vae_lab.grading.lab.source import Lab
from vae_lab.grading.limits import Limits, Sandbox
from vae_lab.grading.results import SubmissionResult

Place = Executor[LabFile, Job, SubmissionResult]


def patience_for(limits: Limits) -> float:
    """Seconds after which a worker that is at one submission is given up."""
    return 2 * limits.submission_seconds + 120


class Here:
    """Worker processes of this machine, which share one pair of warm processes.

    Args:
        workers: at most how many grade side by side.
        limits: of one submission.
    """

    def __init__(self, workers: int, limits: Limits) -> None:
        self.workers, self.patience = workers, patience_for(limits)
        self.cancelled = False
        self.pair: WarmPair | None = None

    def start(self, shared: LabFile) -> None:
        """Let the pair get warm, beside whatever the caller does until there are jobs; workers start then."""
        lab = Lab.from_bytes(shared.name, shared.data)
        self.pair = WarmPair(lab, shared.sandbox, lab.students_imports if shared.optimizers else lab.imports)

    def run(self, jobs: Iterable[Job], expected: int) -> Iterator[tuple[Job, SubmissionResult | Exception]]:
        """Yield each job with its answer.

        Raises:
            ExecutorError: if no submission can be graded here.
        """
        jobs = (job._replace(pair=self.pair.address) if self.pair else job for job in jobs)
        for job, answer in run_all(grade_job, jobs, workers=self.workers, patience=self.patience, expected=expected):
            if isinstance(answer, RoomError):
                raise ExecutorError(f"no submission can be graded here: {answer}")
            yield job, answer
            if self.cancelled:
                return

    def cancel(self) -> None:
        """End after the next answer."""
        self.cancelled = True

    def stop(self) -> None:
        """End the pair; the workers end with `run`."""
        self.cancelled = True
        if self.pair is not None:
            self.pair.close()


def on_cluster(
    text: str, limits: Limits, sandbox: Sandbox, certificates: Certificates, say: Callable[[str], None]
) -> Place:
    """A cluster, as `--cluster` names it.

    Raises:
        ExecutorError: if it is no cluster, or dask is not installed.
    """
    from vae_lab.grading.executors.dask import Dask  # here: nothing of it is loaded without a cluster

    cluster = read_cluster(text)
    if find_spec("distributed") is None:
        raise ExecutorError("dask.distributed is missing; install it with: pip install 'vae-lab[cluster]'")
    return Dask(cluster, ByPacket(sandbox), certificates=certificates, patience=patience_for(limits), say=say)
