"""What a trained model is for: new images from the prior, paths between images, maps of the latent space."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from vae_lab.arguments import (
    extent,
    kind,
    place,
    require_function,
    require_generator,
    require_model,
    require_number,
    require_tensor,
    require_whole,
    values_known,
)
from vae_lab.pixels import images_for, likelihood, require_logits, scaled, tensor_of
from vae_lab.sampling import sample_prior


class Decoder(Protocol):
    """A model that maps latents to logits of pixels, or to their means where its `likelihood` is "gaussian"."""

    latent_dim: int

    def decode(self, z: Tensor) -> Tensor:
        """Map z [B, D] to logits, or means, [B, *data_shape]."""


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
        Probabilities of the pixels, [n, *data_shape], in [0, 1]; their means, if the decoder is Gaussian.

    Raises:
        ValueError: if n is negative, the generator is on another device, or `decode` returns another shape.
        TypeError: if the model has no `decode`, or n is no whole number.

    Example:
        >>> from vae_lab.models import VAE
        >>> from_prior(VAE(), 3).shape
        torch.Size([3, 1, 28, 28])

    Source: lecture 12:41.
    """
    require_model("from_prior", model, "decode")
    n = require_whole("from_prior", "n", n, 0)
    device, dtype = _place(model)
    require_generator("from_prior", generator, device)
    z = sample_prior(n, _latents("from_prior", model), generator=generator, device=device, dtype=dtype)
    return _pictures("from_prior", model, z)


@torch.no_grad()
def code(model: EncoderDecoder, x: Tensor) -> Tensor:
    """Where an image lies in latent space: mu for a VAE, z for an autoencoder.

    Args:
        model: has `encode`, which returns mu and logvar, or z.
        x: images in [0, 1], or uint8 in 0..255, [B, *data_shape].

    Returns:
        [B, D].

    Raises:
        ValueError: if x is not what the model's likelihood is for, or `encode` returns another shape.
        TypeError: if the model has no `encode`.

    Example:
        >>> from vae_lab.models import Autoencoder
        >>> code(Autoencoder(latent_dim=2), torch.zeros(4, 1, 28, 28)).shape
        torch.Size([4, 2])
    """
    return _code("code", model, x)


@torch.no_grad()
def reconstruct(model: EncoderDecoder, x: Tensor) -> Tensor:
    """Encode and decode without noise.

    Args:
        model: has `encode` and `decode`.
        x: images in [0, 1], or uint8 in 0..255, [B, *data_shape].

    Returns:
        Probabilities of the pixels, the shape of x; their means, if the decoder is Gaussian.

    Raises:
        ValueError: if x is not what the model's likelihood is for, or a method of the model returns another shape.
        TypeError: if the model has no `encode` or no `decode`.

    Example:
        >>> from vae_lab.models import Autoencoder
        >>> reconstruct(Autoencoder(), torch.zeros(4, 1, 28, 28)).shape
        torch.Size([4, 1, 28, 28])
    """
    require_model("reconstruct", model, "encode", "decode")
    x = images_for("reconstruct", model, x)
    found = _pictures("reconstruct", model, _code("reconstruct", model, x))
    return found.reshape(x.shape) if found.numel() == x.numel() else found


@torch.no_grad()
def interpolate(model: EncoderDecoder, a: Tensor, b: Tensor, steps: int = 8) -> Tensor:
    """Walk in a straight line from the code of image a to that of image b, and decode each step.

    z_t = (1 - t) code(a) + t code(b), t = 0, 1/(steps-1), ..., 1.

    Args:
        model: has `encode` and `decode`.
        a: one image, [*data_shape] or [1, *data_shape], in [0, 1] or uint8.
        b: one image, the same.
        steps: number of images, both ends included.

    Returns:
        Probabilities of the pixels, [steps, *data_shape]; their means, if the decoder is Gaussian.

    Raises:
        ValueError: if steps < 2, or a and b are not one image each, of pixels that the model is for.
        TypeError: if steps is no whole number, or a or b no tensor.

    Example:
        >>> from vae_lab.models import VAE
        >>> interpolate(VAE(), torch.zeros(1, 28, 28), torch.ones(1, 28, 28), steps=5).shape
        torch.Size([5, 1, 28, 28])
    """
    require_model("interpolate", model, "encode", "decode")
    steps = require_whole("interpolate", "steps", steps, 2)
    one, other = (_one_image(model, name, image, a) for name, image in (("a", a), ("b", b)))
    ends = _code("interpolate", model, torch.stack([one, other.to(one.dtype)]))
    t = torch.linspace(0, 1, steps, device=ends.device, dtype=ends.dtype)[:, None]
    return _pictures("interpolate", model, torch.lerp(ends[:1], ends[1:], t))


