"""What every sampler of z ~ N(mu, sigma^2) is held to: its gradient, its noise, its manners.

Any correct sampler has in common that per element dz/dmu = 1 and dz/dlogvar = (z - mu) / 2, whatever the noise was; and
that the noise itself, eps = (z - mu) / sigma, is independent N(0, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, NamedTuple, NoReturn

import torch
from torch import Tensor

from vae_lab.checks.compute_device import choose
from vae_lab.checks.instruments.noise import Finding, examine
from vae_lab.checks.instruments.projection import multiple
from vae_lab.checks.instruments.spread import name_floor, name_mistake, name_uniform
from vae_lab.checks.messages import (
    CheckFailed,
    GraphUsedUp,
    Misconception,
    ask,
    fail,
    require_tensor,
)

CUT = Misconception(
    "z has no way back to mu and logvar. Normal(mu, sigma).sample(), detach(), no_grad() and a trip through NumPy all "
    "cut the graph without an error; only the noise may come out of a random number generator.",
    "stochastic_nodes",
)
SILENT = Misconception(
    "a gradient arrives, but it is 0: torch.normal(mu, sigma) draws z itself, and the draw does not remember mu and "
    "sigma.",
    "stochastic_nodes",
)
NEW_LEAF = Misconception(
    "z is a new tensor with requires_grad set by hand: torch.tensor(...) and detach() copy numbers and forget where "
    "they come from.",
    "stochastic_nodes",
)
CUT_MU = Misconception("mu was detached on its way into z.", "gradient_paths")
CUT_SIGMA = Misconception(
    "sigma was detached on its way into z, so that the spread is never learned.", "gradient_paths"
)
HALF_LOST = Misconception(
    "the factor 1/2 is lost: sigma is exp(logvar / 2), and its derivative is sigma / 2.", "gradient_paths"
)
USED_UP = Misconception(
    "the function calls backward itself; that is for the training loop to do, once, with the loss.", "training"
)
NO_NOISE = Misconception("z is not random: eps is missing, or it is 0.", "reparameterization")
SHARED = {
    "dimension": Misconception(
        "one eps serves all dimensions of a row; the product is elementwise, one eps for each entry.",
        "gradient_paths",
    ),
    "row": Misconception("one eps serves several rows of the batch; every row needs its own.", "gradient_paths"),
    "call": Misconception(
        "the same noise comes back in every call: a fixed seed, or noise that is drawn once and kept.",
        "reparameterization",
    ),
    "draw": Misconception("the n draws share their noise; each draw needs its own eps.", "two_gradients"),
}
PARTLY_SHARED = Misconception(
    "some noise serves more than one entry of z; each needs an eps of its own.", "gradient_paths"
)
COMMON_SIZE = Misconception(
    "entries of z share a factor of their noise (a radius, a scale), and only the rest is drawn for each; without "
    "correlation they are not independent yet.",
    "two_gradients",
)
CANCELLING = Misconception(
    "noise that cancels is not independent: it stands beside its own negative, or its mean was taken off. Draw every "
    "eps anew, and leave it as it is.",
    "two_gradients",
)
NOT_NORMAL = Misconception(
    "eps has spread 1, but it is not normal (uniform, clamped and sign noise look like this): use torch.randn.",
    "reparameterization",
)
MIXED = Misconception(
    "a reshape has mixed up rows and draws: z[i, b] must be a draw for row b. Repeat along a new first axis.",
    "two_gradients",
)
SHORT = (torch.float16, torch.bfloat16)
RESEEDED = Misconception(
    "the function seeds the global generator, and with it everything else that the program draws.", "reparameterization"
)
SWITCHED_ON = Misconception(
    "requires_grad_() changes the caller's tensor; who wants a gradient has asked for it before the call.",
    "gradient_paths",
)


def device() -> torch.device:
    """Where the checks make their tensors: where the lab computes."""
    return choose()[0]


def make_inputs(batch: int, dim: int, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Some mu in [-2, 2] and logvar in [-3, 3], [B, D], every column of logvar at its own level.

    Example:
        >>> mu, logvar = make_inputs(48, 6, torch.float64)
        >>> mu.shape, logvar.dtype
        (torch.Size([48, 6]), torch.float64)
    """
    mu = torch.rand(batch, dim, dtype=dtype, device=device()) * 4 - 2
    level = torch.linspace(-2, 2, dim, dtype=dtype, device=device()) if dim > 1 else torch.ones_like(mu[0])
    return mu, level + torch.rand(batch, dim, dtype=dtype, device=device()) * 2 - 1


