"""What cells show, in another language: printed lines, tables, figures, recorded graphs, interactions.

Cells run once, for the English book. Its figures are SVG whose words are text, its tables HTML, its interactions say
what stands in one table each: so the words of an output are exchanged in what was recorded, and no cell runs again.

A text is looked up in outputs.po, where numbers are places (`after {1} epochs`), among the strings of the page's own
cells, whose places are Python's (`loss, epoch {epoch}: {mine:.3f}`), and among the sentences that the package says.
"""

from __future__ import annotations

import copy
import html
import re
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import Any

from tools.translation import around
from tools.translation.catalogue import OUTPUTS, WIDGETS, folder, read, texts_of
from tools.translation.inert import FORMAT, PLACEHOLDER, WORD
from vae_lab.language import translate

BETWEEN_TAGS = re.compile(r"(<(?:style|script|math)\b.*?</(?:style|script|math)>|<!--.*?-->|<[^>]*>)", re.DOTALL)
ATTRIBUTE = re.compile(r'(?<= )(alt|aria-label|title)="([^"]*)"')
SENTENCE = re.compile(r"(?<=\.) (?=\S)")
GRAPH = re.compile(r'(<svg[^>]* class="vae-graph".*?</svg>)', re.DOTALL)
PLACE = re.compile(r"\{(\d+)\}")
AMOUNT = re.compile(r"(?<![\w.])[-+−]?\d+(?:[.,:]\d+)*(?:e[-+]?\d+)?")
# What is the same in every language: calls, names and formulas in code, numbers in rows, names of programs and models.
CODE = re.compile(
    r"[\w.]+\([^()]*(?:\([^()]*\)[^()]*)*\)|\b\w*[_.]\w[\w.]*|\b[A-Z]+[a-z]+[A-Z]\w*|[\w.]+(?: [-+*/@=]+ [\w.]+)+"
    r"|[⁰¹²³⁴-⁹⁻₀-₉]+|\b\w+/[\w+.-]+"
)
NAMES = frozenset(
    """
    True False None tensor torch torchvision numpy matplotlib jupyter-book myst-nb pythae Pythae pyro-ppl Pyro Python
    python Linux AMD EPYC Adam VAE ELBO KL BCE mu logvar sigma eps exp log chunk randn tanh clamp phi theta inf nan
    logits autograd expm1 reparameterize float32 float64
    """.split()  # noqa: SIM905
)
NOTE = "Note: "
STATE = "application/vnd.jupyter.widget-state+json"
Asked = Callable[[str], None]


def with_places(text: str) -> str:
    """A text whose numbers are places: the same on every machine.

    Example:
        >>> with_places("mean 0.50 after 12 epochs")
        'mean {1} after {2} epochs'
    """
    numbers = iter(range(1, len(text) + 1))
    return AMOUNT.sub(lambda _: f"{{{next(numbers)}}}", text)


def with_amounts(pattern: str, text: str) -> str:
    """A text with places, filled with the numbers of another one.

    Example:
        >>> with_amounts("sau {2} epoch: trung bình {1}", "mean 0.50 after 12 epochs")
        'sau 12 epoch: trung bình 0.50'
    """
    numbers = AMOUNT.findall(text)
    return PLACE.sub(lambda place: numbers[int(place[1]) - 1], pattern)


