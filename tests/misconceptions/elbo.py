"""Made-up answers to the lab `elbo`: RIGHT in unusual forms, and WRONG named by the mistake."""

from textwrap import dedent, indent

from vae_lab.grading.authoring.bank import Answer


def _cell(task: str, signature: str, body: str, above: str = "") -> dict[str, str]:
    """The cell of one task; a body of one line is returned."""
    body = dedent(body).strip()
    body = body if "\n" in body or "return" in body else f"return {body}"
    lines = "import math\nimport torch.nn.functional as F\nfrom torch.distributions import *\n" + dedent(above).strip()
    return {task: f"# vae-lab: elbo/{task}\n{lines}\n\n\ndef {task}({signature}):\n{indent(body, '    ')}\n"}


def kl(body: str, signature: str = "mu, logvar", above: str = "") -> dict[str, str]:
    return _cell("kl_to_standard_normal", signature, body, above)


def like(body: str, signature: str = "logits, x", above: str = "") -> dict[str, str]:
    return _cell("bernoulli_log_likelihood", signature, body, above)


def loss(body: str, signature: str = "logits, x, mu, logvar", above: str = "") -> dict[str, str]:
    return _cell("negative_elbo", signature, body, above)


def draws(body: str, signature: str = "mu, logvar, n", above: str = "") -> dict[str, str]:
    return _cell("kl_monte_carlo", signature, body, above)


KL = frozenset({"kl_to_standard_normal_tests"})  # the loss is made of it, and does not pay for it again
LIKE = frozenset({"bernoulli_log_likelihood_tests", "bernoulli_log_likelihood_tests_2"})
FAR = frozenset({"bernoulli_log_likelihood_tests_2"})
LOSS = frozenset({"negative_elbo_tests"})
DRAWS = frozenset({"kl_monte_carlo_tests"})

RIGHT = [
    Answer("KL as in the text", kl("0.5 * (mu**2 + torch.exp(logvar) - 1 - logvar).sum(dim=1)")),
    Answer("KL with the minus in front", kl("-0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp(), dim=-1)")),
    Answer(
        "KL by torch.distributions",
        kl("kl_divergence(Normal(mu, torch.exp(logvar / 2)), Normal(0.0, 1.0)).sum(-1)"),
    ),
    Answer(
        "KL of Independent distributions",
        kl("""
        q = Independent(Normal(mu, logvar.mul(0.5).exp()), 1)
        p = Independent(Normal(torch.zeros_like(mu), torch.ones_like(mu)), 1)
        return kl_divergence(q, p)
        """),
    ),
    Answer(
        "KL from sigma",
        kl("""
        sigma = torch.exp(logvar / 2)
        return (mu**2 / 2 + sigma**2 / 2 - 0.5 - torch.log(sigma)).sum(-1)
        """),
    ),
    Answer("KL with einsum", kl("torch.einsum('bd->b', mu * mu + logvar.exp() - logvar - 1) / 2")),
    Answer("KL with a matrix product", kl("(mu**2 + logvar.exp() - logvar - 1) @ torch.full_like(mu[0], 0.5)")),
    Answer(
        "KL dimension by dimension",
        kl("""
        total = 0
        for d in range(mu.shape[1]):
            m, v = mu[:, d], logvar[:, d]
            total = total + 0.5 * (m * m + v.exp() - v - 1)
        return total
        """),
    ),
    Answer(
        "KL row by row",
        kl("torch.stack([0.5 * (m.dot(m) + (v.exp() - v - 1).sum()) for m, v in zip(mu, logvar)])"),
    ),
    Answer("KL as two norms", kl("mu.norm(dim=1) ** 2 / 2 + (logvar.exp() - logvar - 1).sum(1) / 2")),
    Answer("KL with an extra argument", kl("(mu**2 + logvar.exp() - logvar - 1).sum(axis) / 2", "mu, logvar, axis=-1")),
    Answer(
        "KL as cross entropy minus entropy",
        kl("""
        cross = 0.5 * (mu**2 + torch.exp(logvar) + math.log(2 * math.pi))
        entropy = 0.5 * (1 + math.log(2 * math.pi) + logvar)
        return (cross - entropy).sum(-1)
        """),
    ),
    Answer(
        "KL vectorised by vmap",
        kl("torch.vmap(lambda m, v: 0.5 * (m.square().sum() + (v.exp() - 1 - v).sum()))(mu, logvar)"),
    ),
    Answer(
        "log-likelihood by logsigmoid",
        like("(x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(-logits)).flatten(1).sum(1)"),
    ),
    Answer("log-likelihood by softplus", like("(x * logits - F.softplus(logits)).flatten(1).sum(1)")),
    Answer(
        "log-likelihood by softplus of the other side",
        like("-(F.softplus(-logits) + (1 - x) * logits).reshape(len(x), -1).sum(-1)"),
    ),
    Answer(
        "log-likelihood by logaddexp",
        like("(x * logits - torch.logaddexp(torch.zeros_like(logits), logits)).flatten(1).sum(1)"),
    ),
    Answer(
        "log-likelihood of a distribution",
        like("Bernoulli(logits=logits, validate_args=False).log_prob(x).flatten(1).sum(1)"),
    ),
    Answer(
        "log-likelihood by the stable form of the textbook",
        like("-(logits.clamp(min=0) - logits * x + torch.log1p(torch.exp(-logits.abs()))).flatten(1).sum(1)"),
    ),
    Answer(
        "log-likelihood as a two-class softmax",
        like("""
        both = torch.stack([torch.zeros_like(logits), logits]).log_softmax(0)
        return ((1 - x) * both[0] + x * both[1]).flatten(1).sum(1)
    """),
    ),
    Answer(
        "log-likelihood image by image",
        like("""
        rows = [F.binary_cross_entropy_with_logits(l, t, reduction="sum") for l, t in zip(logits, x)]
        return -torch.stack(rows)
    """),
    ),
    Answer(
        "log-likelihood as mean times count",
        like("""
        loss = torch.nn.BCEWithLogitsLoss(reduction="none")(logits, x).flatten(1)
        return loss.mean(1) * -loss.shape[1]
    """),
    ),
    Answer(
        "log-likelihood over all axes but the first",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='none').sum(tuple(range(1, x.ndim)))"),
    ),
    Answer(
        "loss from its parts in another order",
        loss("-(bernoulli_log_likelihood(logits, x) - kl_to_standard_normal(mu, logvar)).mean()"),
    ),
    Answer(
        "loss as two means",
        loss("kl_to_standard_normal(mu, logvar).mean() - bernoulli_log_likelihood(logits, x).mean()"),
    ),
    Answer(
        "loss as sums over the batch size",
        loss("""
        bce = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        return (bce + kld) / x.size(0)
    """),
    ),
    Answer(
        "loss written out without the two functions",
        loss("""
        rate = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum(-1)
        distortion = (F.softplus(logits) - x * logits).flatten(1).sum(-1)
        return torch.stack([rate, distortion]).sum(0).mean()
    """),
    ),
    Answer(
        "loss with a beta that is 1",
        loss(
            "beta * kl_to_standard_normal(mu, logvar).mean() - bernoulli_log_likelihood(logits, x).mean()",
            "logits, x, mu, logvar, beta=1.0",
        ),
    ),
    Answer(
        "estimate by hand-written densities",
        draws("""
        eps = torch.randn(n, *mu.shape, dtype=mu.dtype, device=mu.device)
        z = mu + torch.exp(logvar / 2) * eps
        log_q = -0.5 * (eps**2 + logvar + math.log(2 * math.pi))
        log_p = -0.5 * (z**2 + math.log(2 * math.pi))
        return (log_q - log_p).sum(-1).mean(0)
    """),
    ),
    Answer(
        "estimate in a loop over draws",
        draws("""
        total = torch.zeros_like(mu[:, 0])
        for _ in range(n):
            z = mu - (logvar / 2).exp() * torch.randn_like(mu)
            total = total + (Normal(mu, (logvar / 2).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(1)
        return total / n
    """),
    ),
    Answer(
        "estimate in mirrored pairs",
        draws("""
        s = torch.exp(logvar / 2)
        eps = torch.randn((n + 1) // 2, *mu.shape).to(mu)
        eps = torch.cat([eps, -eps])[:n]
        z = mu + s * eps
        return (0.5 * (z**2 - eps**2) - logvar / 2).sum(-1).mean(0)
    """),
    ),
    Answer(
        "estimate with the constant entropy in closed form",
        draws("""
        z = Normal(mu, torch.exp(logvar / 2)).rsample((n,))
        return (0.5 * z**2).mean(0).sum(-1) - 0.5 * (1 + logvar).sum(-1)
    """),
    ),
    Answer(
        "estimate with the never negative form",
        draws("""
        q, p = Normal(mu, torch.exp(logvar / 2)), Normal(torch.zeros_like(mu), 1.0)
        z = q.rsample((n,))
        log_r = (p.log_prob(z) - q.log_prob(z)).sum(-1)
        return (log_r.exp() - 1 - log_r).mean(0)
    """),
    ),
    Answer(
        "estimate with the parameters held in log q",
        draws("""
        s = torch.exp(logvar / 2)
        z = mu + s * torch.randn(n, *mu.shape).to(mu)
        log_q = Normal(mu.detach(), s.detach()).log_prob(z)
        return (log_q - Normal(0.0, 1.0).log_prob(z)).sum(-1).mean(0)
    """),
    ),
    Answer(
        "estimate by multivariate normals",
        draws("""
        q = MultivariateNormal(mu, scale_tril=torch.diag_embed(torch.exp(logvar / 2)))
        p = MultivariateNormal(torch.zeros_like(mu), scale_tril=torch.eye(mu.shape[1]).to(mu))
        z = q.rsample((n,))
        return (q.log_prob(z) - p.log_prob(z)).mean(0)
    """),
    ),
]

