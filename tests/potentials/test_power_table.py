"""The start of the inverse for powers: nine digits from the table, all of them after one Newton step."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import ibtext as ib
from ibtext.potentials.power_table import power_start

mp = mpmath.mp.clone()
mp.dps = 60


def test_power_inverse_against_fifty_digits():
    mpmath.mp.dps = 50
    for p, omega, z in [(2.5, 1.0, 3.0), (3.7, 0.1, 1e6), (5.0, 10.0, 1e-8), (1.2, 0.3, 40.0)]:
        guess = float(ib.PowerPotential(p, omega).inverse_gradient(z))
        p_, w_, z_ = mpmath.mpf(p), mpmath.mpf(omega), mpmath.mpf(z)
        exact = mpmath.findroot(lambda x, p=p_, w=w_, z=z_: p * x ** (p - 1) + 2 * w * x - z, guess)
        assert abs(guess - exact) <= 4e-16 * abs(exact)


@pytest.mark.parametrize("p", [1.001, 1.05, 1.5, 1.99, 2.001, 2.5, 3.7, 6, 20, 100])
def test_power_inverse_is_right_to_rounding_over_four_hundred_decades(p):
    z = np.concatenate([np.geomspace(1e-200, 1e200, 41), np.geomspace(1e-3, 1e3, 41)])
    got = ib.PowerPotential(p, 0.3).inverse_gradient(z)
    p_, two_omega = mp.mpf(p), 2 * mp.mpf(0.3)
    for x, target in zip(got, z, strict=True):
        if x < 1e-290:  # p close to 1: the root is below the range of floating-point numbers
            assert p_ * mp.mpf(1e-289) ** (p_ - 1) > target
            continue
        exact = mp.mpf(float(x))
        for _ in range(3):
            exact -= (p_ * exact ** (p_ - 1) + two_omega * exact - mp.mpf(float(target))) / (
                p_ * (p_ - 1) * exact ** (p_ - 2) + two_omega
            )
        # pow is good to one unit in the last place of x^(p-2), and the inverse has condition at most 1/(p-1)
        assert abs(x - exact) <= (8e-16 + 4e-16 / min(1, p - 1)) * exact


@pytest.mark.parametrize("p", [1.05, 1.5, 2.5, 6, 100])
def test_the_table_holds_nine_digits(p):
    d = np.concatenate([np.linspace(-40, 40, 41), [-1e3, 1e3]])
    exact = [mp.log1p(mp.exp(mp.mpf(v))) for v in d]
    r = np.array([float(v + (mp.mpf(p) - 2) * e) for v, e in zip(d, exact, strict=True)])
    want = np.array([float(e) for e in exact])
    # r is rounded, and the value moves by at most 1/(p - 1) of that
    np.testing.assert_allclose(power_start(p, r, np), want, rtol=1e-14, atol=2e-9)
    power_start(p, np.array([np.nan]), np)  # is not an index out of range
