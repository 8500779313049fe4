"""Jobs on machines that talk, by dask.distributed: which machines there are, who is alive and how bytes move is dask's.

What is ours: a worker is greeted before its first job and gets at most two jobs at a time, so that a lost worker takes
two jobs with it and no more; what it sends is checked before it counts; each job is answered once.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vae_lab.grading.executors.calls import Cut, Gone, brought, call, forget, start_here, who_is_there
from vae_lab.grading.executors.cluster_state import Speech, Try, Worker, at_the_first
from vae_lab.grading.executors.clusters import Certificates, Cluster, client_of, connect, quiet
from vae_lab.grading.executors.interface import ExecutorError, Failed, Refused, Unacquainted

if TYPE_CHECKING:
    from distributed import Client, Future

Shared = TypeVar("Shared")
Job = TypeVar("Job")
Answer = TypeVar("Answer")

WINDOW = 2  # jobs at a worker: one that runs, one that waits there
LOOK_EVERY = 1.0  # seconds between two looks at who is there
LOST_ALONE = 2  # workers lost with nothing but this job: it is the job
SLOW = 2.0  # seconds at one job: what waits behind it may go to a worker that has nothing to do
FAULTS = 3  # jobs in a row that fail by a worker's own fault: it gets no more


class Dask(Generic[Shared, Job, Answer]):
    """An executor over a cluster of dask.distributed.

    Args:
        cluster: where it is, or how many workers to start here.
        speech: how jobs and answers travel.
        certificates: for `tls://`.
        patience: seconds that a worker may take for one job, or for its greeting.
        connect_seconds: that a scheduler may take to answer.
        heal_seconds: that a lost scheduler, or a wait for the first worker, may take.
        stranger_seconds: that a cluster whose workers are all refused may take to bring another.
        say: called with a line about each worker that is refused or lost.
    """

    def __init__(
        self,
        cluster: Cluster,
        speech: Speech[Shared, Job, Answer],
        *,
        certificates: Certificates | None = None,
        patience: float = 720.0,
        connect_seconds: float = 15.0,
        heal_seconds: float = 120.0,
        stranger_seconds: float = 5.0,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.cluster, self.speech, self.say = cluster, speech, say
        self.certificates = certificates or Certificates()
        self.patience, self.connect_seconds, self.heal_seconds = patience, connect_seconds, heal_seconds
        self.stranger_seconds = stranger_seconds
        self.client: Client | None = None
        self.own: Any = None  # the cluster that was started here
        self.workers: dict[str, Worker[Job]] = {}
        self.refused: dict[str, str] = {}
        self.unsaid: list[str] = []
        self.again: deque[Try[Job]] = deque()
        self.done: queue.Queue[str] = queue.Queue()
        self.keys = itertools.count()
        self.run_name = f"vae-lab-{time.time_ns():x}"
        self.shared = b""
        self.cancelled = False
        self.looked = self.lonely_since = 0.0

    def start(self, shared: Shared) -> None:
        """Reach the cluster, or start one here, and wait for a worker that may grade.

        Raises:
            ExecutorError: if the scheduler does not answer, or no such worker comes.
        """
        self.shared = self.speech.pack_shared(shared)
        if self.cluster.workers:
            self.own = start_here(self.cluster.workers)
        self.client = self.reach()
        self.lonely_since = time.monotonic()
        while not self.cancelled and not any(worker.admitted for worker in self.workers.values()):
            try:
                self.look()
            except Cut:
                self.heal()
            for _ in self.collect():
                pass  # there are no jobs yet

    def reach(self) -> Client:
        """A new connection to the scheduler."""
        if self.own is None:
            return connect(self.cluster, self.certificates, self.connect_seconds)
        return client_of(self.own.scheduler_address, self.own.security, self.connect_seconds)

    def run(self, jobs: Iterable[Job], expected: int) -> Iterator[tuple[Job, Answer | Exception]]:
        """Yield each job once, with its answer, as they come."""
        source = iter(jobs)
        more = True
        self.lonely_since = time.monotonic()
        while not self.cancelled:
            try:
                self.look()
                self.hand_again(idle=not more)
                while more and (worker := self.free()) is not None:
                    if (job := next(source, None)) is None:
                        more = False
                    else:
                        self.hand(Try(job), worker)
            except Cut:
                self.heal()
            yield from self.given_up()
            if not more and not self.again and not any(worker.holds for worker in self.workers.values()):
                return
            yield from self.collect()

    def look(self) -> None:
        """See who has come and who has gone; greet the new."""
        if time.monotonic() - self.looked < LOOK_EVERY:
            return
        assert self.client is not None
        there = who_is_there(self.client)
        self.looked = time.monotonic()
        for address in [address for address in self.workers if address not in there]:
            self.lose(self.workers[address], "is gone")
        for address, threads in there.items():
            known = self.workers.get(address)
            if address not in self.refused and (known is None or not (known.admitted or known.greeting)):
                if threads != 1:
                    self.refuse(address, f"it has {threads} threads; start it with --nthreads 1")
                else:
                    self.greet(address)
        for worker in list(self.workers.values()):
            if (worker.holds or worker.greeting) and time.monotonic() - worker.since > self.patience:
                self.lose(worker, f"has given no answer within {self.patience:g} s")
                self.refused[worker.address] = "it does not answer"
        self.anybody(there)

    def anybody(self, there: Mapping[str, int]) -> None:
        """See that somebody can grade.

        Raises:
            ExecutorError: if nobody has come for a while, or nobody who may.
        """
        now = time.monotonic()
        if any(worker.admitted or worker.greeting for worker in self.workers.values()):
            self.lonely_since = now
            return
        waited = now - self.lonely_since
        strangers = [address for address in there if address in self.refused]
        if len(strangers) == len(there) > 0 and waited > self.stranger_seconds:
            others = f" (and {len(strangers) - 1} more)" if len(strangers) > 1 else ""
            raise ExecutorError(f"no worker may grade: {strangers[0]}{others} is refused: {self.refused[strangers[0]]}")
        if waited > self.heal_seconds:
            raise ExecutorError(
                f"the scheduler has had no worker for {self.heal_seconds:g} s; start some, and try again"
            )

    def greet(self, address: str) -> None:
        """Send what all jobs share, and ask a worker to show itself."""
        worker = self.workers.setdefault(address, Worker(address))
        worker.admitted, worker.since = False, time.monotonic()
        worker.greeting = self.call(self.speech.greet, self.shared, address, f"greet {address}")

    def call(self, function: Callable[[bytes], bytes], packet: bytes, address: str, name: str) -> Future:
        """One call at one worker; its name comes through `done` when it has ended, however that was."""
        assert self.client is not None
        key = f"{self.run_name}-{next(self.keys)}"
        return call(self.client, function, packet, address, key, lambda: self.done.put(name))

    def free(self, but: set[str] | None = None, most: int = WINDOW) -> Worker[Job] | None:
        """The admitted worker with fewest jobs, if it may have one more."""
        can = [
            worker
            for worker in self.workers.values()
            if worker.admitted
            and len(worker.holds) < most
            and worker.address not in (but or ())
            and not any(tried.lost for tried, _, _ in worker.holds.values())  # a suspect runs alone
        ]
        return min(can, key=lambda worker: len(worker.holds), default=None)

    def hand(self, tried: Try[Job], worker: Worker[Job]) -> None:
        """Give a worker a job."""
        name = f"job {next(self.keys)}"
        try:
            packet = self.speech.pack(tried.job)
            future = self.call(self.speech.work, packet, worker.address, name)
        except Cut:
            self.again.append(tried)
            raise
        if not worker.holds:
            worker.since = time.monotonic()
        worker.holds[name] = (tried, future, packet)

    def hand_again(self, idle: bool) -> None:
        """Give out again what came back: suspects alone; at the end also what waits behind a slow worker's job."""
        for _ in range(len(self.again)):
            tried = self.again.popleft()
            over = tried.lost_alone >= LOST_ALONE
            worker = None if over else self.free(tried.failed_at, most=1 if tried.lost else WINDOW)
            if worker is None:
                self.again.append(tried)
            else:
                self.hand(tried, worker)
        if idle and not self.again and (worker := self.free(most=1)) is not None:
            slow = [
                other
                for other in self.workers.values()
                if len(other.holds) > 1 and time.monotonic() - other.since > SLOW and at_the_first(other)
            ]
            behind = [(other, name) for other in slow for name in list(other.holds)[1:]]
            if behind:
                other, name = behind[0]
                tried, future, _ = other.holds.pop(name)
                forget(future)
                self.hand(tried, worker)

    def given_up(self) -> Iterator[tuple[Job, Answer | Exception]]:
        """What no worker is left to try, with what it ended in."""
        for tried in list(self.again):
            untried = [each for each in self.workers if each not in tried.failed_at]
            if tried.lost_alone >= LOST_ALONE:
                self.again.remove(tried)
                yield tried.job, RuntimeError("the grader's process died while working on this submission")
            elif tried.failed_at and self.workers and not untried:
                self.again.remove(tried)
                yield tried.job, tried.answer  # type: ignore[misc]

    def collect(self) -> Iterator[tuple[Job, Answer | Exception]]:
        """Wait for something to end, a moment at most, and yield what is an answer."""
        with contextlib.suppress(queue.Empty):
            name = self.done.get(timeout=LOOK_EVERY)
            while True:
                yield from self.ended(name)
                name = self.done.get_nowait()

    def ended(self, name: str) -> Iterator[tuple[Job, Answer | Exception]]:
        """What has ended: a greeting, a job, or something that no longer matters."""
        if name.startswith("greet "):
            if (greeted := self.workers.get(name.removeprefix("greet "))) is not None and greeted.greeting is not None:
                greeting, greeted.greeting = greeted.greeting, None
                greeted.admitted = self.believed(greeted, None, lambda: self.speech.admit(brought(greeting)))
                self.speak()
            return
        worker = next((each for each in self.workers.values() if name in each.holds), None)
        if worker is None:
            return  # it came twice, or late: its job has been given to another
        tried, future, sent = worker.holds.pop(name)
        worker.since = time.monotonic()
        answers: list[Answer] = []
        if self.believed(worker, tried, lambda: answers.append(self.speech.unpack(tried.job, sent, brought(future)))):
            worker.faults = 0
            yield tried.job, answers[0]
        else:
            self.again.append(tried)

    def believed(self, worker: Worker[Job], tried: Try[Job] | None, read: Callable[[], None]) -> bool:
        """Whether what came can be read; if not, act on what is wrong with it."""
        try:
            read()
            return True
        except Refused as error:
            self.refuse(worker.address, str(error))
        except Unacquainted:
            worker.faults += 1
            if worker.faults >= FAULTS:
                self.refuse(worker.address, "it forgets the lab")
            else:
                self.looked = 0.0
                worker.admitted = False
        except Failed as error:
            worker.faults += 1
            if tried is None or worker.faults >= FAULTS:
                self.refuse(worker.address, f"what it is given fails there: {error}")
            if tried is not None:
                tried.failed_at.add(worker.address)
                tried.answer = error.answer
        except Gone as error:
            if tried is not None and error.killed:
                tried.lost += 1
                tried.lost_alone += not worker.holds
            self.looked = 0.0
        return False

    def refuse(self, address: str, why: str) -> None:
        """Give a worker no more jobs, and what it holds to others."""
        self.refused[address] = why
        self.unsaid.append(f"worker {address} is not used: {why}")
        self.speak()
        if (worker := self.workers.pop(address, None)) is not None:
            self.take_back(worker)

    def speak(self) -> None:
        """Say who was refused, once there is somebody who grades: if nobody does, one line says so at the end."""
        if any(worker.admitted for worker in self.workers.values()):
            for line in self.unsaid:
                self.say(line)
            self.unsaid.clear()

    def lose(self, worker: Worker[Job], why: str) -> None:
        """A worker is gone: what it held is suspect, for it may be why."""
        self.say(f"worker {worker.address} {why}; what it had is given to others")
        self.workers.pop(worker.address, None)
        alone = len(worker.holds) == 1
        for tried, _, _ in worker.holds.values():
            tried.lost += 1
            tried.lost_alone += alone
        self.take_back(worker)

    def take_back(self, worker: Worker[Job]) -> None:
        """Let others have what a worker holds."""
        for tried, future, _ in worker.holds.values():
            forget(future)
            self.again.append(tried)
        worker.holds.clear()
        if worker.greeting is not None:
            forget(worker.greeting)

    def heal(self) -> None:
        """The way to the scheduler is cut: try for a while to reach it again; nobody there is to blame.

        Raises:
            ExecutorError: if it stays away.
        """
        self.say("the scheduler is out of reach; trying again")
        for worker in self.workers.values():
            self.again.extend(tried for tried, _, _ in worker.holds.values())
        self.workers.clear()
        self.drop()
        until = time.monotonic() + self.heal_seconds
        while not self.cancelled:
            try:
                self.client = self.reach()
                break
            except ExecutorError as error:
                if time.monotonic() > until:
                    raise ExecutorError(f"{error}; the same command goes on where it was") from None
                time.sleep(0.5)
        self.looked, self.lonely_since = 0.0, time.monotonic()

    def drop(self) -> None:
        """Let go of the connection."""
        client, self.client = self.client, None
        if client is not None:
            with quiet(), contextlib.suppress(Exception):
                client.close(timeout=2)

    def cancel(self) -> None:
        """Begin no other job; those that run are let go when the connection is."""
        self.cancelled = True
        self.done.put("")

    def stop(self) -> None:
        """Let go of the cluster, and end the one that was started here."""
        self.cancel()
        self.workers.clear()
        self.drop()
        own, self.own = self.own, None
        if own is not None:
            with quiet(), contextlib.suppress(Exception):
                own.close(timeout=10)
