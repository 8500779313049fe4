"""What the interactions say: every word comes from a table that a translation can take the place of."""

import json
import re

import pytest
import traitlets

from vae_lab import widgets
from vae_lab.widgets import BoundLadder, words

KINDS = [getattr(widgets, name) for name in widgets.__all__ if name != "Interaction"]
# Names of variables, as code writes them and a screen reader says them: the same in every language.
NAMES = {"beta", "eps", "epsilon", "error", "log", "logvar", "loss", "penalty", "sigma", "theta"}
PLACE = re.compile(r"(\{\w+\})")


def by_kind(kind):
    return kind.__name__


def disguised(text):
    """A sentence in no language: each letter is ж, and the places stay."""
    return "".join(part if PLACE.fullmatch(part) else re.sub("[A-Za-z]", "ж", part) for part in PLACE.split(text))


@pytest.mark.parametrize("kind", KINDS, ids=by_kind)
def test_all_that_is_said_comes_from_the_table(show, settle, kind):
    page = show(kind(words={key: disguised(text) for key, text in kind.english().items()}))
    for control in page.locator(".vae-lab input[type=range]").all()[:2]:
        control.focus()
        page.keyboard.press("ArrowRight")
    for radio in page.locator(".vae-lab input[type=radio]:not(:checked)").all()[:2]:
        radio.check()
    settle(page)
    said = page.evaluate(
        """() => {
          const root = document.querySelector(".vae-lab").cloneNode(true);
          root.querySelectorAll("svg.vae-graph, style").forEach((node) => node.remove());
          const found = [], texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
          while (texts.nextNode()) found.push(texts.currentNode.data);
          for (const node of [root, ...root.querySelectorAll("*")]) {
            for (const name of ["aria-label", "aria-valuetext", "title", "alt", "placeholder"]) {
              if (node.hasAttribute(name)) found.push(node.getAttribute(name));
            }
          }
          return found;
        }"""
    )
    assert any("ж" in text for text in said)
    english = {word for text in said for word in re.findall(r"[A-Za-z]{3,}", text)} - NAMES
    assert not english, f"{kind.__name__}: these words are not in its table: {sorted(english)}"


@pytest.mark.parametrize("kind", KINDS, ids=by_kind)
def test_the_table_is_what_the_script_asks_for(kind):
    table, script = kind.english(), re.sub(r"(?m)(^|\s)//.*$", "", kind._esm)
    assert table, "the widget has no table"
    asked = set(re.findall(r'\bsay\("(\w+)"', script))
    assert asked <= table.keys()
    quoted = set(re.findall(r'"(\w+)"', script)) | set(re.findall(r"(?:\{|, )(\w+):", script))
    made = [re.sub(r"\$\{[^}]*\}", r"\\w+", text) for text in re.findall(r"`(\w*\$\{[^`}]*\}\w*)`", script)]
    module = (words.TABLES.parent / f"{kind.__module__.rpartition('.')[2]}.py").read_text(encoding="utf-8")
    python = set(re.findall(r'words\["(\w+)"\]', module))
    unused = {
        key for key in table.keys() - quoted - python if not any(re.fullmatch(p, key) for p in made if p != r"\w+")
    }
    assert not unused, f"{kind.__name__}: nobody asks for {sorted(unused)}"


@pytest.mark.parametrize("path", sorted(words.TABLES.glob("*.json")), ids=lambda path: path.stem)
def test_entries_are_whole_and_their_places_are_told_apart(path):
    table = json.loads(path.read_text(encoding="utf-8"))
    assert {kind.__module__.rpartition(".")[2] for kind in KINDS} >= {path.stem}
    for key, text in table.items():
        assert text == text.strip() != "", key
        assert "{" not in PLACE.sub("", text), key


def test_a_translation_replaces_some_or_all():
    assert BoundLadder(words={"nats": "nat"}).words["title"] == "The ladder of bounds"
    assert BoundLadder(words=words.translated(BoundLadder.english(), {"nats": "nat"})).words["nats"] == "nat"
    with pytest.raises(traitlets.TraitError, match=r"BoundLadder: words: there is no entry 'nat'; the entries are"):
        BoundLadder(words={"nat": "nat"})
    with pytest.raises(traitlets.TraitError, match=r"'log_p' has the places \['x'\]; wanted \['value'\]"):
        BoundLadder(words={"log_p": "log p = {x}"})
