"""What cannot be shown truthfully ends in a clear line, not in a wrong picture."""

import warnings

import pytest
import torch
from torch import nn

from vae_lab.graph import RecordingError, record


def _scripted(x: torch.Tensor) -> torch.Tensor:
    return x * 2 + x


def test_an_output_that_depends_on_no_recorded_input() -> None:
    a = torch.ones(3, requires_grad=True)
    with record(a=a) as graph:
        out = torch.arange(3.0).sum() * 2
    with pytest.raises(RecordingError, match=r"depends on none of the recorded inputs \(a\).*compute it from them"):
        graph.draw(out)


def test_nothing_was_computed() -> None:
    with record(a=torch.ones(3)) as graph:
        pass
    with pytest.raises(RecordingError, match="nothing was computed"):
        graph.draw()


def test_a_graph_too_large_to_draw_offers_to_fold() -> None:
    net = nn.Sequential(*[nn.Linear(2, 2) for _ in range(30)])
    with record(x=torch.ones(1, 2)) as graph:
        out = net(torch.ones(1, 2) + 0).sum()
    del out
    with pytest.raises(RecordingError, match="depends on none"):
        graph.draw()
    x = torch.ones(1, 2)
    with record(x=x) as graph:
        y = net(x).sum()
    with pytest.raises(RecordingError, match=r"would have \d+ nodes, and more than 60 cannot be read.*fold=\[module"):
        graph.draw(y)
    with record(x=x, fold=[net]) as folded:
        y = net(x).sum()
    assert [n for n in folded.picture(y).nodes if not n.startswith("Sequential ")] == ["x", "Sequential", "y"]
    with record(x=x, net=net) as named:
        y = net(x).sum()
    assert set(named.picture(y).nodes) == {"x", "net", "y"}


@pytest.mark.parametrize(
    ("compute", "says"),
    [
        (lambda a: torch.vmap(lambda t: t * t)(a), "mul ran inside vmap or another transform of torch.func"),
        (lambda a: torch.vmap(lambda t: t * t)(a.detach()), "mul ran inside vmap or another transform of torch.func"),
        (
            lambda a: torch.func.grad(lambda t: (t**3 * a).sum())(a),
            "ran inside vmap or another transform of torch.func",
        ),
        (
            lambda a: torch.autograd.grad((a**3).sum(), a, create_graph=True)[0],
            "through MulBackward0, which the recorder did not see; compute it inside the block",
        ),
    ],
    ids=["vmap", "vmap without a gradient", "torch.func.grad", "gradient of a gradient"],
)
def test_an_operation_that_the_recorder_cannot_see(compute, says: str) -> None:
    a = torch.ones(3, requires_grad=True)
    with pytest.raises(RecordingError, match=says):
        with record(a=a):
            compute(a).sum()


def test_scripted_code_is_seen_from_below() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scripting is deprecated, and still in use
        scripted = torch.jit.script(_scripted)
    a = torch.ones(3, requires_grad=True)
    with record(a=a) as graph:
        out = scripted(a).sum()
    assert graph.gradient(out) == {("a", "out"): "passes"}


def test_a_value_computed_before_the_block() -> None:
    a = torch.ones(3, requires_grad=True)
    h = a * 2
    with pytest.raises(RecordingError, match=r"through MulBackward0, which the recorder did not see"):
        with record(a=a):
            (h * 3).sum()
    with pytest.raises(ValueError, match="h was computed from another of the names before the block"):
        record(a=a, h=h)


def test_names() -> None:
    a = torch.ones(3, requires_grad=True)
    with pytest.raises(TypeError, match="record: n is a int; a tensor or a module is wanted"):
        record(n=3)  # type: ignore[arg-type]
    net = nn.Linear(3, 2)
    with pytest.raises(TypeError, match=r"record: give each tensor and each module a name, .*: record\(net=net, a=a\)"):
        record(net, a)
    with pytest.raises(ValueError, match="c and a are the same tensor"):
        record(a=a, c=a)
    with pytest.raises(TypeError, match="fold is a Tensor"):
        record(fold=a)
    with record(a=a) as graph:
        h = a * 2
    with pytest.raises(ValueError, match=r"no value of the recording is called 'loss'; the names are: a, h\."):
        graph.gradient("loss")
    with pytest.raises(ValueError, match="this tensor is no value of the recording"):
        graph.gradient(torch.ones(2))
    with pytest.raises(ValueError, match="mark: z plays no part in the recorded block"):
        graph.mark(z=torch.ones(2))
    with pytest.raises(TypeError, match="mark: z is a list"):
        graph.mark(z=[h])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the name a is already given"):
        graph.mark(a=h)
    with pytest.raises(ValueError, match="detail is 'some'"):
        graph.draw(h, detail="some")