WRONG = [
    # KL
    Answer("KL per dimension", kl("0.5 * (mu**2 + logvar.exp() - 1 - logvar)"), KL, "not added up yet"),
    Answer("KL averaged over D", kl("0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean(-1)"), KL, "a mean over D"),
    Answer(
        "KL added up over everything", kl("0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum()"), KL, "keeps its own number"
    ),
    Answer(
        "KL averaged over the batch",
        kl("(0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)).mean()"),
        KL,
        "keeps its own number",
    ),
    Answer(
        "KL added up over the batch axis",
        kl("0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(0)"),
        KL,
        "D is the last axis",
    ),
    Answer(
        "KL with a kept axis",
        kl("0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1, keepdim=True)"),
        KL,
        "the axis D is kept",
    ),
    Answer("KL with the sign turned", kl("0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(-1)"), KL, "never negative"),
    Answer("KL without the half", kl("(mu**2 + logvar.exp() - 1 - logvar).sum(-1)"), KL, "1/2 in front is missing"),
    Answer("KL with a quarter", kl("0.25 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)"), KL, "a factor 1/2 too many"),
    Answer("KL without the 1", kl("0.5 * (mu**2 + logvar.exp() - logvar).sum(-1)"), KL, "-1 is missing"),
    Answer(
        "KL with logvar added", kl("0.5 * (mu**2 + logvar.exp() - 1 + logvar).sum(-1)"), KL, "subtracted, not added"
    ),
    Answer(
        "KL with logvar as log sigma",
        kl("0.5 * (mu**2 + torch.exp(2 * logvar) - 1 - 2 * logvar).sum(-1)"),
        KL,
        "log sigma^2 already",
    ),
    Answer(
        "KL with the variance squared",
        kl("0.5 * (mu**2 + torch.exp(logvar) ** 2 - 1 - logvar).sum(-1)"),
        KL,
        "log sigma^2 already",
    ),
    Answer(
        "KL with sigma for the variance",
        kl("0.5 * (mu**2 + torch.exp(logvar / 2) - 1 - logvar).sum(-1)"),
        KL,
        "sigma stands where",
    ),
    Answer("KL with mu not squared", kl("0.5 * (mu + logvar.exp() - 1 - logvar).sum(-1)"), KL, "mu is not squared"),
    Answer("KL without mu", kl("0.5 * (logvar.exp() - 1 - logvar).sum(-1) + 0 * mu.sum(-1)"), KL, "mu^2 is missing"),
    Answer("KL without sigma", kl("0.5 * mu.square().sum(-1)"), KL, "sigma are missing"),
    Answer(
        "KL the other way round",
        kl("kl_divergence(Normal(torch.zeros_like(mu), 1.0), Normal(mu, torch.exp(logvar / 2))).sum(-1)"),
        KL,
        "the other way round",
    ),
    Answer(
        "KL of a Normal given the variance",
        kl("kl_divergence(Normal(mu, torch.exp(logvar)), Normal(0.0, 1.0)).sum(-1)"),
        KL,
        "log sigma^2 already",
    ),
    Answer(
        "KL clamped",
        kl("0.5 * (mu**2 + logvar.clamp(-10, 10).exp() - 1 - logvar.clamp(-10, 10)).sum(-1)"),
        KL,
        "Clamping logvar",
    ),
    Answer(
        "KL with free bits",
        kl("(0.5 * (mu**2 + logvar.exp() - 1 - logvar)).clamp(min=0.5).sum(-1)"),
        KL,
        "the values are wrong",
    ),
    Answer(
        "KL detached", kl("0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1).detach()"), KL, "cut the graph silently"
    ),
    Answer(
        "KL with logvar detached",
        kl("0.5 * (mu**2 + logvar.detach().exp() - 1 - logvar.detach()).sum(-1)"),
        KL,
        "no gradient reaches logvar",
    ),
    Answer(
        "KL in a list of numbers",
        kl("[0.5 * (m**2 + v.exp() - 1 - v).sum().item() for m, v in zip(mu, logvar)]"),
        KL,
        "of type list",
    ),
    Answer(
        "KL always in float32",
        kl("0.5 * (mu.float()**2 + logvar.float().exp() - 1 - logvar.float()).sum(-1)"),
        KL,
        "dtype",
    ),
    Answer(
        "KL that changes logvar",
        kl("logvar.data.neg_()\nreturn 0.5 * (mu**2 + torch.exp(-logvar) - 1 + logvar).sum(-1)"),
        KL,
        "has changed",
    ),
    # log-likelihood
    Answer(
        "log-likelihood averaged over pixels",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).mean(1)"),
        LIKE - FAR,
        "the pixels' log-likelihoods add up",
    ),
    Answer(
        "log-likelihood averaged over everything",
        like("-F.binary_cross_entropy_with_logits(logits, x)"),
        LIKE,
        "keeps its own number",
    ),
    Answer(
        "log-likelihood added up over everything",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='sum')"),
        LIKE,
        "keeps its own number",
    ),
    Answer(
        "KL with a squeeze",
        kl("0.5 * (mu**2 + torch.exp(logvar) - 1 - logvar).sum(-1).squeeze()"),
        KL,
        "an axis of length 1",
    ),
    Answer(
        "KL by distributions with the variance as scale",
        kl("""
        q = torch.distributions.Normal(mu, torch.exp(logvar))
        return torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(-1)
    """),
        KL,
        "sigma is taken to be exp(logvar)",
    ),
    Answer(
        "log-likelihood per pixel",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='none')"),
        LIKE,
        "pixels are not added up",
    ),
    Answer(
        "log-likelihood over the last axis",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='none').sum(-1)"),
        LIKE - FAR,
        "only the last axis",
    ),
    Answer(
        "cross-entropy for log-likelihood",
        like("F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).sum(1)"),
        LIKE - FAR,
        "the sign is turned",
    ),
    Answer(
        "log-likelihood of white pixels only",
        like("(x * F.logsigmoid(logits)).flatten(1).sum(1)"),
        LIKE - FAR,
        "the second half is missing",
    ),
    Answer(
        "log-likelihood with black and white swapped",
        like("-F.binary_cross_entropy_with_logits(-logits, x, reduction='none').flatten(1).sum(1)"),
        LIKE - FAR,
        "black and white have changed places",
    ),
    Answer(
        "log-likelihood with two sigmoids",
        like("-F.binary_cross_entropy_with_logits(torch.sigmoid(logits), x, reduction='none').flatten(1).sum(1)"),
        LIKE - FAR,
        "sigmoid is applied twice",
    ),
    Answer(
        "log-likelihood of logits as probabilities",
        like("(x * torch.log(logits) + (1 - x) * torch.log(1 - logits)).flatten(1).sum(1)"),
        LIKE,
        "nan or infinite",
    ),
    Answer(
        "log-likelihood in bits",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).sum(1) / math.log(2)"),
        LIKE - FAR,
        "not bits",
    ),
    Answer(
        "log-likelihood of rounded pixels",
        like("-F.binary_cross_entropy_with_logits(logits, x.round(), reduction='none').flatten(1).sum(1)"),
        LIKE - FAR,
        "grey is rounded",
    ),
    Answer(
        "log-likelihood as squared error",
        like("-((torch.sigmoid(logits) - x) ** 2).flatten(1).sum(1)"),
        LIKE - FAR,
        "a Gaussian likelihood",
    ),
    Answer(
        "continuous Bernoulli",
        like("ContinuousBernoulli(logits=logits).log_prob(x).flatten(1).sum(1)"),
        LIKE - FAR,
        "normalising constant",
    ),
    Answer(
        "arguments of the cross-entropy swapped",
        like("-F.binary_cross_entropy_with_logits(x, torch.sigmoid(logits), reduction='none').flatten(1).sum(1)"),
        LIKE,
        "the values are wrong",
    ),
    Answer(
        "log-likelihood summed over the columns, averaged over the rows",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='none').sum(-1).reshape(len(x), -1).mean(1)"),
        LIKE - FAR,
        "one image of two rows",
    ),
    Answer(
        "log-likelihood from 1 - logits",
        like("(x * F.logsigmoid(logits) + (1 - x) * F.logsigmoid(1 - logits)).flatten(1).sum(1)"),
        LIKE - FAR,
        "for logits = 2, x = 0",
    ),
    Answer("a log-likelihood of nothing", like("0 * logits.flatten(1).sum(1)"), LIKE, "the values are wrong"),
    Answer(
        "logarithm of the sigmoid",
        like("p = torch.sigmoid(logits)\nreturn (x * torch.log(p) + (1 - x) * torch.log(1 - p)).flatten(1).sum(1)"),
        FAR,
        "rounds to 0 or 1",
    ),
    Answer(
        "logarithm of the sigmoid and a small number",
        like("""
        p = torch.sigmoid(logits)
        return (x * torch.log(p + 1e-8) + (1 - x) * torch.log(1 - p + 1e-8)).flatten(1).sum(1)
    """),
        LIKE,
        "rounds to 0 or 1",
    ),
    Answer(
        "cross-entropy of the sigmoid",
        like("-F.binary_cross_entropy(torch.sigmoid(logits), x, reduction='none').flatten(1).sum(1)"),
        FAR,
        "rounds to 0 or 1",
    ),
    Answer(
        "logits clamped",
        like("-F.binary_cross_entropy_with_logits(logits.clamp(-30, 30), x, reduction='none').flatten(1).sum(1)"),
        FAR,
        "a clamp",
    ),
    Answer(
        "log-likelihood detached",
        like("-F.binary_cross_entropy_with_logits(logits.detach(), x, reduction='none').flatten(1).sum(1)"),
        LIKE,
        "cut the graph silently",
    ),
    Answer(
        "log-likelihood as a number",
        like("float(-F.binary_cross_entropy_with_logits(logits, x, reduction='sum'))"),
        LIKE,
        "of type float",
    ),
    Answer(
        "log-likelihood not returned",
        like("ll = -F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).sum(1)\nreturn"),
        LIKE,
        "returns None",
    ),
    # loss
    Answer(
        "the ELBO for its negative",
        loss("(bernoulli_log_likelihood(logits, x) - kl_to_standard_normal(mu, logvar)).mean()"),
        LOSS,
        "this is the ELBO",
    ),
    Answer(
        "loss with the KL subtracted",
        loss("(-bernoulli_log_likelihood(logits, x) - kl_to_standard_normal(mu, logvar)).mean()"),
        LOSS,
        "the KL has the wrong sign",
    ),
    Answer(
        "loss with the log-likelihood added",
        loss("(bernoulli_log_likelihood(logits, x) + kl_to_standard_normal(mu, logvar)).mean()"),
        LOSS,
        "rewards bad reconstructions",
    ),
    Answer(
        "loss without KL",
        loss("-bernoulli_log_likelihood(logits, x).mean() + 0 * mu.sum() + 0 * logvar.sum()"),
        LOSS,
        "the KL is left out",
    ),
    Answer(
        "loss without reconstruction",
        loss("kl_to_standard_normal(mu, logvar).mean() + 0 * logits.sum()"),
        LOSS,
        "the reconstruction is left out",
    ),
    Answer(
        "loss added up over the batch",
        loss("(kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)).sum()"),
        LOSS,
        "a sum over the batch",
    ),
    Answer(
        "loss per image",
        loss("kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)"),
        LOSS,
        "the loss is their mean",
    ),
    Answer(
        "loss with pixels averaged",
        loss("F.binary_cross_entropy_with_logits(logits, x) + kl_to_standard_normal(mu, logvar).mean()"),
        LOSS,
        "a mean over pixels",
    ),
    Answer(
        "loss with pixels and dimensions averaged",
        loss("F.binary_cross_entropy_with_logits(logits, x) + 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean()"),
        LOSS,
        "A mean over the pixels beside a mean over the D dimensions",
    ),
    Answer(
        "loss with dimensions averaged",
        loss("-bernoulli_log_likelihood(logits, x).mean() + 0.5 * (mu**2 + logvar.exp() - 1 - logvar).mean(-1).mean()"),
        LOSS,
        "D times too small",
    ),
    Answer(
        "loss with the KL of the whole batch",
        loss("-bernoulli_log_likelihood(logits, x).mean() + kl_to_standard_normal(mu, logvar).sum()"),
        LOSS,
        "the other added up",
    ),
    Answer(
        "loss with the KL twice",
        loss("(2 * kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)).mean()"),
        LOSS,
        "the KL counts twice",
    ),
    Answer(
        "loss per pixel",
        loss("(kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)).mean() / x[0].numel()"),
        LOSS,
        "nats per pixel",
    ),
    Answer(
        "loss with the KL detached",
        loss("(kl_to_standard_normal(mu, logvar).detach() - bernoulli_log_likelihood(logits, x)).mean()"),
        LOSS,
        "no gradient reaches mu",
    ),
    Answer(
        "loss with the reconstruction detached",
        loss("(kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits.detach(), x)).mean()"),
        LOSS,
        "no gradient reaches logits",
    ),
    Answer(
        "loss as a number",
        loss("(kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)).mean().item()"),
        LOSS,
        "of type float",
    ),
    Answer(
        "loss and its parts in a tuple",
        loss("""
        rate, like = kl_to_standard_normal(mu, logvar).mean(), bernoulli_log_likelihood(logits, x).mean()
        return rate - like, like, rate
    """),
        LOSS,
        "of type tuple",
    ),
    Answer(
        "loss that calls backward",
        loss("""
        value = (kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)).mean()
        value.backward()
        return value
    """),
        LOSS,
        "calls backward itself",
    ),
    # estimate
    Answer("estimate in closed form", draws("kl_to_standard_normal(mu, logvar)"), DRAWS, "the closed form"),
]


