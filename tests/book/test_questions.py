"""The page of questions: each has an answer of a few lines and a place to read on, and what it claims was run."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
import torch
from book.built_pages import column, numbers, printed
from book.sources import ROOT

from vae_lab.shipped import ASSETS

PAGE = ROOT / "book" / "questions.md"
KEPT = json.loads((ASSETS / "questions.json").read_text(encoding="utf-8"))
# What people type into a search field: each word stands in a heading or an answer.
SEARCHED = (
    "MSE", "BCE", "sigmoid", "logits", "Sum or mean", "logvar", "softplus", "NaN", "clamp", "negative", "samples of z",
    "test time", "eval", "latent_dim", "blurred", "Warm-up", "Free bits", "−1 to 1", "convolutional", "conditional",
    "Colour", "save and load", "last batch", "GPU", "AMP", "torch.compile", "VQ-VAE", "diffusion",
)  # fmt: skip


def sections() -> dict[str, str]:
    parts = re.split(r"^### (.+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize("word", SEARCHED)
def test_the_words_that_people_search_for_are_there(word):
    assert word in PAGE.read_text()


@pytest.mark.parametrize("question", sections())
def test_an_answer_is_short_and_leads_to_a_page(question):
    answer = sections()[question]
    assert re.search(r"\]\(\w+\.md\)", answer), "no link to read on"
    words = len(re.sub(r"```.*?```", "", answer, flags=re.DOTALL).split())
    assert words <= 175, f"{words} words"


def test_what_was_kept_is_what_the_answers_say():
    """Held on all three seeds; the file is `tools/make_questions.py`'s."""
    active = {name: [seed["active"] for seed in seeds] for name, seeds in KEPT.items() if name != "asked digit"}
    total = {name: [seed["sum"] for seed in seeds] for name, seeds in KEPT.items() if name != "asked digit"}
    assert all(len(values) == 3 for values in KEPT.values())
    assert active["squared error, averaged"] == [0, 0, 0], "it collapses"
    assert active["50 dimensions"] == [50, 50, 50], "all still move with the image"
    assert min(total["2 dimensions"] + total["50 dimensions"]) > max(total["10 dimensions"]) + 5, "10 are better"
    for remedy in ("free bits", "warmed up"):
        assert all(3 < a - b < 7 for a, b in zip(total["10 dimensions"], total[remedy], strict=True)), remedy
    assert all(seed["at_mean"] < seed["distortion"] for seed in KEPT["10 dimensions"]), "the mean looks better"
    assert 0.3 < min(KEPT["asked digit"]) <= max(KEPT["asked digit"]) < 0.7, "more than chance, and not there yet"


@pytest.fixture
def built(html):
    return html


@pytest.mark.usefixtures("built")
def test_what_the_cells_print_is_what_the_answers_say():
    constants = numbers("questions", "a constant for every image:")
    assert all(a == pytest.approx(b, abs=0.01) for a, b in pairwise(constants))
    loss, slope = (column("questions", "at logit 30", head) for head in ("loss", "slope"))
    assert (loss["sigmoid, then BCE"], slope["sigmoid, then BCE"]) == ([100], [0]), "a wrong value, and no gradient"
    assert (loss["BCE with logits"], slope["BCE with logits"]) == ([30], [1])
    assert "inf" in printed("questions")
    assert numbers("questions", "softplus of 89, -120:")[-1] == 0
    ((clamped,), (bent,)) = column("questions", "bounded by", "slope at 12").values()
    assert clamped == 0 < bent
    bce = {name: value for name, (value,) in column("questions", "grey values from", "BCE").items()}
    assert bce["0 to 1"] > 0 > max(bce["0 to 255"], bce["-1 to 1"]), "no lower bound"
    assert "twice the same z in eval mode: False" in printed("questions")
    assert "the same reconstructions: True" in printed("questions")
    exact = 0.5 * (torch.tensor(0.02, dtype=torch.double).exp() - 1 - 0.02).item()
    ((full,), (half,)) = column("questions", "precision", "KL at logvar 0.02").values()
    assert full == pytest.approx(exact, rel=0.02)
    assert half > 3 * exact
    for head in ("mean", "variance"):
        by_steps, at_once = column("questions", "200 steps of noise", head).values()
        assert by_steps == pytest.approx(at_once, abs=0.05)
    assert "65,589 weights" in printed("questions")
    assert "the book's VAE has 795,204" in printed("questions"), "ten times as many, and more"
    assert set(column("questions", "model", "sum")) == set(KEPT) - {"asked digit"}


def test_there_are_all_questions():
    assert len(sections()) >= 22
