"""Training a small VAE: the usual loop, two libraries, this package, and what the machine could do at best.

    python -m benchmarks.training [--rounds 5] [--epochs 2] [--device cuda] [--json FILE]

Same images (MNIST-5k repeated to 60,000), same 784-400-2x20 network, same first weights, Adam at 1e-3, batches of 128.
With --json, every single timing is written, with the kind of machine and the versions.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from functools import partial
from pathlib import Path

import torch

from benchmarks.training import matrix_products, ours, pyro_trainer, pythae_trainer, usual_loop
from benchmarks.training.bound import compare
from benchmarks.training.machine import describe, import_times
from benchmarks.training.rounds import Prepare, equal_work, race, ratio
from benchmarks.training.shares import shares
from benchmarks.training.work import IMAGES, first_weights, make_work

USUAL, OURS, CAPTURED, FLOOR = "the usual loop", "vae_lab, eager", "vae_lab, captured", "matrix products alone"


def contenders(device: torch.device) -> dict[str, Prepare]:
    found: dict[str, Prepare] = {
        USUAL: usual_loop.prepare,
        "Pythae": pythae_trainer.prepare,
        "Pyro": pyro_trainer.prepare,
        OURS: partial(ours.prepare, capture=False),
    }
    if device.type == "cuda":
        found[CAPTURED] = partial(ours.prepare, capture=True)
    return {**found, FLOOR: matrix_products.prepare}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--epochs", type=int, default=2, help="that each contender trains in a round")
    options.add_argument("--images", type=int, default=IMAGES)
    options.add_argument("--bound-images", type=int, default=500)
    options.add_argument("--bound-samples", type=int, default=5_000)
    options.add_argument("--device", default="cpu")
    options.add_argument("--json", type=Path)
    chosen = options.parse_args()
    device = torch.device(chosen.device)
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(Path(folder), chosen.epochs, device, chosen.images)
        seconds, losses = race(contenders(device), work, chosen.rounds)
        imports = import_times()
        _, trained = (runner := ours.prepare(first_weights(0), work, capture=False))
        runner[0]()
        bound = compare(trained(), work, images=chosen.bound_images, samples=chosen.bound_samples)
        parts = shares(trained(), work)
    fair = equal_work(losses)
    for name, taken in seconds.items():
        loss = f"{losses[name]:8.2f} nats" if name in losses else ""
        print(f"{name:<22} {statistics.median(taken):7.3f} s an epoch {loss}")
    print(f"equal work: {fair}")
    for what, share in parts.items():
        print(f"{share:4.0%} of our step: {what}")
    ratios = {}
    if fair:
        ratios = {f"{name} / {OURS}": ratio(seconds, name, OURS) for name in seconds if name not in (OURS, FLOOR)}
        above_floor = [name for name in (USUAL, OURS, CAPTURED) if name in seconds]
        ratios |= {f"{name} / {FLOOR}": ratio(seconds, name, FLOOR) for name in above_floor}
    for name, value in ratios.items():
        print(f"{name:<40} {value:6.2f}")
    print(
        f"get_nll / log_marginal_bound {bound['ratio']:.2f}, {bound['standard_errors_apart']:.1f} standard errors apart"
    )
    print(f"import vae_lab / import torch {imports['vae_lab'] / imports['torch']:.2f}")
    if chosen.json:
        result = {
            "machine": describe(device),
            "work": {"images": chosen.images, "epochs": chosen.epochs, "rounds": chosen.rounds},
            "seconds": seconds,
            "negative_elbo": losses,
            "equal_work": fair,
            "ratios": ratios,
            "shares_of_our_step": parts,
            "bound": bound,
            "import_seconds": imports,
        }
        chosen.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