def estimate(line: str, last: str = "(q.log_prob(z) - p.log_prob(z)).sum(-1).mean(0)") -> dict[str, str]:
    """An estimate that differs from the solution in one line, or in its last."""
    return draws(
        f"s = torch.exp(logvar / 2)\nq, p = Normal(mu, s), Normal(torch.zeros_like(mu), 1.0)\n{line}\nreturn {last}"
    )


WRONG += [
    Answer("estimate with a fixed seed", estimate("torch.manual_seed(0)\nz = q.rsample((n,))"), DRAWS, "a fixed seed"),
    Answer("estimate by sample", estimate("z = q.sample((n,))"), DRAWS, "does not pass through z"),
    Answer("estimate of n = 1", estimate("z = q.rsample((1,))"), DRAWS, "does not get better with n"),
    Answer(
        "estimate of one draw n times",
        estimate("z = q.rsample().expand(n, *mu.shape)"),
        DRAWS,
        "does not get better with n",
    ),
    Answer(
        "estimate with rows that share noise",
        estimate("z = mu + s * torch.randn(n, 1, mu.shape[1]).to(mu)"),
        DRAWS,
        "the rows share their noise",
    ),
    Answer(
        "estimate by draws from the prior",
        estimate("z = torch.randn(n, *mu.shape).to(mu)"),
        DRAWS,
        "come from the prior",
    ),
    Answer(
        "estimate added up over draws",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).sum(-1).sum(0)"),
        DRAWS,
        "the n draws are added up",
    ),
    Answer(
        "estimate averaged over D",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).mean(-1).mean(0)"),
        DRAWS,
        "KL is averaged",
    ),
    Answer(
        "estimate with the sign turned",
        estimate("z = q.rsample((n,))", "(p.log_prob(z) - q.log_prob(z)).sum(-1).mean(0)"),
        DRAWS,
        "the sign is turned",
    ),
    Answer(
        "estimate by squares",
        estimate("z = q.rsample((n,))", "0.5 * (q.log_prob(z) - p.log_prob(z)).sum(-1).square().mean(0)"),
        DRAWS,
        "has another mean",
    ),
    Answer(
        "estimate kept above 0",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).sum(-1).mean(0).clamp(min=0)"),
        DRAWS,
        "has another mean",
    ),
    Answer(
        "estimate with the variance for sigma",
        estimate("q = Normal(mu, torch.exp(logvar))\nz = q.rsample((n,))"),
        DRAWS,
        "times the KL",
    ),
    Answer(
        "estimate over all rows",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).sum(-1).mean()"),
        DRAWS,
        "shape",
    ),
    Answer(
        "estimate per draw", estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).sum(-1)"), DRAWS, "shape"
    ),
    Answer(
        "estimate without gradient",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).sum(-1).mean(0).detach()"),
        DRAWS,
        "does not require a gradient",
    ),
    Answer(
        "estimate with sigma held",
        estimate("z = mu + s.detach() * torch.randn(n, *mu.shape).to(mu)"),
        DRAWS,
        "the gradient for logvar",
    ),
    Answer(
        "estimate without log q",
        estimate("z = q.rsample((n,))", "-p.log_prob(z).sum(-1).mean(0)"),
        DRAWS,
        "log q is missing",
    ),
]


