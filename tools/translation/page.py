"""A page in another language: walk through its MyST source, ask for each text, put the answer where the text stood.

    walk(source, say) -> source

`say(text, line, kind)` is asked for every heading, paragraph, list item, table cell, choice of a quiz, title of a box,
alt text, caption, comment and string of a cell. Extraction is a walk that writes down what it was asked; translation is
a walk that answers from a catalogue. What is not asked for (formulas, code, options, names) cannot change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import yaml

from tools.translation.code import spans
from tools.translation.inert import NUMBER, has_words

Say = Callable[[str, int, str], str]
Read = Callable[[str], str]

FENCE = re.compile(r"(?P<head>(?P<indent> *)(?P<fence>:{3,}|`{3,})(?:\{(?P<name>[\w:-]+)\})?) *(?P<title>.*)")
OPTION = re.compile(r" *:[\w-]+:( .*)?")
MARKER = re.compile(r"(?P<marker> *(?:(?:[-*+]|\d{1,2}\.|:) +)+(?:\[[ x]\] +)?)(?P<text>.*)")
HEADING = re.compile(r"(?P<hashes>#+ +)(?P<text>.+)")
IN_HEADER = re.compile(r" *(?P<key>alt|caption|code_prompt_show|code_prompt_hide): (?P<value>.+)")
BREAK = re.compile(r"[ \t]*\n[ \t]*")
CELL = re.compile(r"(?<!\\)\|")
TITLED = {"quiz": "question", "admonition": "title", "list-table": "caption", "dropdown": "title", "solution": "title"}
IN_ENGLISH_ONLY = re.compile(r" \*Vietnamese:\* .*")  # a glossary in Vietnamese has that word for its term
BILINGUAL = "notation-table"
BOTH_COLUMNS = 2  # its last columns are English and Vietnamese, in either book


class Walk:
    """One way through a page.

    Args:
        text: the page's source.
        say: answers with the text that shall stand there.
        included: reads what a page includes; it is walked through where it stands. Without it, the directive stays.
        translated: leave out what stands in the English page alone.
        first_line: the number of the page's first line.
    """

    def __init__(self, text: str, say: Say, *, included: Read | None = None, translated: bool = False) -> None:
        self.lines = text.splitlines()
        self.at = 0
        self.included = included
        self.translated = translated
        self.out: list[str] = []
        self.boxes: list[tuple[str, str, str]] = []  # fence, name, title
        self._say = say

    def say(self, text: str, at: int, kind: str) -> str:
        """Ask for a text, if there is a word in it."""
        text = BREAK.sub(" ", text)
        return self._say(text, at + 1, kind) if has_words(text) else text

    def result(self) -> str:
        """Walk to the end."""
        if self.lines and self.lines[0] == "---":
            self.copy_until(lambda line: line == "---")
        while self.at < len(self.lines):
            self.step()
        return "\n".join(self.out) + "\n"

    def copy_until(self, last: Callable[[str], bool]) -> None:
        """Copy this line and all up to the one that ends the block."""
        self.out.append(self.lines[self.at])
        self.at += 1
        while not last(self.lines[self.at]):
            self.out.append(self.lines[self.at])
            self.at += 1
        self.out.append(self.lines[self.at])
        self.at += 1

    def step(self) -> None:
        """One block."""
        line = self.lines[self.at]
        bare = line.strip()
        if self.boxes and bare == self.boxes[-1][0]:
            self.boxes.pop()
            self.plain(line)
        elif found := FENCE.fullmatch(line):
            self.fence(found)
        elif not bare:
            self.plain(line)
        elif bare.startswith("$$"):
            self.formula(bare)
        elif bare.startswith("|"):
            self.row(line)
        elif found := HEADING.fullmatch(line):
            self.plain(found["hashes"] + self.say(found["text"], self.at, "heading"))
        elif self.inside("glossary") and not line.startswith(" "):
            self.term(line)
        else:
            self.paragraph()

    def plain(self, line: str) -> None:
        """Take over this line."""
        self.out.append(line)
        self.at += 1

    def inside(self, name: str) -> bool:
        """Whether a box of this name, or a div of this class, is open."""
        return any(name in (box, title) for _, box, title in self.boxes)

    def fence(self, found: re.Match[str]) -> None:
        """Open a box, or pass over code."""
        name, title, fence = found["name"] or "", found["title"].strip(), found["fence"]
        if name == "code-cell":
            self.cell(fence)
        elif name == "include" and self.included:
            self.include(title, fence)
        elif fence.startswith("`"):
            self.copy_until(lambda line: line.strip() == fence)
        else:
            self.boxes.append((fence, name, title))
            asked = title and name in TITLED
            self.plain(f"{found['head']} {self.say(title, self.at, TITLED[name])}" if asked else self.lines[self.at])
            while self.at < len(self.lines) and OPTION.fullmatch(self.lines[self.at]):
                self.plain(self.lines[self.at])

    def include(self, path: str, fence: str) -> None:
        """Walk through another file; a program writes such files, so that numbers are no part of its texts."""
        assert self.included
        here = self.at

        def say(text: str, line: int, kind: str) -> str:
            numbers = NUMBER.findall(text)
            counted = iter(range(1, len(numbers) + 1))
            asked = self._say(NUMBER.sub(lambda _: f"{{{next(counted)}}}", text), here + 1, kind)
            return re.sub(r"\{(\d+)\}", lambda place: numbers[int(place[1]) - 1], asked)

        self.out += walk(self.included(path), say, translated=self.translated).rstrip("\n").splitlines()
        while self.lines[self.at].strip() != fence:
            self.at += 1
        self.at += 1

    def formula(self, bare: str) -> None:
        """A formula on lines of its own."""
        if len(bare) > 2 and bare.endswith("$$"):
            self.plain(self.lines[self.at])
        else:
            self.copy_until(lambda line: line.strip().endswith("$$"))

    def row(self, line: str) -> None:
        """A row of a table, cell by cell."""
        cells = CELL.split(line.strip())[1:-1]
        head = self.at + 1 < len(self.lines) and re.fullmatch(r" *\|[ :|-]+\|", self.lines[self.at + 1])
        kept = len(cells) - BOTH_COLUMNS if self.inside(BILINGUAL) and not head else len(cells)
        said = [
            self.say(cell.strip(), self.at, "head of a column" if head else "cell of a table") for cell in cells[:kept]
        ]
        if re.fullmatch(r" *\|[ :|-]+\|", line):
            return self.plain(line)
        self.plain(
            line[: len(line) - len(line.lstrip())]
            + "| "
            + " | ".join(said + [cell.strip() for cell in cells[kept:]])
            + " |"
        )

    def term(self, line: str) -> None:
        """A term of the glossary; a translated one is followed by the English, so that both can be looked up."""
        said = self.say(line, self.at, "term")
        self.plain(said)
        if self.translated and said != line:
            self.out.append(line)

    def paragraph(self) -> None:
        """A paragraph, or the first of a list's item, with the lines that go on with it."""
        line, begin = self.lines[self.at], self.at
        found = MARKER.fullmatch(line)
        indent = line[: len(line) - len(line.lstrip())]
        marker, texts = (found["marker"], [found["text"]]) if found else (indent, [line.strip()])
        self.at += 1
        while self.at < len(self.lines) and self.goes_on(self.lines[self.at]):
            texts.append(self.lines[self.at].strip())
            self.at += 1
        text = "\n".join(texts)
        kind = "choice" if "[" in marker else "item of a list" if marker.strip() else "text"
        english_only = IN_ENGLISH_ONLY.search(text) if self.inside("glossary") else None
        if english_only:
            text = text[: english_only.start()]
        said = self.say(text, begin, kind)
        self.out.append(marker + said + (english_only[0] if english_only and not self.translated else ""))

    def goes_on(self, line: str) -> bool:
        """Whether a line belongs to the paragraph before it."""
        bare = line.strip()
        if not bare or bare.startswith(("$$", "|", ":::", "```")) or HEADING.fullmatch(line):
            return False
        return not MARKER.fullmatch(line)

    def cell(self, fence: str) -> None:
        """A code cell: captions and alt texts in its options, comments and strings in its code."""
        self.plain(self.lines[self.at])
        begin = self.at
        while self.lines[self.at] != fence:
            self.at += 1
        body = self.lines[begin : self.at]
        if body and body[0] == "---":
            end = body.index("---", 1) + 1
            for place, line in enumerate(body[:end]):
                self.out.append(self.option(line, begin + place))
            body, begin = body[end:], begin + end
        code = "\n".join(body)
        done = 0
        for span in spans(code):
            row = begin + code.count("\n", 0, span.start)
            self.out_code(code[done : span.start], self.say(code[span.start : span.end], row, span.kind), done == 0)
            done = span.end
        self.out_code(code[done:], "", done == 0)
        self.plain(fence)

    def out_code(self, before: str, said: str, first: bool) -> None:
        """Go on with the code; only the first piece begins a line."""
        if first:
            self.out.append(before + said)
        else:
            self.out[-1] += before + said

    def option(self, line: str, at: int) -> str:
        """A line of a cell's options."""
        found = IN_HEADER.fullmatch(line)
        if not found:
            return line
        value = str(yaml.safe_load(found["value"]))
        said = self.say(
            value, at, "button" if "prompt" in found["key"] else "alt text" if found["key"] == "alt" else "caption"
        )
        if said == value:
            return line
        return line[: found.start("value")] + json.dumps(said, ensure_ascii=False)


def walk(text: str, say: Say, *, included: Read | None = None, translated: bool = False) -> str:
    """Return the page with what `say` answers in the place of each of its texts."""
    return Walk(text, say, included=included, translated=translated).result()
