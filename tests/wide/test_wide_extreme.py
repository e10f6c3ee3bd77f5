"""Multipliers beyond 1e18: the digits of the limit are in the values of its profile, not in the multiplier."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

import ibtext as ib

GAUSS = ib.Initialization(weight=stats.norm(), bias=stats.norm())
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def panels(edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on consecutive panels."""
    half = np.diff(edges) / 2
    nodes = edges[:-1, None] + half[:, None] * (1 + NODES)
    return nodes.ravel(), (half[:, None] * WEIGHTS).ravel()


def test_cosh_with_gaussian_weights_against_a_graded_double_integral(x, y):
    """In polar coordinates (w, b) = r (cos t, sin t), graded towards every place where the profile vanishes."""
    phi = ib.CoshPotential()
    limit = ib.wide_limit(x, y, activation="relu", initialization=GAUSS, potential=ib.Scaled(phi))
    assert np.max(np.abs(limit.dual)) > 1e18
    # g_abs(c) = sum_j lambda_j |x_j - c| from its values at the data: sum lambda and sum lambda x follow from its ends
    values = limit._values
    total = (values[0] + values[-1]) / (x[-1] - x[0])
    moment = values[0] + total * x[0]

    def profile(t):
        w, b = np.cos(t), np.sin(t)
        c = b / w
        g = np.interp(c, x, values)
        g = np.where(c < x[0], values[0] - total * (c - x[0]), g)
        g = np.where(c > x[-1], values[-1] + total * (c - x[-1]), g)
        return (np.abs(w) * g + moment * w - total * b) / 2

    edges = np.sort(np.concatenate([[-np.pi / 2, np.pi / 2, 1.5 * np.pi], np.arctan(x), np.arctan(x) + np.pi]))
    cuts = list(edges)
    for a, b in itertools.pairwise(edges):
        grid = np.linspace(a + 1e-12, b - 1e-12, 9)
        cuts += [
            brentq(profile, p, q, xtol=1e-16, rtol=1e-15) for p, q in itertools.pairwise(grid) if profile(p) * profile(q) < 0
        ]
    grading = np.concatenate([[0.0], np.geomspace(1e-17, 0.5, 70)])
    r, mass = panels(np.concatenate([[0.0], np.geomspace(1e-20, 1, 60), np.linspace(1, 13, 40)[1:]]))
    radial = mass * r**2 * np.exp(-(r**2) / 2) / (2 * np.pi)
    h = np.zeros(x.size)
    for a, b in itertools.pairwise(sorted(cuts)):
        t, weight = panels(np.concatenate([a + (b - a) * grading, (b - (b - a) * grading)[::-1][1:]]))
        inner = radial @ phi.inverse_gradient(r[:, None] * profile(t)[None, :])
        h += np.maximum(np.multiply.outer(x, np.cos(t)) - np.sin(t), 0) @ (weight * inner)
    np.testing.assert_allclose(h, y, rtol=0, atol=1e-12)


@pytest.mark.parametrize("activation", ["abs", "relu"])
def test_inputs_in_units_far_from_those_of_the_breakpoints_are_refused_in_words(activation, init):
    """Three inputs within 1e-8: the kernel is singular in double precision, and SciPy's LinAlgError says nothing about why."""
    with pytest.raises(ib.ConvergenceError, match="of one size"):
        ib.wide_flow([-5e-9, 5e-10, 6e-9], [0.5, -0.3, 0.8], [0.5, 2.0], activation=activation, initialization=init)