RIGHT += [
    Answer(
        "KL by multivariate normals",
        kl("""
        q = MultivariateNormal(mu, scale_tril=torch.diag_embed(torch.exp(logvar / 2)))
        return kl_divergence(q, MultivariateNormal(torch.zeros_like(mu), scale_tril=torch.eye(mu.shape[1]).to(mu)))
    """),
    ),
    Answer(
        "KL with sixteen bits widened",
        kl("""
        if mu.dtype in (torch.bfloat16, torch.float16):
            mu, logvar = mu.float(), logvar.float()
        return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)
    """),
    ),
    Answer(
        "KL with sixteen bits refused",
        kl("""
        assert mu.dtype in (torch.float32, torch.float64), "float32 or float64, please"
        return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)
    """),
    ),
    Answer("KL with sinh", kl("(mu**2 / 2 + torch.exp(logvar / 2) * torch.sinh(logvar / 2) - logvar / 2).sum(-1)")),
    Answer(
        "log-likelihood by the cross-entropy of two classes",
        like("""
        both, shares = torch.stack([torch.zeros_like(logits), logits], 1), torch.stack([1 - x, x], 1)
        return -F.cross_entropy(both, shares, reduction="none").flatten(1).sum(1)
    """),
    ),
    Answer(
        "loss as a mean times the number of pixels",
        loss("F.binary_cross_entropy_with_logits(logits, x) * x[0].numel() + kl_to_standard_normal(mu, logvar).mean()"),
    ),
    Answer(
        "estimate by a running mean",
        draws("""
        mean = torch.zeros_like(mu[:, 0])
        for k in range(n):
            eps = torch.randn_like(mu)
            z = mu + (logvar / 2).exp() * eps
            mean = mean + ((0.5 * (z**2 - eps**2) - logvar / 2).sum(1) - mean) / (k + 1)
        return mean
    """),
    ),
    Answer(
        "estimate with control variates",
        draws("""
        eps = torch.randn(n, *mu.shape).to(mu)
        z = mu + torch.exp(logvar / 2) * eps
        log_ratio = 0.5 * (z**2 - eps**2) - logvar / 2
        return (log_ratio + 0.15 * (eps**2 - 1) - 0.2 * eps).sum(-1).mean(0)
    """),
    ),
    Answer(
        "estimate from one draw in each n-th of the distribution",
        draws("""
        u = (torch.arange(n).view(n, 1, 1) + torch.rand(n, *mu.shape, dtype=torch.float64)) / n
        z = mu + torch.exp(logvar / 2) * torch.special.ndtri(u.clamp(1e-12, 1 - 1e-12)).to(mu)
        q, p = Normal(mu, torch.exp(logvar / 2)), Normal(torch.zeros_like(mu), 1.0)
        return (q.log_prob(z) - p.log_prob(z)).sum(-1).mean(0)
    """),
    ),
]

