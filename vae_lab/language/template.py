"""A sentence with places for values, `{what} has shape {shape}.`, and the values that make a finished text of it.

Words between the places are looked for from left to right, without going back, so that the time that it takes grows
with the text's length and no faster, whatever a stranger has written into it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

PLACE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
# What stands there is code, and goes on to the last of what follows it.
CODE = frozenset({"place", "source", "caption"})


class Template(NamedTuple):
    """A sentence cut at its places.

    Args:
        words: what stands before, between and after them: one more than names.
        names: of the places, in order.
        translation: the same sentence in another language, with the same places in any order.
        plain: whether it is one that a line may end an exception's own text with.
    """

    words: tuple[str, ...]
    names: tuple[str, ...]
    translation: str
    plain: bool = False

    @property
    def weight(self) -> tuple[int, int]:
        """How much of it is fixed: what says most is tried first."""
        return sum(len(word.replace(" ", "")) for word in self.words), -len(self.names)


def template(text: str, translation: str, plain: bool = False) -> Template:
    """Cut a sentence.

    Example:
        >>> template("{what} has shape {shape}.", "{what} có shape {shape}.").words
        ('', ' has shape ', '.')
    """
    parts = PLACE.split(text)
    return Template(tuple(parts[::2]), tuple(parts[1::2]), translation, plain)


def fit(sentence: Template, text: str) -> list[str] | None:
    """The values that make the sentence this text, or None.

    Example:
        >>> fit(template("{what} has shape {shape}.", ""), "z has shape [3, 1].")
        ['z', '[3, 1]']
        >>> fit(template("{what} has shape {shape}.", ""), "z has dtype int.") is None
        True
    """
    first, last = sentence.words[0], sentence.words[-1]
    if not sentence.names:
        return [] if text == first else None
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return None
    values, rest = [], text[len(first) : len(text) - len(last)]
    for name, word in zip(sentence.names, sentence.words[1:-1], strict=False):
        value, found, rest = rest.rpartition(word) if name in CODE else rest.partition(word)
        if not found:
            return None
        values.append(value)
    values.append(rest)
    return values if all(values) else None


def filled(sentence: Template, values: list[str], value: Callable[[str, str], str]) -> str:
    """The translation with values in its places.

    Args:
        sentence: whose translation.
        values: one for each of its names.
        value: gives what to write for a name and its value.

    Example:
        >>> filled(template("a {x}.", "một {x}."), ["2"], lambda name, text: text)
        'một 2.'
    """
    given = dict(zip(sentence.names, values, strict=True))
    return PLACE.sub(
        lambda found: value(found[1], given[found[1]]) if found[1] in given else found[0], sentence.translation
    )
