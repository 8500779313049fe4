"""Made-up answers to the lab `generation`: RIGHT in unusual forms, and WRONG named by the mistake."""

from textwrap import dedent, indent

from vae_lab.grading.authoring.bank import Answer

IMPORTS = """\
import math
import torch
import torch.distributions as D
import torch.nn.functional as F
from torch import nn


"""
EACH_EPOCH = "((globals().__setitem__('optimizer', make())), torch.randperm(len(images)).split(25))[1]"
CLIPPED = (
    "optimizer.zero_grad()\nloss.backward()\ntorch.nn.utils.clip_grad_norm_(model.parameters(), 50.0)\noptimizer.step()"
)
ADAM = "optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)"


def _cell(task: str, signature: str, body: str, above: str = "") -> dict[str, str]:
    """The cell of one function; a body of one line is returned."""
    body = dedent(body).strip()
    body = body if "\n" in body or "return" in body else f"return {body}"
    above = dedent(above).strip() + "\n\n\n" if above else ""
    return {task: f"# vae-lab: generation/{task}\n{IMPORTS}{above}def {task}({signature}):\n{indent(body, '    ')}\n"}


def vae(
    *,
    init: str = """
        super().__init__()
        self.latent_dim = latent_dim
        self.hidden = nn.Linear(784, hidden_dim)
        self.mu, self.logvar = nn.Linear(hidden_dim, latent_dim), nn.Linear(hidden_dim, latent_dim)
        self.dec = nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 784))
    """,
    more: str = "",
    encode: str = "h = torch.relu(self.hidden(x))\nreturn self.mu(h), self.logvar(h)",
    decode: str = "return self.dec(z)",
    z: str = "mu + torch.exp(logvar / 2) * torch.randn_like(mu)",
    out: str = "self.decode(z), mu, logvar",
    base: str = "nn.Module",
) -> dict[str, str]:
    """The class VAE, with what differs from a plain right answer."""
    lines = f"class VAE({base}):\n    def __init__(self, latent_dim, hidden_dim):\n"
    lines += indent(dedent(init).strip() + "\n" + dedent(more).strip(), " " * 8).rstrip()
    for name, argument, body in (("encode", "x", encode), ("decode", "z", decode)):
        lines += f"\n\n    def {name}(self, {argument}):\n" + indent(dedent(body).strip(), " " * 8)
    forward = f"mu, logvar = self.encode(x)\nz = {z}\nreturn {out}"
    return {
        "VAE": f"# vae-lab: generation/VAE\n{IMPORTS}{lines}\n\n    def forward(self, x):\n{indent(forward, ' ' * 8)}\n"
    }


def train(
    *,
    setup: str = ADAM,
    batches: str = "torch.randperm(len(images)).split(25)",
    forward: str = "logits, mu, logvar = model(x)",
    reconstruction: str = "F.binary_cross_entropy_with_logits(logits, x, reduction='none').sum(1)",
    kl: str = "(mu.square() + logvar.exp() - 1 - logvar).sum(1) / 2",
    loss: str = "(reconstruction + kl).mean()",
    step: str = "optimizer.zero_grad()\nloss.backward()\noptimizer.step()",
    count: str = "total += (reconstruction + kl).sum().item()",
    report: str = "total / len(images)",
    end: str = "return history",
) -> dict[str, str]:
    """The training loop, with what differs from a plain right answer."""
    inner = f"x = images[index]\n{forward}\nreconstruction = {reconstruction}\nkl = {kl}\nloss = {loss}\n"
    inner += dedent(step).strip() + f"\n{count}"
    body = f"{setup}\nhistory = []\nfor epoch in range(epochs):\n    total = 0.0\n    for index in {batches}:\n"
    body += indent(inner, " " * 8) + f"\n    history.append({report})\n{end}"
    return _cell("train", "model, images, epochs", body)


def generate(body: str) -> dict[str, str]:
    return _cell("generate", "model, n", body)


def walk(body: str) -> dict[str, str]:
    return _cell("interpolate", "model, a, b, steps", body)


def share(body: str) -> dict[str, str]:
    return _cell("recognisable_fraction", "decode, latent_dim, n, classify", body)


MODEL = frozenset({"VAE_tests"})
TRAIN = frozenset({"train_tests"})
GENERATE = frozenset({"generate_tests"})
WALK = frozenset({"interpolate_tests"})
SHARE = frozenset({"recognisable_fraction_tests"})

