# What the package offers, and in which module each name is made: read by type checkers, and by `__init__.py`, which
# imports a name when it is first asked for. Sorted; in ASCII, since it is read in the system's own encoding.

from . import data, elbo, estimators, evaluation, generation, models, sampling, training
from .data import Images, load_images
from .diagnosis.diagnose import diagnose
from .elbo import (
    Elbo,
    bernoulli_log_likelihood,
    gaussian_kl,
    gaussian_log_likelihood,
    importance_weighted_bound,
)
from .estimators import Gradients, pathwise_gradients, score_function_gradients
from .evaluation import active_units, log_marginal_bound
from .generation import code, from_prior, interpolate, latent_grid, recognisability, reconstruct
from .models import VAE, Autoencoder, LinearVAE, LossTerms, VAEOutput
from .sampling import reparameterize, sample_and_cut, sample_prior
from .training import History, fit

__version__: str

__all__ = [
    "Autoencoder",
    "Elbo",
    "Gradients",
    "History",
    "Images",
    "LinearVAE",
    "LossTerms",
    "VAE",
    "VAEOutput",
    "active_units",
    "bernoulli_log_likelihood",
    "code",
    "data",
    "diagnose",
    "elbo",
    "estimators",
    "evaluation",
    "fit",
    "from_prior",
    "gaussian_kl",
    "gaussian_log_likelihood",
    "generation",
    "importance_weighted_bound",
    "interpolate",
    "latent_grid",
    "load_images",
    "log_marginal_bound",
    "models",
    "pathwise_gradients",
    "recognisability",
    "reconstruct",
    "reparameterize",
    "sample_and_cut",
    "sample_prior",
    "sampling",
    "score_function_gradients",
    "training",
]
