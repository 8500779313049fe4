"""How a door is tried: a call either gives the right value, or says in one line who refuses, what came, what is wanted.

A table's row is (what is tried, the call, what is expected): `Refused("who", "words")`, or a function that makes the
right value in another way.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch


@dataclass
class Refused:
    """A ValueError or TypeError that names the function and says these words (all of them)."""

    who: str
    words: tuple[str, ...]

    def __init__(self, who: str, *words: str) -> None:
        self.who, self.words = who, words


def table(*rows: tuple[str, Callable[[], Any], Any]) -> Any:
    """Parametrize a test by rows (what, call, expected)."""
    assert len({row[0] for row in rows}) == len(rows), "two rows have one name"
    return pytest.mark.parametrize(("call", "expected"), [pytest.param(*row[1:], id=row[0]) for row in rows])


def try_door(call: Callable[[], Any], expected: Any) -> None:
    """Call, and hold what comes against what is expected."""
    if not isinstance(expected, Refused):
        torch.testing.assert_close(call(), expected(), equal_nan=False)
        return
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    said = str(caught.value)
    assert said.split(":")[0] == expected.who, said
    assert "\n" not in said
    for word in expected.words:
        assert word in said, said


def seeded(seed: int = 0) -> torch.Generator:
    """A generator on the processor."""
    return torch.Generator().manual_seed(seed)
