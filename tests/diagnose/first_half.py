"""Half of the bank: the styles that were at hand while the tests were designed."""

import torch
import torch.nn.functional as F
from diagnose.patients import Patient, digits, flat
from torch import Tensor, nn
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

PIXELS = 64


# -- 1. encode and decode as methods, logits, two terms ---------------------------------------------------------------


class Methods(nn.Module):
    def __init__(self, fault: str = "", latent: int = 3) -> None:
        super().__init__()
        self.fault = fault
        self.enc = nn.Sequential(nn.Linear(PIXELS, 24), nn.ReLU(), nn.Linear(24, 2 * latent))
        self.dec = nn.Sequential(nn.Linear(latent, 24), nn.ReLU(), nn.Linear(24, PIXELS))
        if fault == "relu_head":
            self.enc.append(nn.ReLU())

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = self.enc(torch.zeros_like(x.flatten(1)) if self.fault == "blind" else x.flatten(1)).chunk(2, 1)
        if self.fault == "frozen_encoder":
            mu, logvar = mu.detach(), logvar.detach()
        return mu, logvar

    def sample(self, mu: Tensor, logvar: Tensor) -> Tensor:
        eps, sigma = torch.randn_like(mu), torch.exp(0.5 * logvar)
        match self.fault:
            case "normal":
                return torch.normal(mu, sigma)
            case "detached":
                return mu + sigma.detach() * eps
            case "variance":
                return mu + logvar.exp() * eps
            case "logvar_itself":
                return mu + logvar * eps
            case "mean":
                return mu
            case "uniform":
                return mu + sigma * torch.rand_like(mu)
            case "one_eps":
                return mu + sigma * torch.randn(mu.shape[1])
            case "one_per_image":
                return mu + sigma * torch.randn(len(mu), 1)
            case "unscaled":
                return mu + eps
            case "without mu":
                return sigma * eps
            case "seeded":
                torch.manual_seed(7)
                return mu + sigma * torch.randn_like(mu)
            case "no_grad":
                with torch.no_grad():
                    return mu + sigma * eps
        return mu + sigma * eps

    def decode(self, z: Tensor) -> Tensor:
        if self.fault == "deaf":
            z = 0 * z
        return self.dec(z).unflatten(-1, (1, 8, 8))

    def loss_terms(self, x: Tensor) -> dict[str, Tensor]:
        mu, logvar = self.encode(x)
        logits = self.decode(self.sample(mu, logvar))
        if self.fault == "sigmoid_twice":
            logits = torch.sigmoid(logits)
        error = F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1)
        kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)
        if self.fault == "log_sign":
            kl = 0.5 * (mu**2 + logvar.exp() - 1 + logvar)
        if self.fault == "no_mu":
            kl = 0.5 * (logvar.exp() - 1 - logvar)
        if self.fault == "latent_mean":
            return {"reconstruction": error.sum(1), "kl": kl.mean(1)}
        if self.fault == "pixel_mean":
            return {"reconstruction": error.mean(1), "kl": kl.sum(1)}
        if self.fault == "no_kl":
            return {"reconstruction": error.sum(1), "kl": 0 * kl.sum(1)}
        return {"reconstruction": error.sum(1), "kl": kl.sum(1)}


# -- 2. the usual example: forward gives (recon, mu, logvar), the loss is a function of its own ----------------------


class Usual(nn.Module):
    def __init__(self, fault: str = "", latent: int = 5) -> None:
        super().__init__()
        self.fault = fault
        self.fc1, self.fc21, self.fc22 = nn.Linear(PIXELS, 20), nn.Linear(20, latent), nn.Linear(20, latent)
        self.fc3, self.fc4 = nn.Linear(latent, 20), nn.Linear(20, PIXELS)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h1 = F.relu(self.fc1(x))
        mu, logvar = self.fc21(h1), self.fc22(h1)
        return (torch.tanh(mu) if self.fault == "tanh_mu" else mu), (
            F.relu(logvar) if self.fault == "relu_logvar" else logvar
        )

    def reparameterize(self, mu: Tensor, logvar: Tensor) -> Tensor:
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        if self.fault == "eval_only":
            return mu if self.training else mu + eps * std
        if self.fault == "sound_eval":
            return mu + eps * std if self.training else mu
        return mu + eps * std

    def decode(self, z: Tensor) -> Tensor:
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mu, logvar = self.encode(x.view(-1, PIXELS))
        z = self.reparameterize(mu, logvar)
        if self.fault == "decodes_mu":
            z = mu
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x.view(-1, PIXELS), reduction="sum")
    return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


