"""Frames and answers that are damaged, lie, or come out of order fail what asked for them, within the deadline."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grading.far import process
from vae_lab.grading.rpc.objects import use
from vae_lab.grading.rpc.peer import Peer
from vae_lab.grading.rpc.wire import HEAD, MAGIC, Channel, Late, WireError, pack_tensors, unpack_tensors


def frame(text: Any, blob: bytes = b"", text_size: int | None = None, blob_size: int | None = None) -> bytes:
    body = text if isinstance(text, bytes) else json.dumps(text).encode()
    sizes = (len(body) if text_size is None else text_size, len(blob) if blob_size is None else blob_size)
    return HEAD.pack(MAGIC, *sizes) + body + blob


def safetensors(header: Any, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


ONE = pack_tensors([torch.ones(3)])


def answer(value: Any, **more: Any) -> dict[str, Any]:
    return {"m": "answer", "n": 1, "ok": True, "v": value, **more}


def tensor(**node: Any) -> dict[str, Any]:
    return {"k": "tensor", **node}


LIES: dict[str, bytes] = {
    "nothing": b"",
    "rubbish": b"\x00" * 64,
    "half a head": HEAD.pack(MAGIC, 5, 0)[:7],
    "wrong magic": HEAD.pack(b"HTTP", 2, 0) + b"{}",
    "giant text": frame({}, text_size=(1 << 32) - 1),
    "giant tensors": frame({}, blob_size=1 << 60),
    "short text": frame({}, text_size=100),
    "no JSON": frame(b"{"),
    "a list": frame([]),
    "deep JSON": frame(b"[" * 200_000 + b"]" * 200_000),
    "NaN": frame(b'{"m": NaN}'),
    "a huge integer": frame(b'{"m": ' + b"9" * 5000 + b"}"),
    "not ascii": frame(b'{"m": "\xff"}'),
    "no kind of message": frame({}),
    "another answer": frame({"m": "answer", "n": 99, "ok": True, "v": None}),
    "no value": frame({"m": "answer", "n": 1, "ok": True}),
    "an unknown kind": frame(answer({"k": "pickle", "v": "gASVAAAAAAAAAC4="})),
    "a kind that is no text": frame(answer({"k": ["list"], "v": []})),
    "a list that is none": frame(answer({"k": "list", "v": "abc"})),
    "a dict of odd pairs": frame(answer({"k": "dict", "v": [[1]]})),
    "an unhashable key": frame(answer({"k": "dict", "v": [[{"k": "list", "v": []}, 1]]})),
    "a bad float": frame(answer({"k": "float", "v": "1e999999"})),
    "bad bytes": frame(answer({"k": "bytes", "v": "%%%"})),
    "a bad dtype": frame(answer({"k": "dtype", "v": "__class__"})),
    "a bad device": frame(answer({"k": "device", "v": "xla:0"})),
    "a negative size": frame(answer({"k": "size", "v": [-1]})),
    "a missing tensor": frame(answer(tensor(slot=0))),
    "a tensor that is no number": frame(answer(tensor(slot=0), slots=[{"i": "0"}]), ONE),
    "a negative tensor": frame(answer(tensor(slot=-1), slots=[{"i": 0}]), ONE),
    "an out without a graph": frame(answer(tensor(out=0), outs=[])),
    "an argument never sent": frame(answer(tensor(same=5))),
    "an input never sent": frame(answer(tensor(out=0), outs=[{"i": 0}], refs=[["slot", 7]], record=1), ONE),
    "a ref that is none": frame(answer(tensor(out=0), outs=[{"i": 0}], refs=[3], record=1), ONE),
    "zero strides": frame(answer(tensor(slot=0), slots=[{"i": 0, "stride": [0], "shape": [1 << 50]}]), ONE),
    "an expansion bomb": frame(
        answer(tensor(slot=0), slots=[{"i": 0, "stride": [0, 0], "shape": [1 << 30, 1 << 9]}]),
        pack_tensors([torch.ones(1, 1)]),
    ),
    "negative strides": frame(answer(tensor(slot=0), slots=[{"i": 0, "stride": [-1], "shape": [3]}]), ONE),
    "strides of another shape": frame(answer(tensor(slot=0), slots=[{"i": 0, "stride": [1, 1], "shape": [3, 3]}]), ONE),
    "a leaf of mine": frame(answer(tensor(of={"yours": 3}))),
    "a giant leaf": frame(answer(tensor(of={"mine": 0, "shape": [1 << 40], "dtype": "float32"}))),
    "a leaf of no dtype": frame(answer(tensor(of={"mine": 0, "shape": [1], "dtype": "int64"}))),
    "an object of mine": frame(answer({"k": "object", "yours": 4})),
    "an object of no kind": frame(answer({"k": "object", "mine": 1, "type": "x", "is": "judge"})),
    "a generator of mine": frame(answer({"k": "generator", "yours": 4, "i": 0}), ONE),
    "changed what was not sent": frame(answer(None, changed=[[0, 0]]), ONE),
    "leaves of another kind": frame(answer(None, leaves={"a": 1})),
    "a leaf that is not known": frame(answer(None, leaves=[{"of": {"mine": 3}, "data": 0}]), ONE),
    "leaves let go that are no list": frame(answer(None, let_go=3)),
    "a leaf's gradient of another shape": frame(
        answer(tensor(of={"mine": 1, "shape": [2, 3], "dtype": "float32", "grad": 0})), ONE
    ),
    "random state of another dtype": frame(answer(None, random=0), ONE),
    "random state that is missing": frame(answer(None, random=3)),
    "an error without a type": frame({"m": "answer", "n": 1, "ok": False, "error": {}}),
    "an error that is a text": frame({"m": "answer", "n": 1, "ok": False, "error": "passed"}),
    "a question for nothing": frame({"m": "ask", "n": 1, "op": "call", "v": {"k": "list", "v": [1, 2, 3]}}),
    "tensors that are cut": frame(answer(tensor(slot=0), slots=[{"i": 0}]), ONE[:-4]),
    "a header that lies about its size": frame(answer(None), struct.pack("<Q", 1 << 60) + b"{}"),
    "a header that is no JSON": frame(answer(None), safetensors(b"{" * 50, b"")),
    "offsets that overlap": frame(
        answer(None),
        safetensors(
            {n: {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]} for n in ("0", "1")},
            b"\x00" * 8,
        ),
    ),
    "offsets beyond the end": frame(
        answer(None), safetensors({"0": {"dtype": "F32", "shape": [400], "data_offsets": [0, 1600]}}, b"\x00" * 8)
    ),
    "a shape that overflows": frame(
        answer(None), safetensors({"0": {"dtype": "F32", "shape": [1 << 62, 4, 4], "data_offsets": [0, 0]}}, b"")
    ),
    "a dtype that does not cross": frame(
        answer(None), safetensors({"0": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]}}, b"\x00")
    ),
    "other names": frame(
        answer(None), safetensors({"x": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, b"\x00")
    ),
}  # fmt: skip


def liar(data: bytes, *, close: bool) -> Callable[[socket.socket], None]:
    def run(sock: socket.socket) -> None:
        sock.recv(1 << 20)
        sock.sendall(data)
        if close:
            sock.shutdown(socket.SHUT_WR)
        time.sleep(30)

    return run


@pytest.mark.parametrize("name", sorted(LIES))
def test_a_lie_fails_the_question_and_nothing_else(name: str) -> None:
    with process(liar(LIES[name], close=True)) as sock:
        peer = Peer(Channel(sock), lambda op, values: use(op, values, guarded=True), trusted=True)
        peer.deadline = time.monotonic() + 10
        with pytest.raises(WireError):
            peer.ask("names", ["f"])
        with pytest.raises(WireError):
            peer.ask("names", ["f"])
        assert peer.reason


@pytest.mark.parametrize("data", [b"", HEAD.pack(MAGIC, 100, 0) + b"{", frame(answer(None))[:-1]])
def test_silence_ends_at_the_deadline(data: bytes) -> None:
    with process(liar(data, close=False)) as sock:
        peer = Peer(Channel(sock), lambda op, values: None, trusted=True)
        peer.deadline = time.monotonic() + 0.3
        with pytest.raises(Late):
            peer.ask("names", ["f"])


def test_a_reader_that_does_not_read_is_late() -> None:
    with process(lambda sock: time.sleep(30)) as sock:
        peer = Peer(Channel(sock), lambda op, values: None, trusted=True)
        peer.deadline = time.monotonic() + 0.3
        with pytest.raises(Late):
            peer.ask("call", torch.zeros(8_000_000))


def test_truth_that_is_neither_0_nor_1_is_put_right() -> None:
    data = safetensors({"0": {"dtype": "BOOL", "shape": [3], "data_offsets": [0, 3]}}, b"\x00\x02\xff")
    (got,) = unpack_tensors(data)
    assert got.view(torch.uint8).tolist() == [0, 1, 1]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 80), st.integers(0, 255))
def test_no_bytes_crash_the_reader(noise: bytes, place: int, value: int) -> None:
    damaged = bytearray(pack_tensors([torch.arange(4), torch.ones(2, 2)]))
    damaged[place % len(damaged)] = value
    for blob in (bytes(damaged), noise):
        with contextlib.suppress(WireError):
            assert all(type(tensor) is torch.Tensor for tensor in unpack_tensors(blob))


def test_a_message_beyond_the_limits_is_not_sent() -> None:
    mine, theirs = socket.socketpair()
    channel = Channel(mine, max_text=100, max_tensors=100)
    with pytest.raises(WireError, match="too large to cross"):
        channel.send({"a": "x" * 200}, [])
    with pytest.raises(WireError, match="too large to cross"):
        channel.send({}, [torch.zeros(100)])
    mine.close()
    theirs.close()
