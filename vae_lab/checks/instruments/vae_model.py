"""Check a VAE as a class: what encode, decode and forward return, how forward samples, and where its gradient goes.

How forward samples is seen from outside: for thousands of copies of one image, its logits must be distributed as
decode(mu + exp(logvar / 2) * eps) is for noise of the check's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.sampler import CUT, CUT_MU, CUT_SIGMA, NO_NOISE, SHARED, device, gradients, is_close
from vae_lab.checks.instruments.spread import UNIFORM, VARIANCE_FOR_SIGMA
from vae_lab.checks.instruments.statistics import ALPHA
from vae_lab.checks.messages import Misconception, ask, fail, require_tensor

PIXELS = 784
COPIES = 800

NOT_A_MODULE = Misconception(
    "a model is a subclass of torch.nn.Module whose __init__ begins with super().__init__().", "labs"
)
HIDDEN_LAYERS = Misconception(
    "parameters() does not see layers in a plain list or dictionary, and no optimizer will move them: use "
    "torch.nn.Sequential or torch.nn.ModuleList.",
    "training",
)
ENCODER_DRAWS = Misconception(
    "the encoder is deterministic: it puts out mu and logvar; the draw comes after it (minute 5:48).", "gradient_paths"
)
POSITIVE_LOGVAR = Misconception(
    "logvar is a logarithm and goes below 0: no ReLU, softplus, exp or abs after the last layer.", "notation"
)
HEAD = Misconception(
    "an encoder may have to say any mu and any logvar: no tanh, ReLU, softplus or clamp after the last layer.",
    "notation",
)
ONE_HEAD = Misconception("mu and logvar need a layer each, or one of twice the width.", "training")
DECODER_SIGMOID = Misconception("decode puts out logits, any real numbers; sigmoid comes later.", "notation")
SPREAD_ONE = Misconception("logvar is not used in the draw: the spread of z is 1.", "reparameterization")
EVAL_MEAN = Misconception(
    "z is drawn in training mode only; forward draws in training and in evaluation mode alike.", "reparameterization"
)
KEPT_NOISE = Misconception(
    "the same noise serves every image in every call: it was drawn once, in __init__ or outside of the class.",
    "reparameterization",
)
TIMES = tuple(1.3**power for power in range(-12, 13) if power)
SAME_START = Misconception(
    "each new model starts from weights of its own: no seed in __init__, no layers that all models share, no constant "
    "that every weight is set to.",
    "training",
)


class LittleVAE(torch.nn.Module):
    """A right answer to the task, for a loop whose student's own model is not right yet.

    Example:
        >>> [tuple(part.shape) for part in LittleVAE(4, 16)(torch.rand(2, PIXELS))]
        [(2, 784), (2, 4), (2, 4)]
    """

    to_be_trained = True

    def __init__(self, latent_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.hidden, self.head = torch.nn.Linear(PIXELS, hidden_dim), torch.nn.Linear(hidden_dim, 2 * latent_dim)
        self.inner, self.outer = torch.nn.Linear(latent_dim, hidden_dim), torch.nn.Linear(hidden_dim, PIXELS)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Stay as it is."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map images to mu and logvar, [B, D]."""
        mu, logvar = self.head(torch.relu(self.hidden(x))).chunk(2, dim=-1)
        return mu, logvar

    def decode(self, z: Tensor) -> Tensor:
        """Map latents to logits of the pixels."""
        logits: Tensor = self.outer(torch.relu(self.inner(z)))
        return logits

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Encode, draw, decode: (logits, mu, logvar)."""
        mu, logvar = self.encode(x)
        return self.decode(mu + torch.exp(logvar / 2) * torch.randn_like(mu)), mu, logvar


def check_vae(vae: Callable[..., Any], latent_dim: int = 3, hidden_dim: int = 16) -> None:
    """Require a torch module whose encode, decode and forward do what the text says.

    Args:
        vae: the student's class.
        latent_dim: D.
        hidden_dim: width of the hidden layers.

    Raises:
        CheckFailed: if not. A right answer fails with a probability of at most 2e-8 (two comparisons of distributions,
            with false-alarm probability 1e-8 each).
    """
    task = "VAE"
    model = ask(task, vae, latent_dim, hidden_dim)
    if not isinstance(model, torch.nn.Module):
        fail(task, f"VAE({latent_dim}, {hidden_dim}) is no torch.nn.Module.", "Wanted one.", NOT_A_MODULE)
    if not list(model.parameters()):
        fail(task, "the model has no parameters.", "Wanted layers kept on self.", NOT_A_MODULE)
    if ask(task, lambda: model.latent_dim) != latent_dim:
        fail(task, "model.latent_dim is not what VAE was given.", "Wanted it kept.")
    _stir(model.to(device()))
    for mode in ("train", "eval"):
        getattr(model, mode)()
        _check_shapes(task, model, latent_dim, 5)
        _check_shapes(task, model, latent_dim, 2)
    _check_shapes(task, model, latent_dim, 1)
    others = [ask(task, vae, latent_dim, hidden_dim) for _ in range(4)]
    _check_start(task, *others[:2])
    _check_own_weights(task, vae, latent_dim, hidden_dim)
    _check_encoder(task, model, latent_dim)
    shaken = [_shaken(other.to(device()).eval()) for other in others]
    _check_heads(task, shaken)
    _check_decoder(task, model, shaken[0], latent_dim)
    _check_draw(task, model, latent_dim)
    _check_gradient(task, model)


def _stir(model: Any) -> Any:
    """Move weight matrices that are all 0, as the first step of training would.

    To begin a layer at 0 (so that sigma is 1 for every image, or a block does nothing yet) is a way to begin, and no
    mistake; but no other weight's part in the model shows behind it.
    """
    for weight in model.parameters():
        if weight.ndim > 1 and weight.requires_grad and not bool(weight.detach().any()):
            with torch.no_grad():
                weight.copy_(torch.randn_like(weight) * (weight[0].numel() ** -0.5))
    return model


def _shaken(model: Any) -> Any:
    """A model whose every weight is moved at random, far enough that its last layers give numbers of either sign.

    What a model begins with (small weights, a bias at -6) is its own affair; what no weights can change, such as a
    sigmoid behind the last layer, is not.
    """
    for weight in model.parameters():
        if weight.requires_grad:
            fan = weight[0].numel() if weight.ndim > 1 else 1
            with torch.no_grad():
                weight.copy_(weight.detach() + torch.randn_like(weight) * (3 * fan**-0.5))
    return model


def _check_shapes(task: str, model: Any, latent_dim: int, batch: int) -> None:
    x, z = torch.rand(batch, PIXELS, device=device()), torch.randn(batch, latent_dim, device=device())
    code = _parts(f"{task}.encode", ask(f"{task}.encode", model.encode, x, names=("x",)), ("mu", "logvar"))
    for name, tensor in zip(("mu", "logvar"), code, strict=True):
        require_tensor(f"{task}.encode", tensor, x, (batch, latent_dim), name)
    require_tensor(f"{task}.decode", ask(f"{task}.decode", model.decode, z, names=("z",)), x, (batch, PIXELS), "logits")
    logits, *code = _parts(
        f"{task}.forward", ask(f"{task}.forward", model, x, names=("x",)), ("logits", "mu", "logvar")
    )
    require_tensor(f"{task}.forward", logits, x, (batch, PIXELS), "logits")
    for name, tensor in zip(("mu", "logvar"), code, strict=True):
        require_tensor(f"{task}.forward", tensor, x, (batch, latent_dim), name)


def _check_start(task: str, model: Any, other: Any) -> None:
    """Two new models differ."""
    if all(torch.equal(p.cpu(), q.cpu()) for p, q in zip(model.parameters(), other.parameters(), strict=False)):
        fail(task, "two new models have the very same weights.", "Wanted new ones in each.", SAME_START)


def _check_own_weights(task: str, vae: Callable[..., Any], latent_dim: int, hidden_dim: int) -> None:
    """No weight of a model moves with another model's."""
    model, other = (ask(task, vae, latent_dim, hidden_dim) for _ in range(2))
    before = [weight.detach().clone() for weight in other.parameters()]
    _shaken(model)
    if not all(torch.equal(weight.detach(), was) for weight, was in zip(other.parameters(), before, strict=True)):
        fail(task, "a weight of one model moves with another model's.", "Wanted weights of its own.", SAME_START)