@torch.no_grad()
def latent_grid(model: Decoder, side: int = 15, *, extent: float | None = None) -> Tensor:
    """Decode a square grid of a two-dimensional latent space: the map of what the decoder knows.

    Without an extent, the grid points are normal quantiles, z = Phi^-1((i + 1/2) / side), so that each cell holds
    the same share of the prior; with one, they are equally spaced from -extent to extent.

    Args:
        model: has `decode` and latent_dim 2.
        side: number of rows and of columns.
        extent: half the width of the square, in units of z, above 0.

    Returns:
        Probabilities of the pixels, or their means, [side, side, *data_shape]; row 0 is the largest z_2, column 0 the
        smallest z_1, as on a map.

    Raises:
        ValueError: if the latent space is not two-dimensional, or side or extent is not positive.
        TypeError: if side is no whole number, or the model has no `decode`.

    Example:
        >>> from vae_lab.models import VAE
        >>> latent_grid(VAE(latent_dim=2), side=3).shape
        torch.Size([3, 3, 1, 28, 28])

    Source: Kingma & Welling 2014, figure 4.
    """
    require_model("latent_grid", model, "decode")
    if _latents("latent_grid", model) != 2:
        raise ValueError(f"latent_grid: the model has {model.latent_dim} latent dimensions; a map needs 2.")
    side = require_whole("latent_grid", "side", side, 1)
    device, dtype = _place(model)
    exact = dtype if dtype in (torch.float32, torch.float64) else torch.float32  # narrow types have no quantiles
    if extent is None:
        line = torch.special.ndtri((torch.arange(side, device=device, dtype=exact) + 0.5) / side)
    else:
        extent = require_number("latent_grid", "extent", extent, zero=False)
        line = torch.linspace(-extent, extent, side, device=device, dtype=exact)
    z = torch.stack(torch.meshgrid(line, line.flip(0), indexing="xy"), dim=-1)  # [row, column, (z_1, z_2)]
    return _pictures("latent_grid", model, z.flatten(0, 1).to(dtype)).unflatten(0, (side, side))


@torch.no_grad()
def pictures_at(model: Decoder, z: Tensor) -> Tensor:
    """What the decoder makes of chosen points of the latent space.

    Args:
        model: has `decode`.
        z: [B, D], on the model's device.

    Returns:
        Probabilities of the pixels, [B, *data_shape], in [0, 1]; their means, if the decoder is Gaussian.

    Raises:
        ValueError: if z is not [B, D], or `decode` returns another shape.
        TypeError: if the model has no `decode`, or z is no tensor.

    Example:
        >>> from vae_lab.models import VAE
        >>> pictures_at(VAE(), torch.zeros(3, 2)).shape
        torch.Size([3, 1, 28, 28])
    """
    require_model("pictures_at", model, "decode")
    require_tensor("pictures_at", "z", z)
    if z.ndim != 2:
        raise ValueError(f"pictures_at: z has shape {tuple(z.shape)}; wanted [B, D].")
    return _pictures("pictures_at", model, z)


