"""The limits of chance are what they say: against scipy, and by counting false alarms."""

import math

import pytest
import torch
from scipy import stats

from vae_lab.checks.instruments.estimates import ROWS, STANDARD_ERRORS
from vae_lab.checks.instruments.noise import examine
from vae_lab.checks.instruments.sampler import check_noise
from vae_lab.checks.instruments.statistics import (
    ALPHA,
    binomial_interval,
    chi_square_interval,
    kolmogorov_distance,
    kolmogorov_limit,
    normal_cdf,
)
from vae_lab.checks.messages import CheckFailed

AXES = ("call", "row", "dimension")


@pytest.mark.parametrize("dof", [1, 7, 240, 11_520])
@pytest.mark.parametrize("alpha", [0.05, ALPHA])
def test_chi_square_bounds_are_exact(dof, alpha):
    low, high = chi_square_interval(dof, alpha)
    assert stats.chi2.cdf(low * dof, dof) == pytest.approx(alpha / 2, rel=1e-3)
    assert stats.chi2.sf(high * dof, dof) == pytest.approx(alpha / 2, rel=1e-3)


@pytest.mark.parametrize(("n", "p"), [(50, 0.5), (11_520, 0.0455), (11_520, 0.0027), (3, 0.1)])
@pytest.mark.parametrize("alpha", [0.05, ALPHA])
def test_binomial_bounds_are_safe(n, p, alpha):
    low, high = binomial_interval(n, p, alpha)
    outside = stats.binom.cdf(math.ceil(low * n) - 1, n, p) + stats.binom.sf(math.floor(high * n), n, p)
    assert outside <= alpha


@pytest.mark.parametrize("n", [10, 500])
def test_kolmogorov_limit_is_safe_and_the_distance_is_scipys(n):
    assert stats.kstwo.sf(kolmogorov_limit(n, 0.01), n) <= 0.01
    draws = torch.randn(n, generator=torch.Generator().manual_seed(n))
    wanted = stats.kstest(draws.double().numpy(), "norm").statistic
    assert kolmogorov_distance(draws, normal_cdf) == pytest.approx(wanted)


def test_good_noise_is_found_faulty_as_seldom_as_promised():
    """At alpha = 0.01, eleven statistics find something in at most 11 % of runs; at the one in use, in none of 400."""
    generator, found = torch.Generator().manual_seed(0), 0
    for _ in range(400):
        eps = torch.randn(12, 20, 5, generator=generator)
        found += examine(eps, AXES, alpha=0.01) is not None
        assert examine(eps, AXES) is None
    # a count of 400 trials at 11 % exceeds 85 with a probability below 1e-8
    assert found <= 85


