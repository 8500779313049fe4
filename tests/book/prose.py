"""What a reader of a page reads, without what only a computer reads."""

from __future__ import annotations

import re
from pathlib import Path

CELL = re.compile(r"^```\{code-cell\}.*?^```$", re.MULTILINE | re.DOTALL)
WORDS_OF_A_FIGURE = re.compile(r'^\s*(?:alt|caption): "(.*)"$', re.MULTILINE)
SOURCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """The sentences of a page, and its figures' captions and descriptions; no code, no addresses, no formulas' names.

    Links to other pages go with their text: what stands there belongs to the other page.
    """
    text = re.sub(r"\A---\n.*?^---\n", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    text = CELL.sub(lambda cell: "\n".join(WORDS_OF_A_FIGURE.findall(cell[0])), text)
    text = SOURCE.sub("", text)
    text = re.sub(r"\[[^\]]*\]\([^)]*\.md[^)]*\)", "", text)  # links to pages
    text = re.sub(r"\{cite:\w\}`[^`]*`", "", text)
    text = re.sub(r"`[^`\n]*`", "", text)  # names in code
    return text
