"""The floor: the eleven matrix products of a step and nothing else. No training on this machine can take less."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.training.work import BATCH, HIDDEN, LATENT, PIXELS, Weights, Work


def prepare(weights: Weights, work: Work) -> tuple[Callable[[], object], Callable[[], Weights]]:
    """A function that multiplies, which is timed; there is nothing to judge."""
    layers = [(PIXELS, HIDDEN), (HIDDEN, 2 * LATENT), (LATENT, HIDDEN), (HIDDEN, PIXELS)]
    W = [weight.to(work.device) for weight in weights[::2]]
    x = [torch.rand(BATCH, n_in, device=work.device) for n_in, _ in layers]
    slope = [torch.rand(BATCH, n_out, device=work.device) for _, n_out in layers]
    y, dW, dx = ([torch.empty_like(t) for t in like] for like in (slope, W, x))  # no memory is asked for on the way

    def multiply() -> None:
        for _ in range(work.epochs * work.batches):
            for i in range(4):
                torch.mm(x[i], W[i].T, out=y[i])
            for i in reversed(range(4)):
                torch.mm(slope[i].T, x[i], out=dW[i])
                if i:  # nobody asks for the gradient of the images
                    torch.mm(slope[i], W[i], out=dx[i])

    return multiply, list
