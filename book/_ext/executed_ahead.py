"""Execute the cells of several pages side by side, before Sphinx reads one page after the other.

A cold build spends nearly all its time in kernels that compute on one core. So pages that the cache does not have are
executed ahead, and Sphinx then finds each of them there. What a page shows is the same: its cells run in a process of
their own. A page that fails here fails again where Sphinx reads it, which says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn, JupyterCacheAbstract
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util import logging

AT_ONCE = 4  # a kernel with torch takes some 700 MB
logger = logging.getLogger(__name__)


def _execute_all(app: Sphinx, env: Any, names: list[str]) -> None:
    """Fill the cache with the pages that are about to be read, those with most to train first.

    They are stored by one thread: of two that store at once, jupyter-cache, which then looks for what is too old to
    keep, may delete the page that the other has just stored.
    """
    cores = os.cpu_count() or 1
    kernels = min(AT_ONCE, cores)
    if app.config.language != "en" or env.mystnb_config.execution_mode != "cache" or kernels == 1:
        return  # in another language no cell runs
    cache = get_cache(env.mystnb_config.execution_cache_path)
    read = {page: _not_executed(env, cache, page) for page in map(Path, map(env.doc2path, names))}
    notebooks = {page: notebook for page, notebook in read.items() if notebook is not None}
    pages = sorted(notebooks, key=lambda page: page.read_text(encoding="utf-8").count("fit("), reverse=True)
    with _threads_each(cores // kernels), ThreadPoolExecutor(kernels) as pool:
        running = {pool.submit(_executed, env, page, notebooks[page]): page for page in pages}
        for done in as_completed(running):
            page = running[done]
            error = done.exception() or done.result().err
            if error is not None:
                logger.info(f"{page.name}: {type(error).__name__}; executed again when it is read")
                continue
            data = {"execution_seconds": done.result().time}
            bundle = CacheBundleIn(notebooks[page], str(page), data=data)
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _not_executed(env: Any, cache: JupyterCacheAbstract, page: Path) -> NotebookNode | None:
    """A page as a notebook, or `None`: without cells, executed before, or unreadable (Sphinx will say why)."""
    text = page.read_text(encoding="utf-8")
    try:
        reader = create_nb_reader(str(page), env.myst_config, env.mystnb_config, text)
        notebook = None if reader is None else reader.read(text)
    except Exception as error:
        logger.info(f"{page.name}: {type(error).__name__}")
        return None
    if notebook is not None:
        with suppress(KeyError):
            cache.match_cache_notebook(notebook)
            return None
    return notebook


def _executed(env: Any, page: Path, notebook: NotebookNode) -> ExecutionResult:
    """The cells with their outputs, in `notebook` itself."""
    config = env.mystnb_config
    return single_nb_execution(notebook, str(page.parent), config.execution_timeout, config.execution_allow_errors)


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
