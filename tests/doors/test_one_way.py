"""One way to each number: a subclass changes one method, and every function that tells the same number follows it."""

import pytest
import torch
from torch import nn

from vae_lab import (
    VAE,
    Autoencoder,
    Elbo,
    LinearVAE,
    LossTerms,
    active_units,
    bernoulli_log_likelihood,
    code,
    fit,
    from_prior,
    gaussian_kl,
    gaussian_log_likelihood,
    interpolate,
    latent_grid,
    log_marginal_bound,
    reconstruct,
)
from vae_lab.models import VAEOutput
from vae_lab.sampling import reparameterize

SHAPE = (1, 2, 2)
X = torch.tensor([[0.0, 1, 1, 0], [1, 0, 1, 1], [0, 0, 1, 0]]).reshape(3, *SHAPE)


class OwnEncode(VAE):
    def __init__(self):
        super().__init__(2, hidden=(5,), data_shape=SHAPE)
        self.own = nn.Linear(4, 4)

    def encode(self, x):
        return self.own(x.flatten(1)).chunk(2, 1)


class OwnDecode(VAE):
    """As the reader's that replaced the decoder, and got the bound of the one that was replaced."""

    def __init__(self):
        super().__init__(2, hidden=(5,), data_shape=SHAPE)
        self.own = nn.Linear(2, 4)

    def decode(self, z):
        return self.own(z).unflatten(-1, self.data_shape)


class FlatDecode(OwnDecode):
    def decode(self, z):
        return self.own(z)


class RowsOnly(OwnDecode):
    """A decoder of convolutions takes [B, D], and no further axes."""

    def decode(self, z):
        assert z.ndim == 2
        return self.own(z).unflatten(-1, self.data_shape)


class OwnForward(VAE):
    """Draws with a narrower posterior, and says so."""

    def __init__(self):
        super().__init__(2, hidden=(5,), data_shape=SHAPE)

    def forward(self, x, *, eps=None, generator=None):
        mu, logvar = self.encode(x)
        z = reparameterize(mu, logvar - 1, eps=eps, generator=generator)
        return VAEOutput(self.decode(z).reshape(x.shape), mu, logvar - 1, z)


class OwnLikelihood(VAE):
    """A Gaussian decoder."""

    likelihood = "gaussian"

    def __init__(self):
        super().__init__(2, hidden=(5,), data_shape=SHAPE)

    def log_likelihood(self, x, z):
        mean = self.decode(z.flatten(0, 1))
        return gaussian_log_likelihood(mean, x.repeat(len(z), 1, 1, 1), -2.0).view(z.shape[:2])


class OwnElbo(VAE):
    """Counts each white pixel twice."""

    def __init__(self):
        super().__init__(2, hidden=(5,), data_shape=SHAPE)

    def elbo(self, x, *, eps=None, generator=None):
        out = self(x, eps=eps, generator=generator)
        likelihood = 2 * bernoulli_log_likelihood(out.logits, x)
        return Elbo.from_terms(likelihood, gaussian_kl(out.mu, out.logvar))


class LinearDecode(LinearVAE):
    def __init__(self):
        super().__init__(4, 2)
        self.own = nn.Linear(2, 4)

    def decode(self, z):
        return self.own(z)


class LinearLikelihood(LinearVAE):
    def __init__(self):
        super().__init__(4, 2)

    def log_likelihood(self, x, z):
        return -(self.decode(z) - x.flatten(1)).abs().sum(-1)


class LinearEncode(LinearVAE):
    def __init__(self):
        super().__init__(4, 2)

    def encode(self, x):
        mu, logvar = super().encode(x)
        return mu + 1, logvar - mu.square()


def plain():
    return VAE(2, hidden=(5,), data_shape=SHAPE)


def plain_linear():
    return LinearVAE(4, 2)


BINARY = [plain, OwnEncode, OwnDecode, FlatDecode, RowsOnly, OwnForward]
REAL = [OwnLikelihood, plain_linear, LinearDecode, LinearLikelihood, LinearEncode]


def made(kind):
    torch.manual_seed(0)
    return kind()


@pytest.mark.parametrize("kind", [*BINARY, *REAL])
def test_the_elbo_is_told_alike_by_all_who_tell_it(kind):
    model, eps = made(kind), torch.randn(3, 2, generator=torch.Generator().manual_seed(1))
    out, bound, terms = model(X, eps=eps), model.elbo(X, eps=eps), model.loss_terms(X, eps=eps)
    by_draw = model.log_likelihood(X, out.z[None])[0]
    torch.testing.assert_close(bound.log_likelihood, by_draw)
    torch.testing.assert_close(terms.reconstruction, -by_draw)
    torch.testing.assert_close(terms.kl, bound.kl)
    torch.testing.assert_close(bound.kl, gaussian_kl(out.mu, out.logvar))
    torch.testing.assert_close(model.decode(out.z).flatten(1), out.logits.flatten(1))


