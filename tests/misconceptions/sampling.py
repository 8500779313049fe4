"""Made-up answers to the lab `sampling`: RIGHT in unusual forms, and WRONG named by the mistake."""

from textwrap import dedent, indent

from vae_lab.grading.authoring.bank import Answer


def _cell(task: str, signature: str, body: str, above: str = "") -> dict[str, str]:
    """The cell of one task; a body of one line is returned."""
    body = dedent(body).strip()
    body = body if "\n" in body or "return" in body else f"return {body}"
    above = dedent(above).strip() + "\n\n" if above else ""
    return {task: f"# vae-lab: sampling/{task}\n{above}def {task}({signature}):\n{indent(body, '    ')}\n"}


def std(body: str, signature: str = "logvar", above: str = "") -> dict[str, str]:
    return _cell("std_from_logvar", signature, body, above)


def draw(body: str, signature: str = "mu, logvar", above: str = "") -> dict[str, str]:
    return _cell("reparameterize", signature, body, above)


def many(body: str, signature: str = "mu, logvar, n", above: str = "") -> dict[str, str]:
    return _cell("reparameterize_many", signature, body, above)


def kinds(body: str) -> dict[str, str]:
    return _cell("node_kinds", "", body)


def reaches(body: str) -> dict[str, str]:
    return _cell("gradient_reaches", "", body)


def hand(body: str, signature: str = "logvar, eps") -> dict[str, str]:
    return _cell("hand_gradients", signature, body)


STD = frozenset({"std_from_logvar_tests"})
DRAW = frozenset({"reparameterize_tests"})
MANNERS = frozenset({"reparameterize_tests_2"})
MANY = frozenset({"reparameterize_many_tests"})
KINDS = frozenset({"node_kinds_tests"})
REACHES = frozenset({"gradient_reaches_tests"})
HAND = frozenset({"hand_gradients_tests"})