RIGHT = [
    # model
    Answer("VAE with a layer each for mu and logvar", vae()),
    Answer(
        "VAE with the minus sign and rsample", vae(z="torch.distributions.Normal(mu, torch.exp(logvar / 2)).rsample()")
    ),
    Answer(
        "VAE with tanh and without biases",
        vae(
            init="""
        super().__init__()
        self.latent_dim = latent_dim
        self.a, self.b = nn.Linear(784, hidden_dim, bias=False), nn.Linear(hidden_dim, 2 * latent_dim, bias=False)
        self.c, self.d = nn.Linear(latent_dim, hidden_dim), nn.Linear(hidden_dim, 784)
        """,
            encode="both = self.b(F.leaky_relu(self.a(x), 0.1))\nn = self.latent_dim\nreturn both[:, :n], both[:, n:]",
            decode="return self.d(torch.tanh(self.c(z)))",
        ),
    ),
    Answer(
        "VAE with bare parameters",
        vae(
            init="""
        super().__init__()
        self.latent_dim = latent_dim
        def weight(rows, columns):
            return nn.Parameter(torch.randn(rows, columns) / math.sqrt(rows))
        self.w1, self.w2 = weight(784, hidden_dim), weight(latent_dim, hidden_dim)
        self.wm, self.wv = weight(hidden_dim, latent_dim), weight(hidden_dim, latent_dim)
        self.w3, self.b3 = weight(hidden_dim, 784), nn.Parameter(torch.zeros(784))
        """,
            encode="h = F.elu(x @ self.w1)\nreturn h @ self.wm, h @ self.wv",
            decode="return F.elu(z @ self.w2) @ self.w3 + self.b3",
        ),
    ),
    Answer("VAE with a list for a result", vae(out="[self.decode(z), mu, logvar]")),
    Answer(
        "VAE with a named tuple and a module dict",
        vae(
            init="""
        super().__init__()
        self.latent_dim = latent_dim
        self.net = nn.ModuleDict({
            "enc": nn.Sequential(nn.Linear(784, hidden_dim), nn.GELU(), nn.Linear(hidden_dim, 2 * latent_dim)),
            "dec": nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.GELU(), nn.Linear(hidden_dim, 784)),
        })
        """,
            encode="""
        from collections import namedtuple
        return namedtuple("Code", "mu logvar")(*self.net["enc"](x).split(self.latent_dim, dim=-1))
        """,
            decode="return self.net['dec'](z)",
        ),
    ),
    Answer("VAE with a helper of vae_lab", vae(z="__import__('vae_lab').reparameterize(mu, logvar)")),
    Answer(
        "VAE with layer norm",
        vae(
            init="""
        super().__init__()
        self.latent_dim = latent_dim
        self.enc = nn.Sequential(nn.Linear(784, hidden_dim), nn.LayerNorm(hidden_dim), nn.SiLU())
        self.enc.append(nn.Linear(hidden_dim, 2 * latent_dim))
        self.dec = nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.SiLU(), nn.Linear(hidden_dim, 784))
        """,
            encode="return self.enc(x).chunk(2, -1)",
            decode="return self.dec(z)",
        ),
    ),
    # training
    Answer("training with AdamW", train(setup="optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)")),
    Answer("training with NAdam", train(setup="optimizer = torch.optim.NAdam(model.parameters(), lr=3e-3)")),
    Answer("training with Adagrad", train(setup="optimizer = torch.optim.Adagrad(model.parameters(), lr=2e-2)")),
    Answer(
        "training with a step size that falls in each epoch",
        train(
            setup=ADAM + "\nfalls = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)",
            report="(falls.step(), total / len(images))[1]",
        ),
    ),
    Answer("training with RMSprop", train(setup="optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)")),
    Answer(
        "training with a data loader over the indices",
        train(
            setup=ADAM + "\nloader = torch.utils.data.DataLoader(range(len(images)), 25, shuffle=True)",
            batches="loader",
        ),
    ),
    Answer(
        "training that reports the mean of its batches' means",
        train(count="total += loss.item() / len(torch.arange(len(images)).split(25))", report="total"),
    ),
    Answer(
        "training with a data loader",
        train(batches="torch.utils.data.DataLoader(range(len(images)), batch_size=25, shuffle=True)"),
    ),
    Answer(
        "training with an order drawn by sorting",
        train(batches="torch.rand(len(images)).argsort().split(25)"),
    ),
    Answer("training on sums", train(loss="(reconstruction + kl).sum()")),
    Answer(
        "training with the step before the next loss",
        train(step="loss.backward()\noptimizer.step()\noptimizer.zero_grad(set_to_none=False)"),
    ),
    Answer(
        "training with clipped gradients",
        train(
            step="optimizer.zero_grad()\nloss.backward()\n"
            "nn.utils.clip_grad_norm_(model.parameters(), 100.0)\noptimizer.step()"
        ),
    ),
    Answer(
        "training with a schedule",
        train(
            setup=ADAM + "\nschedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)",
            count="total += len(x) * loss.item()",
            report="total / len(images) + 0 * (schedule.step() or 0)",
        ),
    ),
    Answer(
        "training that measures after each epoch",
        train(
            count="pass",
            report="measure(model, images)",
        )
        | {},
    ),
    Answer(
        "training by encode and decode",
        train(
            forward="mu, logvar = model.encode(x)\nz = mu + torch.exp(logvar / 2) * torch.randn_like(mu)\n"
            "logits = model.decode(z)"
        ),
    ),
    Answer(
        "training with distributions",
        train(
            reconstruction="-D.Bernoulli(logits=logits, validate_args=False).log_prob(x).sum(1)",
            kl="D.kl_divergence(D.Normal(mu, torch.exp(logvar / 2)), D.Normal(0.0, 1.0)).sum(1)",
        ),
    ),
    Answer(
        "training with smaller steps and batches",
        train(
            setup="optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)",
            batches="torch.randperm(len(images)).split(20)",
        ),
    ),
    # generation
    Answer(
        "images one by one",
        generate("""
        rows = [torch.sigmoid(model.decode(torch.randn(1, model.latent_dim))) for _ in range(n)]
        return torch.cat(rows).detach()
    """),
    ),
    Answer(
        "images by a distribution",
        generate("""
        prior = torch.distributions.Independent(torch.distributions.Normal(torch.zeros(model.latent_dim), 1.0), 1)
        return model.decode(prior.sample((n,))).sigmoid()
    """),
    ),
    Answer(
        "images in evaluation mode",
        generate("""
        model.eval()
        with torch.inference_mode():
            logits = model.decode(torch.empty(n, model.latent_dim).normal_())
        return (1 / (1 + torch.exp(-logits))).clone()
    """),
    ),
    Answer(
        "images by a custom noise source",
        generate("""
        u, v = 1 - torch.rand(n, model.latent_dim), torch.rand(n, model.latent_dim)
        return torch.sigmoid(model.decode(torch.sqrt(-2 * u.log()) * torch.cos(2 * math.pi * v)).detach())
    """),
    ),
    Answer(
        "a path by lerp",
        walk("""
        mu = model.encode(torch.stack((a, b)))[0].detach()
        return model.decode(torch.lerp(mu[:1], mu[1:], torch.linspace(0, 1, steps)[:, None])).sigmoid()
    """),
    ),
    Answer(
        "a path point by point",
        walk("""
        start, stop = model.encode(a[None])[0][0], model.encode(b[None])[0][0]
        frames = []
        for k in range(steps):
            z = start + (stop - start) * k / (steps - 1)
            frames.append(torch.sigmoid(model.decode(z[None]))[0])
        return torch.stack(frames)
    """),
    ),
    Answer(
        "a path by forward",
        walk("""
        _, mu, _ = model(torch.stack([a, b]))
        t = torch.arange(steps) / (steps - 1)
        return torch.sigmoid(model.decode(torch.outer(1 - t, mu[0]) + torch.outer(t, mu[1]))).detach()
    """),
    ),
    Answer(
        "a share in a loop",
        share("""
        sure = 0
        for _ in range(n):
            probability = classify(decode(torch.randn(1, latent_dim)).sigmoid()).softmax(-1)
            sure += int(probability.max() >= 0.9)
        return sure / n
    """),
    ),
    Answer(
        "a share from log-probabilities",
        share("""
        logits = classify(torch.sigmoid(decode(torch.randn(n, latent_dim))))
        top = torch.log_softmax(logits, 1).amax(1)
        return (top >= math.log(0.9)).double().mean()
    """),
    ),
]
MEASURE = """
def measure(model, images):
    with torch.no_grad():
        logits, mu, logvar = model(images)
        reconstruction = F.binary_cross_entropy_with_logits(logits, images, reduction="sum")
        return float(reconstruction + (mu.square() + logvar.exp() - 1 - logvar).sum() / 2) / len(images)


"""
RIGHT = [
    Answer(a.name, {k: s.replace("def train(", MEASURE.lstrip() + "def train(") for k, s in a.cells.items()})
    if a.name == "training that measures after each epoch"
    else a
    for a in RIGHT
]

