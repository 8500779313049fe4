"""What holds an entry and its translation together."""

from __future__ import annotations

import re
from collections.abc import Iterable

import polib

from tools.translation.inert import FORMAT, MARK, inert
from tools.translation.terms import USED, faults, left_in_english

IN_BRACKETS = ("text", "item of a list")  # where a term is introduced; not in headings, pictures, tables
BILINGUAL = "notation"  # this page has each term in both languages


def problems(entry: polib.POEntry) -> list[str]:
    """What is wrong with one entry, in words that say what to do; nothing for a right one."""
    if entry.fuzzy:
        return ["is fuzzy: translate it, or empty it"]
    if not entry.msgstr.strip():
        return ["is untranslated"]
    english, there = entry.msgid, entry.msgstr
    found = []
    in_code = entry.comment.startswith(("text in code", "words of"))
    before, after = inert(english, placeholders=in_code), inert(there, placeholders=in_code)
    found += [f"lost {part}" for part in sorted((before - after).elements())]
    found += [f"has {part}, which is not in the English" for part in sorted((after - before).elements())]
    if bool(MARK.search(english)) != bool(MARK.search(there)):
        found.append("bold (**) stands in one language only")
    if "\n" in there:
        found.append("has a line break: an entry is one line")
    if there != there.strip() and english == english.strip():
        found.append("begins or ends with a space")
    if entry.comment == "text in code" and ('"' in there) > ('"' in english):
        found.append('has a " inside a string of a program: use ‘ ’')
    names = "in English" in entry.tcomment  # `# free: in English`: a string that the program looks something up by
    left = [] if names else left_in_english(english, there, placeholders=in_code)
    found += [f"still says {word!r}: translate it, or add it to locale/vi/stays-english.txt" for word in left]
    form = FORMAT.search(english) if in_code else None
    if form and form[0] != ":" and not there.endswith(form[0]):
        found.append(f"must end with {form[0]}")
    return found + faults(english, there, entry.tcomment)


def not_introduced(catalogue: Iterable[polib.POEntry]) -> list[str]:
    """Terms whose first mention on a page lacks the English in brackets; nothing while a page is untranslated."""
    entries = [entry for entry in catalogue if entry.comment in IN_BRACKETS]
    found = []
    for pattern, used in USED.items():
        mentions = [entry for entry in entries if re.search(rf"(?i)\b{pattern}\b", entry.msgid)]
        if not mentions or used[0] == "gradient" or not mentions[0].msgstr or _slug(mentions[0]) == BILINGUAL:
            continue
        before = entries[: entries.index(mentions[0]) + 1]
        if not any(re.search(rf"(?i)\([^()]*\b{pattern}\b[^()]*\)", entry.msgstr) for entry in before):
            term = re.search(rf"(?i)\b{pattern}\b", mentions[0].msgid)
            assert term
            found.append(
                f"line {mentions[0].occurrences[0][1]}: first {term[0]!r} of the page: add the English in brackets"
            )
    return found


def _slug(entry: polib.POEntry) -> str:
    return str(entry.occurrences[0][0]).rpartition("/")[2].removesuffix(".md")