def _check_encoder(task: str, model: Any, latent_dim: int) -> None:
    """Evaluation mode: one and the same for the same x, each row for itself."""
    x = 10 * torch.randn(200, PIXELS, device=device())
    mu, logvar = (t.detach() for t in model.encode(x))
    again = [t.detach() for t in model.encode(x)]
    if not (is_close(mu, again[0]) and is_close(logvar, again[1])):
        fail(task, "encode gives something else in the next call.", "Wanted the same.", ENCODER_DRAWS)
    alone = [t.detach() for t in model.encode(x[7:9])]
    if not (_near(mu[7:9], alone[0]) and _near(logvar[7:9], alone[1])):
        fail(task, "the code of an image depends on the rest of the batch.", "Wanted each row for itself.")
    if is_close(mu, logvar):
        fail(task, "mu and logvar are the same tensor.", "Wanted two.", ONE_HEAD)
    for name, part in (("mu", mu), ("logvar", logvar)):
        if float(part.std(0).max()) == 0:
            fail(task, f"{name} does not depend on the image.", "Wanted mu and logvar computed from x.")
    named = _parts(task, model(x), ("logits", "mu", "logvar"))
    if not (_near(named[1].detach(), mu) and _near(named[2].detach(), logvar)):
        fail(task, "mu and logvar of forward are not those of encode.", "Wanted (logits, mu, logvar), in this order.")


