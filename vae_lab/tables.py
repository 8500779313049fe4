"""A table of results that a notebook shows as a table, and a terminal as aligned text.

A page's cell collects rows as it measures, and ends with the table's name. Screen readers find its heads, and on a
phone it is still a table, where printed columns would break apart.
"""

from __future__ import annotations

from html import escape


class Table:
    """Rows under named columns; the first column names the rows.

    Args:
        columns: a name for each column, as "loss", or with the format of its numbers, as "loss:.1f".

    Example:
        >>> table = Table("model", "loss:.1f", "share:.0%")
        >>> table.add("VAE", 154.23, 0.5)
        >>> table.add("none", 206.4, None)
        >>> print(table)
        model   loss  share
        VAE    154.2    50%
        none   206.4      –
        >>> table.rows[0]
        ('VAE', '154.2', '50%')
    """

    def __init__(self, *columns: str) -> None:
        if not columns:
            raise ValueError("Table: there are no columns; name at least one.")
        self.columns, formats = zip(
            *((name, form) for name, _, form in (c.partition(":") for c in columns)), strict=True
        )
        self._cells: list[list[list[str]]] = []
        self._formats = formats

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """What was added, as it is written."""
        return [tuple(" ".join(said) for said in cells) for cells in self._cells]

    def add(self, *cells: object) -> None:
        """Add a row; None leaves a cell open. Tensors of one number are numbers; a list is one number for each seed.

        Raises:
            ValueError: if there are more or fewer cells than columns.
        """
        if len(cells) != len(self.columns):
            raise ValueError(f"Table: {len(cells)} cells for {len(self.columns)} columns.")
        self._cells.append(
            [
                [_said(each, form) for each in (cell if isinstance(cell, list) else [cell])]
                for cell, form in zip(cells, self._formats, strict=True)
            ]
        )

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        lines = []
        for row in (self.columns, *self.rows):
            first, *others = zip(row, widths, strict=True)
            lines.append("  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]).rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in self.columns)
        body = "".join(
            f'<tr><th scope="row">{escape(" ".join(name))}</th>'
            + "".join(f"<td>{_seeds(c)}</td>" for c in cells)
            + "</tr>"
            for name, *cells in self._cells
        )
        return f'<table class="table results"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _seeds(said: list[str]) -> str:
    """A cell; course.css says when a page puts its numbers below each other, and the spaces are for who reads text."""
    if len(said) == 1:
        return escape(said[0])
    return " ".join(f'<span class="seed">{escape(each)}</span>' for each in said)


def _said(cell: object, form: str) -> str:
    if cell is None:
        return "–"
    value = cell.item() if hasattr(cell, "item") else cell
    return format(value, form) if form and not isinstance(value, str) else str(value)
