"""Build the book in another language, from its translated sources and what the English book's cells showed.

    python -m tools.translation.build          # after `jupyter-book build .`; into _build/html/vi/

No cell runs. What is the same in both books (styles, scripts, pictures without words) is kept once.
"""

from __future__ import annotations

import argparse
import filecmp
import hashlib
import re
import shutil
import sys
from pathlib import Path

import yaml
from jupyter_book.sphinx import build_sphinx

from tools.translation.around import said
from tools.translation.catalogue import PAGES, ROOT, folder, slugs, translated

SAME = ("_static", "_templates", "_ext", "vendor", "widget_pages", "references.bib")  # of book/, as they are
HTML = ROOT / "_build" / "html"


def write(path: Path, text: str) -> None:
    """Write a file if it says something else now: Sphinx reads again what is newer."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def sources(language: str, target: Path) -> None:
    """Write what Sphinx reads: the translated pages, the table of contents, and links to all else."""
    (target / "book").mkdir(parents=True, exist_ok=True)
    for name in SAME:
        link = target / "book" / name
        if not link.exists():
            link.symlink_to(PAGES / name)
    for slug in slugs():
        write(target / "book" / f"{slug}.md", translated(slug, language))
    for old in (target / "book").glob("*.md"):
        if old.stem not in slugs():
            old.unlink()
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    for part in toc["parts"]:
        part["caption"] = said(part["caption"], language)
    write(target / "_toc.yml", yaml.safe_dump(toc, allow_unicode=True, sort_keys=False))
    settings = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config = settings["sphinx"]["config"]
    for name in ("nb_code_prompt_show", "nb_code_prompt_hide"):
        config[name] = said(config[name], language)
    settings["html"]["extra_footer"] = said(settings["html"]["extra_footer"], language)
    config["language"] = language
    config["html_last_updated_fmt"] = "%d/%m/%Y"
    config["nb_execution_cache_path"] = str(ROOT / "_build" / ".jupyter_cache")
    config["catalogues"] = digest(language)
    write(target / "_config.yml", yaml.safe_dump(settings, allow_unicode=True, sort_keys=False))


def digest(language: str) -> str:
    """Of what outputs are translated with: when it changes, every page is read again."""
    files = [path for path in sorted(folder(language).glob("*.po")) if path.stem not in slugs()]
    files += sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def share(book: Path, english: Path) -> int:
    """Leave out of a book the files that the English one has, too, and let its pages fetch them there.

    Returns:
        How many files are shared.
    """
    same = {
        path.relative_to(book).as_posix()
        for place in ("_static", "_images")
        for path in (book / place).rglob("*")
        if path.is_file() and _is_same(path, english / path.relative_to(book))
    }
    address = re.compile(r'(?<=")((?:\.\./)*)(_(?:static|images)/[^"?#]*)(?=["?#])')
    for page in book.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(
            address.sub(lambda at: f"{at[1]}{'../' if at[2] in same else ''}{at[2]}", text), encoding="utf-8"
        )
    for name in same:
        (book / name).unlink()
    return len(same)


def _is_same(path: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(path, other, shallow=False)


def build(language: str) -> int:
    """Build the book into its folder of the English one; the status says whether it is without a warning."""
    work = ROOT / "_build" / language
    sources(language, work / "source")
    result = build_sphinx(
        str(work / "source"),
        str(work / "html"),
        path_config=str(work / "source" / "_config.yml"),
        noconfig=True,
        confoverrides={"latex_individualpages": False, "nitpicky": True},  # as the command line of Jupyter Book says it
        doctreedir=str(work / "doctrees"),
        warningiserror=True,
        keep_going=True,
    )
    if result:
        return 1
    shutil.rmtree(HTML / language, ignore_errors=True)
    shutil.copytree(work / "html", HTML / language, ignore=shutil.ignore_patterns(".buildinfo", ".doctrees"))
    print(f"{share(HTML / language, HTML)} files are those of the English book")
    return 0


def main() -> int:
    """Build one language."""
    parser = argparse.ArgumentParser(description="Build the book in another language.")
    parser.add_argument("--language", default="vi")
    return build(parser.parse_args().language)


if __name__ == "__main__":
    sys.exit(main())
