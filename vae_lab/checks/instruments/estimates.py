"""Check an estimate of the KL by draws: its expectation, and the expectation of its gradient.

Thousands of rows with the same mu and logvar give thousands of independent estimates. Their mean must lie within
STANDARD_ERRORS of the closed form. That many belong to a probability of 8e-11 for a normal mean. The log-ratio of two
Gaussians is a quadratic in normal noise, and not quite normal in the mean of 4,000 draws; Chernoff's bound gives less
than 1e-7 for one comparison (computed in tests/checks/test_statistics.py). A run of the check makes eight of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.losses import BITS, kl_terms
from vae_lab.checks.instruments.sampler import SHARED, device, gradients
from vae_lab.checks.instruments.spread import UNIFORM
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor

STANDARD_ERRORS = 6.5
ROWS = 4000
DRAWS = 4
ELSEWHERE = (([-1.2, 0.8], [0.3, 0.8]), ([2.0, -1.5], [0.1, 0.6]), ([0.2, 0.1], [1.2, 0.9]), ([1.5, 0.0], [0.0, 1.5]))
"""Other rows of mu and logvar, where a mistake that was recognised must show again."""

CLOSED_FORM = Misconception(
    "two calls give the very same numbers: this is the closed form, or draws with a fixed seed.", "how_good"
)
SHARED_ROWS = Misconception("all rows have the same estimate: the rows share their noise.", "gradient_paths")
FEW_DRAWS = Misconception(
    "the estimate does not get better with n: are there n draws, each with its own eps?", "how_good"
)
SUM_OVER_DRAWS = Misconception("the n draws are added up; an estimate of a mean is their mean.", "how_good")
ONE_DRAW_LESS = Misconception("the sum over n draws is divided by n - 1; their mean divides it by n.", "how_good")
NO_LOG_Q = Misconception("log q is missing: KL(q || p) is the mean of log q(z) - log p(z).", "elbo")
NO_LOG_P = Misconception("log p is missing: KL(q || p) is the mean of log q(z) - log p(z).", "elbo")
MEAN_OVER_D = Misconception("the dimensions' KL is averaged; independent dimensions add up.", "elbo")
SIGN = Misconception("the sign is turned: KL(q || p) is the mean of log q(z) - log p(z).", "elbo")
FROM_PRIOR = Misconception("the draws come from the prior; KL(q || p) is a mean over draws from q.", "elbo")
MIXED_ROWS = Misconception(
    "draws of one row are weighed with mu and sigma of another: a reshape has mixed up rows and draws; z[i, b] must "
    "belong to row b.",
    "how_good",
)
OTHER_WAY = Misconception("this is KL(p || q), the other way round; the ELBO has KL(q || p).", "elbo")
NO_LOG_SIGMA = Misconception("the density q(z) has 1 / sigma in front; -log sigma is missing in log q(z).", "elbo")
WHOLE_LOGVAR = Misconception("log sigma is logvar / 2; in log q(z) stands the whole logvar.", "elbo")
CUT_LOG_P = Misconception("z is cut off where log p(z) is computed: log p sends no gradient.", "stochastic_nodes")
CUT_LOG_Q = Misconception("z is cut off where log q(z) is computed; both logarithms need it.", "stochastic_nodes")
WRONG_SIGMA = Misconception("{} stands where sigma belongs: sigma is exp(logvar / 2).", "reparameterization")
LOG_OF_MEAN = Misconception(
    "the logarithm of a mean of q(z) / p(z) has another mean than the mean of log q(z) - log p(z).", "how_good"
)
BIASED = Misconception("{} of log q - log p has another mean than log q - log p itself.", "how_good")
NO_PATH = Misconception(
    "the gradient does not pass through z: draw it as mu + sigma * eps, with rsample and not sample.",
    "stochastic_nodes",
)


def check_kl_monte_carlo(
    kl_monte_carlo: Callable[..., Any],
    mu: Sequence[float] = (0.6, -0.9, 0.4),
    logvar: Sequence[float] = (0.5, 0.2, 0.9),
    n: int = DRAWS,
    dtype: torch.dtype = torch.float32,
    again: bool = True,
) -> None:
    """Require an unbiased, differentiable estimate of KL(N(mu, e^logvar) || N(0, 1)) from n draws, [B].

    Args:
        kl_monte_carlo: the student's function.
        mu: one row of means.
        logvar: one row, at or above 0, so that p/q is bounded and every usual estimator has a finite variance.
        n: number of draws.
        dtype: of mu and logvar.
        again: whether to ask for n = 1 twice, and to compare; and for rows that are far apart.

    Raises:
        CheckFailed: if not. A right answer fails with a probability below 1e-6 (2 + 2 D comparisons of means, below
            1e-7 each, and one of variances, whose ratio is n and may fall to half of that).
    """
    task = "kl_monte_carlo"
    rows = [torch.tensor(list(row), dtype=dtype, device=device()).repeat(ROWS, 1) for row in (mu, logvar)]
    many = [row.clone().requires_grad_() for row in rows]
    estimate = require_tensor(task, ask(task, kl_monte_carlo, *many, n, names=("mu", "logvar", "n")), rows[0], (ROWS,))
    if not bool(torch.isfinite(estimate).all()):
        fail(task, "the estimate holds nan or infinite numbers.", "Wanted finite ones.")
    one = require_tensor(task, ask(task, kl_monte_carlo, *rows, 1, names=("mu", "logvar")), rows[0], (ROWS,)).detach()
    if again and torch.equal(
        one,
        require_tensor(task, ask(task, kl_monte_carlo, *rows, 1, names=("mu", "logvar")), rows[0], (ROWS,)).detach(),
    ):
        if not bool(one.any()):  # no draw is made at all
            fail(task, "with n = 1, the estimate is 0 in every row.", "Wanted the mean of one draw.")
        fail(task, "the estimate does not change from call to call.", "Wanted new draws.", CLOSED_FORM)
    if float(one.std()) < 1e-4 * float(one.abs().mean()):
        fail(task, "rows with equal mu and logvar have equal estimates.", "Wanted new draws.", SHARED_ROWS)

    terms = kl_terms(*(row[0].detach().double() for row in rows))
    wanted = float(terms.sum())
    for draws, values in ((1, one), (n, estimate.detach())):
        mean, error = _mean_and_error(values)
        if not abs(mean - wanted) <= STANDARD_ERRORS * error:
            mistake = _name_mean(kl_monte_carlo, mean, error, draws, rows)
            seen = f"with n = {draws}, the mean over {ROWS} rows is {mean / wanted:.2f} times the KL"
            seen += f" (the standard error is {error / abs(wanted):.3f})."
            fail(task, seen, "Wanted an unbiased estimate.", mistake)
    if n > 1 and not float(estimate.detach().double().var()) * n < 2 * float(one.double().var()):
        ratio = float(one.double().var() / estimate.detach().double().var())
        seen = f"{n} draws make the variance {ratio:.1f} times smaller than one draw does."
        fail(task, seen, f"Wanted about {n} times.", FEW_DRAWS)

    if again:
        _require_rows_apart(task, kl_monte_carlo, rows[0])
    if not estimate.requires_grad:
        fail(task, "the estimate does not require a gradient although mu and logvar do.", "Wanted one.", NO_PATH)
    slopes = gradients(task, estimate.sum(), many)
    exact = (rows[0][0].double(), torch.expm1(rows[1][0].double()) / 2)
    for name, slope, right in zip(("mu", "logvar"), slopes, exact, strict=True):
        if slope is None:
            fail(task, f"no gradient reaches {name}.", "Wanted an unbiased one.", NO_PATH)
        for d, target in enumerate(right.tolist()):
            mean, error = _mean_and_error(slope[:, d])
            if not abs(mean - target) <= STANDARD_ERRORS * error + 1e-4:
                seen = (
                    f"in one dimension the gradient for {name} is on average {mean / target:.2f} times that of the KL."
                )
                fail(task, seen, "Wanted an unbiased gradient.", _name_slopes(slopes, rows))
    _require_dimensions_apart(task, slopes[0])
    if all(slope is not None and float(slope.std(0).max()) <= 1e-5 for slope in slopes):
        fail(task, "the gradient is the same in every row, whatever was drawn.", "Wanted draws.", CLOSED_FORM)


def _require_dimensions_apart(task: str, slope: Tensor | None) -> None:
    """The gradient for mu in one dimension follows that dimension's noise: of ROWS of them, two go apart.

    Of independent numbers, half a correlation has a probability below 1e-100; shared noise has one of 1.
    """
    if slope is None or slope.shape[1] < 2 or float(slope.std(0).min()) <= 1e-5:
        return
    together = torch.corrcoef(slope.detach().double().T).abs().triu(1).max()
    if float(together) > 0.5:
        seen = f"from row to row, the gradients for mu of two dimensions go together (correlation {together:.2f})."
        fail(task, seen, "Wanted noise of its own in each.", SHARED["dimension"])


def _name_slopes(slopes: Sequence[Tensor | None], rows: list[Tensor]) -> Misconception | None:
    """Which of the two logarithms, or both, the mean gradient shows to be cut off from z; None for anything else."""
    variance = rows[1][0].detach().double().exp()
    zero, mean = torch.zeros_like(variance), rows[0][0].detach().double()
    guesses = [(zero, zero, NO_PATH), (zero, zero - 0.5, CUT_LOG_P), (mean, variance / 2, CUT_LOG_Q)]
    for for_mu, for_logvar, mistake in guesses:
        fits = True
        for slope, target in zip(slopes, (for_mu, for_logvar), strict=True):
            for d, wanted in enumerate(target.tolist()):
                seen, error = (0.0, 0.0) if slope is None else _mean_and_error(slope[:, d])
                fits = fits and abs(seen - wanted) <= 5 * error + 1e-3
        if fits:
            return mistake
    return None


def _name_mean(
    kl_monte_carlo: Callable[..., Any], mean: float, error: float, draws: int, rows: list[Tensor]
) -> Misconception | None:
    """The one mistake whose mean this is, here and at another mu and logvar; None if there is none, or several."""
    found = {mistake for value, mistake in _means(rows, draws) if abs(value - mean) <= 4 * error + 1e-3 * abs(value)}
    for place in ELSEWHERE:  # two mistakes may have nearly one mean in one place
        there = [torch.tensor(row).to(rows[0]).repeat(ROWS, 1) for row in place]
        with torch.no_grad():
            again, error = _mean_and_error(kl_monte_carlo(*there, draws))
        near = _means(there, draws)
        found &= {mistake for value, mistake in near if abs(value - again) <= 6 * error + 1e-2 * abs(value)}
        if not found:
            break
    return found.pop() if len(found) == 1 else None


def _means(rows: list[Tensor], draws: int) -> list[tuple[float, Misconception]]:
    """What each mistake has as its mean, in place of the KL."""
    mu, logvar = (row[0].detach().double() for row in rows)
    wanted = float(kl_terms(mu, logvar).sum())
    z = mu + torch.exp(logvar / 2) * torch.randn(40_000, draws, len(mu), dtype=torch.float64, device=mu.device)
    ratio = (z.square() - (z - mu).square() / logvar.exp() - logvar) / 2
    total = ratio.sum(-1)
    if draws > 1:  # one draw has been found right: what is left is how the draws are put together
        near = [(wanted * draws, SUM_OVER_DRAWS), (wanted * draws / (draws - 1), ONE_DRAW_LESS)]
        for sign in (1, -1):  # of q / p, or of p / q
            near.append((sign * float(((sign * total).logsumexp(1) - math.log(draws)).mean()), LOG_OF_MEAN))
        why = BIASED._replace(says=BIASED.says.format("the median"))
        near += [(float(total.quantile(0.5, 1).mean()), why), (float(total.median(1).values.mean()), why)]
        return near
    near = [(-wanted, SIGN), (_forward(rows), FROM_PRIOR), (-_forward(rows), OTHER_WAY)]
    half = float(logvar.sum()) / 2
    near += [(wanted + half, NO_LOG_SIGMA), (wanted - half, WHOLE_LOGVAR), (wanted / math.log(2), BITS)]
    uniform = mu + torch.exp(logvar / 2) * torch.rand(40_000, len(mu), dtype=torch.float64, device=mu.device)
    terms = (uniform.square() - (uniform - mu).square() / logvar.exp() - logvar) / 2
    near.append((float(terms.sum(-1).mean()), UNIFORM))
    near.append((float((z.square().sum(-1).mean() + len(mu) * math.log(2 * math.pi)) / 2), NO_LOG_Q))
    near.append((-float((logvar + 1 + math.log(2 * math.pi)).sum() / 2), NO_LOG_P))
    near += [(wanted / len(mu), MEAN_OVER_D)] if len(mu) > 1 else []
    for name, s in {"exp(logvar)": logvar.exp(), "logvar": logvar, "1": torch.ones_like(mu)}.items():
        why = WRONG_SIGMA._replace(says=WRONG_SIGMA.says.format(name))
        right = logvar.exp()
        near.append((float((mu.square() + s.square() - 1 - 2 * s.abs().log()).sum() / 2), why))  # wrong everywhere
        near.append((float((mu.square() + s.square() - s.square() / right - logvar).sum() / 2), why))  # in the draw
        near.append((float((mu.square() + right - right / s.square() - 2 * s.abs().log()).sum() / 2), why))  # in log q
    changes = {"the square": torch.square, "the absolute value": torch.abs, "a clamp at 0": torch.relu}
    for name, change in changes.items():
        why = BIASED._replace(says=BIASED.says.format(name))
        near += [(float(each), why) for each in (change(ratio).sum(-1).mean(), change(total).mean())]
        near += [(float(change(total).mean() / 2), why), (float(change(total.mean(1)).mean()), why)]
        near += [(float(change(ratio).sum(-1).mean() / 2), why)]
    return near


def _require_rows_apart(task: str, kl_monte_carlo: Callable[..., Any], like: Tensor) -> None:
    """Rows at 0 and at 30 have KL 0 and 450, and an estimate from three draws has a standard deviation of 18 at most.

    The limits, 100 and 200, are more than five and fourteen of them away; at 0, where the mean of (z^2 - 1) / 2 is the
    widest usual form, more than a hundred.
    """
    mu = torch.tensor([[0.0], [30.0], [30.0], [0.0], [30.0]]).to(like).requires_grad_()
    logvar = torch.zeros_like(mu).detach()
    answer = require_tensor(task, ask(task, kl_monte_carlo, mu, logvar, 3, names=("mu", "logvar")), logvar, (5,))
    seen, far = answer.detach(), mu.detach()[:, 0] > 0
    if bool((seen[~far].abs() > 100).any()) or bool((seen[far] < 200).any()):
        with torch.no_grad():
            alone = ask(task, kl_monte_carlo, mu[far], logvar[far], 3, names=("mu", "logvar"))
        lowest = float(require_tensor(task, alone, logvar, (3,)).min())
        if lowest < 200:  # with no other image beside them
            fail(task, f"where the KL is 450, an estimate is {lowest:.3g}.", "Wanted about 450, give or take 20.")
        fail(task, "an image's estimate depends on other images.", "Wanted each from its own draws.", MIXED_ROWS)
    (slope,) = gradients(task, answer.sum(), (mu,)) if answer.requires_grad else (None,)
    if slope is not None and bool(((slope[far] - 30).abs() > 15).any()) and bool(slope[far].std() > 15):
        seen_slopes = "where the KL is large, its gradient for mu is all noise: it is not that of mu + sigma * eps."
        fail(task, seen_slopes, "Wanted the gradient through the draws.", NO_PATH)


def _mean_and_error(values: Tensor) -> tuple[float, float]:
    values = values.detach().double()
    return float(values.mean()), float(values.std() / len(values) ** 0.5)


def _forward(rows: list[Tensor]) -> float:
    """E under the prior of log q(z) - log p(z): minus the KL the other way round."""
    mu, logvar = (row[0].detach().double() for row in rows)
    return -float(((1 + mu.square()) * torch.exp(-logvar) - 1 + logvar).sum() / 2)
