"""The other half of the bank: other styles, written before the tests had seen one of them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from diagnose.patients import Patient, digits, flat
from torch import Tensor, nn
from torch.distributions import Normal

PIXELS = 64


# -- 5. softplus for sigma, four results, squares with a fixed sigma ---------------------------------------------------


class Softplus(nn.Module):
    def __init__(self, fault: str = "", z_dim: int = 4) -> None:
        super().__init__()
        self.fault = fault
        self.fc_in, self.fc_mean, self.fc_std = nn.Linear(PIXELS, 32), nn.Linear(32, z_dim), nn.Linear(32, z_dim)
        self.fc_z, self.fc_out = nn.Linear(z_dim, 32), nn.Linear(32, PIXELS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        hidden = F.elu(self.fc_in(x.reshape(len(x), -1)))
        mean, std = self.fc_mean(hidden), F.softplus(self.fc_std(hidden)) + 1e-6
        noise = torch.randn(mean.size())
        if self.fault == "square root":
            z = mean + std.sqrt() * noise
        elif self.fault == "squared":
            z = mean + std**2 * noise
        elif self.fault == "item":
            z = mean + torch.tensor(std.tolist()) * noise
        elif self.fault == "numpy":
            z = torch.from_numpy(np.random.normal(mean.detach().numpy(), std.detach().numpy())).float()
        elif self.fault == "no noise":
            z = mean
        elif self.fault == "no mean":
            z = std * noise
        elif self.fault == "dropout":
            z = mean + std * F.dropout(torch.ones_like(std), 0.5)
        else:
            z = mean + std * noise
        recon = torch.sigmoid(self.fc_out(F.elu(self.fc_z(z)))).reshape(x.shape)
        return recon, z, mean, std


def softplus_loss(net: Softplus, images: Tensor) -> Tensor:
    recon, _, mean, std = net(images)
    sigma = 0.1 if net.fault != "mean squares" else 1.0
    error = ((images - recon) ** 2).flatten(1).sum(1) / (2 * sigma**2)
    kl = 0.5 * (mean**2 + std**2 - 1 - torch.log(std**2)).sum(1)
    if net.fault == "std in KL":
        kl = 0.5 * (mean**2 + std - 1 - torch.log(std**2)).sum(1)
    if net.fault == "log std":
        kl = 0.5 * (mean**2 + std**2 - 1 - torch.log(std)).sum(1)
    if net.fault == "mean squares":
        error = ((images - recon) ** 2).flatten(1).mean(1)
    if net.fault == "minus":
        return (error - kl).mean()
    if net.fault == "only error":
        return error.mean()
    return torch.mean(error + kl)


# -- 6. log sigma, a dataclass as result, loss(output, x) ------------------------------------------------------------


@dataclass
class Result:
    x_hat: Tensor
    mean: Tensor
    log_sigma: Tensor


class LogSigma(nn.Module):
    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.inference = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 30), nn.SiLU(), nn.Linear(30, 30), nn.SiLU())
        self.head = nn.Linear(30, 6)
        self.generator = nn.Sequential(nn.Linear(3, 30), nn.SiLU(), nn.Linear(30, PIXELS), nn.Unflatten(1, (1, 8, 8)))

    def forward(self, x: Tensor) -> Result:
        answer = self.head(self.inference(x))
        mean, log_sigma = answer[:, :3], answer[:, 3:]
        if self.fault == "sigmoid head":
            mean = torch.sigmoid(mean)
        if self.fault == "same for all":
            mean, log_sigma = mean.mean(0, keepdim=True).expand_as(mean), log_sigma
        sigma = torch.exp(log_sigma / 2) if self.fault == "halved" else torch.exp(log_sigma)
        shape = (1, 3) if self.fault == "one row" else mean.shape
        eps = torch.empty(shape).uniform_(-1, 1) if self.fault == "uniform" else torch.empty(shape).normal_()
        z = torch.addcmul(mean, sigma, eps)
        if self.fault == "detach":
            z = z.detach()
        x_hat = self.generator(z)
        if self.fault == "residual":
            x_hat = x_hat + 0.5 * x
        return Result(torch.sigmoid(x_hat) if self.fault == "sigmoid" else x_hat, mean, log_sigma)


def log_sigma_loss(output: Result, target: Tensor) -> Tensor:
    bce = F.binary_cross_entropy_with_logits(output.x_hat, target, reduction="sum") / len(target)
    kl = 0.5 * (output.mean**2 + torch.exp(2 * output.log_sigma) - 1 - 2 * output.log_sigma)
    return bce + kl.sum() / len(target)


def log_sigma_loss_as_logvar(output: Result, target: Tensor) -> Tensor:
    bce = F.binary_cross_entropy_with_logits(output.x_hat, target, reduction="sum") / len(target)
    kl = -0.5 * (1 + output.log_sigma - output.mean**2 - torch.exp(output.log_sigma))
    return bce + kl.sum() / len(target)


def log_sigma_loss_kl_mean(output: Result, target: Tensor) -> Tensor:
    bce = F.binary_cross_entropy_with_logits(output.x_hat, target, reduction="sum") / len(target)
    kl = 0.5 * (output.mean**2 + torch.exp(2 * output.log_sigma) - 1 - 2 * output.log_sigma)
    return bce + kl.mean()


# -- 7. no module at all: parameters in a dict ------------------------------------------------------------------------


class Functions:
    """Builds the functions over one set of parameters."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        shapes = {"We": (PIXELS, 20), "Wm": (20, 2), "Ws": (20, 2), "Wd": (2, 20), "Wo": (20, PIXELS)}
        self.p = {k: (0.2 * torch.randn(s)).requires_grad_() for k, s in shapes.items()}
        self.bias = torch.zeros(PIXELS, requires_grad=True)

    def make(self):
        p, bias, fault = self.p, self.bias, self.fault

        def encode(x):
            h = torch.tanh(x @ p["We"])
            return h @ p["Wm"], h @ p["Ws"]

        def decode(z):
            return torch.tanh(z @ p["Wd"]) @ p["Wo"] + bias

        def loss(x):
            mu, logvar = encode(x)
            z = mu + (logvar if fault == "twice" else 0.5 * logvar).exp() * torch.randn(mu.shape)
            if fault == "rows":
                z = mu + (0.5 * logvar).exp() * torch.randn(1, 1)
            logits = decode(z)
            nll = (F.softplus(logits) - x * logits).sum(1)
            kl = 0.5 * (mu.pow(2) + logvar.exp() - logvar - 1).sum(1)
            if fault == "log":
                kl = 0.5 * (mu.pow(2) + logvar.exp() - 1).sum(1)
            if fault == "absolute":
                kl = 0.5 * (mu.abs() + logvar.exp() - logvar - 1).sum(1)
            if fault == "pixels":
                nll = nll / PIXELS
            return (nll + kl).sum()

        return {"model": None, "encode": encode, "decode": decode, "loss": loss}


