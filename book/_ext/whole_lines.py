"""Keep what a cell prints in one piece.

A kernel sends its output every fifth of a second, and may cut a line in two; the two would stand on the page as two
lines, and neither would be found in a translation's catalogue.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from jupyter_cache.executors import utils
from nbclient import execute
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, Any]:
    """Have nbclient put together what arrives in pieces."""
    utils.executenb = partial(execute, coalesce_streams=True)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
