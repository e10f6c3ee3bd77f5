"""Multipliers beyond 1e18: the digits of the limit are in the values of its profile, not in the multiplier."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

import ibtext as ib
from ibtext.wide import sign_rule

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


def missed(limit: ib.WideLimit, phi: ib.Potential, sigma) -> float:
    """Largest distance from the labels of the network with the limit's multiplier, by panels that halve toward every kink."""
    x, g = limit.x, lambda w, c: sum(m * sigma(w * (v - c)) for m, v in zip(limit.dual, limit.x, strict=True))
    nodes, weights = np.polynomial.legendre.leggauss(60)
    fractions = np.concatenate([[0.0], 2.0 ** -np.arange(60, 1, -1), 1 - 2.0 ** -np.arange(1.0, 50), [1.0]])
    total = np.zeros(x.size)
    for w in (1, -1):
        for a, b in itertools.pairwise([-1.0, *x, 1.0]):
            changes = np.sign(g(w, a)) * np.sign(g(w, b)) < 0
            zero = [brentq(lambda c, w=w: g(w, c), a, b, xtol=1e-300)] if changes else []
            for left, right in itertools.pairwise([a, *zero, b]):
                ends = left + (right - left) * fractions
                half = np.diff(ends)[:, None] / 2
                c = ends[:-1, None] + half * (1 + nodes)
                load = phi.inverse_gradient(g(w, c)) * half * weights / 4  # density 1/2, signs 1/2 each
                total += [np.sum(load * sigma(w * (v - c))) for v in x]
    return float(np.max(np.abs(total - limit.y)))


@pytest.mark.parametrize("activation", ["abs", "relu"])
@pytest.mark.parametrize("p", [30, 100, 200])
def test_steep_powers_meet_the_labels_as_the_residual_says(p, activation, init):
    """Nodes that see a power below 20 as a polynomial missed the labels by 2e-9 to 5e-2 here, and did not notice."""
    phi, sigma = ib.PowerPotential(p, omega=1e-12), {"abs": np.abs, "relu": lambda u: np.maximum(u, 0)}[activation]
    limit = ib.wide_limit(
        [-0.6, 0.1, 0.7], [0.4, -0.3, 0.8], activation=activation, initialization=init, potential=ib.Scaled(phi)
    )
    assert limit.residual < 1e-12
    assert missed(limit, phi, sigma) < limit.residual + 1e-13


def test_a_rule_that_is_too_coarse_is_noticed_and_refined(init, monkeypatch):
    """The residual is measured by a finer rule than the one that solved: with 10 nodes for 40 the first solution is refused."""
    data, options = ([-0.6, 0.1, 0.7], [0.4, -0.3, 0.8]), {"activation": "relu", "initialization": init}
    potential = ib.Scaled(ib.PowerPotential(8, omega=1e-6))
    t = np.linspace(-1, 1, 41)
    exact = ib.wide_limit(*data, potential=potential, **options)(t)
    monkeypatch.setattr(sign_rule, "ORDER", 10)
    coarse = ib.wide_limit(*data, potential=potential, **options)
    assert coarse._columns.rule.fineness > 1 and coarse.residual < 1e-12
    np.testing.assert_allclose(coarse(t), exact, rtol=0, atol=1e-11)


@pytest.mark.parametrize("activation", ["abs", "relu"])
def test_close_inputs_are_solved_where_the_spline_is_the_judge(activation, init):
    """Gaps of 2e-8 and 1e-12 with different labels: the function swings to 1e6 and more in between, and is right to rounding."""
    for gap, tolerance in ((2e-8, 1e-13), (1e-12, 1e-11)):
        x, y = np.array([-0.5, -0.5 + gap, 0.3, 0.8]), np.array([0.1, 0.2, -0.3, 0.4])
        limit = ib.wide_limit(x, y, activation=activation, initialization=init, free_affine=True)
        t = np.linspace(-0.5, 0.8, 201)
        spline = ib.splines.adaptive_spline(x, y, zeta=init)(t)
        assert np.max(np.abs(limit(t) - spline)) < tolerance * np.max(np.abs(spline))


def test_random_inputs_are_not_refused_for_their_gaps(init):
    """A thousand uniform inputs have gaps of 1e-6 and less; four inputs in five draws were refused unseen."""
    x, y = np.random.default_rng(0).uniform(-1, 1, 1000), np.random.default_rng(1).normal(size=1000)
    limit = ib.wide_limit(x, y, initialization=init)
    assert limit.residual < 1e-9 and np.array_equal(limit(x), y)


def test_a_refusal_says_which_units_are_too_far_apart(init):
    for activation in ("abs", "relu"):
        with pytest.raises(ib.ConvergenceError, match=r"inputs span 1e-08 and the breakpoints some 0\.6") as refusal:
            ib.wide_limit([-5e-9, 5e-10, 6e-9], [0.1, -0.2, 0.3], activation=activation, initialization=init)
        assert "columns" not in str(refusal.value)
    narrow = ib.Initialization(bias=stats.norm(0, 0.01))
    with pytest.raises(ib.ConvergenceError, match=r"inputs span 2 and the breakpoints some 0\.01"):
        ib.wide_limit([-1, -0.3, 0.4, 1.2], [0.1, 0.2, -0.3, 0.4], activation="abs", initialization=narrow)


@pytest.mark.parametrize("potential", [None, ib.Scaled(ib.PowerPotential(3))], ids=["linear", "scaled"])
def test_the_condition_of_close_inputs_is_huge_or_infinite_and_no_error(potential, init):
    """Beyond double precision a factorisation of the kernel may fail; the limit stands all the same."""
    for gap in (1e-8, 1e-10, 1e-12):
        x, y = [-0.4, 0.1, 0.1 + gap, 0.5], [0.3, 1.0, 1.0 + gap, 0.5]
        limit = ib.wide_limit(x, y, activation="abs", initialization=init, potential=potential)
        assert limit.residual < 1e-13 and limit.condition > 1e16