@pytest.mark.parametrize(
    ("name", "fault", "kind"),
    [
        ("uniform", lambda e: (torch.rand_like(e) * 2 - 1) * 3**0.5, "shape"),
        ("signs", torch.sign, "shape"),
        ("clamped", lambda e: e.clamp(-2.2, 2.2), ("spread", "shape", "tails")),
        ("a tenth too wide", lambda e: 1.1 * e, "spread"),
        ("moved", lambda e: e + 0.1, ("mean", "shared")),
        ("shared rows", lambda e: e[:, :1].expand_as(e), "shared"),
        ("two rows share", lambda e: e[:, torch.arange(e.shape[1]) // 2], "shared"),
        ("shared calls", lambda e: e[:1].expand_as(e), "shared"),
        ("mirrored dimensions", lambda e: torch.cat([e[..., :3], -e[..., :3]], -1), "cancelling"),
        ("one radius for a row", lambda e: e[..., :1].abs() * e.sign(), "sizes"),
        (
            "one radius for two calls",
            lambda e: e[torch.arange(len(e)) // 2].abs() * torch.randn_like(e).sign(),
            "sizes",
        ),
        ("nan", lambda e: e.masked_fill(e > 2, math.nan), "not finite"),
    ],
)
def test_each_fault_is_found(name, fault, kind):
    eps = torch.randn(40, 48, 6, generator=torch.Generator().manual_seed(1))
    finding = examine(fault(eps), AXES)
    assert finding is not None, name
    assert finding.kind in kind


@pytest.mark.parametrize("shape", [(4, 1000, 3), (10, 250, 16), (50, 100, 2), (2, 4000, 4)])
def test_rows_that_come_again_are_not_blamed_on_another_axis(shape):
    """Fewer independent draws move the sums along every axis; the one that shares must be named."""
    calls, rows, dimensions = shape
    for seed in range(40):
        few = torch.randn(calls, 32, dimensions, generator=torch.Generator().manual_seed(seed))
        finding = examine(few[:, torch.arange(rows) % 32], AXES)
        assert (finding.kind, finding.axis) == ("shared", "row"), seed


def test_one_infinity_is_forgiven_and_two_are_not():
    """erfinv(2 u - 1) is infinite where u is exactly 0, once in 2^24 draws."""
    eps = torch.randn(40, 48, 6, generator=torch.Generator().manual_seed(2))
    eps[0, 0, 0] = -math.inf
    assert examine(eps, AXES) is None
    eps[3, 3, 3] = -math.inf
    assert examine(eps, AXES).kind == "not finite"


@pytest.mark.parametrize(
    ("mu", "logvar"), [((0.6, -0.9, 0.4), (0.5, 0.2, 0.9)), ((1.5,), (0.8,)), ((0.15, 0.1), (0.02, 0.05))]
)
def test_standard_errors_of_the_kl_estimate_leave_less_than_1e_7(mu, logvar):
    """Chernoff's bound for the mean of ROWS log ratios: quadratics in N(0, 1) noise, whose transform is known."""
    variances = [math.exp(v) for v in logvar]
    mean = sum(m * m + s2 - 1 - v for m, s2, v in zip(mu, variances, logvar, strict=True)) / 2
    constant = sum(m * m - v for m, v in zip(mu, logvar, strict=True)) / 2
    variance = sum((s2 - 1) ** 2 / 2 + m * m * s2 for m, s2 in zip(mu, variances, strict=True))
    far = 0.95 * STANDARD_ERRORS * math.sqrt(variance / ROWS)  # the measured standard error may be a few per cent small

    def log_moment(t):  # of exp(t (X - mean)), X = constant + sum_d ((s2 - 1) e^2 / 2 + mu s e)
        total = t * (constant - mean)
        for m, s2 in zip(mu, variances, strict=True):
            left = 1 - t * (s2 - 1)
            if left <= 0:
                return math.inf
            total += -math.log(left) / 2 + t * t * m * m * s2 / (2 * left)
        return total

    for side in (1, -1):
        best = min(ROWS * (log_moment(side * k * 0.002) - k * 0.002 * far) for k in range(1, 3000))
        assert math.exp(best) < 1e-7


@pytest.mark.parametrize(
    ("shape", "says"),
    [((1, 1), "one eps for each entry"), ((1, 3), "every row needs its own")],
)
def test_few_draws_that_happen_to_have_one_sign_are_still_called_shared(shape, says):
    """Of the eps of a few calls all may be positive, one time in so many; then z is never below mu, by chance."""
    mu, logvar = torch.linspace(-2, 2, 1080).view(360, 3), torch.linspace(-1, 1, 1080).view(360, 3)
    eps = torch.rand(4, *shape, generator=torch.Generator().manual_seed(0)).expand(4, 360, 3)
    with pytest.raises(CheckFailed, match=says):
        check_noise("sampler", mu + torch.exp(logvar / 2) * eps, AXES, mu, logvar)


@pytest.mark.parametrize("spread", torch.linspace(0.1, 0.3, 21).tolist())
def test_few_draws_that_happen_to_be_small_are_still_called_shared(spread):
    """With one eps for each call, sums along six entries are 6 times too large; they look right where eps^2 is 1/6."""
    mu, logvar = torch.linspace(-2, 2, 5400).view(900, 6), torch.linspace(-1, 1, 5400).view(900, 6)
    eps = torch.tensor([1.0, -1.0, 1.0, -1.0]).view(4, 1, 1) * spread**0.5
    with pytest.raises(CheckFailed, match="one eps for each entry"):
        check_noise("sampler", mu + torch.exp(logvar / 2) * eps, AXES, mu, logvar)
