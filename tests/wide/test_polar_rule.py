"""The rule for weights with a density against moments and double integrals over (w, c) with b = w c."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

import ibtext as ib
from ibtext.wide.elements import Elements
from ibtext.wide.polar_rule import PolarRule

ELEMENTS = Elements(np.array([-0.5, 0.1, 0.6]))
VALUES = np.array([[0.3, -0.4], [0.3, 0.8], [0.8, -0.5], [-0.5, 0.4]])
LAWS = {
    "gauss": ib.Initialization(weight=stats.norm(0, 0.8), bias=stats.norm(0, 0.5)),
    "laplace, uniform": ib.Initialization(weight=stats.laplace(0, 0.5), bias=stats.uniform(-1, 2)),
}


def profile(c):
    element, s = ELEMENTS.locate(np.atleast_1d(c))
    return float(ELEMENTS.affine(VALUES, element, s[:, None])[0, 0])


def over_weights(init, function, c):
    """2 int_0^inf function(w) p(w) p(wc) w dw: neurons of one sign at breakpoint c."""
    top = min(12 * init.weight.std(), init.weight.support()[1], init.bias.support()[1] / max(abs(c), 1e-9))
    cuts = np.linspace(0, top, 5)
    law = lambda w: 2 * w * init.weight.pdf(w) * init.bias.pdf(w * c)  # noqa: E731
    pairs = itertools.pairwise(cuts)
    return sum(integrate.quad(lambda w: function(w) * law(w), a, b, epsabs=1e-15, epsrel=1e-11)[0] for a, b in pairs)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("k", [1, 2])
def test_moments_are_those_of_the_law(name, k):
    r""":math:`\int \zeta_k c^2 dc = E W^{2k-2} B^2`, and the same without :math:`c^2`."""
    init = LAWS[name]
    p, s, mass = PolarRule(ELEMENTS, init, k).moments()
    c = ELEMENTS.points(p.element, s)
    w2 = init.weight.moment(2 * k)
    assert np.sum(mass) == pytest.approx(w2, rel=1e-12)
    assert np.sum(mass * c**2) == pytest.approx(init.weight.moment(2 * k - 2) * init.bias.var(), rel=1e-10)


@pytest.mark.parametrize("name", LAWS)
def test_curvature_density_by_an_integral_over_weights(name):
    init, phi = LAWS[name], ib.PowerPotential(3)
    rule = PolarRule(ELEMENTS, init)
    for c in (-2.0, -0.3, 0.2, 0.9):
        g = profile(c)
        exact = over_weights(init, lambda w, g=g: w * float(phi.inverse_gradient(w * g)), c)
        assert rule.curvature_density(np.array([c]), np.array([g]), phi)[0] == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("phi", [ib.PowerPotential(3), ib.CoshPotential()], ids=repr)
def test_nodes_by_a_double_integral(phi):
    """Loads, slopes and E alpha^2 over neurons of one sign, by a product rule that knows the zeros of the profile only."""
    init = LAWS["laplace, uniform"]
    rule = PolarRule(ELEMENTS, init)
    nodes = rule.nodes(VALUES, phi)
    u, m = np.polynomial.legendre.leggauss(16)

    def panels(edges):
        half = np.diff(edges)[:, None] / 2
        return (np.asarray(edges)[:-1, None] + half * (1 + u)).ravel(), (half * m).ravel()

    zeros = [-3.8, 0.1 + 0.5 * 0.8 / 1.3, 5.0]
    stops = np.concatenate([[-np.pi / 2], np.unique(np.arctan([*ELEMENTS.x, *zeros, *np.linspace(-3, 3, 7)])), [np.pi / 2]])
    grades = np.concatenate([[0], 6.0 ** -np.arange(6, 0, -1), 1 - 6.0 ** -np.arange(1, 7), [1]])
    theta, mass = panels(np.unique(np.concatenate([p + (q - p) * grades for p, q in itertools.pairwise(stops)])))
    total = np.zeros(3)
    for c, weight in zip(np.tan(theta), mass / np.cos(theta) ** 2, strict=True):
        w, inner = panels(min(40 * init.weight.std(), 1 / abs(c)) * np.concatenate([[0], 3.0 ** -np.arange(12, -1, -1.0)]))
        law = 2 * w * init.weight.pdf(w) * 0.5 * inner
        alpha = phi.inverse_gradient(w * profile(c))
        total += weight * np.array([law @ (w * alpha), law @ (w**2 / phi.hessian(alpha)), law @ alpha**2])
    found = [np.sum(nodes.load), np.sum(nodes.slope), rule.expectation(nodes, lambda a: a**2, phi)]
    np.testing.assert_allclose(found, total, rtol=1e-8, atol=1e-10)


def test_no_output_weight_of_a_breakpoint():
    with pytest.raises(ValueError, match="for sign weights only"):
        PolarRule(ELEMENTS, LAWS["gauss"]).output_weight(np.ones(1), ib.CoshPotential())
