"""Every figure of the course: (data, *, ax=None) -> Axes, in one style.

One file for each subject, on top of `style`; a page writes `plots.NAME`, wherever NAME stands.
"""

from vae_lab.plots.bound import bowl, ladder, rate_distortion
from vae_lab.plots.gradients import gradient_histograms, running_mean
from vae_lab.plots.images import image_sheet
from vae_lab.plots.latent import latent_scatter, posterior_clouds
from vae_lab.plots.lines import band, bars, curves, dots, log_curves, reference_line
from vae_lab.plots.noise import frozen_noise, samples_against_density
from vae_lab.plots.style import (
    BLUE,
    COLOURS,
    GREEN,
    INK,
    INK_MAP,
    ORANGE,
    PURPLE,
    QUIET,
    STYLE,
    WIDTH,
    panels,
    use_course_style,
)
from vae_lab.plots.training import durations, training_curves

__all__ = [
    "BLUE",
    "COLOURS",
    "GREEN",
    "INK",
    "INK_MAP",
    "ORANGE",
    "PURPLE",
    "QUIET",
    "STYLE",
    "WIDTH",
    "band",
    "bars",
    "bowl",
    "curves",
    "dots",
    "durations",
    "frozen_noise",
    "gradient_histograms",
    "image_sheet",
    "ladder",
    "latent_scatter",
    "log_curves",
    "panels",
    "posterior_clouds",
    "rate_distortion",
    "reference_line",
    "running_mean",
    "samples_against_density",
    "training_curves",
    "use_course_style",
]
