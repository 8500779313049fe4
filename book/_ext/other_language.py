"""The same book in several languages: the way to the same page in another, and what a translated book needs.

`languages` in _config.yml names the books. The English one lies at the top, each other in a folder of its own. Every
page has a switch and `hreflang` links. A translated book (tools/translation/build.py builds it) runs no cell: it takes
what the English book's cells showed and exchanges the words. Headings keep the English places, so that a link to a
section leads to it in either language, and the theme's words come from `theme.po`.
"""

from __future__ import annotations

import html
import json
import pickle
import re
from pathlib import Path
from typing import Any

import myst_nb.sphinx_
from docutils import nodes
from jupyter_cache import get_cache
from myst_nb.core.execute import NotebookClientBase
from myst_nb.core.execute.cache import NotebookClientCache
from myst_nb.core.read import read_myst_markdown_notebook
from sphinx import locale
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from book._ext.published import address, book_site
from tools.translation import around
from tools.translation.outputs import Words, with_amounts, with_places

ENGLISH = "en"
ROOT = Path(__file__).parents[2]
TEXT = re.compile(r"(<(?:script|style|math|pre|svg)\b.*?</(?:script|style|math|pre|svg)>|<[^>]*>)", re.DOTALL)
NAMED = re.compile(r'(?<= )(title|aria-label|alt|placeholder|data-bs-title)="([^"]*)"')
COPY_WORDS = {
    "copy": "Copy",
    "copy_to_clipboard": "Copy to clipboard",
    "copy_success": "Copied!",
    "copy_failure": "Failed to copy",
}


def twins(app: Sphinx, page: str) -> list[dict[str, str]]:
    """The same page in the other languages: code, name, and the way there from this page."""
    here, up = app.config.language, "../" * page.count("/")
    top = up if here == ENGLISH else f"{up}../"
    return [
        {"code": code, "name": name, "url": f"{top}{'' if code == ENGLISH else f'{code}/'}{page}.html"}
        for code, name in app.config.languages.items()
        if code != here
    ]