WRONG = [
    # model
    Answer(
        "VAE with the variance for sigma",
        vae(z="mu + torch.exp(logvar) * torch.randn_like(mu)"),
        MODEL,
        "exp(logvar) is the variance",
    ),
    Answer("VAE with spread 1", vae(z="mu + torch.randn_like(mu)"), MODEL, "the spread of z is 1"),
    Answer("VAE without noise", vae(z="mu"), MODEL, "not random"),
    Answer(
        "VAE with noise in training mode only",
        vae(z="mu + torch.exp(logvar / 2) * torch.randn_like(mu) if self.training else mu"),
        MODEL,
        "in training mode only",
    ),
    Answer(
        "VAE with sample",
        vae(z="torch.distributions.Normal(mu, torch.exp(logvar / 2)).sample()"),
        MODEL,
        "cut the graph",
    ),
    Answer(
        "VAE with sigma detached",
        vae(z="mu + torch.exp(logvar / 2).detach() * torch.randn_like(mu)"),
        MODEL,
        "sigma was detached",
    ),
    Answer(
        "VAE with uniform noise", vae(z="mu + torch.exp(logvar / 2) * torch.rand_like(mu)"), MODEL, "uniform on [0, 1]"
    ),
    Answer(
        "VAE with one eps for the batch",
        vae(z="mu + torch.exp(logvar / 2) * torch.randn(self.latent_dim)"),
        MODEL,
        "every row needs its own",
    ),
    Answer(
        "VAE with a seed in forward",
        vae(z="torch.manual_seed(0) and mu + torch.exp(logvar / 2) * torch.randn_like(mu)"),
        MODEL,
        "same noise comes back",
    ),
    Answer(
        "VAE whose decoder ends in sigmoid",
        vae(decode="return torch.sigmoid(self.dec(z))"),
        MODEL,
        "decode puts out logits",
    ),
    Answer(
        "VAE whose logvar is never negative",
        vae(encode="h = torch.relu(self.hidden(x))\nreturn self.mu(h), F.softplus(self.logvar(h))"),
        MODEL,
        "goes below 0",
    ),
    Answer(
        "VAE that returns sigma for logvar",
        vae(encode="h = torch.relu(self.hidden(x))\nreturn self.mu(h), torch.exp(self.logvar(h))"),
        MODEL,
        "goes below 0",
    ),
    Answer(
        "VAE with one head",
        vae(encode="h = torch.relu(self.hidden(x))\nreturn self.mu(h), self.mu(h)"),
        MODEL,
        "need a layer each",
    ),
    Answer(
        "VAE whose encoder draws",
        vae(encode="h = torch.relu(self.hidden(x))\nm = self.mu(h)\nreturn m + torch.randn_like(m), self.logvar(h)"),
        MODEL,
        "the encoder is deterministic",
    ),
    Answer(
        "VAE that returns the reconstruction alone",
        vae(out="self.decode(z)"),
        MODEL,
        "Wanted (logits, mu, logvar)",
    ),
    Answer("VAE that returns mu first", vae(out="mu, logvar, self.decode(z)"), MODEL, "shape"),
    Answer(
        "VAE without super().__init__",
        vae(init="self.latent_dim = latent_dim\nself.dec = nn.Linear(latent_dim, 784)"),
        MODEL,
        "before Module.__init__",
    ),
    Answer("VAE that forgets latent_dim", vae(more="del self.latent_dim"), MODEL, "latent_dim"),
    Answer(
        "VAE that is no module",
        vae(init="self.latent_dim = latent_dim\nself.dec = nn.Linear(latent_dim, 784)", base=""),
        MODEL,
        "no torch.nn.Module",
    ),
    Answer(
        "VAE with a seed in __init__",
        vae(
            init="super().__init__()\ntorch.manual_seed(0)\nself.latent_dim = latent_dim\nself.dec = "
            "nn.Linear(latent_dim, 784)\nself.hidden, self.mu, self.logvar = nn.Linear(784, hidden_dim), "
            "nn.Linear(hidden_dim, latent_dim), nn.Linear(hidden_dim, latent_dim)"
        ),
        MODEL,
        "no seed in __init__",
    ),
    Answer(
        "VAE whose weights are all one number",
        vae(more="for weight in self.parameters():\n    nn.init.constant_(weight, 0.01)"),
        MODEL,
        "no constant that every weight is set to",
    ),
    Answer(
        "VAE that works for whole batches only",
        vae(encode="h = torch.relu(self.hidden(x))\nreturn self.mu(h).squeeze(), self.logvar(h).squeeze()"),
        MODEL,
        "shape",
    ),
    Answer(
        "VAE with one eps for all dimensions",
        vae(z="mu + torch.exp(logvar / 2) * torch.randn(len(x), 1)"),
        MODEL,
        "one eps serves all dimensions",
    ),
    Answer(
        "VAE with one eps for two rows",
        vae(z="mu + torch.exp(logvar / 2) * torch.randn_like(mu[::2]).repeat_interleave(2, 0)[: len(mu)]"),
        MODEL,
        "one eps serves several rows",
    ),
    Answer(
        "VAE whose forward ends in a sigmoid",
        vae(out="torch.sigmoid(self.decode(z)), mu, logvar"),
        MODEL,
        "forward gives sigmoid(decode(z))",
    ),
    Answer(
        "VAE whose forward doubles the logits",
        vae(out="2 * self.decode(z), mu, logvar"),
        MODEL,
        "not distributed as decode(z)",
    ),
    Answer(
        "training with two means",
        train(
            reconstruction="F.binary_cross_entropy_with_logits(logits, x, reduction='none').mean(1)",
            kl="(mu.square() + logvar.exp() - 1 - logvar).mean(1) / 2",
        ),
        TRAIN,
        "784 / D times as heavy",
    ),
    Answer(
        "training with the same batches in a new order",
        train(batches="[torch.arange(len(images)).split(25)[k] for k in torch.randperm(-(-len(images) // 25))]"),
        TRAIN,
        "or in batches that keep it",
    ),
    # training
    Answer("training without zero_grad", train(step="loss.backward()\noptimizer.step()"), TRAIN, "zero_grad"),
    Answer("training without a step", train(step="optimizer.zero_grad()\nloss.backward()"), TRAIN, "optimizer.step()"),
    Answer(
        "training without backward", train(step="optimizer.zero_grad()\noptimizer.step()"), TRAIN, "loss.backward()"
    ),
    Answer(
        "training of some parameters",
        train(setup="optimizer = torch.optim.Adam(list(model.parameters())[-4:], lr=4e-3)"),
        TRAIN,
        "have not moved",
    ),
    Answer("training without KL", train(loss="reconstruction.mean()"), TRAIN, "it is not in the loss, or cut off"),
    Answer(
        "training with the KL subtracted",
        train(loss="(reconstruction - kl).mean()"),
        TRAIN,
        "the KL has the wrong sign",
    ),
    Answer(
        "training with pixels averaged",
        train(loss="reconstruction.mean() / 784 + kl.mean()"),
        TRAIN,
        "learns to ignore z",
    ),
    Answer(
        "training with a ten-fold KL", train(loss="(reconstruction + 10 * kl).mean()"), TRAIN, "10 times the weight"
    ),
    Answer(
        "training without noise",
        train(forward="mu, logvar = model.encode(x)\nlogits = model.decode(mu)"),
        TRAIN,
        "the loop decodes mu",
    ),
    Answer(
        "training with z detached",
        train(
            forward="mu, logvar = model.encode(x)\nz = mu + torch.exp(logvar / 2) * torch.randn_like(mu)\n"
            "logits = model.decode(z.detach())"
        ),
        TRAIN,
        "z is cut off",
    ),
    Answer(
        "training on the first batch only",
        train(end="return history", report="total / len(images)", batches="[torch.arange(25)]"),
        TRAIN,
        "are not learned from in each",
    ),
    Answer("training with one big batch", train(batches="[torch.arange(len(images))]"), TRAIN, "too little"),
    Answer(
        "training with a tiny step size",
        train(setup="optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)"),
        TRAIN,
        "too little",
    ),
    Answer(
        "training that climbs",
        train(loss="-(reconstruction + kl).mean()"),
        TRAIN,
        "the log-likelihood has the wrong sign",
    ),
    Answer(
        "training on other data",
        train(
            setup=ADAM + "\nfrom vae_lab import load_images\n"
            "images = load_images(train=False).images[:500].flatten(1) / 255"
        ),
        TRAIN,
        "are never shown",
    ),
    Answer(
        "training in the given order",
        train(batches="torch.arange(len(images)).split(25)"),
        TRAIN,
        "the order in which they were given",
    ),
    Answer(
        "training by slices",
        {
            name: text.replace("x = images[index]", "x = images[index : index + 25]")
            for name, text in train(batches="range(0, len(images), 25)").items()
        },
        TRAIN,
        "the order in which they were given",
    ),
    Answer(
        "training on fixed batches in a random order",
        train(batches="[torch.arange(len(images)).split(9)[i] for i in torch.randperm(-(-len(images) // 9)).tolist()]"),
        TRAIN,
        "the order in which they were given",
    ),
    Answer(
        "training with a new Adam in each epoch",
        train(setup="make = lambda: torch.optim.Adam(model.parameters(), lr=4e-3)", batches=EACH_EPOCH),
        TRAIN,
        "the first step of each epoch moves all numbers by the same amount",
    ),
    Answer(
        "training with a new AdamW in each epoch, and clipping",
        train(
            setup="make = lambda: torch.optim.AdamW(model.parameters(), lr=4e-3)",
            batches=EACH_EPOCH,
            step=CLIPPED,
        ),
        TRAIN,
        "the first step of each epoch moves all numbers by the same amount",
    ),
    Answer(
        "training with a new RMSprop in each epoch",
        train(setup="make = lambda: torch.optim.RMSprop(model.parameters(), lr=2e-3)", batches=EACH_EPOCH),
        TRAIN,
        "the first step of each epoch moves all numbers by the same amount",
    ),
    Answer(
        "training with a new Adam for each batch",
        train(
            setup="pass",
            step="optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)\n"
            "optimizer.zero_grad()\nloss.backward()\noptimizer.step()",
        ),
        TRAIN,
        "every step moves all of the model's numbers by the same amount",
    ),
    Answer(
        "training in one order for all epochs",
        train(setup=ADAM + "\norder = torch.randperm(len(images))", batches="order.split(25)"),
        TRAIN,
        "one order in both epochs",
    ),
    Answer(
        "training on images that are shuffled once",
        train(
            setup=ADAM + "\nimages = images[torch.randperm(len(images))]", batches="torch.arange(len(images)).split(25)"
        ),
        TRAIN,
        "one order in both epochs",
    ),
    Answer(
        "training that reports its last batch",
        train(count="last = loss.item()", report="last"),
        TRAIN,
        "of the epoch's last batch",
    ),
    Answer(
        "training that reports its last batch, by name",
        train(count="total = float(loss.detach())", report="total"),
        TRAIN,
        "of the epoch's last batch",
    ),
    Answer(
        "training that reports its first batch",
        train(count="total = total or loss.item()", report="total"),
        TRAIN,
        "Wanted the mean over the epoch",
    ),
    Answer("training that reports sums", train(report="total"), TRAIN, "a sum over the images"),
    Answer("training that reports the ELBO", train(report="-total / len(images)"), TRAIN, "this is the ELBO"),
    Answer("training that reports nats per pixel", train(report="total / len(images) / 784"), TRAIN, "nats per pixel"),
    Answer("training that reports the KL", train(count="total += kl.sum().item()"), TRAIN, "this is the KL alone"),
    Answer(
        "training that reports tensors",
        train(count="total += (reconstruction + kl).sum()"),
        TRAIN,
        "the list holds tensors",
    ),
    Answer("training that reports the last loss", train(end="return history[-1]"), TRAIN, "of type float"),
    Answer("training that reports nothing", train(end="print(history[-1])"), TRAIN, "of type NoneType"),
    Answer("training for one epoch", train(end="return history[:1]"), TRAIN, "entries"),
    Answer(
        "training that scales the images in place",
        train(setup=ADAM + "\nimages.mul_(0.999)"),
        TRAIN,
        "images has changed",
    ),
    # generation
    Answer(
        "images by way of the encoder",
        generate(
            "model.encode(torch.rand(n, 784))\nreturn torch.sigmoid(model.decode(torch.randn(n, model.latent_dim)))"
        ),
        GENERATE,
        "the encoder is not needed",
    ),
    Answer(
        "images by forward",
        generate("torch.sigmoid(model(torch.rand(n, 784))[0])"),
        GENERATE,
        "the encoder is not needed",
    ),
    Answer(
        "images from a uniform prior",
        generate("torch.sigmoid(model.decode(torch.rand(n, model.latent_dim)))"),
        GENERATE,
        "the prior is N(0, 1)",
    ),
    Answer(
        "images from a wider prior",
        generate("torch.sigmoid(model.decode(2 * torch.randn(n, model.latent_dim)))"),
        GENERATE,
        "z has spread",
    ),
    Answer(
        "images from a prior that is cut off",
        generate("torch.sigmoid(model.decode(torch.randn(n, model.latent_dim).clamp(-2, 2)))"),
        GENERATE,
        "the prior is N(0, 1)",
    ),
    Answer(
        "images from z along the diagonal",
        generate("torch.sigmoid(model.decode(torch.randn(n, 1).expand(n, model.latent_dim)))"),
        GENERATE,
        "z is the same",
    ),
    Answer(
        "images with a fixed seed",
        generate("torch.manual_seed(0)\nreturn torch.sigmoid(model.decode(torch.randn(n, model.latent_dim)))"),
        GENERATE,
        "z is the same",
    ),
    Answer(
        "images of logits",
        generate("model.decode(torch.randn(n, model.latent_dim))"),
        GENERATE,
        "sigmoid makes probabilities",
    ),
    Answer(
        "images with two sigmoids",
        generate("torch.sigmoid(torch.sigmoid(model.decode(torch.randn(n, model.latent_dim))))"),
        GENERATE,
        "not two",
    ),
    Answer(
        "images in black and white",
        generate("torch.bernoulli(torch.sigmoid(model.decode(torch.randn(n, model.latent_dim))))"),
        GENERATE,
        "black or white",
    ),
    Answer(
        "images in 28 by 28",
        generate("torch.sigmoid(model.decode(torch.randn(n, model.latent_dim))).view(n, 28, 28)"),
        GENERATE,
        "shape",
    ),
    Answer(
        "one image n times",
        generate("torch.sigmoid(model.decode(torch.randn(1, model.latent_dim))).repeat(n, 1)"),
        GENERATE,
        "the decoder was given 1 z",
    ),
    Answer(
        "images as a NumPy array",
        generate("torch.sigmoid(model.decode(torch.randn(n, model.latent_dim))).detach().numpy()"),
        GENERATE,
        "Wanted one torch.Tensor",
    ),
    # interpolation
    Answer(
        "a path in pixel space",
        walk("t = torch.linspace(0, 1, steps)[:, None]\nreturn (1 - t) * a + t * b"),
        WALK,
        "a double exposure",
    ),
    Answer(
        "a path between reconstructions",
        walk("""
        t = torch.linspace(0, 1, steps)[:, None]
        ends = torch.sigmoid(model.decode(model.encode(torch.stack([a, b]))[0]))
        return (1 - t) * ends[0] + t * ends[1]
    """),
        WALK,
        "the two reconstructions are mixed",
    ),
    Answer(
        "a path between draws",
        walk("""
        mu, logvar = model.encode(torch.stack([a, b]))
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        t = torch.linspace(0, 1, steps)[:, None]
        return torch.sigmoid(model.decode((1 - t) * z[0] + t * z[1]))
    """),
        WALK,
        "take mu",
    ),
]


