"""A small lab of the tests' own, built in code: every kind of cell, and answers of every kind of value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from vae_lab.grading.lab.source import Lab

SETUP = "import torch\nfrom torch import nn"

SOLUTIONS = {
    "double": """
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION
""",
    "facts": """
def facts():
    ### BEGIN SOLUTION
    return {"pi": 3.14, "primes": {2, 3, 5}}
    ### END SOLUTION
""",
    "noisy": """
def noisy(mu, sigma):
    ### BEGIN SOLUTION
    return mu + sigma * torch.randn_like(mu)
    ### END SOLUTION
""",
    "Line": """
class Line(nn.Module):
    ### BEGIN SOLUTION
    def __init__(self, n):
        super().__init__()
        self.layer = nn.Linear(n, 1)

    def forward(self, x):
        return self.layer(x)
    ### END SOLUTION
""",
    "fit": """
def fit(model, x, y, steps):
    ### BEGIN SOLUTION
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        loss = ((model(x) - y) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
    ### END SOLUTION
""",
    "apply_twice": """
def apply_twice(f, x):
    ### BEGIN SOLUTION
    return f(f(x))
    ### END SOLUTION
""",
}

TESTS = {
    "double_tests": """
x = torch.tensor([1.0, 2.0], requires_grad=True)
y = double(x)
assert isinstance(y, torch.Tensor), f"double returned {type(y).__name__}"
assert torch.allclose(y, torch.tensor([2.0, 4.0])), "double(x) is not 2 x"
### BEGIN HIDDEN TESTS
secret = torch.tensor([123.25, -77.5], requires_grad=True)
y = double(secret)
assert torch.equal(y, 2 * secret), "double(x) is not 2 x for another x"
(g,) = torch.autograd.grad(y.sum(), secret)
assert torch.equal(g, torch.full((2,), 2.0)), "the gradient of double is not 2"
assert torch.equal(secret, torch.tensor([123.25, -77.5])), "double changes its input"
### END HIDDEN TESTS
""",
    "facts_tests": """
got = facts()
assert type(got) is dict and abs(got["pi"] - 3.14) < 1e-9, "pi"
### BEGIN HIDDEN TESTS
assert got["primes"] == {2, 3, 5}, "primes"
### END HIDDEN TESTS
""",
    "noisy_tests": """
mu, sigma = torch.full((4000,), 3.0, requires_grad=True), torch.full((4000,), 0.5, requires_grad=True)
torch.manual_seed(5)
z = noisy(mu, sigma)
again = noisy(mu, sigma)
assert not torch.equal(z, again), "noisy draws the same noise each time"
assert abs(z.mean().item() - 3.0) < 0.06 and abs(z.std().item() - 0.5) < 0.06, "mean or spread"
z.sum().backward()
assert mu.grad is not None and torch.equal(mu.grad, torch.ones(4000)), "no gradient reaches mu"
### BEGIN HIDDEN TESTS
assert torch.allclose(sigma.grad, (z.detach() - 3.0) / 0.5, atol=1e-4), "the gradient of sigma is not eps"
torch.manual_seed(1); noisy(mu, sigma); a = torch.rand(1)
torch.manual_seed(2); noisy(mu, sigma); b = torch.rand(1)
assert not torch.equal(a, b), "noisy reseeds the global generator"
### END HIDDEN TESTS
""",
    "Line_tests": """
model = Line(3)
assert isinstance(model, nn.Module) and isinstance(model, Line)
x = torch.randn(5, 3, requires_grad=True)
out = model(x)
assert out.shape == (5, 1), f"Line gives {tuple(out.shape)}"
out.sum().backward()
assert all(p.grad is not None for p in model.parameters()), "a parameter gets no gradient"
### BEGIN HIDDEN TESTS
names = {name for name, _ in model.named_parameters()}
assert names == set(model.state_dict()), "state_dict"
weight = next(p for name, p in model.named_parameters() if name.endswith("weight"))
assert torch.allclose(weight.grad, x.detach().sum(0, keepdim=True), atol=1e-5), "gradient of the weight"
assert torch.allclose(x.grad, weight.detach().expand(5, 3)), "gradient of x"
### END HIDDEN TESTS
""",
    "fit_tests": """
torch.manual_seed(0)
x = torch.randn(64, 2)
y = x @ torch.tensor([[1.0], [-2.0]])
model = Line(2)
before = [p.detach().clone() for p in model.parameters()]
losses = fit(model, x, y, 30)
assert isinstance(losses, list) and len(losses) == 30, "fit returns one loss a step"
assert losses[-1] < 0.1 * losses[0], "fit does not learn"
### BEGIN HIDDEN TESTS
assert any(not torch.equal(a, b) for a, b in zip(before, model.parameters())), "fit leaves the parameters alone"
assert ((model(x) - y) ** 2).mean() < losses[0], "the model did not learn"
### END HIDDEN TESTS
""",
    "apply_twice_tests": """
calls = []
def f(x):
    calls.append(1)
    return x ** 2
x = torch.tensor(3.0, requires_grad=True)
y = apply_twice(f, x)
assert y.item() == 81.0 and len(calls) == 2, "f is not applied twice"
### BEGIN HIDDEN TESTS
(g,) = torch.autograd.grad(y, x)
assert g.item() == 4 * 27.0, "no gradient through f"
### END HIDDEN TESTS
""",
}
POINTS = {
    "double_tests": 3,
    "facts_tests": 2,
    "noisy_tests": 4,
    "Line_tests": 3,
    "fit_tests": 3,
    "apply_twice_tests": 2,
}
WRITTEN_POINTS = 3


def cell(kind: str, source: str, grade_id: str = "", **flags: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if grade_id:
        info = {
            "grade_id": grade_id,
            "schema_version": 3,
            "grade": False,
            "solution": False,
            "locked": False,
            "task": False,
        }
        metadata = {"nbgrader": {**info, **flags}}
    made: dict[str, Any] = {"cell_type": kind, "metadata": metadata, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def anchored(grade_id: str, source: str) -> str:
    return f"# vae-lab: tiny/{grade_id}\n{source.strip()}"


def cells() -> list[dict[str, Any]]:
    made = [cell("markdown", "# Tiny"), cell("code", SETUP, "setup", locked=True)]
    for name, source in SOLUTIONS.items():
        made.append(cell("code", anchored(name, source), name, solution=True))
        test = f"{name}_tests"
        made.append(cell("code", anchored(test, TESTS[test]), test, grade=True, locked=True, points=POINTS[test]))
    written = "<!-- vae-lab: tiny/why -->\nBecause."
    made.append(cell("markdown", written, "why", grade=True, solution=True, points=WRITTEN_POINTS))
    return made


def notebook(made: list[dict[str, Any]], **metadata: Any) -> bytes:
    info = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}, **metadata}
    return json.dumps({"cells": made, "metadata": info, "nbformat": 4, "nbformat_minor": 5}).encode()


def lab() -> Lab:
    return Lab.from_bytes("tiny", notebook(cells()))


def submission(answers: Mapping[str, str] = {}, **more: Any) -> bytes:
    """A submitted notebook: the solutions, with some cells' sources replaced (under their anchors)."""
    made = []
    for item in cells():
        info = item["metadata"].get("nbgrader")
        grade_id = info["grade_id"] if info else ""
        if info and info["grade"] and not info["solution"]:
            kept, inside = [], False
            for line in item["source"].split("\n"):
                inside = inside or "BEGIN HIDDEN" in line
                kept += [] if inside else [line]
                inside = inside and "END HIDDEN" not in line
            item["source"] = "\n".join(kept)
        if grade_id in answers:
            item["source"] = anchored(grade_id, answers[grade_id])
        made.append(item)
    return notebook(made, **more)
