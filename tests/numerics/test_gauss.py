"""The one Gauss-Legendre rule, against exact integrals of monomials and nodes found with 40 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from ibtext.numerics.gauss import gauss_legendre


@pytest.mark.parametrize("order", [1, 2, 8, 10, 14, 16, 40])
def test_exact_up_to_degree_2n_minus_1_and_no_further(order):
    nodes, weights = gauss_legendre(order)
    for degree in range(2 * order):
        assert weights @ nodes**degree == pytest.approx(1 / (degree + 1), rel=1e-14)
    # the error of the next degree is (n!)^4 / ((2n + 1) (2n)!^2), far below rounding for large n
    miss = mpmath.factorial(order) ** 4 / ((2 * order + 1) * mpmath.factorial(2 * order) ** 2)
    assert 1 / (2 * order + 1) - weights @ nodes ** (2 * order) == pytest.approx(float(miss), rel=1e-6, abs=4e-15)


@pytest.mark.parametrize("order", [14, 16])
def test_nodes_are_roots_of_the_legendre_polynomial(order):
    nodes, weights = gauss_legendre(order)
    with mpmath.workdps(40):
        for s, w in zip(nodes, weights, strict=True):
            x = mpmath.findroot(lambda v: mpmath.legendre(order, v), 2 * mpmath.mpf(float(s)) - 1)
            slope = mpmath.diff(lambda v: mpmath.legendre(order, v), x)
            assert abs(float((1 + x) / 2) - s) < 2e-16
            assert w == pytest.approx(float(1 / ((1 - x**2) * slope**2)), rel=1e-14)


def test_arrays_are_shared_and_read_only():
    nodes, weights = gauss_legendre(16)
    assert nodes is gauss_legendre(16)[0]
    for array in (nodes, weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
    assert np.all(np.diff(nodes) > 0)
    assert 0 < nodes[0]
    assert nodes[-1] < 1
