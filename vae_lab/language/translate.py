"""Translate what has been said already: a finished English text, read against the sentences that it can be made of.

A line is one sentence of the catalogue, or several in a row. Values stay as they are (numbers, names, code, what an
exception says, a student's own text), but for those that are themselves words of the course, such as a list of kinds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from vae_lab.language.catalogue import SOURCE, entries
from vae_lab.language.template import PLACE, Template, filled, fit, template

LONGEST = 20_000  # characters; nothing that the course says is as long
LONGEST_LINE = 2_000
MOST_SENTENCES = 40  # of one line that are looked at
IN_A_ROW = 6  # sentences that one entry may have
DEEPEST = 4  # values within values

# Places for what is not the course's to translate: exceptions, lines of code, names of files.
THEIRS = frozenset(
    {"text", "source", "error", "errors", "stop", "message", "msg", "complaint", "trouble", "file", "fails", "theirs"}
    | {"asserted", "function", "task", "call"}
)
# Places that may hold several sentences; a value in any other place ends where its sentence does.
WHOLE = frozenset(
    {
        "why",
        "place",
        "caption",
        "at",
        "says",
        "measured",
        "remedy",
        "more",
        "read",
        "examined",
        "not_examined",
        "r",
        "missing",
        "case",
    }
)
ONE = frozenset({"thing", "given"})  # Places that hold one of several things in a row, never two.
# Words that stand alone in a place and are no names: any other single word may be what a student calls something.
SINGLE = frozenset({"nothing", "black", "grey", "white", "collected", "something"})
COMMON_ERRORS = "common_errors.py"

END = re.compile(r"(?<=[.?!])[ \t]+|(?<=[.?!]\))[ \t]+|(?<=[.?!] …)[ \t]+|(?<=^…)[ \t]+")  # "…": a sentence left out
TASK = re.compile(r"[A-Za-z_][\w.]{0,60}: (?=\S)")
EXCEPTION = re.compile(r"[\w.]{0,60}(?:Error|Exception|Warning|Interrupt|TookTooLong)(?:: |$)")
LINE_OF_CODE = re.compile(r"In [^\n]{1,200}?, line \d+: ")
LIST = re.compile(r", | and | or ")
SEVERAL = "; "
SUM = re.compile(r" [+-] ")
TERM = re.compile(r"(-?[\d.]*(?:e-?\d+)? ?)(.+)", re.DOTALL)
IN_LINE = re.compile(r"(?P<what>[\w.()]{1,80}) \((?P<line>line \d+: .*)\)", re.DOTALL)
NUMBERED = re.compile(r"line \d+: ")


class Sentences:
    """The sentences of one language: those without places by their text, the others with most words first.

    `translation` has all entries; what a page's template alone says is in no other.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self.whole: dict[str, Template] = {}
        self.translation = {entry.text: entry.translation for entry in entries(language, "messages")}
        found: list[Template] = []
        for entry in entries(language, "messages"):
            if all(place.endswith(".html") for place in entry.places):
                continue  # a page's own words, such as `{value} of {total}`: looked up, never guessed at
            plain = any(place.endswith(COMMON_ERRORS) for place in entry.places)
            made = template(entry.text, entry.translation, plain)
            if made.names:
                found.append(made)
            else:
                self.whole[entry.text] = made
        self.with_places = sorted(found, key=lambda one: (_quotes(one), one.weight), reverse=True)

    def missed(self, text: str) -> None:
        """Hear of a piece that no sentence is: nothing is made of it here, see `leftover`."""

    def find(self, text: str) -> tuple[Template, list[str]] | None:
        """The sentence that this text is, and its values."""
        if (known := self.whole.get(text)) is not None:
            return known, []
        if len(text) <= LONGEST_LINE:
            for one in self.with_places:
                if (values := fit(one, text)) is not None and all(map(_may_stand, one.names, values)):
                    return one, values
        return None


def _quotes(one: Template) -> bool:
    """Whether a sentence ends with what is said by others, or says that a cell stopped: none may take its place."""
    ends_open = one.names[-1] in THEIRS | WHOLE and not one.words[-1]
    return ends_open or any(" stopped: " in word for word in one.words)


def _may_stand(name: str, value: str) -> bool:
    if name in ONE and SEVERAL in value:
        return False
    return name in THEIRS or name in WHOLE or not END.search(value)


@cache
def sentences(language: str) -> Sentences:
    """Read once."""
    return Sentences(language)


def translate(text: str, language: str) -> str:
    """A finished text in another language; what the catalogue does not know stays as it is.

    Args:
        text: as it was said, one line or several.
        language: such as "vi"; "en", or one without a catalogue, gives the text itself.

    Example:
        >>> translate("Wanted one.", "en")
        'Wanted one.'
    """
    if language == SOURCE or not text or len(text) > LONGEST:
        return text
    return translated(text, sentences(language))


def translated(text: str, known: Sentences) -> str:
    """A text, read against the sentences of one language."""
    if not known.whole and not known.with_places:
        return text
    return "\n".join(_lines(text.split("\n"), known))


def phrase(text: str, language: str, **values: object) -> str:
    """A page's own words, with values in their places: looked up as they are written, and never guessed at.

    Example:
        >>> phrase("{score} of {total} points", "en", score=3, total=4)
        '3 of 4 points'
    """
    words = text if language == SOURCE else sentences(language).translation.get(text, text)
    return PLACE.sub(lambda found: str(values.get(found[1], found[0])), words)