WRONG += [
    Answer(
        "KL in float32 for float64",
        kl("m, v = mu.float(), logvar.float()\nreturn (0.5 * (m**2 + v.exp() - 1 - v).sum(-1)).to(mu.dtype)"),
        KL,
        "no more exact than float32",
    ),
    Answer(
        "KL over the batch size", kl("0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1) / len(mu)"), KL, "the values"
    ),
    Answer(
        "log-likelihood with white pixels counted more",
        like("""
        white = torch.tensor(1.5).to(x)
        return -F.binary_cross_entropy_with_logits(logits, x, reduction="none", pos_weight=white).flatten(1).sum(1)
    """),
        LIKE - FAR,
        "the values are wrong",
    ),
    Answer(
        "log-likelihood with half of its gradient",
        like("l = F.logsigmoid(logits)\nreturn (x * l + (1 - x) * (l - logits).detach()).flatten(1).sum(1)"),
        LIKE,
        "the gradient",
    ),
    Answer(
        "loss for 784 pixels only",
        loss("F.binary_cross_entropy_with_logits(logits, x) * 784 + kl_to_standard_normal(mu, logvar).mean()"),
        LOSS,
        "the values are wrong",
    ),
    Answer(
        "estimate in closed form with noise added",
        draws("kl = kl_to_standard_normal(mu, logvar)\nreturn kl + 0.3 * torch.randn_like(kl) / n**0.5"),
        DRAWS,
        "whatever was drawn",
    ),
    Answer(
        "estimate by minus the log of the mean of p / q",
        estimate("z = q.rsample((n,))", "-(p.log_prob(z) - q.log_prob(z)).sum(-1).exp().mean(0).log()"),
        DRAWS,
        "the logarithm of a mean",
    ),
    Answer(
        "estimate by the median",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).sum(-1).median(0).values"),
        DRAWS,
        "the median",
    ),
    Answer(
        "estimate by log of a mean",
        estimate("z = q.rsample((n,))", "torch.logsumexp((q.log_prob(z) - p.log_prob(z)).sum(-1), 0) - math.log(n)"),
        DRAWS,
        "the logarithm of a mean",
    ),
    Answer(
        "estimate without log p",
        estimate("z = q.rsample((n,))", "q.log_prob(z).sum(-1).mean(0)"),
        DRAWS,
        "log p is missing",
    ),
    Answer(
        "estimate over n - 1",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).sum(-1).sum(0) / max(n - 1, 1)"),
        DRAWS,
        "divided by n - 1",
    ),
    Answer(
        "estimate with z held in log p",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z.detach())).sum(-1).mean(0)"),
        DRAWS,
        "the gradient for mu",
    ),
    Answer(
        "estimate with rows and draws mixed up",
        estimate(
            "z = q.rsample((n,)).reshape(len(mu), n, -1)\nq = Normal(mu[:, None], s[:, None])",
            "(q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(-1).mean(1)",
        ),
        DRAWS,
        "mixed up rows and draws",
    ),
]

