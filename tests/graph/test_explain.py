"""What `explain` says about right samplers, wrong ones, and ones written in an unusual way."""

import random
import re

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from vae_lab.graph import explain

MU, LOGVAR = torch.zeros(4, 2), torch.zeros(4, 2)


# -- right ones, however they are written ------------------------------------------------------------------------------


def plain(mu, logvar):
    return mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)


def minus(mu, logvar):
    return mu - logvar.mul(0.5).exp() * torch.empty_like(mu).normal_()


def with_distribution(mu, logvar):
    return Independent(Normal(mu, (logvar / 2).exp()), 1).rsample()


def by_inverse(mu, logvar):
    u = torch.rand(mu.shape).clamp(1e-6, 1 - 1e-6)
    return Normal(mu, (logvar / 2).exp()).icdf(u)


def row_by_row(mu, logvar):
    rows = []
    for m, lv in zip(mu, logvar, strict=True):
        rows.append(torch.addcmul(m, torch.exp(lv / 2), torch.randn(m.shape)))
    return torch.stack(rows)


def in_place(mu, logvar):
    z = torch.randn_like(mu)
    z *= torch.exp(logvar / 2)
    z += mu
    return z


def noise_from_numpy(mu, logvar):
    return mu + torch.exp(logvar / 2) * torch.from_numpy(np.random.randn(*mu.shape)).float()


def custom_gradient(mu, logvar):
    class Shift(torch.autograd.Function):
        @staticmethod
        def forward(ctx, m, s, e):
            ctx.save_for_backward(e)
            return m + s * e

        @staticmethod
        def backward(ctx, g):
            (e,) = ctx.saved_tensors
            return g, g * e, None

    return Shift.apply(mu, torch.exp(logvar / 2), torch.randn_like(mu))


@pytest.mark.parametrize(
    "f",
    [plain, minus, with_distribution, by_inverse, row_by_row, in_place, noise_from_numpy, custom_gradient],
    ids=lambda f: f.__name__,
)
def test_right_answers(f) -> None:
    report = explain(f, MU, LOGVAR)
    assert report.reached == ["mu", "logvar"]
    assert report.lost == []
    assert report.sentences == [f"The gradient of the result of {f.__name__} reaches mu and logvar."]


# -- wrong ones, and what must be said about them --------------------------------------------------------------------


def torch_normal(mu, logvar):
    std = torch.exp(logvar / 2)
    return torch.normal(mu, std)


def sample(mu, logvar):
    return Normal(mu, torch.exp(logvar / 2)).sample()


def detached_spread(mu, logvar):
    return mu + torch.exp(logvar / 2).detach() * torch.randn_like(mu)


def under_no_grad(mu, logvar):
    with torch.no_grad():
        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)


@torch.inference_mode()
def in_inference_mode(mu, logvar):
    return mu + torch.exp(logvar / 2) * torch.randn_like(mu)


def numpy_draw(mu, logvar):
    z = np.random.normal(mu.detach().numpy(), np.exp(logvar.detach().numpy() / 2))
    return torch.tensor(z)


def python_numbers(mu, logvar):
    z = [random.gauss(m.item(), 1.0 + v.item()) for m, v in zip(mu.flatten(), logvar.flatten(), strict=True)]
    return torch.tensor(z).reshape(mu.shape)


def copied(mu, logvar):
    return torch.tensor(mu.tolist()) + torch.exp(logvar / 2) * torch.randn_like(mu)


def through_data(mu, logvar):
    return mu + torch.exp(logvar.data / 2) * torch.randn_like(mu)


def rewrapped(mu, logvar):
    return torch.nn.Parameter(mu + torch.exp(logvar / 2) * torch.randn_like(mu))


