"""The released labs that the wheel brings along, for `vae-lab lab NAME`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vae_lab.checks.book_address import site

LINK = re.compile(r"\[([^][]+)\]\((?:\.\./)+book/([\w/-]+)\.md(#[\w-]+)?\)")
FOLDERS = (Path(__file__).parent / "labs", Path(__file__).parents[1] / "labs")  # in the wheel; in a copy of the source


def labs() -> dict[str, Path]:
    """The labs that are here, by name."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    return {path.stem: path for path in sorted(folder.glob("*/*.ipynb"))} if folder else {}


def with_live_links(notebook: str, book: str) -> str:
    r"""A lab's text with its links to the book's pages leading there; where that is not known, with the titles alone.

    Example:
        >>> with_live_links('["see [The ELBO](../../book/elbo.md)"]', "https://x.org")
        '["see [The ELBO](https://x.org/book/elbo.html)"]'
        >>> with_live_links('["see [The ELBO](../../book/elbo.md)"]', "")
        '["see The ELBO"]'
    """
    return LINK.sub(rf"[\1]({book}/book/\2.html\3)" if book else r"\1", notebook)


def fetch(name: str, folder: Path) -> Path:
    """Put a lab into a folder, unless it is there already: a student's work is never written over.

    Raises:
        ValueError: if there is no such lab.
    """
    known = labs()
    if name not in known:
        raise ValueError(f"there is no lab {name!r}; the labs are: {', '.join(known) or 'none here'}")
    target = folder / f"{name}.ipynb"
    if not target.exists():
        text = with_live_links(known[name].read_text(encoding="utf-8"), site())
        json.loads(text)
        folder.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return target
