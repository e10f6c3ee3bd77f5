"""Arithmetic with twice the digits, against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from ibtext.numerics import double_double as dd
from ibtext.numerics.double_double import Twofold

RNG = np.random.default_rng(0)
SIZE = 200
ULP = Fraction(1, 2**100)  # rounding of a sum of two doubles, with some room for four roundings


def numbers():
    """Twofold numbers over twenty decades."""
    high = RNG.normal(size=SIZE) * 10.0 ** RNG.uniform(-10, 10, SIZE)
    low = high * 2.0**-54 * RNG.uniform(-1, 1, SIZE)
    return Twofold(high, low)


def value(a, k):
    return Fraction(float(a.high[k])) + Fraction(float(a.low[k]))


A, B = numbers(), numbers()
OPERATIONS = {
    "add": (dd.add(A, B), lambda k: value(A, k) + value(B, k)),
    "difference": (dd.difference(A, B), lambda k: value(A, k) - value(B, k)),
    "shift": (dd.shift(A, B.high), lambda k: value(A, k) + Fraction(float(B.high[k]))),
    "multiply": (dd.multiply(A, B.high), lambda k: value(A, k) * Fraction(float(B.high[k]))),
    "divide": (dd.divide(A, B), lambda k: value(A, k) / value(B, k)),
    "exact": (dd.exact(A.high), lambda k: Fraction(float(A.high[k]))),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_thirty_digits(name):
    result, exact = OPERATIONS[name]
    for k in range(SIZE):
        assert abs(value(result, k) - exact(k)) <= ULP * abs(exact(k))
        assert result.high[k] == result.high[k] + result.low[k]  # the low part lies below the last place of the high one


def test_cancellation_leaves_the_low_parts():
    a, b = Twofold(np.array([1.0]), np.array([3e-20])), Twofold(np.array([1.0]), np.array([1e-20]))
    left = dd.difference(a, b)
    assert float(left.high[0]) == pytest.approx(2e-20, rel=1e-15)
