"""Where the check of a VAE looks at its draws: at an image whose logvar is large, however the encoder bends."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vae_lab.checks.instruments.vae_draw import _spread_out


class Bent:
    """An encoder whose logvar is a function of how bright the images are."""

    def __init__(self, rising: float, falling: float) -> None:
        self.rising, self.falling = rising, falling

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Small near 0, far below 0 on one side, and slowly rising on the other."""
        size = x.mean(-1, keepdim=True)
        logvar = torch.where(size > 0, 0.05 - self.falling * torch.relu(size - 1), -self.rising * size)
        return torch.zeros_like(logvar), logvar


@pytest.mark.parametrize("rising", [0.01, 0.3, 20.0])
@pytest.mark.parametrize("falling", [0.5, 40.0])
def test_images_are_found_whose_logvar_is_about_three(rising, falling):
    model, x = Bent(rising, falling), torch.linspace(0, 1, 784).expand(8, -1)
    assert abs(float(model.encode(_spread_out(model, x))[1].max()) - 3) < 1


def test_where_logvar_cannot_reach_three_the_nearest_is_taken_and_none_far_below_zero():
    model, x = Bent(-0.0, 40.0), torch.linspace(0, 1, 784).expand(8, -1)
    assert float(model.encode(_spread_out(model, x))[1].max()) == pytest.approx(0.05)
