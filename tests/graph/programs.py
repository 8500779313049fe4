"""Small programs with what a correct recording of each must show.

`edges` lists "source>target verdict"; a node without a name is written as its operation. `drawn` are the stochastic
nodes, `lost` the inputs with which the output does change although no gradient says so. Inputs: a and b, three numbers
each, and a module's parameter where `w` occurs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.distributions as D
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


@dataclass
class Program:
    name: str
    run: Callable[[Tensor, Tensor], Tensor]
    edges: set[str]
    drawn: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    stops: set[str] = field(default_factory=set)  # the operations that are named for ending a gradient
    own_rule: bool = False  # a gradient that is defined by hand and is not the derivative


PROGRAMS: list[Program] = []


def program(edges: str, *, drawn: str = "", lost: str = "", stops: str = "", own_rule: bool = False):
    def add(run):
        listed = {e.strip() for e in edges.split(";") if e.strip()}
        words = [set(text.split()) for text in (drawn, lost, stops)]
        PROGRAMS.append(Program(run.__name__, run, listed, *words, own_rule))
        return run

    return add


# -- all ways of cutting ---------------------------------------------------------------------------------------------


@program("a>z cut; b>z passes; z>out passes", lost="a", stops="detach")
def detach(a, b):
    z = a.detach() * b
    return z.sum()


@program("a>z cut; b>z passes; z>out passes", lost="a", stops="data")
def data_attribute(a, b):
    z = a.data * b
    return z.sum()


@program("a>h cut; h>out passes; b>out passes", lost="a", stops="torch.exp")
def no_grad_block(a, b):
    with torch.no_grad():
        h = torch.exp(a)
    return (h * b).sum()


@program("a>h cut; h>out passes; b>out passes", lost="a", stops="torch.exp")
def set_grad_enabled(a, b):
    torch.set_grad_enabled(False)
    h = torch.exp(a)
    torch.set_grad_enabled(True)
    return (h * b).sum()


@program("a>out cut; b>out passes", lost="a", stops="item()")
def python_number(a, b):
    return (b * a.sum().item()).sum()


@program("a>h cut; h>out passes; b>out passes", lost="a", stops="numpy()")
def numpy_shared_memory(a, b):
    h = torch.from_numpy(a.detach().numpy())
    return (h * b).sum()


@program("a>h cut; h>out passes; b>out passes", lost="a", stops="numpy()")
def numpy_computation(a, b):
    h = torch.tensor(np.exp(a.detach().numpy()))
    return (h * b).sum()


@program("a>out cut; b>out passes", lost="a", stops="item()")
def numbers_in_a_list(a, b):
    return (torch.tensor([2 * v.item() for v in a]) * b).sum()


@program("a>out cut; b>out passes", lost="a", stops="tolist()")
def list_of_numbers(a, b):
    return (torch.tensor(a.tolist()) * b).sum()


@program("a>m cut; m>out passes; b>out passes", stops="gt")
def comparison(a, b):
    m = (a > 0).double()
    return (m * b).sum()


@program("a>i cut; i>out cut; b>out passes", stops="argmax")
def integers(a, b):
    i = a.argmax()
    return b[i] * 2


@program("a>out zero; b>out passes", stops="torch.round")
def rounding(a, b):
    return (torch.round(a) * b).sum()


@program("a>h cut; h>out passes; b>out passes", lost="a", stops="detach")
def detach_then_ask_again(a, b):
    h = a.detach().requires_grad_()
    return (h * b).sum()


# -- random draws ----------------------------------------------------------------------------------------------------


@program("a>z zero; b>z zero; z>out passes", drawn="z", lost="a b", stops="torch.normal")
def normal_with_parameters(a, b):
    z = torch.normal(a, b.exp())
    return z.sum()


@program("a>z cut; b>z cut; z>out passes", drawn="z", lost="a b", stops="Normal.sample")
def distribution_sample(a, b):
    z = D.Normal(a, b.exp()).sample()
    return (z**2).sum()


@program("a>z passes; b>z passes; noise>z unasked; z>out passes", drawn="noise")
def distribution_rsample(a, b):
    z = D.Normal(a, b.exp()).rsample()
    return (z**2).sum()


@program("a>z passes; b>z passes; eps>z unasked; z>out passes", drawn="eps")
def by_hand(a, b):
    eps = torch.randn_like(a)
    z = a + b.exp() * eps
    return (z**2).sum()


@program("a>z passes; b>z passes; eps>z unasked; z>out passes", drawn="eps")
def in_place_draw(a, b):
    eps = torch.empty(3, dtype=torch.float64).normal_()
    z = a + b.exp() * eps
    return (z**2).sum()


@program("a>m zero; m>out passes; b>out passes", drawn="m", lost="a", stops="torch.bernoulli")
def bernoulli(a, b):
    m = torch.bernoulli(torch.sigmoid(a))
    return (m * b).sum()


@program("a>i cut; i>out cut; b>out passes", drawn="i", lost="a", stops="torch.multinomial")
def multinomial(a, b):
    i = torch.multinomial(torch.softmax(a, 0), 1)
    return b[i].sum()


@program("a>i cut; i>out cut; b>out passes", drawn="i", lost="a", stops="Categorical.sample")
def categorical(a, b):
    i = D.Categorical(logits=a).sample()
    return b[i] * 2


@program("a>h passes; noise in h>h unasked; h>out passes; b>out passes", drawn="noise_in_h")
def dropout(a, b):
    h = F.dropout(a, 0.5)
    return (h * b).sum()


@program("a>z passes; b>z passes; noise in z>z unasked; z>out passes", drawn="noise_in_z")
def implicit_reparameterization(a, b):
    z = torch._standard_gamma(a.exp() + b.exp())
    return z.sum()


@program("a>z cut; b>z cut; z>out passes; a>out passes; b>out passes", drawn="z", lost="a b", stops="Normal.sample")
def score_function(a, b):
    q = D.Normal(a, b.exp())
    z = q.sample()
    return (q.log_prob(z) * z**2).sum()


# -- shapes of graphs ------------------------------------------------------------------------------------------------


@program("a>out passes; b>out passes")
def broadcasting(a, b):
    return (a[:, None] * b[None, :] ** 2).sum()


@program("a>h passes; b>h passes; h>out passes")
def reuse(a, b):
    h = a * b
    return (h * h + h).sum()


@program("a>c passes; b>c passes; c>x passes; c>y passes; x>out passes; y>out passes")
def two_outputs_of_one_operation(a, b):
    c = torch.cat([a, b])
    x, y = c.chunk(2)
    return (x * y**2).sum()


@program("a>h_1 passes; b>h_1 passes; h_1>h_2 passes; b>h_2 passes; h_2>h_3 passes; b>h_3 passes; h_3>out passes")
def loop(a, b):
    h = a
    for _ in range(3):
        h = torch.tanh(h * b)
    return h.sum()


@program("a>out passes; b>out passes")
def where(a, b):
    return torch.where(a > 0, a**2, b**3).sum()


@program("a>out passes; b>out passes")
def recomputed_in_backward(a, b):
    return checkpoint(lambda t: torch.exp(t) * b, a, use_reentrant=False).sum()


@program("a>h passes; h>out passes; b>out passes; w>h passes")
def module_with_parameters(a, b):
    layer = nn.Linear(3, 3, bias=False, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(9.0).reshape(3, 3) / 9)
    h = layer(a)
    return (h * b).sum()


# -- in place --------------------------------------------------------------------------------------------------------


@program("a>h_1 passes; h_1>h_2 passes; b>h_2 passes; h_2>h_3 passes; h_3>out passes")
def in_place(a, b):
    h = a * 1
    h.add_(b)
    h.mul_(2)
    return h.sum()


@program("a>h_1 passes; h_1>h_2 passes; b>h_2 passes; h_2>out passes")
def write_one_entry(a, b):
    h = a * 1
    h[0] = b[0] * 2
    return h.sum()


@program("a>h_1 passes; h_1>h_2 passes; b>h_2 passes; h_2>v_2 passes; h_2>out passes; v_2>out passes")
def write_through_a_view(a, b):
    h = a * 1
    v = h[1:]
    v.mul_(b[1:])
    return h.sum() + v.sum()


@program("a>h_1 passes; h_1>h_2 passes; b>h_2 cut; h_2>out passes", lost="b", stops="detach")
def fill_a_buffer(a, b):
    h = torch.zeros(3, dtype=torch.float64)
    h[:2] = a[:2]
    h[2] = b[2].detach()
    return (h**2).sum()


# -- zeros that are true ---------------------------------------------------------------------------------------------


@program("a>h zero; h>out passes; b>out passes", stops="torch.relu")
def dead_unit(a, b):
    h = torch.relu(-a.abs() - 1)
    return (h + b).sum()


@program("a>h zero; h>out passes; b>out passes", stops="sub")
def cancels(a, b):
    h = a - a
    return (h + b).sum()


# -- gradients defined by hand ---------------------------------------------------------------------------------------


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * x * g


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, g):
        return g


@program("a>h passes; h>out passes; b>out passes")
def custom_function(a, b):
    h = Square.apply(a)
    return (h * b).sum()


@program("a>h passes; h>out passes; b>out passes", own_rule=True)
def straight_through(a, b):
    h = StraightThrough.apply(a)
    return (h * b).sum()


@program("a>h passes; h>out passes; b>out passes", own_rule=True)
def straight_through_by_detach(a, b):
    h = a + (a.round() - a).detach()
    return (h * b).sum()
