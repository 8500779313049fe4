"""What crosses between the two sides: values, gradients, random state, objects, callbacks, exceptions."""

from __future__ import annotations

import math
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
import torch

from tests.grading.far import side
from vae_lab.grading.rpc.leaves import same_bits
from vae_lab.grading.rpc.proxy import CallableProxy, ModuleProxy, Proxy, RemoteError
from vae_lab.grading.rpc.wire import WireError

ECHO = "def echo(*args, **kwargs):\n    return [list(args), kwargs]\ndef same(x):\n    return x"


def test_plain_values_cross_as_exact_builtins() -> None:
    values: list[Any] = [
        *(None, True, 0, -(2**62), 2**100, 1.5, -0.0, math.inf, 1j, "é\x00", b"\x00\xff", bytearray(b"ab")),
        *(
            [1, [2, (3,)]],
            (),
            {"a": {1: (2, None)}, (1, 2): "t"},
            {1, "x"},
            frozenset({2}),
            range(1, 9, 2),
            slice(1, None),
        ),
        *(torch.float16, torch.device("cpu"), torch.Size([2, 3]), ...),
    ]
    with side(ECHO) as (_, far):
        for value in values:
            got, keywords = far["echo"](value, key=value)
            assert got == [value]
            assert keywords == {"key": value}
            assert type(got[0]) is type(value)
        assert math.isnan(far["echo"](math.nan)[0][0])


def test_subclasses_arrive_as_the_builtin_type() -> None:
    source = "from collections import OrderedDict, namedtuple\nPair = namedtuple('Pair', 'a b')\n"
    source += "class Liar(str):\n    def __eq__(self, o): return True\n    __hash__ = str.__hash__\n"
    source += "def f():\n    return [Pair(1, 2), OrderedDict(a=1), Liar('x'), True]"
    with side(source) as (_, far):
        pair, ordered, liar, true = far["f"]()
    assert (type(pair), type(ordered), type(liar), type(true)) == (tuple, dict, str, bool)
    assert liar != "y"


DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int8, torch.uint8, torch.bool]


@pytest.mark.parametrize("dtype", [*DTYPES, torch.complex64])
def test_tensors_keep_dtype_shape_and_bytes(dtype: torch.dtype) -> None:
    with side("def same(x):\n    return x\ndef copy(x):\n    return x.clone()") as (_, far):
        for tensor in (
            torch.tensor([[0, 1, 1], [1, 0, 1]]).to(dtype),
            torch.zeros(0, 3, dtype=dtype),
            torch.ones((), dtype=dtype),
        ):
            got = far["copy"](tensor)
            assert got.dtype == dtype
            assert type(got) is torch.Tensor
            assert same_bits(got, tensor)
            assert far["same"](tensor) is tensor


def test_layout_crosses_both_ways() -> None:
    source = (
        "def look(x):\n    return (tuple(x.stride()), x.is_contiguous(), x.tolist())\ndef t(x):\n    return x.clone().T"
    )
    with side(source) as (_, far):
        base = torch.arange(12.0).reshape(3, 4)
        for tensor in (base.T, base[:, ::2], base[1:], torch.ones(3, 1).expand(3, 5), base.T.expand(2, 4, 3)):
            assert far["look"](tensor) == (tuple(tensor.stride()), tensor.is_contiguous(), tensor.tolist())
        assert far["t"](base).stride() == (1, 4)


def test_numpy_arrays_stay_numpy() -> None:
    with side("import numpy as np\ndef f(a):\n    return [a * 2, np.float32(1.5), type(a).__name__, a[::-1]]") as (
        _,
        far,
    ):
        doubled, scalar, name, flipped = far["f"](np.arange(3))
    assert isinstance(doubled, np.ndarray)
    assert doubled.tolist() == [0, 2, 4]
    assert flipped.tolist() == [2, 1, 0]
    assert type(scalar) is np.float32
    assert name == "ndarray"


FUNCTIONS = {
    "square": "def f(x, y):\n    return x ** 2 * y",
    "two results": "def f(x, y):\n    return x * y, (x.sin(), 3)",
    "in a dict": "def f(x, y):\n    return {'a': [x.exp() * y]}",
    "a cut": "def f(x, y):\n    return x.detach() * y",
    "no grad": "def f(x, y):\n    with torch.no_grad():\n        return x * y",
    "its argument": "def f(x, y):\n    return x",
    "a view": "def f(x, y):\n    return (x * y).reshape(1, -1)[0, :2]",
    "in place": "def f(x, y):\n    z = x * 1\n    z.mul_(y)\n    return z",
}


