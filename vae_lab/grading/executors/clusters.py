"""Where a cluster is, and how to reach it: `local:N`, or the address of a scheduler of dask.distributed.

Whoever can speak to a scheduler can run code on all of its machines: that is what dask is for. So off this machine the
way is TLS with certificates on both ends, and nothing else.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import queue
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vae_lab.grading.executors.interface import ExecutorError

if TYPE_CHECKING:
    from distributed import Client, Security

PLACE = re.compile(r"(?P<protocol>tls|tcp)://(?P<host>\[[0-9a-fA-F:.]+\]|[\w.-]+):(?P<port>\d{1,5})")
MOST = 512  # workers of one machine


@dataclass(frozen=True)
class Cluster:
    """What `--cluster` says: a number of workers to start here, or an address."""

    workers: int = 0
    address: str = ""


@dataclass(frozen=True)
class Certificates:
    """Files for TLS: the authority that signs for the others, one's own certificate and its key.

    Where none is given, dask's own configuration (`distributed.comm.tls`) counts.
    """

    authority: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


def read_cluster(text: str) -> Cluster:
    """What was asked for.

    Raises:
        ExecutorError: if it is neither `local:N` nor an address that may be used.

    Example:
        >>> read_cluster("local:4"), read_cluster("tls://login1:8786").address
        (Cluster(workers=4, address=''), 'tls://login1:8786')
    """
    if here := re.fullmatch(r"local:(\d{1,4})", text):
        if not 1 <= int(here[1]) <= MOST:
            raise ExecutorError(f"--cluster {text}: give a number of workers from 1 to {MOST}")
        return Cluster(workers=int(here[1]))
    place = PLACE.fullmatch(text)
    if place is None or not 0 < int(place["port"]) < 65536:
        raise ExecutorError(f"--cluster {text}: expected local:N or tls://host:port")
    if place["protocol"] == "tcp" and not on_this_machine(place["host"]):
        raise ExecutorError(
            f"--cluster {text}: over tcp:// anybody on the network could send results, or run code on the workers; "
            "start the scheduler with certificates and use tls://"
        )
    return Cluster(address=text)


def on_this_machine(host: str) -> bool:
    """Whether a host is the loopback, by its number or the name localhost.

    Example:
        >>> [on_this_machine(host) for host in ("localhost", "127.0.0.1", "[::1]", "10.0.0.7", "login1")]
        [True, True, True, False, False]
    """
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    return host == "localhost"


def security_of(certificates: Certificates) -> Security:
    """TLS as the options say, else as dask's configuration does.

    Raises:
        ExecutorError: if a file is missing, or none is named anywhere.
    """
    from distributed import Security

    given = (certificates.authority, certificates.certificate, certificates.key)
    if any(given) and not all(given):
        raise ExecutorError("--tls-ca, --tls-cert and --tls-key belong together; give all three")
    kept: Any = Security(require_encryption=True)
    if all(given):
        ca, certificate, key = map(str, given)
        kept = Security(tls_ca_file=ca, tls_client_cert=certificate, tls_client_key=key, require_encryption=True)
    files = {"--tls-ca": kept.tls_ca_file, "--tls-cert": kept.tls_client_cert, "--tls-key": kept.tls_client_key}
    for option, file in files.items():
        if not file:
            raise ExecutorError(f"tls:// needs certificates: give {option}, or distributed.comm.tls in dask's settings")
        if "\n" not in file and not Path(file).is_file():
            raise ExecutorError(f"{option} {file}: there is no such file")
    return kept


def connect(cluster: Cluster, certificates: Certificates, seconds: float) -> Client:
    """Reach a scheduler.

    Raises:
        ExecutorError: if it does not answer, or does not show the right certificate.
    """
    security = security_of(certificates) if cluster.address.startswith("tls") else None
    return client_of(cluster.address, security, seconds)


def client_of(address: str, security: Any, seconds: float) -> Client:
    """A client that reads plain bytes and unpickles no result, whoever sends it.

    dask waits for ever for what takes a connection and then says nothing; so it waits in a thread of its own.

    Raises:
        ExecutorError: if there is none in time.
    """
    from distributed import Client

    found: queue.SimpleQueue[Client | Exception] = queue.SimpleQueue()
    too_late = threading.Event()

    def reach() -> None:
        try:
            with quiet():
                made = Client(
                    address, security=security, timeout=seconds, set_as_default=False, deserializers=["dask", "msgpack"]
                )
            found.put(made)
            if too_late.is_set():
                made.close(timeout=1)
        except Exception as error:
            found.put(error)

    threading.Thread(target=reach, daemon=True).start()
    with told(address, seconds):
        try:
            got = found.get(timeout=seconds + 1)
        except queue.Empty:
            too_late.set()
            raise TimeoutError("it took the connection and said nothing") from None
        if isinstance(got, Exception):
            raise got
        return got


@contextlib.contextmanager
def told(address: str, seconds: float) -> Iterator[None]:
    """Turn what connecting may raise into one line."""
    import ssl

    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        words = ""
        while cause is not None:
            if isinstance(cause, ssl.SSLError) or "certificate" in str(cause).lower():
                said = str(cause.reason if isinstance(cause, ssl.SSLError) and cause.reason else cause)
                raise ExecutorError(
                    f"the scheduler {address} and this machine do not accept each other's certificates "
                    f"({said.splitlines()[0][:200]})"
                ) from None
            words = words or str(cause)
            cause = cause.__cause__ or cause.__context__
        first = words.splitlines()[0][:200] if words else type(error).__name__
        raise ExecutorError(f"the scheduler {address} does not answer within {seconds:g} s ({first})") from None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep dask's warnings off the terminal, and its log from then on: what matters is told in one line."""
    import warnings

    for name in ("distributed", "tornado", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
