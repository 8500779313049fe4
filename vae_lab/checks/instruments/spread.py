"""Wrong formulas for the spread and the mean of z, by name: what an answer looks like when it is not N(mu, sigma^2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from vae_lab.checks.instruments.noise import examine
from vae_lab.checks.instruments.statistics import kolmogorov_distance, kolmogorov_limit
from vae_lab.checks.messages import Misconception

VARIANCE_FOR_SIGMA = Misconception(
    "exp(logvar) is the variance, sigma^2; the standard deviation is exp(logvar / 2).", "reparameterization"
)


class Mistake(NamedTuple):
    """A wrong formula that was recognised, and what to say about it."""

    formula: str
    misconception: Misconception


SPREADS: dict[str, tuple[Callable[[Tensor], Tensor], Misconception]] = {
    "exp(logvar)": (torch.exp, VARIANCE_FOR_SIGMA),
    "logvar": (
        lambda logvar: logvar,
        Misconception("logvar is a logarithm; take it to sigma with exp(logvar / 2).", "reparameterization"),
    ),
    "logvar / 2": (
        lambda logvar: logvar / 2,
        Misconception("logvar / 2 is the logarithm of sigma; the exponential is missing.", "reparameterization"),
    ),
    "exp(logvar / 4)": (
        lambda logvar: torch.exp(logvar / 4),
        Misconception("a root too many: exp(logvar / 2) is the standard deviation already.", "reparameterization"),
    ),
    "exp(2 * logvar)": (
        lambda logvar: torch.exp(2 * logvar),
        Misconception("exp(2 * logvar) squares the variance; the factor is 1/2, not 2.", "reparameterization"),
    ),
    "exp(-logvar / 2)": (
        lambda logvar: torch.exp(-logvar / 2),
        Misconception("the sign is turned: exp(-logvar / 2) is 1 / sigma.", "reparameterization"),
    ),
    "exp(-logvar)": (
        lambda logvar: torch.exp(-logvar),
        Misconception("exp(-logvar) is the precision, 1 / sigma^2.", "reparameterization"),
    ),
    "exp(logvar) / 2": (
        lambda logvar: torch.exp(logvar) / 2,
        Misconception("the half belongs inside the exponential: exp(logvar / 2).", "reparameterization"),
    ),
    "sqrt(|logvar|)": (
        lambda logvar: logvar.abs().sqrt(),
        Misconception("logvar is the logarithm of the variance: undo the logarithm first.", "reparameterization"),
    ),
    "log(1 + exp(logvar))": (
        softplus,
        Misconception("softplus makes a number positive too, but sigma is exp(logvar / 2).", "notation"),
    ),
    "2 ** (logvar / 2)": (
        lambda logvar: 2 ** (logvar / 2),
        Misconception("log is the natural logarithm; its inverse is exp, not a power of 2.", "notation"),
    ),
    "10 ** (logvar / 2)": (
        lambda logvar: 10 ** (logvar / 2),
        Misconception("log is the natural logarithm; its inverse is exp, not a power of 10.", "notation"),
    ),
    "2 * sigma": (
        lambda logvar: 2 * torch.exp(logvar / 2),
        Misconception("a factor 2 too many: sigma is exp(logvar / 2).", "reparameterization"),
    ),
    "sigma / 2": (
        lambda logvar: torch.exp(logvar / 2) / 2,
        Misconception("a factor 1/2 too many: sigma is exp(logvar / 2).", "reparameterization"),
    ),
    "1": (
        torch.ones_like,
        Misconception(
            "logvar is not used: every coordinate has spread 1, whatever the encoder says.", "gradient_paths"
        ),
    ),
}
"""Wrong standard deviations that people write, by their formula."""

UNIFORM = Misconception("torch.rand is uniform on [0, 1]; torch.randn draws from N(0, 1).", "reparameterization")
FLOOR = Misconception(
    "adding a small number changes the answer where sigma is small; exp(logvar / 2) is positive as it is.",
    "reparameterization",
)
NO_MEAN = Misconception("mu is not added: the noise is scaled, but not moved to mu.", "reparameterization")
MEAN_SCALED = Misconception("sigma scales the noise alone; mu is added after that.", "reparameterization")
SWAPPED = Misconception("mu and sigma have changed places.", "notation")


def name_spread(sigma: Tensor, logvar: Tensor) -> Mistake | None:
    """Recognise a wrong formula in what should be exp(logvar / 2).

    Args:
        sigma: the wrong standard deviations.
        logvar: the same shape.

    Returns:
        The first formula that gives these values (within 1 %), or None.

    Example:
        >>> logvar = torch.tensor([0.5, 2.0])
        >>> name_spread(torch.exp(logvar), logvar).formula
        'exp(logvar)'
    """
    seen, logvar = sigma.detach().double(), logvar.detach().double()
    for formula, (spread, misconception) in SPREADS.items():
        wanted = spread(logvar)
        if torch.allclose(seen, wanted, rtol=0.01, atol=1e-6) and not torch.allclose(seen, torch.exp(logvar / 2)):
            return Mistake(formula, misconception)
    added = seen - torch.exp(logvar / 2)
    if added.numel() and float(added.min()) > 0 and float(added.max() - added.min()) < 0.01 * float(added.min()):
        return Mistake("exp(logvar / 2) plus a small number", FLOOR)
    added = seen.square() - torch.exp(logvar)
    if added.numel() and float(added.min()) > 0 and float(added.max() - added.min()) < 0.01 * float(added.min()):
        return Mistake("sqrt(exp(logvar) + a small number)", FLOOR)
    return None


def name_floor(z: Tensor, mu: Tensor, logvar: Tensor, slope: Tensor) -> Misconception | None:
    """Recognise a small number that was added to sigma or to sigma^2, from a draw and its derivative.

    Without it, (z - mu) / (2 dz/dlogvar) is 1; it is 1 + c / sigma for sigma + c, and 1 + c / sigma^2 for sigma^2 + c.

    Args:
        z: a draw, [B, D].
        mu: [B, D].
        logvar: [B, D].
        slope: dz/dlogvar, [B, D].

    Returns:
        The misconception, if one number c above 0 explains every entry.

    Example:
        >>> logvar = torch.tensor([-2.0, 0.0, 2.0])
        >>> name_floor(torch.exp(logvar / 2) + 0.001, torch.zeros(3), logvar, torch.exp(logvar / 2) / 2) is FLOOR
        True
    """
    z, mu, logvar, slope = (t.detach().double() for t in (z, mu, logvar, slope))
    more = (z - mu) / (2 * slope) - 1
    for size in (torch.exp(logvar / 2), torch.exp(logvar)):
        added = (more * size)[(z - mu).abs() > 0.1 * torch.exp(logvar / 2)]  # an eps near 0 tells little
        if len(added) > 1 and float(added.min()) > 0 and float(added.max()) < 1.3 * float(added.min()):
            return FLOOR
    return None


def name_uniform(z: Tensor, mu: Tensor, logvar: Tensor) -> Mistake | None:
    """Recognise uniform noise, times sigma or times a wrong formula for it.

    Args:
        z: draws, [..., B, D], a hundred or more.
        mu: [B, D].
        logvar: [B, D].

    Returns:
        The first range in which the noise is uniform, or None.
    """
    z, mu, logvar = z.detach().double(), mu.detach().double(), logvar.detach().double()
    spreads = {"sigma": torch.exp(logvar / 2), **{name: spread(logvar) for name, (spread, _) in SPREADS.items()}}
    if z.numel() < 100:
        return None
    for name, spread in spreads.items():
        eps = (z - mu) / spread
        for low, high in ((0.0, 1.0), (-0.5, 0.5), (-1.0, 1.0)):
            share = (eps - low) / (high - low)
            if _is_uniform(share):
                return Mistake(f"mu + s * u with s = {name} and u uniform between {low:g} and {high:g}", UNIFORM)
    return None


def _is_uniform(share: Tensor) -> bool:
    """Whether numbers lie between 0 and 1, reach both ends, and have a uniform number's variance and distribution."""
    n, low, high = share.numel(), float(share.min()), float(share.max())
    return (
        -1e-3 < low < 20 / n
        and 1 - 20 / n < high < 1 + 1e-3
        and abs(12 * float(share.var()) - 1) < 6 * (0.8 / n) ** 0.5  # six standard errors
        and kolmogorov_distance(share, lambda u: u.clamp(0, 1)) < kolmogorov_limit(n)
    )


