"""Long names in code may break after an underscore or a dot, so that a table of them fits a phone.

A browser breaks lines at spaces, and a name has none; breaking anywhere cuts words in two. A copied name stays whole.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


class BreakLongNames(SphinxPostTransform):
    """Put a `<wbr>` after each underscore and dot of the literals in tables."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Change the literals in place."""
        for literal in list(self.document.findall(nodes.literal)):
            parts = re.split(r"(?<=[_.])(?=\w)", literal.astext())
            if len(parts) < 2 or not _in_table(literal):
                continue
            pieces: list[nodes.Node] = []
            for part in parts[:-1]:
                pieces += [nodes.Text(part), nodes.raw("", "<wbr>", format="html")]
            literal.children.clear()
            literal.extend([*pieces, nodes.Text(parts[-1])])


def _in_table(node: nodes.Node | None) -> bool:
    while node is not None:
        if isinstance(node, nodes.entry):
            return True
        node = node.parent
    return False


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_post_transform(BreakLongNames)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
