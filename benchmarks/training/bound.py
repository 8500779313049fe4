"""The bound on log p(x) by 5,000 samples an image: `log_marginal_bound` beside Pythae's `get_nll`, on 500 images."""

from __future__ import annotations

import math
import statistics
from functools import partial

import torch
from torch import Tensor

from benchmarks.training.pythae_trainer import model_with
from benchmarks.training.rounds import timed
from benchmarks.training.work import HIDDEN, LATENT, Weights, Work, copy_into
from vae_lab import VAE, log_marginal_bound


def compare(weights: Weights, work: Work, *, images: int = 500, samples: int = 5_000, rounds: int = 5) -> dict:
    """Seconds an image of both, in interleaved rounds over a part of the images each, and whether they agree.

    The images are binarised by chance once, the same for both. `get_nll` gives one number for all its images, so both
    are compared in the mean; its standard error follows from two runs of ours, image by image.
    """
    generator = torch.Generator().manual_seed(0)
    x = torch.bernoulli(work.images[:images].float() / 255, generator=generator).to(work.device)
    theirs, ours = model_with(weights).to(work.device), VAE(LATENT, (HIDDEN,)).to(work.device)
    copy_into(list(ours.parameters()), weights)
    noise = torch.Generator(work.device).manual_seed(1)

    def bound(part: Tensor, found: list[Tensor], k: int = samples) -> None:
        found.append(log_marginal_bound(ours, part, k, generator=noise))

    def get_nll(part: Tensor, found: list[float], k: int = samples) -> None:
        found.append(float(theirs.get_nll(part, n_samples=k, batch_size=100)))  # log p(x), in spite of its name

    get_nll(x[:1], [], 200), bound(x[:10], [], 200)  # warm-up
    of_theirs, of_ours, again = [], [], []
    seconds: dict[str, list[float]] = {"get_nll": [], "log_marginal_bound": []}
    with torch.no_grad():
        for part in x.chunk(rounds):
            seconds["get_nll"].append(timed(partial(get_nll, part, of_theirs), work.device))
            seconds["log_marginal_bound"].append(timed(partial(bound, part, of_ours), work.device))
            bound(part, again)
            print(f"  bound: {', '.join(f'{name} {taken[-1]:.2f} s' for name, taken in seconds.items())}", flush=True)
    one, two = torch.cat(of_ours), torch.cat(again)
    apart = statistics.mean(of_theirs) - one.mean().item()
    error = (one - two).std().item() / math.sqrt(len(one))  # of a difference of two independent means
    return {
        "images": images,
        "samples": samples,
        "seconds": seconds,
        "ratio": statistics.median(a / b for a, b in zip(*seconds.values(), strict=True)),
        "log_p": {"get_nll": statistics.mean(of_theirs), "log_marginal_bound": one.mean().item()},
        "standard_errors_apart": apart / error,
        "equal": abs(apart) < 4 * error,
    }
