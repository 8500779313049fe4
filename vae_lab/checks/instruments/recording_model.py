"""Look into a training loop while it runs, by a model that keeps books: which gradient came back, and for what.

The model's outputs do not depend on its weights, so that nothing changes while it is trained; the loss that the loop
minimises can be read off exactly: its derivatives with respect to logits, mu and logvar are those of the negative ELBO,
up to one common factor, whatever optimizer, batch size or reduction the loop uses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from vae_lab.checks.instruments.bookkeeper import Bookkeeper
from vae_lab.checks.instruments.sampler import device

SURE = 9.0


class Entry(NamedTuple):
    """A tensor that the model gave out, and the gradient that came back, in all, if any did: no or one tensor."""

    given: Tensor
    came: list[Tensor]


class RecordingModel(Bookkeeper):
    """A model with the methods of the lab's VAE that writes down all that is asked of it.

    Args:
        latent_dim: D.
        pixels: number of pixels.
        near: whether all mu and logvar are near 0, where a floor under the KL shows.
        sure: whether some logits are far from 0, where a clamp of the probabilities shows.

    Example:
        >>> recorder = RecordingModel(2, 3)
        >>> logits, mu, logvar = recorder(torch.rand(5, 3))
        >>> logits.sum().backward()
        >>> [tuple(entry.came[0].shape) for entry in recorder.logits]
        [(5, 3)]
    """

    to_be_trained = True  # a loop may move its weight, on which nothing depends

    def __init__(self, latent_dim: int, pixels: int, *, near: bool = False, sure: bool = False) -> None:
        super().__init__()
        self.latent_dim, self.near = latent_dim, near
        self.weight = torch.nn.Parameter(torch.ones(1, 1, device=device()))  # a matrix, as most weights are
        self.table = torch.randn(pixels, 2 * latent_dim, device=device()) / pixels**0.5 * 4
        self.picture = torch.randn(pixels, device=device())
        if sure:
            self.picture[::8] = torch.linspace(-SURE, SURE, len(self.picture[::8]), device=device())
        self.seen: list[Tensor] = []
        self.mu: list[Entry] = []
        self.logvar: list[Entry] = []
        self.logits: list[Entry] = []
        self.drawn: list[tuple[Tensor, bool]] = []
        self.encoded_before: list[int] = []
        self.modes: list[bool] = []  # of each call of encode, whether the model was in training mode
        self.pulled = False

    def to(self, *args: Any, **kwargs: Any) -> RecordingModel:
        """Stay where it is."""
        return self

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Give out mu and logvar, [B, D], fixed functions of x."""
        mu, logvar = ((x.detach().to(self.table) - 0.5) @ self.table).chunk(2, dim=-1)
        mu, logvar = (
            (0.2 * torch.tanh(mu), 0.2 * torch.tanh(logvar)) if self.near else (mu, 1.5 * torch.tanh(logvar) - 1)
        )
        self.look_at_weight()
        self.modes.append(self.training)
        self.seen.append(x.detach().clone())
        return self._written(mu, self.mu), self._written(logvar, self.logvar)

    def decode(self, z: Tensor) -> Tensor:
        """Give out one and the same picture of logits for every z, [B, pixels]."""
        self.drawn.append((z.detach().clone(), z.requires_grad))
        self.encoded_before.append(len(self.mu))
        picture = self.picture.expand(*z.shape[:-1], -1) + 0 * z.to(self.picture).sum(-1, keepdim=True)
        return self._written(picture, self.logits)

    def look_at_weight(self) -> None:
        """Note whether a gradient has come to the weight, on which neither logits nor mu nor logvar depend."""
        grad = self.weight.grad
        self.pulled = self.pulled or (grad is not None and bool((grad.abs() > 0).any()))

    def decodes_of(self, encode: int) -> list[int]:
        """Which calls of decode belong to a call of encode: its own if there are as many, else those right after it."""
        if len(self.logits) == len(self.mu):
            return [encode]
        return [place for place, before in enumerate(self.encoded_before) if before == encode + 1]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give out (logits, mu, logvar)."""
        mu, logvar = self.encode(x)
        return self.decode(mu + torch.exp(logvar / 2) * torch.randn_like(mu)), mu, logvar

    def _written(self, value: Tensor, book: list[Entry]) -> Tensor:
        given = value + 0 * self.weight.sum()
        entry = Entry(given.detach().clone(), [])
        book.append(entry)
        if given.requires_grad:
            given.register_hook(lambda gradient: _add(entry, gradient.detach()))
        return given


class MovableModel(RecordingModel):
    """A recording model with weights that receive the gradient that the decoder's own would, and so can be moved.

    They add exactly 0 to what is decoded.
    """

    def __init__(self, latent_dim: int, pixels: int) -> None:
        super().__init__(latent_dim, pixels)
        self.rows = torch.nn.Parameter(torch.zeros(pixels, 1, device=device()))
        self.began: list[Tensor] = []

    def decode(self, z: Tensor) -> Tensor:
        """Give out the picture of logits, [B, pixels]; note where the rows are by now."""
        rows = self.rows[:, 0]
        self.began.append(rows.detach().clone())
        return super().decode(z) + self.share() * (rows - rows.detach())

    def share(self) -> float:
        """How much of its gradient the rows receive."""
        return 1.0

    def places(self) -> Tensor:
        """Where the rows were at each decoding, and where they are now, [decodings + 1, pixels]."""
        return torch.stack([*self.began, self.rows.detach()[:, 0]])


def _add(entry: Entry, gradient: Tensor) -> None:
    """Add up what comes back: a loop may call backward for each term of its loss."""
    entry.came[:] = [entry.came[0] + gradient if entry.came else gradient.clone()]
