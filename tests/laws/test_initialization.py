"""Laws of the parameters: exact densities, Monte Carlo, antisymmetry."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

import ibtext as ib
from ibtext.demonstration import X, Y

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


REFUSED = {
    "discrete bias": (lambda: ib.Initialization(bias=stats.poisson(3)), "a discrete law"),
    "discrete weight": (lambda: ib.Initialization(weight=stats.bernoulli(0.5), bias=stats.norm()), "a discrete law"),
    "both bias and breakpoint": (lambda: ib.Initialization(bias=stats.norm(), breakpoint=stats.norm()), "in place of"),
}
LIMITS = {
    "cauchy": (stats.cauchy(), "signs", "variance"),
    "student 2": (stats.t(2), "signs", "variance"),
    "student 3 with weights": (stats.t(3), stats.norm(), "moment of order 3"),
    "heavy weight": (stats.norm(), stats.t(2.5), "moment of order 3"),
    "asymmetric bias": (stats.norm(0.1), "signs", "symmetric"),
    "asymmetric weight": (stats.norm(), stats.uniform(-1, 3), "symmetric"),
    "infinite at 0": (stats.dgamma(0.5), "signs", "bounded"),
    "infinite at the end": (stats.arcsine(-1, 2), "signs", "bounded"),
}


@pytest.mark.parametrize("kind", ["bias", "breakpoint"])
@pytest.mark.parametrize("nu", [4, 3, 2.5, 2.2])
def test_heavy_tails_of_finite_variance(nu, kind):
    """Second moments by their formula; the limit from the kernel, which is exact because E[B^2] enters it as a number."""
    law = stats.t(nu)
    init = ib.Initialization(**{kind: law})
    assert init.second_moments == pytest.approx((1, 0, nu / (nu - 2)), abs=1e-13)
    x, y, t = X, Y, np.linspace(-1.2, 1.2, 7)
    kernel = ib.limit_kernel(np.append(x, t), x, initialization=init)
    halves = [
        integrate.quad(lambda b, e=e: (e - b) ** 2 * law.pdf(b), -np.inf, e, epsrel=1e-12, limit=500)[0] for e in (-0.8, 0.8)
    ]
    assert kernel[4, 4] == pytest.approx(np.mean(halves), rel=1e-10)
    # condition number below 1e4: the two ways differ by the rounding of the solution
    assert ib.wide_limit(x, y, initialization=init)(t) == pytest.approx(kernel[5:] @ np.linalg.solve(kernel[:5], y), abs=1e-11)


@pytest.mark.parametrize("kind", ["bias", "breakpoint"])
def test_heavy_tails_under_a_power_of_relu(kind):
    """relu^2 sees fourth moments: far out the rule must follow the tail of Student's law until those end, not the second."""
    law = stats.t(5)
    init = ib.Initialization(**{kind: law})
    assert init.moments(4) == pytest.approx([1, 0, 5 / 3, 0, law.moment(4)], rel=1e-13, abs=1e-13)
    x, y, t = X, Y, np.linspace(-1.2, 1.2, 7)
    kernel = ib.limit_kernel(np.append(x, t), x, initialization=init, activation="relu^2")
    limit = ib.wide_limit(x, y, initialization=init, activation="relu^2")
    # condition number 5e5
    assert limit(t) == pytest.approx(kernel[5:] @ np.linalg.solve(kernel[:5], y), abs=1e-9)


@pytest.mark.parametrize(
    ("law", "activation", "match"),
    [
        (stats.cauchy(), "relu", "variance"),
        (stats.t(2), "relu", "variance"),
        (stats.t(4), "relu^2", "moment of order 4"),
    ],
)
def test_breakpoints_without_the_moments_of_the_kernel_are_refused(law, activation, match):
    init = ib.Initialization(breakpoint=law)
    with pytest.raises(ValueError, match=f"the breakpoint has a finite {match}, but .*; "):
        ib.wide_limit([0.1, 0.5], [1.0, 2.0], initialization=init, activation=activation)


@pytest.mark.parametrize("case", REFUSED)
def test_laws_that_are_refused(case):
    call, match = REFUSED[case]
    with pytest.raises(ValueError, match=match) as caught:
        call()
    assert "; " in str(caught.value) and ", but " in str(caught.value)


@pytest.mark.parametrize("case", LIMITS)
def test_laws_without_a_limit_are_refused(case):
    bias, weight, match = LIMITS[case]
    init = ib.Initialization(weight=weight, bias=bias)
    for call in (
        lambda: ib.wide_limit([0.1, 0.5], [1.0, 2.0], initialization=init),
        lambda: ib.wide_flow([0.1, 0.5], [1.0, 2.0], [1.0], initialization=init),
        lambda: ib.limit_kernel([0.1], [0.5], initialization=init),
    ):
        with pytest.raises(ValueError, match=match) as caught:
            call()
        assert "; " in str(caught.value) and ", but " in str(caught.value)


def test_a_symmetric_law_with_a_gap_at_its_median_is_symmetric():
    """Its quantiles near one half are ambiguous: -0.6 from the left, 0.6 from the right."""
    law = stats.rv_histogram((np.array([1.0, 0.0, 1.0]), np.array([-1.0, -0.6, 0.6, 1.0])), density=True).freeze()
    assert ib.Initialization(bias=law).symmetric
    shifted = stats.rv_histogram((np.array([1.0, 0.0, 1.0]), np.array([-1.0, -0.6, 0.6, 1.1])), density=True).freeze()
    assert not ib.Initialization(bias=shifted).symmetric
