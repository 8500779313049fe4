"""One page for each submission: every task with its points, what the tests say, and the student's own code.

The page can do nothing but be read: no script, no request to anywhere, everything a student wrote escaped or cleaned,
and a Content-Security-Policy that holds even if something were missed. No hidden test is in it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import mistune
import nh3
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from vae_lab.grading.lab.pasted_pictures import attachments, unshown
from vae_lab.grading.pages import sanitize
from vae_lab.grading.results import CellResult, SubmissionResult
from vae_lab.language import SOURCE, phrase, translate

TEMPLATES = Path(__file__).parent / "templates"
TAGS = {"p", "br", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "h3", "h4", "h5", "h6", "sub", "sup"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td", "hr", "img", "del"}


@dataclass(frozen=True)
class Task:
    """One thing the lab asks for: a solution with its test cells, or a written answer.

    `code` is what the student wrote (None if nothing was found); `tests` are (grade_id, result) pairs;
    `outside` is True if a written answer was found in other cells than its own.
    """

    name: str
    title: str
    code: str | None
    tests: Sequence[tuple[str, CellResult]]
    written: bool = False
    pictures: Mapping[str, Mapping[str, str]] | None = None
    outside: bool = False

    @property
    def points(self) -> float:
        """What the task earned."""
        return float(sum(result.points for _, result in self.tests))

    @property
    def max_points(self) -> float:
        """What it could earn."""
        return float(sum(result.max_points for _, result in self.tests))

    @property
    def verdict(self) -> str:
        """One of "passed", "failed", "partly", "waits" (for a person) or "marked" (by one)."""
        if any(result.passed is None for _, result in self.tests):
            return "waits"
        if self.written:
            return "marked" if self.code is not None and self.code.strip() else "failed"
        passed = [bool(result.passed) for _, result in self.tests]
        return "passed" if all(passed) else "partly" if any(passed) else "failed"


def page(
    result: SubmissionResult, tasks: Sequence[Task], title: str, comments: Mapping[str, str], language: str = SOURCE
) -> str:
    """The feedback page of one submission as HTML text.

    Args:
        result: the result as it counts, marks given by hand included.
        tasks: the lab's tasks in order, with this student's answers.
        title: the lab's title.
        comments: what a person wrote about a cell, by grade_id.
        language: of the notebook that was handed in. What a person or the student wrote stays as it is.
    """
    shown = [
        {
            "task": task,
            "code": None if task.code is None or task.written else python_html(without_anchor(task.code)),
            "prose": prose_html(without_anchor(task.code), task.pictures or {}) if task.written and task.code else None,
            "unshown": unshown(task.code, task.pictures) if task.written and task.code else [],
            "comments": [
                comments[name] for name in dict.fromkeys([task.name, *(t for t, _ in task.tests)]) if name in comments
            ],
        }
        for task in tasks
    ]
    return render("feedback.html", language, result=result, title=title, tasks=shown)


def without_anchor(source: str) -> str:
    """An answer without the comment that names its cell."""
    return re.sub(r"^(?:# *vae-lab: .*|<!-- *vae-lab: [^\n]*?-->)\n?", "", source, count=1, flags=re.MULTILINE)


def python_html(source: str) -> str:
    """Code with colours; every character of it is escaped."""
    lexer, formatter = highlighting()
    return str(highlight(sanitize.plain(source), lexer, formatter))


@cache
def highlighting() -> tuple[PythonLexer, HtmlFormatter]:
    """What reads Python and what writes it as HTML, made once."""
    return PythonLexer(), HtmlFormatter(nowrap=True)


def prose_html(source: str, pictures: Mapping[str, Mapping[str, str]]) -> str:
    """A student's Markdown as HTML of a few harmless tags; pictures pasted into the cell are kept, no others."""
    source = sanitize.plain(source)
    embedded = {}
    for index, (name, bundle) in enumerate(attachments(pictures).items()):
        for mime, data in bundle.items():
            embedded[f"picture-{index}"] = f"data:{mime};base64,{data}"
            source = source.replace(f"](attachment:{name})", f"](picture-{index})")

    def only_embedded(tag: str, attribute: str, value: str) -> str | None:
        return embedded.get(value) if (tag, attribute) == ("img", "src") else value

    html = mistune.create_markdown(escape=True, plugins=["table", "strikethrough"])(source)
    cleaned: str = nh3.clean(
        str(html),
        tags=TAGS,
        attributes={"img": {"src", "alt"}},
        attribute_filter=only_embedded,
        link_rel=None,
    )
    return cleaned


@cache
def stylesheet() -> str:
    """The style of all pages, with the colours of highlighted code for a light and a dark screen."""
    light = HtmlFormatter(style="default").get_style_defs(".code")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".code")
    own = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return f"{light}\n{own}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n.code {{ background: var(--soft); }}\n"


@cache
def templates() -> jinja2.Environment:
    """Templates that escape whatever is put into them, and stop at a name they do not know."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    return environment


def number(value: float) -> str:
    """A number of points without needless zeros.

    Example:
        >>> number(4.0), number(2.5)
        ('4', '2.5')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def render(name: str, language: str, script: str = "", **values: Any) -> str:
    """Fill a template; the page may use our stylesheet and the one given script, and nothing else.

    In the template `say("{n} points", n=3)` are the page's own words, and `told(text)` is what a check or grader said.
    """
    style = stylesheet()
    allowed = (
        f"default-src 'none'; img-src data:; style-src '{fingerprint(style)}'; base-uri 'none'; form-action 'none'"
    )
    if script:
        allowed += f"; script-src '{fingerprint(script)}'"

    def say(text: str, **places: object) -> str:
        return phrase(text, language, **places)

    def told(text: str) -> str:
        return translate(text, language)

    page = templates().get_template(name)
    return page.render(style=style, script=script, policy=allowed, language=language, say=say, told=told, **values)


def fingerprint(text: str) -> str:
    """How a Content-Security-Policy names one inline style or script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
