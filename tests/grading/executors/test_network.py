"""Wires that break and heal, certificates, and addresses that lead nowhere."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.grading.classes import a_class, make_room
from tests.grading.executors import certificates
from tests.grading.executors.conftest import Processes
from tests.grading.executors.proxy import Proxy
from tests.grading.executors.test_dask import Room, once
from vae_lab.cli import main
from vae_lab.grading.executors import calls
from vae_lab.grading.executors.dask import Dask

pytestmark = pytest.mark.filterwarnings("ignore")  # distributed's own: tornado, sockets that a killed process leaves


@pytest.fixture
def world(tmp_path: Path, processes: Processes) -> Room:
    processes.scheduler()
    return Room(tmp_path, processes)


@pytest.fixture
def wire(world: Room) -> Iterator[Proxy]:
    made = Proxy(int(world.processes.address.rsplit(":", 1)[1]))
    yield made
    made.close()


def test_the_way_to_the_scheduler_is_cut_and_heals(world: Room, wire: Proxy) -> None:
    world.processes.worker()

    def cut() -> None:
        wire.cut()
        threading.Timer(2.0, wire.heal).start()

    world.grade(f"tcp://127.0.0.1:{wire.port}", after=once(4, cut))
    assert world.is_as_serial()
    assert "the scheduler is out of reach; trying again" in world.said


def test_the_way_to_the_scheduler_goes_silent_and_heals(
    world: Room, wire: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "SECONDS", 3.0)
    world.processes.worker()

    def hush() -> None:
        wire.silent.set()
        threading.Timer(5.0, lambda: (wire.cut(), wire.heal())).start()

    world.grade(f"tcp://127.0.0.1:{wire.port}", after=once(4, hush))
    assert world.is_as_serial()


def test_a_worker_is_cut_off(world: Room, wire: Proxy) -> None:
    world.processes.worker(address=f"tcp://127.0.0.1:{wire.port}")
    world.processes.worker()
    world.grade(after=once(3, wire.cut))
    assert world.is_as_serial()


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A course with a class, and the current folder in it; little patience."""
    a_class(make_room(tmp_path), 3)
    monkeypatch.chdir(tmp_path)
    for name, seconds in (("connect_seconds", 3.0), ("heal_seconds", 3.0), ("stranger_seconds", 1.0)):
        monkeypatch.setitem(Dask.__init__.__kwdefaults__, name, seconds)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line on stderr of a command that ends with status 2, and leaves nothing behind."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "cluster" not in path.parts}
    status = main(["grade", "halves", "--out", "out", "--cluster", *arguments])
    printed = capsys.readouterr()
    assert status == 2, printed
    assert printed.out == ""
    assert printed.err.count("\n") == 1, printed.err
    after = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and "cluster" not in path.parts}
    assert before == after
    return printed.err


@pytest.mark.parametrize(
    ("cluster", "says"),
    [
        ("local:0", "give a number of workers from 1 to 512"),
        ("local:many", "expected local:N or tls://host:port"),
        ("10.0.0.7:8786", "expected local:N or tls://host:port"),
        ("tcp://10.0.0.7:8786", "start the scheduler with certificates and use tls://"),
        ("tcp://localhost.example.org:8786", "start the scheduler with certificates and use tls://"),
        ("http://localhost:8786", "expected local:N or tls://host:port"),
        ("tls://host:0", "expected local:N or tls://host:port"),
        ("tls://host:99999", "expected local:N or tls://host:port"),
        ("tls://localhost:1", "tls:// needs certificates: give --tls-ca"),
        ("tcp://127.0.0.1:1", "the scheduler tcp://127.0.0.1:1 does not answer within 3 s"),
    ],
)
def test_a_cluster_that_is_none_is_one_line(
    course: Path, capsys: pytest.CaptureFixture[str], cluster: str, says: str
) -> None:
    assert says in refused(capsys, cluster)


@pytest.mark.parametrize("speaks", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n" * 50])
def test_what_is_no_scheduler_is_one_line(course: Path, capsys: pytest.CaptureFixture[str], speaks: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            try:
                while True:
                    other, _ = listener.accept()
                    other.sendall(speaks)
                    kept.append(other)
            except OSError:
                pass

        kept: list[socket.socket] = []
        threading.Thread(target=answer, daemon=True).start()
        assert "does not answer" in refused(capsys, f"tcp://127.0.0.1:{listener.getsockname()[1]}")
        for other in kept:
            other.close()


def test_with_certificates_a_class_is_graded_and_without_the_right_ones_it_is_one_line(
    course: Path, processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, others = certificates.make(course / "cluster" / "ours"), certificates.make(course / "cluster" / "others")
    processes.certificates = ours
    processes.scheduler()
    processes.worker()
    assert processes.address.startswith("tls://")

    def options(ca: str, certificate: str, key: str) -> list[str]:
        return [processes.address, "--tls-ca", ca, "--tls-cert", certificate, "--tls-key", key]

    for files in (others, [ours[0], *others[1:]], [others[0], *ours[1:]]):
        said = refused(capsys, *options(*files))
        assert "do not accept each other's certificates" in said, said
    assert "belong together" in refused(capsys, *options(*ours)[:-2])
    assert "there is no such file" in refused(capsys, *options(*ours[:2], "nowhere.pem"))
    assert "does not answer" in refused(capsys, processes.address.replace("tls://", "tcp://"))
    assert processes.graded() == []
    assert main(["grade", "halves", "--out", "out", "--cluster", *options(*ours)]) == 0
    assert len(processes.graded()) == 3


def test_tls_to_a_scheduler_without_it_is_one_line(
    course: Path, processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    processes.scheduler()
    ca, certificate, key = certificates.make(course / "cluster" / "ours")
    address = processes.address.replace("tcp://", "tls://")
    said = refused(capsys, address, "--tls-ca", ca, "--tls-cert", certificate, "--tls-key", key)
    assert "the scheduler tls://" in said


def test_a_version_apart_is_one_line(course: Path, processes: Processes, capsys: pytest.CaptureFixture[str]) -> None:
    processes.scheduler()
    processes.worker("stale")
    said = refused(capsys, processes.address)
    assert "no worker may grade: " in said
    assert "the grader's code is 0123456789abcdef there and " in said


def test_a_scheduler_without_workers_is_one_line(
    course: Path, processes: Processes, capsys: pytest.CaptureFixture[str]
) -> None:
    processes.scheduler()
    assert "has had no worker for 3 s" in refused(capsys, processes.address)


def test_certificates_without_a_cluster_are_one_line(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", "halves", "--tls-ca", "a.pem"]) == 2
    assert "go with --cluster" in capsys.readouterr().err