def name_mistake(z: Tensor, mu: Tensor, logvar: Tensor) -> Mistake | None:
    """Recognise a wrong formula behind draws that should be from N(mu, sigma^2).

    Args:
        z: draws, [..., B, D], a thousand or more for each column.
        mu: [B, D].
        logvar: [B, D], with columns at different levels.

    Returns:
        The first formula under which every column has mean 0 and spread 1, within about 12 %, or None. Where that
        holds of mu and sigma, too, what is left must be independent N(0, 1) noise.
    """
    z, mu, logvar = z.detach().double(), mu.detach().double(), logvar.detach().double()
    sigma = torch.exp(logvar / 2)
    candidates = [(f"N(mu, s^2) with s = {name}", mu, s(logvar), why) for name, (s, why) in SPREADS.items()]
    candidates += [
        ("N(0, sigma^2)", torch.zeros_like(mu), sigma, NO_MEAN),
        ("N(-mu, sigma^2)", -mu, sigma, Misconception("mu has the wrong sign.", "reparameterization")),
        ("N(2 mu, sigma^2)", 2 * mu, sigma, Misconception("mu is added twice.", "reparameterization")),
        ("N(mu * sigma, sigma^2)", mu * sigma, sigma, MEAN_SCALED),
        ("N(sigma, mu^2)", sigma, mu, SWAPPED),
        ("N(logvar, exp(mu))", logvar, torch.exp(mu / 2), SWAPPED),
        ("N(0, 1)", torch.zeros_like(mu), torch.ones_like(mu), NO_MEAN),
    ]
    doubtful = _about_standard((z - mu) / sigma)  # not the formula, but the noise: a formula must fit better than about
    for formula, centre, spread, misconception in candidates:
        each = (z - centre) / spread
        rows_differ = len(mu) == 1 or float(each.var(-2).mean()) > 0.5  # noise that rows share has any spread by luck
        if rows_differ and _about_standard(each) and not (doubtful and examine(each.flatten(), ("entry",))):
            return Mistake(formula, misconception)
    return None


def _about_standard(eps: Tensor) -> bool:
    """Whether every column has mean 0 and spread 1, within about 12 %."""
    columns = eps.flatten(0, -2)
    return bool((columns.mean(0).abs() < 0.15).all()) and bool(((columns.std(0) - 1).abs() < 0.12).all())
