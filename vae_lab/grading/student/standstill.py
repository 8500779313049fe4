"""A loop that is where it was before, with every value as it was, never ends: that is told at once, without waiting.

When a cell or call has run for a while, its next lines are followed: if a function comes to the same line twice and all
that its loop can read is the same (its variables, the notebook's names that the code uses, what hangs on them, the
states of random numbers), it will come there for ever. What the loop only adds to counts for nothing: see
`accumulators`. Where anything cannot be looked into, a clock, another thread,
a file, an iterator, nothing is said, and the limit of time decides.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import random
import sys
import threading
import time
import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch

from vae_lab.grading.student.accumulators import accumulators, kind_of

MOST_SECONDS = 0.4  # of computing for which lines are followed
MOST_VALUES = 5_000  # looked at in one state
MOST_NUMBERS = 1_000_000  # of tensors and arrays in one state
KNOWN = frozenset(
    {"__main__", "builtins", "torch", "numpy", "math", "cmath", "operator", "_operator", "random", "vae_lab"}
)
"""Modules that have no state beside what is looked at: code that names another, a clock's or a file's, is let alone."""
HARMLESS = frozenset((
    "abs", "all", "any", "bool", "bytes", "callable", "complex", "dict", "divmod", "enumerate", "filter", "float",
    "format", "frozenset", "getattr", "hasattr", "int", "isinstance", "issubclass", "len", "list", "map", "max",
    "min", "object", "pow", "print", "range", "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum",
    "super", "tuple", "type", "zip",
))  # fmt: skip
"""Builtins that depend on their arguments alone."""
PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    torch.dtype,
    torch.device,
    torch.Size,
    type(Ellipsis),
    range,
)
RESUMABLE = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class NotKnown(Exception):
    """Something in the state cannot be looked into."""


class State:
    """A digest of values and all that hangs on them."""

    def __init__(self) -> None:
        self.sha = hashlib.blake2b(digest_size=16)
        self.seen: dict[int, int] = {}
        self.kept: list[object] = []  # so that no other object gets the id of one that was seen
        self.numbers = 0

    def add(self, value: Any) -> None:
        """Add a value.

        Raises:
            NotKnown: if it, or something in it, is of a kind that is not looked into.
        """
        kind = type(value)
        self.sha.update(kind.__name__.encode())
        if kind in PLAIN:
            self._count(len(value) if kind in (str, bytes) else 1)
            self.sha.update(repr(value).encode() + b";")
            return
        if id(value) in self.seen:
            self.sha.update(b"@%d" % self.seen[id(value)])
            return
        if len(self.seen) > MOST_VALUES:
            raise NotKnown
        self.seen[id(value)] = len(self.seen)
        self.kept.append(value)
        if kind in (torch.Tensor, torch.nn.Parameter):
            self._tensor(value)
        elif kind is np.ndarray and value.dtype.kind in "biufc":
            self._count(value.size)
            self.sha.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
        elif isinstance(value, np.generic) and value.dtype.kind in "biufc":
            self.sha.update(value.tobytes())
        elif kind is torch.Generator:
            self._tensor(value.get_state())
        elif kind in (list, tuple):
            self.add_all(value)
        elif kind in (set, frozenset):
            self.add_all(sorted(value, key=repr))
        elif kind in (dict, OrderedDict, defaultdict):
            self.add_all([part for pair in value.items() for part in pair])
        else:
            self._object(value, kind)

    def add_all(self, values: Any) -> None:
        """Add several values, in order."""
        self.sha.update(b"(%d" % len(values))
        for value in values:
            self.add(value)

    def _count(self, numbers: int) -> None:
        self.numbers += numbers
        if self.numbers > MOST_NUMBERS:
            raise NotKnown

    def _tensor(self, value: torch.Tensor) -> None:
        if value.layout != torch.strided or value.device.type != "cpu":
            raise NotKnown
        self._count(value.numel())
        data = value.detach().contiguous().reshape(-1).view(torch.uint8) if value.numel() else value.detach()
        self.sha.update(f"{value.dtype}{tuple(value.shape)}{value.requires_grad}".encode() + data.numpy().tobytes())
        self.add(value.grad if value.is_leaf else None)

    def _object(self, value: Any, kind: type) -> None:
        if kind is types.MethodType:
            self.add(value.__self__)
            self.add(value.__func__)
        elif kind is types.FunctionType:
            self.sha.update(b"%d" % id(value.__code__))
            cells = [cell.cell_contents for cell in value.__closure__ or () if _is_filled(cell)]
            self.add_all([cells, value.__defaults__, value.__kwdefaults__, value.__dict__])
        elif isinstance(value, type):
            _is_known(value.__module__)
            self.sha.update(b"%d" % id(value))
            if value.__module__ == "__main__":
                self.add_all([part for name, part in vars(value).items() if not _is_slot(name, part)])
        elif kind is types.ModuleType:
            _is_known(value.__name__)
            self.sha.update(b"%d" % id(value))
        elif kind in (types.BuiltinFunctionType, type(torch.relu)) or kind is type(torch.Tensor.add):
            self._builtin(value)
        elif _is_open(kind):
            self.add(vars(value))
        else:
            raise NotKnown

    def _builtin(self, value: Any) -> None:
        owner = getattr(value, "__self__", None)
        if isinstance(owner, types.ModuleType):
            _is_known(owner.__name__)
            if owner.__name__ == "builtins" and value.__name__ not in HARMLESS:
                raise NotKnown
        elif owner is not None:
            self.add(owner)
        self.sha.update(value.__name__.encode())


def _is_notebook(code: types.CodeType) -> bool:
    return code.co_filename.startswith("<ipython") or "ipykernel" in code.co_filename


def _is_known(module: str) -> None:
    if module.partition(".")[0] not in KNOWN:
        raise NotKnown


def _is_filled(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _is_slot(name: str, part: Any) -> bool:
    """Whether a part of a class is the same for ever, or not a value."""
    return name in ("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__") or type(part) in (
        types.GetSetDescriptorType,
        types.MemberDescriptorType,
    )


def _is_open(kind: type) -> bool:
    """Whether all that an object is lies in its `__dict__`."""
    known = ("__main__", "torch.nn", "torch.optim")
    above = [base for base in kind.__mro__ if base is not object]
    return all(base.__module__.startswith(known) and not getattr(base, "__slots__", ()) for base in above) and bool(
        above
    )


@cache
def _loops(code: types.CodeType) -> tuple[tuple[int, int, int], ...]:
    """Each `for` of a code: where its body begins and ends, and its line; the iterator is nowhere to be seen."""
    found, line = [], code.co_firstlineno
    for step in dis.get_instructions(code):
        line = getattr(step, "line_number", step.starts_line) or line  # the first since Python 3.13
        if step.opname.startswith(("FOR_ITER", "SEND")):
            found.append((step.offset, int(step.argval), line))
    return tuple(found)


class Following:
    """Follows the lines that are executed from now on, and ends them with an exception if they repeat for ever.

    Args:
        frame: that is executed.
        base: the code of the function below which a student's code runs.
        ends: makes the exception.
    """

    def __init__(self, frame: types.FrameType | None, base: types.CodeType, ends: Callable[[], BaseException]) -> None:
        self.ends, self.since, self.power = ends, 0, 8
        self.until = time.process_time() + MOST_SECONDS
        self.frames: list[types.FrameType] = []
        self.reference: tuple[types.FrameType, int] | None = None
        self.last: tuple[types.FrameType, int] | None = None
        self.states: set[bytes] = set()
        self.codes: set[types.CodeType] = set()
        self.visited: set[int] = set()
        while frame is not None and frame.f_code is not base:
            self.frames.append(frame)
            frame = frame.f_back
        if threading.active_count() > 1 or not self.frames:
            return
        for one in self.frames:
            one.f_trace, one.f_trace_opcodes = self.trace, _is_notebook(one.f_code)
        sys.settrace(self.trace)

    def stop(self) -> None:
        """Follow no longer."""
        if sys.gettrace() == self.trace:
            sys.settrace(None)
        for frame in self.frames:
            frame.f_trace, frame.f_trace_opcodes = None, False
        self.frames, self.reference, self.last = [], None, None

    def trace(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        """What Python calls for each line."""
        self.codes.add(frame.f_code)
        if event == "opcode":  # a loop of one instruction comes to no new line
            again, self.last = self.last == (frame, frame.f_lasti), (frame, frame.f_lasti)
            if again:
                self.stop()
                raise self.ends()
        frame.f_trace_opcodes = _is_notebook(frame.f_code)
        if event != "line":
            return self.trace
        self.since += 1
        if time.process_time() > self.until:
            self.stop()
            return None
        here = self.reference
        if here is not None and here[0] is frame:
            self.visited.add(frame.f_lineno)
            if here[1] == frame.f_lasti and self._repeats(frame):
                self.stop()
                raise self.ends()
        if here is None or self.since > self.power:
            self._refer_to(frame)
        return self.trace

    def _refer_to(self, frame: types.FrameType) -> None:
        """From now on compare with this moment; what is a generator's goes on elsewhere in between."""
        self.reference, self.since, self.power = None, 0, 2 * self.power
        if frame.f_code.co_flags & RESUMABLE:
            return
        self.codes, self.visited = {frame.f_code}, set()
        self.reference, self.states = (frame, frame.f_lasti), set()

    def _repeats(self, frame: types.FrameType) -> bool:
        """Whether a state that there was at this line has come back."""
        inside = (line for begins, ends, line in _loops(frame.f_code) if begins <= frame.f_lasti < ends)
        if any(line in self.visited for line in inside) or threading.active_count() > 1:
            return False
        state = self._state(frame)
        known = state in self.states
        self.states.add(state)
        return known and state != b""

    def _state(self, frame: types.FrameType) -> bytes:
        state = State()
        try:
            names = {name for code in self.codes for name in self._names(code)}
            used = {name: frame.f_globals[name] for name in sorted(names) if name in frame.f_globals}
            aside = accumulators(frame, self.codes)
            builtin = {
                name: True for name in names if name not in frame.f_globals and name in vars(sys.modules["builtins"])
            }
            if not set(builtin) - _exceptions() <= HARMLESS:
                return b""
            own = used if frame.f_locals is frame.f_globals else {**frame.f_locals}
            own.update({name: kind_of(own[name]) for name in aside.names})
            state.add_all([own, used])
            if not aside.chance:
                state.add(torch.get_rng_state())
                state.sha.update(repr(random.getstate()).encode())
                state.add(np.random.get_state(legacy=False))
            return state.sha.digest()
        except (NotKnown, RecursionError, RuntimeError, ValueError, TypeError, AttributeError):
            return b""

    def _names(self, code: types.CodeType) -> tuple[str, ...]:
        """The names of the notebook that a code uses; of a library's code none, where the library keeps no state.

        Raises:
            NotKnown: if it is another's.
        """
        if _is_notebook(code):
            return code.co_names
        if any(f"/{package}/" in code.co_filename for package in ("torch", "numpy", "vae_lab")):
            return ()
        raise NotKnown


@cache
def _exceptions() -> frozenset[str]:
    named = vars(sys.modules["builtins"]).items()
    return frozenset(name for name, value in named if isinstance(value, type) and issubclass(value, BaseException))