def require_gradient(task: str, z: Tensor, mu: Tensor, logvar: Tensor) -> None:
    """Require dz/dmu = 1 and dz/dlogvar = (z - mu) / 2, for each entry.

    Exact for every correct sampler and every noise, so there is no false alarm.

    Args:
        task: the name of the student's function.
        z: what it drew, [..., B, D].
        mu: the leaf that it was given, [B, D].
        logvar: the other leaf, [B, D].

    Raises:
        CheckFailed: if not.
    """
    if not z.requires_grad:
        fail(task, "z does not require a gradient although mu and logvar do.", "Wanted a path back to both.", CUT)
    weight = torch.randn_like(z)
    to_mu, to_logvar = gradients(task, (weight * z).sum(), (mu, logvar))
    draws = tuple(range(z.ndim - 2))
    wanted_mu = weight.sum(draws) if draws else weight
    through = (weight * (z - mu)).detach() / 2
    wanted_logvar = through.sum(draws) if draws else through
    dead_mu, dead_logvar = (g is None or not bool(g.any()) for g in (to_mu, to_logvar))
    if to_mu is None and to_logvar is None:
        fail(task, "z requires a gradient, but there is no path from it to mu or logvar.", "Wanted one.", NEW_LEAF)
    if dead_mu and dead_logvar:
        fail(task, "the gradient with respect to mu and logvar is 0.", "Wanted dz/dmu = 1.", SILENT)
    if dead_mu or to_mu is None:
        fail(task, "no gradient reaches mu.", "Wanted dz/dmu = 1.", CUT_MU)
    if dead_logvar or to_logvar is None:
        fail(task, "no gradient reaches logvar.", "Wanted dz/dlogvar = (z - mu) / 2.", CUT_SIGMA)
    if not _agree(to_mu, wanted_mu):
        times = multiple(to_mu, wanted_mu)
        fail(
            task,
            f"dz/dmu is not 1 everywhere; on average it is {times:.2g}.",
            "Wanted dz/dmu = 1: mu is added to the noise and nothing else.",
        )
    if not _agree(to_logvar, wanted_logvar):
        ratio = multiple(to_logvar, wanted_logvar)
        furthest = float((to_logvar - wanted_logvar).abs().max() / wanted_logvar.abs().max())
        doubled = abs(ratio - 2) < 0.05
        floor = None if draws else name_floor(z, mu, logvar, to_logvar / weight)
        seen = (
            f"dz/dlogvar is {ratio:.2f} times"
            if doubled
            else f"dz/dlogvar is up to {furthest:.2g} (relative) away from"
        )
        fail(task, f"{seen} what it should be.", "Wanted (z - mu) / 2.", HALF_LOST if doubled else floor)


def _agree(seen: Tensor, wanted: Tensor) -> bool:
    """Equal up to float32's rounding, in float64 too: who computes in float32 and casts back has a right gradient."""
    return torch.allclose(seen.double(), wanted.double(), rtol=1e-4, atol=1e-4)


def check_draws(
    task: str,
    sampler: Callable[..., Any],
    *,
    draws: Sequence[int],
    batch: int,
    dim: int,
    dtype: torch.dtype,
    calls: int,
) -> None:
    """Require of some calls that all they draw is independent noise, and of the first that the gradient is right.

    Args:
        task: the name of the student's function.
        sampler: called with mu and logvar [B, D], and n if there are n draws; returns z [*draws, B, D].
        draws: leading axes of z, () or (n,).
        batch: B.
        dim: D.
        dtype: of mu and logvar.
        calls: how often it is called.

    Raises:
        CheckFailed: if not. A right answer fails with a probability of at most 2.9e-7 (see `noise.examine`).
    """
    mu, logvar = make_inputs(batch, dim, dtype)
    leaves = mu.clone().requires_grad_(), logvar.clone().requires_grad_()
    z = [
        ask(task, sampler, *(leaves if call == 0 else (mu, logvar)), *draws, names=("mu", "logvar"))
        for call in range(calls)
    ]
    for each in z:
        require_tensor(task, each, mu, (*draws, batch, dim), "z")
    axes = ("call", *("draw" for _ in draws), "row", "dimension")
    check_noise(task, torch.stack([each.detach() for each in z]), axes, mu, logvar)
    require_gradient(task, z[0], *leaves)