# -- 8. the collection's way: loss_function(*args, **kwargs) with a weight of the KL in M_N --------------------------


class Collection(nn.Module):
    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.encoder = nn.Sequential(
            nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.LeakyReLU()),
            nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.LeakyReLU()),
        )
        self.fc_mu, self.fc_var = nn.Linear(64, 6), nn.Linear(64, 6)
        self.decoder_input = nn.Linear(6, 64)
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(16, 8, 3, 2, 1, output_padding=1), nn.BatchNorm2d(8), nn.LeakyReLU()
        )
        self.final_layer = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(8, 1, 3, padding=1), nn.Tanh())

    def encode(self, input: Tensor) -> list[Tensor]:
        result = torch.flatten(self.encoder(input), start_dim=1)
        return [self.fc_mu(result), self.fc_var(result)]

    def decode(self, z: Tensor) -> Tensor:
        return self.final_layer(self.decoder(self.decoder_input(z).view(-1, 16, 2, 2)))

    def reparameterize(self, mu: Tensor, logvar: Tensor) -> Tensor:
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        with torch.set_grad_enabled(self.fault != "no grad"):
            return eps * std + mu

    def forward(self, input: Tensor, **kwargs) -> list[Tensor]:
        mu, log_var = self.encode(input)
        return [self.decode(self.reparameterize(mu, log_var)), input, mu, log_var]

    def loss_function(self, *args, **kwargs) -> dict:
        recons, input, mu, log_var = args
        recons_loss = F.mse_loss(recons, input)
        sign = -1 if self.fault == "sign" else 1
        kld = torch.mean(-0.5 * torch.sum(1 + sign * log_var - mu**2 - log_var.exp(), dim=1), dim=0)
        weight = {"": 1 / PIXELS, "sign": 1 / PIXELS, "no grad": 1 / PIXELS, "whole": 1.0, "tiny": 1e-7}[self.fault]
        return {"loss": recons_loss + weight * kld, "Reconstruction_Loss": recons_loss.detach(), "KLD": -kld.detach()}


