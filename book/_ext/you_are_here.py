"""The model in one line under a page's title, with the part marked that the page is about.

A page says which: `model_part: z noise` in its front matter; the names are those of vae_lab/architecture.py, which
draws it. A page that names none has no such line.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from vae_lab.architecture import PARTS, strip

logger = logging.getLogger(__name__)


def _on_page(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    parts = str(app.env.metadata.get(page, {}).get("model_part", "")).split()
    if not parts or "body" not in context:
        return
    if set(parts) - set(PARTS):
        logger.warning("model_part: %s are not all parts of the model: %s", parts, ", ".join(PARTS), location=page)
        return
    words = "the whole model" if len(parts) == len(PARTS) else "; ".join(PARTS[part] for part in PARTS if part in parts)
    picture = f'<div class="you-are-here">{strip(parts)}<p>You are here: <strong>{words}</strong></p></div>'
    context["body"] = context["body"].replace("</h1>", f"</h1>\n{picture}", 1)


def setup(app: Sphinx) -> dict[str, Any]:
    """Run when a page's text is there."""
    app.connect("html-page-context", _on_page, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
