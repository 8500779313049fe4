"""Which language a notebook is in: that of the lab's own cells in it, which a student reads and rarely touches.

What its set-up cell or its metadata says counts where none of those is left: a round trip may drop the metadata, and a
cell is soon edited, but not all of them at once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from vae_lab.grading.lab.matching import bare
from vae_lab.grading.lab.notebook_file import NotebookFile, StudentCell
from vae_lab.grading.lab.source import Lab
from vae_lab.language import SOURCE, languages

SETUP = re.compile(r"checks\.start\([^()\n]{1,80}?language=[\"'](\w{2,8})[\"']")
LONGEST = 20_000  # characters of a cell that may be the lab's own


def language_of(lab: Lab, file: NotebookFile) -> str:
    """The language of a submitted notebook, "en" if nothing in it says another.

    Args:
        lab: in all its languages.
        file: what was read.
    """
    texts: dict[str, set[str]] = {}
    for cell in lab.cells:
        for language, text in ((SOURCE, cell.released), *cell.also):
            texts.setdefault(bare(text), set()).add(language)
    found: Counter[str] = Counter()
    for own in file.cells:
        named = texts.get(bare(own.source), set()) if len(own.source) <= LONGEST else set()
        if len(named) == 1:  # the same in two languages tells nothing
            found.update(named)
    most = found.most_common(2)
    if most and (len(most) == 1 or most[0][1] > most[1][1]):
        return most[0][0]
    return told(file.cells, file.language)


def told(cells: Sequence[StudentCell], metadata: str = "") -> str:
    """The language that a set-up cell, or else the file's metadata, names.

    Example:
        >>> told([StudentCell("code", 'checks.start("sampling", language="vi")')])
        'vi'
    """
    named = (SETUP.search(cell.source[:LONGEST]) for cell in cells if cell.code)
    language = next((name[1] for name in named if name), metadata)
    return language if language in languages() else SOURCE