@pytest.mark.parametrize(
    ("f", "lost", "says"),
    [
        (torch_normal, ["mu", "logvar"], r"exactly zero at torch.normal \(line \d+: return torch.normal\(mu, std\)\)"),
        (sample, ["mu", "logvar"], r"is cut at Normal.sample \(line \d+: .*\): it draws at random"),
        (detached_spread, ["logvar"], r"to logvar the gradient is cut at detach \(line \d+"),
        (under_no_grad, ["mu", "logvar"], r"while gradients were switched off \(no_grad"),
        (in_inference_mode, ["mu", "logvar"], r"while gradients were switched off \(no_grad"),
        (numpy_draw, ["mu", "logvar"], r"cut at numpy\(\) \(line \d+: z = np.random.normal.*left torch by numpy\(\)"),
        (python_numbers, ["mu", "logvar"], r"cut at item\(\) .*plain numbers, which carry no history"),
        (copied, ["mu"], r"cut at tolist\(\)"),
        (through_data, ["logvar"], r"cut at data \(line \d+"),
        (rewrapped, ["mu", "logvar"], r"is cut|depends on none of the inputs"),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)  # fmt: skip
def test_wrong_answers(f, lost: list[str], says: str) -> None:
    report = explain(f, MU + 0.3, LOGVAR + 0.2)
    assert report.lost == lost
    assert set(report.reached) == {"mu", "logvar"} - set(lost)
    assert re.search(says, str(report)), str(report)
    for name in lost:
        assert f"a nudge of {name} does change the result: its gradient is lost." in str(report)


def forgets_logvar(mu, logvar):
    return mu + torch.randn_like(mu)


def rounds(mu, logvar):
    return torch.round(mu + torch.exp(logvar / 2) * torch.randn_like(mu))


def dead(mu, logvar):
    return torch.relu(mu - 100) + torch.exp(logvar / 2) * torch.randn_like(mu)


def test_an_input_that_is_not_used_is_not_called_lost() -> None:
    report = explain(forgets_logvar, MU, LOGVAR)
    assert (report.reached, report.lost) == (["mu"], [])
    assert "A nudge of logvar does not change the result at all: there is no gradient to lose." in report.sentences


def test_flat_everywhere_is_told_from_flat_here() -> None:
    assert "becomes exactly zero at torch.round" in str(explain(rounds, MU, LOGVAR))
    assert "it is flat: a small change" in str(explain(rounds, MU, LOGVAR))
    assert "its slope is zero at this point, while other values would let the gradient pass" in str(
        explain(dead, MU, LOGVAR)
    )


def test_several_results_modules_and_other_arguments() -> None:
    encoder = nn.Linear(3, 4)

    def step(encoder: nn.Module, x: Tensor, scale: float, *, temperature: Tensor) -> tuple[Tensor, Tensor]:
        mu, logvar = encoder(x).chunk(2, -1)
        return mu * scale / temperature, torch.normal(mu, logvar.exp())

    before = [p.clone() for p in encoder.parameters()]
    report = explain(step, encoder, torch.rand(5, 3), 2.0, temperature=torch.tensor(0.5))
    assert report.reached == ["encoder", "x", "temperature"]
    assert any(s.startswith("The gradient of result 1 of step reaches") for s in report.sentences)
    assert any(s.startswith("The gradient of result 2 of step reaches none of its inputs") for s in report.sentences)
    assert all(torch.equal(p, q) and p.grad is None for p, q in zip(encoder.parameters(), before, strict=True))


def test_a_module_as_the_function() -> None:
    report = explain(nn.Linear(3, 2), torch.rand(4, 3))
    assert report.reached == ["input"]
    assert "weight" in str(report)


def test_nothing_to_explain() -> None:
    with pytest.raises(TypeError, match="none of the inputs is a floating-point tensor or a module"):
        explain(lambda i: i + 1, torch.tensor([1, 2]))
    report = explain(lambda mu: mu > 0, MU)
    assert "gives back tensors of torch.bool; only a floating-point tensor can hand a gradient" in str(report)
    assert "gives back a ndarray" in str(explain(lambda mu: mu.detach().numpy(), MU))
    assert "gives back a NoneType" in str(explain(lambda mu: None, MU))


def test_random_streams_and_inputs_are_untouched() -> None:
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)
    mu = torch.zeros(4, 2, requires_grad=True)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    explain(numpy_draw, mu, LOGVAR)
    explain(python_numbers, mu, LOGVAR)
    explain(torch_normal, mu, LOGVAR)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (np.random.get_state()[1] == states[1]).all()
    assert random.getstate() == states[2]
    assert mu.grad is None
    assert not mu.any()


def test_the_report_shows_itself() -> None:
    html = explain(sample, MU, LOGVAR)._repr_html_()
    assert html.startswith("<ul><li>The gradient of the result of sample")
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="vae-graph"' in html


# -- gradients that are there, and of no use -------------------------------------------------------------------------


