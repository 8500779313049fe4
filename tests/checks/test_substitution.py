"""A right function in the place of one of the student's: what is right beside it passes, what is wrong does not."""

import pytest
import torch

from vae_lab.checks import elbo, sampling
from vae_lab.checks.messages import CheckFailed
from vae_lab.checks.substitution import may_use, replaced

KL_PER_DIMENSION = """
def kl_to_standard_normal(mu, logvar):
    return (mu ** 2 + logvar.exp() - logvar - 1) / 2

def bernoulli_log_likelihood(logits, x):
    return -torch.nn.functional.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)

def negative_elbo(logits, x, mu, logvar):
    return (kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)).{}
"""


def notebook(source):
    """The names that a cell defines."""
    names = {"torch": torch}
    exec(source, names)
    return names


def test_a_loss_made_of_a_wrong_part_passes_and_a_wrong_loss_does_not():
    elbo.check_negative_elbo(notebook(KL_PER_DIMENSION.format("mean()"))["negative_elbo"])
    with pytest.raises(CheckFailed, match="negative_elbo"):
        elbo.check_negative_elbo(notebook(KL_PER_DIMENSION.format("sum()"))["negative_elbo"])


def test_the_notebook_has_its_own_functions_back_afterwards():
    names = notebook(KL_PER_DIMENSION.format("sum()"))
    own = names["kl_to_standard_normal"]
    with pytest.raises(CheckFailed):
        elbo.check_negative_elbo(names["negative_elbo"])
    assert names["kl_to_standard_normal"] is own


def test_a_name_that_the_notebook_does_not_have_is_told_of():
    names = notebook("def z(mu, logvar):\n    return mu + std_from_logvar(logvar) * torch.randn_like(mu)\n")
    with pytest.raises(CheckFailed, match="does not know `std_from_logvar` yet"):
        sampling.check_reparameterize(names["z"])
    assert "std_from_logvar" not in names


def test_a_replaced_name_means_the_other_function_until_the_end():
    names = notebook("def part():\n    return 1\ndef whole():\n    return part() + 1\n")
    with replaced(names["whole"], {"part": lambda: 10}):
        assert names["whole"]() == 11
    assert names["whole"]() == 2


def test_the_second_message_is_the_one_that_is_read():
    names = notebook("def part():\n    return 1\ndef whole():\n    return part() + 1\n")

    @may_use({"part": lambda: 10})
    def check(answer):
        if answer() != 10:
            raise CheckFailed(f"whole is {answer()}")

    with pytest.raises(CheckFailed, match="whole is 11"):
        check(names["whole"])
