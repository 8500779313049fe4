r"""Formulas drawn when the book is built, by the KaTeX that lies in book/vendor.

A page then holds the drawn formula (and MathML for screen readers) and needs no script for it: paper and readers
without JavaScript see formulas, not TeX. KaTeX is JavaScript; QuickJS, an engine of 2 MB that comes as a wheel, runs it
here, so that a build needs no node. All formulas of the book take two seconds. A formula with an error is a warning,
and the build's -W makes it an error.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

import quickjs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

KATEX = "vendor/katex-0.19.1/katex.min"
SOURCE = Path(__file__).parents[1] / "vendor" / "_static" / f"{KATEX}.js"
# Through JSON, which makes one flat string: the binding does not know a string that the engine keeps in pieces.
DRAW = "(text, block) => JSON.stringify(katex.renderToString(text, {displayMode: block, throwOnError: true}))"
ANNOTATION = re.compile(r"<annotation .*?</annotation>", re.DOTALL)  # the TeX again, which nobody should be shown
LONG = 40  # characters of TeX; what is longer may be parted from the comma after it
logger = logging.getLogger(__name__)


@functools.cache
def _katex() -> Any:
    engine = quickjs.Context()
    engine.eval(SOURCE.read_text(encoding="utf-8"))
    return engine.eval(DRAW)


@functools.cache
def drawn(tex: str, block: bool) -> str:
    """Return a formula as HTML.

    Raises:
        quickjs.JSException: if KaTeX does not understand it.
    """
    return ANNOTATION.sub("", json.loads(_katex()(tex.strip(), block)))


def _safely(self: HTML5Translator, node: nodes.Element, tex: str, block: bool) -> str:
    try:
        return drawn(tex, block)
    except quickjs.JSException as error:
        logger.warning("the formula %r: %s", tex, error, location=node)
        return str(self.encode(tex))


def _visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_safely(self, node, node.astext(), False) + "</span>")
    raise nodes.SkipNode


def _visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(_safely(self, node, as_one(node.astext(), bool(node.get("nowrap"))), True) + "</div>\n")
    raise nodes.SkipNode


def as_one(tex: str, complete: bool) -> str:
    r"""Return one formula for what may be several lines (``\\``) or several formulas (an empty line between them)."""
    if complete:
        return tex
    parts = re.split(r"\n\s*\n", tex.strip())
    lines = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    return lines[0] if len(lines) == 1 else r"\begin{gathered}" + r" \\ ".join(lines) + r"\end{gathered}"


class KeepTogether(SphinxPostTransform):
    """A comma after a short formula stays on its line: a browser may break on both sides of what KaTeX draws."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Put formula and mark into one span."""
        for formula in list(self.document.findall(nodes.math)):
            parent, place = formula.parent, formula.parent.index(formula) + 1
            after = parent[place] if place < len(parent) else None
            mark = re.match(r"[^\s\w]+", after) if isinstance(after, nodes.Text) else None
            if mark and len(formula.astext()) <= LONG:
                parent[place - 1 : place + 1] = [
                    nodes.inline("", "", formula, nodes.Text(mark[0]), classes=["one-piece"]),
                    nodes.Text(after[mark.end() :]),
                ]


def _load_where_needed(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if 'class="math' in context.get("body", ""):  # asked of the finished page: outputs of cells have formulas too
        app.add_css_file(f"{KATEX}.css")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the writer that _config.yml names under html_math_renderer."""
    app.add_html_math_renderer("katex", (_visit_inline, None), (_visit_block, None))
    app.add_post_transform(KeepTogether)
    app.connect("html-page-context", _load_where_needed, priority=400)  # before the page's list of files is made
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