TERMS = "k = 0.5 * (mu**2 + logvar.exp() - 1 - logvar)\n"
WHOLE = "rec = F.binary_cross_entropy_with_logits(logits, x, reduction='sum') / len(x)\n" + TERMS + "k = k.sum(1)\n"

RIGHT += [
    Answer(
        "log-likelihood by view",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='none').view(len(x), -1).sum(1)"),
    ),
    Answer("KL by view", kl(TERMS + "return k.view(-1, mu.size(1)).sum(1)")),
    Answer("loss of one expression by view", loss(WHOLE + "return rec + k.view(-1).mean()")),
    Answer("loss with a clamp that never holds", loss(WHOLE + "return rec + k.mean().clamp(min=0)")),
    Answer("KL kept from rounding below 0", kl(TERMS + "return k.sum(1).clamp(min=0)")),
]

WRONG += [
    # a floor under the KL
    Answer("KL with a threshold", kl(TERMS + "return ((k > 0.1).float() * k).sum(1)"), KL, "free bits"),
    Answer("KL with a small floor", kl(TERMS + "return k.clamp(min=0.05).sum(1)"), KL, "free bits"),
    Answer("KL with a floor for each image", kl(TERMS + "return k.sum(1).clamp(min=0.3)"), KL, "free bits"),
    Answer(
        "loss with a floor under the mean KL", loss(WHOLE + "return rec + k.mean().clamp(min=3.0)"), LOSS, "free bits"
    ),
    Answer("loss with a floor under each KL", loss(WHOLE + "return rec + k.clamp(min=0.5).mean()"), LOSS, "free bits"),
    # weights and terms that are measured
    Answer("loss with a tenth of the KL", loss(WHOLE + "return rec + 0.1 * k.mean()"), LOSS, "reconstruction + 0.1 KL"),
    Answer("loss with four times the KL", loss(WHOLE + "return rec + 4 * k.mean()"), LOSS, "reconstruction + 4 KL"),
    Answer(
        "loss with half a reconstruction", loss(WHOLE + "return rec / 2 + k.mean()"), LOSS, "0.5 reconstruction + KL"
    ),
    Answer(
        "KL with the half on two terms",
        kl("(mu**2 + logvar.exp() - logvar / 2 - 0.5).sum(1)"),
        KL,
        "in front of all four terms",
    ),
    Answer("KL with a third of mu^2", kl("(mu**2 / 3 + (logvar.exp() - 1 - logvar) / 2).sum(1)"), KL, "0.333 mu^2"),
    Answer("KL with a constant more", kl(TERMS + "return k.sum(1) + 3"), KL, "+ 0.5"),
    # other likelihoods
    Answer(
        "loss with a squared error",
        loss(WHOLE + "return ((torch.sigmoid(logits) - x) ** 2).flatten(1).sum(1).mean() + k.mean()"),
        LOSS,
        "the squared error of sigmoid(logits)",
    ),
    Answer(
        "loss with an absolute error",
        loss(WHOLE + "return (torch.sigmoid(logits) - x).abs().flatten(1).sum(1).mean() + k.mean()"),
        LOSS,
        "the absolute error of sigmoid(logits)",
    ),
    Answer(
        "loss with a second sigmoid",
        loss(
            WHOLE
            + "s = torch.sigmoid(logits)\n"
            + "return F.binary_cross_entropy_with_logits(s, x, reduction='sum') / len(x) + k.mean()"
        ),
        LOSS,
        "a second sigmoid",
    ),
    Answer(
        "log-likelihood with its arguments exchanged",
        like("-F.binary_cross_entropy_with_logits(x, logits, reduction='none').flatten(1).sum(1)"),
        LIKE - FAR,
        "have changed places",
    ),
    Answer(
        "log-likelihood by squared errors of the logits",
        like("-((logits - x) ** 2).flatten(1).sum(1)"),
        LIKE - FAR,
        "a squared error belongs",
    ),
    # by chance
    Answer("KL with noise", kl(TERMS + "return k.sum(1) + 0.1 * torch.randn_like(k[:, 0])"), KL, "two results"),
    Answer("loss with noise", loss(WHOLE + "return rec + k.mean() * (1 + torch.rand(()))"), LOSS, "two results"),
    # estimates
    Answer(
        "estimate with spread 1",
        draws(
            "q, p = Normal(mu, 1.0), Normal(0.0, 1.0)\nz = q.rsample((n,)) + 0 * logvar\n"
            "return (q.log_prob(z) - p.log_prob(z)).sum(-1).mean(0)"
        ),
        DRAWS,
        "stands where sigma belongs",
    ),
]


RIGHT += [
    Answer(
        "draws, with an estimate that is never negative",
        draws("""
        q = torch.distributions.Normal(mu, torch.exp(logvar / 2))
        z = q.rsample((n,))
        ratio = torch.distributions.Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)
        return (torch.expm1(ratio) - ratio).sum(-1).mean(0)
    """),
    ),
]

