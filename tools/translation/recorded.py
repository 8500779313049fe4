"""The texts that cells show and that interactions say: what the catalogues `outputs` and `widgets` have to hold.

Outputs are taken from the executed pages (`make book` leaves them in its cache), so that a text is there
exactly if a reader sees it. What the package's own catalogue or a string of the page translates needs no entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from jupyter_cache import get_cache
from myst_nb.core.read import read_myst_markdown_notebook
from nbformat import NotebookNode

from tools.translation.catalogue import PAGES, ROOT, Text, slugs
from tools.translation.outputs import Words, has_words, shown

CACHE = ROOT / "_build" / ".jupyter_cache"
WIDGET_WORDS = ROOT / "vae_lab" / "widgets" / "words"


def executed(slug: str) -> NotebookNode | None:
    """A page's notebook with what its cells showed when the English book was built; None before that."""
    notebook = read_myst_markdown_notebook((PAGES / f"{slug}.md").read_text(encoding="utf-8"))
    cache = get_cache(CACHE)
    try:
        cache.match_cache_notebook(notebook)
    except KeyError:
        return None
    return cache.merge_match_into_notebook(notebook)[1]


def of_outputs(language: str) -> Iterator[Text]:
    """Every text of every output that only `outputs.po` can translate."""
    from vae_lab.architecture import PARTS, strip

    sentences = {text.text for text in of_widgets()}
    for slug in slugs():
        found: list[str] = []
        words = Words(slug, language, missed=found.append, known={})
        if notebook := executed(slug):
            for output in shown(notebook):
                words.output(output)
            words.widgets(notebook["metadata"].get("widgets", {}))
        yield from (Text(text, f"book/{slug}.md", 1, "words of a cell") for text in found if text not in sentences)
    title, *drawn = re.findall(r"<(?:title|text)[^>]*>([^<]*)</", strip(set(PARTS)))
    head = title.partition("Marked: ")[0] + "Marked:"
    shown_in_it = [text for text in drawn if has_words(text) or "=" in text]
    for text in [head, *shown_in_it, *PARTS.values(), "the whole model", "You are here:"]:
        yield Text(text, "vae_lab/architecture.py", 1, "words of a cell")


def of_widgets() -> Iterator[Text]:
    """Every sentence of every interaction."""
    for path in sorted(WIDGET_WORDS.glob("*.json")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for key, sentence in json.loads("\n".join(lines)).items():
            line = next(number for number, line in enumerate(lines, 1) if line.strip().startswith(f'"{key}":'))
            yield Text(sentence, str(path.relative_to(ROOT)), line, f"words of an interaction: {key}")
