"""Check a training loop by the loss that it minimises, read off by a model that keeps books (`recording_model.py`)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vae_lab.checks.instruments.losses import BITS, FREE_BITS, TWO_MEANS, gaussian_kl, log_likelihood, why_not
from vae_lab.checks.instruments.noise import examine
from vae_lab.checks.instruments.projection import cosine, multiple
from vae_lab.checks.instruments.recording_model import Entry, RecordingModel
from vae_lab.checks.instruments.sampler import device
from vae_lab.checks.instruments.spread import name_mistake, name_uniform
from vae_lab.checks.instruments.train_edges import check_edges
from vae_lab.checks.instruments.train_epochs import check_epochs
from vae_lab.checks.instruments.trained_model import EPOCHS, Nats, check_trained, require_history
from vae_lab.checks.messages import Misconception, ask, fail

NO_BACKWARD = Misconception(
    "the loss sends no gradient to the model: loss.backward() is missing, or the loss was cut off by detach or item.",
    "training",
)
NO_KL = Misconception(
    "the KL does not pull on mu and logvar: it is not in the loss, or cut off. This trains an autoencoder with noise.",
    "training",
)
WARM_UP = Misconception("the KL's weight changes while it trains; here it is 1 all the time, no warm-up.", "training")
KL_SIGN = Misconception(
    "the KL has the wrong sign: the loss is -log-likelihood + KL, and both terms are to be small.", "training"
)
CLIMBS = Misconception("the log-likelihood has the wrong sign: the loss is its negative.", "training")
NO_RECONSTRUCTION = Misconception("the reconstruction is not in the loss: nothing ties z to the image.", "training")
KL_TOO_HEAVY = Misconception(
    "both terms are sums over what belongs to one image. A mean over the pixels beside a summed KL makes the KL 784 "
    "times as heavy, and the decoder learns to ignore z.",
    "training",
)
KL_MEAN_OVER_D = Misconception("the KL is a mean over the D dimensions; independent dimensions add up.", "elbo")
KL_SUMMED = Misconception(
    "the KL is added up over the batch, and the reconstruction is a mean over it: both terms belong to one image.",
    "elbo",
)
RECONSTRUCTION_SUMMED = Misconception(
    "the reconstruction is added up over the batch, and the KL is a mean over it: both terms belong to one image.",
    "elbo",
)
KL_OTHER_AXIS = Misconception(
    "the KL is added up over the batch and averaged over the D dimensions; it is the other way round.", "elbo"
)
NO_HALF = Misconception("the factor 1/2 in front of the KL is missing.", "elbo")
ROUNDED = Misconception(
    "grey is rounded, or drawn, to black or white; the cross-entropy takes any x in [0, 1].", "elbo"
)
RESCALED = Misconception(
    "the images are rescaled on the way in; they are in [0, 1] already, which is where pixels of a Bernoulli are.",
    "elbo",
)
HELD = Misconception(
    "probabilities are kept away from 0 and 1 (a clamp, a small number): beyond that no gradient comes back. Give the "
    "loss the logits themselves.",
    "elbo",
)
PENALTY = Misconception(
    "the loss has a term besides the negative ELBO: a penalty on the weights is no part of it.", "elbo"
)
OTHER_ORDER = Misconception(
    "the batch that the model sees and the one in the loss have another order: take both from one index.", "training"
)
NO_NOISE = Misconception("the loop decodes mu; the ELBO decodes a draw of z.", "training")
DETACHED_Z = Misconception(
    "z is cut off from mu and logvar before it is decoded: the reconstruction cannot teach the encoder.",
    "stochastic_nodes",
)
SOME_IMAGES = Misconception("every image is seen once in every epoch, also those of a last, smaller batch.", "training")


def check_train(train: Callable[..., Any], vae: Callable[..., Any], images: Tensor, epochs: int = EPOCHS) -> None:
    """Require a loop that minimises the negative ELBO, moves every weight, and reports the truth.

    Args:
        train: the student's function.
        vae: the student's class VAE(latent_dim, hidden_dim).
        images: about 300, [N, 784], in [0, 1].
        epochs: passes over the images.

    Raises:
        CheckFailed: if not. The loss and the report are compared exactly; the band of the trained model lies more than
            ten standard deviations from where a right loop ends.
    """
    check_loss_of_loop(train)
    check_epochs(train)
    check_edges(train)
    check_trained(train, vae, images, epochs)


def check_loss_of_loop(
    train: Callable[..., Any], n: int = 131, latent_dim: int = 5, pixels: int = 784, epochs: int = 2
) -> None:
    """Require that the loop's loss is the negative ELBO, and its report the mean of it over the images.

    Exact: the gradients of the negative ELBO with respect to logits, mu and logvar are known. A loss whose KL is itself
    estimated by draws passes too, and its weight may be seen 20 % off: its standard error, below 2 % for mu and 5 % for
    logvar where n * epochs is 200 or more, stays ten times below what is demanded.

    Args:
        train: the student's function.
        n: number of images.
        latent_dim: D.
        pixels: number of pixels.
        epochs: how often the images are shown.

    Raises:
        CheckFailed: if not.
    """
    task, recorder = "train", RecordingModel(latent_dim, pixels, sure=True)
    images = 0.05 + 0.85 * torch.rand(n, pixels, device=device())  # so that who stretches them to [0, 1] changes them
    given = images.clone()
    history = ask(task, train, recorder, given, epochs, names=("model", "images"))
    require_history(task, history, epochs)
    if not recorder.seen:
        seen = f"with {n} images and {epochs} epochs, the model is never called."
        fail(task, seen, "Wanted a batch, also where the images do not fill one.")
    _judge_images(task, recorder, images)
    if not any(entry.came for book in (recorder.logits, recorder.mu, recorder.logvar) for entry in book):
        fail(task, "no gradient comes back to the model.", "Wanted one for each batch.", NO_BACKWARD)
    rows = []
    for k, shown in enumerate(recorder.seen):
        x = shown.reshape(-1, pixels)
        slopes = [slope for place in recorder.decodes_of(k) for slope in recorder.logits[place].came]
        if slopes and len(x):
            slope = torch.stack([each.reshape(-1, *x.shape).sum(0) for each in slopes]).sum(0)
            rows.append(Batch(x, slope, recorder.mu[k], recorder.logvar[k]))
    if not rows:
        fail(task, "no gradient comes back through the decoder.", "Wanted one.", NO_RECONSTRUCTION)
    _judge_reconstruction(task, rows, recorder.picture)
    _judge_weights(task, rows, recorder.picture)
    drawn = [(*recorder.drawn[place], mean) for k, mean in enumerate(recorder.mu) for place in recorder.decodes_of(k)]
    for z, alive, mean in drawn:
        if z.shape == mean.given.shape and len(z) and torch.allclose(z.to(mean.given), mean.given):
            fail(task, "what is decoded is mu itself.", "Wanted mu + sigma * eps.", NO_NOISE)
        if not alive and any(entry.came for entry in recorder.logits):
            learning = [flag for (_, flag), entry in zip(recorder.drawn, recorder.logits, strict=False) if entry.came]
            if not any(learning):
                fail(task, "the z that is decoded does not require a gradient.", "Wanted a path.", DETACHED_Z)
    _judge_draws(task, recorder)
    times = _times_shown(torch.cat([row.x for row in rows]), images)
    if int(times.min()) < epochs or int(times.max()) > int(times.min()):
        few, often = int((times < epochs).sum()), int((times > epochs).sum())
        which = f"{few} of {n} images are not learned from in each" if few else f"{often} of {n} images come more often"
        seen = f"in {epochs} epochs, {which}; in all, {int(times.sum())} were shown."
        fail(task, seen, f"Wanted {epochs * n}: each once in every epoch.", SOME_IMAGES)
    recorder.look_at_weight()
    if recorder.pulled:
        seen = "a gradient comes to a weight on which neither logits nor mu nor logvar depend."
        fail(task, seen, "Wanted the negative ELBO alone, no term for the weights.", PENALTY)
    _judge_floor(task, train, latent_dim, pixels)
    _judge_slopes(task, rows, recorder.picture)
    mu, logvar = recorder.encode(images)
    kl = float(gaussian_kl(mu.detach().double(), logvar.detach().double()).mean())
    logits = recorder.picture.expand(n, -1).double()
    _judge_report(task, float(history[-1]), Nats(-float(log_likelihood(logits, images.double()).mean()), kl), n, pixels)


class Batch(NamedTuple):
    """What the loop did with one batch: the images, the logits' gradient, mu and logvar with theirs."""

    x: Tensor
    slope: Tensor
    mu: Entry
    logvar: Entry


