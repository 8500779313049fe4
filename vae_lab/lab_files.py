"""The released labs that the wheel brings along, for `vae-lab lab NAME`."""

from __future__ import annotations

import json
import re
from pathlib import Path

from vae_lab.checks.book_address import site
from vae_lab.language import SOURCE

LINK = re.compile(r"\[([^][]+)\]\((?:\.\./)+book/([\w/-]+)\.md(#[\w-]+)?\)")
FOLDERS = (Path(__file__).parent / "labs", Path(__file__).parents[1] / "labs")  # in the wheel; in a copy of the source


def labs(language: str = SOURCE) -> dict[str, Path]:
    """The labs that are here in a language, by name."""
    folder = next((folder for folder in FOLDERS if folder.is_dir()), None)
    below = "" if language == SOURCE else f"{language}/"
    return {path.stem: path for path in sorted(folder.glob(f"{below}*/*.ipynb"))} if folder else {}


def book(language: str = SOURCE) -> str:
    """Where the book is published in a language, without a slash at the end; "" if that is not known."""
    return site() if language == SOURCE or not site() else f"{site()}/{language}"


def with_live_links(notebook: str, book: str) -> str:
    r"""A lab's text with its links to the book's pages leading there; where that is not known, with the titles alone.

    Example:
        >>> with_live_links('["see [The ELBO](../../book/elbo.md)"]', "https://x.org")
        '["see [The ELBO](https://x.org/book/elbo.html)"]'
        >>> with_live_links('["see [The ELBO](../../book/elbo.md)"]', "")
        '["see The ELBO"]'
    """
    return LINK.sub(rf"[\1]({book}/book/\2.html\3)" if book else r"\1", notebook)


def fetch(name: str, folder: Path, language: str = SOURCE) -> Path:
    """Put a lab into a folder, unless it is there already: a student's work is never written over.

    Args:
        name: of the lab; its file has this name in every language.
        folder: where to put it.
        language: of the lab's text.

    Raises:
        ValueError: if there is no such lab.
    """
    known = labs(language)
    if name not in known:
        raise ValueError(f"there is no lab {name!r}; the labs are: {', '.join(known) or 'none here'}")
    target = folder / f"{name}.ipynb"
    if not target.exists():
        text = with_live_links(known[name].read_text(encoding="utf-8"), book(language))
        json.loads(text)
        folder.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return target