# -- 9. an estimate of the KL by Monte Carlo, Laplace pixels, named results ------------------------------------------


class Bound(NamedTuple):
    nll: Tensor
    kl: Tensor


class MonteCarlo(nn.Module):
    def __init__(self, fault: str = "", layers: int = 1) -> None:
        super().__init__()
        self.fault = fault
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 24), nn.LayerNorm(24), nn.GELU(), nn.Dropout(0.2))
        self.stats = nn.ModuleDict({"m": nn.Linear(24, 3), "v": nn.Linear(24, 3)})
        self.p_x = nn.Sequential(nn.Linear(3, 24), nn.GELU(), nn.Linear(24, PIXELS))

    def compute_loss(self, batch: Tensor) -> Bound:
        h = self.trunk(batch)
        q = Normal(self.stats["m"](h), torch.exp(0.5 * self.stats["v"](h)))
        z = q.rsample()
        if self.fault == "constant":
            z = z * 0 + 1.0
        p = Normal(torch.zeros_like(z), torch.ones_like(z))
        logits = self.p_x(z)
        log_q = q.log_prob(z)
        if self.fault == "no log q":
            log_q = torch.zeros_like(log_q)
        kl = (log_q - p.log_prob(z)).sum(-1)
        if self.fault == "other way":
            kl = (p.log_prob(z) - log_q).sum(-1)
        if self.fault == "averaged":
            kl = (log_q - p.log_prob(z)).mean(-1)
        nll = F.binary_cross_entropy_with_logits(logits, batch.flatten(1), reduction="none").sum(-1)
        if self.fault == "dark":
            nll = -(batch.flatten(1) * F.logsigmoid(logits)).sum(-1)
        return Bound(nll, kl)


# -- 10. pixels from -1 to 1, tanh, absolute errors -------------------------------------------------------------------


