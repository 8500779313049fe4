"""A message and a lab name a page as the book does: by its title, which is what stands in the book's margin."""

from __future__ import annotations

import json
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest
import torch

import vae_lab.checks
from vae_lab.checks.messages import TITLES, CheckFailed, Misconception, ask, fail

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\[([^][]+)\]\(\.\./\.\./book/(\w+)\.md\)")
MODULES = [import_module(m.name) for m in pkgutil.walk_packages(vae_lab.checks.__path__, "vae_lab.checks.")]


def title(page: str) -> str:
    """The title of a page of the book."""
    heading = re.search(r"^# (.+)$", (ROOT / "book" / f"{page}.md").read_text(), re.MULTILINE)
    assert heading, page
    return heading[1]


@pytest.mark.parametrize("page", TITLES)
def test_a_title_is_the_one_that_the_page_bears(page):
    assert TITLES[page] == title(page)


def test_an_exception_that_prints_a_tensor_does_not_bury_what_follows():
    def bernoulli_log_likelihood(logits, x):
        return torch.distributions.Bernoulli(logits=logits).log_prob(x)

    with pytest.raises(CheckFailed) as raised:
        ask("bernoulli_log_likelihood", bernoulli_log_likelihood, torch.zeros(40, 9), torch.full((40, 9), 0.5))
    lines = str(raised.value).splitlines()
    assert len(lines) < 12
    assert lines[-1].startswith("torch's Bernoulli takes 0 and 1 only")


def test_every_mistake_with_a_name_leads_to_a_page_with_a_title():
    mistakes = [value for module in MODULES for value in vars(module).values() if isinstance(value, Misconception)]
    assert len(mistakes) > 40
    assert {mistake.page for mistake in mistakes} <= set(TITLES)


def test_a_message_names_the_page_by_its_title_and_its_address():
    with pytest.raises(CheckFailed, match=re.escape('the book\'s page "The ELBO: what a VAE maximises" (elbo.html).')):
        fail("half", "half(4) is 3.", "Wanted 2.", Misconception("Half of four is two.", "elbo"))


@pytest.mark.parametrize("lab", sorted((ROOT / "labs").glob("*/*.ipynb")), ids=lambda lab: lab.stem)
def test_a_lab_names_the_pages_to_read_by_their_titles(lab):
    text = "\n".join("".join(cell["source"]) for cell in json.loads(lab.read_text())["cells"])
    links = [(words, page) for words, page in LINK.findall(text) if page != "lecture"]
    assert len(links) > 4
    assert [(words, page) for words, page in links if words != title(page)] == []
