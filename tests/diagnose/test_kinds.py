"""Kinds of models that an outside reader wrote without a look at the tests: sound ones, and those that are not."""

import functools
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diagnose.patients import digits, flat
from diagnose.test_unusual import error, kl, layers
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn import functional as F

from vae_lab.diagnosis import diagnose
from vae_lab.diagnosis.findings import Diagnosis


class Plain(nn.Module):
    """A VAE of which single steps are replaced."""

    def __init__(self, **steps: Callable[..., Any]) -> None:
        super().__init__()
        self.encoder, self.decoder = layers(64, 8), layers(4, 64)
        self.steps = steps

    def step(self, name: str, *given: Any) -> Any:
        usual = {
            "image": lambda x: x,
            "hidden": lambda x: x,
            "answers": lambda out: out.chunk(2, 1),
            "draw": lambda mu, logvar: mu + torch.exp(logvar / 2) * torch.randn_like(mu),
            "behind": lambda z: z,
            "picture": lambda u: u,
            "loss": lambda logits, x, mu, logvar: (error(logits, x) + kl(mu, logvar)).mean(),
        }
        return self.steps.get(name, usual[name])(*given)

    def loss(self, x: Tensor) -> Tensor:
        mu, logvar = self.step("answers", self.encoder(self.step("image", x)))
        logits = self.step("picture", self.decoder(self.step("behind", self.step("draw", mu, logvar))))
        return self.step("loss", logits, x, mu, logvar)


