"""What the pictures of the ELBO mark."""

import torch

from vae_lab import plots

NOISE = torch.randn(1000, generator=torch.Generator().manual_seed(0))


def test_the_ladder_marks_the_means_and_the_truth():
    ax = plots.ladder({1: NOISE - 1, 5: NOISE}, truth=0.5)
    heights = ax.collections[-1].get_offsets()[:, 1]
    torch.testing.assert_close(torch.tensor(heights), torch.stack([NOISE.mean() - 1, NOISE.mean()]).double())
    assert ax.lines[-1].get_ydata()[0] == 0.5


def test_the_rate_distortion_line_touches_the_best_model():
    ax = plots.rate_distortion([1, 2, 4], [10.0, 6.0, 1.0], [150.0, 152.0, 170.0])
    rate, total = ax.lines[-1].get_xdata(), ax.lines[-1].get_xdata() + ax.lines[-1].get_ydata()
    assert set(total) == {158.0}
    assert list(rate) == [0.0, 10.0]
