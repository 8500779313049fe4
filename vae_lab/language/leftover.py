"""What is left in English of a translated text: for the tests, and for `vae-lab verify`, which reads every message.

A piece that is no sentence of the catalogue is English if there are words in it that hold an English sentence together.
What an exception says, a line of code or a name is nobody's to translate, and is not looked at.
"""

from __future__ import annotations

import re
from functools import cache

from vae_lab.language.catalogue import SOURCE
from vae_lab.language.translate import Sentences, translated

QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|'[^']*'")
WORD = re.compile(r"(?<![\w.])[A-Za-z]{2,}(?![\w.(\[])|(?<![\w.])[A-Za-z]{2,}(?=[.]?$|[.] )")
# They say nothing in code, and no sentence does without them; none is also a word of Vietnamese (as "do", "may" are).
HOLDING = frozenset(
    """the is are was were be been of and not with that this these those has have had does did from which its it by into
    at your you their there where when what then must cannot will would should could only each every any some both
    either more less most least very too also again never always wanted""".split()  # noqa: SIM905  (reads as text)
)


class _Noting(Sentences):
    """Sentences that write down what none of them is."""

    def __init__(self, language: str) -> None:
        super().__init__(language)
        self.left: list[str] = []

    def missed(self, text: str) -> None:
        """Keep it if it is English."""
        if is_english(text):
            self.left.append(text.strip())


@cache
def _noting(language: str) -> _Noting:
    """Read once."""
    return _Noting(language)


def is_english(text: str) -> bool:
    """Whether a piece of a message is words rather than names, numbers or code.

    Example:
        >>> is_english("the result is of type"), is_english("N(mu, sigma^2)"), is_english("kết quả có kiểu list")
        (True, False, False)
    """
    words = {word.lower() for word in WORD.findall(QUOTED.sub(" ", text))}
    return bool(words & HOLDING)


def left_in_english(text: str, language: str) -> list[str]:
    """The pieces of a message that its translation leaves in English; none where all of it is translated.

    Args:
        text: in English, as it was said.
        language: such as "vi".
    """
    if language == SOURCE:
        return []
    known = _noting(language)
    known.left = []
    translated(text, known)
    return list(dict.fromkeys(known.left))
