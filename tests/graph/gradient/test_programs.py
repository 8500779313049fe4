"""Each small program against expected nodes, edges and verdicts, against autograd, and against finite differences."""

import re

import pytest
import torch
from torch import Tensor

from tests.graph.programs import PROGRAMS, Program
from vae_lab.graph import Graph, record

A, B = [0.3, -0.7, 1.2], [0.5, 0.2, -0.4]


def leaves() -> tuple[Tensor, Tensor]:
    return (
        torch.tensor(A, dtype=torch.float64, requires_grad=True),
        torch.tensor(B, dtype=torch.float64, requires_grad=True),
    )


def recorded(p: Program) -> tuple[Graph, Tensor, Tensor, Tensor]:
    torch.manual_seed(3)
    a, b = leaves()
    with record(a=a, b=b) as graph:
        out = p.run(a, b)
    return graph, out, a, b


def plain(name: str) -> str:
    name = re.sub(r"^Linear.weight$", "w", name)
    return re.sub(r" \d+$", "", name)


def value(p: Program, a: Tensor, b: Tensor) -> float:
    torch.manual_seed(3)
    return p.run(a.clone().requires_grad_(), b.clone().requires_grad_()).item()


def finite_differences(p: Program, which: int, h: float = 1e-5) -> Tensor:
    points = [t.detach() for t in leaves()]
    slope = torch.zeros(3, dtype=torch.float64)
    for i in range(3):
        up, down = [t.clone() for t in points], [t.clone() for t in points]
        up[which][i] += h
        down[which][i] -= h
        slope[i] = (value(p, *up) - value(p, *down)) / (2 * h)
    return slope


each = pytest.mark.parametrize("p", PROGRAMS, ids=lambda p: p.name)


def test_there_are_enough_programs() -> None:
    assert len(PROGRAMS) >= 25


@each
def test_nodes_edges_and_verdicts(p: Program) -> None:
    graph, out, _, _ = recorded(p)
    picture = graph.picture(out)
    assert {f"{plain(e.source)}>{plain(e.target)} {e.verdict}" for e in picture.edges} == p.edges
    assert {plain(n.id).replace(" ", "_") for n in picture.nodes.values() if n.stochastic} == p.drawn
    assert {s.operation for e in picture.edges for s in e.stops} == p.stops


@each
def test_the_measured_gradient_is_autograds(p: Program) -> None:
    graph, out, a, b = recorded(p)
    arrives = graph.arriving(out)
    reference = (
        torch.autograd.grad(out, [a, b], allow_unused=True, retain_graph=True) if out.requires_grad else (None, None)
    )
    for name, expected in zip("ab", reference, strict=True):
        got = arrives.get(name)
        assert (got is None) == (expected is None), name
        if expected is not None:
            torch.testing.assert_close(got, expected, rtol=1e-12, atol=1e-12)
        assert (name in graph.reaches(out)) == (expected is not None and bool(expected.any()))


# Here the same random numbers do not give a smooth function of the inputs.
JUMPS = {"bernoulli", "multinomial", "categorical", "implicit_reparameterization"}


@pytest.mark.parametrize("p", [p for p in PROGRAMS if p.name not in JUMPS], ids=lambda p: p.name)
def test_finite_differences_agree_where_nothing_is_lost(p: Program) -> None:
    graph, out, _, _ = recorded(p)
    arrives = graph.arriving(out)
    zeros = torch.zeros(3, dtype=torch.float64)
    for which, name in enumerate("ab"):
        measured, slope = arrives.get(name, zeros), finite_differences(p, which)
        agrees = torch.allclose(measured, slope, rtol=1e-5, atol=1e-7)
        assert agrees == (name not in p.lost and not p.own_rule) or (p.own_rule and name == "b" and agrees), name


@each
def test_recording_changes_nothing(p: Program) -> None:
    graph, out, a, b = recorded(p)
    after = torch.random.get_rng_state()
    torch.manual_seed(3)
    c, d = leaves()
    bare = p.run(c, d)
    assert torch.equal(torch.random.get_rng_state(), after)
    assert torch.equal(bare, out)
    assert bare.requires_grad == out.requires_grad
    if bare.requires_grad:
        bare.backward()
        out.backward()
        for mine, theirs in ((a, c), (b, d)):
            assert (mine.grad is None) == (theirs.grad is None)
            assert mine.grad is None or torch.equal(mine.grad, theirs.grad)
    assert graph.picture(out).nodes  # still there after the graph was freed