def own_backward(gives):
    class Doubled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 2 * x

        @staticmethod
        def backward(ctx, g):
            return gives(g)

    def doubled(mu):
        return Doubled.apply(mu)

    return doubled


@pytest.mark.parametrize(("gives", "said"), [(torch.zeros_like, "exactly zero"), (lambda g: None, "None")])
def test_a_backward_of_ones_own_is_named_as_the_cause(gives, said) -> None:
    report = explain(own_backward(gives), MU)
    assert report.lost == ["mu"]
    assert f"the backward written for it gives {said}" in str(report)


def test_a_constant_of_a_smooth_draw_is_not_said_to_be_a_draw_that_hands_on_zeros() -> None:
    def shares_of_one(mu):
        return torch.distributions.Dirichlet(mu.exp()).rsample().sum()

    report = explain(shares_of_one, MU)
    assert report.reached == []
    assert "its slope is zero at this point" in str(report)
    assert "without an error" not in str(report)


def test_a_gradient_that_is_not_finite_is_reported_where_it_arises() -> None:
    def spread(mu):
        variance = (mu - mu).square()
        sigma = variance.sqrt()  # slope 1 / (2 * 0)
        return (mu + sigma).sum()

    report = explain(spread, MU)
    said = [s for s in report.sentences if "stops being finite" in s]
    assert len(said) == 1
    assert "variance.sqrt()" in said[0]


# -- a module is reached only if all of it is ------------------------------------------------------------------------