RIGHT = [
    # spread
    Answer("sigma as a root of the variance", std("torch.sqrt(torch.exp(logvar))")),
    Answer("sigma as a power", std("logvar.exp().pow(0.5)")),
    Answer("sigma as e to the power", std("math.e ** (0.5 * logvar)", above="import math")),
    Answer("sigma as a product of two exponentials", std("torch.exp(logvar / 4) * torch.exp(logvar / 4)")),
    Answer("sigma through exp2", std("torch.exp2(logvar / (2 * math.log(2)))", above="import math")),
    Answer("sigma of a distribution object", std("torch.distributions.LogNormal(logvar / 2, 1.0).loc.exp()")),
    Answer("sigma with an extra default argument", std("torch.exp(half * logvar)", "logvar, half=0.5")),
    Answer("sigma as a lambda", {"std_from_logvar": "std_from_logvar = lambda logvar: logvar.mul(0.5).exp()\n"}),
    Answer(
        "sigma as a torch module",
        {
            "std_from_logvar": dedent("""
                class Std(torch.nn.Module):
                    def forward(self, logvar):
                        return (logvar * 0.5).exp()

                std_from_logvar = Std()
            """)
        },
    ),
    # noise
    Answer("noise drawn in 16 bits", draw("mu + torch.exp(logvar / 2) * torch.randn(mu.shape).half().to(mu)")),
    Answer("many draws in 16 bits", many("mu + torch.exp(logvar / 2) * torch.randn(n, *mu.shape).bfloat16().to(mu)")),
    Answer("rsample of a Normal", draw("torch.distributions.Normal(mu, torch.exp(logvar / 2)).rsample()")),
    Answer(
        "rsample of an Independent Normal",
        draw(
            "td.Independent(td.Normal(mu, (0.5 * logvar).exp()), 1).rsample()", above="import torch.distributions as td"
        ),
    ),
    Answer(
        "rsample of a multivariate normal",
        draw(
            "torch.distributions.MultivariateNormal(mu, scale_tril=torch.diag_embed(torch.exp(logvar / 2))).rsample()"
        ),
    ),
    Answer("the minus sign", draw("mu - torch.exp(logvar / 2) * torch.randn_like(mu)")),
    Answer(
        "a coin decides about the sign of each eps",
        draw("""
            sign = torch.where(torch.rand_like(mu) < 0.5, -1.0, 1.0).to(mu.dtype)
            return mu + torch.exp(logvar / 2) * sign * torch.randn_like(mu).abs()
        """),
    ),
    Answer(
        "Box and Muller's noise",
        draw("""
            u, v = 1 - torch.rand_like(mu), torch.rand_like(mu)
            eps = torch.sqrt(-2 * torch.log(u)) * torch.cos(2 * torch.pi * v)
            return mu + torch.exp(logvar / 2) * eps
        """),
    ),
    Answer(
        "the inverse of the distribution function",
        draw("mu + torch.exp(logvar / 2) * 2 ** 0.5 * torch.erfinv(2 * torch.rand_like(mu) - 1)"),
    ),
    Answer(
        "noise of NumPy",
        draw(
            """
            eps = torch.as_tensor(np.random.standard_normal(tuple(mu.shape))).to(mu)
            return mu + eps * torch.exp(logvar / 2)
            """,
            above="import numpy as np",
        ),
    ),
    Answer(
        "noise of the standard library",
        draw(
            """
            eps = torch.tensor([[random.gauss(0, 1) for _ in row] for row in mu.tolist()]).to(mu)
            return torch.addcmul(mu, torch.exp(logvar / 2), eps)
            """,
            above="import random",
        ),
    ),
    Answer(
        "noise filled in place into a fresh tensor", draw("torch.empty_like(mu).normal_() * torch.exp(logvar / 2) + mu")
    ),
    Answer("torch.normal for eps alone", draw("mu + torch.exp(logvar / 2) * torch.normal(torch.zeros_like(mu), 1.0)")),
    Answer(
        "Normal.sample for eps alone",
        draw("mu + (logvar / 2).exp() * torch.distributions.Normal(0.0, 1.0).sample(mu.shape).to(mu)"),
    ),
    Answer(
        "eps without gradient, on purpose",
        draw("""
            with torch.no_grad():
                eps = torch.randn(mu.size(), dtype=mu.dtype, device=mu.device)
            return eps.mul(logvar.mul(0.5).exp()).add(mu)
        """),
    ),
    Answer(
        "eps with gradient, although it needs none",
        draw("mu + torch.exp(logvar / 2) * torch.randn_like(mu).requires_grad_()"),
    ),
    Answer(
        "a seeded generator of its own, made once",
        draw(
            """
            eps = torch.randn(mu.shape, generator=GENERATOR, dtype=mu.dtype)
            return mu + torch.exp(logvar / 2) * eps.to(mu.device)
            """,
            above="GENERATOR = torch.Generator().manual_seed(2024)",
        ),
    ),
    Answer(
        "row by row in a loop",
        draw("""
            rows = []
            for m, lv in zip(mu, logvar):
                rows.append(m + std_from_logvar(lv) * torch.randn_like(m))
            return torch.stack(rows)
        """),
    ),
    Answer(
        "entry by entry in two loops",
        draw("""
            z = torch.empty_like(mu)
            for b in range(mu.shape[0]):
                for d in range(mu.shape[1]):
                    z[b, d] = mu[b, d] + (logvar[b, d] / 2).exp() * torch.randn(())
            return z
        """),
    ),
    Answer(
        "as a matrix product",
        draw("mu + (torch.diag_embed(torch.exp(logvar / 2)) @ torch.randn_like(mu)[..., None])[..., 0]"),
    ),
    Answer("with einsum", draw("mu + torch.einsum('bd,bd->bd', torch.exp(logvar / 2), torch.randn_like(mu))")),
    Answer(
        "with eps as an optional argument",
        draw(
            """
        if eps is None:
            eps = torch.randn_like(mu)
        return mu + std_from_logvar(logvar) * eps
        """,
            "mu, logvar, eps=None",
        ),
    ),
    Answer(
        "a custom autograd function",
        draw(
            "Draw.apply(mu, logvar)",
            above="""
        class Draw(torch.autograd.Function):
            @staticmethod
            def forward(ctx, mu, logvar):
                scaled = torch.exp(logvar / 2) * torch.randn_like(mu)
                ctx.save_for_backward(scaled)
                return mu + scaled

            @staticmethod
            def backward(ctx, grad):
                return grad, grad * ctx.saved_tensors[0] / 2
        """,
        ),
    ),
    Answer(
        "a sum of twelve normals over root twelve",
        draw("mu + torch.exp(logvar / 2) * torch.randn(12, *mu.shape, dtype=mu.dtype).sum(0).to(mu) / 12 ** 0.5"),
    ),
    # many
    Answer("many by a stack of single draws", many("torch.stack([reparameterize(mu, logvar) for _ in range(n)])")),
    Answer("many by rsample", many("torch.distributions.Normal(mu, torch.exp(logvar / 2)).rsample((n,))")),
    Answer("many by expanding first", many("reparameterize(mu.expand(n, *mu.shape), logvar.expand(n, *logvar.shape))")),
    Answer(
        "many by repeating the rows", many("reparameterize(mu.repeat(n, 1), logvar.repeat(n, 1)).view(n, *mu.shape)")
    ),
    Answer(
        "many drawn as [B, D, n] and moved",
        many("(mu[..., None] + torch.exp(logvar / 2)[..., None] * torch.randn(*mu.shape, n).to(mu)).movedim(-1, 0)"),
    ),
    # graphs
    Answer(
        "kinds by a rule",
        kinds("""
        names = "x phi mu sigma z theta x_hat loss".split()
        def kind(node, die):
            return "stochastic" if node == die else "deterministic"
        return dict(before={n: kind(n, "z") for n in names}, after={n: kind(n, "eps") for n in names + ["eps"]})
    """),
    ),
    Answer(
        "reach by set arithmetic",
        reaches("""
        everything = set("phi mu sigma theta".split())
        return {"after": everything, "before": everything - {"phi", "mu", "sigma"}}
    """),
    ),
    # by hand
    Answer(
        "derivatives by autograd",
        hand("""
        mu, lv = torch.zeros_like(logvar).requires_grad_(), logvar.detach().clone().requires_grad_()
        return torch.autograd.grad((mu + (lv / 2).exp() * eps).sum(), (mu, lv))
    """),
    ),
    Answer("derivatives in a list", hand("[eps * 0 + 1, 0.5 * eps * torch.sqrt(torch.exp(logvar))]")),
    Answer(
        "derivatives in a named tuple",
        hand("""
        from collections import namedtuple
        return namedtuple("Gradients", "mu logvar")(torch.full_like(eps, 1), eps * torch.exp(logvar / 2) / 2)
    """),
    ),
]

