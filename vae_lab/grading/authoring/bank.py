"""A bank of made-up answers to a lab: right ones in unusual forms, and wrong ones named by their mistake.

Each lab keeps its bank in `tests/misconceptions/<lab>.py`, a module with two lists, `RIGHT` and `WRONG`.
`vae-lab verify` grades every answer of it, and `vae-lab sample-class` makes a class out of it.
"""

from __future__ import annotations

import runpy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


@dataclass(frozen=True)
class Answer:
    """One made-up answer to a lab.

    Args:
        name: says what is unusual or wrong about it, e.g. "sigma is exp(logvar)".
        cells: source text for each `grade_id` whose cell it replaces; every other solution cell keeps the solution.
        loses: the test cells that must lose all their points; empty for a right answer.
        says: text that at least one lost cell's message must contain, so that the mistake is named.
    """

    name: str
    cells: Mapping[str, str]
    loses: frozenset[str] = frozenset()
    says: str = ""


class Bank(NamedTuple):
    """The answers of one lab."""

    right: tuple[Answer, ...]
    wrong: tuple[Answer, ...]


def load_bank(path: Path) -> Bank:
    """Read the bank of one lab.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a right answer loses points, a wrong one loses none, or two answers share a name.
    """
    if not path.is_file():
        raise FileNotFoundError(f"No bank of answers at {path}; expected a Python file with lists RIGHT and WRONG.")
    try:
        module = runpy.run_path(str(path))
    except ModuleNotFoundError as error:
        if error.name != "vae_lab.grading.bank":
            raise
        raise ValueError(f"{path.name}: `Answer` is now imported from {__name__}.") from None
    bank = Bank(right=tuple(module["RIGHT"]), wrong=tuple(module["WRONG"]))
    for answer in bank.right:
        if answer.loses:
            raise ValueError(f"{path.name}: right answer {answer.name!r} names cells that lose points.")
    for answer in bank.wrong:
        if not answer.loses:
            raise ValueError(f"{path.name}: wrong answer {answer.name!r} names no cell that loses points.")
    names = [answer.name for answer in bank.right + bank.wrong]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"{path.name}: two answers share a name: {sorted(twice)}.")
    return bank
