"""Put together what is published: the book, its notebooks, the wheel, an offline copy, a sitemap and checksums.

    python -m tools.publish                     # the address is the setting in pyproject.toml
    python -m tools.publish --site http://localhost:8000 --out _build/site     # to look at here

Needs a built book in `_build/html` and released labs in `labs/`. The result is a folder that any web server can serve.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from myst_nb.core.read import is_myst_markdown_notebook

from book._ext.published import OFFLINE, address, book_site, notebook_path
from tools.notebooks import lab_notebook, page_notebook
from tools.translation.catalogue import translated

ROOT = Path(__file__).parents[1]
LEFT_BEHIND = (".buildinfo", "objects.inv", ".doctrees")  # Sphinx's own; no reader needs it
BEGINNING = (1980, 1, 1, 0, 0, 0)  # the same book gives the same zip


def publish(out: Path, site: str, root: Path = ROOT, earlier: Path | None = None) -> list[Path]:
    """Fill a folder with what is published.

    Args:
        out: the folder; emptied first.
        site: the address it will have, without a slash at the end.
        root: the course.
        earlier: what was published before; wheels of other versions in it are kept, because students' saved notebooks
            go on asking for the one they were made with.

    Returns:
        the files that are not the book's own pages: notebooks, wheel, zip, sitemap, checksums.

    Raises:
        FileNotFoundError: if the book has not been built or there are no released labs.
    """
    html = root / "_build" / "html"
    labs = sorted((root / "labs").glob("*/*.ipynb"))
    if not (html / "index.html").is_file():
        raise FileNotFoundError(f"no book in {html}; run: make book")
    if not labs:
        raise FileNotFoundError(f"no labs in {root / 'labs'}; run: make labs")
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(html, out, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    offline(out, out / OFFLINE)
    wheel = build_wheel(out, root)
    where = f"{site}/{wheel.name}"
    made = [out / OFFLINE, wheel]
    for old in sorted(earlier.glob("vae_lab-*.whl")) if earlier else ():
        if not (out / old.name).exists():
            made.append(Path(shutil.copy2(old, out / old.name)))
    english = {path.stem: path.read_text(encoding="utf-8") for path in sorted((root / "book").glob("*.md"))}
    for language in languages(html):
        pages = {slug: english[slug] if language == "en" else translated(slug, language) for slug in english}
        titles = {slug: title(text) for slug, text in pages.items()}
        for slug, text in pages.items():
            if is_myst_markdown_notebook(text):
                notebook = page_notebook(text, titles, where, book_site(site, language), language)
                made.append(write_notebook(out / notebook_path(slug, language), notebook))
    for path in labs:
        notebook = lab_notebook(json.loads(path.read_text(encoding="utf-8")), where, site)
        made.append(write_notebook(out / "notebooks" / "labs" / path.name, notebook))
    for path in sorted((root / "labs").glob("*/*/*.ipynb")):  # labs/vi/sampling/sampling.ipynb, with the book in vi/
        language = path.parents[1].name
        notebook = lab_notebook(json.loads(path.read_text(encoding="utf-8")), where, f"{site}/{language}", language)
        made.append(write_notebook(out / "notebooks" / "labs" / language / path.name, notebook))
    made.append(sitemap(out, site))
    (out / ".nojekyll").touch()  # GitHub Pages would leave out folders that begin with _
    sums = out / "SHA256SUMS"
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out).as_posix()}" for path in made)
    sums.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [*made, sums]


def languages(html: Path) -> list[str]:
    """The languages that the book was built in, English first: each other has a folder of its own."""
    return ["en", *sorted(path.parents[1].name for path in html.glob("*/book/intro.html"))]


def title(text: str) -> str:
    """The first heading of a page."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1] if found else ""


def write_notebook(path: Path, notebook: dict[str, object]) -> Path:
    """Write a notebook as Jupyter does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def build_wheel(out: Path, root: Path) -> Path:
    """Build the package into the folder."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-build-isolation", "--wheel-dir", str(out), str(root)], check=True)
    return next(out.glob("vae_lab-*.whl"))


def offline(folder: Path, target: Path) -> None:
    """Pack the pages into one zip whose bytes depend on nothing but them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != target)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            member = zipfile.ZipInfo(f"vae-lab-book/{path.relative_to(folder).as_posix()}", BEGINNING)
            member.external_attr, member.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(member, path.read_bytes())


def sitemap(folder: Path, site: str) -> Path:
    """List the pages for search engines; the index only forwards, and search and the general index are no content."""
    aside = {"index.html", "genindex.html", "search.html", "py-modindex.html"}
    pages = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*.html") if "_static" not in path.parts
    )
    others = languages(folder)[1:]

    def entry(page: str) -> str:
        language, _, rest = page.partition("/")
        bare = rest if language in others else page
        books = {"en": bare} | {other: f"{other}/{bare}" for other in others}
        links = (
            f'<xhtml:link rel="alternate" hreflang="{code}" href="{site}/{path}"/>' for code, path in books.items()
        )
        return f"<url><loc>{site}/{page}</loc>{''.join(links) if others else ''}</url>\n"

    shown = [
        page for page in pages if page.removeprefix(f"{page.partition('/')[0]}/") not in aside and page not in aside
    ]
    places = "".join(entry(page) for page in shown)
    target = folder / "sitemap.xml"
    start = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        'xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
    )
    target.write_text(f"{start}{places}</urlset>\n", encoding="utf-8")
    return target


def main() -> int:
    """Publish into a folder and say what is new in it."""
    parser = argparse.ArgumentParser(description="Put together what is published.")
    parser.add_argument("--out", type=Path, default=ROOT / "_build" / "site")
    parser.add_argument("--earlier", type=Path, help="what was published before; older wheels in it are kept")
    parser.add_argument("--site", default="", help="the address it will have (default: from pyproject.toml)")
    options = parser.parse_args()
    place = address()
    site = options.site or (place.site if place else "")
    if not site:
        parser.error("nothing says where the course is published: set repository in pyproject.toml, or give --site")
    try:
        for path in publish(options.out, site.rstrip("/"), earlier=options.earlier):
            print(path)
    except FileNotFoundError as error:
        print(f"tools.publish: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
