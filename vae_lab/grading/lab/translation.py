"""A lab in another language: the same cells, names, anchors and code; its text, comments and docstrings translated.

A text is cut into blocks at blank lines and ends of hints, a docstring too; each block is an entry of the catalogue
`lab-<lab>`. What has no entry stays English. Strings in the code stay as they are: what shows them translates them,
except what a cell that is no test's and nobody's answer prints itself.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from vae_lab.grading.lab.cells import ANCHOR, LEFTOVER, STUB
from vae_lab.language import SOURCE, languages
from vae_lab.language.catalogue import entries

GAP = re.compile(r"(\n[ \t]*\n|\n</details>\n?)")  # a blank line, or the end of a hint
START = re.compile(r"(checks\.start\((?P<quote>[\"'])[\w-]+(?P=quote))\)")
PAGES = re.compile(r"\]\((?:\.\./)+book/")
MATH = re.compile(r"\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]+`|<[^>\n]+>", re.DOTALL)
IN_MATH = re.compile(r"\\text\{([^{}]*)\}")
LETTER = re.compile(r"[^\W\d_]{2}")
OWN = ("YOUR CODE HERE", STUB)


class Piece(NamedTuple):
    """A part of a cell's source that is for a reader: where it stands, its text without indentation, and that."""

    start: int
    end: int
    text: str
    indent: int = 0


def pieces(source: str, code: bool, answered: bool) -> list[Piece]:
    r"""What of a cell is for a reader.

    Args:
        source: of the cell.
        code: whether it is code.
        answered: whether the lab names the cell, so that what it prints is a test's or a student's.

    Example:
        >>> [piece.text for piece in pieces("# vae-lab: a/b\nx = 1  # one", True, True)]
        ['# one']
    """
    found = _of_code(source, answered) if code else _blocks(source, 0, 0)
    return [piece for piece in found if _is_for_a_reader(piece.text)]


def translate_source(source: str, code: bool, answered: bool, words: Mapping[str, str], language: str) -> str:
    """A cell's source in another language.

    Args:
        source: of the cell.
        code: whether it is code.
        answered: whether the lab names the cell.
        words: translations by text.
        language: of them.
    """
    made, at = "", 0
    for piece in sorted(pieces(source, code, answered)):
        if piece.text in words:
            made += source[at : piece.start] + words[piece.text].replace("\n", "\n" + " " * piece.indent)
            at = piece.end
    made += source[at:]
    return START.sub(rf'\1, language="{language}")', made) if code else PAGES.sub("](../../../book/", made)


def words_of(lab: str, language: str) -> dict[str, str]:
    """The translations that a lab has in a language, by text; none if it is not translated."""
    return {entry.text: entry.translation for entry in entries(language, f"lab-{lab}")}


def translated_into(lab: str) -> tuple[str, ...]:
    """The languages that a lab is translated into, without the one that it is written in."""
    return tuple(language for language in languages() if language != SOURCE and words_of(lab, language))


def _is_for_a_reader(text: str) -> bool:
    kept = "\n".join(line for line in text.split("\n") if not ANCHOR.search(line) and line.strip("# ") not in OWN)
    words = MATH.sub(lambda found: " ".join(IN_MATH.findall(found[0])), kept)
    return bool(LETTER.search(words.replace("logvar", ""))) and not LEFTOVER.search(text)


def _blocks(text: str, start: int, indent: int) -> Iterator[Piece]:
    """What stands between blank lines."""
    at = start
    for number, part in enumerate(GAP.split(text)):
        bare = part.strip("\n") if not number % 2 else ""
        if bare.strip():
            shift = part.index(bare)
            first = len(bare) - len(bare.lstrip(" ")) if indent else 0
            begin = at + shift + first
            yield Piece(begin, at + shift + len(bare.rstrip()), _dedent(bare[first:].rstrip(), indent), indent)
        at += len(part)


def _dedent(text: str, indent: int) -> str:
    return text.replace("\n" + " " * indent, "\n")


def _of_code(source: str, answered: bool) -> Iterator[Piece]:
    """Docstrings and comments, read without parsing: a function that is to be written has no body."""
    places = _Places(source)
    before = tokenize.NEWLINE
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            start = places(token.start[0], token.start[1])
            if token.type == tokenize.COMMENT:
                yield Piece(start, start + len(token.string), token.string)
            elif token.type == tokenize.STRING and before != tokenize.OP and token.string.startswith('"""'):
                yield from _blocks(token.string[3:-3], start + 3, token.start[1])
            before = before if token.type == tokenize.NL else token.type
    except (tokenize.TokenError, SyntaxError):
        return
    if not answered:
        yield from _printed(source, places)


def _printed(source: str, places: _Places) -> Iterator[Piece]:
    """The texts that a cell prints, as they are written."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print")
    for value in (value for call in calls for value in call.args if isinstance(value, ast.JoinedStr | ast.Constant)):
        segment = ast.get_source_segment(source, value)
        if segment is not None:
            start = places(
                value.lineno, len(source.splitlines()[value.lineno - 1].encode()[: value.col_offset].decode())
            )
            yield Piece(start, start + len(segment), segment)


class _Places:
    """From Python's lines and columns to a place in a text."""

    def __init__(self, source: str) -> None:
        self.starts = [0]
        for line in source.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def __call__(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column
