"""Divergences that do not cancel, each against sixty digits: neighbours, far points, opposite signs, zero."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from ibtext.potentials.divergences import asinh_difference, exp_divergence, log_ratio, power_divergence, remainder

mp = mpmath.mp.clone()
mp.dps = 60
GAPS = np.array([1e-15, 1e-9, 1e-4, 0.3, 0.999, 1.001, 5.0, 60.0])


def test_exp():
    for y in (-300.0, -1.0, 0.0, 2.0, 300.0):
        h = np.concatenate([GAPS, -GAPS])
        exact = [mp.exp(mp.mpf(y)) * (mp.expm1(mp.mpf(v)) - mp.mpf(v)) for v in h]
        # an exponent of 300 costs 300 roundings
        np.testing.assert_allclose(exp_divergence(np.full_like(h, y), h), [float(e) for e in exact], rtol=4e-16 * (20 + abs(y)))
    assert exp_divergence(np.array(0.5), np.array(0.0)) == 0
    assert exp_divergence(np.array(-1000.0), np.array(1500.0)) == pytest.approx(float(mp.exp(500)), rel=1e-13)


def test_log_ratio():
    for y in (1e-300, 0.7, 1e300):
        x = np.minimum(y * (1 + GAPS), 1e308)
        exact = [float(mp.log(mp.mpf(v) / mp.mpf(y))) for v in x]
        np.testing.assert_allclose(log_ratio(x, np.full_like(x, y)), exact, rtol=3e-13)  # logarithms of 700


def test_asinh_difference():
    for beta in (1e-9, 1.0, 1e5):
        for y in (-3.0, 1e-12, 0.4, 1e8):
            x = np.concatenate([y * (1 + GAPS), -y * GAPS])
            exact = [float(mp.asinh(mp.mpf(v) / mp.mpf(beta)) - mp.asinh(mp.mpf(y) / mp.mpf(beta))) for v in x]
            np.testing.assert_allclose(asinh_difference(x, np.full_like(x, y), beta), exact, rtol=3e-15)


@pytest.mark.parametrize("p", [1.01, 1.5, 2, 3, 9.5, 100])
def test_power(p):
    for y in (-1.3, 0.02, 0.9):
        x = np.concatenate([y * (1 + GAPS[:6]), y * (1 - GAPS[:5]), -y * GAPS[:6], [0.0]])
        v, q = mp.mpf(y), mp.mpf(p)
        slope = q * mp.sign(v) * abs(v) ** (q - 1)
        exact = [float(abs(t) ** q - abs(v) ** q - slope * (t - v)) for t in map(mp.mpf, x.tolist())]
        np.testing.assert_allclose(power_divergence(x, np.full_like(x, y), p), exact, rtol=3e-13)
    assert power_divergence(np.array(0.0), np.array(0.0), p) == 0
    assert power_divergence(np.array(0.5), np.array(0.0), p) == pytest.approx(0.5**p, rel=1e-14)


def test_the_remainder_of_a_polynomial_is_exact():
    y, h = np.array([0.3, -2.0]), np.array([1.5, 0.25])
    np.testing.assert_allclose(h**2 * remainder(lambda x: 30 * x**4, y, h), (y + h) ** 6 - y**6 - 6 * y**5 * h, rtol=1e-13)
