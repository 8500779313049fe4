"""The course in another language: every text is cut out, every translation says the same, and nothing is left."""

from __future__ import annotations

import ast
import re
import unicodedata
from pathlib import Path

import polib
import pytest
from book.sources import ROOT
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.myst_role import myst_role_plugin

from tools.translation import around
from tools.translation.catalogue import (
    OUTPUTS,
    PAGES,
    THEME,
    WIDGETS,
    Text,
    answers,
    folder,
    read,
    slugs,
    texts_of,
    translated,
    updated,
)
from tools.translation.code import is_text
from tools.translation.held import not_introduced, problems
from tools.translation.outputs import Words
from tools.translation.page import walk
from tools.translation.recorded import of_outputs, of_widgets

NAMES = [*slugs(), OUTPUTS, WIDGETS, THEME]
OF_THE_PACKAGE = re.compile(r"messages|lab-\w+")  # other catalogues, with tests of their own
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(?:---\n.*?^---\n)?(.*?)^```$", re.MULTILINE | re.DOTALL)

PAGE = """---
kernelspec: {name: python3}
---

# A title

Some text over
two lines, $x$ and `code`.

:::{objectives}
- first of all;
- then this.
:::

$$ a = b $$

```{code-cell} ipython3
---
tags: [hide-input]
mystnb:
  code_prompt_show: Show the set-up
  image:
    alt: "A blue line."
  figure:
    name: line
    caption: "What is \\"blue\\"."
