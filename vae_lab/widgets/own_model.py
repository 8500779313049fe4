"""A reader's own model, asked in the kernel by an interaction: where it encodes images, and what it decodes."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from vae_lab.arguments import place, require_model
from vae_lab.data import load_images
from vae_lab.generation import EncoderDecoder, code, pictures_at

IMAGES = 1000  # training images whose codes are shown
SIDE, MAP = 28, 11  # pixels of a picture; pictures in a row of the map


class OwnModel:
    """Any VAE or autoencoder for images of 28 x 28 pixels.

    Args:
        model: has `encode`, images [B, 784] or [B, 1, 28, 28] -> (mu, logvar) or z, and `decode`, z [B, D] -> logits.
        images: [N, ...] in [0, 1], or uint8, or `Images`; by default the first 1,000 training images of MNIST-5k.

    Raises:
        TypeError: if the model lacks one of the methods.
        ValueError: for fewer than two latents, codes that are not finite, labels that do not fit, or pictures that are
            not 28 x 28.

    Example:
        >>> from vae_lab.models import VAE
        >>> OwnModel(VAE(latent_dim=3)).latents
        3
    """

    def __init__(self, model: EncoderDecoder, images: Any = None, labels: Sequence[int] | Tensor | None = None) -> None:
        require_model("LatentExplorer", model, "encode", "decode")
        self.model = model
        device, dtype = place(model)
        self._place = (device or torch.device("cpu"), dtype or torch.get_default_dtype())
        chosen = load_images() if images is None else images
        known = getattr(chosen, "labels", labels)
        shown = torch.as_tensor(getattr(chosen, "images", chosen)[:IMAGES])
        shape = getattr(model, "data_shape", None)
        shown = shown.reshape(len(shown), *shape) if shape else shown.flatten(1)
        with at_rest(model):
            self.codes = code(model, shown.to(self._place[0])).float().cpu()
        self.labels = [] if known is None else [int(label) for label in known[:IMAGES]]
        if self.labels and (len(self.labels) != len(self.codes) or not set(self.labels) <= set(range(10))):
            raise ValueError("LatentExplorer: labels do not fit; wanted one for each image, 0 to 9.")
        self.reads = images is None  # the small classifier knows MNIST's digits alone
        if self.latents < 2:
            raise ValueError(f"LatentExplorer: the model has {self.latents} latent; a plane needs two or more.")
        if not self.codes.isfinite().all():
            raise ValueError("LatentExplorer: the model's codes are not finite; has its training gone to nan?")
        self.decode([[0.0] * self.latents])

    @property
    def latents(self) -> int:
        """D."""
        return self.codes.shape[1]

    def widest(self) -> list[int]:
        """The two latents along which the codes spread most; one that the model does not use has no spread."""
        return sorted(self.codes.var(0).argsort(descending=True)[:2].tolist())

    def packed(self) -> dict[str, Any]:
        """The codes for a page: base64 of float16 [N, D]."""
        codes = self.codes.clamp(-6e4, 6e4).half().numpy().astype("<f2")
        return {"codes": base64.b64encode(codes.tobytes()).decode(), "latents": self.latents, "reads": self.reads}

    def decode(self, z: list[list[float]]) -> str:
        """Pictures of points [B, D]: base64 of B x 784 bytes, 255 being ink."""
        device, dtype = self._place
        with at_rest(self.model):
            found = pictures_at(self.model, torch.tensor(z, device=device, dtype=dtype)).flatten(1)
        if found.shape[1] != SIDE * SIDE:
            raise ValueError(f"LatentExplorer: decode returns {found.shape[1]} pixels; wanted {SIDE} x {SIDE}.")
        inked = found.float().nan_to_num(0.0).clamp(0, 1).mul(255).round().to(torch.uint8).cpu()
        return base64.b64encode(inked.numpy().tobytes()).decode()

    def map(self, z: list[float], axes: list[int], limit: float) -> str:
        """What the plane through z along two latents decodes to: 11 x 11 pictures, row by row, the largest first."""
        steps = [((k + 0.5) / MAP) * 2 * limit - limit for k in range(MAP)]
        points = []
        for up in reversed(steps):
            for across in steps:
                point = list(z)
                point[axes[0]], point[axes[1]] = across, up
                points.append(point)
        return self.decode(points)


@contextmanager
def at_rest(model: Any) -> Iterator[None]:
    """In evaluation mode while this lasts, and then each part as before."""
    modes = [(part, part.training) for part in model.modules()] if isinstance(model, nn.Module) else []
    for part, _ in modes:
        part.training = False
    try:
        yield
    finally:
        for part, was in modes:
            part.training = was