class Whole(nn.Module):
    """A VAE in one module; `how` z comes about is what differs."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.encoder, self.decoder = nn.Linear(20, 6), nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 20))

    def forward(self, x: Tensor) -> Tensor:
        mu, logvar = self.encoder(x).chunk(2, 1)
        q = Normal(mu, torch.exp(logvar / 2))
        self.kept = mu  # a tensor of an earlier computation, which deepcopy refuses
        if self.how == "weight only":
            mu = nn.functional.linear(x, self.encoder.weight, self.encoder.bias.detach())[:, :3]
        z = {"rsample": q.rsample, "sample": q.sample, "mean": lambda: mu, "weight only": lambda: mu}[self.how]()
        return self.decoder(z)


def reconstruction(model: nn.Module, x: Tensor) -> Tensor:
    return nn.functional.binary_cross_entropy_with_logits(model(x), x, reduction="sum")


DECODER = [f"model.decoder.{i}.{p}" for i in (0, 2) for p in ("weight", "bias")]


@pytest.mark.parametrize(
    ("how", "reached", "lost"),
    [
        ("rsample", ["model", "x"], []),
        ("sample", [*DECODER, "x"], ["model.encoder.weight", "model.encoder.bias"]),
        ("mean", ["model", "x"], []),
        ("weight only", ["model.encoder.weight", *DECODER, "x"], ["model.encoder.bias"]),
    ],
)
def test_parameters_without_a_gradient_are_named(how: str, reached: list[str], lost: list[str]) -> None:
    model = Whole(how)
    model(torch.rand(2, 20))
    report = explain(reconstruction, model, torch.rand(5, 20))
    assert (report.reached, report.lost) == (reached, lost)
    if lost:
        assert f"No gradient reaches {' and '.join(lost)}, so training cannot change" in str(report)
        assert f"a nudge of {' or '.join(lost)} does change the result" in str(report)
        assert "reaches x and part of model." in report.sentences[0]


def test_parameters_of_the_function_itself_are_named() -> None:
    report = explain(Whole("sample"), torch.rand(5, 20))
    assert (report.reached, report.lost) == ([], ["x", "encoder.weight", "encoder.bias"])

    class WithLoss(Whole):
        def loss(self, x: Tensor) -> Tensor:
            return reconstruction(self, x)

    report = explain(WithLoss("sample").loss, torch.rand(5, 20))
    assert (report.reached, report.lost) == (["x"], ["encoder.weight", "encoder.bias"])


def test_parameters_that_are_not_used_are_named_and_not_called_lost() -> None:
    def of_decoder(model: nn.Module, z: Tensor) -> Tensor:
        return model.decoder(z)

    model = Whole("rsample")
    report = explain(of_decoder, model, torch.rand(5, 3))
    assert (report.reached, report.lost) == ([*DECODER, "z"], [])
    assert "a nudge of model.encoder.weight or model.encoder.bias does not change the result" in str(report).replace(
        "A nudge", "a nudge"
    )
    model.encoder.requires_grad_(False)  # frozen on purpose
    assert explain(of_decoder, model, torch.rand(5, 3)).reached == ["model", "z"]


# -- draws of whole numbers: the verdict does not hang on how many rows there are -----------------------------------


def categorical(logits):
    return torch.distributions.Categorical(logits=logits).sample().float().sum()


def bernoulli(logits):
    return torch.distributions.Bernoulli(logits=logits).sample().mean()


def compared(logits):
    return (torch.rand_like(logits) < torch.sigmoid(logits)).float()


def multinomial(logits):
    return torch.multinomial(logits.softmax(-1), 1).float()


def largest(logits):
    return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).float()


def poisson(logits):
    return torch.poisson(logits.exp())


def rounded(logits):
    return torch.round(logits)


def numpy_choice(logits):
    p = logits.softmax(-1).detach().numpy().astype(float)
    return torch.tensor([float(np.random.choice(len(row), p=row / row.sum())) for row in p])


@pytest.mark.parametrize("rows", [1, 4, 300])
@pytest.mark.parametrize(
    "f",
    [categorical, bernoulli, compared, multinomial, largest, poisson, rounded, numpy_choice],
    ids=lambda f: f.__name__,
)
def test_a_draw_of_whole_numbers_loses_the_gradient_however_many_rows(f, rows: int) -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        report = explain(f, torch.randn(rows, 5))
        assert (report.reached, report.lost) == ([], ["logits"])
        assert report.sentences[-1].endswith("a nudge of logits does change the result: its gradient is lost.")


def probabilities(p):
    return torch.distributions.Categorical(probs=p).sample().float()


def coins(p):
    return torch.bernoulli(p)


@pytest.mark.parametrize("f", [probabilities, coins], ids=lambda f: f.__name__)
def test_so_do_draws_from_probabilities_which_not_every_change_leaves_valid(f) -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        assert explain(f, torch.rand(2, 5).softmax(-1)).lost == ["p"]
        assert explain(f, torch.full((2, 5), 0.2)).lost == ["p"]
    pixels = torch.randint(0, 256, (9, 200)).float()
    assert explain(lambda x: torch.bernoulli(x / 255).mean(), pixels).lost == ["x"]  # where no pixel may grow


def test_a_draw_that_plays_no_part_has_no_gradient_to_lose() -> None:
    report = explain(lambda logits, mu: mu + 0 * categorical(logits), torch.randn(4, 5), torch.zeros(3))
    assert (report.reached, report.lost) == (["mu"], [])
    assert explain(lambda mu: torch.relu(mu - 100), MU).lost == []  # flat here: zero is the right gradient


# -- ways that cancel ------------------------------------------------------------------------------------------------


def minus_the_mean(mu, logvar):
    z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    return (z - mu).square().sum()


def log_density_of_its_own_draw(mu, logvar):
    z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    return Normal(mu, torch.exp(logvar / 2)).log_prob(z).sum()


def from_itself(mu, logvar):
    return mu - mu + torch.exp(logvar / 2) * torch.randn_like(mu)


@pytest.mark.parametrize("size", [0.0, 1.0, 1e3])
@pytest.mark.parametrize("f", [minus_the_mean, log_density_of_its_own_draw, from_itself], ids=lambda f: f.__name__)
def test_two_ways_that_cancel_are_told_as_such(f, size: float) -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        report = explain(f, size * torch.randn(4, 3), torch.randn(4, 3))
        assert (report.reached, report.lost) == (["logvar"], [])
        assert "cancel" in str(report)
        assert "A nudge of mu does not change the result at all" in str(report)


def test_ways_that_do_not_quite_cancel_reach() -> None:
    report = explain(lambda mu: (mu - (1 - 1e-4) * mu).sum(), torch.ones(3))
    assert report.reached == ["mu"]


# -- changes in place ------------------------------------------------------------------------------------------------


def onto_the_mean(mu, logvar):
    mu += torch.exp(logvar / 2) * torch.randn_like(mu)
    return mu


def clipped(mu, logvar):
    logvar.clamp_(-4, 4)
    return mu + torch.exp(logvar / 2) * torch.randn_like(mu)


def first_row(mu, logvar):
    mu[0] = 0
    return mu + torch.exp(logvar / 2) * torch.randn_like(mu)


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (onto_the_mean, r"mu is changed in place by __iadd__|mu is changed in place by add_ \(line \d+: mu \+="),
        (clipped, r"logvar is changed in place by clamp_ \(line \d+: logvar.clamp_\(-4, 4\)\): whoever called"),
        (first_row, r"mu is changed in place by __setitem__"),
    ],
    ids=lambda v: getattr(v, "__name__", None),
)
def test_an_input_changed_in_place(f, said: str) -> None:
    mu, logvar = torch.ones(4, 2), torch.ones(4, 2)
    report = explain(f, mu, logvar)
    assert (report.reached, report.lost) == (["mu", "logvar"], [])
    assert re.search(said, report.sentences[-1]), report
    assert torch.equal(mu, torch.ones(4, 2))


def test_a_value_that_autograd_still_needs_changed_in_place() -> None:
    def spoiled(mu, logvar):
        std = torch.exp(logvar / 2)
        z = mu + std * torch.randn_like(mu)
        std.mul_(2)
        return z

    report = explain(spoiled, MU, LOGVAR)
    assert (report.reached, report.lost) == (["mu"], ["logvar"])
    assert re.search(r"The value was changed by mul_ \(line \d+: std.mul_\(2\)\); write `a = a \* b`", str(report))


def test_a_copy_by_torch_tensor_says_so() -> None:
    def copied_anew(mu, logvar):
        z = plain(mu, logvar)
        return torch.tensor(z)

    with pytest.warns(UserWarning, match="copy construct"):
        report = explain(copied_anew, MU, LOGVAR)
    assert report.lost == ["mu", "logvar"]
    assert "it copies the numbers into a new tensor without their history; use the value itself" in str(report)


# -- where no recorder can look --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning", "ignore::torch.jit.TracerWarning")
def test_traced_and_scripted_code() -> None:
    def drawn(mu, logvar):
        return torch.normal(mu, torch.exp(logvar / 2))

    traced = torch.jit.trace(plain, (MU, LOGVAR), check_trace=False)
    report = explain(traced, MU, LOGVAR)
    assert (len(report.reached), report.lost) == (2, [])
    assert len(explain(torch.jit.trace(drawn, (MU, LOGVAR), check_trace=False), MU, LOGVAR).lost) == 2
    report = explain(lambda mu, logvar: traced(mu, logvar).sum(), MU, LOGVAR)
    assert (report.reached, report.lost) == (["mu", "logvar"], [])
    module = torch.jit.trace(Whole("rsample"), (torch.rand(5, 20),), check_trace=False)
    report = explain(reconstruction, module, torch.rand(5, 20))
    assert (report.reached, report.lost) == (["model", "x"], [])


def test_transforms_of_torch_func() -> None:
    report = explain(lambda mu, logvar: torch.vmap(lambda m: m * m)(mu) + logvar.detach(), MU + 1, LOGVAR)
    assert (report.reached, report.lost) == (["mu"], ["logvar"])
    assert "could not be recorded" in str(report)
    assert "ran inside vmap" in str(report)
    assert report._repr_html_()


def test_an_error_of_the_functions_own_comes_through() -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        explain(lambda mu: mu @ mu, MU)


def test_a_value_that_comes_back_as_a_plain_number_is_no_part_of_the_recording_but_counts() -> None:
    def tempered(x, temperature):
        t = temperature.item()
        return torch.logsumexp(x / t, 0)

    report = explain(tempered, torch.randn(4), torch.tensor(2.0))
    assert (report.reached, report.lost) == (["x"], ["temperature"])
    assert "temperature leaves torch by item() (line" in str(report)
    assert "no part" not in str(report)
    assert "y plays no part" in str(explain(lambda x, y: x.sum(), torch.randn(4), torch.randn(4)))


def test_a_module_that_is_frozen_on_the_way_is_told() -> None:
    def frozen(backbone, head, x):
        for weight in backbone.parameters():
            weight.requires_grad_(False)
        return head(torch.relu(backbone(x))).sum()

    report = explain(frozen, torch.nn.Linear(4, 6), torch.nn.Linear(6, 1), torch.randn(5, 4))
    assert (report.reached, report.lost) == (["head", "x"], ["backbone"])
    assert "requires_grad is switched off for backbone on the way." in str(report)
