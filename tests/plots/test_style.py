"""The frame that all figures share."""

from vae_lab import plots


def test_panels_share_the_width_of_a_page():
    axes = plots.panels(2, 1)
    assert axes[0].figure is axes[1].figure
    assert axes[0].figure.get_figwidth() == plots.WIDTH
