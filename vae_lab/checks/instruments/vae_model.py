"""Check a VAE as a class: what encode, decode and forward return.

How forward samples is looked at in `vae_draw.py`, where the gradient goes in `vae_gradient.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.probe import PIXELS
from vae_lab.checks.instruments.sampler import device, gradients, is_close
from vae_lab.checks.instruments.vae_draw import DECODER_SIGMOID, check_draw, check_noise_of_one
from vae_lab.checks.instruments.vae_gradient import check_gradient
from vae_lab.checks.messages import Misconception, ask, fail, require_parts, require_tensor

NOT_A_MODULE = Misconception(
    "a model is a subclass of torch.nn.Module whose __init__ begins with super().__init__().", "labs"
)
ENCODER_DRAWS = Misconception(
    "the encoder is deterministic: it puts out mu and logvar; the draw comes after it (minute 5:48).", "gradient_paths"
)
POSITIVE_LOGVAR = Misconception(
    "logvar is a logarithm and goes below 0: no ReLU, softplus, exp or abs after the last layer.", "notation"
)
HEAD = Misconception(
    "an encoder may have to say any mu and any logvar: no tanh, ReLU, softplus, normalisation or clamp after the "
    "last layer.",
    "notation",
)
KEPT = Misconception(
    "the decoder sees what encode left on self: without an encoder, nothing could be generated.", "generation"
)
CEILING = 12.0
"""A logit that is held at this or further out is 0 or 1 for sure: who mixes probabilities has to stop somewhere."""
HELD = Misconception(
    "logits are any real numbers: no tanh, clamp, or logit of a clamped probability after the last layer.", "notation"
)
ONE_HEAD = Misconception("mu and logvar need a layer each, or one of twice the width.", "training")
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
    shaken = _shaken_apart(task, [other.to(device()).eval() for other in others])
    _check_encoder(task, model, latent_dim)
    _check_heads(task, shaken)
    _check_batches(task, shaken)
    _check_decoder(task, model, shaken, latent_dim)
    check_draw(task, model, latent_dim)
    check_gradient(task, model)
    if latent_dim == 1:
        check_noise_of_one(task, model)


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
    code = require_parts(f"{task}.encode", ask(f"{task}.encode", model.encode, x, names=("x",)), ("mu", "logvar"))
    for name, tensor in zip(("mu", "logvar"), code, strict=True):
        require_tensor(f"{task}.encode", tensor, x, (batch, latent_dim), name)
    require_tensor(f"{task}.decode", ask(f"{task}.decode", model.decode, z, names=("z",)), x, (batch, PIXELS), "logits")
    logits, *code = require_parts(
        f"{task}.forward", ask(f"{task}.forward", model, x, names=("x",)), ("logits", "mu", "logvar")
    )
    require_tensor(f"{task}.forward", logits, x, (batch, PIXELS), "logits")
    for name, tensor in zip(("mu", "logvar"), code, strict=True):
        require_tensor(f"{task}.forward", tensor, x, (batch, latent_dim), name)


def _check_start(task: str, model: Any, other: Any) -> None:
    """Two new models differ."""
    if all(torch.equal(p.cpu(), q.cpu()) for p, q in zip(model.parameters(), other.parameters(), strict=False)):
        fail(task, "two new models have the very same weights.", "Wanted new ones in each.", SAME_START)


def _shaken_apart(task: str, models: Sequence[Any]) -> list[Any]:
    """The models with weights moved at random; none of the last one's moves with another model's."""
    *others, last = models
    before = [weight.detach().clone() for weight in last.parameters()]
    shaken = [_shaken(model) for model in others]
    if not all(torch.equal(weight.detach(), was) for weight, was in zip(last.parameters(), before, strict=True)):
        fail(task, "a weight of one model moves with another model's.", "Wanted weights of its own.", SAME_START)
    return [*shaken, _shaken(last)]


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
    named = require_parts(task, model(x), ("logits", "mu", "logvar"))
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


def _check_batches(task: str, models: Sequence[Any]) -> None:
    """No head is normalised over the batch: whatever the weights, the mean would be 0 and the spread 1 in training."""
    x = 1e4 * torch.randn(100, PIXELS, device=device())
    with torch.no_grad():
        codes = [model.train().encode(x) for model in models]
    for model in models:
        model.eval()
    for name, parts in zip(("mu", "logvar"), zip(*codes, strict=True), strict=True):
        code = torch.stack(parts).double()
        if float(code.mean(1).abs().max()) < 1e-3 and float((code.std(1, correction=0) - 1).abs().max()) < 1e-3:
            seen = f"in training mode, {name} has mean 0 and spread 1 over every batch."
            fail(task, seen, "Wanted any real numbers.", HEAD)


def _head(name: str, low: float, high: float) -> Misconception:
    """What holds a head, as far as its ends tell."""
    if abs(low + 1) < 1e-4 and abs(high - 1) < 1e-4:
        return HEAD._replace(says=f"{name} ends at -1 and 1, as tanh does: nothing comes after the last layer.")
    if abs(low) < 1e-4 and abs(high - 1) < 1e-4:
        return HEAD._replace(says=f"{name} ends at 0 and 1, as sigmoid does: nothing comes after the last layer.")
    return POSITIVE_LOGVAR if name == "logvar" and low >= 0 else HEAD


def _check_decoder(task: str, model: Any, shaken: Sequence[Any], latent_dim: int) -> None:
    """Any real numbers, one and the same for the same z; the limits are looked for in models of moved weights."""
    z = 30 * torch.randn(200, latent_dim, device=device())
    logits = model.decode(z).detach()
    if not is_close(logits, model.decode(z).detach()):
        fail(task, "decode gives something else in the next call.", "Wanted no noise behind z.")
    for x in torch.randn(2, len(z), PIXELS, device=device()):
        model.encode(10 * x)
        if not is_close(logits, model.decode(z).detach()):
            fail(
                task,
                "decode gives other logits for the same z after a call of encode.",
                "Wanted z alone to count.",
                KEPT,
            )
    far = torch.stack([other.decode(z).detach() for other in shaken])
    low, high = float(far.min()), float(far.max())
    if low >= 0 or high <= 0 or max(-low, high) <= 1:
        one_sided = low >= 0 or high <= 0
        if not _can_leave(shaken[0], z, (0.0, 0.0) if one_sided else (-1.0, 1.0), up=high <= 0 or not one_sided):
            fail(task, f"decode stays between {low:.2g} and {high:.2g}.", "Wanted logits.", DECODER_SIGMOID)
    for edge, word in ((high, "above"), (low, "below")):
        held = torch.isclose(far, torch.full_like(far, edge), rtol=1e-5, atol=1e-6).flatten(1).double().mean(1)
        if abs(edge) < CEILING and bool((held > 0.02).all()):
            fail(task, f"decode is never {word} {edge:.3g}.", "Wanted any real numbers.", HELD)
    if float(logits.std(0).max()) == 0:
        fail(task, "the logits do not depend on z.", "Wanted decode to use z.")


def _can_leave(model: Any, z: Tensor, edges: tuple[float, float], up: bool) -> bool:
    """Whether some step of the weights, up or down the steepest way, takes a logit out of an interval.

    One bias that all pixels share can hold all logits on one side by chance; it moves, and a sigmoid does not.
    """
    weights = [w for w in model.parameters() if w.requires_grad]
    for step in (3.0, 30.0, 300.0, 3000.0):
        logits = model.decode(z)
        furthest = logits.max() if up else logits.min()
        slopes = gradients("VAE", furthest, weights)
        size = math.sqrt(sum(float(g.double().square().sum()) for g in slopes if g is not None))
        if not 0 < size < math.inf:
            return False
        with torch.no_grad():
            for weight, slope in zip(weights, slopes, strict=True):
                if slope is not None:
                    weight.add_(slope, alpha=(step if up else -step) / size)
        moved = model.decode(z).detach()
        if float(moved.max()) > edges[1] if up else float(moved.min()) < edges[0]:
            return True
    return False


def _near(a: Tensor, b: Tensor) -> bool:
    """Equal up to the rounding of matrix products of different sizes."""
    return torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(b.abs().max()))
