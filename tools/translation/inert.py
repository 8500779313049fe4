"""What a translation leaves as it is: formulas, code, roles, links, placeholders, numbers.

One list of patterns says it for the one who cuts a page into entries and for the one who compares an entry with its
translation.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

FORMULA = re.compile(r"(?<!\\)\$\$.+?\$\$|(?<![\\$])\$(?!\s)[^$]+?(?<!\s)\$")
ROLE = re.compile(r"\{(?P<role>[a-z][\w:]*)\}`(?P<text>[^`]+)`")
CODE = re.compile(r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)")
LABS = "|".join(sorted(lab.name for lab in (Path(__file__).parents[2] / "solutions").iterdir() if lab.is_dir()))
LAB = re.compile(rf"\[(?:{LABS})\]\(labs\.md\)")  # a lab's name
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")
TAG = re.compile(r"</?[a-z][^>]*>")
ADDRESS = re.compile(r"https?://[^\s)>]+")
PLACEHOLDER = re.compile(r"\{[^{}\s][^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
FORMAT = re.compile(r":[-+,<>^.\d]*[a-z%]?$")  # what the head of a Table says about its numbers
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
WORD = re.compile(r"[^\W\d_]{2,}")
MARK = re.compile(r"\*\*(?=\S)(?P<bold>.+?)\*\*")


def inert(text: str, *, placeholders: bool = False) -> Counter[str]:
    r"""Everything in a text that both languages share, with how often it occurs; the order may differ.

    Args:
        text: an entry or its translation.
        placeholders: also what stands in braces, as in a string of a program.

    Example:
        >>> sorted(inert("The mean $\\mu$ of `x`, see [here](elbo.md): 4,000."))
        ['$\\mu$', '](elbo.md)', '`x`', 'number 4,000']
    """
    return split(text, placeholders=placeholders)[0]


def words(text: str, *, placeholders: bool = False) -> str:
    """What is left to translate.

    Example:
        >>> words("[](elbo.md), {cite:t}`kingma2014`: $z$").strip()
        '[](), :'
    """
    return split(text, placeholders=placeholders)[1]


def split(text: str, *, placeholders: bool) -> tuple[Counter[str], str]:
    """The parts that stay, and the text without them."""
    found: Counter[str] = Counter()

    def take(pattern: re.Pattern[str], name: str, text: str) -> str:
        def one(match: re.Match[str]) -> str:
            found[name.format(match=match, target=_target(match))] += 1
            return "]()" if pattern is LINK else " "

        return pattern.sub(one, text)

    text = take(ROLE, "{match[role]} {target}", text)
    text = take(CODE, "{match[0]}", text)
    text = take(FORMULA, "{match[0]}", text)
    text = take(LAB, "{match[0]}", text)
    text = take(LINK, "{match[0]}", text)
    text = take(TAG, "{match[0]}", text)
    text = take(ADDRESS, "{match[0]}", text)
    if placeholders:
        text = take(PLACEHOLDER, "{match[0]}", text)
    rest = text
    take(NUMBER, "number {match[0]}", text)
    return found, rest


def _target(match: re.Match[str]) -> str:
    """What a role points at: {term}`encoder` and {term}`bộ mã hóa <encoder>` are the same."""
    text = match.groupdict().get("text") or ""
    inside = re.fullmatch(r".*<([^<>]+)>", text, re.DOTALL)
    return inside[1] if inside else text


def has_words(text: str, *, placeholders: bool = False) -> bool:
    """Whether there is anything to translate: a word of two letters that is no code, formula, role or address."""
    return bool(WORD.search(words(text, placeholders=placeholders)))
