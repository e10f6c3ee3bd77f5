"""Laws of the parameters: exact densities, Monte Carlo, antisymmetry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import ibtext as ib

GRID = np.array([-1.3, -0.4, 0.0, 0.2, 0.9])


def test_sign_weights_have_the_density_of_the_bias():
    init = ib.Initialization(bias=stats.norm(0, 0.7))
    np.testing.assert_allclose(init.zeta(GRID), stats.norm(0, 0.7).pdf(GRID), rtol=1e-14)
    np.testing.assert_allclose(init.breakpoint_density(GRID), init.zeta(GRID), rtol=1e-14)


def test_gaussian_weight_and_bias_against_the_closed_form():
    sw, sb = 1.0, np.sqrt(0.1)
    init = ib.Initialization(weight=stats.norm(0, sw), bias=stats.norm(0, sb))
    closed = 2 * sw**3 * sb**3 / (np.pi * (sb**2 + GRID**2 * sw**2) ** 2)
    np.testing.assert_allclose(init.zeta(GRID), closed, rtol=1e-9)
    cauchy = sw * sb / (np.pi * (sb**2 + GRID**2 * sw**2))  # ratio of two normals
    np.testing.assert_allclose(init.breakpoint_density(GRID), cauchy, rtol=1e-9)


def test_uniform_weight_and_bias_give_a_constant():
    init = ib.Initialization(weight=stats.uniform(-1, 2), bias=stats.uniform(-2, 4))
    np.testing.assert_allclose(init.zeta(GRID), 1 / 16, rtol=1e-10)


def test_zeta_against_monte_carlo():
    init = ib.Initialization(weight=stats.norm(0, 1), bias=stats.laplace(0, 0.5))
    draw = init.sample(2_000_000, rng=1)
    c, w2 = draw["bias"] / draw["weight"], draw["weight"] ** 2
    inside = (c > 0.3) & (c < 0.5)
    estimate = w2[inside].sum() / c.size / 0.2
    spread = np.std(np.where(inside, w2, 0)) / np.sqrt(c.size) / 0.2
    fine = np.linspace(0.3, 0.5, 41)
    exact = np.trapezoid(init.zeta(fine), fine) / 0.2
    assert abs(estimate - exact) < 4 * spread  # fails for one correct seed in 16 000


def test_samples_follow_their_law_and_the_seed():
    init = ib.Initialization(bias=stats.uniform(-1, 2), output=stats.norm(0, 1), output_bias=stats.norm(0, 1))
    draw = init.sample(20_000, rng=3)
    assert stats.kstest(draw["bias"], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert stats.kstest(draw["output"] * np.sqrt(20_000), "norm").pvalue > 1e-3
    assert set(np.unique(draw["weight"])) == {-1.0, 1.0}
    np.testing.assert_array_equal(draw["bias"], init.sample(20_000, rng=np.random.default_rng(3))["bias"])
    assert not np.array_equal(draw["bias"], init.sample(20_000, rng=4)["bias"])


def test_symmetry_is_seen():
    assert ib.Initialization(bias=stats.laplace(0, 1)).symmetric
    assert not ib.Initialization(bias=stats.norm(0.1, 1)).symmetric
    assert not ib.Initialization(bias=stats.expon()).symmetric


@pytest.mark.parametrize("law", [stats.uniform(-1, 2), stats.norm(0, 1), stats.laplace(0, 1), stats.triang(0.5, -1, 2)])
def test_knots_resolve_the_density(law):
    """Gauss-Legendre with 40 nodes on the pieces integrates the density and its moments to rounding."""
    init = ib.Initialization(bias=law)
    knots = init.knots()
    s, w = np.polynomial.legendre.leggauss(40)
    left, length = knots[:-1, None], np.diff(knots)[:, None]
    c, mass = (left + length * (1 + s) / 2).ravel(), (length * w / 2).ravel()
    assert mass @ init.density(c) == pytest.approx(1, abs=1e-13)
    assert mass @ (init.density(c) * c**4) == pytest.approx(law.moment(4), rel=1e-12)
