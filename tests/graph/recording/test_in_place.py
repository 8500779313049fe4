"""Changes in place, above all of views: a call writes one of its arguments, and what shares its memory follows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from vae_lab.graph import explain
from vae_lab.graph.recording import recorder

ADDED_UP = [  # lines between `out = x.clone()` and `return out.square().sum()`
    "out[:, 0] *= 2",
    "out[0] += out[1:].sum(0)",
    "out[0].add_(out[1])",
    "out[0] = out[1]",
    "out[0], out[1] = out[1].clone(), out[0].clone()",
    "out[0].copy_(out[2])",
    "out.T[0] -= out.T[1]",
    "v = out.view(-1); v[::2] *= 3; v[1] = v[0]",
    "a = out[0]; b = out[1]; a.add_(1); out = b",
    "a = out[0]; b = out[1]; a.add_(1); out = a * b",
    "a = out[0]; b = out[1]; c = 2 * b; a.exp_(); out = b + c",
    "a = out[0]; b = out[1]; a.add_(1); b.mul_(2)",
    "out[:] = out.detach()",
    "d = out.detach(); out[0] = d[0]",
]
REFUSED = ["a = out[0]; b = out[1]; a.mul_(b)", "out.diagonal().mul_(out[0, 0])", "out[:, 0].exp_().mul_(out[:, 1])"]


def program(line: str) -> Callable[[Tensor], Tensor]:
    names: dict[str, Callable[[Tensor], Tensor]] = {}
    exec(f"def f(x):\n    out = x.clone()\n    {line}\n    return out.square().sum()", names)
    return names["f"]


@pytest.mark.parametrize("line", ADDED_UP)
def test_what_is_lost_is_what_autograd_gives_no_gradient(line: str) -> None:
    f, x = program(line), torch.linspace(-1, 2, 9).reshape(3, 3)
    asked = x.clone().requires_grad_()
    (truth,) = torch.autograd.grad(f(asked), asked)
    report = explain(f, x)
    assert report.lost == ([] if bool(truth.any()) else ["x"])
    if "detach" not in line:
        assert report.sentences == ["The gradient of the result of f reaches x."]


@pytest.mark.parametrize("line", REFUSED)
def test_where_autograd_refuses_its_words_are_handed_on(line: str) -> None:
    f, x = program(line), torch.linspace(-1, 2, 9).reshape(3, 3)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        f(x.clone().requires_grad_()).backward()
    assert "modified by an inplace operation" in " ".join(explain(f, x).sentences)


@pytest.mark.parametrize("line", ADDED_UP + REFUSED)
def test_nothing_follows_from_what_comes_after_it(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tapes = []
    made = recorder.Tape.__init__
    monkeypatch.setattr(recorder.Tape, "__init__", lambda tape: (tapes.append(tape), made(tape))[1])
    explain(program(line), torch.linspace(-1, 2, 9).reshape(3, 3))
    steps = [(old.key, new.key) for tape in tapes for op in tape.operations for old in op.inputs for new in op.outputs]
    assert steps
    assert all(old < new for old, new in steps)