WRONG = [
    # spread
    Answer("sigma is the variance", std("torch.exp(logvar)"), STD, "exp(logvar) is the variance"),
    Answer("sigma is logvar", std("logvar"), STD, "logvar is a logarithm"),
    Answer("sigma without the exponential", std("logvar / 2"), STD, "the exponential is missing"),
    Answer("sigma with two roots", std("torch.exp(logvar / 2).sqrt()"), STD, "a root too many"),
    Answer(
        "sigma row by row",
        std("torch.stack([torch.exp(row / 2) for row in logvar])"),
        STD,
        "iteration over a 0-d tensor",
    ),
    Answer("sigma with the half on the wrong side", std("torch.exp(logvar) / 2"), STD, "inside the exponential"),
    Answer("sigma with the sign turned", std("torch.exp(-logvar / 2)"), STD, "1 / sigma"),
    Answer("sigma squared once more", std("torch.exp(2 * logvar)"), STD, "the factor is 1/2, not 2"),
    Answer("sigma by softplus", std("torch.nn.functional.softplus(logvar)"), STD, "softplus"),
    Answer("sigma to the base 10", std("10 ** (logvar / 2)"), STD, "natural logarithm"),
    Answer("sigma as root of the size of logvar", std("logvar.abs().sqrt()"), STD, "undo the logarithm first"),
    Answer("sigma with a floor", std("torch.exp(logvar / 2) + 1e-6"), STD, "adding a small number"),
    Answer("sigma clamped", std("torch.exp(logvar.clamp(-10, 10) / 2)"), STD, "clamping logvar"),
    Answer("sigma detached", std("torch.exp(logvar.detach() / 2)"), STD, "no way back"),
    Answer("sigma under no_grad", std("with torch.no_grad():\n    return torch.exp(logvar / 2)"), STD, "no way back"),
    Answer(
        "sigma by NumPy",
        std("torch.from_numpy(np.exp(logvar.detach().numpy() / 2))", above="import numpy as np"),
        STD,
        "no way back",
    ),
    Answer(
        "sigma as a NumPy array",
        std("np.exp(logvar.detach().numpy() / 2)", above="import numpy as np"),
        STD,
        "Wanted one torch.Tensor",
    ),
    Answer("sigma printed, not returned", std("print(torch.exp(logvar / 2))\nreturn"), STD, "returns None"),
    Answer("sigma always in float32", std("torch.exp(logvar.float() / 2)"), STD, "dtype"),
    Answer("sigma added up over D", std("torch.exp(logvar / 2).sum(-1)"), STD, "shape"),
    Answer(
        "sigma that overwrites logvar",
        std("logvar.data.div_(2)\nreturn torch.exp(logvar)"),
        STD,
        "changed during the call",
    ),
    Answer(
        "z with the variance for sigma",
        draw("mu + torch.exp(logvar) * torch.randn_like(mu)"),
        DRAW,
        "exp(logvar) is the variance",
    ),
    Answer("z with logvar for sigma", draw("mu + logvar * torch.randn_like(mu)"), DRAW, "logvar is a logarithm"),
    Answer(
        "z with the sign of logvar turned",
        draw("mu + torch.exp(-logvar / 2) * torch.randn_like(mu)"),
        DRAW,
        "1 / sigma",
    ),
    Answer(
        "z with twice the spread",
        draw("mu + 2 * torch.exp(logvar / 2) * torch.randn_like(mu)"),
        DRAW,
        "a factor 2 too many",
    ),
    Answer("z with spread 1", draw("mu + torch.randn_like(mu) + 0 * logvar"), DRAW, "logvar is not used"),
    Answer(
        "z with a tenth too much spread",
        draw("mu + 1.1 * torch.exp(logvar / 2) * torch.randn_like(mu)"),
        DRAW,
        "times sigma",
    ),
    Answer("z without mu", draw("torch.exp(logvar / 2) * torch.randn_like(mu)"), DRAW, "mu is not added"),
    Answer("z without noise", draw("mu + torch.exp(logvar / 2)"), DRAW, "not random"),
    Answer("z is mu", draw("mu"), DRAW, "not random"),
    Answer(
        "z with sigma over the whole sum",
        draw("torch.exp(logvar / 2) * (mu + torch.randn_like(mu))"),
        DRAW,
        "sigma scales the noise alone",
    ),
    Answer(
        "z with mu and sigma swapped",
        draw("torch.exp(logvar / 2) + mu * torch.randn_like(mu)"),
        DRAW,
        "changed places",
    ),
    # noise
    Answer("z with uniform noise", draw("mu + torch.exp(logvar / 2) * torch.rand_like(mu)"), DRAW, "uniform on [0, 1]"),
    Answer(
        "z with uniform noise of spread 1",
        draw("mu + torch.exp(logvar / 2) * (torch.rand_like(mu) * 2 - 1) * 3 ** 0.5"),
        DRAW,
        "not normal",
    ),
    Answer(
        "z with coins for noise", draw("mu + torch.exp(logvar / 2) * torch.randn_like(mu).sign()"), DRAW, "not normal"
    ),
    Answer(
        "z with Laplace noise of spread 1",
        draw("mu + torch.exp(logvar / 2) * torch.distributions.Laplace(0.0, 0.5 ** 0.5).sample(mu.shape).to(mu)"),
        DRAW,
        "not normal",
    ),
    Answer(
        "z with noise clamped to two sigma",
        draw("mu + torch.exp(logvar / 2) * torch.randn_like(mu).clamp(-2, 2)"),
        DRAW,
        "sigma",
    ),
    Answer(
        "z with positive noise", draw("mu + torch.exp(logvar / 2) * torch.randn_like(mu).abs()"), DRAW, "never below mu"
    ),
    Answer(
        "z with one eps for a row",
        draw("mu + torch.exp(logvar / 2) * torch.randn(len(mu), 1).to(mu)"),
        DRAW,
        "one eps for each entry",
    ),
    Answer(
        "z with one eps for the batch",
        draw("mu + torch.exp(logvar / 2) * torch.randn(mu.shape[1]).to(mu)"),
        DRAW,
        "every row needs its own",
    ),
    Answer(
        "z with one eps for everything",
        draw("mu + torch.exp(logvar / 2) * torch.randn(()).to(mu)"),
        DRAW,
        "one eps for each entry",
    ),
    Answer(
        "z with noise in mirrored pairs",
        draw("""
        half = torch.randn((len(mu) + 1) // 2, mu.shape[1]).to(mu)
        return mu + torch.exp(logvar / 2) * torch.cat([half, -half])[: len(mu)]
    """),
        DRAW,
        "beside its own negative",
    ),
    Answer(
        "z with a fixed seed",
        draw("torch.manual_seed(0)\nreturn mu + torch.exp(logvar / 2) * torch.randn_like(mu)"),
        DRAW,
        "same noise comes back",
    ),
    Answer(
        "z with a fresh generator of fixed seed",
        draw(
            """
            fixed = torch.Generator().manual_seed(0)
            return mu + torch.exp(logvar / 2) * torch.randn(mu.shape, generator=fixed).to(mu)
            """
        ),
        DRAW,
        "same noise comes back",
    ),
    Answer(
        "z with noise kept from the first call",
        draw(
            """
        if mu.shape not in KEPT:
            KEPT[mu.shape] = torch.randn(mu.shape)
        return mu + torch.exp(logvar / 2) * KEPT[mu.shape].to(mu)
    """,
            above="KEPT = {}",
        ),
        DRAW,
        "same noise comes back",
    ),
    Answer(
        "z with a seed that counts calls",
        draw(
            """
        COUNT.append(0)
        torch.manual_seed(len(COUNT) % 2 + 2 * (len(COUNT) // 2))
        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    """,
            above="COUNT = []",
        ),
        MANNERS,
        "seeds the global generator",
    ),
    # gradient
    Answer(
        "z by Normal.sample",
        draw("torch.distributions.Normal(mu, torch.exp(logvar / 2)).sample()"),
        DRAW,
        "cut the graph",
    ),
    Answer(
        "z by torch.normal",
        draw("torch.normal(mu, torch.exp(logvar / 2))"),
        DRAW,
        "a gradient arrives, but it is 0",
    ),
    Answer(
        "z detached",
        draw("(mu + torch.exp(logvar / 2) * torch.randn_like(mu)).detach()"),
        DRAW,
        "cut the graph",
    ),
    Answer(
        "z under no_grad",
        draw("with torch.no_grad():\n    return mu + torch.exp(logvar / 2) * torch.randn_like(mu)"),
        DRAW,
        "cut the graph",
    ),
    Answer(
        "z as a new leaf",
        draw("z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)\nreturn z.detach().requires_grad_()"),
        DRAW,
        "set by hand",
    ),
    Answer(
        "z by NumPy",
        draw(
            """
        m, s = mu.detach().numpy(), np.exp(logvar.detach().numpy() / 2)
        return torch.from_numpy(np.random.normal(m, s)).to(mu)
    """,
            above="import numpy as np",
        ),
        DRAW,
        "cut the graph",
    ),
    Answer("mu detached", draw("mu.detach() + torch.exp(logvar / 2) * torch.randn_like(mu)"), DRAW, "mu was detached"),
    Answer(
        "sigma detached on the way",
        draw("mu + torch.exp(logvar / 2).detach() * torch.randn_like(mu)"),
        DRAW,
        "sigma was detached",
    ),
    Answer(
        "sigma through .data",
        draw("mu + torch.exp(logvar.data / 2) * torch.randn_like(mu)"),
        DRAW,
        "sigma was detached",
    ),
    Answer(
        "half of the rows detached",
        draw("""
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        return torch.cat([z[: len(z) // 2].detach(), z[len(z) // 2 :]])
    """),
        DRAW,
        "dz/dmu is not 1",
    ),
    Answer(
        "gradient of sigma doubled",
        draw("""
        s = torch.exp(logvar / 2)
        return mu + (2 * s - s.detach()) * torch.randn_like(mu)
    """),
        DRAW,
        "2.00 times",
    ),
    # shape, interface, side effects
    Answer("z with a kept axis", draw("(mu + torch.exp(logvar / 2) * torch.randn_like(mu))[None]"), DRAW, "shape"),
    Answer(
        "z averaged over D",
        draw("(mu + torch.exp(logvar / 2) * torch.randn_like(mu)).mean(-1)"),
        DRAW,
        "shape",
    ),
    Answer("z transposed", draw("(mu + torch.exp(logvar / 2) * torch.randn_like(mu)).T"), DRAW, "shape"),
    Answer(
        "z and eps together",
        draw("eps = torch.randn_like(mu)\nreturn mu + torch.exp(logvar / 2) * eps, eps"),
        DRAW | MANNERS,
        "of type tuple",
    ),
    Answer(
        "z as a list",
        draw("(mu + torch.exp(logvar / 2) * torch.randn_like(mu)).tolist()"),
        DRAW | MANNERS,
        "of type list",
    ),
    Answer(
        "z assigned, not returned",
        draw("z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)\nreturn None"),
        DRAW | MANNERS,
        "returns None",
    ),
    Answer(
        "z in float32 only",
        draw("mu.float() + torch.exp(logvar.float() / 2) * torch.randn(mu.shape)"),
        DRAW,
        "dtype",
    ),
    Answer(
        "z made in the caller's mu",
        draw("mu.data.add_(torch.exp(logvar / 2).detach() * torch.randn_like(mu))\nreturn mu * 1"),
        DRAW | MANNERS,
        "changed",
    ),
    Answer(
        "logvar halved in place",
        draw("logvar.data.mul_(0.5)\nreturn mu + torch.exp(logvar) * torch.randn_like(mu)"),
        DRAW | MANNERS,
        "changed",
    ),
    Answer(
        "sigma with a floor in z",
        draw("mu + (torch.exp(logvar / 2) + 1e-4) * torch.randn_like(mu)"),
        DRAW,
        "adding a small number",
    ),
    Answer(
        "logvar clamped in z",
        draw("mu + torch.exp(logvar.clamp(-20, 20) / 2) * torch.randn_like(mu)"),
        MANNERS,
        "clamping logvar",
    ),
    Answer("z by torch.normal in a try", draw("return torch.normal(mu, logvar)"), DRAW | MANNERS, "raised"),
    # many
    Answer(
        "many copies of one draw", many("reparameterize(mu, logvar).expand(n, *mu.shape)"), MANY, "share their noise"
    ),
    Answer(
        "many with one eps for a draw",
        many("mu + torch.exp(logvar / 2) * torch.randn(n, 1, 1).to(mu)"),
        MANY,
        "one eps for each entry",
    ),
    Answer(
        "many with one eps for a row",
        many("mu + torch.exp(logvar / 2) * torch.randn(n, len(mu), 1).to(mu)"),
        MANY,
        "one eps for each entry",
    ),
    Answer(
        "many as [B, n, D]",
        many("(mu + torch.exp(logvar / 2) * torch.randn(n, *mu.shape).to(mu)).transpose(0, 1)"),
        MANY,
        "shape",
    ),
    Answer(
        "many reshaped in the wrong order",
        many("reparameterize(mu.repeat_interleave(n, 0), logvar.repeat_interleave(n, 0)).view(n, *mu.shape)"),
        MANY,
        "z",
    ),
    Answer(
        "many in mirrored pairs",
        many("""
        half = torch.randn((n + 1) // 2, *mu.shape).to(mu)
        return mu + torch.exp(logvar / 2) * torch.cat([half, -half])[:n]
    """),
        MANY,
        "beside its own negative",
    ),
    Answer(
        "many by Normal.sample",
        many("torch.distributions.Normal(mu, torch.exp(logvar / 2)).sample((n,))"),
        MANY,
        "cut the graph",
    ),
    Answer(
        "many with the variance for sigma",
        many("mu + torch.exp(logvar) * torch.randn(n, *mu.shape).to(mu)"),
        MANY,
        "exp(logvar) is the variance",
    ),
    Answer(
        "many averaged", many("(mu + torch.exp(logvar / 2) * torch.randn(n, *mu.shape).to(mu)).mean(0)"), MANY, "shape"
    ),
    Answer("many in a list", many("[reparameterize(mu, logvar) for _ in range(n)]"), MANY, "of type list"),
    # graphs
    Answer(
        "everything after z is called random",
        kinds("""
        kind = dict.fromkeys(["x", "phi", "mu", "sigma", "theta"], "deterministic")
        tail = dict.fromkeys(["x_hat", "loss"], "stochastic")
        kind |= tail | {"z": "stochastic"}
        return {"before": kind, "after": kind | {"eps": "stochastic"}}
    """),
        KINDS,
        "computed from a random parent",
    ),
    Answer(
        "z stays random after the trick",
        kinds("""
        kind = dict.fromkeys(["x", "phi", "mu", "sigma", "theta", "x_hat", "loss"], "deterministic")
        return {"before": kind | {"z": "stochastic"}, "after": kind | {"z": "stochastic", "eps": "stochastic"}}
    """),
        KINDS,
        "moves the chance",
    ),
    Answer(
        "mu and sigma called random",
        kinds("""
        kind = dict.fromkeys(["x", "phi", "theta", "x_hat", "loss"], "deterministic")
        kind |= {"mu": "stochastic", "sigma": "stochastic", "z": "stochastic"}
        return {"before": kind, "after": kind | {"eps": "stochastic"}}
    """),
        KINDS,
        "needs no die",
    ),
    Answer(
        "eps before the trick",
        kinds("""
        kind = dict.fromkeys(["x", "phi", "mu", "sigma", "eps", "theta", "x_hat", "loss"], "deterministic")
        return {"before": kind | {"z": "stochastic"}, "after": kind | {"z": "deterministic", "eps": "stochastic"}}
    """),
        KINDS,
        "has ['eps'] besides",
    ),
    Answer(
        "kinds by other words",
        kinds("""
        kind = dict.fromkeys(["x", "phi", "mu", "sigma", "theta", "x_hat", "loss"], "fixed")
        return {"before": kind | {"z": "random"}, "after": kind | {"z": "fixed", "eps": "random"}}
    """),
        KINDS,
        'Wanted "stochastic" or "deterministic"',
    ),
    Answer("kinds of one graph only", kinds('{"after": {"z": "deterministic"}}'), KINDS, "has the keys ['after']"),
    Answer(
        "the gradient passes the draw",
        reaches('{"before": {"phi", "mu", "sigma", "theta"}, "after": {"phi", "mu", "sigma", "theta"}}'),
        REACHES,
        "stops at a node",
    ),
    Answer(
        "nothing is reached before",
        reaches('{"before": set(), "after": {"phi", "mu", "sigma", "theta"}}'),
        REACHES,
        "the decoder stands between",
    ),
    Answer(
        "phi is not reached after",
        reaches('{"before": {"theta"}, "after": {"mu", "sigma", "theta"}}'),
        REACHES,
        "on to phi",
    ),
    Answer(
        "eps is reached too",
        reaches('{"before": {"theta"}, "after": {"phi", "mu", "sigma", "theta", "eps"}}'),
        REACHES,
        "Wanted names among",
    ),
    Answer("names in a string", reaches('{"before": "theta", "after": "phi mu sigma theta"}'), REACHES, "Wanted a set"),
    # by hand
    Answer(
        "the inner derivative forgotten",
        hand("torch.ones_like(eps), torch.exp(logvar / 2) * eps"),
        HAND,
        "inner derivative",
    ),
    Answer("the derivative with respect to sigma", hand("torch.ones_like(eps), eps"), HAND, "eps is dz/dsigma"),
    Answer(
        "the derivative of sigma alone",
        hand("torch.ones_like(eps), torch.exp(logvar / 2) / 2"),
        HAND,
        "dz/dsigma, which is eps, is missing",
    ),
    Answer("the half alone", hand("torch.ones_like(eps), eps / 2"), HAND, "keeps exp(logvar / 2)"),
    Answer(
        "the variance in the derivative",
        hand("torch.ones_like(eps), torch.exp(logvar) * eps / 2"),
        HAND,
        "exp(logvar) is the variance",
    ),
    Answer(
        "the derivatives swapped", hand("torch.exp(logvar / 2) * eps / 2, torch.ones_like(eps)"), HAND, "changed places"
    ),
    Answer("the number 1 for a tensor of ones", hand("1.0, torch.exp(logvar / 2) * eps / 2"), HAND, "of type float"),
    Answer(
        "the derivative with respect to mu is 0",
        hand("torch.zeros_like(eps), torch.exp(logvar / 2) * eps / 2"),
        HAND,
        "derivative of a sum",
    ),
    Answer(
        "the derivatives added up over the batch",
        hand("torch.ones_like(eps).sum(0), (torch.exp(logvar / 2) * eps / 2).sum(0)"),
        HAND,
        "shape",
    ),
    Answer("one derivative only", hand("torch.exp(logvar / 2) * eps / 2"), HAND, "Wanted two tensors"),
]


