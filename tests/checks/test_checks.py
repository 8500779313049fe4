"""Checks fail closed, say what is wrong, give nothing away, and lock the answers that the package itself has."""

import importlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

import vae_lab
from vae_lab import checks
from vae_lab.checks import elbo, generation, messages, sampling

ROOT = Path(__file__).parents[2]
LABS = [path.name for path in sorted((ROOT / "solutions").iterdir()) if path.is_dir()]
FUNCTIONS = {
    "std_from_logvar": sampling.check_std_from_logvar,
    "reparameterize": sampling.check_reparameterize,
    "reparameterize, manners": sampling.check_reparameterize_manners,
    "reparameterize_many": sampling.check_reparameterize_many,
    "node_kinds": sampling.check_node_kinds,
    "gradient_reaches": sampling.check_gradient_reaches,
    "hand_gradients": sampling.check_hand_gradients,
    "kl_to_standard_normal": elbo.check_kl_to_standard_normal,
    "bernoulli_log_likelihood": elbo.check_bernoulli_log_likelihood,
    "bernoulli_log_likelihood, far": elbo.check_far_logits,
    "negative_elbo": elbo.check_negative_elbo,
    "kl_monte_carlo": elbo.check_kl_monte_carlo,
    "VAE": generation.check_vae,
    "generate": generation.check_generate,
    "interpolate": generation.check_interpolate,
    "recognisable_fraction": generation.check_recognisable_fraction,
}
FUNCTIONS["train"] = importlib.import_module("vae_lab.checks.instruments.train_run").check_loss_of_loop
NONSENSE = {
    "None": None,
    "a number": 0.5,
    "nan": math.nan,
    "True": True,
    "a text": "z",
    "an empty list": [],
    "a list of numbers": [0.0, 1.0],
    "a pair": (torch.zeros(3), torch.zeros(3)),
    "a dictionary": {"before": None, "after": 3},
    "a NumPy array": np.zeros((48, 6), dtype=np.float32),
    "an empty tensor": torch.zeros(0),
    "a scalar tensor": torch.tensor(1.0),
    "integers": torch.zeros(48, 6, dtype=torch.int64),
    "nan in the right shape": torch.full((48, 6), math.nan),
    "infinities": torch.full((4,), math.inf),
    "zeros": torch.zeros(48, 6),
    "a class": dict,
}


@pytest.mark.parametrize("what", NONSENSE)
@pytest.mark.parametrize("task", FUNCTIONS)
def test_nonsense_fails_with_a_text(task, what):
    with pytest.raises(AssertionError) as caught:
        FUNCTIONS[task](lambda *args: NONSENSE[what])
    assert type(caught.value) is messages.CheckFailed
    assert task.partition(",")[0] in str(caught.value)


@pytest.mark.parametrize("task", FUNCTIONS)
def test_an_error_in_the_answer_is_told_with_its_line(task):
    def answer(*args):
        return math.sqrt(-1)

    with pytest.raises(messages.CheckFailed, match=r"(?s)raised ValueError.*In answer, line \d+: return math.sqrt"):
        FUNCTIONS[task](answer)


@pytest.mark.parametrize("task", FUNCTIONS)
def test_an_empty_answer_is_called_not_written(task):
    def answer(*args):
        raise NotImplementedError

    with pytest.raises(messages.CheckFailed, match="not written yet"):
        FUNCTIONS[task](answer)


def test_a_notebook_shows_the_text_and_no_traceback():
    error = messages.CheckFailed("square: 6. Wanted 9.")
    assert error._render_traceback_() == ["Not yet: square: 6. Wanted 9."]


@pytest.fixture
def unlocked():
    """Give the package its answers back after a test that locks them."""
    kept = {}
    for lab in LABS:
        for path in importlib.import_module(f"vae_lab.checks.{lab}").RESERVES:
            module, _, name = path.rpartition(".")
            kept[path] = (importlib.import_module(module), name, getattr(importlib.import_module(module), name))
    yield
    for module, name, value in kept.values():
        setattr(module, name, value)


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_locks_the_package_s_own_answers(lab, unlocked):
    checks.start(lab)
    for path in importlib.import_module(f"vae_lab.checks.{lab}").RESERVES:
        module, _, name = path.rpartition(".")
        with pytest.raises(RuntimeError, match=f"this lab asks you to write {name} yourself"):
            getattr(importlib.import_module(module), name)(torch.zeros(1), torch.zeros(1))


def test_a_locked_class_cannot_be_subclassed(unlocked):
    checks.start("generation")
    with pytest.raises(RuntimeError, match="write VAE yourself"):
        type("Mine", (vae_lab.VAE,), {}) if isinstance(vae_lab.VAE, type) else vae_lab.VAE.__mro_entries__(())


@pytest.mark.parametrize("lab", LABS)
def test_the_notebook_reserves_what_its_checks_reserve(lab):
    notebook = json.loads((ROOT / "solutions" / lab / f"{lab}.ipynb").read_text(encoding="utf-8"))
    reserves = importlib.import_module(f"vae_lab.checks.{lab}").RESERVES
    assert notebook["metadata"]["vae_lab"] == {"lab": lab, "reserves": list(reserves)}


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_gives_twenty_points_and_has_an_anchor_in_every_graded_cell(lab):
    cells = json.loads((ROOT / "solutions" / lab / f"{lab}.ipynb").read_text(encoding="utf-8"))["cells"]
    graders = [
        (cell["metadata"]["nbgrader"], "".join(cell["source"])) for cell in cells if "nbgrader" in cell["metadata"]
    ]
    assert sum(info.get("points", 0) for info, _ in graders) == 20
    for info, source in graders:
        assert source.split("\n")[0].strip("<!-> ").removeprefix("# ") == f"vae-lab: {lab}/{info['grade_id']}"
