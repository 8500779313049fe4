"""Listens to what the package says while a test runs: none of it may be left in English by a translation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from vae_lab.language import languages
from vae_lab.language.leftover import left_in_english


@contextmanager
def all_translated(listen: Callable[[pytest.MonkeyPatch, list[str]], None]) -> Iterator[None]:
    """While this lasts, what is said is kept; at the end, each sentence of it must be known in every language.

    Args:
        listen: patches what speaks so that it adds each text to a list.
    """
    heard: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        listen(patch, heard)
        yield
    for language in languages():
        left = {piece: text for text in dict.fromkeys(heard) for piece in left_in_english(text, language)}
        assert not left, f"no {language} words for {list(left.items())[:5]}; see `python -m tools.words {language}`"


def keeping(function: Callable, heard: list[str], of: Callable = str) -> Callable:
    """The function, and each of its results in the list."""

    def made(*args, **kwargs):
        result = function(*args, **kwargs)
        heard.append(of(result))
        return result

    return made
