"""Doors of the gradient estimators: a function of the caller's, and four tensors."""

import torch
from doors.tried import Refused, table, try_door

from vae_lab import pathwise_gradients, score_function_gradients

MU, SIGMA = torch.tensor([3.0, -1.0]), torch.tensor([2.0, 0.5])
EPS = torch.tensor([[1.0, -1.0], [0.5, 2.0], [0.0, 0.1]])
BOTH = {"pathwise_gradients": pathwise_gradients, "score_function_gradients": score_function_gradients}


def square(x):
    return x.square().sum(1)


def step(x):
    return (x > 3).float().sum(1)


def refused(what, call, *words):
    """A row for each of the two estimators."""
    for name, function in BOTH.items():
        yield f"{what}: {name}", (lambda function=function: call(function)), Refused(name, *words)


@table(
    ("pathwise", lambda: pathwise_gradients(square, MU, SIGMA, EPS).mu, lambda: 2 * (MU + SIGMA * EPS)),
    ("pathwise, sigma", lambda: pathwise_gradients(square, MU, SIGMA, EPS).sigma, lambda: 2 * (MU + SIGMA * EPS) * EPS),
    ("pathwise in no_grad", lambda: torch.no_grad()(pathwise_gradients)(square, MU, SIGMA, EPS).mu, lambda: 2 * (MU + SIGMA * EPS)),
    ("score", lambda: score_function_gradients(square, MU, SIGMA, EPS).mu, lambda: square(MU + SIGMA * EPS)[:, None] * EPS / SIGMA),
    ("score of steps", lambda: score_function_gradients(step, MU, SIGMA, EPS).mu, lambda: step(MU + SIGMA * EPS)[:, None] * EPS / SIGMA),
    ("score of an event", lambda: score_function_gradients(lambda x: x[:, 0] > 3, MU, SIGMA, EPS).mu, lambda: score_function_gradients(lambda x: (x[:, 0] > 3).float(), MU, SIGMA, EPS).mu),
    ("a baseline each", lambda: score_function_gradients(square, MU, SIGMA, EPS, baseline=square(MU + SIGMA * EPS)).mu, lambda: torch.zeros(3, 2)),
    ("doubles", lambda: pathwise_gradients(square, MU.double(), SIGMA.double(), EPS.double()).mu, lambda: 2 * (MU + SIGMA * EPS).double()),
    *refused("mu a float", lambda f: f(square, 3.0, SIGMA, EPS), "mu is a float"),
    *refused("sigma a float", lambda f: f(square, MU, 2.0, EPS), "sigma is a float"),
    *refused("eps None", lambda f: f(square, MU, SIGMA, None), "eps is None"),
    *refused("whole numbers", lambda f: f(square, MU.long(), SIGMA, EPS), "mu has dtype torch.int64"),
    *refused("a mean for each row", lambda f: f(square, EPS, EPS.abs() + 1, EPS), "mu has shape (3, 2)", "[D]"),
    *refused("sigma of another shape", lambda f: f(square, MU, SIGMA[:1], EPS), "sigma has shape (1,)"),
    *refused("eps of another width", lambda f: f(square, MU, SIGMA, EPS[:, :1]), "eps has shape (3, 1)", "[S, D]"),
    *refused("eps of one draw", lambda f: f(square, MU, SIGMA, EPS[0]), "eps has shape (2,)"),
    *refused("sigma below 0", lambda f: f(square, MU, -SIGMA, EPS), "sigma", "positive"),
    *refused("sigma 0", lambda f: f(square, MU, 0 * SIGMA, EPS), "sigma", "positive"),
    *refused("sigma NaN", lambda f: f(square, MU, SIGMA / 0 * 0, EPS), "sigma", "positive"),
    *refused("f no function", lambda f: f(torch.zeros(3), MU, SIGMA, EPS), "f is a Tensor", "function"),
    *refused("f of one number", lambda f: f(lambda x: x.sum(), MU, SIGMA, EPS), "f returned shape ()"),
    *refused("f of a column", lambda f: f(lambda x: x.sum(1, keepdim=True), MU, SIGMA, EPS), "f returned shape (3, 1)"),
    *refused("f of the columns", lambda f: f(lambda x: x.sum(0), MU, SIGMA, EPS), "f returned shape (2,)"),
    *refused("f of a float", lambda f: f(lambda x: 1.0, MU, SIGMA, EPS), "f returned a float"),
    ("f of steps has no slope", lambda: pathwise_gradients(step, MU, SIGMA, EPS), Refused("pathwise_gradients", "no gradient", "score_function_gradients")),
    ("f that detaches", lambda: pathwise_gradients(lambda x: square(x.detach()), MU, SIGMA, EPS), Refused("pathwise_gradients", "no gradient")),
    ("whole f", lambda: pathwise_gradients(lambda x: (x > 3).sum(1), MU, SIGMA, EPS), Refused("pathwise_gradients", "no gradient")),
    ("a baseline as a column", lambda: score_function_gradients(square, MU, SIGMA, EPS, baseline=torch.zeros(3, 1)),
     Refused("score_function_gradients", "baseline has shape (3, 1)")),
    ("a baseline a word", lambda: score_function_gradients(square, MU, SIGMA, EPS, baseline="mean"), Refused("score_function_gradients", "baseline is 'mean'")),
    ("devices", lambda: pathwise_gradients(square, MU, SIGMA, EPS.to("meta")), Refused("pathwise_gradients", "eps is on meta")),
)  # fmt: skip
def test_estimators(call, expected):
    try_door(call, expected)