def flat(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
    return [tensor for item in items for tensor in flat(item)]


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_gradients_are_those_of_one_process(name: str) -> None:
    namespace: dict[str, Any] = {"torch": torch}
    exec(FUNCTIONS[name], namespace)

    def run(f: Any) -> tuple[Any, ...]:
        x = torch.tensor([0.5, 1.5, -2.0], dtype=torch.float64, requires_grad=True)
        leaf = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, requires_grad=True)
        outs = flat(f(x, leaf * 2))
        flags = [(out.requires_grad, out.is_leaf) for out in outs]
        graph = [out for out in outs if out.requires_grad]
        if not graph:
            return flags, [out.tolist() for out in outs]
        total = torch.stack([(out**3).sum() for out in graph]).sum()
        first = torch.autograd.grad(total, [x, leaf], create_graph=True, allow_unused=True)
        again = [g.sum() for g in first if g is not None and g.requires_grad]
        second = torch.autograd.grad(torch.stack(again).sum(), [x, leaf], allow_unused=True) if again else ()
        found = [None if g is None else [f"{n:.12g}" for n in g.tolist()] for g in (*first, *second)]
        return flags, [out.tolist() for out in outs], found

    with side(FUNCTIONS[name]) as (_, far):
        assert run(far["f"]) == run(namespace["f"])


def test_grad_mode_and_default_dtype_travel() -> None:
    with side("def f(x):\n    return x * torch.ones(2)") as (_, far):
        x = torch.ones(2, requires_grad=True)
        with torch.no_grad():
            assert not far["f"](x).requires_grad
        torch.set_default_dtype(torch.float64)
        try:
            assert far["f"](x).dtype == torch.float64
        finally:
            torch.set_default_dtype(torch.float32)


MODEL = """
class Net(torch.nn.Module):
    def __init__(self, n):
        super().__init__()
        self.layer = torch.nn.Linear(n, 2)
        self.n = n
    def forward(self, x):
        return self.layer(x)
    def pairs(self):
        for p in self.parameters():
            yield p, "p"
def step(model, rate):
    with torch.no_grad():
        for p in model.parameters():
            p -= rate * p.grad
def data_step(model, rate):
    for p in model.parameters():
        p.data = p.data - rate * p.grad
def is_net(model):
    return type(model).__name__
"""


@pytest.mark.parametrize("step", ["step", "data_step"])
def test_a_model_trains_across(step: str) -> None:
    with side(MODEL) as (_, far):
        model = far["Net"](3)
        assert isinstance(model, ModuleProxy)
        assert isinstance(model, torch.nn.Module)
        assert isinstance(model, far["Net"])
        assert model.n == 3
        assert far["is_net"](model) == "Net"
        assert model.layer is model.layer
        x = torch.randn(4, 3, requires_grad=True)
        loss = model(x).pow(2).sum()
        loss.backward()
        weight, bias = model.parameters()
        assert isinstance(weight, torch.nn.Parameter)
        expected = 2 * (x @ weight.T + bias)
        assert torch.allclose(weight.grad, expected.T @ x)
        assert torch.allclose(x.grad, expected @ weight)
        before = weight.detach().clone()
        far[step](model, 0.1)
        assert torch.allclose(weight, before - 0.1 * weight.grad)
        assert torch.equal(model.state_dict()["layer.weight"], weight)
        model.zero_grad()
        assert weight.grad is None
        with torch.no_grad():
            weight.zero_()
            bias.zero_()
        assert torch.equal(model(x), torch.zeros(4, 2))
        assert [kind for _, kind in model.pairs()] == ["p", "p"]
        (by_grad,) = torch.autograd.grad(model(x).sum(), weight)
        assert torch.allclose(by_grad, x.detach().sum(0).expand(2, 3))
        assert weight.grad is None


LAYERS = """
model = torch.nn.Linear(3, 2)
spare = torch.nn.Linear(3, 2)
def back(of):
    of(torch.ones(4, 3)).sum().backward()
def grad(of):
    return of.weight.grad
def shift():
    with torch.no_grad():
        model.weight += 1
"""


def test_a_mirror_that_nothing_holds_is_let_go_on_both_sides() -> None:
    with side(LAYERS) as (peer, far):
        held = [model.weight for model in (far["model"], far["spare"])]
        assert held[0].shape == (2, 3)
        peer.ask("names", ["model"])
        assert len(peer.leaves._theirs) == 2
        weight, before = held[0], held[0].detach().clone()
        del held
        far["shift"]()
        assert len(peer.leaves._theirs) == 1
        assert torch.equal(weight, before + 1)  # the one that is held follows
        far["model"](torch.ones(1, 3)).sum().backward()
        assert torch.equal(far["grad"](far["model"]), torch.ones(2, 3))


