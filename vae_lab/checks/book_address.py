"""Where the course's book is published, by the installed package's own word; messages link to its pages."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata


@cache
def site() -> str:
    """Where the book is published, without a slash at the end; "" if the installed package does not say.

    Example:
        >>> site() == "" or site().startswith("https://")
        True
    """
    try:
        urls = metadata("vae-lab").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return next((url.partition(", ")[2] for url in urls if url.startswith("Book, ")), "")


def page(slug: str) -> str:
    """A page's address, or its file's name where the book is published nowhere.

    Example:
        >>> page("elbo").endswith("elbo.html")
        True
    """
    return f"{site()}/book/{slug}.html" if site() else f"{slug}.html"
