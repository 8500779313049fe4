"""The variables of comprehensions, which Python 3.12 and later keep in the frame around them (PEP 709)."""

from __future__ import annotations

import dis
from functools import lru_cache
from types import CodeType, FrameType
from typing import NamedTuple


class _Span(NamedTuple):
    """Where a comprehension stands in the source, and one of its variables."""

    begin: tuple[int, int]  # line and column
    end: tuple[int, int]
    name: str


def variables_of_comprehensions(frame: FrameType) -> set[str]:
    """The names that, where the frame now stands, belong to a comprehension and not to the function around it.

    Example:
        >>> import sys
        >>> variables_of_comprehensions(sys._getframe())  # here stands no comprehension
        set()
    """
    spans = _spans(frame.f_code)
    if not spans:
        return set()
    begin, end = _place(frame.f_code, frame.f_lasti)
    return {span.name for span in spans if span.begin <= begin and end <= span.end}


@lru_cache(maxsize=1024)
def _spans(code: CodeType) -> list[_Span]:
    found = []
    for instruction in dis.get_instructions(code):
        if instruction.opname == "LOAD_FAST_AND_CLEAR":  # puts aside a variable of the same name, until it ends
            found.append(_Span(*_place(code, instruction.offset), instruction.argval))
    return found


def _place(code: CodeType, offset: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Begin and end, as line and column, of the source of one instruction."""
    line, last_line, column, last_column = list(code.co_positions())[offset // 2]
    return (line or 0, column or 0), (last_line or 0, last_column or 0)
