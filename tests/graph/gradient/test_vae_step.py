import pytest
import torch
from torch import nn

from vae_lab.graph import Graph, record


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(8, 6)
        self.out = nn.Linear(6, 4)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.out(torch.tanh(self.hidden(x))).chunk(2, -1)


def step(way: str) -> Graph:
    torch.manual_seed(0)
    encoder, decoder, x = Encoder(), nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 8)), torch.rand(5, 8)
    with record(x=x, phi=encoder, theta=decoder) as graph:
        mu, logvar = encoder(x)
        sigma = torch.exp(logvar / 2)
        if way == "sample":
            z = torch.distributions.Normal(mu, sigma).sample()
        elif way == "normal":
            z = torch.normal(mu, sigma)
        elif way == "rsample":
            z = torch.distributions.Normal(mu, sigma).rsample()
        else:
            eps = torch.randn_like(sigma)
            z = mu + sigma * eps
        x_hat = torch.sigmoid(decoder(z))
        loss = ((x_hat - x) ** 2).sum()
    del loss, sigma
    return graph


@pytest.mark.parametrize("way", ["sample", "normal"])
def test_as_written_the_gradient_ends_at_the_draw(way: str) -> None:
    graph = step(way)
    assert graph.kinds()["z"] == "stochastic"
    assert graph.reaches("loss") == {"theta", "x_hat", "z"}
    verdict = {"sample": "cut", "normal": "zero"}[way]
    assert graph.gradient("loss")["mu", "z"] == graph.gradient("loss")["sigma", "z"] == verdict
    assert graph.gradient("loss")["phi", "mu"] == verdict
    assert graph.gradient("loss")["z", "x_hat"] == "passes"


@pytest.mark.parametrize("way", ["rsample", "by hand"])
def test_reparameterized_the_gradient_reaches_phi(way: str) -> None:
    graph = step(way)
    assert graph.kinds()["z"] == "deterministic"
    assert graph.reaches("loss") == {"theta", "x_hat", "z", "mu", "sigma", "logvar", "phi"}
    assert [n.id for n in graph.picture().nodes.values() if n.stochastic] == (
        ["eps"] if way == "by hand" else [next(n for n in graph.picture().nodes if n.startswith("noise"))]
    )
