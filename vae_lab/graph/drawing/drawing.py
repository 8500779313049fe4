"""A picture that shows itself in a notebook, on a page of the book, and as a file."""

from __future__ import annotations

from pathlib import Path

from vae_lab.graph.drawing.dot import to_dot
from vae_lab.graph.drawing.picture import Picture
from vae_lab.graph.drawing.sentences import describe
from vae_lab.graph.drawing.svg import to_svg
from vae_lab.language import said


class Drawing:
    """A drawn graph. The last line of a cell shows it; `save` writes it; `str` says it in words."""

    def __init__(
        self,
        picture: Picture,
        *,
        numbers: bool = False,
        shapes: bool = False,
        values: bool = False,
        legend: bool = True,
    ) -> None:
        self.picture = picture
        self.svg = to_svg(picture, numbers=numbers, shapes=shapes, values=values, legend=legend)

    @property
    def dot(self) -> str:
        """The picture in the DOT language."""
        return to_dot(self.picture)

    def save(self, path: str | Path) -> Path:
        """Write the SVG to a file and return its path."""
        path = Path(path)
        path.write_text(self.svg, encoding="utf-8")
        return path

    def __str__(self) -> str:
        return "\n".join(map(said, describe(self.picture)))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f'<div class="vae-graph-holder">{self.svg}</div>'

    def _repr_svg_(self) -> str:
        return self.svg