@pytest.mark.parametrize(
    "hold", [lambda w: w.data, lambda w: w.detach().numpy(), lambda w: (w * 2).sum(), lambda w: [w]]
)
def test_whatever_reaches_a_mirror_keeps_it(hold: Any) -> None:
    with side(LAYERS) as (peer, far):
        held = hold(far["model"].weight)
        for _ in range(3):
            peer.ask("names", ["model"])
        assert len(peer.leaves._theirs) == 1
        del held
        peer.ask("names", ["model"])
        assert not peer.leaves._theirs


def test_what_is_changed_through_a_view_goes_home_before_the_mirror_is_let_go() -> None:
    with side(LAYERS) as (_, far):
        far["model"].weight.data.zero_()
        assert not far["model"].weight.any()
        far["model"].weight.detach().numpy()[:] = 3
        assert torch.equal(far["model"](torch.ones(1, 3)) - far["model"].bias, torch.full((1, 2), 9.0))


def test_a_gradient_from_before_a_parameter_was_seen_is_seen_and_added_to() -> None:
    with side(LAYERS) as (_, far):
        far["back"](far["model"])
        assert torch.equal(far["model"].weight.grad, torch.full((2, 3), 4.0))
        far["back"](far["spare"])
        far["spare"](torch.ones(1, 3)).sum().backward()
        assert torch.equal(far["grad"](far["spare"]), torch.full((2, 3), 5.0))
        assert torch.equal(far["spare"].weight.grad, torch.full((2, 3), 5.0))


def test_callbacks_carry_gradients_to_both_sides() -> None:
    source = "theta = torch.nn.Parameter(torch.tensor(2.0))\ndef f(g, x):\n    return theta * g(x * theta)"
    with side(source) as (_, far):
        own = torch.tensor(3.0, requires_grad=True)
        seen: list[torch.Tensor] = []

        def g(z: torch.Tensor) -> torch.Tensor:
            seen.append(z)
            return z**2 * own

        x = torch.tensor(5.0, requires_grad=True)
        y = far["f"](g, x)
        assert y.item() == 2 * (5 * 2) ** 2 * 3
        y.backward()
        theta = far["theta"]
        assert (x.grad, own.grad, theta.grad) == (2 * 2 * 10 * 2 * 3, 2 * 100, 3 * 3 * 25 * 4)
        assert len(seen) == 1


def test_a_callback_may_raise_and_comes_back_as_itself() -> None:
    class Stop(Exception):
        pass

    def g() -> None:
        raise Stop("the encoder was called")

    with side(
        "def f(g):\n    return g()\ndef swallow(g):\n    try:\n        g()\n    except Exception:\n        return 7"
    ) as (_, far):
        with pytest.raises(Stop, match="the encoder was called"):
            far["f"](g)
        assert far["swallow"](g) == 7


def test_the_other_side_reaches_nothing_beyond_an_argument() -> None:
    source = "def f(g, name):\n    return getattr(g, name)\ndef m(g):\n"
    source += "    return [sorted(n for n, _ in g.named_parameters()), g.decode(torch.ones(2)), g.eval() is g]"

    class Decoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)

        def decode(self, z: torch.Tensor) -> torch.Tensor:
            return self.layer(z)

    def g() -> int:
        return 1

    with side(source) as (_, far):
        for name in ("__globals__", "__code__", "__self__", "gi_frame"):
            with pytest.raises((RemoteError, AttributeError)):
                far["f"](g, name)
        with pytest.raises(AttributeError, match="cannot be reached"):
            far["f"]((i for i in range(3)), "gi_frame")
        model = Decoder()
        with pytest.raises(AttributeError, match="cannot be reached"):
            far["f"](model, "register_forward_hook")
        names, decoded, same = far["m"](model)
        assert (names, same) == (["layer.bias", "layer.weight"], True)
        assert torch.allclose(decoded, model.decode(torch.ones(2)))
        with pytest.raises(WireError, match="the module torch cannot cross"):
            far["f"](torch, "nn")


def test_changes_in_place_are_seen() -> None:
    with side("def f(x):\n    x.add_(1)\n    return x.sum()\ndef g(x):\n    x[...] = 0") as (peer, far):
        x = torch.arange(3.0)
        assert far["f"](x).item() == 6.0
        assert x.tolist() == [1.0, 2.0, 3.0]
        assert peer.changed_arguments
        part = torch.arange(8.0)[::2]
        far["g"](part)
        assert part.tolist() == [0.0] * 4