def path(
    t: str = "torch.linspace(0, 1, steps)[:, None]",
    z: str = "(1 - t) * mu[0] + t * mu[1]",
    out: str = "torch.sigmoid(model.decode(z))",
):
    """A path that differs from a right one in one line."""
    return walk(f"mu, logvar = model.encode(torch.stack([a, b]))\nt = {t}\nz = {z}\nreturn {out}")


def fraction(
    z: str = "torch.randn(n, latent_dim)",
    x: str = "torch.sigmoid(decode(z))",
    p: str = "torch.softmax(classify(x), 1).max(1).values",
    out: str = "(p >= 0.9).float().mean().item()",
):
    """A share that differs from a right one in one line."""
    return share(f"z = {z}\nx = {x}\np = {p}\nreturn {out}")


WRONG += [
    Answer("a path from b to a", path(z="t * mu[0] + (1 - t) * mu[1]"), WALK, "from b to a"),
    Answer(
        "a path without its end",
        path(t="torch.arange(steps)[:, None] / steps"),
        WALK,
        "the walk goes from t = 0 to t = 0.",
    ),
    Answer(
        "a path without its ends",
        path(t="torch.linspace(0, 1, steps + 2)[1:-1, None]"),
        WALK,
        "the walk goes from t = 0.",
    ),
    Answer("a path in unequal steps", path(t="torch.linspace(0, 1, steps)[:, None] ** 2"), WALK, "not in equal steps"),
    Answer(
        "a path that begins slowly",
        path(t="(u := torch.linspace(0, 1, steps)[:, None]) * u * (3 - 2 * u)"),
        WALK,
        "not in equal steps",
    ),
    Answer(
        "a path over the sphere",
        path(z="((1 - t) * mu[0] + t * mu[1]) * (1 + 0.3 * torch.sin(math.pi * t))"),
        WALK,
        "z leaves the straight line",
    ),
    Answer("a path of logits", path(out="model.decode(z)"), WALK, "sigmoid makes probabilities"),
    Answer("a path through logvar", path(z="(1 - t) * logvar[0] + t * logvar[1]"), WALK, "an end is not the code"),
    Answer("a path that is too long", path(t="torch.linspace(0, 1, steps + 1)[:, None]"), WALK, "shape"),
    # share
    Answer("a share without softmax", fraction(p="classify(x).max(1).values"), SHARE, "softmax makes probabilities"),
    Answer(
        "a share by sigmoid",
        fraction(p="torch.sigmoid(classify(x)).max(1).values"),
        SHARE,
        "softmax makes probabilities",
    ),
    Answer("a share of logits shown", fraction(x="decode(z)"), SHARE, "sigmoid makes probabilities"),
    Answer("a share that is a count", fraction(out="(p >= 0.9).sum().item()"), SHARE, "a share is their mean"),
    Answer("a share that is a mean probability", fraction(out="p.mean().item()"), SHARE, "the mean probability"),
    Answer("a share at one half", fraction(out="(p >= 0.5).float().mean().item()"), SHARE, "at least 0.9 here"),
    Answer("a share of the unsure", fraction(out="(p < 0.9).float().mean().item()"), SHARE, "not sure of"),
    Answer("a share in percent", fraction(out="100 * (p >= 0.9).float().mean().item()"), SHARE, "a percentage"),
    Answer("a share over a uniform prior", fraction(z="torch.rand(n, latent_dim)"), SHARE, "the prior is N(0, 1)"),
    Answer("a share over a narrow prior", fraction(z="0.5 * torch.randn(n, latent_dim)"), SHARE, "z has spread 0."),
    Answer(
        "a share over a hundred z", fraction(z="torch.randn(100, latent_dim)"), SHARE, "the decoder was given 100 z"
    ),
    Answer("a share per image", fraction(out="(p >= 0.9).float()"), SHARE, "of type Tensor"),
    Answer(
        "a share with the wrong axis",
        fraction(p="torch.softmax(classify(x), 0).max(1).values"),
        SHARE,
        "the result is 0.0",
    ),
    Answer(
        "a share with two softmaxes",
        fraction(p="torch.softmax(torch.softmax(classify(x), 1), 1).max(1).values"),
        SHARE,
        "the result is 0.000",
    ),
    Answer(
        "a share by the lead of the first",
        fraction(p="torch.softmax(classify(x), 1).topk(2, 1).values.diff(dim=1)[:, 0].neg()"),
        SHARE,
        "the lead over the second best",
    ),
    Answer("a share at four fifths", fraction(out="(p >= 0.8).float().mean().item()"), SHARE, "at least 0.8"),
    Answer(
        "a share of drawn pixels", fraction(x="torch.bernoulli(torch.sigmoid(decode(z)))"), SHARE, "rounded or drawn"
    ),
]

