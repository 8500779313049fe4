"""Three directives of the course: ``objectives``, ``quiz`` and ``solution``.

All of them become plain HTML (``<details>`` and friends), so that they work offline, by keyboard, with a screen reader
and without JavaScript. Their source is ordinary MyST that reads well as text.

A quiz is a question and a bullet list. Each item starts with ``[x]`` (right) or ``[ ]`` (wrong); its first paragraph is
the choice, the rest is the feedback. Where there is JavaScript, book/_static/course.js asks the reader to choose first
and to check then, and remembers it; without, each choice unfolds its feedback.

    :::{quiz} What is $2 + 2$?
    - [ ] 3

      No: count again.
    - [x] 4

      Yes.
    :::
"""

from __future__ import annotations

import hashlib
from typing import Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from tools.translation.around import said


class details(nodes.General, nodes.Element):
    """An HTML ``<details>``; attribute ``kind`` (css class)."""


class summary(nodes.General, nodes.TextElement):
    """The line of a ``details`` that is always visible."""


class panel(nodes.General, nodes.Element):
    """A labelled group: ``kind`` (css class), ``label`` (accessible name), ``key`` (what an answer is kept under)."""


class Objectives(SphinxDirective):
    """What the reader will be able to do: a bullet list under a fixed title."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Build the box."""
        language = self.env.config.language
        box = panel(kind="objectives", label=said("What you will be able to do", language))
        title = said("After this page you can", language)
        box += nodes.paragraph(title, title, classes=["panel-title"])
        self.set_source_info(box[0])
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


class Solution(SphinxDirective):
    """A folded answer to the exercise above it."""

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Build the fold."""
        fold = details(kind="solution")
        fold += summary(*[self.arguments[0] if self.arguments else said("Solution", self.env.config.language)] * 2)
        self.set_source_info(fold[0])
        self.state.nested_parse(self.content, self.content_offset, fold)
        return [fold]


class Quiz(SphinxDirective):
    """A question whose every choice unfolds its own feedback."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"name": directives.unchanged}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        """Build the question, one fold for each choice."""
        serial = self.env.new_serialno("quiz")
        question = hashlib.sha256(self.arguments[0].encode()).hexdigest()[:8]  # moved on its page it is still the same
        language = self.env.config.language
        label = said("Question {number}", language).format(number=serial + 1)
        box = panel(kind="quiz", label=label, key=f"{self.env.docname}:{question}")
        title = nodes.paragraph(self.arguments[0], classes=["panel-title"])
        self.set_source_info(title)
        title += self.state.inline_text(self.arguments[0], self.lineno)[0]
        body = nodes.Element()
        self.state.nested_parse(self.content, self.content_offset, body)
        choices = [item for child in body.children if isinstance(child, nodes.bullet_list) for item in child.children]
        if len(choices) < 2:
            raise self.error("quiz: wants a bullet list of at least two choices, each starting with [x] or [ ].")
        box += title
        box += [child for child in body.children if not isinstance(child, nodes.bullet_list)]
        right = 0
        for item in choices:
            is_right, choice, feedback = _split(self, item)
            right += is_right
            fold = details(kind="right" if is_right else "wrong")
            answer = said("Right.", language) if is_right else said("Not this one.", language)
            line = summary(item.children[0].rawsource.removeprefix("[x]").removeprefix("[ ]").strip())
            line += choice
            fold += line
            verdict = nodes.paragraph(f"**{answer}** {feedback[0].rawsource}", classes=["verdict"])
            verdict += nodes.strong("", f"{answer} ")
            for translatable in (line, verdict):
                self.set_source_info(translatable)
            verdict += feedback[0].children
            fold += verdict
            fold += feedback[1:]
            box += fold
        if right == 0:
            raise self.error("quiz: no choice is marked [x].")
        return [box]


def _split(directive: SphinxDirective, item: nodes.Element) -> tuple[bool, list[nodes.Node], list[nodes.Node]]:
    """Return (right or wrong, inline nodes of the choice, blocks of the feedback) of one bullet."""
    if len(item.children) < 2 or not isinstance(item.children[0], nodes.paragraph):
        raise directive.error(
            f"quiz: the choice {item.astext()[:40]!r} has no feedback: leave a blank line, then indent it."
        )
    choice = list(item.children[0].children)
    # MyST's tasklist extension turns "[x] " into an <input>; without it the marker is still text
    if isinstance(choice[0], nodes.raw):
        return "checked" in choice[0].astext(), choice[1:], list(item.children[1:])
    text = choice[0].astext()
    if text[:3] not in ("[x]", "[ ]"):
        raise directive.error(f"quiz: the choice {text[:40]!r} starts with neither [x] nor [ ].")
    choice[0] = nodes.Text(text[3:].lstrip())
    return text[:3] == "[x]", choice, list(item.children[1:])


def _visit_details(self: HTML5Translator, node: nodes.Element) -> None:
    self.body.append(f'<details class="course-{node["kind"]}">')


def _visit_panel(self: HTML5Translator, node: nodes.Element) -> None:
    key = f' data-key="{node["key"]}"' if "key" in node else ""
    self.body.append(f'<div class="course-{node["kind"]}" role="group" aria-label="{node["label"]}"{key}>')


def _close(tag: str) -> Any:
    return lambda self, node: self.body.append(f"</{tag}>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives and how they are written as HTML."""
    app.add_node(details, html=(_visit_details, _close("details")))
    app.add_node(summary, html=(lambda self, node: self.body.append("<summary>"), _close("summary")))
    app.add_node(panel, html=(_visit_panel, _close("div")))
    app.add_directive("objectives", Objectives)
    app.add_directive("solution", Solution)
    app.add_directive("quiz", Quiz)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
