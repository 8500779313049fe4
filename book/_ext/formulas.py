r"""Formulas drawn by KaTeX, on pages that have one.

Sphinx writes a formula as text, ``<span class="math">\(...\)</span>``, for MathJax. The text stays as it is (it is what
a reader without JavaScript sees); only who draws it changes: KaTeX with its fonts is 0.2 MB instead of MathJax's 0.7,
and has drawn a page in a tenth of a second.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext import mathjax

KATEX = "vendor/katex-0.19.1/katex.min"


def _load_where_needed(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if 'class="math' in context.get("body", ""):  # asked of the finished page: outputs of cells have formulas too
        app.add_css_file(f"{KATEX}.css")
        app.add_js_file(f"{KATEX}.js", priority=150)  # before require.js, whose `define` it would call
        app.add_js_file("draw-formulas.js", defer="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the writer that _config.yml names under html_math_renderer."""
    app.add_html_math_renderer("katex", (mathjax.html_visit_math, None), (mathjax.html_visit_displaymath, None))
    app.connect("html-page-context", _load_where_needed, priority=400)  # before the page's list of files is made
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