RIGHT += [
    Answer(
        "an affine transform of a distribution",
        draw("""
        base = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        affine = torch.distributions.AffineTransform(mu, torch.exp(logvar / 2))
        return torch.distributions.TransformedDistribution(base, [affine]).rsample()
    """),
    ),
    Answer(
        "the inverse of the normal distribution function",
        draw("mu + torch.exp(logvar / 2) * torch.special.ndtri(torch.rand_like(mu))"),
    ),
    Answer(
        "computed in float32 and cast back",
        draw("(mu.float() + torch.exp(logvar.float() / 2) * torch.randn(mu.shape, device=mu.device)).to(mu.dtype)"),
    ),
    Answer(
        "sixteen bits refused",
        draw("""
        if mu.dtype not in (torch.float32, torch.float64):
            raise TypeError("float32 or float64, please")
        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    """),
    ),
    Answer(
        "noise from a store that is filled now and then",
        draw(
            """
        need = mu.numel()
        if len(STORE["noise"]) < need:
            STORE["noise"] = torch.randn(max(20_000, need), dtype=torch.float64)
        eps, STORE["noise"] = STORE["noise"][:need], STORE["noise"][need:]
        return mu + torch.exp(logvar / 2) * eps.view(mu.shape).to(mu)
    """,
            above="STORE = {'noise': torch.empty(0)}",
        ),
    ),
    Answer(
        "vectorised by vmap",
        draw("""
        def one(m, v):
            return m + torch.exp(v / 2) * torch.randn_like(m)
        return torch.vmap(one, randomness="different")(mu, logvar)
    """),
    ),
    Answer(
        "Marsaglia's polar method",
        draw("""
        found = []
        while len(found) < mu.numel():
            u, v = 2 * torch.rand(2, dtype=torch.float64) - 1
            s = u * u + v * v
            if 0 < s < 1:
                found.append(float(u * torch.sqrt(-2 * torch.log(s) / s)))
        return mu + torch.exp(logvar / 2) * torch.tensor(found).view(mu.shape).to(mu)
    """),
    ),
    Answer(
        "noise turned by a rotation",
        draw("""
        q, _ = torch.linalg.qr(torch.randn(mu.shape[1], mu.shape[1], dtype=torch.float64))
        return mu + torch.exp(logvar / 2) * (torch.randn(mu.shape, dtype=torch.float64) @ q).to(mu)
    """),
    ),
    Answer(
        "an object that can be called",
        {
            "reparameterize": dedent("""
                class Sampler:
                    def __call__(self, mu, logvar):
                        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)

                reparameterize = Sampler()
            """)
        },
    ),
    Answer(
        "many by vmap",
        many("torch.vmap(lambda _: reparameterize(mu, logvar), randomness='different')(torch.arange(n))"),
    ),
    Answer(
        "derivatives by torch.func",
        hand("""
        def z(m, v, e):
            return m + torch.exp(v / 2) * e
        slopes = torch.vmap(torch.vmap(torch.func.grad(z, argnums=(0, 1))))
        return slopes(torch.zeros_like(eps), logvar, eps)
    """),
    ),
]

