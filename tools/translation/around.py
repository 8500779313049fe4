"""The words around the pages: boxes and buttons of the book, its search, its table of contents, and the theme's own.

Code asks for them with `said("Solution", language)`, JavaScript with `said("Check")`; both are found by that call, and
what the theme and Sphinx say is listed here. Their own Vietnamese is in part none and in part a machine's.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator

import yaml

from tools.translation.catalogue import ROOT, THEME, Text, folder, read

CALL = re.compile(r"\bsaid\(\s*(?P<text>\"(?:[^\"\\\n]|\\.)*\")")
WHERE = ("book/_ext/*.py", "tools/notebooks.py", "book/_static/*.js", "book/widget_pages/_static/*.js")
IN_SETTINGS = ("nb_code_prompt_show", "nb_code_prompt_hide")
THEIRS = (
    # Sphinx and its themes; numbers are places
    "Search", "Search this book...", "On this page", "Contents", "Skip to main content", "Back to top", "Home", "Main",
    "VAE Lab - Home", "Page", "Version warning", "Color mode", "Light", "Dark", "System Settings", "previous", "next",
    "Toggle primary sidebar", "Toggle secondary sidebar", "previous page", "next page", "Download this page",
    "Download source file", "Print to PDF", "Index", "By the VAE Lab authors", "© Copyright {1}.",
    "Last updated on {1}/{2}/{3}.", "Link to this heading", "Link to this image", "Link to this table",
    "Link to this term", "Link to this equation", "Link to this code", "Error", "Fig. %s", "Table %s",
    "Please activate JavaScript to enable the search functionality.",
    "and", "or",
    # the buttons that copy code
    "Copy", "Copy to clipboard", "Copied!", "Failed to copy",
    # MyST-NB's table of what was executed
    "Document", "Modified", "Method", "Run Time (s)", "Status", "cache", "ran",
)  # fmt: skip


@functools.cache
def _words(language: str) -> dict[str, str]:
    return {entry.msgid: entry.msgstr for entry in read(folder(language) / f"{THEME}.po") if entry.msgstr}


def said(text: str, language: str) -> str:
    """A text of the book's own in a language; English where it is not translated.

    Example:
        >>> said("Solution", "en")
        'Solution'
    """
    return text if language == "en" else _words(language).get(text, text)


def words(language: str) -> dict[str, str]:
    """All of them that are translated, for JavaScript and for gettext."""
    return dict(_words(language))


def texts() -> Iterator[Text]:
    """Everything that is said around the pages."""
    for pattern in WHERE:
        for path in sorted(ROOT.glob(pattern)):
            source = path.read_text(encoding="utf-8")
            for call in CALL.finditer(source):
                line = source.count("\n", 0, call.start()) + 1
                yield Text(json.loads(call["text"]), str(path.relative_to(ROOT)), line, "words of the book")
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for part in toc["parts"]:
        yield Text(part["caption"], "_toc.yml", 1, "table of contents")
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    for name in IN_SETTINGS:
        yield Text(settings["sphinx"]["config"][name], "_config.yml", 1, "button")
    yield Text(settings["html"]["extra_footer"], "_config.yml", 1, "foot of each page")
    for text in THEIRS:
        yield Text(text, "tools/translation/around.py", 1, "words of the theme")