class Words:
    """The words of one page's outputs in a language.

    Args:
        slug: the page.
        language: "vi".
        missed: told each text that has words and no entry.
        known: entry -> translation, if not what the catalogue says.
    """

    def __init__(
        self, slug: str, language: str, missed: Asked = lambda text: None, known: dict[str, str] | None = None
    ) -> None:
        self.slug = slug
        self.language = language
        self.missed = missed
        self.known = catalogued(language, OUTPUTS) if known is None else known
        self.table = catalogued(language, WIDGETS)

    @cached_property
    def strings(self) -> list[tuple[re.Pattern[str], str, str]]:
        """The strings of the page's cells: a pattern for what they print, the string, its translation."""
        entries = read(folder(self.language) / f"{self.slug}.po")
        catalogue = {entry.msgid: entry.msgstr for entry in entries}
        names = {entry.msgid for entry in entries if "in English" in entry.tcomment}
        found = [text.text for text in texts_of(self.slug) if text.kind == "text in code" and text.text not in names]
        bare = {FORMAT.sub("", text) or text: text for text in found}
        return [(_pattern(shown), shown, FORMAT.sub("", catalogue.get(text, ""))) for shown, text in bare.items()]

    def say(self, text: str) -> str:
        """One line, one cell, one label in the other language; the spaces around it stay."""
        body = text.strip()
        if not has_words(body) and body not in self.known:
            return text
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return before + self._body(body) + after

    def _body(self, body: str) -> str:
        pattern = with_places(body)
        if pattern in self.known:
            return with_amounts(self.known[pattern], body) or body
        if body in self.table:
            return self.table[body] or body
        for shown, string, there in self.strings:
            if found := shown.fullmatch(body):
                return self._filled(string, there, found.groups()) if there else body
            if not string.endswith("}") and (found := re.compile(shown.pattern + r"(?= )").match(body)):
                head = self._filled(string, there, found.groups()) if there else found[0]
                return head + self.say(body[found.end() :])
        said: str | None = messages(body, self.language)
        if said == body:
            said = self._within(body) or self._listed(body)
        if said is None:
            self.missed(pattern)
        return said or body

    def _listed(self, body: str) -> str | None:
        """What is put together of texts that are known: `Marked: the encoder; the loss`."""
        head, mark, rest = body.rpartition(": ")
        parts = (rest if mark else body).split("; ")
        if (mark and f"{head}:" not in self.known) or not all(part in self.known for part in parts):
            return None
        begin = f"{self.known[f'{head}:'] or f'{head}:'} " if mark else ""
        return begin + "; ".join(self.known[part] or part for part in parts)

    def _filled(self, string: str, there: str, values: tuple[str, ...]) -> str:
        """A string of the program with what was printed in its places."""
        places = PLACEHOLDER.findall(string)
        given = {place: self._padded(value) for place, value in zip(places, values, strict=True)}
        return PLACEHOLDER.sub(lambda place: given.get(place[0], place[0]), there)

    def _padded(self, value: str) -> str:
        """A value, which may be a word, as wide as it was."""
        said = self.say(value)
        return said.rstrip().ljust(len(value)) if value.endswith("  ") else said

    def _within(self, body: str) -> str | None:
        """A line that a string of the page is a part of: `name, "gives the slopes", numbers`."""
        for _, string, there in sorted(self.strings, key=lambda one: -len(one[1])):
            at = body.find(string.strip())
            if at >= 0 and "{" not in string:
                parts = body[:at], body[at + len(string.strip()) :]
                return self.say(parts[0]) + (there.strip() or string.strip()) + self.say(parts[1])
        return None

    def plain(self, text: str) -> str:
        """What was printed, line by line."""
        return "\n".join(self.say(line) for line in text.split("\n"))

    def markup(self, text: str) -> str:
        """HTML or SVG: what stands between tags, and what is said of pictures."""
        parts = GRAPH.split(text)
        return "".join(self._markup(part, self._said_of_a_graph if n % 2 else self.say) for n, part in enumerate(parts))

    def _markup(self, text: str, say: Callable[[str], str]) -> str:
        pieces = BETWEEN_TAGS.split(text)
        for place in range(0, len(pieces), 2):
            if pieces[place].strip():
                pieces[place] = html.escape(say(html.unescape(pieces[place])), quote=False)
        for place in range(1, len(pieces), 2):
            pieces[place] = ATTRIBUTE.sub(
                lambda found: f'{found[1]}="{html.escape(say(html.unescape(found[2])))}"', pieces[place]
            )
        return "".join(pieces)

    def _said_of_a_graph(self, text: str) -> str:
        """In a recorded graph names of values stand beside words, and only the package's own sentences are words."""
        before, mark, last = text.rpartition(": ")
        if " → " in before:
            return before + mark + messages(last, self.language)
        said = " ".join(messages(sentence, self.language) for sentence in SENTENCE.split(text))
        for word in ("and", "or") if said != text else ():
            said = said.replace(f" {word} ", f" {around.said(word, self.language)} ")
        return said

    def output(self, output: dict[str, Any]) -> dict[str, Any]:
        """One output of a cell."""
        new = copy.deepcopy(output)
        if new["output_type"] == "stream":
            new["text"] = self.plain(new["text"])
        data = new.get("data", {})
        for kind, content in data.items():
            if kind in ("text/html", "image/svg+xml"):
                data[kind] = self.markup(content)
            elif kind == "text/plain" and len(data) == 1:
                data[kind] = self.plain(content)
        return new

    def widgets(self, metadata: dict[str, Any]) -> dict[str, Any]:
        """The state of a page's interactions: every text in it, but for names and code."""
        new = copy.deepcopy(metadata)
        for model in new.get(STATE, {}).get("state", {}).values():
            state = model["state"]
            for name, value in state.items():
                if not name.startswith("_") and model["model_module"] == "anywidget":
                    state[name] = self._state(value, name)
        return new

    def _state(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: self._state(each, name) for key, each in value.items()}
        if isinstance(value, list):
            return [self._state(each, name) for each in value]
        if not isinstance(value, str):
            return value
        if name == "words":
            if value not in self.table:
                self.missed(value)
            return self.table.get(value) or value
        return self.markup(value) if value.startswith("<") else self.known.get(value) or value


def has_words(text: str) -> bool:
    """Whether an output's text has words that are no names of code.

    Example:
        >>> has_words("score function"), has_words("theta * x"), has_words("score_function"), has_words("0.5")
        (True, False, False, False)
    """
    rest = [word for word in re.findall(r"[\w-]+", CODE.sub(" ", text)) if word not in NAMES]
    return bool(WORD.search(" ".join(rest)))


def _pattern(string: str) -> re.Pattern[str]:
    parts = PLACEHOLDER.split(string.strip())
    return re.compile("(.*?)".join(re.escape(part) for part in parts))


def shown(notebook: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All outputs of an executed notebook."""
    for cell in notebook["cells"]:
        yield from cell.get("outputs", [])


@cache
def catalogued(language: str, name: str) -> dict[str, str]:
    """A catalogue: entry -> translation, or an empty text where it has none yet."""
    return {entry.msgid: entry.msgstr for entry in read(folder(language) / f"{name}.po")}


def messages(text: str, language: str) -> str:
    """What the package says, in another language."""
    if text.startswith(NOTE):
        return f"{around.said('Note', language)}: {translate(text.removeprefix(NOTE), language)}"
    return translate(text, language)
