"""Every VAE of the bank: the sound ones get no finding, the broken ones get theirs first, and the page counts them."""

from collections import Counter

import pytest
import torch
from book.sources import ROOT, cells
from diagnose import first_half, second_half
from diagnose.patients import Patient

from vae_lab.data import load_images
from vae_lab.diagnosis import diagnose
from vae_lab.diagnosis.causes import CAUSES

SOUND = [*first_half.SOUND, *second_half.SOUND]
BROKEN = [*first_half.BROKEN, *second_half.BROKEN]
PAGE = (ROOT / "book" / "diagnose.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def of_name(patient: Patient) -> str:
    return patient.name


def test_the_bank_is_large_and_each_name_is_known() -> None:
    assert len(SOUND) >= 20
    assert len(BROKEN) >= 40
    assert len({p.name for p in SOUND + BROKEN}) == len(SOUND + BROKEN)
    assert {a for p in BROKEN for a in p.ails} <= set(CAUSES)


@pytest.mark.parametrize("patient", SOUND, ids=of_name)
def test_nothing_is_found_in_a_sound_one(patient: Patient) -> None:
    said = diagnose(**patient.call(0))
    assert said.names == [], said
    assert str(said).startswith("Nothing found.")
    assert said.examined


@pytest.mark.parametrize("patient", BROKEN, ids=of_name)
def test_the_mistake_of_a_broken_one_is_named_first(patient: Patient) -> None:
    said = diagnose(**patient.call(0))
    assert said.names, said
    assert said.names[0] in patient.ails, said
    assert (ROOT / "book" / f"{said.findings[0].page}.md").exists()


def test_the_page_counts_the_bank_as_it_is() -> None:
    counts = Counter(p.ails[0] for p in BROKEN)
    for name, number in counts.items():
        assert f"| `{name}` | {number} | {number} |" in PAGE, name
    assert f"| none | {len(SOUND)} | 0 |" in PAGE
    assert f"{len(SOUND)} correct and {len(BROKEN)} broken" in PAGE
    listed = {line.split("`")[1] for line in PAGE.splitlines() if line.startswith("| `")}
    assert listed == set(counts)


@pytest.mark.parametrize(
    ("line", "instead", "found", "weight"),
    [
        ("", "", ["cut_sample", "pixel_mean"], 784 * 64),
        ("logvar.exp()).sum()", "logvar.exp()).sum() / 64", ["cut_sample", "pixel_mean"], 784),
        ("x.flatten(1)) + kl", 'x.flatten(1), reduction="sum") + kl', ["cut_sample"], None),
        (
            "torch.normal(mu, torch.exp(logvar / 2))",
            "Normal(mu, (logvar / 2).exp()).rsample()",
            ["pixel_mean"],
            784 * 64,
        ),
    ],
    ids=["as it stands", "KL over 64", "sum", "rsample"],
)
def test_the_page_s_own_model_and_the_answers_of_its_quiz(line, instead, found, weight) -> None:
    (code,) = (cell.code for cell in cells(ROOT / "book" / "diagnose.md") if "nn.ModuleDict" in cell.code)
    definition = code.split("for finding")[0]
    assert line in definition
    names = {"torch": torch, "nn": torch.nn, "F": torch.nn.functional, "Normal": torch.distributions.Normal}
    torch.manual_seed(0)
    exec(compile(definition.replace(line, instead) if line else definition, "diagnose.md", "exec"), names)
    said = diagnose(names["net"], load_images().images[:64] / 255, loss=names["loss"])
    assert said.names == found
    if weight:
        assert f"weighs {weight:.4g} times" in said.findings[-1].measured
