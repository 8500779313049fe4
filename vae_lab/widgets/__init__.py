"""Interactions that live in a page without a kernel and without a network, and in JupyterLab and Colab as well.

Each file holds one, its Python beside its JavaScript; `interaction.py` says what they share. Show one by ending a cell
with it: `widgets.Reparameterization()`.
"""

from vae_lab.widgets.bound_in_one_dimension import BoundInOneDimension
from vae_lab.widgets.bound_ladder import BoundLadder
from vae_lab.widgets.broken_gallery import BrokenGallery
from vae_lab.widgets.gradient_paths import GradientPaths
from vae_lab.widgets.gradient_way import GradientWay
from vae_lab.widgets.gumbel_simplex import GumbelSimplex
from vae_lab.widgets.interaction import Interaction
from vae_lab.widgets.latent_explorer import LatentExplorer
from vae_lab.widgets.playground import Playground
from vae_lab.widgets.rate_distortion import RateDistortion
from vae_lab.widgets.reparameterization import Reparameterization
from vae_lab.widgets.sum_over_paths import SumOverPaths
from vae_lab.widgets.training_film import TrainingFilm
from vae_lab.widgets.two_gradients import TwoGradients
from vae_lab.widgets.your_digit import YourDigit

__all__ = [
    "BoundInOneDimension",
    "BoundLadder",
    "BrokenGallery",
    "GradientPaths",
    "GradientWay",
    "GumbelSimplex",
    "Interaction",
    "LatentExplorer",
    "Playground",
    "RateDistortion",
    "Reparameterization",
    "SumOverPaths",
    "TrainingFilm",
    "TwoGradients",
    "YourDigit",
]
