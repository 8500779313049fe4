"""The translator's command; it needs no torch and takes a second.

python -m tools.translation update            write today's texts into the catalogues
python -m tools.translation check [PAGE...]   what is untranslated or wrong
python -m tools.translation show PAGE         the page as it stands, in the other language
"""

from __future__ import annotations

import argparse
import sys

from tools.translation.catalogue import folder, read, slugs, texts_of, translated, updated
from tools.translation.held import not_introduced, problems


def update(language: str, pages: list[str]) -> int:
    """Write today's texts into the catalogues of these pages."""
    folder(language).mkdir(parents=True, exist_ok=True)
    for slug in pages:
        path = folder(language) / f"{slug}.po"
        new = updated(read(path), texts_of(slug))
        new.save(str(path))
        print(f"{slug}: {len(new)} entries, {len(new.untranslated_entries())} untranslated")
    return 0


def check(language: str, pages: list[str]) -> int:
    """Print what is wrong; the exit status says whether anything is."""
    wrong = total = missing = 0
    for slug in pages:
        catalogue = read(folder(language) / f"{slug}.po")
        for problem in not_introduced(catalogue):
            print(f"book/{slug}.md {problem}")
            wrong += 1
        for entry in catalogue:
            total += 1
            found = problems(entry)
            missing += found == ["is untranslated"]
            wrong += bool(found)
            for problem in found:
                place = ":".join(entry.occurrences[0]) if entry.occurrences else slug
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
    parser.add_argument("page", nargs="*", help="a page's name, like intro; all pages if none is given")
    given = parser.parse_args()
    unknown = set(given.page) - set(slugs())
    if unknown:
        parser.error(f"no page is called {', '.join(sorted(unknown))}; there are {', '.join(slugs())}")
    return {"update": update, "check": check, "show": show}[given.what](given.language, given.page or slugs())


if __name__ == "__main__":
    sys.exit(main())