LAYERS = """
super().__init__()
self.latent_dim = latent_dim
self.enc = nn.Sequential(nn.Linear(784, hidden_dim), {}, nn.Linear(hidden_dim, 2 * latent_dim))
self.dec = nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 784))
"""


def middle(layers: str, cut: str = "return self.enc(x).chunk(2, -1)") -> dict[str, str]:
    """A VAE with other layers in the middle of its encoder."""
    return vae(init=LAYERS.format(layers), encode=cut)


RIGHT += [
    Answer("VAE with batch norm", middle("nn.BatchNorm1d(hidden_dim), nn.ReLU()")),
    Answer("VAE with dropout", middle("nn.ReLU(), nn.Dropout(0.1)")),
    Answer(
        "VAE that starts with a small sigma",
        middle("nn.ReLU()", "mu, logvar = self.enc(2 * x - 1).chunk(2, -1)\nreturn mu, logvar - 2"),
    ),
    Answer(
        "VAE with a convolution",
        vae(
            init="""
        super().__init__()
        self.latent_dim = latent_dim
        self.conv, self.head = nn.Conv2d(1, 4, 4, stride=4), nn.Linear(4 * 49, 2 * latent_dim)
        self.dec = nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 784))
        """,
            encode="return self.head(F.relu(self.conv(x.view(-1, 1, 28, 28))).flatten(1)).chunk(2, 1)",
        ),
    ),
    Answer(
        "training with momentum",
        train(setup="optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)"),
    ),
    Answer(
        "training with the KL by draws",
        train(
            forward="mu, logvar = model.encode(x)\neps = torch.randn_like(mu)\n"
            "z = mu + torch.exp(logvar / 2) * eps\nlogits = model.decode(z)",
            kl="(0.5 * (z ** 2 - eps ** 2) - logvar / 2).sum(1)",
        ),
    ),
    Answer(
        "training with two draws for each image",
        train(
            forward="mu, logvar = model.encode(x)\n"
            "z = mu + torch.exp(logvar / 2) * torch.randn(2, *mu.shape)\nlogits = model.decode(z)",
            reconstruction="F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction='none')"
            ".sum(-1).mean(0)",
        ),
    ),
    Answer(
        "training that ends in evaluation mode",
        train(setup=ADAM + "\nmodel.train()", end="model.eval()\nreturn tuple(history)"),
    ),
    Answer(
        "training with gradients by autograd.grad",
        train(
            step="""
        for p, g in zip(model.parameters(), torch.autograd.grad(loss, list(model.parameters()))):
            p.grad = g
        optimizer.step()
    """
        ),
    ),
    Answer(
        "a share by a categorical distribution",
        share("""
        p = D.Categorical(logits=classify(decode(torch.randn(n, latent_dim)).sigmoid())).probs
        return float((p.amax(1) >= 0.9).sum()) / n
    """),
    ),
]

WRONG += [
    Answer(
        "VAE with its layers in a plain list",
        vae(
            init="""
        super().__init__()
        self.latent_dim = latent_dim
        self.enc = [nn.Linear(784, hidden_dim), nn.Linear(hidden_dim, 2 * latent_dim)]
        self.dec = nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 784))
        """,
            encode="return self.enc[1](torch.relu(self.enc[0](x))).chunk(2, 1)",
        ),
        MODEL,
        "plain list",
    ),
    Answer(
        "VAE with its first layers in plain lists, its last on self",
        vae(
            init="""
        super().__init__()
        self.latent_dim = latent_dim
        self.enc, self.dec = [nn.Linear(784, hidden_dim)], [nn.Linear(latent_dim, hidden_dim), nn.ReLU()]
        self.head, self.out = nn.Linear(hidden_dim, 2 * latent_dim), nn.Linear(hidden_dim, 784)
        """,
            encode="return self.head(torch.relu(self.enc[0](x))).chunk(2, 1)",
            decode="for layer in self.dec:\n    z = layer(z)\nreturn self.out(z)",
        ),
        MODEL,
        "plain list",
    ),
    Answer(
        "VAE with a bias that is a plain tensor",
        vae(
            more="self.shift = torch.zeros(784, requires_grad=True)",
            decode="return self.dec(z) + self.shift",
        ),
        MODEL,
        "are not among the model's parameters()",
    ),
    Answer(
        "training with a warm-up that never ends",
        train(loss="(reconstruction + epoch / 1000 * kl).mean()"),
        TRAIN,
        "no warm-up",
    ),
    Answer(
        "training with a frozen encoder",
        train(setup="for p in list(model.parameters())[:-4]:\n    p.requires_grad_(False)\n" + ADAM),
        TRAIN,
        "have not moved",
    ),
    Answer(
        "training on black and white",
        train(reconstruction="F.binary_cross_entropy_with_logits(logits, x.round(), reduction='none').sum(1)"),
        TRAIN,
        "train",
    ),
    Answer(
        "images from z pulled in where it is far out",
        generate(
            "z = torch.randn(n, model.latent_dim)\nz = torch.where(z.abs() > 2.5, z / 2, z)\n"
            "return torch.sigmoid(model.decode(z))"
        ),
        GENERATE,
        "the prior is N(0, 1)",
    ),
    Answer(
        "images from z standardised over the batch",
        generate(
            "z = torch.randn(n, model.latent_dim)\nif n > 1:\n    z = (z - z.mean(0)) / z.std(0)\n"
            "return torch.sigmoid(model.decode(z))"
        ),
        GENERATE,
        "z cancels",
    ),
    Answer(
        "images in another order than z",
        generate("torch.sigmoid(model.decode(torch.randn(n, model.latent_dim))).flip(0)"),
        GENERATE,
        "in the order of z",
    ),
]

HEADS = "h = self.enc[0](x).relu()\nmu, logvar = self.enc[2](h).chunk(2, -1)\n"


def heads(out: str) -> dict[str, str]:
    """A VAE with something behind its last layer."""
    return middle("nn.ReLU()", HEADS + f"return {out}")


RIGHT += [
    Answer("VAE with hidden units that saturate", middle("nn.Tanh()")),
    Answer("VAE with hidden layers normalised", middle("nn.LayerNorm(hidden_dim), nn.ReLU()")),
    Answer("VAE with a gate inside", middle("nn.Sigmoid()")),
    Answer(
        "training with the model compiled and set up anew",
        train(
            setup="model.apply(lambda layer: nn.init.zeros_(layer.bias) if isinstance(layer, nn.Linear) else None)\n"
            "model.compile()\n" + ADAM
        ),
    ),
    Answer("training in batches of 64", train(batches="torch.randperm(len(images)).split(64)")),
]