def _check_heads(task: str, models: Sequence[Any]) -> None:
    """Mu and logvar go as far as the images do, to both sides.

    Of models of the same class with weights moved at random, on images far out: where all of a head's numbers have one
    sign, in every model, or many of them are one and the same number, or an image's numbers have one length, there is a
    function behind the last layer that holds them. (A hidden layer that saturates gives other numbers in each dimension
    and each model.)
    """
    x = 1e4 * torch.randn(100, PIXELS, device=device())
    codes = [[t.detach() for t in model.encode(x)] for model in models]
    for name, parts in zip(("mu", "logvar"), zip(*codes, strict=True), strict=True):
        code = torch.cat([part.flatten() for part in parts])
        low, high = float(code.min()), float(code.max())
        for edge, word in ((high, "above"), (low, "below")):
            same = float(torch.isclose(code, torch.full_like(code, edge), rtol=1e-5, atol=1e-6).double().mean())
            held = same > 0.15 and math.isfinite(edge)
            if held or (high <= 0 if word == "above" else low >= 0):
                seen = f"{name} is never {word} {edge if held else 0.0:.3g}."
                fail(task, seen, "Wanted any real numbers.", _head(name, low, high))
        lengths = torch.cat([part.double().norm(dim=1) for part in parts])
        if parts[0].shape[1] > 1 and float(lengths.std()) < 1e-3 * float(lengths.mean()):
            seen = f"{name} has the length {float(lengths.mean()):.3g} for every image."
            fail(task, seen, "Wanted any real numbers.", HEAD)


def _head(name: str, low: float, high: float) -> Misconception:
    """What holds a head, as far as its ends tell."""
    if abs(low + 1) < 1e-4 and abs(high - 1) < 1e-4:
        return HEAD._replace(says=f"{name} ends at -1 and 1, as tanh does: nothing comes after the last layer.")
    if abs(low) < 1e-4 and abs(high - 1) < 1e-4:
        return HEAD._replace(says=f"{name} ends at 0 and 1, as sigmoid does: nothing comes after the last layer.")
    return POSITIVE_LOGVAR if name == "logvar" and low >= 0 else HEAD


def _check_decoder(task: str, model: Any, shaken: Any, latent_dim: int) -> None:
    """Any real numbers, one and the same for the same z; the limits are looked for in a model of moved weights."""
    z = 30 * torch.randn(200, latent_dim, device=device())
    logits = model.decode(z).detach()
    if not is_close(logits, model.decode(z).detach()):
        fail(task, "decode gives something else in the next call.", "Wanted no noise behind z.")
    far = shaken.decode(z).detach()
    if bool((far >= 0).all()) or bool((far <= 0).all()) or float(far.abs().max()) <= 1:
        low, high = float(far.min()), float(far.max())
        fail(task, f"decode stays between {low:.2g} and {high:.2g}.", "Wanted logits.", DECODER_SIGMOID)
    if float(logits.std(0).max()) == 0:
        fail(task, "the logits do not depend on z.", "Wanted decode to use z.")


