"""The translator's command; it needs no torch and takes a second.

python -m tools.translation update            write today's texts into the catalogues
python -m tools.translation check [PAGE...]   what is untranslated or wrong
python -m tools.translation show PAGE         the page as it stands, in the other language
"""

from __future__ import annotations

import argparse
import sys

from tools.translation import around
from tools.translation.catalogue import (
    OUTPUTS,
    THEME,
    WIDGETS,
    Text,
    folder,
    read,
    slugs,
    texts_of,
    translated,
    updated,
)
from tools.translation.held import not_introduced, problems


def update(language: str, names: list[str]) -> int:
    """Write today's texts into these catalogues."""
    folder(language).mkdir(parents=True, exist_ok=True)
    for name in names:
        path = folder(language) / f"{name}.po"
        new = updated(read(path), texts(name, language))
        new.save(str(path))
        print(f"{name}: {len(new)} entries, {len(new.untranslated_entries())} untranslated")
    return 0


def texts(name: str, language: str) -> list[Text]:
    """What a catalogue has to hold."""
    if name == OUTPUTS:
        from tools.translation.recorded import of_outputs

        return list(of_outputs(language))
    if name == WIDGETS:
        from tools.translation.recorded import of_widgets

        return list(of_widgets())
    return list(around.texts()) if name == THEME else texts_of(name)


def check(language: str, names: list[str]) -> int:
    """Print what is wrong; the exit status says whether anything is."""
    wrong = total = missing = 0
    for name in names:
        catalogue = read(folder(language) / f"{name}.po")
        for problem in not_introduced(catalogue) if name not in (OUTPUTS, WIDGETS, THEME) else []:
            print(f"book/{name}.md {problem}")
            wrong += 1
        for entry in catalogue:
            total += 1
            found = problems(entry)
            missing += found == ["is untranslated"]
            wrong += bool(found)
            for problem in found:
                place = ":".join(entry.occurrences[0]) if entry.occurrences else name
                print(f"{place} ({entry.comment}) {entry.msgid[:60]!r} {problem}")
    print(f"{total} entries, {missing} untranslated, {wrong - missing} with something to mend")
    return int(wrong > 0)


def show(language: str, pages: list[str]) -> int:
    """Print a page in the other language."""
    for slug in pages:
        print(translated(slug, language), end="")
    return 0


def main() -> int:
    """Run one of the three."""
    parser = argparse.ArgumentParser(prog="python -m tools.translation", description=__doc__.partition("\n")[0])
    parser.add_argument("--language", default="vi")
    parser.add_argument("what", choices=["update", "check", "show"])
    parser.add_argument(
        "name", nargs="*", help="a page's name, like intro, or outputs, widgets, theme; all if none is given"
    )
    given = parser.parse_args()
    names = slugs() if given.what == "show" else [*slugs(), OUTPUTS, WIDGETS, THEME]
    unknown = set(given.name) - set(names)
    if unknown:
        parser.error(f"nothing is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    return {"update": update, "check": check, "show": show}[given.what](given.language, given.name or names)


if __name__ == "__main__":
    sys.exit(main())