@pytest.mark.parametrize("kind", [*BINARY[:-1], *REAL])
def test_the_bound_by_one_sample_has_the_elbo_as_its_mean(kind):
    """Also for the subclass whose own decoder was not asked: its bound was hundreds of nats below its ELBO."""
    model, many = made(kind), X[:1].expand(20_000, *SHAPE)
    with torch.no_grad():
        bound = model.elbo(many, generator=torch.Generator().manual_seed(2)).elbo
        one = log_marginal_bound(model, many, 1, generator=torch.Generator().manual_seed(3))
        error = ((bound.var() + one.var()) / len(many)).sqrt()
        assert (bound.mean() - one.mean()).abs() < 6 * error
        more = log_marginal_bound(model, many[:2000], 20, generator=torch.Generator().manual_seed(4))
    assert more.mean() > one.mean() - 6 * error


@pytest.mark.parametrize("kind", [*BINARY, *REAL, OwnElbo])
def test_fit_minimises_what_the_model_says_it_does(kind):
    """One batch in one epoch: the loss that is told is that of the weights before the step."""
    model, told = made(kind), made(kind)
    history = fit(model, X, epochs=1, batch_size=3, seed=5, progress=False)
    generator = torch.Generator().manual_seed(5)
    order = torch.randperm(3, generator=generator)
    bound = told.elbo(X[order], generator=generator)
    assert history.loss[0] == pytest.approx(-bound.elbo.mean().item(), rel=1e-5)
    assert history.kl[0] == pytest.approx(bound.kl.mean().item(), rel=1e-5)


@pytest.mark.parametrize("kind", [*BINARY, *REAL])
def test_codes_and_pictures_come_from_the_models_own_methods(kind):
    model = made(kind)
    shown = torch.sigmoid if model.likelihood == "bernoulli" else torch.nn.Identity()
    with torch.no_grad():
        mu, _ = model.encode(X)
        torch.testing.assert_close(code(model, X), mu)
        torch.testing.assert_close(reconstruct(model, X).flatten(1), shown(model.decode(mu)).flatten(1))
        path = interpolate(model, X[0].reshape(model.data_shape), X[1].reshape(model.data_shape), 2)
        torch.testing.assert_close(path.flatten(1), shown(model.decode(mu[:2])).flatten(1))
        z = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
        drawn = from_prior(model, 3, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(drawn.flatten(1), shown(model.decode(z)).flatten(1))
        middle = latent_grid(model, 1).flatten()
        torch.testing.assert_close(middle, shown(model.decode(torch.zeros(1, 2))).flatten())
        assert torch.equal(active_units(model, X), mu.var(0) > 0.01)


def test_a_changed_loss_leaves_the_elbo_what_it_was():
    """Training on something else is a choice; what the model is worth is still measured in nats."""

    class Own(VAE):
        def __init__(self):
            super().__init__(2, hidden=(5,), data_shape=SHAPE)

        def loss_terms(self, x, *, eps=None, generator=None):
            terms = super().loss_terms(x, eps=eps, generator=generator)
            return LossTerms(terms.reconstruction, 4 * terms.kl)

    model, base, eps = made(Own), made(plain), torch.ones(3, 2)
    torch.testing.assert_close(model.elbo(X, eps=eps), base.elbo(X, eps=eps))
    torch.testing.assert_close(model.loss_terms(X, eps=eps).kl, 4 * base.elbo(X, eps=eps).kl)


@pytest.mark.parametrize(("kind", "method"), [(LinearDecode, "decode"), (LinearLikelihood, "log_likelihood")])
def test_the_closed_form_is_for_the_linear_decoder_alone(kind, method):
    with pytest.raises(ValueError, match=rf"{kind.__name__}\.exact_elbo: {kind.__name__} has its own {method}"):
        made(kind).exact_elbo(X)


def test_the_closed_form_follows_an_encoder_of_ones_own():
    model, many = made(LinearEncode), X[:1].expand(40_000, *SHAPE)
    with torch.no_grad():
        sampled = model.elbo(many, generator=torch.Generator().manual_seed(0)).elbo
        exact = model.exact_elbo(X[:1]).elbo
    assert abs(sampled.mean() - exact) < 6 * sampled.std() / len(many) ** 0.5


def test_an_autoencoder_too():
    class Own(Autoencoder):
        def __init__(self):
            super().__init__(2, hidden=(5,), data_shape=SHAPE)
            self.own = nn.Linear(2, 4)

        def decode(self, z):
            return self.own(z).unflatten(-1, self.data_shape)

    model = made(Own)
    logits = model.own(model.encode(X)).reshape(X.shape)
    torch.testing.assert_close(model(X), logits)
    torch.testing.assert_close(model.loss_terms(X).reconstruction, -bernoulli_log_likelihood(logits, X))
    torch.testing.assert_close(reconstruct(model, X), logits.sigmoid())
