"""Catalogues: gettext files that hold, for each text of a page, its translation; polib reads and writes them.

A catalogue holds what the page says today and nothing else. A text that has changed is a new entry without a
translation; nothing is guessed from a similar one (no fuzzy entries), and the page shows English there until somebody
has translated it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import polib

from tools.translation.page import walk

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "book"
OUTPUTS, WIDGETS, THEME = "outputs", "widgets", "theme"  # the catalogues that are no page's
WIDE = 10**6  # polib breaks no lines: an entry is one line, which is easier to search and to compare


class Text(NamedTuple):
    """A text that is translated: what it says, where it stands, what it is."""

    text: str
    place: str
    line: int
    kind: str


def folder(language: str) -> Path:
    """Where a language's catalogues lie."""
    return ROOT / "locale" / language / "LC_MESSAGES"


def texts_of(slug: str) -> list[Text]:
    """All texts of a page, in its order."""
    place = f"book/{slug}.md"
    found: list[Text] = []

    def note(text: str, line: int, kind: str) -> str:
        found.append(Text(text, place, line, kind))
        return text

    walk((PAGES / f"{slug}.md").read_text(encoding="utf-8"), note, included=included)
    return found


def translated(slug: str, language: str) -> str:
    """A page's source in another language, with English where the catalogue has no translation."""
    source = (PAGES / f"{slug}.md").read_text(encoding="utf-8")
    return walk(source, answers(read(folder(language) / f"{slug}.po")), included=included, translated=True)


def included(path: str) -> str:
    """What a page includes, by the path that it names."""
    return (PAGES / path).resolve().read_text(encoding="utf-8")


def read(path: Path) -> polib.POFile:
    """A catalogue that exists, or an empty one."""
    if path.exists():
        return polib.pofile(str(path), wrapwidth=WIDE, check_for_duplicates=True)
    catalogue = polib.POFile(wrapwidth=WIDE)
    catalogue.metadata = {
        "Project-Id-Version": "VAE Lab",
        "Language": path.parts[-3],
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
    }
    return catalogue


def updated(old: polib.POFile, texts: Iterable[Text]) -> polib.POFile:
    """A catalogue of today's texts, with the translations that are there for exactly these."""
    known = {entry.msgid: entry for entry in old if not entry.fuzzy}
    new = polib.POFile(wrapwidth=WIDE)
    new.metadata = dict(old.metadata)
    entries: dict[str, polib.POEntry] = {}
    for text in texts:
        if text.text not in entries:
            before = known.get(text.text)
            entries[text.text] = polib.POEntry(
                msgid=text.text,
                msgstr=before.msgstr if before else "",
                tcomment=before.tcomment if before else "",
                comment=text.kind,
            )
            new.append(entries[text.text])
        entries[text.text].occurrences.append((text.place, str(text.line)))
    return new


def answers(catalogue: polib.POFile) -> Callable[[str, int, str], str]:
    """What a walk asks a catalogue: the translation, or the text itself where there is none yet."""
    known = {entry.msgid: entry.msgstr for entry in catalogue if entry.msgstr and not entry.fuzzy}
    return lambda text, line, kind: known.get(text, text)


def slugs() -> list[str]:
    """The pages of the book, in alphabetical order."""
    return sorted(page.stem for page in PAGES.glob("*.md"))