WRONG += [
    Answer(
        "mu added up before it is squared",
        kl("0.5 * (mu.sum(-1) ** 2 + (logvar.exp() - 1 - logvar).sum(-1))"),
        KL,
        "for one image with mu = (1, -1)",
    ),
    Answer(
        "a small number in the logarithm",
        kl("0.5 * (mu**2 + logvar.exp() - 1 - torch.log(logvar.exp() + 1e-8)).sum(-1)"),
        KL,
        "rounding explains less",
    ),
    Answer(
        "a softplus that is a line from 3 on",
        like("(x * logits - F.softplus(logits, threshold=3)).flatten(1).sum(1)"),
        LIKE - FAR,
        "for logits = 4, x = 1 you give 0",
    ),
    Answer(
        "a median over the batch",
        loss("(kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)).median()"),
        LOSS,
        "for two images",
    ),
    Answer(
        "a loss divided by 784, whatever the images",
        loss("(kl_to_standard_normal(mu, logvar) - bernoulli_log_likelihood(logits, x)).mean() / 784"),
        LOSS,
        "0.00128 reconstruction + 0.00128 KL",
    ),
    Answer(
        "logits and x exchanged in the loss",
        loss(
            "F.binary_cross_entropy_with_logits(x, logits, reduction='sum') / len(x) "
            "+ kl_to_standard_normal(mu, logvar).mean()"
        ),
        LOSS,
        "logits and x have changed places",
    ),
    Answer(
        "draws from p, of log p - log q",
        draws("""
        q = torch.distributions.Normal(mu, torch.exp(logvar / 2))
        p = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
        z = p.sample((n,))
        return (p.log_prob(z) - q.log_prob(z)).sum(-1).mean(0)
    """),
        DRAWS,
        "the other way round",
    ),
    Answer(
        "z detached in log p",
        draws("""
        q = torch.distributions.Normal(mu, torch.exp(logvar / 2))
        z = q.rsample((n,))
        return (q.log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z.detach())).sum(-1).mean(0)
    """),
        DRAWS,
        "log p sends no gradient",
    ),
    Answer(
        "z detached in log q",
        draws("""
        q = torch.distributions.Normal(mu, torch.exp(logvar / 2))
        z = q.rsample((n,))
        return (q.log_prob(z.detach()) - torch.distributions.Normal(0.0, 1.0).log_prob(z)).sum(-1).mean(0)
    """),
        DRAWS,
        "both logarithms need it",
    ),
    Answer(
        "log q without log sigma",
        draws("""
        eps = torch.randn(n, *mu.shape, dtype=mu.dtype, device=mu.device)
        z = mu + torch.exp(logvar / 2) * eps
        return (z**2 - eps**2).sum(-1).mean(0) / 2
    """),
        DRAWS,
        "-log sigma is missing",
    ),
    Answer(
        "a gradient through the score",
        draws("""
        q = torch.distributions.Normal(mu, torch.exp(logvar / 2))
        z = q.sample((n,))
        ratio = (q.log_prob(z) - torch.distributions.Normal(0.0, 1.0).log_prob(z)).sum(-1).detach()
        score = q.log_prob(z).sum(-1)
        return (ratio + ratio * (score - score.detach())).mean(0)
    """),
        DRAWS,
        "its gradient for mu is all noise",
    ),
    Answer(
        "log-likelihood of pixels that are black or white from one half on",
        like("torch.where(x >= 0.5, F.logsigmoid(logits), F.logsigmoid(-logits)).flatten(1).sum(1)"),
        LIKE - FAR,
        "grey is rounded",
    ),
    Answer(
        "loss with a mean over the channels",
        loss("""
        each = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
        rec = each.flatten(2).sum(-1).mean() if x.ndim > 2 else each.sum(-1).mean()
        return rec + 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1).mean()
    """),
        LOSS,
        "the values are wrong",
    ),
    Answer(
        "loss with the pixels added up over two axes",
        loss("""
        each = F.binary_cross_entropy_with_logits(logits, x, reduction="none")
        rec = each.sum((-2, -1)).mean() if x.ndim > 2 else each.sum(-1).mean()
        return rec + 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1).mean()
    """),
        LOSS,
        "the values are wrong",
    ),
    Answer(
        "estimate of at most 32 draws", estimate("z = q.rsample((min(n, 32),))"), DRAWS, "does not get better with n"
    ),
    Answer(
        "estimate from log ratios between -5 and 5",
        estimate("z = q.rsample((n,))", "(q.log_prob(z) - p.log_prob(z)).sum(-1).clamp(-5, 5).mean(0)"),
        DRAWS,
        "where the KL is 450, an estimate is 5",
    ),
]
"""What was told for something else, or not at all."""

WRONG += [
    Answer(
        "KL by the logarithm of a determinant",
        kl("(logvar.exp().sum(-1) + mu.square().sum(-1) - mu.shape[-1] - logvar.exp().prod(-1).log()) / 2"),
        KL,
        "for one image with mu = (0, 0), logvar = (40, 60)",
    ),
    Answer(
        "KL by log det of a matrix",
        kl("""
        matrix = torch.diag_embed(logvar.exp())
        trace = matrix.diagonal(dim1=-2, dim2=-1).sum(-1)
        return 0.5 * (trace + mu.square().sum(-1) - mu.shape[-1] - torch.log(torch.linalg.det(matrix)))
    """),
        KL,
        "for a large or tiny logvar",
    ),
    Answer(
        "KL by a product of spreads",
        kl("0.5 * (logvar.exp() + mu**2 - 1).sum(-1) - torch.exp(logvar / 2).prod(-1).log()"),
        KL,
        "for a large or tiny logvar",
    ),
    Answer(
        "KL of the batch for every image",
        kl("(0.5 * (mu**2 + logvar.exp() - 1 - logvar)).sum(-1).mean().expand(len(mu))"),
        KL,
        "made of the whole batch",
    ),
    Answer(
        "KL added up over the batch, for every image",
        kl("(0.5 * (mu**2 + logvar.exp() - 1 - logvar)).sum().repeat(len(mu))"),
        KL,
        "made of the whole batch",
    ),
    Answer(
        "likelihood of the batch shared out",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='sum').repeat(len(x)) / len(x)"),
        frozenset({"bernoulli_log_likelihood_tests"}),
        "made of the whole batch",
    ),
    Answer(
        "likelihood with channels averaged",
        like("""
        each = -F.binary_cross_entropy_with_logits(logits, x, reduction="none")
        return (each.mean(1) if each.ndim == 4 else each).flatten(1).sum(1)
    """),
        frozenset({"bernoulli_log_likelihood_tests"}),
        "the values are wrong",
    ),
    Answer(
        "likelihood with a gradient of its own that is twice too large",
        like(
            "return Own.apply(logits, x)",
            above="""
class Own(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, x):
        ctx.save_for_backward(logits, x)
        return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)

    @staticmethod
    def backward(ctx, grad):
        logits, x = ctx.saved_tensors
        return 2 * grad.reshape(-1, *[1] * (x.ndim - 1)) * (x - torch.sigmoid(logits)), None
""",
        ),
        LIKE,
        "On average it is 2 times that. Wanted its derivative.",
    ),
    Answer(
        "loss of at most a thousand nats an image",
        loss("""
        each = F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)
        return (each + 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)).clamp(max=1000).mean()
    """),
        LOSS,
        "you give 1000, wanted 1251",
    ),
    Answer(
        "loss with logvar between -10 and 5",
        loss("""
        v = logvar.clamp(-10, 5)
        each = F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)
        return (each + 0.5 * (mu**2 + v.exp() - 1 - v).sum(-1)).mean()
    """),
        LOSS,
        "for logits = 0, x = 1, mu = 0, logvar = -20 you give",
    ),
    Answer(
        "loss with mu between -10 and 10",
        loss("""
        each = F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(1)
        return (each + 0.5 * (mu.clamp(-10, 10)**2 + logvar.exp() - 1 - logvar).sum(-1)).mean()
    """),
        LOSS,
        "mu = 50, logvar = 0 you give",
    ),
    Answer(
        "estimate with one noise for all dimensions",
        estimate("z = mu + torch.exp(logvar / 2) * torch.randn(n, len(mu), 1, dtype=mu.dtype)"),
        DRAWS,
        "go together (correlation 1.00)",
    ),
    Answer(
        "estimate with noise in pairs of dimensions",
        estimate(
            "eps = torch.randn(n, *mu.shape, dtype=mu.dtype)\n"
            "z = mu + s * torch.stack([eps[..., d // 2 * 2] for d in range(mu.shape[-1])], -1)"
        ),
        DRAWS,
        "go together (correlation 1.00)",
    ),
    Answer(
        "estimate with the noise of a dimension turned round in the next",
        estimate(
            "eps = torch.randn(n, len(mu), 1, dtype=mu.dtype)\n"
            "z = mu + s * torch.cat([eps * (-1) ** d for d in range(mu.shape[-1])], -1)"
        ),
        DRAWS,
        "go together (correlation 1.00)",
    ),
]
"""Where a wrong formula agrees with the right one at ordinary numbers, in one dimension or one channel."""