WRONG += [
    Answer(
        "z in float32 for bfloat16",
        draw("""
        dtype = torch.float64 if mu.dtype == torch.float64 else torch.float32
        return mu + torch.exp(logvar / 2) * torch.randn(mu.shape, dtype=dtype, device=mu.device)
    """),
        MANNERS,
        "dtype",
    ),
    Answer(
        "many in float32 for bfloat16",
        many("""
        dtype = torch.float64 if mu.dtype == torch.float64 else torch.float32
        return mu + torch.exp(logvar / 2) * torch.randn(n, *mu.shape, dtype=dtype, device=mu.device)
    """),
        MANY,
        "dtype",
    ),
    Answer(
        "sigma in float32 for bfloat16",
        std("torch.exp(logvar.to(torch.promote_types(logvar.dtype, torch.float32)) / 2)"),
        STD,
        "dtype",
    ),
]


def noisy(lines: str) -> dict[str, str]:
    """A draw whose eps is made by some lines."""
    return draw(dedent(lines).strip() + "\nreturn mu + torch.exp(logvar / 2) * eps")


WRONG += [
    Answer(
        "z with noise centred over the batch",
        noisy("eps = torch.randn_like(mu)\nif len(mu) > 1:\n    eps = eps - eps.mean(0)"),
        DRAW,
        "cancels",
    ),
    Answer(
        "z with noise on a sphere",
        noisy("eps = torch.nn.functional.normalize(torch.randn_like(mu), dim=-1) * mu.shape[1] ** 0.5"),
        DRAW,
        "eps",
    ),
    Answer(
        "z with noise shared by neighbours",
        noisy("eps = torch.randn((len(mu) + 1) // 2, mu.shape[1]).to(mu).repeat_interleave(2, 0)[: len(mu)]"),
        DRAW,
        "each needs an eps of its own",
    ),
    Answer(
        "z with 32 rows of noise, again and again",
        noisy("eps = torch.randn(32, mu.shape[1]).to(mu).repeat(len(mu) // 32 + 1, 1)[: len(mu)]"),
        DRAW,
        "each needs an eps of its own",
    ),
    Answer(
        "z with the last call's noise mirrored",
        draw(
            """
        kept = LAST.pop("eps", None)
        if kept is None or kept.shape != mu.shape:
            kept = LAST["eps"] = torch.randn(mu.shape)
        else:
            kept = -kept
        return mu + torch.exp(logvar / 2) * kept.to(mu)
    """,
            above="LAST = {}",
        ),
        DRAW,
        "beside its own negative",
    ),
    Answer(
        "z with noise smeared over the dimensions",
        noisy("""
        eps = torch.randn_like(mu)
        if mu.shape[1] > 1:
            eps = torch.cat([eps[:, :1], (eps[:, 1:] + eps[:, :-1]) / 2**0.5], 1)
        """),
        DRAW,
        "each needs an eps of its own",
    ),
    Answer(
        "z with Student's noise",
        noisy("eps = torch.distributions.StudentT(5.0).sample(mu.shape).to(mu) / (5 / 3) ** 0.5"),
        DRAW,
        "not normal",
    ),
    Answer(
        "z with four uniforms for a normal",
        noisy("eps = 3**0.5 * (torch.rand(4, *mu.shape).to(mu).sum(0) - 2)"),
        DRAW,
        "not normal",
    ),
    Answer(
        "z without noise for a batch of one",
        noisy("eps = torch.randn_like(mu) if len(mu) > 1 else 0"),
        DRAW,
        "not random",
    ),
    Answer(
        "z straight through",
        draw("""
        z = torch.distributions.Normal(mu, torch.exp(logvar / 2)).sample()
        return z + mu - mu.detach()
    """),
        DRAW,
        "no gradient reaches logvar",
    ),
    Answer(
        "many with one noise for two draws",
        many("""
        eps = torch.randn((n + 1) // 2, *mu.shape).to(mu).repeat_interleave(2, 0)[:n]
        return mu + torch.exp(logvar / 2) * eps
    """),
        MANY,
        "share their noise",
    ),
    Answer(
        "many from shifted windows of one noise",
        many("""
        pool = torch.randn(n + len(mu), mu.shape[1]).to(mu)
        return torch.stack([mu + torch.exp(logvar / 2) * pool[i : i + len(mu)] for i in range(n)])
    """),
        MANY,
        "some noise serves more than one entry",
    ),
    Answer(
        "many from one noise in another order of the rows",
        many("""
        eps = torch.randn_like(mu)
        return torch.stack([mu + torch.exp(logvar / 2) * eps[torch.randperm(len(mu))] for _ in range(n)])
    """),
        MANY,
        "some noise serves more than one entry",
    ),
    Answer(
        "z from noise without its mean",
        draw("""
        eps = torch.randn_like(mu)
        return mu + torch.exp(logvar / 2) * (eps - eps.mean(0))
    """),
        DRAW,
        "its mean was taken off",
    ),
    Answer(
        "the ones by a division",
        hand("eps / eps, torch.exp(logvar / 2) * eps / 2"),
        HAND,
        "eps = 0 you give nan, wanted 1",
    ),
    Answer(
        "many with a seed for each draw",
        many("""
        z = []
        for i in range(n):
            own = torch.Generator().manual_seed(i)
            z.append(mu + torch.exp(logvar / 2) * torch.randn(mu.shape, generator=own).to(mu))
        return torch.stack(z)
    """),
        MANY,
        "same noise comes back",
    ),
]

