"""Where the time of a step goes: the shares of a profile, by kind of operation."""

from __future__ import annotations

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.training.work import BATCH, HIDDEN, LATENT, RATE, Weights, Work, copy_into
from vae_lab import VAE
from vae_lab.training_step import Step

PRODUCTS, ADAM, REST = "matrix products", "Adam", "all else"


def shares(weights: Weights, work: Work, *, steps: int = 100) -> dict[str, float]:
    """What part of the processor's time each kind takes in our eager step; the parts add up to 1.

    The profiler itself costs time for each operation, so that "all else", many small ones, comes out too large.
    """
    model = VAE(LATENT, (HIDDEN,)).to(work.device)
    copy_into(list(model.parameters()), weights)
    step = Step(model, work.images.to(work.device), learning_rate=RATE)
    batches = torch.randperm(len(work.images), device=work.device).split(BATCH)
    for index in batches[:10]:
        step(index)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for number in range(steps):
            step(batches[number % len(batches)])
    taken = dict.fromkeys((PRODUCTS, ADAM, REST), 0.0)
    for event in seen.key_averages():
        taken[kind(event.key)] += event.self_cpu_time_total
    return {name: time / sum(taken.values()) for name, time in taken.items()}


def kind(operation: str) -> str:
    """The kind of an operation by the profiler's name for it.

    >>> [kind(name) for name in ("aten::addmm", "aten::_fused_adam_", "aten::add_")]
    ['matrix products', 'Adam', 'all else']
    """
    if operation in ("aten::mm", "aten::addmm"):
        return PRODUCTS
    return ADAM if "adam" in operation.lower() else REST