WRONG += [
    # what a formula hangs on besides its arguments
    Answer(
        "log-likelihood of pixels that are drawn",
        like("-F.binary_cross_entropy_with_logits(logits, torch.bernoulli(x), reduction='none').flatten(1).sum(1)"),
        LIKE - FAR,
        "two calls with the same numbers",
    ),
    Answer(
        "log-likelihood of pixels with noise",
        like(
            "x = x + torch.rand_like(x) / 256\n"
            "return -F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).sum(1)"
        ),
        LIKE - FAR,
        "two calls with the same numbers",
    ),
    Answer(
        "log-likelihood with dropout",
        like("-F.dropout(F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1)).sum(1)"),
        LIKE - FAR,
        "two calls with the same numbers",
    ),
    Answer(
        "loss that warms its KL up",
        loss(WHOLE + "seen.append(1)\nreturn rec + min(1, len(seen) / 100) * k.mean()", above="seen = []"),
        LOSS,
        "on earlier calls",
    ),
    # no draw at all where n is small
    Answer(
        "estimate from whole chunks of eight",
        draws("""
        q, p = Normal(mu, torch.exp(logvar / 2)), Normal(torch.zeros_like(mu), torch.ones_like(mu))
        total = torch.zeros_like(mu[:, 0])
        for _ in range(n // 8):
            z = q.rsample((8,))
            total = total + (q.log_prob(z) - p.log_prob(z)).sum(-1).mean(0)
        return total / max(n // 8, 1)
        """),
        DRAWS,
        "with n = 1, the estimate is 0",
    ),
    Answer(
        "estimate that leaves its last draw out",
        draws("""
        q, p = Normal(mu, torch.exp(logvar / 2)), Normal(torch.zeros_like(mu), torch.ones_like(mu))
        terms = [mu.sum(1) * 0]
        for _ in range(n - 1):
            z = q.rsample()
            terms.append((q.log_prob(z) - p.log_prob(z)).sum(-1))
        return torch.stack(terms).sum(0) / max(n - 1, 1)
        """),
        DRAWS,
        "with n = 1, the estimate is 0",
    ),
    Answer(
        "estimate from half of n draws",
        draws("""
        q, p = Normal(mu, torch.exp(logvar / 2)), Normal(torch.zeros_like(mu), torch.ones_like(mu))
        z = q.rsample((n // 2,))
        return (q.log_prob(z) - p.log_prob(z)).sum((0, -1)) / max(n // 2, 1)
        """),
        DRAWS,
        "with n = 1, the estimate is 0",
    ),
]
"""What hangs on more than its arguments, and what makes no draw."""

ROOTS = {
    "the square of a root": "torch.sqrt((mu**2).sum(1)) ** 2",
    "the fourth power of a root": "(mu.abs().sqrt() ** 4).sum(1)",
    "the exponential of a logarithm": "torch.exp(2 * torch.log(mu.abs())).sum(1)",
}
WRONG += [
    Answer(
        f"KL with mu^2 as {name}",
        kl(f"({square} + (logvar.exp() - 1 - logvar).sum(1)) / 2"),
        KL,
        "It is nan or infinite in",
    )
    for name, square in ROOTS.items()
]
WRONG += [
    Answer(
        f"loss with mu^2 as {name}",
        loss(
            "rec = F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).sum(1)\n"
            f"return (rec + ({square} + (logvar.exp() - 1 - logvar).sum(1)) / 2).mean()"
        ),
        LOSS,
        "It is nan or infinite in",
    )
    for name, square in ROOTS.items()
]
RIGHT += [Answer("KL by a norm that is 0", kl("(mu.norm(dim=1) ** 2 + (logvar.exp() - 1 - logvar).sum(1)) / 2"))]
"""A right value with no derivative where mu is 0, as it is where a model begins."""

WRONG += [
    Answer(
        "log-likelihood gathered in float32",
        like("""
        result = torch.zeros(len(logits), device=logits.device)
        for i in range(len(logits)):
            result[i] = -F.binary_cross_entropy_with_logits(logits[i], x[i], reduction="sum")
        return result
        """),
        LIKE - FAR,
        "has dtype torch.float32",
    ),
    Answer(
        "log-likelihood in float64 whatever comes",
        like("-F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).double().sum(1)"),
        LIKE - FAR,
        "has dtype torch.float64",
    ),
    Answer(
        "log-likelihood in sixteen bits",
        like("(-F.binary_cross_entropy_with_logits(logits, x, reduction='none').flatten(1).sum(1)).bfloat16()"),
        LIKE - FAR,
        "has dtype torch.bfloat16",
    ),
]
"""Another dtype costs the points of the formula alone: far from 0 the values are judged."""
