"""Where the gradient of a VAE goes: from the logits through z, mu and logvar, and from the mu and logvar of forward."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from vae_lab.checks.instruments.autograd_leaves import leaves_of
from vae_lab.checks.instruments.probe import PIXELS
from vae_lab.checks.instruments.sampler import CUT, CUT_MU, CUT_SIGMA, device, gradients
from vae_lab.checks.messages import Misconception, fail, require_parts

HIDDEN_LAYERS = Misconception(
    "parameters() does not see layers in a plain list or dictionary, and no optimizer will move them: use "
    "torch.nn.Sequential or torch.nn.ModuleList.",
    "training",
)
CUT_FOR_KL = Misconception(
    "the KL is computed from the mu and logvar that forward returns: detach() or no_grad() on them takes its gradient "
    "away.",
    "gradient_paths",
)
FEW = 4
"""Of more latents than this, the gradients are not taken apart: it takes a backward pass for each."""


def check_gradient(task: str, model: Any) -> None:
    """Require that the logits alone send a gradient to all that computes mu and logvar, and that forward's codes do.

    No statistics: a right answer always passes, but for an eps below 1e-5 in two draws (probability below 1e-9).

    Args:
        task: the name of the student's class.
        model: an object of it, in evaluation mode.

    Raises:
        CheckFailed: if not.
    """
    x = torch.rand(16, PIXELS, device=device())
    named = list(model.named_parameters())
    weights = [p for _, p in named]
    logits = require_parts(task, model(x), ("logits", "mu", "logvar"))[0]
    if not logits.requires_grad:
        fail(task, "the logits do not require a gradient.", "Wanted a graph behind them.", CUT)
    if strays := [leaf for leaf in leaves_of([logits]) if all(leaf is not weight for weight in weights)]:
        sizes = " and ".join(str(list(leaf.shape)) for leaf in strays[:2])
        seen = f"weights of shape {sizes} are not among the model's parameters()."
        fail(task, seen, "Wanted layers that training finds.", HIDDEN_LAYERS)
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
    for place, name, behind in ((1, "mu", behind_mu), (2, "logvar", behind_logvar)):
        code = require_parts(task, model(x), ("logits", "mu", "logvar"))[place]
        sent = gradients(task, code.square().sum(), weights) if code.requires_grad else [None] * len(weights)
        if not all(_alive(sent[i]) for i in behind):
            seen = f"the {name} that forward returns sends no gradient to the encoder."
            fail(task, seen, "Wanted all that a loss needs.", CUT_FOR_KL)
    silent = {i for i in behind_mu + behind_logvar if not _alive(back[i])}
    if not silent:
        own = [weights[i] for i in sorted({*behind_mu, *behind_logvar}) if not _alive(to_decoder[i])]
        _check_paths(task, model, own)
        return
    names = ", ".join(named[i][0] for i in sorted(silent)[:3])
    all_of_mu, all_of_logvar = silent >= set(behind_mu), silent >= set(behind_logvar)
    only_mu = not all_of_logvar and silent == set(behind_mu) - set(behind_logvar)
    only_logvar = not all_of_mu and silent == set(behind_logvar) - set(behind_mu)
    mistake = CUT_MU if only_mu else CUT_SIGMA if only_logvar else CUT
    fail(task, f"the logits send no gradient to the encoder's {names}.", "Wanted a path through z.", mistake)


def _alive(gradient: Tensor | None) -> bool:
    return gradient is not None and bool(gradient.any())


def _check_paths(task: str, model: Any, weights: list[Any]) -> None:
    """Whether, of weights that mu and logvar share, a gradient comes along either path.

    The gradient of the logits of one image is sum_d (a_d dmu_d + b_d dlogvar_d); the weights' own derivatives of mu_d
    and logvar_d are known, so that a and b follow, and b_d = a_d sigma_d eps_d / 2 is 0 for no draw.
    """
    x = torch.rand(1, PIXELS, device=device())
    code = model.encode(x)
    latents = code[0].shape[1]
    if latents > FEW or not weights:
        return
    basis = [
        _flat(gradients(task, model.encode(x)[part][0, d], weights), weights) for part in (0, 1) for d in range(latents)
    ]
    columns = torch.stack(basis, 1)
    if float(torch.linalg.cond(columns)) > 1e4:  # some are nearly the same, and cannot be told apart
        return
    shares = []
    for _ in range(2):
        logits = require_parts(task, model(x), ("logits", "mu", "logvar"))[0]
        back = _flat(gradients(task, (logits * torch.randn_like(logits)).sum(), weights), weights)
        shares.append(torch.linalg.lstsq(columns, back[:, None], driver="gelsd").solution[:, 0])
    through_mu, through_logvar = torch.stack(shares).abs().reshape(2, 2, latents).amax(0)
    sized = 2 * through_logvar / torch.exp(code[1][0].detach().cpu().double() / 2)  # that through mu, times |eps|
    for name, lost, mistake in (
        ("mu", through_mu < 1e-5 * sized, CUT_MU),
        ("logvar", sized < 1e-5 * through_mu, CUT_SIGMA),
    ):
        if bool(lost.any()):
            seen = f"the logits send no gradient through {name}."
            fail(task, seen, "Wanted a path through z.", mistake)


def _flat(slopes: Any, weights: list[Any]) -> Tensor:
    """Gradients in one long vector, on the processor in double precision; 0 where there is none."""
    given = [torch.zeros_like(w) if g is None else g for g, w in zip(slopes, weights, strict=True)]
    return torch.cat([g.detach().flatten().double().cpu() for g in given])
