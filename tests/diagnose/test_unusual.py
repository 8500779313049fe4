"""Sound models of unusual make get no finding, and their broken siblings get the right one."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diagnose.patients import digits, flat
from torch import Tensor, nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence
from torch.nn import functional as F

from vae_lab.diagnosis import diagnose


def layers(into: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(into, 32), nn.ELU(), nn.Linear(32, out))


def kl(mu: Tensor, logvar: Tensor) -> Tensor:
    return (mu.square() + logvar.exp() - 1 - logvar).sum(-1) / 2


def error(logits: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)


class Rows(nn.Module):
    """Attention over the rows of an image; its dropout is no module of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.into, self.head, self.up, self.out = (nn.Linear(*n) for n in ((8, 16), (16, 8), (4, 128), (16, 8)))
        self.mix = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.1)
        self.back = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.1)

    def encode(self, x: Tensor) -> Any:
        return self.head(self.mix(self.into(x.squeeze(1))).mean(1)).chunk(2, -1)

    def decode(self, z: Tensor) -> Tensor:
        return self.out(self.back(self.up(z).view(-1, 8, 16))).unsqueeze(1)

    def loss(self, x: Tensor) -> Tensor:
        mu, logvar = self.encode(x)
        return (error(self.decode(mu + torch.exp(logvar / 2) * torch.randn_like(mu)), x) + kl(mu, logvar)).mean()


def of_labels(skip: bool = False) -> dict[str, Any]:
    """The decoder is given a label (sound), or the image (not sound)."""
    labels, encoder, decoder = torch.eye(8).repeat(6, 1), layers(64, 8), layers(12, 64)

    def given(x: Tensor) -> Tensor:
        return x[:, 20:28] if skip else labels[: len(x)]

    def loss(x: Tensor) -> Tensor:
        mu, logvar = encoder(x).chunk(2, 1)
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        return (error(decoder(torch.cat([z, given(x)], 1)), x) + kl(mu, logvar)).mean()

    model = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    return {"model": model, "x": flat(), "encode": encoder, "decode": decoder, "loss": loss}


class Covariance(nn.Module):
    """A posterior with a full covariance."""

    def __init__(self) -> None:
        super().__init__()
        self.mean, self.scale, self.dec = layers(64, 3), layers(64, 9), layers(3, 64)

    def encode(self, x: Tensor) -> MultivariateNormal:
        raw = self.scale(x).view(-1, 3, 3)
        matrix = raw.tril(-1) + torch.diag_embed(F.softplus(raw.diagonal(dim1=1, dim2=2)) + 0.1)
        return MultivariateNormal(self.mean(x), scale_tril=matrix)

    def loss(self, x: Tensor) -> Tensor:
        q = self.encode(x)
        return (
            error(self.dec(q.rsample()), x) + kl_divergence(q, MultivariateNormal(torch.zeros(3), torch.eye(3)))
        ).mean()


class Importance(nn.Module):
    """Five draws for each image."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = layers(64, 6), layers(3, 64)

    def loss(self, x: Tensor) -> Tensor:
        mu, logvar = self.encoder(x).chunk(2, 1)
        q, prior = Normal(mu, torch.exp(logvar / 2)), Normal(torch.zeros_like(mu), torch.ones_like(mu))
        z = q.rsample((5,))
        weights = (prior.log_prob(z) - q.log_prob(z)).sum(-1)
        weights = weights - F.binary_cross_entropy_with_logits(
            self.decoder(z), x.expand(5, *x.shape), reduction="none"
        ).sum(-1)
        return -weights.logsumexp(0).mean()


class Ladder(nn.Module):
    """Two levels of latents; the prior of the lower one is learned."""

    def __init__(self) -> None:
        super().__init__()
        self.low, self.high, self.prior, self.dec = layers(64, 12), layers(6, 4), layers(2, 12), layers(6, 64)

    def loss(self, x: Tensor) -> Tensor:
        mu, logvar = self.low(x).chunk(2, 1)
        q = Normal(mu, torch.exp(logvar / 2))
        z = q.rsample()
        above, spread = self.high(z).chunk(2, 1)
        mean, width = self.prior(above + torch.exp(spread / 2) * torch.randn_like(above)).chunk(2, 1)
        low = kl_divergence(q, Normal(mean, torch.exp(width / 2))).sum(1)
        return (error(self.dec(z), x) + low + kl(above, spread)).mean()


class OwnVariance(nn.Module):
    """A Gaussian decoder that gives each pixel a variance of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.dec = layers(64, 8), layers(4, 128)

    def decode(self, z: Tensor) -> Any:
        return self.dec(z).chunk(2, 1)

    def loss(self, x: Tensor) -> Tensor:
        mu, logvar = self.encoder(x).chunk(2, 1)
        mean, width = self.decode(mu + torch.exp(logvar / 2) * torch.randn_like(mu))
        density = Independent(Normal(torch.sigmoid(mean), torch.exp(width.clamp(-4, 2) / 2)), 1)
        return (kl(mu, logvar) - density.log_prob(x)).mean()


SOUND: dict[str, Callable[[], dict[str, Any]]] = {
    "attention with dropout": lambda: {"model": Rows(), "x": digits()},
    "labels": of_labels,
    "a full covariance": lambda: {"model": Covariance(), "x": flat()},
    "five draws": lambda: {"model": Importance(), "x": flat()},
    "two levels": lambda: {"model": Ladder(), "x": flat()},
    "a variance for each pixel": lambda: {"model": OwnVariance(), "x": flat()},
}


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_found_in_a_sound_one(name: str) -> None:
    torch.manual_seed(0)
    said = diagnose(**SOUND[name]())
    assert said.names == [], said


def test_the_image_beside_z_is_still_seen() -> None:
    torch.manual_seed(0)
    assert "decoder_sees_image" in diagnose(**of_labels(skip=True)).names


def test_a_narrow_prior_lacks_no_term() -> None:
    torch.manual_seed(0)
    encoder, decoder = layers(64, 6), layers(3, 64)

    def loss(x: Tensor) -> Tensor:
        mu, logvar = encoder(x).chunk(2, 1)
        q = Normal(mu, torch.exp(logvar / 2))
        return (error(decoder(q.rsample()), x) + kl_divergence(q, Normal(0.0, 0.1)).sum(1)).mean()

    model = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    said = diagnose(model, flat(), encode=encoder, decode=decoder, loss=loss)
    assert said.names == ["kl_other"], said


def test_a_cut_is_seen_where_there_is_no_module() -> None:
    torch.manual_seed(0)
    down, out = torch.randn(64, 6, requires_grad=True), torch.randn(3, 64, requires_grad=True)

    def encode(x: Tensor) -> Any:
        return torch.tanh(x @ down / 8)

    def decode(z: Tensor) -> Tensor:
        return z @ out

    def loss(x: Tensor) -> Tensor:
        mu, logvar = encode(x).chunk(2, 1)
        z = (mu + torch.exp(logvar / 2) * torch.randn_like(mu)).detach()
        return (error(decode(z), x) + kl(mu, logvar)).mean()

    assert diagnose(encode, flat(), encode=encode, decode=decode, loss=loss).names[:1] == ["cut_sample"]
