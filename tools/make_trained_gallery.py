"""Make vae_lab/assets/trained_gallery.npz: trained VAEs, kept as the pictures they make and the numbers they reach.

Run once, some minutes on one core; the result is kept.

    python -m tools.make_trained_gallery

Two families, on MNIST-5k: a sound VAE with ten latent dimensions for several weights beta of the KL term, and the VAEs
of `vae_lab.broken`, each with one line wrong. Of each it keeps reconstructions of the same test images and draws from
the prior, as bytes; of the broken ones also where two more seeds end.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tools.ship_arrays import ship
from vae_lab import broken
from vae_lab.data import load_images
from vae_lab.elbo import gaussian_kl
from vae_lab.generation import from_prior, reconstruct
from vae_lab.models import VAE
from vae_lab.shipped import ASSETS
from vae_lab.training import History, fit

TARGET = ASSETS / "trained_gallery.npz"
BETAS = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
SHOWN, SEEDS = 6, 3
ENDS = ("loss", "kl", "true_kl", "sigma", "drawn_sigma")  # what is kept of all seeds


def as_bytes(images: Tensor) -> np.ndarray:
    """Pixels [N, 1, 28, 28] in [0, 1] as uint8 [N, 784]."""
    return images.flatten(1).mul(255).round().to(torch.uint8).numpy()


def pictures(model: VAE, x: Tensor) -> dict[str, np.ndarray]:
    """Reconstructions of the first test images, and draws from the prior with the same noise for all models."""
    draws = from_prior(model, SHOWN, generator=torch.Generator().manual_seed(0))
    return {"reconstructions": as_bytes(reconstruct(model, x[:SHOWN])), "draws": as_bytes(draws)}


def train(model: VAE, images: Tensor, epochs: int, beta: float = 1.0, seed: int = 0) -> History:
    """Train and say how long it took."""
    history = fit(model, images, epochs=epochs, beta=beta, seed=seed, progress=False)
    print(
        f"{type(model).__name__} beta {beta} seed {seed}: loss {history.loss[-1]:.2f}, {history.seconds:.0f} s",
        flush=True,
    )
    return history


@torch.no_grad()
def drawn_sigma(model: VAE, x: Tensor) -> Tensor:
    """The spread that z really has: the mean over images and dimensions of the standard deviation of 100 draws."""
    generator = torch.Generator().manual_seed(0)
    return torch.stack([model(x[:200], generator=generator).z for _ in range(100)]).std(0).mean()


def main() -> None:
    """Train all, write the file, and print its checksum."""
    torch.set_num_threads(1)
    images, test = load_images().images, load_images(train=False).images / 255
    arrays: dict[str, np.ndarray] = {"originals": as_bytes(test[:SHOWN]), "betas": np.array(BETAS)}
    for index, beta in enumerate(BETAS):
        torch.manual_seed(0)
        model = VAE(latent_dim=10)
        train(model, images, 25, beta)
        with torch.no_grad():
            terms = model.loss_terms(test, generator=torch.Generator().manual_seed(0))
        arrays[f"beta{index}.rate"] = terms.kl.mean().numpy()
        arrays[f"beta{index}.distortion"] = terms.reconstruction.mean().numpy()
        arrays |= {f"beta{index}.{name}": value for name, value in pictures(model, test).items()}
    for kind in broken.GALLERY:
        name, ends = kind.__name__, np.zeros((SEEDS, len(ENDS)), dtype=np.float32)
        for seed in range(SEEDS):
            torch.manual_seed(seed)
            model = kind()
            history = train(model, images, 12, seed=seed)
            with torch.no_grad():
                mu, logvar = model.encode(test)
            sigma = torch.exp(logvar / 2).mean()
            measured = (gaussian_kl(mu, logvar).mean(), sigma, drawn_sigma(model, test))
            ends[seed] = [history.loss[-1], history.kl[-1], *(value.item() for value in measured)]
            if seed == 0:  # the one that is shown
                arrays[f"{name}.loss"] = np.array(history.loss, dtype=np.float32)
                arrays[f"{name}.kl"] = np.array(history.kl, dtype=np.float32)
                for key, value in zip(ENDS[2:], measured, strict=True):
                    arrays[f"{name}.{key}"] = value.numpy()
                arrays |= {f"{name}.{key}": value for key, value in pictures(model, test).items()}
        arrays[f"{name}.ends"] = ends
    ship(TARGET, arrays)


if __name__ == "__main__":
    main()