def loss_averaged(recon_x, x, mu, logvar):
    return F.binary_cross_entropy(recon_x, x.view(-1, PIXELS)) - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


def loss_subtracted(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x.view(-1, PIXELS), reduction="sum")
    return bce + 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


def loss_elbo(recon_x, x, mu, logvar):
    return -loss_function(recon_x, x, mu, logvar)


def loss_without_half(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x.view(-1, PIXELS), reduction="sum")
    return bce - torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


def loss_batch_mean(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x.view(-1, PIXELS), reduction="sum")
    return bce - 0.5 * torch.mean(torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), 1))


def loss_mean_squares(recon_x, x, mu, logvar):
    mse = F.mse_loss(recon_x, x.view(-1, PIXELS))
    return mse - 0.5 * torch.mean(torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), 1))


def loss_of_itself(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(x.view(-1, PIXELS), x.view(-1, PIXELS), reduction="sum")
    return bce - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


# -- 3. convolutions and BatchNorm, forward gives a dict, loss(model, x) ----------------------------------------------


class Convolutions(nn.Module):
    def __init__(self, fault: str = "", latent: int = 4) -> None:
        super().__init__()
        self.fault = fault
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 6, 3, 2, 1),
            nn.BatchNorm2d(6),
            nn.LeakyReLU(),
            nn.Conv2d(6, 8, 3, 2, 1),
            nn.ReLU(),
            nn.Flatten(),
        )
        self.to_mu, self.to_logvar = nn.Linear(32, latent), nn.Linear(32, latent)
        self.up = nn.Linear(latent + (32 if fault == "skip" else 0), 32)
        self.decoder = nn.Sequential(
            nn.ReLU(), nn.Unflatten(1, (8, 2, 2)), nn.ConvTranspose2d(8, 6, 4, 2, 1), nn.BatchNorm2d(6), nn.ReLU(),
            nn.Dropout(0.1), nn.ConvTranspose2d(6, 1, 4, 2, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        h = self.encoder(x)
        mu, logvar = self.to_mu(h), self.to_logvar(h).clamp(-10, 10)
        std = (logvar / 2).exp()
        z = Normal(mu, std).sample() if self.fault == "sample" else mu + std * torch.randn_like(std)
        logits = self.decoder(self.up(torch.cat([z, h], 1) if self.fault == "skip" else z))
        return {"logits": logits, "mu": mu, "logvar": logvar, "z": z}


def conv_loss(model: nn.Module, x: Tensor, beta: float = 1.0) -> Tensor:
    out = model(x)
    error = F.binary_cross_entropy_with_logits(out["logits"], x, reduction="none").sum((1, 2, 3))
    kl = -0.5 * (1 + out["logvar"] - out["mu"].square() - out["logvar"].exp()).sum(1)
    return (error + beta * kl).mean()


def conv_loss_without_log(model: nn.Module, x: Tensor) -> Tensor:
    out = model(x)
    error = F.binary_cross_entropy_with_logits(out["logits"], x, reduction="sum")
    return (error + 0.5 * (out["mu"].square() + out["logvar"].exp() - 1).sum()) / len(x)


def conv_loss_bits(model: nn.Module, x: Tensor) -> Tensor:
    out = model(x)
    error = F.binary_cross_entropy_with_logits(out["logits"], x, reduction="sum") / torch.log(torch.tensor(2.0))
    return (error - 0.5 * (1 + out["logvar"] - out["mu"].square() - out["logvar"].exp()).sum()) / len(x)


# -- 4. distributions all the way -------------------------------------------------------------------------------------


class Distributions(nn.Module):
    def __init__(self, fault: str = "", latent: int = 2) -> None:
        super().__init__()
        self.fault, self.latent = fault, latent
        self.body = nn.Sequential(nn.Linear(PIXELS, 16), nn.Tanh())
        self.loc, self.raw = nn.Linear(16, latent), nn.Linear(16, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, 16), nn.Tanh(), nn.Linear(16, PIXELS))

    def encode(self, x: Tensor) -> Independent:
        h = self.body(x.flatten(1))
        return Independent(Normal(self.loc(h), F.softplus(self.raw(h)) + 1e-4), 1)

    def decode(self, z: Tensor) -> Independent:
        return Independent(Bernoulli(logits=self.decoder(z), validate_args=False), 1)

    def loss(self, x: Tensor) -> Tensor:
        q = self.encode(x)
        prior = Independent(Normal(torch.zeros(self.latent), torch.ones(self.latent)), 1)
        z = q.sample() if self.fault == "sample" else q.rsample()
        kl = kl_divergence(prior, q) if self.fault == "reversed" else kl_divergence(q, prior)
        likelihood = self.decode(z).log_prob(x.flatten(1))
        if self.fault == "plus":
            return (likelihood + kl).mean()
        return (kl - likelihood).mean()


def methods(fault: str = "", *ails: str, x=digits) -> Patient:
    return Patient(f"methods {fault}".strip(), lambda: {"model": Methods(fault)}, ails, x)


def usual(fault: str = "", *ails: str, loss=loss_function, x=flat, name: str = "") -> Patient:
    return Patient(f"usual {name or fault}".strip(), lambda: {"model": Usual(fault), "loss": loss}, ails, x)


def conv(fault: str = "", *ails: str, loss=conv_loss, x=digits, name: str = "") -> Patient:
    return Patient(
        f"convolutions {name or fault}".strip(), lambda: {"model": Convolutions(fault), "loss": loss}, ails, x
    )


def dist(fault: str = "", *ails: str, x=digits) -> Patient:
    return Patient(f"distributions {fault}".strip(), lambda: {"model": Distributions(fault)}, ails, x)


def with_callables(model: Methods) -> dict:
    return {"model": model, "encode": model.encode, "decode": model.decode}


SOUND = [
    methods(),
    Patient("methods of one dimension", lambda: {"model": Methods(latent=1)}),
    Patient("methods with callables", lambda: with_callables(Methods())),
    usual(),
    usual("sound_eval"),
    Patient("usual with a sum of squares", lambda: {"model": Usual(), "loss": lambda recon_x, x, mu, logvar: (
        (recon_x - x) ** 2).sum() - 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum()}, (), flat),
    conv(),
    conv("", loss=lambda model, x: conv_loss(model, x, 4.0), name="with beta 4"),
    dist(),
    Patient("distributions of ten dimensions", lambda: {"model": Distributions(latent=10)}),
]  # fmt: skip

BROKEN = [
    methods("normal", "cut_sample"),
    methods("no_grad", "cut_sample"),
    methods("detached", "cut_spread"),
    methods("variance", "spread"),
    methods("logvar_itself", "spread", "kl_other"),
    methods("mean", "no_noise"),
    methods("uniform", "noise_not_normal"),
    methods("one_eps", "shared_noise"),
    methods("one_per_image", "one_noise_per_image"),
    methods("unscaled", "spread_ignored"),
    methods("without mu", "mean_ignored"),
    methods("seeded", "fixed_noise"),
    methods("deaf", "deaf_decoder"),
    methods("blind", "constant_mu"),
    methods("frozen_encoder", "encoder_without_gradient"),
    methods("relu_head", "one_sided_mu"),
    methods("sigmoid_twice", "sigmoid_twice"),
    methods("log_sign", "kl_sign"),
    methods("no_mu", "kl_term_missing"),
    methods("latent_mean", "kl_latent_mean"),
    methods("pixel_mean", "pixel_mean"),
    methods("no_kl", "no_kl"),
    usual("tanh_mu", "bounded_mu"),
    usual("relu_logvar", "one_sided_logvar"),
    usual("eval_only", "noise_in_eval_only"),
    usual("decodes_mu", "no_noise"),
    usual("", "pixel_mean", loss=loss_averaged, name="averaged"),
    usual("", "sign_of_kl", loss=loss_subtracted, name="subtracted"),
    usual("", "sign_of_loss", loss=loss_elbo, name="elbo"),
    usual("", "kl_twice", loss=loss_without_half, name="without half"),
    usual("", "kl_batch_mean", loss=loss_batch_mean, name="batch mean"),
    usual("", "pixel_mean", loss=loss_mean_squares, name="mean squares"),
    usual("", "no_reconstruction", loss=loss_of_itself, name="of itself"),
    conv("sample", "cut_sample"),
    conv("skip", "decoder_sees_image"),
    conv("", "kl_term_missing", loss=conv_loss_without_log, name="without log"),
    conv("", "bits", loss=conv_loss_bits, name="bits"),
    conv("", "kl_weight", loss=lambda model, x: conv_loss(model, x, 100.0), name="beta 100"),
    conv("", "pixel_range", x=lambda: 255 * digits(), name="pixels to 255"),
    dist("sample", "cut_sample"),
    dist("reversed", "kl_reversed"),
    dist("plus", "sign_of_reconstruction"),
    Patient("distributions from -1", lambda: {"model": Methods()}, ("pixel_range",), lambda: 2 * digits() - 1),
]
