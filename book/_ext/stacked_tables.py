"""On a phone a wide table becomes one block for each row, in which each cell says its column's name.

The names are put into the cells here, once for the whole book, and a style hides them where there is room for a table.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

WIDE = 3  # columns
OWN_STYLE = {"lecture-table", "notation-table"}  # course.css lays these two out by themselves


class NameCells(SphinxPostTransform):
    """Give each cell of a wide table the name of its column."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Change the tables in place."""
        for table in list(self.document.findall(nodes.table)):
            heads = [row for head in table.findall(nodes.thead) for row in head.findall(nodes.row)]
            if len(heads) != 1 or len(heads[0]) < WIDE or OWN_STYLE & _classes_around(table):
                continue
            table["classes"].append("stacks")
            names = [
                [part.deepcopy() for text in entry for part in text.children] for entry in heads[0]
            ]  # formulas too
            for body in table.findall(nodes.tbody):
                for row in body.findall(nodes.row):
                    for name, entry in list(zip(names, row, strict=False))[1:]:
                        if name and entry.astext():
                            parts = [part.deepcopy() for part in name]  # formulas, too
                            entry.insert(0, nodes.inline("", "", *parts, classes=["column"]))


def _classes_around(node: nodes.Node | None) -> set[str]:
    found: set[str] = set()
    while isinstance(node, nodes.Element):
        found |= set(node.get("classes", []))
        node = node.parent
    return found


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the transform."""
    app.add_post_transform(NameCells)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
