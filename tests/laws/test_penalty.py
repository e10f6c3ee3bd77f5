"""Laws of breakpoints for a given penalty: their functions against adaptive quadrature, and what is refused."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

import ibtext as ib
from ibtext.laws import PenaltyLaw

RHO = {  # a penalty on [-1, 2] and where it is rough
    "smooth": (lambda c: 1 + c**2, []),
    "well": (lambda c: 1e-6 + (c - 0.1) ** 2, [0.1]),
    "jumps": (lambda c: 1.0 + (c > 1 / 7) + 3 * (c > 0.3), [1 / 7, 0.3]),
}


@pytest.mark.parametrize("name", RHO)
def test_distribution_function_quantiles_and_moments(name):
    rho, rough = RHO[name]
    law = PenaltyLaw(rho, (-1.0, 2.0))
    cuts = np.unique([-1.0, 2.0, *rough, *(r + e for r in rough for e in (-0.1, -0.01, -0.001, 0.001, 0.01, 0.1))])

    def integral(f, end=2.0):
        stops = np.append(cuts[cuts < end], end)
        pieces = itertools.pairwise(stops)
        return sum(integrate.quad(lambda c: f(c) / float(rho(c)), a, b, epsabs=0, epsrel=1e-13)[0] for a, b in pieces)

    total = integral(lambda c: 1.0)
    mean = integral(lambda c: c) / total
    assert law.mean() == pytest.approx(mean, abs=1e-12)
    assert law.var() == pytest.approx(integral(lambda c: (c - mean) ** 2) / total, rel=1e-11)
    c = np.linspace(-1, 2, 13)
    np.testing.assert_allclose(law.pdf(c), 1 / (total * np.broadcast_to(rho(c), c.shape)), rtol=1e-12)
    np.testing.assert_allclose(law.cdf(c[1:]), [integral(lambda c: 1.0, e) / total for e in c[1:]], atol=1e-12)
    q = np.linspace(0, 1, 21)
    np.testing.assert_allclose(law.cdf(law.ppf(q)), q, atol=1e-14)
    np.testing.assert_array_equal(law.pdf(np.array([-1.1, 2.1])), 0)
    assert np.isnan(law.ppf(1.5))


def test_a_law_for_any_penalty():
    """p_C = 1/(Z rho): Kolmogorov-Smirnov on draws, zeta recovered, inverse functions, and the penalty paid."""

    def rho(c):
        return 0.2 + np.abs(c - 0.3) + c**2  # a kink at 0.3

    init = ib.Initialization.for_penalty(rho, support=(-1.0, 2.0))
    law = init.breakpoint
    total = sum(integrate.quad(lambda c: 1 / rho(c), a, b, epsrel=1e-13)[0] for a, b in ((-1, 0.3), (0.3, 2)))
    c = np.linspace(-1, 2, 31)
    np.testing.assert_allclose(init.zeta(c), 1 / (total * rho(c)), rtol=1e-12)
    below = [integrate.quad(lambda v: 1 / rho(v) / total, -1, e, points=[0.3], epsrel=1e-13)[0] for e in c[1:]]
    np.testing.assert_allclose(law.cdf(c[1:]), below, atol=1e-12)
    np.testing.assert_allclose(law.ppf(law.cdf(c)), c, atol=1e-10)
    draw = init.sample(20_000, rng=5)
    assert stats.kstest(draw["bias"] / draw["weight"], law.cdf).pvalue > 1e-3
    x, y = np.array([-0.5, 0.4, 1.1]), np.array([1.0, -0.5, 0.3])
    free = ib.wide_limit(x, y, activation="abs", initialization=init, free_affine=True)
    cuts = [-0.5, 0.3, 0.4, 1.1]
    paid = sum(
        integrate.quad(lambda c: float(free.derivative(c, order=2)) ** 2 * total * rho(c), a, b, epsrel=1e-11)[0]
        for a, b in itertools.pairwise(cuts)
    )
    assert 4 * free.penalty == pytest.approx(paid, rel=1e-9)  # alpha = h''/(2 p)


REFUSED = {
    "array": (lambda: ib.Initialization.for_penalty(np.ones(3), support=(-1, 1)), "function of the location"),
    "support": (lambda: ib.Initialization.for_penalty(np.exp, support=(1, -1)), "lo < hi"),
    "infinite support": (lambda: ib.Initialization.for_penalty(np.exp, support=(-np.inf, 1)), "finite"),
    "negative": (lambda: ib.Initialization.for_penalty(lambda c: c, support=(-1, 1)), "must be positive"),
    "nan": (lambda: ib.Initialization.for_penalty(lambda c: c * np.nan, support=(-1, 1)), "must be positive"),
    "scalar of all": (lambda: ib.Initialization.for_penalty(lambda c: np.ones(2), support=(-1, 1)), "one value"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_penalties_that_are_refused(case):
    call, match = REFUSED[case]
    with pytest.raises(ValueError, match=match) as caught:
        call()
    assert "; " in str(caught.value) and ", but " in str(caught.value)


@pytest.mark.parametrize(
    "rho", [lambda c: np.sqrt(np.abs(c - 1 / 3)) + 1e-30, lambda c: 2 + np.sin(1e7 * c)], ids=["pole", "waves"]
)
def test_a_reciprocal_that_cannot_be_integrated_to_rounding_is_refused(rho):
    with pytest.raises(ib.ConvergenceError, match="1/rho must be"):
        PenaltyLaw(rho, (-1.0, 1.0))


def test_penalty_written_for_single_numbers_is_refused_with_its_remedy():
    with pytest.raises(ValueError, match=r"numpy\.vectorize"):
        ib.Initialization.for_penalty(lambda u: 1 + math.exp(-u), support=(-1.0, 1.0))
    init = ib.Initialization.for_penalty(np.vectorize(lambda u: 1 + math.exp(-u)), support=(-1.0, 1.0))
    assert init.zeta(0.0) / init.zeta(1.0) == pytest.approx((1 + math.exp(-1)) / 2, rel=1e-12)


def test_penalty_law_is_shown_by_its_penalty():
    def wall(c):
        return 1 + c**2

    assert repr(ib.Initialization.for_penalty(wall, support=(-1, 2)).breakpoint) == "PenaltyLaw(wall, support=(-1, 2))"
