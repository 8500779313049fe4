"""Where in the reader's code an operation was called, and inside which modules, distributions and functions.

Both come from one walk up the Python stack per operation, so nothing has to be hooked or patched.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType
from typing import Any, NamedTuple

import torch
from torch import nn

from vae_lab.graph.recording.values import Group, Source

_TORCH = os.path.dirname(torch.__file__) + os.sep
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep  # all of vae_lab.graph
_EXAMPLE = _OURS + "vae.py"  # code to be shown, not code that shows
_DISTRIBUTIONS = os.path.join(_TORCH, "distributions") + os.sep
_OPTIMIZERS = os.path.join(_TORCH, "optim") + os.sep
_MODULE_CALL = nn.Module._call_impl.__code__
_DRAWS = {"sample", "sample_n", "rsample"}


class Place(NamedTuple):
    """The frames of the reader's own code around an operation, and the calls that may be shown as one step."""

    frames: tuple[FrameType, ...]  # of the reader's own code, outermost first
    groups: tuple[Group, ...]  # outermost first
    updating: bool  # inside an optimizer's step: not part of the computation that is shown


class CallStack:
    """Walks from an operation up to the frame that opened the recording."""

    def __init__(self, base: FrameType | None, whole: Iterable[CodeType] = ()) -> None:
        self.base = base
        self.whole = set(whole)
        self._custom: dict[CodeType, bool] = {}
        self._frames: dict[int, FrameType] = {}  # keeps a group's frame alive, so that its id stays its own

    def place(self, depth: int) -> Place:
        """Describe the call `depth` frames up from here."""
        frame: FrameType | None = sys._getframe(depth)
        own: list[FrameType] = []
        groups: list[Group] = []
        updating = False
        while frame is not None:
            code = frame.f_code
            file = code.co_filename
            if file.startswith(_TORCH):
                if code is _MODULE_CALL:
                    module = frame.f_locals["self"]
                    groups.append(self._group(frame, "module", type(module).__name__, module))
                elif code.co_name in _DRAWS and file.startswith(_DISTRIBUTIONS) and "self" in frame.f_locals:
                    name = f"{type(frame.f_locals['self']).__name__}.{code.co_name}"
                    groups.append(self._group(frame, "distribution", name, code))
                elif file.startswith(_OPTIMIZERS):
                    updating = True
            elif not file.startswith(_OURS) or file == _EXAMPLE:
                own.append(frame)
            if code.co_name == "forward" and self._is_custom(code):
                groups.append(self._group(frame, "autograd", code.co_qualname.split(".")[-2], code))
            if code in self.whole:
                groups.append(self._group(frame, "function", code.co_name, code))
            if frame is self.base:
                break
            frame = frame.f_back
        return Place(tuple(reversed(own)), tuple(reversed(groups)), updating)

    def _is_custom(self, code: CodeType) -> bool:
        """Whether this is the forward of a custom `autograd.Function`."""
        if code not in self._custom:
            self._custom[code] = any(
                getattr(c.forward, "__code__", None) is code for c in _descendants(torch.autograd.Function)
            )
        return self._custom[code]

    def _group(self, frame: FrameType, kind: str, name: str, subject: Any) -> Group:
        self._frames[id(frame)] = frame
        return Group(id(frame), kind, name, subject)

    def close(self) -> None:
        """Let go of every frame."""
        self.base = None
        self._frames.clear()


def _descendants(cls: type) -> Iterator[Any]:
    children: list[type] = cls.__subclasses__()
    for child in children:
        yield child
        yield from _descendants(child)


def source_of(frames: tuple[FrameType, ...]) -> Source | None:
    """The file, line and text at which the innermost frame stands."""
    if not frames:
        return None
    frame = frames[-1]
    code = frame.f_code
    text = linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals).strip()
    return Source(code.co_filename, frame.f_lineno, code.co_qualname.split(".<locals>.<")[0], text)