def _spread_out(model: Any, x: Tensor) -> Tensor:
    """The images, scaled such that their largest logvar comes nearest to 3, so that sigma and sigma^2 differ.

    An encoder bends: a step towards 3 may lead far below 0, where a draw shows no more. So the nearest is kept.
    """
    nearest, least = x, math.inf
    for scale in (sign * 4.0**power for power in range(11) for sign in (1, -1)):
        tried = x * scale
        for _ in range(2):
            peak = float(model.encode(tried)[1].detach().max())
            if abs(peak - 3) < least:
                nearest, least = tried, abs(peak - 3)
            if least < 0.5:
                return nearest
            if not 1 < peak < 30:
                break
            tried = tried * (3 / peak)
    return nearest


def _check_draw(task: str, model: Any, latent_dim: int) -> None:
    """The logits of forward against those of our own draws, for an image whose logvar is large."""
    x = _spread_out(model, torch.rand(64, PIXELS, device=device()))
    row = int(model.encode(x)[1].detach().max(1).values.argmax())
    mu, logvar = (t.detach()[row] for t in model.encode(x))
    copies = x[row].repeat(COPIES, 1)
    first = _parts(task, model(copies), ("logits", "mu", "logvar"))[0].detach()
    again = _parts(task, model(copies), ("logits", "mu", "logvar"))[0].detach()
    if is_close(first, again):
        constant = is_close(first, first[:1].expand_as(first))
        kept = constant and not is_close(first[:1], model.decode(mu[None]).detach())
        still = EVAL_MEAN if _draws_in_training(model, copies) else KEPT_NOISE if kept else NO_NOISE
        why = still if constant else SHARED["call"]
        fail(task, "in evaluation mode, forward gives the same logits twice.", "Wanted a new draw of z.", why)
    if is_close(first, first[:1].expand_as(first)):
        fail(task, "all rows of a batch of equal images have equal logits.", "Wanted a draw each.", SHARED["row"])
    eps = torch.randn(COPIES, latent_dim, device=device())
    sigma = torch.exp(logvar / 2)

    limit = math.sqrt(math.log(2.2 / ALPHA) / COPIES)

    def apart(z: Tensor) -> bool:
        return _distance(first, model.decode(z).detach()) > limit

    if apart(mu + sigma * eps):
        guesses = [
            (mu + sigma.square() * eps, VARIANCE_FOR_SIGMA),
            (mu + eps, SPREAD_ONE),
            (mu + sigma * torch.rand_like(eps), UNIFORM),
            (mu + sigma * eps[:, :1], SHARED["dimension"]),
        ]
        mistake = next((why for z, why in guesses if not apart(z)), None)
        if mistake is not None:
            fail(task, "forward decodes z from another distribution than N(mu, sigma^2).", "Wanted that.", mistake)
        if _distance(first, torch.sigmoid(model.decode(mu + sigma * eps)).detach()) <= limit:
            fail(task, "forward gives sigmoid(decode(z)).", "Wanted decode(z), the logits.", DECODER_SIGMOID)
        times = next((c for c in TIMES if not apart(mu + c * sigma * eps)), None)
        seen = "forward's logits are not distributed as decode(z) is for z from N(mu, sigma^2)."
        seen += "" if times is None else f" They are as for about {times:.2g} times the spread."
        fail(task, seen, "Wanted decode(z), as it is, of such a z.")
    _check_apart(task, first, *(model.decode(mu + sigma * e).detach() for e in (eps, eps[:, :1].expand_as(eps))))


def _check_apart(task: str, seen: Tensor, right: Tensor, shared: Tensor) -> None:
    """Independent noise fills a space; noise that dimensions or rows share puts draws on a line, or in one place.

    A right answer's median distance to the nearest other draw is that of our own up to a few per cent of 800 draws.

    Args:
        task: the name of the student's class.
        seen: logits of forward for copies of one image.
        right: of noise of our own.
        shared: of noise that has one number for all dimensions.
    """
    theirs, ours = _nearest(seen), _nearest(right)
    if theirs > 0.5 * ours:
        return
    line = 0.5 < theirs / max(_nearest(shared), 1e-12) < 2
    why = SHARED["row"] if theirs < 1e-4 * ours else SHARED["dimension"] if line else None
    fail(task, "forward's draws lie closer together than independent noise puts them.", "Wanted such noise.", why)