def test_a_gradient_asked_of_an_argument_is_seen() -> None:
    source = "def f(x, y):\n    x.requires_grad_()\n    return x * 2\ndef g(x, y):\n    x = x.clone().requires_grad_()"
    with side(source) as (_, far):
        x, y = torch.ones(2), torch.ones(2)
        far["g"](x, y)
        assert not x.requires_grad
        far["f"](x, y)
        assert x.requires_grad
        assert not y.requires_grad


def test_what_a_check_passes_cannot_be_copied() -> None:
    with side("import copy\ndef f(thing):\n    return copy.deepcopy(thing)") as (_, far):
        for thing in (torch.nn.Linear(2, 2), lambda: None):
            with pytest.raises(TypeError, match="cannot be copied or pickled"):
                far["f"](thing)


def test_random_state_travels_and_cannot_be_chosen() -> None:
    source = (
        "def draw(n):\n    return torch.randn(n)\ndef reseed():\n    torch.manual_seed(7)\ndef quiet():\n    return 1\n"
    )
    source += "def given(n, generator):\n    return torch.randn(n, generator=generator)"
    with side(source) as (_, far):
        torch.manual_seed(3)
        here = torch.randn(5)
        torch.manual_seed(3)
        assert torch.equal(far["draw"](5), here)
        state = torch.get_rng_state()
        far["quiet"]()
        assert torch.equal(torch.get_rng_state(), state)
        after = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            far["reseed"]()
            after.append(torch.rand(3))
        assert torch.equal(*after)
        assert not torch.equal(after[0], torch.rand(3, generator=torch.Generator().manual_seed(7)))
        torch.manual_seed(1)
        far["draw"](1)
        a = torch.rand(3)
        torch.manual_seed(2)
        far["draw"](1)
        assert not torch.equal(a, torch.rand(3))
        generator = torch.Generator().manual_seed(11)
        first, second = far["given"](4, generator), far["given"](4, generator)
        assert torch.equal(first, torch.randn(4, generator=torch.Generator().manual_seed(11)))
        assert not torch.equal(first, second)


def test_exceptions_have_their_type_and_text() -> None:
    source = "class Odd(KeyError):\n    pass\ndef f(n):\n    if n: raise Odd('why')\n    raise SystemExit(3)"
    with side(source) as (_, far):
        with pytest.raises(KeyError) as caught:
            far["f"](1)
        assert isinstance(caught.value, RemoteError)
        assert caught.value.kind == "Odd"
        assert "why" in caught.value.text
        with pytest.raises(RemoteError):
            far["f"](0)
        with pytest.raises(TypeError):
            far["f"]()


BOX = """
class Box:
    def __init__(self):
        self.items = [1, 2]
    def __len__(self):
        return 2
    def __getitem__(self, i):
        return self.items[i]
    def __contains__(self, x):
        return x in self.items
    def __iter__(self):
        return iter(self.items)
    def same(self, o):
        return o is self
box = Box()
def gen():
    yield from (1, 2)
"""


def test_objects_are_stand_ins_with_identity_and_containers() -> None:
    with side(BOX) as (_, far):
        box = far["box"]
        assert type(box) is Proxy
        assert (len(box), box[1], 2 in box, 5 in box, list(box), box.same(box)) == (2, 2, True, False, [1, 2], True)
        assert list(far["gen"]()) == [1, 2]
        assert isinstance(far["Box"], CallableProxy)
        assert not callable(box)
        with pytest.raises(AttributeError, match="cannot be looked at"):
            _ = box._hidden
        with pytest.raises(AttributeError, match="cannot set"):
            box.items = 3
        with pytest.raises(AttributeError):
            _ = box.nothing


@pytest.mark.parametrize(
    "value",
    [
        "torch.zeros(1).expand(1 << 40)",
        "torch.eye(3).to_sparse()",
        "'x' * 2_000_000",
        "list(range(300_000))",
        "(lambda a: [a.append(a), a][1])([])",
        "torch",
        "10 ** 5000",
        "torch.zeros(3, device='meta')",
        "__import__('numpy').array([object()])",
    ],
)
def test_what_cannot_cross_fails_that_call_only(value: str) -> None:
    with side(f"def f():\n    return {value}\ndef ok():\n    return 1") as (_, far):
        with pytest.raises((RemoteError, WireError)):
            far["f"]()
        assert far["ok"]() == 1


def test_what_a_test_cannot_send_is_said() -> None:
    with side(ECHO) as (_, far):
        with pytest.raises(WireError, match="sparse_coo"):
            far["echo"](torch.eye(2).to_sparse())
        assert far["echo"](namedtuple("P", "a")(1)) == [[(1,)], {}]
