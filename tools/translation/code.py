"""The words of a code cell: its comments, and strings of several words, which it prints or writes into a figure.

Names, and strings of one word (`"pathwise"`, `"mnist5k"`), stay: they may be names to the program.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from tools.translation.inert import PLACEHOLDER, has_words

TWO_WORDS = re.compile(r"[^\W\d_]{2,}[,:]?\s+(?:\S+\s+)*?[^\W\d_]{2,}")


class Span(NamedTuple):
    """A piece of a cell that is translated: from where to where, what it is."""

    start: int
    end: int
    kind: str


def spans(code: str) -> list[Span]:
    """Comments and strings of several words, in order."""
    lines = code.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    comments = _comments(code, lines, starts)
    return sorted([*comments, *_strings(code, lines, starts)])


def _comments(code: str, lines: list[str], starts: list[int]) -> Iterator[Span]:
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        text = token.string.lstrip("# ")
        if token.type == tokenize.COMMENT and has_words(text):
            begin = starts[token.start[0] - 1] + token.start[1]
            yield Span(begin + len(token.string) - len(text), begin + len(token.string), "comment in code")


def _strings(code: str, lines: list[str], starts: list[int]) -> Iterator[Span]:
    inside: set[ast.AST] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.JoinedStr):
            inside |= {part for part in ast.walk(node) if part is not node}
        text_node = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        if not text_node or node in inside:
            continue
        assert isinstance(node, ast.JoinedStr | ast.Constant)
        begin = _place(lines, starts, node.lineno, node.col_offset)
        end = _place(lines, starts, node.end_lineno or 0, node.end_col_offset or 0)
        literal = re.fullmatch(r"f?(\"|')(?P<text>(?:(?!\1).)*)\1", code[begin:end])
        if literal and is_text(literal["text"]):
            yield Span(begin + literal.start("text"), begin + literal.end("text"), "text in code")


def _place(lines: list[str], starts: list[int], row: int, column: int) -> int:
    """Count in characters what `ast` counts in bytes of a row."""
    return starts[row - 1] + len(lines[row - 1].encode()[:column].decode())


def is_text(text: str) -> bool:
    """Whether a string speaks to people: two words at least, and no expression of Python.

    Example:
        >>> is_text("score function"), is_text("pathwise"), is_text("mu, logvar"), is_text("loss, epoch {epoch}:")
        (True, False, False, True)
    """
    bare = PLACEHOLDER.sub("0", text)
    if not TWO_WORDS.search(bare):
        return False
    try:
        ast.parse(bare, mode="eval")
    except SyntaxError:
        return True
    return False
