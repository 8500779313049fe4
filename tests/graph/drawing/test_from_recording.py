"""What is a node: modules shown whole or opened, functions shown whole, marked names, hidden noise, sentences."""

import torch
from torch import Tensor, nn

from vae_lab.graph import record, vae_views


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.tanh(self.first(x))
        return self.second(hidden)


def edges(graph, *args, **kwargs) -> set[tuple[str, str]]:
    return {(e.source, e.target) for e in graph.picture(*args, **kwargs).edges}


def test_a_named_module_is_whole_and_its_parameters_are_one_node() -> None:
    x, block = torch.rand(2, 3), Block()
    with record(x=x, phi=block) as graph:
        y = block(x)
    assert edges(graph, y) == {("x", "y"), ("phi", "y")}
    assert graph.reaches(y) == {"phi"}


def test_every_step_opens_it_and_names_each_parameter() -> None:
    x, block = torch.rand(2, 3), Block()
    with record(x=x, phi=block) as graph:
        y = block(x)
    picture = graph.picture(y, detail="all")
    assert {n.id for n in picture.nodes.values() if n.role == "parameter"} == {
        "phi.first.weight", "phi.first.bias", "phi.second.weight", "phi.second.bias",
    }  # fmt: skip
    assert [n.operation for n in picture.nodes.values() if n.role == "result"] == ["F.linear", "torch.tanh", "F.linear"]


def test_an_unnamed_module_shows_the_names_inside_it() -> None:
    x, block = torch.rand(2, 3), Block()
    with record(x=x) as graph:
        y = block(x)
    assert {"hidden", "Block.first.weight"} <= set(graph.picture(y).nodes)
    assert graph.kinds()["hidden"] == "deterministic"


def test_fold_shows_functions_modules_and_classes_whole() -> None:
    x, block = torch.rand(2, 3, requires_grad=True), Block()

    def helper(t: Tensor) -> Tensor:
        inside = t.exp()
        return inside * 2

    def run() -> Tensor:
        h = helper(x)
        return block(h)

    for fold in ([helper, block], [helper, "Block"]):
        with record(x=x, fold=fold) as graph:
            y = run()
        assert edges(graph, y) == {("x", "h"), ("h", "y"), ("Block", "y")}
        assert graph.picture(y).nodes["h"].caption == "helper"
    with record(x=x) as graph:
        y = run()
    assert "inside" in graph.picture(y).nodes


def test_two_modules_of_one_class_keep_their_parameters_apart() -> None:
    x = torch.rand(2, 3)
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    with record(x=x) as graph:
        y = second(first(x))
    assert sum(n.role == "parameter" for n in graph.picture(y).nodes.values()) == 4


def test_a_parameter_used_twice_is_one_node() -> None:
    x, layer = torch.rand(2, 3), nn.Linear(3, 3)
    with record(x=x) as graph:
        y = layer(layer(x))
    assert sum(n.role == "parameter" for n in graph.picture(y).nodes.values()) == 2


def test_marks_choose_what_is_shown() -> None:
    a = torch.ones(3, requires_grad=True)
    with record(a=a) as graph:
        h = a * 2
        k = h.exp()
        out = (k + 1).sum()
    assert set(graph.picture().nodes) == {"a", "h", "k", "out"}
    graph.mark(middle=k, loss=out)
    assert edges(graph) == {("a", "middle"), ("middle", "loss")}


def test_noise_inside_a_whole_module_is_shown() -> None:
    x, net = torch.rand(2, 3), nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5))
    with record(x=x, net=net) as graph:
        y = net(x)
    drawn = [n for n in graph.picture(y).nodes.values() if n.stochastic]
    assert len(drawn) == 1
    assert graph.kinds()["y"] == "deterministic"
    net.eval()
    with record(x=x, net=net) as graph:
        y = net(x)
    assert not any(n.stochastic for n in graph.picture(y).nodes.values())


def test_two_outputs_have_each_their_own_gradient() -> None:
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    with record(a=a, b=b) as graph:
        h = a * 3
        first = (h * b).sum()
        second = (h.detach() + b).sum()
    assert graph.reaches("first") == {"a", "b", "h"}
    assert graph.reaches("second") == {"b"} | {"h"} - {"h"}
    assert graph.gradient(second)["h", "second"] == "cut"
    assert graph.arriving(first)["a"].tolist() == [3.0, 3.0]


