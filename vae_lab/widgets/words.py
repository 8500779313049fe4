"""The words of the interactions: for each a table of whole sentences, which a translation can take the place of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

TABLES = Path(__file__).parent / "words"
PLACE = re.compile(r"\{(\w+)\}")


def table(name: str) -> dict[str, str]:
    """The English table of a widget, by the name of its module: key -> sentence, with `{places}` for values.

    Returns:
        The table; empty for a module that has none.

    Example:
        >>> table("playground")["steps"]
        'steps: {steps}'
    """
    path = TABLES / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def replaced(words: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """A table with some or all of its sentences replaced.

    Args:
        words: key -> sentence.
        others: key -> sentence in another language, with the same `{places}` in any order.

    Raises:
        ValueError: for a key that the table does not have, or a sentence with other places.

    Example:
        >>> replaced({"run": "Run", "steps": "steps: {steps}"}, {"steps": "số bước: {steps}"})
        {'run': 'Run', 'steps': 'số bước: {steps}'}
    """
    for key, sentence in others.items():
        if key not in words:
            raise ValueError(f"words: there is no entry {key!r}; the entries are {', '.join(words)}.")
        wanted, found = (set(PLACE.findall(text)) for text in (words[key], sentence))
        if wanted != found:
            raise ValueError(f"words: {key!r} has the places {sorted(found)}; wanted {sorted(wanted)}.")
    return {**words, **others}


def translated(words: Mapping[str, str], catalogue: Mapping[str, str]) -> dict[str, str]:
    """A table in another language, from a catalogue of sentences as gettext keeps them; English where it has none.

    Raises:
        ValueError: for a translation with other places than its sentence.

    Example:
        >>> translated({"run": "Run", "pause": "Pause"}, {"Run": "Chạy"})
        {'run': 'Chạy', 'pause': 'Pause'}
    """
    return replaced(words, {key: catalogue[text] for key, text in words.items() if catalogue.get(text)})
