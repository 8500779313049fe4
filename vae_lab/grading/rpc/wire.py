"""Frames between the trusted and the untrusted side: JSON for structure, safetensors for numbers, never pickle.

A frame is `[4 bytes magic][4 bytes length of text][8 bytes length of tensors][text][tensors]`, big-endian. The text
is one JSON object. The tensors are one safetensors file holding `"0"`, `"1"`, ...; the text refers to them by number.
Whoever reads believes none of it: lengths are checked before anything is allocated, memory grows only as bytes
arrive, JSON has a depth limit of Python's own and no NaN, the safetensors reader rejects headers that lie, every
dtype is on a list, and booleans that are neither 0 nor 1 are put right.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, NoReturn

import torch
from safetensors import SafetensorError, deserialize

MAGIC = b"VLB1"
HEAD = struct.Struct(">4sIQ")
CHUNK = 1 << 20

NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.int16: "I16",
    torch.int8: "I8",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
READ = {name: dtype for dtype, name in NAMES.items()}
PLAIN_DTYPES = frozenset(NAMES)
COMPLEX_DTYPES = {torch.complex64: torch.float32, torch.complex128: torch.float64}


class WireError(Exception):
    """The other side sent something that is no valid frame, or a value that cannot cross."""


class Gone(WireError):
    """The other side ended or closed its end."""


class Late(WireError):
    """The other side did not answer (or did not read) before the deadline."""


class Frame(NamedTuple):
    """One received message: a JSON object and the tensors it refers to by number."""

    text: dict[str, Any]
    tensors: list[torch.Tensor]


class Channel:
    """One end of a connected stream socket that carries frames.

    Args:
        sock: a connected stream socket; the channel owns it from here on.
        max_text: largest accepted JSON part, in bytes.
        max_tensors: largest accepted tensor part, in bytes.
    """

    def __init__(self, sock: socket.socket, *, max_text: int = 16 << 20, max_tensors: int = 256 << 20) -> None:
        self.sock = sock
        self.max_text = max_text
        self.max_tensors = max_tensors
        self._ahead = bytearray()

    def close(self) -> None:
        """Close the socket; the other side reads an end of file."""
        self.sock.close()

    def send(self, text: dict[str, Any], tensors: Sequence[torch.Tensor], deadline: float | None = None) -> None:
        """Send one frame.

        Args:
            text: a JSON object.
            tensors: plain strided CPU tensors.
            deadline: a `time.monotonic()` after which to give up; None waits for ever.

        Raises:
            WireError: if the frame is larger than the limits.
            Gone: if the other side has closed.
            Late: if the other side did not read in time.
        """
        body = json.dumps(text, allow_nan=False, separators=(",", ":")).encode("ascii")
        size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        if len(body) > self.max_text or size > self.max_tensors:
            raise WireError(
                f"a message of {len(body) + size:,} bytes is too large to cross "
                f"(limits: {self.max_text:,} of text, {self.max_tensors:,} of tensors)"
            )
        blob = pack_tensors(tensors)
        try:
            head = HEAD.pack(MAGIC, len(body), len(blob)) + body
            for part in (head + blob,) if len(blob) < CHUNK else (head, blob):
                self._send_all(part, deadline)
        except (BrokenPipeError, ConnectionError, OSError) as error:
            raise_for(error)

    def _send_all(self, data: bytes, deadline: float | None) -> None:
        view = memoryview(data)
        while view:
            self.sock.settimeout(remaining(deadline))
            view = view[self.sock.send(view[: 4 * CHUNK]) :]

    def receive(self, deadline: float | None = None) -> Frame:
        """Read one frame and validate it.

        Raises:
            WireError: if what came is no valid frame.
            Gone: if the other side has closed.
            Late: if the frame was not complete at the deadline.
        """
        magic, text_size, blob_size = HEAD.unpack(self._read(HEAD.size, deadline))
        if magic != MAGIC:
            raise WireError("the other side sent something that is no message")
        if text_size > self.max_text or blob_size > self.max_tensors + CHUNK:
            raise WireError("a message is too large to cross")  # its size is the sender's choice, so it is not told
        body = self._read(text_size, deadline)
        blob = self._read(blob_size, deadline)
        return Frame(parse_text(body), unpack_tensors(blob))

    def _read(self, size: int, deadline: float | None) -> bytes:
        while len(self._ahead) < size:
            try:
                self.sock.settimeout(remaining(deadline))
                piece = self.sock.recv(max(1 << 16, min(size - len(self._ahead), CHUNK)))
            except (ConnectionError, OSError) as error:
                raise_for(error)
            if not piece:
                raise Gone("the other side ended")
            self._ahead += piece
        data = bytes(memoryview(self._ahead)[:size])
        del self._ahead[:size]
        return data


def raise_for(error: OSError) -> NoReturn:
    """Translate a socket's error into one of this module's."""
    if isinstance(error, TimeoutError):
        raise Late("no answer within the time limit") from error
    raise Gone("the other side ended") from error


def remaining(deadline: float | None) -> float | None:
    """Seconds until `deadline`, never 0 (which would mean non-blocking); raises TimeoutError once it has passed."""
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _no_constant(name: str) -> NoReturn:
    raise WireError(f"{name} is no JSON number")


def parse_text(body: bytes) -> dict[str, Any]:
    """Parse the JSON part of a frame.

    >>> parse_text(b'{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> parse_text(b'[' * 100_000)
    Traceback (most recent call last):
    ...
    vae_lab.grading.rpc.wire.WireError: a message is no readable JSON (RecursionError)

    Raises:
        WireError: if it is no JSON object, or nested so deeply that reading it would not end well.
    """
    try:
        text = json.loads(body.decode("ascii"), parse_constant=_no_constant)
    except (ValueError, RecursionError, MemoryError) as error:
        raise WireError(f"a message is no readable JSON ({type(error).__name__})") from None
    if type(text) is not dict:
        raise WireError("a message is no JSON object")
    return text


def pack_tensors(tensors: Sequence[torch.Tensor]) -> bytes:
    """Write tensors as one safetensors file with the names "0", "1", ...; complex ones as pairs of reals.

    Raises:
        WireError: if a tensor is not dense, not on the CPU, or of a dtype that does not cross.
    """
    if not tensors:
        return b""
    header: dict[str, dict[str, Any]] = {}
    parts: list[bytes] = []
    place = 0
    for number, tensor in enumerate(tensors):
        tensor = tensor.detach()
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
            raise WireError(
                f"a tensor with layout {tensor.layout} on device {tensor.device} cannot cross; a dense CPU tensor can"
            )
        tensor = tensor.resolve_conj().resolve_neg()
        name = str(number)
        if tensor.dtype in COMPLEX_DTYPES:
            tensor, name = torch.view_as_real(tensor), f"{number}c"
        elif tensor.dtype not in PLAIN_DTYPES:
            raise WireError(f"a tensor of dtype {tensor.dtype} cannot cross")
        data = bytes_of(tensor).numpy().tobytes()
        header[name] = {
            "dtype": NAMES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [place, place + len(data)],
        }
        parts.append(data)
        place += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return b"".join([len(text).to_bytes(8, "little"), text, *parts])


def bytes_of(tensor: torch.Tensor) -> torch.Tensor:
    """The memory of a tensor as a flat uint8 tensor, in the order of its indices.

    >>> bytes_of(torch.tensor([1.0]).expand(1)).tolist()
    [0, 0, 128, 63]
    """
    flat = tensor.detach().resolve_conj().resolve_neg().contiguous().reshape(-1)
    if flat.stride(0) != 1:  # one element may have any stride, which `view` does not accept
        flat = flat.as_strided((flat.numel(),), (1,))
    return flat.view(torch.uint8)


def unpack_tensors(blob: bytes) -> list[torch.Tensor]:
    """Read what `pack_tensors` wrote, as fresh plain contiguous tensors.

    Raises:
        WireError: if the file is damaged, its header lies, a name or a dtype is none of ours.
    """
    if not blob:
        return []
    try:
        named = {name: _read_one(entry) for name, entry in deserialize(blob)}
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError, OverflowError, RecursionError) as error:
        raise WireError(f"tensors are no valid safetensors file ({type(error).__name__})") from None
    tensors: list[torch.Tensor] = []
    for number in range(len(named)):
        plain, pair = named.get(str(number)), named.get(f"{number}c")
        if plain is not None and plain.dtype in PLAIN_DTYPES:
            # A boolean stored as neither 0 nor 1 compares in surprising ways.
            tensors.append(plain.view(torch.uint8) != 0 if plain.dtype == torch.bool else plain)
        elif pair is not None and pair.dtype in COMPLEX_DTYPES.values() and pair.dim() >= 1 and pair.shape[-1] == 2:
            tensors.append(torch.view_as_complex(pair))
        else:
            raise WireError("tensors are not named and typed as agreed")
    return tensors


def _read_one(entry: dict[str, Any]) -> torch.Tensor:
    dtype, data = READ[entry["dtype"]], bytearray(entry["data"])
    flat = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
    return flat.reshape(entry["shape"])