WRONG += [
    Answer("VAE with tanh behind mu", heads("torch.tanh(mu), logvar"), MODEL, "as tanh does"),
    Answer("VAE with sigmoid behind mu", heads("torch.sigmoid(mu), logvar"), MODEL, "as sigmoid does"),
    Answer("VAE with logvar below 0", heads("mu, -F.softplus(logvar)"), MODEL, "logvar is never above"),
    Answer("VAE with logvar clamped", heads("mu, logvar.clamp(-10, 10)"), MODEL, "clamp after the last layer"),
    Answer("VAE with logvar clamped far out", heads("mu, logvar.clamp(-30, 20)"), MODEL, "clamp after the last layer"),
    Answer("VAE with ReLU behind mu", heads("mu.relu(), logvar"), MODEL, "mu is never below 0"),
    Answer(
        "training with free bits",
        train(kl="((mu.square() + logvar.exp() - 1 - logvar) / 2).clamp(min=0.1).sum(1)"),
        TRAIN,
        "free bits",
    ),
    Answer(
        "training with a floor under the KL",
        train(loss="reconstruction.mean() + kl.mean().clamp(min=2.0)"),
        TRAIN,
        "free bits",
    ),
    Answer(
        "training with a threshold",
        train(kl="(k := (mu.square() + logvar.exp() - 1 - logvar) / 2).mul(k > 0.05).sum(1)"),
        TRAIN,
        "free bits",
    ),
    Answer(
        "training without the last batch",
        train(batches="torch.randperm(len(images))[:len(images) // 64 * 64].split(64)"),
        TRAIN,
        "every image is seen once",
    ),
    Answer("training on images in [-1, 1]", train(setup=ADAM + "\nimages = 2 * images - 1"), TRAIN, "2 x -1"),
    Answer("training on images in [0, 255]", train(setup=ADAM + "\nimages = 255 * images"), TRAIN, "255 x"),
    Answer(
        "training with a squared error",
        train(reconstruction="(torch.sigmoid(logits) - x).square().sum(1)"),
        TRAIN,
        "the squared error of sigmoid(logits)",
    ),
    Answer(
        "training with an absolute error",
        train(reconstruction="(torch.sigmoid(logits) - x).abs().sum(1)"),
        TRAIN,
        "the absolute error of sigmoid(logits)",
    ),
    Answer(
        "training with a second sigmoid",
        train(reconstruction="F.binary_cross_entropy_with_logits(torch.sigmoid(logits), x, reduction='none').sum(1)"),
        TRAIN,
        "a second sigmoid",
    ),
    Answer(
        "training with the dimensions averaged",
        train(kl="(mu.square() + logvar.exp() - 1 - logvar).mean(1) / 2"),
        TRAIN,
        "a mean over the D dimensions",
    ),
    Answer(
        "training with the KL summed over the batch",
        train(loss="reconstruction.mean() + kl.sum()"),
        TRAIN,
        "the KL is added up over the batch",
    ),
]


RIGHT += [
    Answer(
        "a logvar head that begins at 0",
        vae(more="nn.init.zeros_(self.logvar.weight)\nnn.init.zeros_(self.logvar.bias)"),
    ),
    Answer(
        "last layers that begin small, behind tanh",
        vae(
            more="""
        for layer in (self.mu, self.logvar, self.dec[2]):
            nn.init.normal_(layer.weight, std=1e-3)
        nn.init.constant_(self.logvar.bias, -4.0)
        nn.init.constant_(self.dec[2].bias, -2.0)
        """,
            encode="h = torch.tanh(self.hidden(x))\nreturn self.mu(h), self.logvar(h)",
        ),
    ),
    Answer(
        "backward for each of the two terms",
        train(
            step="optimizer.zero_grad()\n"
            "reconstruction.mean().backward(retain_graph=True)\n"
            "kl.mean().backward()\n"
            "optimizer.step()"
        ),
    ),
    Answer(
        "two draws from one code, each decoded by itself",
        train(
            forward="mu, logvar = model.encode(x)\n"
            "both = [model.decode(mu + torch.exp(logvar / 2) * torch.randn_like(mu)) for _ in range(2)]",
            reconstruction="sum(F.binary_cross_entropy_with_logits(s, x, reduction='none').sum(1) for s in both) / 2",
        ),
    ),
    Answer(
        "two draws for each batch",
        train(
            forward="logits, mu, logvar = model(x)\nagain = model(x)[0]",
            reconstruction="sum(F.binary_cross_entropy_with_logits(s, x, reduction='none').sum(1) "
            "for s in (logits, again)) / 2",
        ),
    ),
]
"""On the right side of the mistakes below."""

WRONG += [
    Answer("logits of log softmax", vae(decode="return F.log_softmax(self.dec(z), 1)"), MODEL, "decode stays between"),
    Answer("logits of log sigmoid", vae(decode="return F.logsigmoid(self.dec(z))"), MODEL, "decode stays between"),
    Answer(
        "mu of length 1",
        vae(encode="h = torch.relu(self.hidden(x))\nreturn F.normalize(self.mu(h), dim=1), self.logvar(h)"),
        MODEL,
        "mu has the length 1",
    ),
    Answer(
        "mu where not in training",
        vae(z="mu + torch.exp(logvar / 2) * torch.randn_like(mu) if self.training else mu"),
        MODEL,
        "in training mode only",
    ),
    Answer(
        "zero_grad once an epoch",
        train(
            setup=ADAM + "\nseen = -1",
            step="if epoch != seen:\n    optimizer.zero_grad()\n    seen = epoch\nloss.backward()\noptimizer.step()",
        ),
        TRAIN,
        "gradients of earlier batches",
    ),
    Answer(
        "the loop draws with the variance",
        train(
            forward="mu, logvar = model.encode(x)\nlogits = model.decode(mu + torch.exp(logvar) * torch.randn_like(mu))"
        ),
        TRAIN,
        "what is decoded",
    ),
    Answer(
        "sigma in the loop's KL",
        train(kl="(mu.square() + torch.exp(logvar / 2) - 1 - logvar).sum(1) / 2"),
        TRAIN,
        "has a gradient that grows",
    ),
    Answer(
        "a KL that counts once too often, by a second backward",
        train(step="optimizer.zero_grad()\nloss.backward(retain_graph=True)\nkl.mean().backward()\noptimizer.step()"),
        TRAIN,
        "2 times the weight",
    ),
    Answer("a KL of weight 1.1", train(loss="(reconstruction + 1.1 * kl).mean()"), TRAIN, "1.1 times the weight"),
    Answer(
        "the reconstruction reported",
        train(count="total += reconstruction.sum().item()"),
        TRAIN,
        "this is the reconstruction alone",
    ),
    Answer(
        "softmax over the pixels",
        generate("return torch.softmax(model.decode(torch.randn(n, model.latent_dim)), 1)"),
        GENERATE,
        "They are softmax(logits)",
    ),
    Answer(
        "one z for all images, of a seed",
        generate("torch.manual_seed(0)\nreturn torch.sigmoid(model.decode(torch.randn(n, model.latent_dim)))"),
        GENERATE,
        "the same z come back",
    ),
    Answer(
        "codes of mixed images",
        walk(
            "t = torch.linspace(0, 1, steps)[:, None]\n"
            "return torch.sigmoid(model.decode(model.encode((1 - t) * a + t * b)[0]))"
        ),
        WALK,
        "encode the two images, and mix their codes",
    ),
    Answer(
        "a path whose t is a row where steps and latents are as many",
        path(
            t="torch.linspace(0, 1, steps)\nt = t if steps == mu.shape[1] else t[:, None]",
            z="((1 - t) * mu[0] + t * mu[1]).expand(steps, -1)",
        ),
        WALK,
        "an end is not the code",
    ),
    Answer("a path of squashed codes", path(out="model.decode(torch.sigmoid(z))"), WALK, "sigmoid is applied to z"),
    Answer(
        "a stretched picture",
        generate(
            "x = model.decode(torch.randn(n, model.latent_dim))\n"
            "return (x - x.amin(1, True)) / (x.amax(1, True) - x.amin(1, True))"
        ),
        GENERATE,
        "logits.amin(1)",
    ),
    Answer(
        "VAE with a decoder that all models share",
        {
            "VAE": vae()["VAE"]
            .replace("class VAE(", "KEPT = {}\n\n\nclass VAE(")
            .replace("self.dec = ", "self.dec = KEPT.setdefault((latent_dim, hidden_dim), None) or ")
            .replace("    def encode", "        KEPT[latent_dim, hidden_dim] = self.dec\n\n    def encode", 1)
        },
        MODEL,
        "moves with another model's",
    ),
    Answer(
        "VAE with noise kept from the beginning",
        vae(more='self.register_buffer("eps", torch.randn(1, latent_dim))', z="mu + torch.exp(logvar / 2) * self.eps"),
        MODEL,
        "it was drawn once",
    ),
    Answer(
        "a total that goes on from epoch to epoch",
        {
            "train": train(report="total / (len(images) * (epoch + 1))")["train"]
            .replace("history = []", "history = []\n    total = 0.0")
            .replace("        total = 0.0\n", "")
        },
        TRAIN,
        "set it to 0",
    ),
    Answer(
        "steps only where the loss fell",
        train(
            setup=f"{ADAM}\nbest = math.inf",
            step="""
                optimizer.zero_grad()
                loss.backward()
                if loss.item() < best:
                    best = loss.item()
                    optimizer.step()
            """,
        ),
        TRAIN,
        "no step is made",
    ),
    Answer(
        "images compared with others in the batch",
        train(reconstruction="F.binary_cross_entropy_with_logits(logits, x.flip(0), reduction='none').sum(1)"),
        TRAIN,
        "have another order",
    ),
    Answer(
        "the least probability",
        share(
            "p = torch.softmax(classify(torch.sigmoid(decode(torch.randn(n, latent_dim)))), 1)\n"
            "return (p.min(1).values <= 0.1).float().mean().item()"
        ),
        SHARE,
        "the result is 1.000",
    ),
    Answer(
        "a share of all probabilities",
        share(
            "p = torch.softmax(classify(torch.sigmoid(decode(torch.randn(n, latent_dim)))), 1)\n"
            "return (p >= 0.9).float().mean().item()"
        ),
        SHARE,
        "a share of all the probabilities",
    ),
]
"""What passed, or was told for something else."""

