"""What of a submitted notebook is a student's own text: in any cell, under any wrapper, without the lab's own lines."""

from __future__ import annotations

import ast
import re

from vae_lab.grading.lab.notebook_file import StudentCell
from vae_lab.grading.lab.source import STUB, Lab, anchor_of

ENOUGH_WORDS = 5  # away from the question: a note of fewer words is no answer
PICTURE = re.compile(r"!\[[^\]\n]*\]\(|<img\b", re.IGNORECASE)
BADGE = re.compile(r"<a\b[^>]*colab[^>]*>.*?</a>", re.IGNORECASE | re.DOTALL)
TAG = re.compile(r"</?[A-Za-z][^>\n]*>")
# What other programs put around text when they make a code cell of it: Databricks, marimo.
WRAPPER = re.compile(r"%md.*|mo\.md\(.*|r?f?(?:\"\"\"|''')\s*\)?\s*")


def letters(line: str) -> str:
    """A line's letters and digits, which is what a student's own words are compared with the lab's by."""
    return "".join(character for character in line.casefold() if character.isalnum())


def lab_lines(lab: Lab) -> frozenset[str]:
    """The lines of the lab as released, in each language, so that a student's own can be told from them."""
    given = (line for cell in lab.cells for text in cell.as_released for line in text.splitlines())
    return frozenset(letters(line) for line in (*given, STUB))


def own_lines(source: str, known: frozenset[str]) -> str:
    r"""A cell's text without the lab's own lines, anchors and wrappers.

    >>> own_lines("## 7. Why?\nBecause of the graph.", frozenset({"7why"}))
    'Because of the graph.'
    """
    kept = []
    for line in source.splitlines():
        if anchor_of(line) is None and not WRAPPER.fullmatch(line.strip()) and letters(line) not in known:
            kept.append(line)
    return "\n".join(kept).strip("\n")


def says_something(text: str) -> bool:
    """Whether there is a letter, a digit or a picture in it: a badge of Colab's and bare tags are nothing."""
    text = BADGE.sub("", text)
    return bool(PICTURE.search(text)) or any(character.isalnum() for character in TAG.sub("", text))


def is_prose(source: str) -> bool:
    r"""Whether a code cell is text: comments, a string, or a call that shows one; nothing that computes.

    >>> is_prose("# Eps is a leaf."), is_prose("mo.md('Eps is a leaf.')"), is_prose("x = 1")
    (True, True, False)
    """
    if source.lstrip().startswith("%md"):
        return True
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(isinstance(node, ast.Expr) and _is_text(node.value) for node in body)


def is_broken(source: str) -> bool:
    """Whether a code cell is no Python at all, as prose typed into one is."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return not source.lstrip().startswith(("%", "!"))
    return False


def comments(source: str) -> str:
    """A code cell's lines that are comments."""
    return "\n".join(line for line in source.splitlines() if line.lstrip().startswith("#"))


def as_text(cell: StudentCell) -> str:
    r"""A cell's text for reading: comments without the sign that makes them comments.

    >>> as_text(StudentCell("code", "# Eps is\n# a leaf."))
    'Eps is\na leaf.'
    """
    if not cell.code:
        return cell.source
    return "\n".join(re.sub(r"^\s*# ?", "", line) for line in cell.source.splitlines() if anchor_of(line) is None)


def enough(text: str) -> bool:
    """Whether some words, far from the question, may be meant as an answer."""
    return bool(PICTURE.search(text)) or len(TAG.sub(" ", BADGE.sub("", text)).split()) >= ENOUGH_WORDS


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant | ast.JoinedStr):
        return isinstance(node, ast.JoinedStr) or isinstance(node.value, str)
    named = node.func if isinstance(node, ast.Call) else None
    name = named.attr if isinstance(named, ast.Attribute) else named.id if isinstance(named, ast.Name) else ""
    return (
        isinstance(node, ast.Call) and name in ("md", "Markdown", "display", "print") and all(map(_is_text, node.args))
    )
