"""Where the catalogues are, and what stands in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

SOURCE = "en"
"""The language that everything is written in; it has no catalogue."""

# In the wheel; in a copy of the source.
FOLDERS = (Path(__file__).parents[1] / "locale", Path(__file__).parents[2] / "locale")


class Entry(NamedTuple):
    """One text in two languages, and the files that say it."""

    text: str
    translation: str
    places: tuple[str, ...] = ()


def file(language: str, name: str) -> Path | None:
    """A catalogue's file, or None if there is none.

    Args:
        language: its code, such as "vi".
        name: "messages", or "lab-sampling".

    Example:
        >>> file("en", "messages") is None
        True
    """
    if not language.isalpha() or "/" in name:
        return None
    found = (folder / language / "LC_MESSAGES" / f"{name}.po" for folder in FOLDERS)
    return next((path for path in found if path.is_file()), None)


@cache
def languages() -> tuple[str, ...]:
    """The languages that there are messages in, the source first.

    Example:
        >>> languages()[0]
        'en'
    """
    found = {path.parents[1].name for folder in FOLDERS for path in folder.glob("*/LC_MESSAGES/messages.po")}
    return (SOURCE, *sorted(found))


@cache
def entries(language: str, name: str) -> tuple[Entry, ...]:
    """What is translated in a catalogue: nothing that is empty, fuzzy or no longer said.

    Example:
        >>> entries("en", "messages")
        ()
    """
    path = file(language, name)
    if path is None:
        return ()
    import polib  # here, so that a course read in English loads nothing

    return tuple(
        Entry(entry.msgid, entry.msgstr, tuple(place for place, _ in entry.occurrences))
        for entry in polib.pofile(str(path), encoding="utf-8").translated_entries()
    )