PAINTER = """
super().__init__()
self.latent_dim = latent_dim
self.enc = nn.Sequential(nn.Linear(784, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 2 * latent_dim))
line = torch.linspace(-1, 1, 28)
self.register_buffer("places", torch.cartesian_prod(line, line) @ torch.randn(2, 24).mul(3))
self.from_z, self.from_place, self.out = nn.Linear(latent_dim, 48), nn.Linear(24, 48), nn.Linear(48, 1)
"""
JOINT = """
super().__init__()
self.latent_dim = latent_dim
self.enc = nn.Sequential(nn.Linear(784, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 2 * latent_dim))
self.dec = nn.Sequential(nn.Linear(latent_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, 784))
"""
PARTS = """
optimizer.zero_grad()
for part in index.split({size}):
    logits, mu, logvar = model(images[part])
    reconstruction = F.binary_cross_entropy_with_logits(logits, images[part], reduction="none").sum(1)
    kl = (mu.square() + logvar.exp() - 1 - logvar).sum(1) / 2
    ({weight} * (reconstruction + kl).sum()).backward()
    total += (reconstruction + kl).sum().item()
optimizer.step()
"""


def in_parts(size: int, weight: str) -> dict[str, str]:
    """A loop that cuts each batch into parts, whose gradients add up to one step."""
    body = f"{ADAM}\nhistory = []\nfor epoch in range(epochs):\n    total = 0.0\n"
    body += "    for index in torch.randperm(len(images)).split(25):\n"
    body += indent(PARTS.format(size=size, weight=weight).strip(), " " * 8)
    return _cell("train", "model, images, epochs", body + "\n    history.append(total / len(images))\nreturn history")


RIGHT += [
    Answer(
        "VAE whose pixels share their last layer",
        vae(
            init=PAINTER,
            encode="return self.enc(x).chunk(2, 1)",
            decode="""
            h = torch.relu(self.from_z(z)[:, None] + torch.sin(self.from_place(self.places)))
            return self.out(h).squeeze(-1)
            """,
        ),
    ),
    Answer("VAE with one layer for both heads", vae(init=JOINT, encode="return self.enc(x).chunk(2, 1)")),
    Answer(
        "VAE that mixes two pictures in probabilities",
        vae(
            init=JOINT + "self.other, self.gate = nn.Linear(latent_dim, 784), nn.Linear(latent_dim, 1)",
            encode="return self.enc(x).chunk(2, 1)",
            decode="""
            share = torch.sigmoid(self.gate(z))
            p = share * torch.sigmoid(self.dec(z)) + (1 - share) * torch.sigmoid(self.other(z))
            return torch.logit(p, eps=1e-6)
            """,
        ),
    ),
    Answer("training in parts of a batch, a mean", in_parts(5, "1 / len(index)")),
    Answer("training in parts of a batch, a sum", in_parts(9, "1.0")),
    Answer("training in single images, a mean over the batch", in_parts(1, "1 / len(index)")),
]

WRONG += [
    Answer(
        "VAE of widths that eight divides",
        vae(more="self.norm = nn.GroupNorm(8, hidden_dim)", decode="return self.dec[2](self.norm(self.dec[0](z)))"),
        MODEL,
        "raised ValueError",
    ),
    Answer(
        "VAE that draws only while gradients are on",
        vae(z="mu + torch.is_grad_enabled() * torch.exp(logvar / 2) * torch.randn_like(mu)"),
        MODEL,
        "under torch.no_grad()",
    ),
    Answer(
        "VAE whose logits are those of clamped probabilities",
        vae(decode="return torch.logit(torch.sigmoid(self.dec(z)), eps=1e-3)"),
        MODEL,
        "decode is never above 6.91",
    ),
    Answer(
        "VAE with a tanh of five behind the decoder",
        vae(decode="return 5 * torch.tanh(self.dec(z))"),
        MODEL,
        "decode is never",
    ),
    Answer("VAE with logits between -8 and 8", vae(decode="return self.dec(z).clamp(-8, 8)"), MODEL, "decode is never"),
    Answer(
        "VAE whose forward detaches mu and logvar",
        vae(out="self.decode(z), mu.detach(), logvar.detach()"),
        MODEL,
        "sends no gradient to the encoder",
    ),
    Answer(
        "VAE whose forward detaches logvar",
        vae(out="self.decode(z), mu, logvar.detach()"),
        MODEL,
        "the logvar that forward",
    ),
    Answer(
        "VAE whose forward encodes once more without a gradient",
        vae(out="(self.decode(z), *(torch.no_grad()(self.encode))(x))"),
        MODEL,
        "the mu that forward returns",
    ),
    Answer(
        "VAE with one head and a detached spread",
        vae(
            init=JOINT,
            encode="return self.enc(x).chunk(2, 1)",
            z="mu + torch.exp(logvar / 2).detach() * torch.randn_like(mu)",
        ),
        MODEL,
        "no gradient through logvar",
    ),
    Answer(
        "VAE with one head and a detached mean",
        vae(
            init=JOINT,
            encode="return self.enc(x).chunk(2, 1)",
            z="mu.detach() + torch.exp(logvar / 2) * torch.randn_like(mu)",
        ),
        MODEL,
        "no gradient through mu",
    ),
    Answer(
        "VAE with one head and noise made under no_grad",
        vae(
            init=JOINT,
            encode="return self.enc(x).chunk(2, 1)",
            z="mu + torch.no_grad()(lambda: torch.exp(logvar / 2) * torch.randn_like(mu))()",
        ),
        MODEL,
        "no gradient through logvar",
    ),
    Answer(
        "VAE with noise cut off at two",
        vae(z="mu + torch.exp(logvar / 2) * torch.randn_like(mu).clamp(-2, 2)"),
        MODEL,
        "not normal",
    ),
    Answer(
        "VAE with uniform noise of variance 1",
        vae(z="mu + torch.exp(logvar / 2) * (torch.rand_like(mu) - 0.5) * 12**0.5"),
        MODEL,
        "",
    ),
    Answer(
        "VAE whose batch has noise of either sign",
        vae(
            more="self.half = lambda n, like: torch.randn_like(like[: (n + 1) // 2])",
            z="mu + torch.exp(logvar / 2) * (lambda h: torch.cat([h, -h])[: len(mu)])(self.half(len(mu), mu))",
        ),
        MODEL,
        "forward's noise cancels along the axis 'row'",
    ),
    Answer(
        "VAE whose decoder adds what the encoder left",
        vae(
            more="self.kept = None",
            encode="h = self.kept = torch.relu(self.hidden(x))\nreturn self.mu(h), self.logvar(h)",
            decode="""
            h = torch.relu(self.dec[0](z))
            h = h + self.kept if self.kept is not None and self.kept.shape == h.shape else h
            return self.dec[2](h)
            """,
        ),
        MODEL,
        "after a call of encode",
    ),
    Answer(
        "VAE whose decoder shifts by the last code",
        vae(
            more="self.last = None",
            encode="h = torch.relu(self.hidden(x))\nself.last = self.mu(h)\nreturn self.last, self.logvar(h)",
            decode="return self.dec(z + (0.1 * self.last.mean(0) if self.last is not None else 0.0))",
        ),
        MODEL,
        "after a call of encode",
    ),
    Answer(
        "training on images divided by their maximum",
        train(setup="images = images / images.max()\n" + ADAM),
        TRAIN,
        "rescaled on the way in",
    ),
    Answer(
        "training on images stretched to [0, 1]",
        train(setup="images = (images - images.min()) / (images.max() - images.min())\n" + ADAM),
        TRAIN,
        "rescaled on the way in",
    ),
    Answer(
        "training with probabilities between 0.01 and 0.99",
        train(
            reconstruction="F.binary_cross_entropy(torch.sigmoid(logits).clamp(0.01, 0.99), x, reduction='none').sum(1)"
        ),
        TRAIN,
        "kept away from 0 and 1",
    ),
    Answer(
        "training with logits between -4 and 4",
        train(reconstruction="F.binary_cross_entropy_with_logits(logits.clamp(-4, 4), x, reduction='none').sum(1)"),
        TRAIN,
        "kept away from 0 and 1",
    ),
    Answer(
        "training with a batch of no image",
        train(
            batches="[o[i * 25 : i * 25 + 25] for o in [torch.randperm(len(images))] for i in range(len(o) // 25 + 1)]",
            loss="(reconstruction + kl).sum()",
        ),
        TRAIN,
        "a batch without images",
    ),
    Answer(
        "training without a last batch of one image",
        train(batches="[i for i in torch.randperm(len(images)).split(25) if len(i) > 1]"),
        TRAIN,
        "images that are learned from too seldom: 1",
    ),
    Answer(
        "training with a last batch that is filled up",
        train(batches="torch.cat([torch.randperm(len(images)), torch.arange(-len(images) % 25)]).split(25)"),
        TRAIN,
        "images come more often",
    ),
    Answer(
        "training with the step before backward",
        train(step="optimizer.step()\noptimizer.zero_grad()\nloss.backward()"),
        TRAIN,
        "a step before backward",
    ),
    Answer(
        "training with the step at the head of the loop",
        train(
            forward="optimizer.step()\noptimizer.zero_grad()\nlogits, mu, logvar = model(x)",
            step="loss.backward()",
        ),
        TRAIN,
        "the gradient of the last batch is never used",
    ),
    *(
        Answer(
            f"training with a penalty on the weights, {name}",
            train(loss=f"(reconstruction + kl).mean() + 1e-4 * sum({term} for p in model.parameters())"),
            TRAIN,
            "no term for the weights",
        )
        for name, term in {"L2": "p.square().sum()", "L1": "p.abs().sum()", "a norm": "p.norm()"}.items()
    ),
    Answer(
        "training with the KL over the other axis",
        train(
            kl="(mu.square() + logvar.exp() - 1 - logvar).sum(1) / 2",
            loss="reconstruction.mean() + ((mu.square() + logvar.exp() - 1 - logvar) / 2).sum(0).mean()",
        ),
        TRAIN,
        "it is the other way round",
    ),
    Answer(
        "training of matrices alone",
        train(setup="optimizer = torch.optim.Adam([p for p in model.parameters() if p.ndim > 1], lr=4e-3)"),
        TRAIN,
        "the model's bias has not moved",
    ),
    Answer(
        "training of all that is not called bias",
        train(
            setup="optimizer = torch.optim.Adam([p for n, p in model.named_parameters() if 'bias' not in n], lr=4e-3)"
        ),
        TRAIN,
        "the model's bias has not moved",
    ),
    Answer(
        "training with a step for every other batch",
        train(
            setup=ADAM + "\nturn = [0]",
            step="""
            turn[0] += 1
            loss.backward()
            if turn[0] % 2 == 0:
                optimizer.step()
                optimizer.zero_grad()
            """,
        ),
        TRAIN,
        "no step is made",
    ),
]
"""What a fifth set of outside answers showed: limits, paths and edges that no check looked at."""

