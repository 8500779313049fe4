"""The code of a figure stands below it, folded: a reader wants the picture first.

A cell tagged `hide-input` shows its output and then "Show the code", in the order of the page itself, so that the
keyboard and a screen reader go the same way as the eye.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


class CodeBelow(SphinxPostTransform):
    """Move the folded code of a cell behind its output."""

    default_priority = 200  # just after MyST-NB has folded it
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Change the cells in place."""
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("hide_mode") == "input" and len(cell) == 2 and isinstance(cell[0], HideCodeCellNode):
                code = cell.pop(0)
                code["classes"] = ["below-output"]
                cell.append(code)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_post_transform(CodeBelow)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