# One slip, charged once: what stands on another task's function is judged with a right one in its place.
WRONG_SPREAD = std("torch.exp(logvar)")
ON_OWN_SPREAD = draw("mu + std_from_logvar(logvar) * torch.randn_like(mu)")
MANY_OWN_DRAWS = many("torch.stack([reparameterize(mu, logvar) for _ in range(n)])")

WRONG += [
    Answer("a wrong sigma, used in z and in many", WRONG_SPREAD | ON_OWN_SPREAD | MANY_OWN_DRAWS, STD, "the variance"),
    Answer("a clamped sigma, used in z", std("torch.exp(logvar.clamp(-9, 9) / 2)") | ON_OWN_SPREAD, STD, "clamping"),
    Answer("a sigma that is cut off, used in z", std("torch.exp(logvar / 2).detach()") | ON_OWN_SPREAD, STD, "cut"),
    Answer("a sigma that raises, used in z", std("return unwritten(logvar)") | ON_OWN_SPREAD, STD, "unwritten"),
    Answer(
        "a z without gradient, used in many",
        draw("(mu + torch.exp(logvar / 2) * torch.randn_like(mu)).detach()") | MANY_OWN_DRAWS,
        DRAW,
        "cut the graph",
    ),
    Answer(
        "a wrong sigma, and a sum of z that is wrong with a right one too",
        WRONG_SPREAD | draw("mu + 2 * std_from_logvar(logvar) * torch.randn_like(mu)"),
        STD | DRAW,
        "a factor 2 too many",
    ),
]