def _lines(lines: list[str], known: Sentences) -> Iterator[str]:
    """Each line; what an exception says may take several, and those are left alone."""
    until = 0
    for number, line in enumerate(lines):
        if number < until:
            yield line
            continue
        shown, theirs = _line(line, known)
        yield shown
        if theirs:
            ahead = (n for n in range(number + 1, len(lines)) if LINE_OF_CODE.match(lines[n]))
            until = next(ahead, len(lines))
            if until == len(lines) and until > number + 1:  # no line of code: a sentence on it may be the last
                found = known.find(lines[-1])
                until -= bool(found and found[0].plain)


def _line(line: str, known: Sentences) -> tuple[str, bool]:
    """A line in the other language, and whether an exception's own text goes on below it."""
    body = line.strip()
    if not body or len(body) > LONGEST_LINE:
        return line, False
    before, after = line[: len(line) - len(line.lstrip())], line[len(line.rstrip()) :]
    task = TASK.match(body)
    head = task[0] if task else ""
    found = known.find(body)
    if found is not None and not (head and found[1] and not found[0].words[0] and found[1][0].startswith(head)):
        one, values = found
        theirs = bool(one.names) and one.names[-1] in THEIRS and not one.words[-1]
        return f"{before}{_fill(one, values, known, 0)}{after}", theirs and not LINE_OF_CODE.match(body)
    if EXCEPTION.match(body):
        return line, True
    inner = known.find(body[len(head) :]) if head else None
    theirs = inner is not None and bool(inner[0].names) and inner[0].names[-1] in THEIRS and not inner[0].words[-1]
    return f"{before}{head}{_sentences(body[len(head) :], known, 0)}{after}", theirs


def _sentences(text: str, known: Sentences, depth: int) -> str:
    """Sentences in a row, each as long as the catalogue has it."""
    found = known.find(text)
    if found is not None:
        return _fill(*found, known, depth)
    cuts = [0, *(end.end() for end in END.finditer(text)), len(text)]
    if not 2 < len(cuts) <= MOST_SENTENCES:
        known.missed(text)
        return text
    made, at = "", 0
    while at < len(cuts) - 1:
        for to in range(min(len(cuts) - 1, at + IN_A_ROW), at, -1):
            piece = text[cuts[at] : cuts[to]]
            found = known.find(piece.rstrip())
            if found is not None:
                made += _fill(*found, known, depth) + piece[len(piece.rstrip()) :]
                at = to
                break
        else:
            known.missed(text[cuts[at] : cuts[at + 1]])
            made += text[cuts[at] : cuts[at + 1]]
            at += 1
    return made


def _fill(one: Template, values: list[str], known: Sentences, depth: int) -> str:
    def value(name: str, text: str) -> str:
        if NUMBERED.match(text) and (found := known.find(text)) is not None:
            return _fill(*found, known, depth + 1)
        if name in THEIRS or depth >= DEEPEST:
            return text
        if name == "page":
            return address(text, known.language)
        return _value(text, known, depth + 1)

    return filled(one, values, value)


def _value(text: str, known: Sentences, depth: int) -> str:
    """A value, which may be words of the course, or a list of such."""
    if text.isidentifier() and text not in SINGLE:
        return text
    if (found := known.find(text)) is not None:
        return _fill(*found, known, depth)
    if in_line := IN_LINE.fullmatch(text):
        return f"{in_line['what']} ({_value(in_line['line'], known, depth)})"
    if SUM.search(text) and (summed := _sum(text, known)) is not None:
        return summed
    if SEVERAL in text:
        return SEVERAL.join(_value(part, known, depth + 1) for part in text.split(SEVERAL)) if depth < DEEPEST else text
    if END.search(text):
        return _sentences(text, known, depth)
    parts = LIST.split(text)
    shown = [_item(part, known, depth) for part in parts]
    if len(parts) < 2 or any(part is None for part in shown):
        known.missed(text)
        return text
    between = (_joint(joint, known) for joint in LIST.findall(text))
    return "".join(_alternate((part or "" for part in shown), between))


def _sum(text: str, known: Sentences) -> str | None:
    """Weighted terms that are added up, `0.5 mu^2 + the square`, those that have names translated; None if none has."""
    terms, found = [], False
    for part in SUM.split(text):
        term = TERM.fullmatch(part)
        number, name = term.groups() if term else ("", part)
        one = known.whole.get(name)
        found = found or one is not None
        terms.append(number + (one.translation if one else name))
    return "".join(_alternate(terms, SUM.findall(text))) if found else None


def _item(text: str, known: Sentences, depth: int) -> str | None:
    """One of several in a list: a name, or words of the course; None if it is neither."""
    if not text.isidentifier() and (found := known.find(text)) is not None:
        return _fill(*found, known, depth)
    return text if " " not in text.strip() else None


def _joint(joint: str, known: Sentences) -> str:
    found = known.whole.get(joint.strip())
    return f" {found.translation} " if found else joint


def _alternate(items: Iterable[str], joints: Iterable[str]) -> Iterator[str]:
    left = iter(joints)
    for item in items:
        yield item
        yield next(left, "")


def address(where: str, language: str) -> str:
    """The same page of the book in another language; a file's name is the same in each.

    Example:
        >>> address("https://x.org/book/elbo.html", "vi")
        'https://x.org/vi/book/elbo.html'
        >>> address("elbo.html", "vi")
        'elbo.html'
    """
    if language == SOURCE or not where.startswith("https://"):
        return where
    return where.replace("/book/", f"/{language}/book/", 1)
