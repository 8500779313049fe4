"""Execute the cells of several pages side by side, before Sphinx reads one page after the other.

A cold build spends nearly all its time in kernels that compute on one core. So pages that the cache does not have are
executed ahead, and Sphinx then finds each of them there. What a page shows is the same: its cells run in a process of
their own. A page that fails here fails again where Sphinx reads it, which says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from myst_nb.core.execute import create_client
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.util import logging

AT_ONCE = 4  # a kernel with torch takes some 700 MB
logger = logging.getLogger(__name__)


def _execute_all(app: Sphinx, env: Any, names: list[str]) -> None:
    """Fill the cache with the pages that are about to be read, those with most to train first."""
    cores = os.cpu_count() or 1
    kernels = min(AT_ONCE, cores)
    if app.config.language != "en" or env.mystnb_config.execution_mode != "cache" or kernels == 1:
        return  # in another language no cell runs
    texts = {page: page.read_text(encoding="utf-8") for page in map(Path, map(env.doc2path, names))}
    pages = sorted(texts, key=lambda page: texts[page].count("fit("), reverse=True)
    _ = get_cache(env.mystnb_config.execution_cache_path).db  # its tables are made once
    with _threads_each(cores // kernels), ThreadPoolExecutor(kernels) as pool:
        list(pool.map(lambda page: _execute(env, page, texts[page]), pages))


def _execute(env: Any, page: Path, text: str) -> None:
    """Execute a page's cells, unless it has none or the cache has them."""
    config = env.mystnb_config
    try:
        reader = create_nb_reader(str(page), env.myst_config, config, text)
        if reader is not None:
            with create_client(reader.read(text), str(page), config, logger, reader.read_fmt):
                pass
    except Exception as error:
        logger.info(f"{page.name}: {type(error).__name__}; executed again when it is read")


@contextmanager
def _threads_each(number: int) -> Iterator[None]:
    """Torch's threads in kernels that begin within, unless the reader has said how many."""
    said = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = said or str(number)
    try:
        yield
    finally:
        if said is None:
            del os.environ["OMP_NUM_THREADS"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Run when it is known which pages are out of date, and before the first is read."""
    app.connect("env-before-read-docs", _execute_all)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