@torch.no_grad()
def recognisability(images: Tensor, classify: Callable[[Tensor], Tensor]) -> Tensor:
    """How sure a classifier is of each image: the probability it gives to its first choice.

    Args:
        images: pixels in [0, 1], or uint8 in 0..255, [n, ...].
        classify: images [n, ...] -> class logits [n, C].

    Returns:
        [n], between 1/C and 1.

    Raises:
        ValueError: if classify does not return [n, C], or returns probabilities; for pixels outside [0, 1].
        TypeError: if images is no tensor, or classify no function.

    Example:
        >>> recognisability(torch.zeros(2, 784), lambda x: torch.tensor([[0.0, 0.0], [9.0, 0.0]]))
        tensor([0.5000, 0.9999])

    Source: lecture 13:15.
    """
    require_function("recognisability", "classify", classify)
    images = scaled("recognisability", "images", tensor_of("recognisability", "images", images), coins=True)
    logits = classify(images)
    if not isinstance(logits, Tensor):
        raise TypeError(f"recognisability: classify returned {kind(logits)}; wanted a tensor of logits, [n, C].")
    if logits.ndim != 2 or len(logits) != len(images):
        raise ValueError(f"recognisability: classify returned {tuple(logits.shape)}; wanted [{len(images)}, C].")
    _require_logits(logits)
    return torch.softmax(logits, 1).max(1).values


def _place(model: Decoder) -> tuple[torch.device, torch.dtype]:
    """Device and dtype of the model's first parameter; the defaults for a model without any."""
    device, dtype = place(model)
    return (
        (torch.get_default_device(), torch.get_default_dtype()) if device is None or dtype is None else (device, dtype)
    )


def _latents(caller: str, model: Decoder) -> int:
    """The model's latent_dim."""
    if not hasattr(model, "latent_dim"):
        raise TypeError(f"{caller}: model is {kind(model)}, which has no `latent_dim`; see `vae_lab.models.VAE`.")
    return require_whole(caller, "model.latent_dim", model.latent_dim, 1)


def _pictures(caller: str, model: Decoder, z: Tensor) -> Tensor:
    """What the decoder says of z [n, D]: probabilities of its coin flips, or the mean of its normals."""
    decoded = model.decode(z)
    name = f"{type(model).__name__}.decode"
    require_tensor(caller, f"the result of {name}", decoded)
    if decoded.ndim < 2 or len(decoded) != len(z):
        raise ValueError(f"{caller}: {name} returned {tuple(decoded.shape)} for z {tuple(z.shape)}; wanted [B, ...].")
    if likelihood(caller, model) == "gaussian":
        return decoded
    require_logits(caller, name, decoded)
    return torch.sigmoid(decoded)


def _code(caller: str, model: EncoderDecoder, x: Tensor) -> Tensor:
    """Mu of the pair that `encode` returns, or the one z, [B, D]."""
    require_model(caller, model, "encode")
    x = images_for(caller, model, x)
    with values_known():
        encoded = model.encode(x)
    name = f"{type(model).__name__}.encode"
    if isinstance(encoded, tuple | list):
        if len(encoded) != 2:
            raise ValueError(
                f"{caller}: {name} returned {len(encoded)} things; wanted (mu, logvar), or z, each [B, D]."
            )
        encoded = encoded[0]
    require_tensor(caller, f"the result of {name}", encoded)
    if encoded.ndim != 2 or len(encoded) != len(x):
        raise ValueError(f"{caller}: {name} returned {tuple(encoded.shape)} for {len(x)} images; wanted [B, D].")
    return encoded


def _one_image(model: EncoderDecoder, name: str, image: Tensor, first: Tensor) -> Tensor:
    """One end of an interpolation, as the model is to see it."""
    image = tensor_of("interpolate", name, image)
    shape = tuple(getattr(model, "data_shape", tensor_of("interpolate", "a", first).shape))
    flat = (math.prod(shape),)
    if tuple(image.shape) not in (shape, (1, *shape), flat, (1, *flat), shape[1:] if shape[:1] == (1,) else shape):
        raise ValueError(f"interpolate: {name} has shape {tuple(image.shape)}; wanted one image, {shape}.")
    return images_for("interpolate", model, image.reshape(1, *shape), name)[0]


def _require_logits(logits: Tensor) -> None:
    """Refuse what sums to one: a softmax of it would be taken a second time."""
    require_tensor("recognisability", "the result of classify", logits)
    if logits.shape[1] < 2:
        raise ValueError(f"recognisability: classify returned {tuple(logits.shape)}; wanted at least two classes.")
    sums, values = extent(logits.sum(1)), extent(logits)
    if sums and values and values[0] >= 0 and max(abs(sums[0] - 1), abs(sums[1] - 1)) < 1e-3:
        raise ValueError("recognisability: classify returned probabilities; wanted logits, before the softmax.")