def test_each_edge_carries_its_own_share() -> None:
    phi = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    with record(phi=phi) as graph:
        m = phi**3
        s = torch.exp(phi)
        x = m + 2 * s
        f = x**2
    share = {(e.source, e.target): e.number for e in graph.picture(f).edges}
    d = 2 * (0.5**3 + 2 * 0.5**0 * torch.exp(phi).item())
    assert share["x", "f"] == share["m", "x"] == d
    assert share["s", "x"] == 2 * d
    assert share["phi", "m"] + share["phi", "s"] == graph.arriving(f)["phi"].item()


def test_the_vaes_two_views() -> None:
    before, after = vae_views()
    names = {"x", "phi", "mu", "sigma", "z", "theta", "x_hat", "loss"}
    assert set(before.kinds()) == names
    assert set(after.kinds()) == names | {"eps"}
    assert {n for n, kind in before.kinds().items() if kind == "stochastic"} == {"z"}
    assert {n for n, kind in after.kinds().items() if kind == "stochastic"} == {"eps"}
    learn = {"phi", "mu", "sigma", "theta"}
    assert before.reaches("loss") & learn == {"theta"}
    assert after.reaches("loss") & learn == learn
    forward = {
        ("x", "mu"),
        ("phi", "mu"),
        ("x", "sigma"),
        ("phi", "sigma"),
        ("mu", "z"),
        ("sigma", "z"),
        ("z", "x_hat"),
    }
    forward |= {("theta", "x_hat"), ("x", "loss"), ("x_hat", "loss")}
    assert edges(before) == forward
    assert edges(after) == forward | {("eps", "z")}
    assert vae_views(kl=True).as_written.reaches("loss") & learn == learn  # the KL term does not draw


def test_the_sentences() -> None:
    before, after = vae_views()
    said = before.describe().split("\n")
    assert "z is drawn at random by Normal.sample, given mu and sigma." in said
    assert "The gradient of loss reaches z, theta and x_hat." in said
    assert any(
        s.startswith("On its way from z to mu and sigma the gradient is cut at Normal.sample (line") for s in said
    )
    assert said[-1] == "No gradient reaches phi, so training cannot change phi."
    said = after.describe().split("\n")
    assert "eps is drawn at random by randn(4, latent); nothing leads into it." in said
    assert "z is computed from mu, sigma and eps by mu + sigma * eps." in said
    assert str(after) == after.describe() == str(after.draw())


def test_an_input_without_a_part_is_named() -> None:
    a, b = torch.ones(2, requires_grad=True), torch.ones(2)
    with record(a=a, b=b) as graph:
        out = a.sum()
    assert graph.describe(out).endswith("b plays no part in out.")


def test_nothing_asks_for_a_gradient() -> None:
    a = torch.ones(2)
    with record(a=a) as graph:
        z = torch.normal(a, 1.0)
        out = (z * a).sum()
    assert graph.kinds() == {"a": "deterministic", "z": "stochastic", "out": "deterministic"}
    assert set(graph.gradient(out).values()) == {"unasked"}
    assert graph.reaches() == set()
    assert graph.describe().endswith("Nothing here asks for a gradient: requires_grad is False for all that goes in.")


def test_the_output_that_is_shown_unless_another_is_chosen() -> None:
    a = torch.ones(2, requires_grad=True)
    with record(a=a) as graph:
        objective = (a * 2).sum()
        accuracy = (a > 0).float().mean()
    assert graph.picture().output == "objective"
    assert objective.requires_grad
    assert graph.picture(accuracy).output == "accuracy"
    with record(a=a) as graph:
        loss = (a * 2).sum()
        other = loss * 3
    assert graph.picture().output == "loss"
    assert graph.picture(other).output == "other"


def test_a_module_is_reached_only_if_all_its_parameters_are() -> None:
    x, net = torch.rand(2, 3), Block()
    with record(x=x, net=net) as graph:
        hidden = torch.tanh(net.first(x)).detach()
        y = net.second(hidden)
        loss = y.sum()
    assert graph.reaches("loss") == {"net.second.weight", "net.second.bias", "hidden", "y"}
    said = graph.describe("loss")
    assert "The gradient of loss reaches part of net, hidden and y." in said
    assert "No gradient reaches net.first.weight and net.first.bias, so training cannot change them." in said
    with record(x=x, net=net) as graph:
        loss = net(x).sum()
    assert graph.reaches("loss") == {"net"}
    del loss


def test_gradients_that_cancel_are_told() -> None:
    mu = torch.tensor([0.3, -0.7], requires_grad=True)
    with record(mu=mu) as graph:
        z = mu + torch.randn(2)
        out = (z - mu).sum()
    assert graph.reaches(out) == {"z"}
    assert "The gradients that come back to mu along several ways cancel: they add up to zero." in graph.describe(out)
