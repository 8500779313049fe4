"""Make the notebooks that open in Colab: pages of the book and released labs, with one cell that installs the course.

They are generated and published, never kept: a page's only source is its Markdown, a lab's is `solutions/`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from myst_nb.core.read import read_myst_markdown_notebook

from tools.translation.around import said

ROOT = Path(__file__).parents[1]

INSTALL = """\
{comment}
import importlib.util
import subprocess
import sys

if importlib.util.find_spec("vae_lab") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "{wheel}"], check=True)
    importlib.invalidate_caches()

import torch

print("GPU:", torch.cuda.get_device_name(0) if torch.cuda.is_available() else "{none}")
"""
ABOUT_INSTALL = (
    "Run this cell first. Where the course is missing, as in Colab, it is installed from the book's own pages;",
    "the torch that is there stays.",
)

FENCE = re.compile(r"(?P<indent> *)(?P<fence>:{3,}|`{3,})\{(?P<name>[\w:-]+)\} *(?P<title>.*)")
ITEM = re.compile(r"(?P<indent> *)- \[(?P<mark>[x ])\] (?P<choice>.*)")
EMPTY_LINK = re.compile(r"\[\]\((?P<target>[\w/.-]+)\.md(?P<anchor>#[\w-]+)?\)")
LINK = re.compile(r"\]\((?P<target>(?!https?:|#|mailto:)[^)\s]+)\)")
ROLE = re.compile(r"\{(?P<role>[\w:]+)\}`(?P<text>[^`]+)`")
QUIET = re.compile(r"""(\bprogress(?:=|["']: ))False\b""")
TITLES: dict[str, Callable[[str], str]] = {
    "objectives": lambda language: said("After this page you can", language),
    "note": lambda language: said("Note", language),
    "tip": lambda language: said("Tip", language),
    "warning": lambda language: said("Careful", language),
}


def install_cell(wheel: str, language: str = "en") -> dict[str, Any]:
    """The first cell of each notebook; it does nothing where the course is installed already."""
    from vae_lab.language import phrase

    comment = "\n".join(f"# {phrase(line, language)}" for line in ABOUT_INSTALL)
    none = phrase("none, and none is needed", language)
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": INSTALL.format(wheel=wheel, comment=comment, none=none).rstrip(),
    }


def lab_notebook(lab: dict[str, Any], wheel: str, site: str, language: str = "en") -> dict[str, Any]:
    """A released lab as it is published: its own cells untouched, save for links, and the install cell before its code.

    Args:
        lab: the content of `labs/<lab>/<lab>.ipynb`.
        wheel: address of the wheel.
        site: address of the book, without a slash at the end.
        language: of the lab.

    Returns:
        a new notebook; nbgrader's metadata and every code cell of the lab are as they were.
    """
    cells = json.loads(json.dumps(lab["cells"]))
    for cell in cells:
        if cell["cell_type"] == "markdown" and not cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["source"] = re.sub(
                r"\((?:\.\./)+book/([\w/-]+)\.md(#[\w-]+)?\)", rf"({site}/book/\1.html\2)", "".join(cell["source"])
            )
    first = next(place for place, cell in enumerate(cells) if cell["cell_type"] == "code")
    cells.insert(first, install_cell(wheel, language))
    if any("id" in cell for cell in cells):
        cells[first]["id"] = "install"
    return {**lab, "cells": cells, "metadata": {**lab["metadata"], "colab": {"provenance": []}}}  # a CPU is enough


def page_notebook(text: str, titles: dict[str, str], wheel: str, site: str, language: str = "en") -> dict[str, Any]:
    """A page of the book as a notebook: its cells, with bars of progress; its directives as Markdown that Colab shows.

    Args:
        text: the page's source.
        titles: the first heading of each page, by slug, for links that name none.
        wheel: address of the wheel.
        site: address of the book, without a slash at the end.
        language: that of the page.
    """
    page = read_myst_markdown_notebook(text)
    cells = [install_cell(wheel, language)]
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cells.append(
                {"cell_type": "markdown", "metadata": {}, "source": plain_markdown(cell.source, titles, site, language)}
            )
        else:
            tags = {"tags": list(cell.metadata["tags"])} if cell.metadata.get("tags") else {}
            cells.append({**install_cell(""), "metadata": tags, "source": with_progress(cell.source)})
    if cells[1]["cell_type"] == "markdown":  # the title first, then the cell that installs
        cells[:2] = split_title(cells[1], cells[0])
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "colab": {"provenance": []}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}


