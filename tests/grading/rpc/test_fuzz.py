"""Values and frames made of anything: the trusted side builds exact builtins from them, or says WireError.

Runs for less than a minute with the other tests; longer by hand, with FUZZ_EXAMPLES=200000 in the environment.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vae_lab.grading.rpc import values
from vae_lab.grading.rpc.messages import Arrival
from vae_lab.grading.rpc.peer import Peer
from vae_lab.grading.rpc.proxy import PROXIES, RemoteError
from vae_lab.grading.rpc.values import MAX_ALIKE, MAX_HASHED, decode
from vae_lab.grading.rpc.wire import HEAD, MAGIC, Channel, Frame, WireError, pack_tensors

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "600"))
BUILTIN = {
    *(type(None), bool, int, float, complex, str, bytes, bytearray, list, tuple, set, frozenset, dict, range, slice),
    *(type(...), torch.Size, torch.dtype, torch.device, torch.Tensor, torch.nn.Parameter, torch.Generator, np.ndarray),
    *PROXIES.values(),
}
TENSORS = [torch.ones(3), torch.zeros(2, 2), torch.tensor(True), torch.arange(4), torch.get_rng_state()]
MODULUS = 2**61 - 1  # integers that differ by a multiple of it hash alike

atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 6),
    st.sampled_from([2**62, -(2**70), 10**300, 1.5, -0.0, 1e308]),
    st.text(max_size=4),
    st.sampled_from(["nan", "inf", "float32", "cuda", "cpu", "AAAA", "==", "0", "callable", "module"]),
)
kinds = st.sampled_from([*values._DECODERS, "none such"])
keys = st.sampled_from(
    ["k", "v", "i", "of", "slot", "out", "same", "mine", "yours", "type", "is", "stride", "shape", "g"]
)


def grown(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A layer of nodes around others: often of a kind that there is, with the keys that it may have."""
    node = st.builds(
        lambda kind, inner, more: {**more, "k": kind, "v": inner},
        kinds,
        children | st.lists(children, max_size=4) | st.lists(st.lists(children, min_size=2, max_size=2), max_size=4),
        st.dictionaries(keys, children | st.integers(0, 5), max_size=4),
    )
    return node | st.lists(children, max_size=3)


nodes = st.recursive(atoms, grown, max_leaves=12)


@pytest.fixture(scope="module")
def peer() -> Any:
    """The trusted end of a connection that nobody answers."""
    mine, theirs = socket.socketpair()
    yield Peer(Channel(mine, max_tensors=1 << 20), lambda op, values: None, trusted=True)
    mine.close()
    theirs.close()


def arrival(peer: Peer, text: dict[str, Any] | None = None) -> Arrival:
    return Arrival(peer, Frame(text or {"slots": [{"i": 0}, {"i": 1, "g": True}]}, list(TENSORS)))


def is_plain(value: Any) -> bool:
    """Whether a value is made of exact builtins alone."""
    if isinstance(value, np.generic):
        return True
    if type(value) not in BUILTIN:
        return False
    if type(value) is dict:
        return all(is_plain(key) and is_plain(item) for key, item in value.items())
    if type(value) in (list, tuple, set, frozenset):
        return all(map(is_plain, value))
    return True


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(node=nodes)
def test_any_node_is_a_plain_value_or_a_wire_error(peer: Peer, node: Any) -> None:
    with contextlib.suppress(WireError):
        assert is_plain(decode(node, arrival(peer)))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.dictionaries(
        st.sampled_from(["m", "n", "op", "v", "ok", "error", "slots", "changed", "drawn", "leaves", "let_go", "forget"])
        | st.sampled_from(["random", "refs", "outs", "record", "grad", "default"]),
        nodes,
        max_size=10,
    ),
    tensors=st.lists(st.sampled_from(TENSORS), max_size=3),
    cut=st.none() | st.tuples(st.floats(0, 1), st.integers(0, 255)),
)
def test_any_answer_is_a_value_or_a_wire_error(text: Any, tensors: list[torch.Tensor], cut: Any) -> None:
    """A question to a side that answers with such a frame, perhaps with one byte changed."""
    state = torch.get_rng_state()
    mine, theirs = socket.socketpair()
    body, blob = json.dumps({"m": "answer", "n": 1, "ok": True, **text}).encode(), pack_tensors(tensors)
    data = bytearray(HEAD.pack(MAGIC, len(body), len(blob)) + body + blob)
    if cut is not None:
        data[int(cut[0] * (len(data) - 1))] = cut[1]
    peer = Peer(Channel(mine, max_tensors=1 << 20), lambda op, values: None, trusted=True)
    peer.deadline = time.monotonic() + 5
    try:
        theirs.sendall(bytes(data))
        theirs.shutdown(socket.SHUT_WR)
        assert is_plain(peer.ask("names", ["f"]))
    except (WireError, RemoteError):  # RemoteError: what the other side says that its code raised
        pass
    finally:
        mine.close()
        theirs.close()
        torch.set_rng_state(state)


@pytest.mark.parametrize("kind", ["set", "frozenset", "dict"])
@pytest.mark.parametrize("nested", [False, True], ids=["plain", "in a tuple"])
def test_a_container_that_would_take_quadratic_time_is_refused(peer: Peer, kind: str, nested: bool) -> None:
    members: list[Any] = [number * MODULUS for number in range(1, MAX_ALIKE + 2)]
    if nested:
        members = [{"k": "tuple", "v": [member]} for member in members]
    node = {"k": kind, "v": [[member, 0] for member in members] if kind == "dict" else members}
    with pytest.raises(WireError, match="hash alike"):
        decode(node, arrival(peer))
    node["v"] = node["v"][:-1]
    assert len(decode(node, arrival(peer))) == MAX_ALIKE


def test_honest_containers_pass_up_to_a_limit_for_the_message(peer: Peer) -> None:
    assert len(decode({"k": "set", "v": list(range(MAX_HASHED))}, arrival(peer))) == MAX_HASHED
    two = {"k": "list", "v": [{"k": "set", "v": list(range(MAX_HASHED // 2 + 1))}] * 2}
    with pytest.raises(WireError, match="too many members"):
        decode(two, arrival(peer))


def test_expanded_tensors_count_with_their_bytes_and_all_together(peer: Peer) -> None:
    limit = peer.channel.max_tensors
    one = {"i": 0, "stride": [0, 1], "shape": [limit // 4 // 3, 3]}  # float32: just within the limit, in bytes
    within = Arrival(peer, Frame({"slots": [one]}, [torch.ones(1, 3)]))
    assert within.body(one).shape == (limit // 4 // 3, 3)
    with pytest.raises(WireError, match="too large"):
        within.body({**one, "shape": [limit // 4, 3], "stride": [0, 1]})
    again = Arrival(peer, Frame({"slots": [one]}, [torch.ones(1, 3)]))
    again.body(one)
    with pytest.raises(WireError, match="too large"):
        again.body(one)
