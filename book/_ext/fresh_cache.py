"""Keep a second build honest: a page's outputs depend on vae_lab, and its looks on the book's own files.

jupyter-cache keys on a page's own code. This extension keeps a digest of the package beside the cache; when it has
changed, the cache is emptied and every page is read again. When a style or an extension of the book has changed, every
page is read again, too, with what it has in the cache.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

NOT_ON_PAGES = ("grading", "checks", "cli.py")
logger = logging.getLogger(__name__)


def package_digest(package: Path, without: tuple[str, ...] = NOT_ON_PAGES) -> str:
    """Return a sha256 over the names and bytes of the files of ``package`` that a page can import."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*")):
        inside = path.relative_to(package)
        if path.is_file() and inside.parts[0] not in without and "__pycache__" not in inside.parts:
            digest.update(inside.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _empty_if_stale(app: Sphinx) -> None:
    app.fresh_cache_changed = False  # type: ignore[attr-defined]
    if app.config.language != "en":  # it has what the English book's cells showed, and looks at nothing itself
        return
    cache = Path(app.config.nb_execution_cache_path or Path(app.outdir).parent / ".jupyter_cache")
    mark = cache.parent / "vae_lab.sha256"
    now = package_digest(Path(app.srcdir) / "vae_lab")
    app.fresh_cache_changed = not mark.exists() or mark.read_text() != now  # type: ignore[attr-defined]
    if app.fresh_cache_changed:  # type: ignore[attr-defined]
        if cache.exists():
            logger.info("vae_lab has changed: every page is executed again")
            shutil.rmtree(cache)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(now)


def _read_all_again(app: Sphinx, env: Any, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    return sorted(env.found_docs) if app.fresh_cache_changed else []  # type: ignore[attr-defined]


def setup(app: Sphinx) -> dict[str, Any]:
    """Run before any page is read."""
    own = Path(__file__).parents[1]
    looks = "".join(package_digest(own / folder, without=()) for folder in ("_ext", "_static", "_templates"))
    app.add_config_value("own_files", looks, "env")  # Sphinx reads all pages again when the value is another
    app.connect("builder-inited", _empty_if_stale, priority=100)
    app.connect("env-get-outdated", _read_all_again)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
