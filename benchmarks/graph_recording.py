"""What recording costs: one training step of a 784-400-20 VAE, plain and recorded. Run it with `python -m`."""

import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vae_lab.graph import Graph, record


def main() -> None:
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()])
    x = torch.rand(128, 784)

    def step() -> Tensor:
        optimizer.zero_grad()
        mu, logvar = encoder(x).chunk(2, -1)
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)
        loss = (F.binary_cross_entropy_with_logits(decoder(z), x, reduction="none").sum(-1) + kl).mean()
        loss.backward()
        optimizer.step()
        return loss

    def recorded() -> Graph:
        with record(x=x, phi=encoder, theta=decoder) as graph:
            step()
        return graph

    def median(run: Callable[[], object], times: int = 31) -> float:
        taken = []
        for _ in range(times + 3):
            begin = time.perf_counter()
            run()
            taken.append(time.perf_counter() - begin)
        return sorted(taken[3:])[times // 2]

    plain, watched = median(step), median(recorded)
    drawing = median(recorded().to_svg, 5)
    print(f"step {plain * 1e3:.2f} ms, recorded {watched * 1e3:.2f} ms: {watched / plain:.2f} times")
    print(f"drawing {drawing * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