class Tanh(nn.Module):
    def __init__(self, fault: str = "") -> None:
        super().__init__()
        self.fault = fault
        self.enc = nn.Sequential(nn.Linear(PIXELS, 28), nn.Mish())
        self.mu, self.lv = nn.Linear(28, 5), nn.Linear(28, 5)
        self.dec = nn.Sequential(nn.Linear(5, 28), nn.Mish(), nn.Linear(28, PIXELS), nn.Tanh())

    def loss(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.enc(x)
        mu, lv = self.mu(h), self.lv(h)
        if self.fault == "softplus":
            lv = F.softplus(lv)
        z = self.code(mu, lv)
        error = F.l1_loss(self.dec(z), x, reduction="none").sum(1) / 0.2
        kl = 0.5 * torch.sum(mu * mu + torch.exp(lv) - lv - 1, dim=1)
        return (error + kl).mean(), error.mean(), kl.mean()

    def code(self, mu: Tensor, lv: Tensor) -> Tensor:
        if self.fault == "manual":
            return mu + torch.exp(lv / 2) * torch.randn(mu.shape, generator=torch.Generator().manual_seed(0))
        return mu + torch.exp(lv / 2) * torch.randn_like(mu)


def softplus(fault: str = "", *ails: str) -> Patient:
    return Patient(f"softplus {fault}".strip(), lambda: {"model": Softplus(fault), "loss": softplus_loss}, ails)


def log_sigma(fault: str = "", *ails: str, loss=log_sigma_loss, name: str = "") -> Patient:
    return Patient(f"log sigma {name or fault}".strip(), lambda: {"model": LogSigma(fault), "loss": loss}, ails)


def functions(fault: str = "", *ails: str) -> Patient:
    return Patient(f"functions {fault}".strip(), lambda: Functions(fault).make(), ails, flat)


def collection(fault: str = "", *ails: str) -> Patient:
    return Patient(f"collection {fault}".strip(), lambda: {"model": Collection(fault)}, ails, lambda: 2 * digits() - 1)


def monte_carlo(fault: str = "", *ails: str) -> Patient:
    return Patient(f"Monte Carlo {fault}".strip(), lambda: {"model": MonteCarlo(fault)}, ails)


def tanh(fault: str = "", *ails: str, x=lambda: 2 * flat() - 1, name: str = "") -> Patient:
    return Patient(f"tanh {name or fault}".strip(), lambda: {"model": Tanh(fault)}, ails, x)


SOUND = [
    softplus(),
    Patient("softplus of one", lambda: {"model": Softplus(z_dim=1), "loss": softplus_loss}),
    Patient("softplus in eval mode", lambda: {"model": Softplus().eval(), "loss": lambda m, x: softplus_loss(m, x)}),
    log_sigma(),
    Patient("log sigma, loss(model, x)", lambda: {
        "model": LogSigma(), "loss": lambda model, x: log_sigma_loss(model(x), x)}),
    functions(),
    Patient("functions without encode", lambda: Functions().make() | {"encode": None}, (), flat),
    collection(),
    monte_carlo(),
    tanh(),
]  # fmt: skip

BROKEN = [
    softplus("square root", "spread"),
    softplus("squared", "spread"),
    softplus("item", "cut_spread"),
    softplus("numpy", "cut_sample"),
    softplus("no noise", "no_noise"),
    softplus("no mean", "mean_ignored"),
    softplus("std in KL", "kl_variance"),
    softplus("log std", "kl_log"),
    softplus("mean squares", "pixel_mean"),
    softplus("minus", "sign_of_kl"),
    softplus("only error", "no_kl"),
    softplus("dropout", "noise_not_normal"),
    log_sigma("sigmoid head", "one_sided_mu"),
    log_sigma("same for all", "constant_mu"),
    log_sigma("halved", "spread"),
    log_sigma("one row", "shared_noise"),
    log_sigma("uniform", "noise_not_normal"),
    log_sigma("detach", "cut_sample"),
    log_sigma("residual", "decoder_sees_image"),
    log_sigma("sigmoid", "sigmoid_twice"),
    log_sigma("", "spread", loss=log_sigma_loss_as_logvar, name="as logvar"),
    log_sigma("", "kl_latent_mean", "kl_batch_mean", loss=log_sigma_loss_kl_mean, name="KL mean"),
    functions("twice", "spread"),
    functions("rows", "shared_noise"),
    functions("log", "kl_term_missing"),
    functions("absolute", "kl_mu"),
    functions("pixels", "pixel_mean"),
    collection("sign", "kl_sign"),
    collection("no grad", "cut_sample"),
    collection("whole", "pixel_mean"),
    collection("tiny", "kl_weight"),
    monte_carlo("constant", "no_noise", "deaf_decoder"),
    monte_carlo("no log q", "kl_term_missing"),
    monte_carlo("other way", "sign_of_kl"),
    monte_carlo("averaged", "kl_latent_mean"),
    monte_carlo("dark", "half_likelihood"),
    tanh("softplus", "one_sided_logvar"),
    tanh("manual", "fixed_noise"),
    tanh("", "pixel_range", x=lambda: 255 * flat(), name="pixels to 255"),
]
