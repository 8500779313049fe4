"""Take off each page what no reader of this book needs: unused scripts, and a live-kernel library fetched from outside.

Jupyter Book switches these on for every book and has no setting that keeps them out.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

# file names, or words of an inline script
UNWANTED = ("sphinx-thebe", "THEBE_JS_URL", "design-tabs", "togglebutton", "toggleHint", "toggleOpenOnPrint")


def _drop_scripts(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    def wanted(asset: Any) -> bool:
        text = f"{getattr(asset, 'filename', asset)} {getattr(asset, 'attributes', {}).get('body', '')}"
        return not any(word in text for word in UNWANTED)

    for kind in ("script_files", "css_files"):
        context[kind] = [asset for asset in context.get(kind, []) if wanted(asset)]


def _mend_roles(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Give citations a role that a list may hold, and the status table a word in place of an emoji.

    Sphinx still writes a role that ARIA has withdrawn, and not every machine has a font for the emoji.
    """
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"').replace("✅", "ran")


def _drop_kernel_settings(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for node in list(doctree.findall(nodes.raw)):
        if "x-thebe-config" in node.astext() or "kernelName" in node.astext():
            node.parent.remove(node)


def setup(app: Sphinx) -> dict[str, Any]:
    """Run after the extensions that add these things."""
    app.connect("html-page-context", _drop_scripts, priority=900)
    app.connect("html-page-context", _mend_roles, priority=900)
    app.connect("doctree-resolved", _drop_kernel_settings, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
