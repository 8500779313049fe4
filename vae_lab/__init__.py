"""The teaching package of the course about one line of code, `z = mu + sigma * eps`.

Read it in this order: sampling, estimators, elbo, data, models, evaluation,
training, generation. Importing it loads none of
matplotlib, ipywidgets and nbgrader.
"""

from vae_lab.data import Images, load_images
from vae_lab.elbo import (
    Elbo,
    bernoulli_log_likelihood,
    gaussian_kl,
    gaussian_log_likelihood,
    importance_weighted_bound,
)
from vae_lab.estimators import Gradients, pathwise_gradients, score_function_gradients
from vae_lab.evaluation import active_units, log_marginal_bound
from vae_lab.generation import code, from_prior, interpolate, latent_grid, recognisability, reconstruct
from vae_lab.models import VAE, Autoencoder, LinearVAE, LossTerms, VAEOutput
from vae_lab.sampling import reparameterize, sample_and_cut, sample_prior
from vae_lab.training import History, fit

__version__ = "0.1.0"

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
    "fit",
    "from_prior",
    "gaussian_kl",
    "gaussian_log_likelihood",
    "importance_weighted_bound",
    "interpolate",
    "latent_grid",
    "load_images",
    "log_marginal_bound",
    "pathwise_gradients",
    "recognisability",
    "reconstruct",
    "reparameterize",
    "sample_and_cut",
    "sample_prior",
    "score_function_gradients",
]
