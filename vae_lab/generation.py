"""What a trained model is for: new images from the prior, paths between images, maps of the latent space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from vae_lab.sampling import sample_prior


class Decoder(Protocol):
    """A model that maps latents [..., D] to logits of pixels [..., *data_shape]."""

    latent_dim: int

    def decode(self, z: Tensor) -> Tensor:
        """Map z [..., D] to logits [..., *data_shape]."""


class EncoderDecoder(Decoder, Protocol):
    """A model that also maps images to codes: mu and logvar, or z itself."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor] | Tensor:
        """Map images [B, ...] to (mu, logvar), or to z, each [B, D]."""


@torch.no_grad()
def from_prior(model: Decoder, n: int, *, generator: torch.Generator | None = None) -> Tensor:
    """Draw z ~ N(0, I) and decode it. The encoder is not used.

    Args:
        model: has `decode` and `latent_dim`.
        n: number of images.
        generator: source of z, on the model's device; torch's default generator if None.

    Returns:
        Probabilities of the pixels, [n, *data_shape], in [0, 1].

    Example:
        >>> from vae_lab.models import VAE
        >>> from_prior(VAE(), 3).shape
        torch.Size([3, 1, 28, 28])

    Source: lecture 12:41.
    """
    device, dtype = _place(model)
    z = sample_prior(n, model.latent_dim, generator=generator, device=device, dtype=dtype)
    return torch.sigmoid(model.decode(z))


@torch.no_grad()
def code(model: EncoderDecoder, x: Tensor) -> Tensor:
    """Where an image lies in latent space: mu for a VAE, z for an autoencoder.

    Args:
        model: has `encode`.
        x: images in [0, 1], [B, *data_shape].

    Returns:
        [B, D].

    Example:
        >>> from vae_lab.models import Autoencoder
        >>> code(Autoencoder(latent_dim=2), torch.zeros(4, 1, 28, 28)).shape
        torch.Size([4, 2])
    """
    encoded = model.encode(x)
    return encoded[0] if isinstance(encoded, tuple) else encoded


@torch.no_grad()
def reconstruct(model: EncoderDecoder, x: Tensor) -> Tensor:
    """Encode and decode without noise.

    Args:
        model: has `encode` and `decode`.
        x: images in [0, 1], [B, *data_shape].

    Returns:
        Probabilities of the pixels, the shape of x.

    Example:
        >>> from vae_lab.models import Autoencoder
        >>> reconstruct(Autoencoder(), torch.zeros(4, 1, 28, 28)).shape
        torch.Size([4, 1, 28, 28])
    """
    return torch.sigmoid(model.decode(code(model, x)))


@torch.no_grad()
def interpolate(model: EncoderDecoder, a: Tensor, b: Tensor, steps: int = 8) -> Tensor:
    """Walk in a straight line from the code of image a to that of image b, and decode each step.

    z_t = (1 - t) code(a) + t code(b), t = 0, 1/(steps-1), ..., 1.

    Args:
        model: has `encode` and `decode`.
        a: one image, [*data_shape] or [1, *data_shape].
        b: one image, the same.
        steps: number of images, both ends included.

    Returns:
        Probabilities of the pixels, [steps, *data_shape].

    Raises:
        ValueError: if steps < 2, or a and b are not one image each.

    Example:
        >>> from vae_lab.models import VAE
        >>> interpolate(VAE(), torch.zeros(1, 28, 28), torch.ones(1, 28, 28), steps=5).shape
        torch.Size([5, 1, 28, 28])
    """
    if steps < 2:
        raise ValueError(f"interpolate: steps is {steps}; wanted at least 2, the two ends.")
    shape = tuple(getattr(model, "data_shape", a.shape))
    for name, image in (("a", a), ("b", b)):
        if tuple(image.shape) not in (shape, (1, *shape)):
            raise ValueError(f"interpolate: {name} has shape {tuple(image.shape)}; wanted one image, {shape}.")
    ends = code(model, torch.stack([a.reshape(shape), b.reshape(shape)]))
    t = torch.linspace(0, 1, steps, device=ends.device, dtype=ends.dtype)[:, None]
    return torch.sigmoid(model.decode(torch.lerp(ends[:1], ends[1:], t)))


@torch.no_grad()
def latent_grid(model: Decoder, side: int = 15, *, extent: float | None = None) -> Tensor:
    """Decode a square grid of a two-dimensional latent space: the map of what the decoder knows.

    Without an extent, the grid points are normal quantiles, z = Phi^-1((i + 1/2) / side), so that each cell holds
    the same share of the prior; with one, they are equally spaced from -extent to extent.

    Args:
        model: has `decode` and latent_dim 2.
        side: number of rows and of columns.
        extent: half the width of the square, in units of z.

    Returns:
        Probabilities of the pixels, [side, side, *data_shape]; row 0 is the largest z_2, column 0 the smallest z_1,
        as on a map.

    Raises:
        ValueError: if the latent space is not two-dimensional or side is not positive.

    Example:
        >>> from vae_lab.models import VAE
        >>> latent_grid(VAE(latent_dim=2), side=3).shape
        torch.Size([3, 3, 1, 28, 28])

    Source: Kingma & Welling 2014, figure 4.
    """
    if model.latent_dim != 2:
        raise ValueError(f"latent_grid: the model has {model.latent_dim} latent dimensions; a map needs 2.")
    if side < 1:
        raise ValueError(f"latent_grid: side is {side}; wanted at least 1.")
    device, dtype = _place(model)
    if extent is None:
        line = torch.special.ndtri((torch.arange(side, device=device, dtype=dtype) + 0.5) / side)
    else:
        line = torch.linspace(-extent, extent, side, device=device, dtype=dtype)
    z = torch.stack(torch.meshgrid(line, line.flip(0), indexing="xy"), dim=-1)  # [row, column, (z_1, z_2)]
    return torch.sigmoid(model.decode(z))


@torch.no_grad()
def recognisability(images: Tensor, classify: Callable[[Tensor], Tensor]) -> Tensor:
    """How sure a classifier is of each image: the probability it gives to its first choice.

    Args:
        images: pixels in [0, 1], [n, ...].
        classify: images [n, ...] -> class logits [n, C].

    Returns:
        [n], between 1/C and 1.

    Raises:
        ValueError: if classify does not return [n, C].

    Example:
        >>> recognisability(torch.zeros(2, 784), lambda x: torch.tensor([[0.0, 0.0], [9.0, 0.0]]))
        tensor([0.5000, 0.9999])

    Source: lecture 13:15.
    """
    logits = classify(images)
    if logits.ndim != 2 or len(logits) != len(images):
        raise ValueError(f"recognisability: classify returned {tuple(logits.shape)}; wanted [{len(images)}, C].")
    return torch.softmax(logits, 1).max(1).values


def _place(model: Decoder) -> tuple[torch.device, torch.dtype]:
    """Device and dtype of the model's first parameter; the defaults for a model without any."""
    parameter = next(model.parameters(), None) if isinstance(model, torch.nn.Module) else None
    return (
        (torch.device("cpu"), torch.get_default_dtype()) if parameter is None else (parameter.device, parameter.dtype)
    )
