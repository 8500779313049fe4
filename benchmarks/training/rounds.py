"""Interleaved rounds: in each one every contender has its turn, so that a busy machine is busy for all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from benchmarks.training.work import Weights, Work, first_weights, judge

Prepare = Callable[[Weights, Work], tuple[Callable[[], object], Callable[[], Weights]]]

PARITY = 0.5  # nats per image: contenders whose final ELBOs differ by more have not done the same work


def timed(run: Callable[[], object], device: torch.device) -> float:
    """Seconds, the GPU's queue emptied before and after."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - began


def race(contenders: dict[str, Prepare], work: Work, rounds: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Seconds an epoch by contender and round, and the mean final negative ELBO of those that train.

    A round starts everybody from the same weights; the order turns from round to round. Before the first, everybody
    runs over a tenth of the images once.
    """
    few = replace(work, images=work.images[: len(work.images) // 10], epochs=1)
    for prepare in contenders.values():
        prepare(first_weights(0), few)[0]()
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    losses: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            train, trained = contenders[name](first_weights(number), work)
            seconds[name].append(timed(train, work.device) / work.epochs)
            weights = trained()
            if weights:
                losses[name].append(judge(weights, work))
            print(f"  round {number + 1} of {rounds}: {name:<22} {seconds[name][-1]:7.3f} s an epoch", flush=True)
    return seconds, {name: statistics.mean(values) for name, values in losses.items() if values}


def ratio(seconds: dict[str, list[float]], slow: str, quick: str) -> float:
    """The median over the rounds of how many times longer `slow` takes."""
    return statistics.median(a / b for a, b in zip(seconds[slow], seconds[quick], strict=True))


def equal_work(losses: dict[str, float]) -> bool:
    """The parity gate: without it no ratio means anything."""
    return max(losses.values()) - min(losses.values()) <= PARITY