def split_title(first: dict[str, Any], install: dict[str, Any]) -> list[dict[str, Any]]:
    """The page's heading, the install cell, and the rest of the first text."""
    title, _, rest = first["source"].partition("\n")
    return [{**first, "source": title}, install, *([{**first, "source": rest.strip()}] if rest.strip() else [])]


def with_progress(code: str) -> str:
    """A page's code with the bars that its build leaves out: whoever waits for a training wants a sign of life.

    Example:
        >>> with_progress("fit(model, images, epochs=20, progress=False)")
        'fit(model, images, epochs=20, progress=True)'
    """
    return QUIET.sub(r"\g<1>True", code)


def plain_markdown(text: str, titles: dict[str, str], site: str, language: str = "en") -> str:
    r"""MyST's directives, roles and links in Markdown that every notebook shows.

    Solutions and what a quiz says to each choice are folded; other boxes keep their title; links lead to the book.

    Example:
        >>> print(plain_markdown(":::{note}\nSee [](elbo.md).\n:::", {"elbo": "The loss"}, "https://x.org"))
        **Note**
        <BLANKLINE>
        See [The loss](https://x.org/book/elbo.html).
    """

    def empty_link(found: re.Match[str]) -> str:
        slug = found["target"].rsplit("/", 1)[-1]
        return f"[{titles.get(slug, slug)}]({found['target']}.md{found['anchor'] or ''})"

    def link(found: re.Match[str]) -> str:
        target = re.sub(r"\.md(?=#|$)", ".html", found["target"].removeprefix("./"))
        return f"]({site}/{target[3:] if target.startswith('../') else 'book/' + target})"

    def role(found: re.Match[str]) -> str:
        shown, _, _ = found["text"].partition(" <")
        return f"[{shown}]({site}/book/references.html)" if found["role"].startswith("cite") else shown

    text = "\n".join(without_directives(text.splitlines(), language))
    return LINK.sub(link, EMPTY_LINK.sub(empty_link, ROLE.sub(role, text)))


class Box(NamedTuple):
    """An open directive: what closes it in the source, what is written then, and its name."""

    fence: str
    closing: str
    name: str


def without_directives(lines: list[str], language: str = "en") -> Iterator[str]:
    """The lines with each directive's fences, options and quiz marks turned into plain Markdown."""
    boxes: list[Box] = []
    in_options = False
    choice = ""  # the indent of the choice whose feedback is being written
    for line in lines:
        bare = line.strip()
        if in_options and re.fullmatch(r":[\w-]+:.*", bare):
            continue
        in_options = False
        if boxes and bare == boxes[-1].fence:
            yield from end_choice(choice)
            choice = ""
            yield boxes.pop().closing
        elif found := FENCE.fullmatch(line):
            box, opening = begin(found, language)
            boxes.append(box)
            yield from opening
            in_options = True
        elif boxes and boxes[-1].name == "quiz" and (item := ITEM.fullmatch(line)):
            yield from end_choice(choice)
            choice = f"{item['indent']}  "
            verdict = said("Right.", language) if item["mark"] == "x" else said("No.", language)
            yield f"{item['indent']}- {item['choice']}"
            fold = f"{choice}<details><summary>" + said("Is it?", language) + "</summary>"
            yield from ("", fold, "", f"{choice}**{verdict}**")
        else:
            yield line


def end_choice(indent: str) -> Iterator[str]:
    """Fold what was said about a choice, if there was one."""
    if indent:
        yield from ("", f"{indent}</details>", "")


def begin(found: re.Match[str], language: str) -> tuple[Box, list[str]]:
    """Open a directive: how it will end, and the lines that stand for its first."""
    indent, fence, name, title = found["indent"], found["fence"], found["name"], found["title"].strip()
    if name in ("code-cell", "code-block"):  # inside a box: shown, not run
        return Box(fence, f"{indent}```", name), [f"{indent}```python"]
    if name == "math":
        return Box(fence, f"{indent}$$", name), [f"{indent}$$"]
    if name == "solution":
        opening = [f"{indent}<details><summary>{title or said('Solution', language)}</summary>", ""]
        return Box(fence, f"\n{indent}</details>", name), opening
    if name in ("figure", "image"):
        return Box(fence, "", name), [f"{indent}![]({title})"]
    question = said("Question. {question}", language).format(question=title)
    heading = question if name == "quiz" else title if name not in ("div", "raw") else ""
    heading = heading or TITLES.get(name, lambda language: "")(language)
    return Box(fence, "", name), [f"{indent}**{heading}**", ""] if heading else []
