"""Make vae_lab/assets/training_film.npz: the book's VAE, and six with a line wrong, seen after each of 25 epochs.

Run once, some minutes on one core; the result is kept.

    python -m tools.make_training_film

The models are those of `vae_lab.broken.GALLERY`, each trained as the book's first page trains its VAE. After each
epoch, and before the first, it keeps where the encoder puts 100 test images and how widely (float16), and what the
decoder makes of 5 x 5 places of the plane (14 x 14 pixels, 16 greys). Watching draws no random number: the run is
`fit`'s own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from tools.ship_arrays import ship
from vae_lab import broken
from vae_lab.data import load_images
from vae_lab.models import VAE
from vae_lab.shipped import ASSETS
from vae_lab.training import fit

TARGET = ASSETS / "training_film.npz"
EPOCHS, BATCH, SHOWN, SIDE, REACH = 25, 128, 100, 5, 2.0


@torch.no_grad()
def seen(model: VAE, x: Tensor) -> dict[str, np.ndarray]:
    """What is kept of a model as it is now: mu and sigma [100, 2], and the map [25, 98], two pixels a byte."""
    mu, logvar = model.encode(x)
    at = torch.linspace(-REACH, REACH, SIDE)
    places = torch.stack([at.repeat(SIDE), at.flip(0).repeat_interleave(SIDE)], 1)  # row by row, from the top left
    grey = avg_pool2d(torch.sigmoid(model.decode(places)), 2).flatten(1).mul(15).round().to(torch.uint8)
    limit = torch.finfo(torch.float16).max
    codes = torch.cat([mu, torch.exp(logvar / 2)], 1).clamp(-limit, limit).half()
    return {"codes": codes.numpy(), "map": (grey[:, 0::2] * 16 + grey[:, 1::2]).numpy()}


def film(kind: type[VAE], images: Tensor, test: Tensor) -> dict[str, np.ndarray]:
    """Train one model and look at it before each epoch and after the last."""
    torch.manual_seed(0)
    model, frames, calls = kind(latent_dim=2), [], 0
    terms, steps = model.loss_terms, math.ceil(len(images) / BATCH)

    def watched(*args: Any, **options: Any) -> Any:
        nonlocal calls
        if calls % steps == 0:
            frames.append(seen(model, test))
        calls += 1
        return terms(*args, **options)

    model.loss_terms = watched  # type: ignore[method-assign]
    history = fit(model, images, epochs=EPOCHS, batch_size=BATCH, seed=0, progress=False)
    frames.append(seen(model, test))
    print(f"{kind.__name__}: {len(frames)} frames, loss {history.loss[-1]:.2f}, {history.seconds:.0f} s", flush=True)
    curves = {name: np.array(getattr(history, name), dtype=np.float32) for name in ("reconstruction", "kl")}
    return {key: np.stack([frame[key] for frame in frames]) for key in ("codes", "map")} | curves


def main() -> None:
    """Train all, write the file, and print its checksum."""
    torch.set_num_threads(1)
    images, part = load_images().images, load_images(train=False)
    arrays = {"labels": part.labels[:SHOWN].numpy().astype(np.uint8)}
    for kind in broken.GALLERY:
        kept = film(kind, images, part.images[:SHOWN] / 255)
        arrays |= {f"{kind.__name__}.{key}": value for key, value in kept.items()}
    ship(TARGET, arrays)


if __name__ == "__main__":
    main()