def _nearest(rows: Tensor) -> float:
    """The median distance from a row to the nearest other one."""
    rows = (rows - rows.mean(0)).double()
    distance = torch.cdist(rows, rows, compute_mode="use_mm_for_euclid_dist")
    return float(distance.fill_diagonal_(math.inf).min(1).values.median())


def _draws_in_training(model: Any, x: Tensor) -> bool:
    """Whether forward draws in training mode, and nothing else there does."""
    model.train()
    try:
        codes = [model.encode(x)[0].detach() for _ in range(2)]
        images = [model.decode(codes[0]).detach() for _ in range(2)]
        logits = [_parts("VAE", model(x), ("logits", "mu", "logvar"))[0].detach() for _ in range(2)]
    finally:
        model.eval()
    return is_close(*codes) and is_close(*images) and not is_close(*logits)


def _check_gradient(task: str, model: Any) -> None:
    """The logits alone must send a gradient to all that computes mu and logvar."""
    x = torch.rand(16, PIXELS, device=device())
    named = list(model.named_parameters())
    weights = [p for _, p in named]
    logits = _parts(task, model(x), ("logits", "mu", "logvar"))[0]
    if not logits.requires_grad:
        fail(task, "the logits do not require a gradient.", "Wanted a graph behind them.", CUT)
    to_mu = gradients(task, model.encode(x)[0].square().sum(), weights)
    to_logvar = gradients(task, model.encode(x)[1].square().sum(), weights)
    back = gradients(task, logits.square().sum(), weights)
    behind_mu = [i for i, g in enumerate(to_mu) if _alive(g)]
    behind_logvar = [i for i, g in enumerate(to_logvar) if _alive(g)]
    for what, behind in (("mu", behind_mu), ("logvar", behind_logvar)):
        if not behind:
            fail(
                task,
                f"no parameter of the model is behind {what}.",
                "Wanted layers that training finds.",
                HIDDEN_LAYERS,
            )
    to_decoder = gradients(
        task, model.decode(torch.randn(4, model.latent_dim, device=device())).square().sum(), weights
    )
    if not any(_alive(g) for g in to_decoder):
        fail(task, "no parameter of the model is behind decode.", "Wanted layers that training finds.", HIDDEN_LAYERS)
    silent = {i for i in behind_mu + behind_logvar if not _alive(back[i])}
    if not silent:
        return
    names = ", ".join(named[i][0] for i in sorted(silent)[:3])
    all_of_mu, all_of_logvar = silent >= set(behind_mu), silent >= set(behind_logvar)
    only_mu = not all_of_logvar and silent == set(behind_mu) - set(behind_logvar)
    only_logvar = not all_of_mu and silent == set(behind_logvar) - set(behind_mu)
    mistake = CUT_MU if only_mu else CUT_SIGMA if only_logvar else CUT
    fail(task, f"the logits send no gradient to the encoder's {names}.", "Wanted a path through z.", mistake)


def _parts(task: str, value: Any, names: Sequence[str]) -> list[Any]:
    if not isinstance(value, tuple | list) or len(value) != len(names):
        size = f" of {len(value)}" if isinstance(value, tuple | list) else ""
        fail(task, f"the result is a {type(value).__name__}{size}.", f"Wanted ({', '.join(names)}).")
    return list(value)


def _alive(gradient: Tensor | None) -> bool:
    return gradient is not None and bool(gradient.any())


def _near(a: Tensor, b: Tensor) -> bool:
    """Equal up to the rounding of matrix products of different sizes."""
    return torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))


def _distance(a: Tensor, b: Tensor) -> float:
    """The larger two-sample Kolmogorov distance of two projections of the rows.

    P(distance > t) <= 2.2 exp(-n t^2) for two samples of n each (Wei & Dudley 2012).
    """
    centre, direction = b.mean(0), torch.randn(b.shape[1], dtype=b.dtype, device=b.device)
    found = 0.0
    for project in (lambda rows: (rows - centre).norm(dim=1), lambda rows: rows @ direction):
        ours, theirs = project(a).sort().values, project(b).sort().values
        points = torch.cat([ours, theirs])
        share = [torch.searchsorted(s, points, right=True).double() / len(s) for s in (ours, theirs)]
        found = max(found, float((share[0] - share[1]).abs().max()))
    return found