def _nearest(shown: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
    """For each row that was shown, which image it is most like, and how much (their correlation)."""
    ours, theirs = (t.double() - t.double().mean(1, keepdim=True) for t in (images, shown))
    alike = (theirs @ ours.T) / (theirs.norm(dim=1)[:, None] * ours.norm(dim=1)).clamp(min=1e-12)
    best = alike.max(1)
    return best.indices, best.values


def _times_shown(shown: Tensor, images: Tensor) -> Tensor:
    return torch.bincount(_nearest(shown, images)[0], minlength=len(images))


def _judge_images(task: str, recorder: RecordingModel, images: Tensor) -> None:
    """The images must be shown as they are."""
    shown = torch.cat([x.reshape(-1, images.shape[1]) for x in recorder.seen]).to(images)
    if not len(shown):
        fail(task, "the model is shown batches of no image.", "Wanted some in each.")
    which, alike = _nearest(shown, images)
    if torch.allclose(shown, images[which], atol=1e-3):
        return
    low, high = float(shown.min()), float(shown.max())
    seen = f"the model is shown pixels between {low:.3g} and {high:.3g}, and not the images as they were given."
    if bool(((shown == 0) | (shown == 1)).all()):
        fail(task, seen, "Wanted them as they are, grey.", ROUNDED)
    if float(alike.min()) > 0.999:
        x, y = images[which].double(), shown.double()
        a = float(((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum())
        b = float(y.mean()) - a * float(x.mean())
        seen = (
            f"the model is shown pixels between {low:.3g} and {high:.3g}, and not the images as they were given "
            f"(about {a:.3g} x{f' {b:+.3g}' if abs(b) > 1e-3 else ''})."
        )
        fail(task, seen, "Wanted them as they are, in [0, 1].", RESCALED)
    if float(alike.max()) > 0.3:
        fail(task, seen, "Wanted them as they are.")
    fail(task, f"{len(images)} of {len(images)} images are never shown to the model.", "Wanted these, no others.")


SLOPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "the squared error of sigmoid(logits)": lambda s, x: (torch.sigmoid(s) - x) * torch.sigmoid(s) * torch.sigmoid(-s),
    "the squared error of the logits": lambda s, x: s - x,
    "the absolute error of sigmoid(logits)": lambda s, x: (
        (torch.sigmoid(s) - x).sign() * torch.sigmoid(s) * torch.sigmoid(-s)
    ),
    "the absolute error of the logits": lambda s, x: (s - x).sign(),
    "the cross-entropy with a second sigmoid": lambda s, x: (
        (torch.sigmoid(torch.sigmoid(s)) - x) * torch.sigmoid(s) * torch.sigmoid(-s)
    ),
    "the cross-entropy with logits and x exchanged": lambda s, x: -x,
    "the cross-entropy with black and white exchanged": lambda s, x: torch.sigmoid(s) - 1 + x,
    "the cross-entropy with images rounded to black and white": lambda s, x: torch.sigmoid(s) - (x > 0.5).to(x),
    "the cross-entropy with images rescaled to [-1, 1]": lambda s, x: torch.sigmoid(s) - 2 * x + 1,
    "x log p alone": lambda s, x: -x * torch.sigmoid(-s),
    "(1 - x) log(1 - p) alone": lambda s, x: (1 - x) * torch.sigmoid(s),
}
"""The gradient, for one logit, of what people write for the reconstruction; the right one is sigmoid(logit) - x."""


def _judge_reconstruction(task: str, rows: list[Batch], picture: Tensor) -> None:
    """The logits' gradient must point along that of the cross-entropy."""
    slopes, x = torch.cat([row.slope / len(row.slope) for row in rows]), torch.cat([row.x for row in rows]).to(picture)
    if not bool(slopes.any()):
        fail(task, "no gradient comes back through the decoder.", "Wanted one.", NO_RECONSTRUCTION)
    # each batch may weigh otherwise (a sum, a mean): its rows are compared among themselves
    logits, parts = picture.expand_as(x), [len(row.x) for row in rows]

    def alike(formula: Callable[[Tensor, Tensor], Tensor]) -> float:
        pairs = zip(slopes.split(parts), formula(logits, x).split(parts), strict=True)
        return min((cosine(a, b) for a, b in pairs), key=abs)

    found = alike(lambda s, x: torch.sigmoid(s) - x)
    if found > 0.999:
        return
    if found < -0.999:
        fail(task, "a step makes the reconstruction worse.", "Wanted it better.", CLIMBS)
    near = picture.abs() < 3
    if _only_near(slopes, torch.sigmoid(logits) - x, near):
        seen = "for logits near 0 the loss has the gradient of the cross-entropy, and for logits far from 0 it has not."
        fail(task, seen, "Wanted sigmoid(logits) - x for all.", HELD)
    _judge_targets(task, slopes, x, logits, parts)
    name = next((name for name, slope in SLOPES.items() if alike(slope) > 0.9999), "")
    seen = "the gradient of the loss for the logits is not proportional to sigmoid(logits) - x."
    if name:
        fail(task, f"{seen} It is that of {name}.", "Wanted the cross-entropy.", why_not(name))
    fail(task, f"{seen} (The cosine between the two is {found:.3f}.)", "Wanted the cross-entropy of the text.")


def _only_near(slopes: Tensor, wanted: Tensor, near: Tensor) -> bool:
    """Whether the gradient is the wanted one, row for row, where logits are near 0, and another elsewhere."""
    rows = zip(slopes[:, near], wanted[:, near], slopes[:, ~near], wanted[:, ~near], strict=True)
    here, there = zip(*((cosine(a, b), multiple(c, d) / multiple(a, b)) for a, b, c, d in rows), strict=True)
    return min(here) > 0.999 and max(there) < 0.95


def _judge_targets(task: str, slopes: Tensor, x: Tensor, logits: Tensor, parts: list[int]) -> None:
    """Whether each logit's gradient is that of another image than the one that was shown: sigmoid(logit) - other."""
    found = []
    for slope, shown, s in zip(slopes.split(parts), x.split(parts), logits.split(parts), strict=True):
        if len(shown) < 3:
            continue
        for times in (1.0, float(len(shown)), float(len(shown)) ** 2):
            which, alike = _nearest(torch.sigmoid(s) - times * slope, x)
            if float(alike.min()) > 0.999:
                found.append(float(((x[which] - shown).abs().amax(1) > 1e-6).double().mean()))
                break
        else:
            return
    if found and sum(found) / len(found) > 0.5:
        seen = "the pictures are compared with other images than those that were shown."
        fail(task, seen, "Wanted each image compared with its own picture.", OTHER_ORDER)


def _judge_weights(task: str, rows: list[Batch], picture: Tensor) -> None:
    """The gradients that came back for mu and logvar, as multiples of the KL's, beside the reconstruction's weight."""
    weights, halves = [], []
    for row in rows:
        came, term = _kl_gradients(row, picture)
        halves.append([multiple(c, t) for c, t in zip(came, term, strict=True)])
        weights.append(multiple(came, term))
    weight = sum(weights) / len(weights)
    for_mu, for_logvar = (sum(half[place] for half in halves) / len(halves) for place in (0, 1))
    if abs(weight - 1) <= 0.2 and abs(for_mu - for_logvar) < 0.5:
        return
    if abs(for_mu - for_logvar) > 0.1 * abs(weight) + 0.4:
        seen = (
            f"in the loss, the KL's gradient has {for_mu:.3g} times its weight for mu and {for_logvar:.3g} for logvar."
        )
        fail(task, seen, "Wanted 1 and 1: mu for mu, (sigma^2 - 1) / 2 for logvar.")
    seen = f"in the loss, the KL has {weight:.3g} times the weight that it should have."
    sizes, pixels = [len(row.x) for row in rows], len(picture)
    d = rows[0].mu.given.shape[-1]
    guesses: list[tuple[Callable[[int], float], Misconception]] = [
        (lambda b: 0.0, NO_KL),
        (lambda b: -1.0, KL_SIGN),
        (lambda b: pixels, KL_TOO_HEAVY),
        (lambda b: pixels / d, TWO_MEANS),
        (lambda b: pixels * b, KL_TOO_HEAVY),
        (lambda b: 1 / d, KL_MEAN_OVER_D),
        (lambda b: b, KL_SUMMED),
        (lambda b: b / d, KL_OTHER_AXIS),
        (lambda b: 1 / b, RECONSTRUCTION_SUMMED),
        (lambda b: 1 / (b * d), RECONSTRUCTION_SUMMED),
        (lambda b: 2.0, NO_HALF),
    ]
    for guess, mistake in guesses:
        if all(abs(w - guess(b)) <= 0.01 * abs(guess(b)) + 1e-6 for w, b in zip(weights, sizes, strict=True)):
            fail(task, seen, "Wanted 1 beside the sum over pixels.", mistake)
    if max(weights) - min(weights) > 0.3 * max(map(abs, weights)):
        fail(
            task,
            f"in the loss, the KL's weight goes from {weights[0]:.3g} in the first batch to {weights[-1]:.3g}.",
            "Wanted 1 beside the sum over pixels.",
            WARM_UP if sizes[0] == sizes[-2] and abs(weights[0] / weights[-2] - 1) > 0.05 else None,
        )
    fail(task, seen, "Wanted 1 beside the sum over pixels.")


def _kl_gradients(row: Batch, picture: Tensor) -> tuple[Tensor, Tensor]:
    """What came back for mu and logvar, [2, B D], as the loss would be with a sum over pixels; and the KL's own."""
    error = torch.sigmoid(picture) - row.x.to(row.slope)
    scale = multiple(row.slope, error)
    came = torch.stack([_came(entry).flatten() / scale for entry in (row.mu, row.logvar)])
    return came, torch.stack([row.mu.given.flatten(), torch.expm1(row.logvar.given).flatten() / 2])


def _judge_slopes(task: str, rows: list[Batch], picture: Tensor) -> None:
    """Where the weight is about 1: the gradients must grow as the KL's do, each along its own term."""
    both = [_kl_gradients(row, picture) for row in rows]
    came, term = (torch.cat([pair[place] for pair in both], 1) for place in (0, 1))
    slopes = [_slope(c, t) for c, t in zip(came, term, strict=True)]
    if all(abs(slope - 1) <= 0.03 + 6.5 * error for slope, error in slopes):
        return
    for_mu, for_logvar = (slope for slope, _ in slopes)
    if abs(for_mu - for_logvar) > 0.1:
        fail(
            task,
            f"in the loss, what stands for the KL has a gradient that grows {for_mu:.3g} times as fast as the KL's "
            f"along mu, and {for_logvar:.3g} times along (sigma^2 - 1) / 2.",
            "Wanted 1 and 1: mu for mu, (sigma^2 - 1) / 2 for logvar.",
        )
    weight = (for_mu + for_logvar) / 2
    fail(
        task,
        f"in the loss, the KL has {weight:.3g} times the weight that it should have.",
        "Wanted 1 beside the sum over pixels.",
    )


def _slope(came: Tensor, term: Tensor) -> tuple[float, float]:
    """The slope of a straight line through points, with its standard error (0 where the points lie on it)."""
    c, t = (x.double() - x.double().mean() for x in (came, term))
    slope = multiple(c, t)
    return slope, float((c - slope * t).square().mean().sqrt() / (t.square().sum()).sqrt())


def _judge_draws(task: str, recorder: RecordingModel) -> None:
    """What is decoded, where it is one z for each image, must be a draw from N(mu, sigma^2).

    A right loop fails with a probability of at most 1.7e-7 (see `noise.examine`).
    """
    entries = zip(recorder.drawn, recorder.mu, recorder.logvar, recorder.logits, strict=False)
    parts = [(z.to(m.given), m.given, v.given) for (z, _), m, v, e in entries if e.came and z.shape == m.given.shape]
    if len(recorder.drawn) != len(recorder.mu) or not parts:
        return
    z, mu, logvar = (torch.cat(part).double() for part in zip(*parts, strict=True))
    finding = examine((z - mu) / torch.exp(logvar / 2), ("row", "dimension"))
    if finding is None:
        return
    mistake = name_mistake(z, mu, logvar) or name_uniform(z, mu, logvar)
    if mistake is not None:
        seen = f"what is decoded looks like a draw from {mistake.formula}."
        fail(task, seen, "Wanted N(mu, sigma^2).", mistake.misconception)
    seen = {
        "spread": f"what is decoded has {finding.seen:.2f} times the spread sigma.",
        "mean": f"what is decoded has its mean {finding.seen:.2f} sigma away from mu.",
    }.get(finding.kind, "what is decoded is not made of independent normal noise.")
    fail(task, seen, "Wanted mu + sigma * eps, with a new eps for every entry.")


def _judge_floor(task: str, train: Callable[..., Any], latent_dim: int, pixels: int) -> None:
    """Near mu = 0, logvar = 0 the KL pulls as well: a floor under it, or a target for it, would not."""
    recorder = RecordingModel(latent_dim, pixels, near=True)
    ask(task, train, recorder, torch.rand(60, pixels, device=device()), 1, names=("model", "images"))
    pairs: list[tuple[Tensor, Tensor]] = []
    for entry in recorder.mu:
        if not entry.came:
            continue
        if pairs and pairs[-1][1].shape == entry.given.shape and torch.equal(pairs[-1][1], entry.given):
            pairs[-1] = (pairs[-1][0] + entry.came[0], entry.given)  # one batch, decoded more than once
        else:
            pairs.append((entry.came[0], entry.given))
    if not pairs:
        fail(task, "where mu and logvar are near 0, no gradient comes back for them.", "Wanted the KL's.", FREE_BITS)
    came, given = (torch.cat([pair[place].flatten() for pair in pairs]) for place in (0, 1))
    if float((came == 0).double().mean()) > 0.05:
        fail(task, "where mu and logvar are near 0, the KL sends no gradient to them.", "Wanted one.", FREE_BITS)
    if cosine(came, given) < -0.99:
        fail(task, "where mu and logvar are near 0, the loss pushes them away from there.", "Wanted the KL as it is.")


def _came(entry: Entry) -> Tensor:
    return entry.came[0] if entry.came else torch.zeros_like(entry.given)


def _judge_report(task: str, last: float, known: Nats, n: int, pixels: int) -> None:
    if abs(last - known.total) <= 1e-2 * known.total:
        return
    guesses = {
        -known.total: "this is the ELBO; the loss is its negative.",
        known.reconstruction: "this is the reconstruction alone; the KL belongs to it.",
        known.kl: "this is the KL alone; the reconstruction belongs to it.",
        known.total / pixels: "this is a mean over pixels: nats per pixel, not per image.",
        known.total * n: "this is a sum over the images; wanted their mean.",
        known.total / n: "this is divided by the number of images twice.",
    }
    close = min(guesses, key=lambda value: abs(value - last) / abs(value))
    near = abs(close - last) <= 1e-2 * abs(close)
    mistake = Misconception(guesses[close], "training") if near else None
    if abs(known.total / math.log(2) - last) <= 1e-3 * last:
        mistake = BITS
    seen = f"an epoch's entry is {last:.4g}, and the mean negative ELBO of that epoch was {known.total:.4g}."
    fail(task, seen, "Wanted the latter.", mistake)
