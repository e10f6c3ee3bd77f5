"""The inverse of an increasing function, against closed inverses and fifty digits."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import ibtext as ib
from ibtext.potentials.inverse import invert_increasing


def test_the_inverse_saturates_where_floats_end_and_keeps_nan():
    x = invert_increasing(np.log, lambda x: 1 / x, np.array([-1e9, 1e9, np.nan, -700.0]), domain=(0.0, np.inf))
    np.testing.assert_array_equal(x[:2], [0.0, np.inf])
    assert np.isnan(x[2])
    assert x[3] == pytest.approx(math.exp(-700), rel=1e-13)


def test_a_slope_that_is_wrong_or_infinite_only_slows_the_inverse_down():
    z = np.concatenate([-np.geomspace(1e-3, 1e3, 20), [0.0], np.geomspace(1e-3, 1e3, 20)])
    want = np.sign(z) * np.abs(z) ** (1 / 3)
    for slope in (
        lambda x: 0 * x + 1e-3,
        lambda x: np.inf + 0 * x,
        lambda x: 0 * x,
        lambda x: np.nan + 0 * x,
        lambda x: -1e-3 + 0 * x,
    ):
        np.testing.assert_allclose(invert_increasing(lambda x: x**3, slope, z), want, rtol=1e-15, atol=1e-300)


def test_a_sum_of_powers_against_fifty_digits():
    z = np.concatenate([np.geomspace(1e-90, 1e280, 57), -np.geomspace(1e-6, 1e6, 13)])
    got = invert_increasing(lambda x: np.cbrt(x) + x**3, lambda x: 1 / (3 * np.cbrt(x) ** 2) + 3 * x**2, z)
    with mpmath.workdps(50):
        for x, target in zip(np.abs(got), np.abs(z), strict=True):
            exact = mpmath.mpf(float(x))
            for _ in range(3):
                slope = 1 / (3 * mpmath.cbrt(exact) ** 2) + 3 * exact**2
                exact -= (mpmath.cbrt(exact) + exact**3 - mpmath.mpf(float(target))) / slope
            # g is rounded to 2e-16, which its condition, at most 3, magnifies
            assert abs(x - exact) <= 1e-15 * exact


def test_intervals_and_half_lines_and_shapes():
    z = np.array([[-700.0, -1.0, 0.0], [1e-12, 5.0, 30.0]])
    logit = invert_increasing(lambda x: np.log(x) - np.log1p(-x), lambda x: 1 / (x * (1 - x)), z, domain=(0.0, 1.0))
    np.testing.assert_allclose(logit, np.where(z < 0, np.exp(z) / (1 + np.exp(z)), 1 / (1 + np.exp(-z))), rtol=1e-13)
    below = invert_increasing(lambda x: -np.log(2 - x), lambda x: 1 / (2 - x), z, domain=(-np.inf, 2.0))
    np.testing.assert_allclose(below, 2 - np.exp(-z), rtol=1e-13, atol=1e-13)


def test_a_function_that_does_not_reach_or_does_not_increase_is_refused():
    with pytest.raises(ib.ConvergenceError, match=r"3\.0 lies beyond"):
        invert_increasing(np.tanh, lambda x: 1 / np.cosh(x) ** 2, np.array([0.5, 3.0]))
    assert np.isfinite(invert_increasing(np.sinh, np.cosh, 1e300))