def gradients(task: str, total: Tensor, leaves: Sequence[Tensor]) -> tuple[Tensor | None, ...]:
    """Derivatives of a scalar that the student's function led to; None where there is no path.

    Raises:
        CheckFailed: if the graph cannot be walked back.
    """
    try:
        return torch.autograd.grad(total, leaves, allow_unused=True)
    except RuntimeError as error:
        used_up = "second time" in str(error)
        reason = "the graph behind the result is used up" if used_up else "the graph behind the result is broken"
        wanted = "Wanted one that backward can walk."
        fail(task, f"{reason}.", wanted, USED_UP if used_up else None, GraphUsedUp if used_up else CheckFailed)


def check_noise(task: str, z: Tensor, axes: tuple[str, ...], mu: Tensor, logvar: Tensor) -> None:
    """Fail unless z [..., B, D] is made of independent N(0, 1) noise; say what it looks like instead."""
    eps = (z.double() - mu.double()) / torch.exp(logvar.double() / 2)
    finding = examine(eps, axes)
    frozen = len(z) > 1 and all(torch.equal(first, again) for first, again in pairwise(z))
    if frozen and finding is None:  # so few draws that chance could explain them, were they not all equal
        fail(task, "z is the same in every call.", "Wanted a new draw.", SHARED["call"])
    repeated = _repeated_elsewhere(eps)
    if finding is None:
        if repeated:
            _fail_repeated(task)
        return
    wanted = "Wanted spread sigma, mean mu and independent normal noise."
    if finding.kind == "not finite":
        fail(task, f"{finding.seen:.1%} of z is nan or infinite.", "Wanted finite numbers.")
    if float(eps.std()) < 1e-3:
        fail(task, f"z is always mu + {float(eps.mean()):.2f} sigma.", "Wanted a draw from N(mu, sigma^2).", NO_NOISE)
    for number, axis in enumerate(axes[:-2]):
        still = (eps.abs() < 1e-3).transpose(0, number).flatten(1).all(1)
        if bool(still.any()):
            fail(
                task,
                f"in {int(still.sum())} of {len(still)} along the axis '{axis}', z is mu itself.",
                "Wanted a draw in each.",
                NO_NOISE,
            )
    if finding.kind == "shared" and constant_along(eps, axes.index(finding.axis)):  # too few draws to say more of them
        _fail_shared(task, finding, SHARED[finding.axis])
    mistake = name_mistake(z, mu, logvar) or name_uniform(z, mu, logvar)
    if mistake is not None:
        fail(task, f"z looks like a draw from {mistake.formula}.", "Wanted N(mu, sigma^2).", mistake.misconception)
    if "draw" in axes and _mixed_up(z, axes, mu, logvar):
        fail(task, "rows and draws have changed places in z.", "Wanted z[i, b] from N(mu[b], sigma[b]^2).", MIXED)
    if bool((eps > -1e-3).all()):
        fail(task, "z is never below mu.", "Wanted noise of either sign.")
    if repeated:
        _fail_repeated(task)
    if finding.kind == "shared":
        _fail_shared(task, finding, {"call": None, "draw": SHARED["draw"]}.get(finding.axis, PARTLY_SHARED))
    if finding.kind == "cancelling":
        seen = f"noise along the axis '{finding.axis}' cancels: its sums have {finding.seen:.2f} times the variance"
        fail(task, seen + " of independent noise.", "Wanted independent noise.", CANCELLING)
    if finding.kind == "spread":
        finding = _heavy_or_light(eps, axes) or finding
    if finding.kind == "spread":
        fail(task, f"the spread of z is {finding.seen:.2f} times sigma. {_by_level(eps, logvar)}".strip(), wanted)
    if finding.kind == "mean":
        fail(task, f"the mean of z lies {finding.seen:.2f} sigma from mu.", wanted)
    if finding.kind == "sizes":
        beside = (
            f"along the axis '{finding.axis}', large eps = (z - mu) / sigma stand beside large ones, of either sign."
        )
        fail(task, beside, "Wanted independent noise.", COMMON_SIZE)
    fail(task, f"eps = (z - mu) / sigma is not normal ({_not_normal(finding)}).", wanted, NOT_NORMAL)