def _switch(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    context["other_books"] = twins(app, page)


def _on_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    others = twins(app, page)
    place = address()
    links = {twin["code"]: twin["url"] for twin in others} | {app.config.language: f"{page.rpartition('/')[2]}.html"}
    if place:
        links = {code: f"{book_site(place.site, code)}/{page}.html" for code in links}
    tags = [f'<link rel="alternate" hreflang="{code}" href="{links[code]}" />' for code in sorted(links)]
    tags.append(f'<link rel="alternate" hreflang="x-default" href="{links[ENGLISH]}" />')
    if others:
        context["metatags"] = "\n".join([context.get("metatags") or "", *tags, ""])
    if "body" in context and app.config.language != ENGLISH:
        words = Words(page.rpartition("/")[2], app.config.language)
        context["body"] = re.sub(
            r'(?s)<div class="you-are-here">.*?</div>', lambda box: words.markup(box[0]), context["body"]
        )


class FromTheEnglishBook(NotebookClientCache):
    """Takes a page's outputs from the executed English page, and exchanges their words.

    Raises:
        LookupError: if the English page has not been executed as it stands now.
    """

    language = ENGLISH

    def start_client(self) -> None:
        """Fill in what the cells showed."""
        assert self.path is not None
        mine, slug = self._notebook, self.path.stem
        english = ROOT / "book" / f"{slug}.md"
        self._notebook = read_myst_markdown_notebook(english.read_text(encoding="utf-8"), add_source_map=True)
        try:
            get_cache(self.nb_config.execution_cache_path).match_cache_notebook(self._notebook)
        except KeyError as error:
            raise LookupError(f"book/{slug}.md has not been executed; build the English book first") from error
        super().start_client()
        words = Words(slug, self.language)
        for cell, executed in zip(mine.cells, self._notebook.cells, strict=True):
            if cell.cell_type == "code":
                cell.outputs = [words.output(output) for output in executed.outputs]
                cell.execution_count = executed.execution_count
        if "widgets" in self._notebook.metadata:
            mine.metadata["widgets"] = words.widgets(self._notebook.metadata["widgets"])
        self._notebook = mine


def _client(notebook: Any, source: str, config: Any, logger: Any, read_fmt: Any = None) -> NotebookClientBase:
    return FromTheEnglishBook(notebook, Path(source), config, logger, read_fmt=read_fmt)


class EnglishPlaces(SphinxTransform):
    """A translated heading has the place of the English one, and a link to a section is the same in both books."""

    default_priority = 200  # before labels and tables of contents are made of the places

    def apply(self, **kwargs: Any) -> None:
        """Change the places in order."""
        if self.config.language == ENGLISH:
            return
        kept = ROOT / "_build" / ".doctrees" / f"{self.env.docname}.doctree"
        if not kept.is_file():
            return
        english = [section["ids"] for section in pickle.loads(kept.read_bytes()).findall(nodes.section)]
        mine = list(self.document.findall(nodes.section))
        if len(english) != len(mine):
            return
        places = {}
        for section, ids in zip(mine, english, strict=True):
            places[section["ids"][0]] = ids[0]
            section["ids"] = list(ids)
            self.document.ids[ids[0]] = section
        slugs = self.env.metadata[self.env.docname].get("myst_slugs", {})
        for slug, (line, place, title) in list(slugs.items()):
            slugs[slug] = (line, places.get(place, place), title)


def _in_english(app: Sphinx, config: Any) -> None:
    """Nobody but `theme.po` translates what Sphinx and the theme say: a part of their Vietnamese is a machine's."""
    app.translator = locale.NullTranslations()
    for catalogue in locale.translators:
        locale.translators[catalogue] = locale.NullTranslations()
    around_figures = {"figure": "Fig. %s", "table": "Table %s"}
    config.numfig_format = {kind: around.said(text, config.language) for kind, text in around_figures.items()}
    FromTheEnglishBook.language = config.language
    myst_nb.sphinx_.create_client = _client


def in_other_words(page: str, words: dict[str, str]) -> str:
    """A built page with the words of the theme exchanged, where they are a whole text or a whole name.

    Example:
        >>> in_other_words('<p title="Search">Search</p><p>Search me</p>', {"Search": "Tìm"})
        '<p title="Tìm">Tìm</p><p>Search me</p>'
    """
    pieces = TEXT.split(page)
    for place, piece in enumerate(pieces):
        if place % 2:
            pieces[place] = NAMED.sub(lambda at: f'{at[1]}="{_exchanged(at[2], words)}"', piece)
        elif piece.strip():
            bare = piece.strip()
            pieces[place] = piece.replace(bare, _exchanged(bare, words), 1)
    return "".join(pieces)


def _exchanged(text: str, words: dict[str, str]) -> str:
    plain = html.unescape(text)
    said = words.get(plain)
    if said is None and (there := words.get(with_places(plain))):
        said = with_amounts(there, plain)
    return html.escape(said) if said else text


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error or app.builder.format != "html":
        return
    words = around.words(app.config.language)
    for path in Path(app.outdir).rglob("*.html"):
        if "_static" not in path.relative_to(app.outdir).parts:
            page = path.read_text(encoding="utf-8")
            path.write_text(in_other_words(page, words), encoding="utf-8")
    static = Path(app.outdir) / "_static"
    table = json.dumps(words, ensure_ascii=False, sort_keys=True)
    (static / "words.js").write_text(f"globalThis.courseWords = {table};\n", encoding="utf-8")
    copier = static / "copybutton.js"
    if copier.is_file():
        said = {key: around.said(text, app.config.language) for key, text in COPY_WORDS.items()}
        script = copier.read_text(encoding="utf-8")
        if f"'{app.config.language}': {{" not in script:
            entry = f"const messages = {{\n  '{app.config.language}': {json.dumps(said, ensure_ascii=False)},"
            copier.write_text(script.replace("const messages = {", entry, 1), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Run in every book; most of it does something in a translated one only."""
    app.add_config_value("languages", {ENGLISH: "English"}, "html")
    app.add_config_value(
        "catalogues", "", "env"
    )  # what the translated outputs are made of: another value, all is read again
    app.add_transform(EnglishPlaces)
    app.connect("html-page-context", _switch, priority=100)  # before the theme leaves out what shows nothing
    app.connect("html-page-context", _on_page, priority=940)
    if app.config.language != ENGLISH:
        app.add_js_file("words.js", priority=400)
        app.connect("config-inited", _in_english, priority=900)
        app.connect("build-finished", _finish, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