def squares(weight: float, halved: bool = True) -> Callable[..., Any]:
    def loss(recon: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        return (((recon - x) ** 2).sum(1) / (2 if halved else 1) + weight * kl(mu, logvar)).mean()

    return loss


def absolute(recon: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return ((recon - x).abs().sum(1) + 4.0 * kl(mu, logvar)).mean()


class Flow(nn.Module):
    """Planar steps behind the draw, and their log-determinants in the loss."""

    def __init__(self, method: bool, strength: float = 1.0) -> None:
        super().__init__()
        self.encoder, self.dec = layers(64, 8), layers(4, 64)
        self.u, self.w = nn.Parameter(strength * torch.randn(3, 4)), nn.Parameter(torch.randn(3, 4))
        if method:
            self.decode = self.dec.forward

    def loss(self, x: Tensor) -> Tensor:
        mu, logvar = self.encoder(x).chunk(2, 1)
        q = Normal(mu, torch.exp(logvar / 2))
        z = q.rsample()
        log_q = q.log_prob(z).sum(1)
        for u, w in zip(self.u, self.w, strict=True):
            a = torch.tanh(z @ w)
            log_q = log_q - torch.log((1 + (1 - a**2) * (u @ w)).abs() + 1e-6)
            z = z + a[:, None] * u
        return (error(self.dec(z), x) + log_q - Normal(0.0, 1.0).log_prob(z).sum(1)).mean()


class LearnedPrior(nn.Module):
    """A mixture of Gaussians whose means are learned, for a prior."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = layers(64, 8), layers(4, 64)
        self.means = nn.Parameter(2 * torch.randn(5, 4))

    def loss(self, x: Tensor) -> Tensor:
        mu, logvar = self.encoder(x).chunk(2, 1)
        q = Normal(mu, torch.exp(logvar / 2))
        z = q.rsample()
        prior = Normal(self.means, torch.ones_like(self.means)).log_prob(z[:, None]).sum(-1).logsumexp(1)
        return (error(self.decoder(z), x) + q.log_prob(z).sum(1) - prior).mean()


def several(form: str) -> Callable[[], dict[str, Any]]:
    """Several draws for each image, averaged or weighted, in several forms."""

    def make() -> dict[str, Any]:
        encoder, decoder = layers(64, 8), layers(4, 64)
        model = nn.ModuleDict({"encoder": encoder, "decoder": decoder})

        def loss(x: Tensor) -> Tensor:
            mu, logvar = encoder(x).chunk(2, 1)
            sigma = torch.exp(logvar / 2)
            if form == "a loop":
                logits = [decoder(mu + sigma * torch.randn_like(mu)) for _ in range(16)]
                return (torch.stack([error(u, x) for u in logits]).mean(0) + kl(mu, logvar)).mean()
            if form == "beside each other":
                z = mu[:, None] + sigma[:, None] * torch.randn(len(x), 5, 4)
                u = decoder(z)
            elif form == "flattened":
                u = decoder((mu + sigma * torch.randn(5, len(x), 4)).flatten(0, 1)).view(5, len(x), 64).transpose(0, 1)
            else:
                m, s = mu.repeat_interleave(5, 0), sigma.repeat_interleave(5, 0)
                u = decoder(m + s * torch.randn_like(m)).view(len(x), 5, 64)
            each = F.binary_cross_entropy_with_logits(u, x[:, None].expand_as(u), reduction="none").sum(-1)
            return (each.mean(1) + kl(mu, logvar)).mean()

        return {"model": model, "loss": loss}

    return make


class Owner:
    """No module: its layers are attributes, or lie in a dictionary."""

    def __init__(self, in_a_dictionary: bool) -> None:
        encoder = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 8))
        decoder = nn.Sequential(nn.Linear(4, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 64))
        both = {"encoder": encoder, "decoder": decoder}
        self.parts = both if in_a_dictionary else SimpleNamespace(**both)
        self.dictionary = in_a_dictionary

    def __call__(self, x: Tensor) -> Any:
        parts = list(self.parts.values() if self.dictionary else vars(self.parts).values())
        mu, logvar = parts[0](x).chunk(2, 1)
        return parts[1](mu + torch.exp(logvar / 2) * torch.randn_like(mu)), mu, logvar

    def compute_loss(self, x: Tensor) -> Tensor:
        logits, mu, logvar = self(x)
        return (error(logits, x) + kl(mu, logvar)).mean()


class WarmUp(Plain):
    """The weight of the KL grows with each call in train mode."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 1000

    def loss(self, x: Tensor) -> Tensor:
        self.calls += 1
        mu, logvar = self.encoder(x).chunk(2, 1)
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        return (error(self.decoder(z), x) + self.calls / 1001 * kl(mu, logvar)).mean()


def beside(reconstruction: Callable[[Tensor, Tensor], Tensor]) -> dict[str, Any]:
    """A model whose reconstruction error, [B], is another one, beside the right KL."""
    return {"model": Plain(loss=lambda u, x, mu, logvar: (reconstruction(u, x) + kl(mu, logvar)).mean())}


def other_axis(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return error(logits, x).mean() + (0.5 * (mu**2 + logvar.exp() - 1 - logvar)).sum(0).mean()


def bright(u: Tensor, x: Tensor) -> Tensor:
    """The error where some image of the batch has a pixel above one half."""
    seen = (x > 0.5).any(0).float()
    return (F.binary_cross_entropy_with_logits(u, x, reduction="none") * seen).sum(1)


def crossed(u: Tensor, x: Tensor) -> Tensor:
    return F.binary_cross_entropy(x, torch.sigmoid(u), reduction="none").sum(1)


def patches(x: Tensor, high: int = 4, wide: int = 4) -> Tensor:
    """The pixels patch by patch, as a transformer's decoder gives them."""
    return x.view(-1, 8 // high, high, 8 // wide, wide).transpose(2, 3).reshape(x.shape)


def white_heavier(u: Tensor, x: Tensor) -> Tensor:
    three = torch.tensor(3.0)
    return F.binary_cross_entropy_with_logits(u, x, pos_weight=three, reduction="none").sum(1)


def _dark(u: Tensor) -> Tensor:
    return (0.5 - torch.tanh(u) / 2).log()


def masked(u: Tensor, x: Tensor) -> Tensor:
    return (F.binary_cross_entropy_with_logits(u, x, reduction="none") * (torch.rand_like(x) < 0.5)).sum(1)


SOUND: dict[str, Callable[[], dict[str, Any]]] = {
    "squares, beta 4": lambda: {"model": Plain(loss=squares(4.0))},
    "squares, beta 10": lambda: {"model": Plain(loss=squares(10.0))},
    "squares without a half, beta 4": lambda: {"model": Plain(loss=squares(4.0, halved=False))},
    "squares, beta 0.1": lambda: {"model": Plain(loss=squares(0.1))},
    "absolute errors, beta 4": lambda: {"model": Plain(loss=absolute)},
    "a flow before decode": lambda: {"model": Flow(method=True)},
    "a flow, no decode": lambda: {"model": Flow(method=False)},
    "a weak flow": lambda: {"model": Flow(method=True, strength=0.1)},
    "a learned prior": lambda: {"model": LearnedPrior()},
    "a softmax behind z": lambda: {"model": Plain(behind=lambda z: z.softmax(1))},
    "a tanh behind z": lambda: {"model": Plain(behind=torch.tanh)},
    "a norm behind z": lambda: {"model": Plain(behind=lambda z: F.layer_norm(z, (4,)))},
    "draws in a loop": several("a loop"),
    "draws beside each other": several("beside each other"),
    "draws that are flattened": several("flattened"),
    "draws of repeated answers": several("repeated"),
    "layers of an object": lambda: {"model": Owner(in_a_dictionary=False)},
    "layers in a dictionary": lambda: {"model": Owner(in_a_dictionary=True)},
    "noise on the image": lambda: {"model": Plain(image=lambda x: x + 0.3 * torch.randn_like(x))},
    "dropout as a function": lambda: {"model": Plain(image=lambda x: F.dropout(x, 0.3))},
    "a warm-up": lambda: {"model": WarmUp()},
    "a picture in patches": lambda: beside(lambda u, x: error(u, patches(x))),
    "squares of a picture in columns": lambda: beside(lambda u, x: ((u - patches(x, 8, 1)) ** 2).sum(1)),
    "black and white targets": lambda: beside(lambda u, x: error(u, (x > 0.5).float())),
    "targets that are drawn": lambda: beside(lambda u, x: error(u, torch.bernoulli(x))),
    "targets on [-1, 1], tanh": lambda: beside(lambda u, x: ((torch.tanh(u) - (2 * x - 1)) ** 2).sum(1)),
    "a tanh on [0, 1]": lambda: beside(lambda u, x: -((0.5 + torch.tanh(u) / 2).log() * x + _dark(u) * (1 - x)).sum(1)),
    "white counts more": lambda: beside(white_heavier),
    "pixels masked at random": lambda: beside(masked),
    "a KL at the draw": lambda: estimated("nothing"),
    "a KL at the draw, sticking the landing": lambda: estimated("mu and sigma of q"),
    "a prior around a learned mean": lambda: {"model": PriorMean()},
    "a mean that is a sum, sigma fixed": lambda: {"model": Plain(answers=summed, loss=of_means)},
    "a sigma for each dimension": lambda: {"model": Plain(answers=with_fixed_sigmas)},
    "noise drawn until it fits": lambda: {"model": Plain(draw=until_it_fits(20.0))},
    "a norm over mu": lambda: {"model": Plain(answers=behind_mu(lambda mu: F.layer_norm(mu, (4,))))},
    "groups normalised in the decoder": lambda: {"model": Plain(behind=lambda z: F.group_norm(z, 2))},
}


def examined(make: Callable[[], dict[str, Any]], x: Tensor | None = None) -> Diagnosis:
    torch.manual_seed(0)
    with_images = {"x": flat() if x is None else x, **make()}
    return diagnose(with_images.pop("model"), with_images.pop("x"), **with_images)


def summed(out: Tensor) -> tuple[Tensor, Tensor]:
    return out[:, :4] + out[:, 4:], torch.zeros_like(out[:, :4])


def still_in_one(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + torch.exp(logvar / 2) * torch.randn_like(mu) * torch.tensor([0.0, 1.0, 1.0, 1.0])


def of_three(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + mu.flip(1) + torch.randn_like(mu) + 0 * logvar


def with_fixed_sigmas(out: Tensor) -> tuple[Tensor, Tensor]:
    return out[:, :4], torch.tensor([-3.0, -1.0, 0.0, 1.0]).expand(len(out), 4)


def of_means(logits: Tensor, x: Tensor, mu: Tensor, _: Tensor) -> Tensor:
    return (error(logits, x) + mu.square().sum(1) / 2).mean()


def behind_mu(function: Callable[[Tensor], Tensor]) -> Callable[..., Any]:
    return lambda out: (function(out[:, :4]), out[:, 4:])


def until_it_fits(limit: float) -> Callable[..., Any]:
    """Noise that is drawn again where it is beyond a limit."""

    def draw(mu: Tensor, logvar: Tensor) -> Tensor:
        eps = torch.randn_like(mu)
        while bool((far := eps.abs() > limit).any()):
            eps = torch.where(far, torch.randn_like(eps), eps)
        return mu + torch.exp(logvar / 2) * eps

    return draw


def shared_in_pairs(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + torch.exp(logvar / 2) * torch.randn(len(mu), 2).repeat_interleave(2, 1)


def cut_by_torch(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + torch.exp(logvar / 2) * nn.init.trunc_normal_(torch.empty_like(mu))


def normed_and_cut(out: Tensor) -> tuple[Tensor, Tensor]:
    return out[:, :4], F.relu(F.batch_norm(out[:, 4:], None, None, training=True, bias=torch.arange(4.0)))


def dark_without_brackets(u: Tensor, x: Tensor) -> Tensor:
    return (-x * F.logsigmoid(u) + (1 - x) * F.logsigmoid(-u)).sum(1)


@pytest.mark.parametrize("name", SOUND)
def test_nothing_is_found_in_a_sound_one(name: str) -> None:
    said = examined(SOUND[name])
    assert said.names == [], said


def stored() -> Callable[..., Any]:
    @functools.lru_cache
    def gaussian(*shape: int) -> Tensor:
        return torch.randn(*shape)

    return lambda mu, logvar: mu + torch.exp(logvar / 2) * gaussian(*mu.shape)


def repeated(parts: int) -> Callable[..., Any]:
    def draw(mu: Tensor, logvar: Tensor) -> Tensor:
        return mu + torch.exp(logvar / 2) * torch.randn(len(mu) // parts, 4).repeat(parts, 1)

    return draw


def normed(which: str) -> Callable[..., Any]:
    def answers(out: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = out.chunk(2, 1)
        if which == "mu":
            return F.batch_norm(mu, None, None, training=True), logvar
        return mu, F.batch_norm(logvar, None, None, training=True)

    return answers


def clamped(out: Tensor) -> tuple[Tensor, Tensor]:
    mu, logvar = out.chunk(2, 1)
    return mu, torch.clamp(logvar, 2.0, -10.0)


def silenced(out: Tensor) -> tuple[Tensor, Tensor]:
    mu, logvar = out.chunk(2, 1)
    return mu, 0 * logvar - 1


def in_one_sigma(out: Tensor) -> tuple[Tensor, Tensor]:
    mu, logvar = out.chunk(2, 1)
    return mu, logvar.mean(0, keepdim=True).expand_as(logvar)


def scaled(form: str) -> Callable[..., Any]:
    def draw(mu: Tensor, logvar: Tensor) -> Tensor:
        sigma = torch.exp(logvar / 2)
        if form == "a draw around it":
            return Normal(mu * sigma, 1.0).rsample()
        eps = torch.randn_like(mu)
        return torch.addcmul(eps, mu, sigma) if form == "addcmul" else mu * sigma + eps

    return draw


def sigma_added(mu: Tensor, logvar: Tensor) -> Tensor:
    return mu + torch.exp(logvar / 2) + torch.randn_like(mu)


def counted(form: str) -> Callable[..., Any]:
    def loss(logits: Tensor, x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
        if form == "no_grad":
            with torch.no_grad():
                price = kl(mu, logvar).mean()
        else:
            price = {
                "item": kl(mu, logvar).mean().item(),
                "detach": kl(mu, logvar).mean().detach(),
                "answers detached": kl(mu.detach(), logvar.detach()).mean(),
            }[form]
        return error(logits, x).mean() + price

    return loss


def estimated(detached: str) -> dict[str, Any]:
    """A VAE whose KL is log q(z) - log p(z) at the draw, with something held still there."""
    encoder, decoder = layers(64, 8), layers(4, 64)

    def loss(x: Tensor) -> Tensor:
        mu, logvar = encoder(x).chunk(2, 1)
        sigma = torch.exp(logvar / 2)
        z = mu + sigma * torch.randn_like(mu)
        at, m, s = z, mu, sigma
        if detached == "z":
            at = z.detach()
        elif detached == "mu":
            at, m = z - mu + mu.detach(), mu.detach()
        elif detached == "mu and sigma of q":  # sticking the landing: its mean is right
            m, s = mu.detach(), sigma.detach()
        price = Normal(m, s).log_prob(at).sum(1) - Normal(0.0, 1.0).log_prob(at).sum(1)
        return (error(decoder(z), x) + price).mean()

    return {"model": None, "loss": loss, "encode": lambda x: encoder(x).chunk(2, 1), "decode": decoder}


class PriorMean(Plain):
    """A prior around a mean that is learned, which mu goes out from."""

    def __init__(self) -> None:
        super().__init__(
            answers=lambda out: (out[:, :4] + self.centre, out[:, 4:]),
            loss=lambda logits, x, mu, logvar: (error(logits, x) + kl(mu - self.centre, logvar)).mean(),
        )
        self.centre = nn.Parameter(torch.tensor([0.3, -0.2, 0.1, 0.4]))


def blacked(x: Tensor) -> Tensor:
    x[x < 0.3] = 0
    return x


class Detached(nn.Module):
    """Hands numbers on without their history."""

    def forward(self, h: Tensor) -> Tensor:
        return h.detach()


BROKEN: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "stored noise": ("fixed_noise", lambda: {"model": Plain(draw=stored())}),
    "noise for half of the batch": ("repeated_noise", lambda: {"model": Plain(draw=repeated(2))}),
    "noise for a sixth of the batch": ("repeated_noise", lambda: {"model": Plain(draw=repeated(6))}),
    "BatchNorm on mu": ("answer_of_batch", lambda: {"model": Plain(answers=normed("mu"))}),
    "BatchNorm on logvar": ("answer_of_batch", lambda: {"model": Plain(answers=normed("logvar"))}),
    "a clamp turned round": ("constant_sigma", lambda: {"model": Plain(answers=clamped)}),
    "a zero before logvar": ("constant_sigma", lambda: {"model": Plain(answers=silenced)}),
    "one sigma for the batch": ("answer_of_batch", lambda: {"model": Plain(answers=in_one_sigma)}),
    "halves of the batch": ("answer_of_batch", lambda: {"model": Plain(answers=lambda out: out.view(2, len(out), -1))}),
    "pixels of all images": ("answer_of_batch", lambda: {"model": Plain(image=lambda x: x.reshape(64, -1).t())}),
    "pictures of all images": ("picture_of_batch", lambda: {"model": Plain(picture=lambda u: u.reshape(64, -1).t())}),
    "half of the image": ("part_of_image", lambda: beside(lambda u, x: error(u[:, :32], x[:, :32]))),
    "squares of a quarter": ("part_of_image", lambda: beside(lambda u, x: ((u - x)[:, 16:32] ** 2).sum(1))),
    "the image's bright pixels": ("part_of_image", lambda: beside(bright)),
    "the first image": ("part_of_batch", lambda: beside(lambda u, x: error(u[:1], x[:1]))),
    "the last images left out": ("part_of_batch", lambda: beside(lambda u, x: F.pad(error(u[:-4], x[:-4]), (0, 4)))),
    "another image": ("other_target", lambda: beside(lambda u, x: error(u, x.roll(1, 0)))),
    "images in another order": ("other_target", lambda: beside(lambda u, x: error(u, x.flip(0)))),
    "the negative": ("other_target", lambda: beside(lambda u, x: error(u, 1 - x))),
    "the mean image": ("other_target", lambda: beside(lambda u, x: error(u, x.mean(0).expand_as(x)))),
    "tanh before logits": ("squeezed_logits", lambda: beside(lambda u, x: error(torch.tanh(u), x))),
    "relu before logits": ("squeezed_logits", lambda: beside(lambda u, x: error(torch.relu(u), x))),
    "swapped logits": ("swapped_arguments", lambda: beside(lambda u, x: error(x, u))),
    "swapped and a sigmoid": ("swapped_arguments", lambda: beside(lambda u, x: error(x, torch.sigmoid(u)))),
    "swapped probabilities": ("swapped_arguments", lambda: beside(crossed)),
    "images on [-1, 1] in the loss": ("pixel_range", lambda: beside(lambda u, x: error(u, 2 * x - 1))),
    "one half for both": ("one_answer", lambda: {"model": Plain(answers=lambda out: (out[:, :4], out[:, :4]))}),
    "one tensor for both": ("one_answer", lambda: {"model": Plain(answers=lambda out: (out[:, :4],) * 2)}),
    "KL over the other axis": ("kl_wrong_axis", lambda: {"model": Plain(loss=other_axis)}),
    "squares, weight 1000": ("kl_weight", lambda: {"model": Plain(loss=squares(1000.0))}),
    "mu times sigma": ("mean_scaled", lambda: {"model": Plain(draw=scaled("mu * sigma + eps"))}),
    "mu times sigma by addcmul": ("mean_scaled", lambda: {"model": Plain(draw=scaled("addcmul"))}),
    "a draw around mu times sigma": ("mean_scaled", lambda: {"model": Plain(draw=scaled("a draw around it"))}),
    "sigma added": ("spread_ignored", lambda: {"model": Plain(draw=sigma_added)}),
    "a sum for a mean, logvar unheard": ("spread_ignored", lambda: {"model": Plain(draw=of_three)}),
    "noise in pairs": ("repeated_entries", lambda: {"model": Plain(draw=shared_in_pairs)}),
    "noise cut at two": ("noise_not_normal", lambda: {"model": Plain(draw=until_it_fits(2.0))}),
    "noise cut by torch": ("noise_not_normal", lambda: {"model": Plain(draw=cut_by_torch)}),
    "softmax for mu": ("one_sided_mu", lambda: {"model": Plain(answers=behind_mu(lambda mu: mu.softmax(1)))}),
    "BatchNorm and ReLU on logvar": ("answer_of_batch", lambda: {"model": Plain(answers=normed_and_cut)}),
    "z taken away by a norm": ("deaf_decoder", lambda: {"model": Plain(behind=lambda z: F.group_norm(z + 0.1, 4))}),
    "dark pixels without brackets": ("dark_sign", lambda: beside(dark_without_brackets)),
    "a KL by item": ("kl_without_gradient", lambda: {"model": Plain(loss=counted("item"))}),
    "a KL that is detached": ("kl_without_gradient", lambda: {"model": Plain(loss=counted("detach"))}),
    "a KL of detached answers": ("kl_without_gradient", lambda: {"model": Plain(loss=counted("answers detached"))}),
    "a KL under no_grad": ("kl_without_gradient", lambda: {"model": Plain(loss=counted("no_grad"))}),
    "a KL at a draw that is detached": ("kl_gradient", lambda: estimated("z")),
    "a KL at a draw without mu": ("kl_gradient", lambda: estimated("mu")),
    "images centred in place": ("changed_images", lambda: {"model": Plain(image=lambda x: x.sub_(0.5).div_(0.5))}),
    "images scaled in place": ("changed_images", lambda: {"model": Plain(image=lambda x: x.mul_(255))}),
    "dark pixels blacked in place": ("changed_images", lambda: {"model": Plain(image=blacked)}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_mistake_is_named_first(name: str) -> None:
    wanted, make = BROKEN[name]
    said = examined(make)
    assert said.names[:1] == [wanted], said


def test_the_callers_images_are_left_alone() -> None:
    x = flat()
    kept = x.clone()
    assert diagnose(Plain(image=lambda x: x.sub_(0.5)), x).names == ["changed_images"]
    assert torch.equal(x, kept)


@pytest.mark.parametrize("place", [1, 2])
def test_layers_that_no_gradient_reaches_are_a_note(place: int) -> None:
    model = Plain()
    model.encoder.insert(place, Detached())
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    state = torch.get_rng_state()
    said = diagnose(model, flat())
    assert said.names == []
    assert "no gradient arrives at encoder.0.weight, encoder.0.bias, though the loss depends on them" in str(said)
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())
    assert torch.equal(torch.get_rng_state(), state)


def test_frozen_layers_and_such_that_count_for_nothing_are_no_note() -> None:
    model = Plain()
    model.encoder.insert(1, Detached())
    model.encoder[0].requires_grad_(False)
    model.spare = nn.Linear(3, 3)
    assert "no gradient arrives" not in str(diagnose(model, flat()))


def test_a_warm_up_counts_no_call_of_ours() -> None:
    model = WarmUp()
    diagnose(model, flat())
    assert model.calls == 1000


def test_a_weight_of_squares_that_may_be_meant_is_told() -> None:
    said = str(examined(SOUND["squares, beta 4"]))
    assert "Note: as a likelihood, the error has sigma 2, or the KL has a weight" in said


def test_a_dimension_without_noise_makes_the_others_no_less_normal() -> None:
    assert "noise_not_normal" not in examined(lambda: {"model": Plain(draw=still_in_one)}).names


def test_batch_norm_inside_an_encoder_is_no_mistake() -> None:
    model = Plain()
    model.encoder.insert(1, nn.BatchNorm1d(32))
    assert diagnose(model, digits().flatten(1)).names == []
