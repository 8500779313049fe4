"""The oracles against each other, and against an implementation of somebody else."""

import math

import numpy as np
import pytest
import torch
from oracles import kl_by_quadrature, probabilistic_pca, textbook_derivative
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

DIGITS = torch.tensor(load_digits().data / 16)


@pytest.mark.parametrize("q", [2, 8, 20])
def test_probabilistic_pca_agrees_with_scikit_learn(q):
    # scikit-learn divides by N - 1, ours by N: close, not equal.
    theirs = PCA(q).fit(DIGITS.numpy()).score(DIGITS.numpy())
    assert probabilistic_pca(DIGITS, q).log_likelihood == pytest.approx(theirs, abs=0.05)


@pytest.mark.parametrize(("q", "nats"), [(2, 0.0057), (8, 14.2098), (20, 27.2773)])
def test_probabilistic_pca_reproduces_the_noted_values(q, nats):
    assert probabilistic_pca(DIGITS, q).log_likelihood == pytest.approx(nats, abs=5e-5)


@pytest.mark.parametrize(("mu", "logvar", "nats"), [(1, 0, 0.5), (0, -2, 0.567668), (0, 2, 2.194528)])
def test_kl_by_quadrature_reproduces_the_noted_values(mu, logvar, nats):
    assert kl_by_quadrature(mu, logvar) == pytest.approx(nats, abs=1e-6)


def test_textbook_derivative_is_the_derivative_of_the_quadrature():
    def expectation(phi):
        x, weight = np.polynomial.hermite_e.hermegauss(80)
        value = phi**3 + math.exp(phi) * x
        return float((weight * (value**2 + np.sin(value))).sum() / math.sqrt(2 * math.pi))

    slope = (expectation(0.5 + 1e-5) - expectation(0.5 - 1e-5)) / 2e-5
    assert textbook_derivative(0.5) == pytest.approx(slope, abs=1e-7)
    assert textbook_derivative(0.5) == pytest.approx(5.7281641079, abs=1e-9)
