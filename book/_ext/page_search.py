"""The book's own search: the page that is about a word comes first, from a folder as from a server.

Sphinx's index counts a word in a cell's code as much as one in a title, and its list of results fetches each page again
for a few words of it, which a browser forbids from file://. Here the built pages are read once: titles, headings, the
terms that a page introduces, and prose, without code and what it printed, formulas as the letters that a reader sees.
A page may name other words that people have for its subject, as `search_words` in its front matter. All goes into one
file, _static/search-data.js; MiniSearch ranks, and book/widget_pages/_static/search.js shows.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx

from book._ext.search_vietnamese import SearchVietnamese

NOT_PROSE = (
    "pre", "script", "style", "svg", "div.cell", "a.headerlink", ".katex-html", ".katex-display", "details.hide",
    "div.you-are-here", "span.caption-number", "table span.column", "div.course-next",
)  # fmt: skip
HEADINGS = ("h1", "h2", "h3")
WORDS_OF_A_TERM = 4  # more in bold type are a sentence


def sections(page: str) -> list[dict[str, str]]:
    """Return the sections of a built page in their order, each with its place (`id`), `heading` and `text`.

    Example:
        >>> sections('<article><section id="a"><h1>One</h1><p>Some text.</p></section></article>')
        [{'id': 'a', 'heading': 'One', 'text': 'Some text.'}]
    """
    article = BeautifulSoup(page, "html.parser").find("article")
    if not isinstance(article, Tag):
        return []
    for caption in article.select("div.cell figcaption"):  # it is prose, though it stands in a cell
        caption.find_parent("div", class_="cell").insert_before(caption.extract())
    for element in article.select(",".join(NOT_PROSE)):
        element.decompose()
    for block in article.select("p, li, td, th, dt, dd, summary, figcaption"):
        block.append(" ")
    found = []
    for section in article.find_all("section"):
        heading = section.find(HEADINGS, recursive=False)
        text = "".join(child.get_text() for child in section.children if not _is_apart(child))
        words = heading.get_text() if heading else ""
        found.append({"id": section.get("id", ""), "heading": _plain(words), "text": _plain(text)})
    return found


def introduced(page: str) -> list[str]:
    """Return the terms that a built page introduces: what it has in bold type, and the entries of a glossary.

    Example:
        >>> introduced("<article><p>The <strong>posterior</strong> is not the <em>prior</em>.</p></article>")
        ['posterior']
    """
    article = BeautifulSoup(page, "html.parser").find("article")
    if not isinstance(article, Tag):
        return []
    for element in article.select(",".join(NOT_PROSE)):
        element.decompose()
    terms = (_plain(element.get_text()).rstrip(".:") for element in article.select("strong, dl.glossary > dt"))
    return list(dict.fromkeys(term for term in terms if term and len(term.split()) <= WORDS_OF_A_TERM))


def other_words(metadata: dict[str, Any]) -> list[str]:
    """Return the `search_words` of a page's front matter.

    Example:
        >>> other_words({"search_words": "overfitting, FID"})
        ['overfitting', 'FID']
    """
    return [word.strip() for word in str(metadata.get("search_words", "")).split(",") if word.strip()]


def _is_apart(child: object) -> bool:
    return isinstance(child, Tag) and child.name in ("section", *HEADINGS)


def _plain(text: str) -> str:
    """Return text in one line, without the gaps before commas that the end of a tag has left."""
    return re.sub(r"\s+([,.;:)?!])", r"\1", " ".join(text.replace("\u2061", "").split()))


def _no_index_of_sphinx(app: Sphinx) -> None:
    app.builder.search = False  # its searchindex.js would be a second one


def _write(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html" or app.builder.name != "html":
        return
    pages = []
    for name in sorted(app.env.found_docs):
        built = Path(app.builder.get_outfilename(name))
        html = built.read_text(encoding="utf-8") if built.is_file() else ""
        if found := sections(html):
            page: dict[str, Any] = {"url": app.builder.get_target_uri(name), "title": found[0]["heading"]}
            words = other_words(app.env.metadata[name])
            pages.append({**page, "terms": introduced(html), "words": words, "sections": found})
    target = Path(app.outdir) / "_static" / "search-data.js"
    text = json.dumps(pages, ensure_ascii=False, separators=(",", ":"))
    target.write_text(f"globalThis.searchPages = {text};\n", encoding="utf-8")
    if app.config.language == SearchVietnamese.lang:
        target.with_name("search-language.js").write_text(SearchVietnamese.js_stemmer_code, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Put the own search page in the place of Sphinx's."""
    app.add_search_language(SearchVietnamese)
    app.connect("builder-inited", _no_index_of_sphinx)
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
