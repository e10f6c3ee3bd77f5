"""The rule for sign weights against adaptive quadrature of its definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

import ibtext as ib
from ibtext.wide.elements import Elements
from ibtext.wide.sign_rule import SignRule

ELEMENTS = Elements(np.array([-0.5, 0.1, 0.6]))
VALUES = np.array([[0.3, -0.9], [0.3, 2.0], [2.0, -1.0], [-1.0, 0.4]])  # an affine profile with a zero on three of four elements
LAWS = {"uniform": stats.uniform(-1, 2), "laplace": stats.laplace(0, 0.4)}
POTENTIALS = [ib.PowerPotential(3), ib.CoshPotential(), ib.HypentropyPotential(0.5), ib.QuadraticPotential()]


def profile(c):
    element, s = ELEMENTS.locate(np.atleast_1d(c))
    return float(ELEMENTS.affine(VALUES, element, s[:, None])[0, 0])


def integral(function, law):
    low, high = law.ppf(1e-17), law.isf(1e-17)
    cuts = np.unique(np.clip([low, high, *ELEMENTS.x, 0.0, *np.linspace(low, high, 41)], low, high))
    return sum(integrate.quad(function, a, b, epsabs=1e-14, epsrel=1e-12)[0] for a, b in itertools.pairwise(cuts))


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("phi", POTENTIALS, ids=repr)
def test_nodes_integrate_the_output_weights(name, phi):
    law = LAWS[name]
    rule = SignRule(ELEMENTS, ib.Initialization(bias=law))
    nodes = rule.nodes(VALUES, phi)
    alpha = lambda c: float(phi.inverse_gradient(profile(c)))  # noqa: E731
    c = ELEMENTS.points(nodes.element, nodes.s)
    assert np.sum(nodes.mass) == pytest.approx(1, abs=1e-13)
    assert np.sum(nodes.load * c) == pytest.approx(integral(lambda u: alpha(u) * u * law.pdf(u), law), abs=1e-11)
    slope = integral(lambda u: law.pdf(u) / float(phi.hessian(alpha(u))), law)
    assert np.sum(nodes.slope) == pytest.approx(slope, abs=1e-10)
    squares = integral(lambda u: alpha(u) ** 2 * law.pdf(u), law)
    assert rule.expectation(nodes, lambda a: a**2, phi) == pytest.approx(squares, rel=1e-10)


@pytest.mark.parametrize("name", LAWS)
def test_moments_and_extra_points(name):
    law = LAWS[name]
    rule = SignRule(ELEMENTS, ib.Initialization(bias=law))
    extra = np.array([0.3, -0.77, 0.1])
    p, s, mass = rule.moments(rule.pieces(ELEMENTS.locate(extra)))
    c = ELEMENTS.points(p.element, s)
    assert np.sum(mass * c**2) == pytest.approx(law.var(), rel=1e-12)
    for at, edge in zip(extra, p.extra, strict=True):  # what lies before the edge of a point lies to its left
        inside = np.searchsorted(ELEMENTS.x, at, side="right") == p.element
        before = inside & (p.edge < edge)
        assert np.all((c[before] < at) if ELEMENTS.rate[p.element[inside][0]] > 0 else (c[before] > at))


@pytest.mark.parametrize("phi", POTENTIALS, ids=repr)
def test_graded_pieces_integrate_a_parabola(phi):
    """g = s (s - 1/2), cut where it is not monotone: a square root of a square root at its zeros."""
    rule = SignRule(ELEMENTS, ib.Initialization(bias=LAWS["uniform"]), 2)
    element = np.repeat(np.arange(4), 2)
    pieces = rule.pieces((element, np.tile([0.25, 0.5], 4)))
    nodes = rule.graded(pieces, lambda e, s: 5 * s * (s - 0.5), np.full(4, 5.0), phi)

    def alpha(c):
        _, s = ELEMENTS.locate(np.atleast_1d(c))
        return float(phi.inverse_gradient(5 * s * (s - 0.5))[0])

    assert np.sum(nodes.load) == pytest.approx(integral(lambda u: alpha(u) / 2, LAWS["uniform"]), abs=1e-10)


def test_uniform_laws_are_known():
    assert SignRule(ELEMENTS, ib.Initialization(bias=LAWS["uniform"])).uniform == (-1.0, 1.0)
    assert SignRule(ELEMENTS, ib.Initialization(bias=LAWS["laplace"])).uniform is None