def _heavy_or_light(eps: Tensor, axes: tuple[str, ...]) -> Finding | None:
    """What else than normal the noise is, where its spread is off by chance: heavy tails leave it to a few draws."""
    columns = _spreads(eps)
    if bool(((columns - 1).abs() > 0.2).any()):
        return None
    finding = examine(eps / columns, axes)
    return finding if finding is not None and finding.kind in {"shape", "tails"} else None


def _mixed_up(z: Tensor, axes: tuple[str, ...], mu: Tensor, logvar: Tensor) -> bool:
    """Whether all is well once the draws are taken in the other order: [B, n] in place of [n, B], or cut like that."""
    draws, batch = z.shape[1:3]
    if min(draws, batch) < 2:
        return False
    others = z.flatten(1, 2).unflatten(1, (batch, draws)).transpose(1, 2), z.transpose(1, 2).reshape(z.shape)
    noises = ((other.double() - mu.double()) / torch.exp(logvar.double() / 2) for other in others)
    return any(examine(eps, axes) is None for eps in noises)


def _spreads(eps: Tensor) -> Tensor:
    """How far eps is spread in each dimension, [D]."""
    return eps.flatten(0, -2).square().mean(0).sqrt()


def _by_level(eps: Tensor, logvar: Tensor) -> str:
    """How many times too wide the draws are where logvar is small and where it is large, if that differs."""
    columns = _spreads(eps)
    low, high = (float(columns[place]) for place in (logvar.mean(0).argmin(), logvar.mean(0).argmax()))
    if len(columns) < 2 or abs(low - high) < 0.2 * max(low, high):
        return ""
    return f"In the column with the smallest logvar it is {low:.2f} times, in that with the largest {high:.2f} times."


def _repeated_elsewhere(eps: Tensor) -> bool:
    """Whether many numbers come again, up to rounding, in another row or dimension than before.

    Of a thousand independent numbers, some 2 % have another so near, and never 30 %. What comes again in the same row
    and dimension is shared by calls or draws, which has a name of its own; numbers drawn in 16 bits come again, too.
    """
    ordered, places = eps.flatten().sort()
    near = ordered.diff() < 0.05 / len(ordered)
    if len(ordered) < 1000 or not 0.3 < float(near.double().mean()) < 0.99:  # a die of few faces is another mistake
        return False
    if any(torch.allclose(ordered, ordered.to(short).double(), rtol=1e-4, atol=1e-4) for short in SHORT):
        return False
    entries = places % (eps.shape[-1] * eps.shape[-2])
    return float((entries[:-1] != entries[1:])[near].double().mean()) > 0.5


def _fail_repeated(task: str) -> NoReturn:
    seen = "many of the numbers eps = (z - mu) / sigma come more than once."
    fail(task, seen, "Wanted a new one in each place.", PARTLY_SHARED)


def constant_along(eps: Tensor, axis: int) -> bool:
    """Whether the noise varies along an axis by next to nothing of what it varies by in all."""
    return float(eps.var(axis).mean()) < 0.05 * float(eps.var())


def _fail_shared(task: str, finding: Finding, mistake: Misconception | None) -> NoReturn:
    seen = f"sums of eps = (z - mu) / sigma along the axis '{finding.axis}' have {finding.seen:.1f} times the variance"
    fail(task, seen + " of independent noise.", "Wanted independent noise.", mistake)