REPORT = "[total / len(images), {}][0]"
WRONG += [
    Answer(
        "training in evaluation mode after the first epoch",
        train(report=REPORT.format("model.eval()")),
        TRAIN,
        "learned from in evaluation mode",
    ),
    Answer(
        "training in evaluation mode until the last epoch is over",
        train(report=REPORT.format("model.train(epoch + 1 == epochs)")),
        TRAIN,
        "learned from in evaluation mode",
    ),
    Answer(
        "training in evaluation mode from the beginning",
        train(setup=ADAM + "\nmodel.eval()"),
        TRAIN,
        "learned from in evaluation mode",
    ),
]
RIGHT += [
    Answer("training with a look in evaluation mode", train(report=REPORT.format("model.eval(), model.train()"))),
    Answer(
        "training with the mode turned on for each batch", train(forward="model.train()\nlogits, mu, logvar = model(x)")
    ),
]
"""In which mode a model learns, and may be left."""


def in_pieces(size: int) -> str:
    """A body that decodes z in pieces of one size, from a count of pieces that is rounded down."""
    return dedent(f"""
    size = min(n, {size})
    with torch.no_grad():
        pieces = [torch.sigmoid(model.decode(torch.randn(size, model.latent_dim))) for _ in range(n // size)]
    return torch.cat(pieces)
    """)


WRONG += [
    Answer("images in pieces of 20, the rest forgotten", generate(in_pieces(20)), GENERATE, "the result has shape"),
    Answer("images in pieces of 80, the rest forgotten", generate(in_pieces(80)), GENERATE, "the result has shape"),
    Answer("images in pieces of 500, the rest forgotten", generate(in_pieces(500)), GENERATE, "the result has shape"),
    Answer(
        "share of whole pieces of 120",
        share("""
        sure, size = 0, min(n, 120)
        for _ in range(n // size):
            images = torch.sigmoid(decode(torch.randn(size, latent_dim)))
            sure += int((torch.softmax(classify(images), 1).amax(1) >= 0.9).sum())
        return sure / (n // size * size)
        """),
        SHARE,
        "the decoder was given",
    ),
    Answer(
        "VAE with mu normalised over the batch",
        vae(
            more="self.norm = nn.BatchNorm1d(latent_dim, affine=False)",
            encode="h = torch.relu(self.hidden(x))\nreturn self.norm(self.mu(h)), self.logvar(h)",
        ),
        MODEL,
        "mean 0 and spread 1 over every batch",
    ),
    Answer(
        "VAE with logvar normalised over the batch",
        vae(
            more="self.norm = nn.BatchNorm1d(latent_dim, affine=False)",
            encode="h = torch.relu(self.hidden(x))\nreturn self.mu(h), self.norm(self.logvar(h))",
        ),
        MODEL,
        "mean 0 and spread 1 over every batch",
    ),
    Answer(
        "VAE with both heads normalised over the batch",
        vae(
            more="self.norm = nn.BatchNorm1d(2 * latent_dim, affine=False)",
            encode="h = torch.relu(self.hidden(x))\n"
            "return self.norm(torch.cat([self.mu(h), self.logvar(h)], 1)).chunk(2, 1)",
        ),
        MODEL,
        "mean 0 and spread 1 over every batch",
    ),
    Answer(
        "VAE that scales the caller's images in place",
        vae(encode="x = x.sub_(0.13).div_(0.31)\nh = torch.relu(self.hidden(x))\nreturn self.mu(h), self.logvar(h)"),
        MODEL,
        "x has changed during the call",
    ),
    Answer(
        "VAE that blackens the caller's images in place",
        vae(encode="x[x < 0.5] = 0\nh = torch.relu(self.hidden(x))\nreturn self.mu(h), self.logvar(h)"),
        MODEL,
        "x has changed during the call",
    ),
]
RIGHT += [
    Answer(
        "images in pieces of 20, with the rest",
        generate("torch.cat([torch.sigmoid(model.decode(z)) for z in torch.randn(n, model.latent_dim).split(20)])"),
    ),
    Answer(
        "VAE with what both heads read normalised over the batch",
        vae(
            more="self.norm = nn.BatchNorm1d(hidden_dim, affine=False)",
            encode="h = self.norm(torch.relu(self.hidden(x)))\nreturn self.mu(h), self.logvar(h)",
        ),
    ),
]
"""Numbers of images that pieces of a fixed size do not fill, and answers that a batch shapes."""