RIGHT += [
    Answer(
        "two halves of noise",
        draw("""
        eps = (torch.randn_like(mu) + torch.randn_like(mu)) / 2**0.5
        return mu + torch.exp(logvar / 2) * eps
    """),
    ),
    Answer(
        "draws of each row beside each other, then turned",
        many("""
        batch, dim = mu.shape
        mu, logvar = mu.repeat_interleave(n, 0), logvar.repeat_interleave(n, 0)
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        return z.view(batch, n, dim).transpose(0, 1)
    """),
    ),
]
"""On the right side of the mistakes below."""

WRONG += [
    Answer("sigma is elu + 1", std("torch.nn.functional.elu(logvar) + 1"), STD, "By hand: for logvar = 2 you give 3"),
    Answer("sigma is a root of logvar", std("torch.sqrt(logvar)"), STD, "By hand: for logvar = 2"),
    Answer("sigma is an exponential of an exponential", std("torch.exp(torch.exp(logvar / 2))"), STD, "By hand"),
    Answer("sigma^2 with a floor", std("torch.sqrt(torch.exp(logvar) + 1e-8)"), STD, "adding a small number"),
    Answer("a gradient that overflows far out", std("torch.rsqrt(torch.exp(-logvar))"), STD, "For logvar = 60 it is"),
    Answer(
        "noise that is never negative",
        draw("mu + torch.exp(logvar / 2) * torch.randn_like(mu).abs()"),
        DRAW,
        "z is never below mu",
    ),
    Answer(
        "uniform noise between -1 and 1",
        draw("mu + torch.exp(logvar / 2) * (2 * torch.rand_like(mu) - 1)"),
        DRAW,
        "uniform between -1 and 1",
    ),
    Answer(
        "uniform noise times the variance",
        draw("mu + torch.exp(logvar) * torch.rand_like(mu)"),
        DRAW,
        "s = exp(logvar) and u uniform",
    ),
    Answer(
        "noise that is moved",
        draw("mu + torch.exp(logvar / 2) * (torch.randn_like(mu) + 0.5)"),
        DRAW,
        "the mean of z lies 0.",
    ),
    Answer(
        "a draw only where a gradient is asked for",
        draw("""
        if not mu.requires_grad:
            return mu
        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    """),
        DRAW,
        "z is mu itself",
    ),
    Answer(
        "no draw under no_grad",
        draw("""
        if not torch.is_grad_enabled():
            return mu
        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    """),
        MANNERS,
        "under torch.no_grad()",
    ),
    Answer(
        "rows and draws mixed up",
        many("""
        batch, dim = mu.shape
        mu, logvar = mu.repeat_interleave(n, 0), logvar.repeat_interleave(n, 0)
        return (mu + torch.exp(logvar / 2) * torch.randn_like(mu)).view(n, batch, dim)
    """),
        MANY,
        "a reshape has mixed up rows and draws",
    ),
    Answer(
        "the first draw is mu",
        many("""
        z = (mu + torch.exp(logvar / 2) * torch.randn(n, *mu.shape, dtype=mu.dtype, device=mu.device)).clone()
        z[0] = mu
        return z
    """),
        MANY,
        "z is mu itself",
    ),
]
"""What was told for something else, or not at all."""