---
x = 1  # the first number
print(f"after {x} steps:", "nan", data["score_function"])
```

| name | what it is |
|---|---|
| `x` | a number |

:::{quiz} How many are there?
- [x] two of them

  Well done.
- [ ] $3$

  Count again.
:::

1. A task.

   :::{solution}
   An answer.
   :::

:::{glossary}
Mean value
  What one expects. *Vietnamese:* trung bình.
:::

[](other.md), {numref}`line`
"""
ASKED = [
    ("heading", "A title"),
    ("text", "Some text over two lines, $x$ and `code`."),
    ("item of a list", "first of all;"),
    ("item of a list", "then this."),
    ("button", "Show the set-up"),
    ("alt text", "A blue line."),
    ("caption", 'What is "blue".'),
    ("comment in code", "the first number"),
    ("text in code", "after {x} steps:"),
    ("head of a column", "name"),
    ("head of a column", "what it is"),
    ("cell of a table", "a number"),
    ("question", "How many are there?"),
    ("choice", "two of them"),
    ("text", "Well done."),
    ("text", "Count again."),
    ("item of a list", "A task."),
    ("text", "An answer."),
    ("term", "Mean value"),
    ("text", "What one expects."),
]


def asked(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    walk(text, lambda said, line, kind: found.append((kind, said)) or said)
    return found


def structure(text: str) -> list[tuple[str, str, str]]:
    """What Markdown makes of a page, with its paragraphs on one line each."""
    reader = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin).use(front_matter_plugin)
    reader = reader.use(deflist_plugin).use(myst_role_plugin).use(colon_fence_plugin)
    found = []
    for token in reader.parse(text):
        if token.type == "colon_fence":
            found += [(token.type, token.info, ""), *structure(token.content)]
        else:
            said = re.sub(r"\s*\n\s*", " ", token.content) if token.type == "inline" else token.content
            found.append((token.type, token.info, said))
    return found


# -- cutting a page --


def test_every_kind_of_text_is_asked_for_and_nothing_else():
    assert asked(PAGE) == ASKED


def test_a_page_that_is_not_translated_stays_what_it_is():
    assert structure(walk(PAGE, lambda text, line, kind: text)) == structure(PAGE)


@pytest.mark.parametrize("slug", slugs())
def test_cutting_a_page_and_putting_it_together_changes_nothing(slug):
    source = (PAGES / f"{slug}.md").read_text()
    assert structure(walk(source, lambda text, line, kind: text)) == structure(source)


def test_a_line_is_where_its_text_stands():
    lines: dict[str, int] = {}
    walk(PAGE, lambda text, line, kind: lines.setdefault(text, line) and text)
    rows = PAGE.splitlines()
    for text, line in lines.items():
        assert text.split()[0].strip('"') in rows[line - 1], text


def test_a_translated_text_stands_where_the_english_stood():
    there = {"An answer.": "Trả lời.", 'What is "blue".': 'Thế nào là "xanh".', "after {x} steps:": "sau {x} bước:"}
    made = walk(PAGE, lambda text, line, kind: there.get(text, text), translated=True)
    assert "   :::{solution}\n   Trả lời.\n   :::" in made
    assert '    caption: "Thế nào là \\"xanh\\"."' in made
    assert 'print(f"sau {x} bước:", "nan", data["score_function"])' in made
    assert "*Vietnamese:*" not in made


def test_a_translated_term_can_be_looked_up_in_both_languages():
    made = walk(PAGE, lambda text, line, kind: "Giá trị trung bình" if kind == "term" else text, translated=True)
    assert "Giá trị trung bình\nMean value\n  What one expects." in made


@pytest.mark.parametrize(
    ("text", "is_one"), [("score function", True), ("mnist5k", False), ("torch.normal(mu, sigma)", False), ("a", False)]
)
def test_only_strings_of_several_words_are_texts(text, is_one):
    assert is_text(text) == is_one


# -- a change of the English --


def test_a_change_of_the_english_leaves_no_translation_and_no_guess():
    old = polib.POFile()
    old.append(polib.POEntry(msgid="It is four.", msgstr="Là bốn."))
    old.append(polib.POEntry(msgid="It is five.", msgstr="Là năm.", flags=["fuzzy"]))
    old.append(polib.POEntry(msgid="Gone.", msgstr="Hết."))
    said = ["It is four!", "It is four.", "It is five.", "It is four."]
    new = updated(old, [Text(text, "book/x.md", line, "text") for line, text in enumerate(said, 1)])
    assert [(entry.msgid, entry.msgstr) for entry in new] == [
        ("It is four!", ""),
        ("It is four.", "Là bốn."),
        ("It is five.", ""),
    ]
    assert new[1].occurrences == [("book/x.md", "2"), ("book/x.md", "4")]
    assert walk("It is five.\n", answers(old)) == "It is five.\n"


# -- the catalogues that are there --


def now(name: str) -> set[str]:
    if name == OUTPUTS:
        return {text.text for text in of_outputs("vi")}
    texts = of_widgets() if name == WIDGETS else around.texts() if name == THEME else texts_of(name)
    return {text.text for text in texts}


@pytest.mark.parametrize("name", [name for name in NAMES if name != OUTPUTS])
def test_a_catalogue_holds_what_is_said_today(name):
    kept = {entry.msgid for entry in read(folder("vi") / f"{name}.po")}
    assert kept == now(name), "run: python -m tools.translation update"


def test_the_catalogue_of_outputs_holds_what_the_cells_show_today(html):
    kept = {entry.msgid for entry in read(folder("vi") / f"{OUTPUTS}.po")}
    assert kept == now(OUTPUTS), "run: python -m tools.translation update outputs"


def test_no_catalogue_is_an_orphan():
    there = {path.stem for path in folder("vi").iterdir()}
    assert {name for name in there if not OF_THE_PACKAGE.fullmatch(name)} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_is_translated_and_says_the_same(name):
    catalogue = read(folder("vi") / f"{name}.po")
    found = [f"{entry.occurrences[:1]} {entry.msgid[:60]!r} {what}" for entry in catalogue for what in problems(entry)]
    found += not_introduced(catalogue) if name in slugs() else []
    assert not found, "\n".join(found)


class WithoutTexts(ast.NodeTransformer):
    """A program without what it says: texts are empty, and of a text with places only these are left, in any order."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) and " " in node.value.strip() else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.Constant:
        return ast.Constant(sorted(ast.dump(part) for part in node.values if isinstance(part, ast.FormattedValue)))


@pytest.mark.parametrize("slug", slugs())
def test_the_code_of_a_translated_page_does_the_same(slug):
    """But for comments and texts, each cell is the English one."""

    def programs(text: str) -> list[str]:
        return [ast.dump(WithoutTexts().visit(ast.parse(cell))) for cell in CELL.findall(text)]

    assert programs(translated(slug, "vi")) == programs((PAGES / f"{slug}.md").read_text())


def test_the_glossary_in_english_names_the_vietnamese_terms():
    terms = {entry.msgid: entry.msgstr for entry in read(folder("vi") / "notation.po") if entry.comment == "term"}
    rows = re.findall(r"^(\S.*)\n  .*\*Vietnamese:\* (.*)\.$", (PAGES / "notation.md").read_text(), re.MULTILINE)
    assert len(rows) == len(terms)
    for english, vietnamese in rows:
        assert terms[english].lower() == vietnamese.lower(), english


def test_the_lecture_is_put_right_in_both_languages():
    for text, words in (
        ((PAGES / "lecture.md").read_text(), "put right here"),
        (translated("lecture", "vi"), "đính chính"),
    ):
        rows = {row[2:7].strip(): row for row in text.splitlines() if re.match(r"\| \d+:\d\d ", row)}
        assert [minute for minute, row in rows.items() if words in row] == ["5:27", "11:43"]


# -- a wrong translation is found --

WRONG = {
    "is untranslated": ("The mean $\\mu$.", ""),
    "lost $\\mu$": ("The mean $\\mu$.", "Trung bình $\\nu$."),
    "lost number 4,000": ("It has 4,000 images.", "Có 4000 ảnh."),
    "lost ](elbo.md)": ("See [the page](elbo.md).", "Xem [trang](loss.md)."),
    "lost `mu`": ("Here `mu` stands.", "Ở đây có `Mu`."),
    "lost numref a": ("In {numref}`a`.", "Trong hình."),
    "lost term encoder": ("The {term}`encoder`.", "{term}`bộ mã hóa`."),
    "has number 7, which": ("Some.", "Có 7."),
    "bold": ("A **word**.", "Một từ."),
    "not in Unicode NFC": ("A word.", unicodedata.normalize("NFD", "Một từ.")),
    "says 'biến ẩn'": ("A hidden one.", "Một biến ẩn."),
    "spells": ("Chemistry.", "Hoá."),
    "has 'latent variable' in English": ("A latent variable.", "Một biến."),
    "still says 'noise'": ("It is noise.", "Là noise."),
    "line break": ("One. Two.", "Một.\nHai."),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_translation_is_found(what):
    english, there = WRONG[what]
    found = problems(polib.POEntry(msgid=english, msgstr=there, comment="text"))
    assert any(what in problem for problem in found), found


def test_a_lost_place_and_a_lost_format_are_found():
    lost = polib.POEntry(msgid="after {x} steps", msgstr="sau các bước", comment="text in code")
    assert problems(lost) == ["lost {x}"]
    assert "must end with :.2f" in problems(
        polib.POEntry(msgid="mean:.2f", msgstr="trung bình:.1f", comment="text in code")
    )


def test_a_right_translation_is_not_complained_about():
    english = "The **encoder** gives $\\mu$ ({numref}`a`), see [the loss](elbo.md) of {term}`prior`."
    there = "Theo [hàm mất mát](elbo.md) của {term}`tiên nghiệm <prior>`, **bộ mã hóa** cho $\\mu$ ({numref}`a`)."
    assert problems(polib.POEntry(msgid=english, msgstr=there, comment="text")) == []


# -- what cells show --

KNOWN = {"score function": "hàm score", "after {1} steps": "sau {1} bước", "epoch {1}": "epoch {1}", "a:": "b:"}


def words(missed: list[str]) -> Words:
    return Words("references", "vi", missed=missed.append, known=KNOWN)


@pytest.mark.parametrize(
    ("english", "there"),
    [
        ('<text x="1">score function</text>', '<text x="1">hàm score</text>'),
        ("<td>0.5</td><th>score function</th>", "<td>0.5</td><th>hàm score</th>"),
        ('<img alt="after 12 steps"/>', '<img alt="sau 12 bước"/>'),
        ("<style>.after 12 steps {}</style>", "<style>.after 12 steps {}</style>"),
        ("<b>score_function(x, 2)</b>", "<b>score_function(x, 2)</b>"),
    ],
)
def test_words_in_figures_and_tables_are_exchanged_and_code_is_not(english, there):
    missed: list[str] = []
    assert words(missed).markup(english) == there
    assert missed == []


def test_printed_lines_keep_their_numbers_and_their_indent():
    missed: list[str] = []
    printed = words(missed).output({"output_type": "stream", "text": "  after -3.5 steps\n[1, 2]\nsomething new\n"})
    assert printed["text"] == "  sau -3.5 bước\n[1, 2]\nsomething new\n"
    assert missed == ["something new"]


def test_the_strings_of_a_page_translate_what_they_print(monkeypatch):
    monkeypatch.setattr(
        Words,
        "strings",
        [(re.compile(r"loss,\ epoch\ (.*?):\ by\ hand"), "loss, epoch {n}: by hand", "mất mát, epoch {n}: tự viết")],
    )
    assert words([]).say("loss, epoch 3: by hand 0.5") == "mất mát, epoch 3: tự viết 0.5"


def test_an_interaction_says_its_words_in_the_other_language():
    sentence = next(iter(of_widgets())).text
    state = {"words": {"title": sentence}, "labels": ["score function"], "_esm": "after 12 steps"}
    notebook = {
        "application/vnd.jupyter.widget-state+json": {"state": {"m": {"model_module": "anywidget", "state": state}}}
    }
    made = words([]).widgets(notebook)["application/vnd.jupyter.widget-state+json"]["state"]["m"]["state"]
    assert made["words"]["title"] == Words("intro", "vi").table[sentence] != sentence
    assert made["labels"] == ["hàm score"]
    assert made["_esm"] == "after 12 steps"
    assert state["words"]["title"] == sentence, "the English book keeps its own"


def test_every_language_that_the_settings_name_has_catalogues():
    settings = (ROOT / "_config.yml").read_text()
    named = re.findall(r"(\w+):", re.search(r"^    languages: \{(.*?)\}", settings, re.MULTILINE)[1])
    assert named[0] == "en"
    assert {path.name for path in Path(ROOT / "locale").iterdir() if path.is_dir()} == set(named[1:])