def check_manners(task: str, sampler: Callable[..., Any], dtype: torch.dtype = torch.float32) -> None:
    """Require that the function leaves its inputs and the global generator as a caller expects.

    It may draw from the global generator; it may not seed it. What is wrong at ordinary numbers already (another shape
    or dtype, the same noise in each call) has cost its points, and is not held against an answer here again. No
    statistics: a right answer always passes.

    Args:
        task: the name of the student's function.
        sampler: the student's function.
        dtype: of mu and logvar.

    Raises:
        CheckFailed: if not.
    """
    mu, logvar = make_inputs(7, 3, dtype)
    kept = torch.get_rng_state()
    began, after, z = [], [], []
    try:
        for seed in (1, 2, 1):  # where the generator ends must follow from where it began, and from nothing else
            torch.manual_seed(seed)
            began.append(torch.get_rng_state())
            given = mu.clone(), logvar.clone()
            z.append(ask(task, sampler, *given, names=("mu", "logvar")))
            after.append(torch.get_rng_state())
            if any(tensor.requires_grad for tensor in given):
                seen = "mu or logvar asks for a gradient after the call, and did not before."
                fail(task, seen, "Wanted them left alone.", SWITCHED_ON)
    finally:
        torch.set_rng_state(kept)
    if not torch.is_grad_enabled():
        with torch.enable_grad():
            drawn = ordinary(sampler, dtype=dtype).spread
        if drawn and not ordinary(sampler, dtype=dtype).spread:
            fail(task, "under torch.no_grad(), z does not have the spread sigma.", "Wanted a draw, there as well.")
    frozen = isinstance(z[0], Tensor) and isinstance(z[1], Tensor) and torch.equal(z[0], z[1])
    if not frozen and ordinary(sampler, dtype=dtype).other_form:
        return
    for each in z:
        require_tensor(task, each, mu, (7, 3), "z")
    if frozen:
        return
    idle = any(torch.equal(old, new) for old, new in zip(began, after, strict=True))  # noise kept in store is no crime
    if torch.equal(after[0], after[1]) or not (idle or torch.equal(after[0], after[2])):
        fail(task, "a call puts torch's global generator where it wants it.", "Wanted no seed.", RESEEDED)


class Ordinary(NamedTuple):
    """What holds of a sampler at ordinary numbers.

    Args:
        other_form: whether z is made of finite numbers, in a shape or a dtype that is not the wanted one.
        spread: whether the spread of z is about sigma.
        gradient: whether dz/dlogvar is (z - mu) / 2.
        floor: whether a small number that was added shows in the gradient here already.
    """

    other_form: bool
    spread: bool
    gradient: bool
    floor: bool = False


def ordinary(sampler: Callable[..., Any], draws: tuple[int, ...] = (), dtype: torch.dtype = torch.float32) -> Ordinary:
    """Try a sampler at mu = 0 and logvar between -3 and 3, so that a slip there is not held against it again.

    Nothing is judged here: of 400 draws of eps, the variance is outside of [1/2, 2] with probability below 1e-15.

    Args:
        sampler: called with mu and logvar [B, D]; returns z [*draws, B, D].
        draws: leading axes of z.
        dtype: of mu and logvar.

    Example:
        >>> ordinary(lambda mu, logvar: mu + torch.exp(logvar) * torch.randn_like(mu))
        Ordinary(other_form=False, spread=False, gradient=False, floor=False)
    """
    mu = torch.zeros(400, 5, dtype=dtype, device=device())
    logvar = torch.linspace(-3, 3, 5, dtype=dtype, device=device()).repeat(400, 1).requires_grad_()
    other_form = spread = gradient = floor = False
    with suppress(Exception):
        z = sampler(mu, logvar)
        wanted = z.shape == (*draws, 400, 5) and z.dtype == dtype
        other_form = not wanted and bool(torch.isfinite(z).all())
        eps = (z.detach() / torch.exp(logvar.detach() / 2)).double().flatten(0, -2)
        square = eps.var(0)  # one eps for all rows has none, whatever its size
        spread = bool(((square > 0.5) & (square < 2)).all())
        (slope,) = torch.autograd.grad(z.sum(), (logvar,), allow_unused=True) if z.requires_grad else (None,)
        through = z.detach().sum(tuple(range(len(draws)))) / 2 if draws else z.detach() / 2
        gradient = slope is not None and _agree(slope, through)
        floor = not gradient and slope is not None and name_floor(z, mu, logvar, slope) is not None
    return Ordinary(other_form, spread, gradient, floor)


def _not_normal(finding: Finding) -> str:
    low, high = finding.wanted
    if finding.kind == "shape":
        return f"its distribution function is {finding.seen:.3f} away from N(0, 1)'s; chance explains up to {high:.3f}"
    return f"a share of {finding.seen:.4f} lies in the tails, N(0, 1) has {low:.4f} to {high:.4f} there"


def is_close(seen: Tensor, wanted: Tensor) -> bool:
    """Compare up to rounding: a thousand times the resolution of the seen dtype, relative to the value and to 1."""
    slack = 1000 * torch.finfo(seen.dtype).eps
    return torch.allclose(seen.detach().double(), wanted.detach().double(), rtol=slack, atol=slack)