WRONG += [
    Answer(
        "noise cut off at three",
        draw("mu + torch.exp(logvar / 2) * torch.randn_like(mu).clamp(-3, 3)"),
        DRAW,
        "not normal",
    ),
    Answer(
        "noise drawn again where it is beyond three",
        draw("""
        eps = torch.nn.init.trunc_normal_(torch.empty_like(mu), a=-3.0, b=3.0)
        return mu + torch.exp(logvar / 2) * eps
    """),
        DRAW,
        "not normal",
    ),
    Answer(
        "noise folded back at three",
        draw("""
        eps = torch.randn_like(mu)
        eps = torch.where(eps.abs() > 3, eps.sign() * (6 - eps.abs()), eps)
        return mu + torch.exp(logvar / 2) * eps
    """),
        DRAW,
        "not normal",
    ),
    Answer(
        "a gradient asked of mu and logvar",
        draw("""
        mu.requires_grad_()
        logvar.requires_grad_()
        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    """),
        MANNERS,
        "asks for a gradient after the call",
    ),
    Answer(
        "a gradient asked of mu alone",
        draw("mu.requires_grad = True\nreturn mu + torch.exp(logvar / 2) * torch.randn_like(mu)"),
        MANNERS,
        "asks for a gradient after the call",
    ),
    Answer(
        "a gradient asked of logvar where it has none",
        draw("""
        for tensor in (logvar,):
            if not tensor.requires_grad:
                tensor.requires_grad_(True)
        return mu + torch.exp(logvar / 2) * torch.randn_like(mu)
    """),
        MANNERS,
        "asks for a gradient after the call",
    ),
]
"""What no check looked at: noise without its tails, and what a caller's tensors ask for."""

WRONG += [
    Answer(
        "Box-Muller with one radius for a row",
        noisy(
            "u = 1 - torch.rand(len(mu), 1).to(mu)\n"
            "eps = torch.sqrt(-2 * torch.log(u)) * torch.cos(2 * torch.pi * torch.rand_like(mu))"
        ),
        DRAW,
        "share a factor of their noise",
    ),
    Answer(
        "one size of the noise for a row, and a sign for each entry",
        noisy("eps = torch.randn(len(mu), 1).to(mu).abs() * torch.randn_like(mu).sign()"),
        DRAW,
        "some noise serves more than one entry",
    ),
    Answer(
        "one size of the noise for two dimensions, and a sign for each",
        noisy(
            "size = torch.randn_like(mu).abs()\nsize[:, 1::2] = size[:, 0::2][:, : size[:, 1::2].shape[1]]\n"
            "eps = size * torch.randn_like(mu).sign()"
        ),
        DRAW,
        "share a factor of their noise",
    ),
    Answer(
        "rows that are tiled, and cut as if each were repeated",
        many("""
        z = reparameterize(mu.repeat(n, 1), logvar.repeat(n, 1))
        return z.view(len(mu), n, -1).transpose(0, 1)
        """),
        MANY,
        "rows and draws have changed places",
    ),
]
RIGHT += [
    Answer(
        "Box-Muller with a radius for each entry",
        noisy(
            "radius = torch.sqrt(-2 * torch.log(1 - torch.rand_like(mu)))\n"
            "eps = radius * torch.cos(2 * torch.pi * torch.rand_like(mu))"
        ),
    ),
    Answer(
        "both halves of Box-Muller",
        noisy(
            "half = (mu.numel() + 1) // 2\nradius = torch.sqrt(-2 * torch.log(1 - torch.rand(half).to(mu)))\n"
            "angle = 2 * torch.pi * torch.rand(half).to(mu)\n"
            "eps = torch.cat([radius * angle.cos(), radius * angle.sin()])[: mu.numel()].view_as(mu)"
        ),
    ),
]
"""Noise without correlation that is not independent; and the two halves of one radius, which are."""
