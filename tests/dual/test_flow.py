"""Paths of the dual equation: against their limit, the matrix exponential, and the order of the integrator."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

import ibtext as ib


def problem(rng_seed=0, m=4, k=30):
    rng = np.random.default_rng(rng_seed)
    return rng.standard_normal((m, k)), rng.uniform(0.5, 2, k), rng.standard_normal(m)


def test_flow_ends_at_the_root_and_its_residual_norm_falls():
    a, mass, y = problem(4)
    columns = ib.FiniteColumns(a, mass, ib.PowerPotential(4, 1.0))
    path = ib.dual_flow(columns, y, [0.0, 0.1, 1.0, 10.0, 1e4])
    root = ib.solve_dual(columns, y).multiplier
    np.testing.assert_allclose(path[-1], root, rtol=1e-8)
    distance = np.linalg.norm(path - root, axis=1)
    assert np.all(np.diff(distance) < 0)
    np.testing.assert_array_equal(path[0], 0)


def test_times_must_increase():
    a, mass, y = problem()
    with pytest.raises(ValueError, match="increasing"):
        ib.dual_flow(ib.FiniteColumns(a, mass, ib.CoshPotential()), y, [1.0, 0.5])


def test_linear_flow_is_the_matrix_exponential():
    a, mass, y = problem(6)
    root = (np.sqrt(mass) * a).T
    times = np.array([0.0, 1e-3, 0.1, 3.0, 1e6])
    kernel = root.T @ root
    path = ib.dual.linear_flow(root, y, times, rate=0.5)
    for t, u in zip(times, path, strict=True):
        np.testing.assert_allclose(y - kernel @ u, expm(-0.5 * t * kernel) @ y, atol=1e-12)
    with pytest.raises(ValueError, match="increasing"):
        ib.dual.linear_flow(root, y, [1.0, 0.5])
    with pytest.raises(ValueError, match="rate must be"):
        ib.dual.linear_flow(root, y, [1.0], rate=-1)


def test_the_integrator_has_order_five_in_its_tolerance():
    """Error against tolerance: Radau controls the local error of its order-3 estimate, so errors fall with rtol."""
    a, mass, y = problem(7)
    columns = ib.FiniteColumns(a, mass, ib.PowerPotential(4, 1.0))
    fine = ib.dual_flow(columns, y, [0.5], rtol=1e-12)[0]
    tolerances = np.array([1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
    errors = [np.max(np.abs(ib.dual_flow(columns, y, [0.5], rtol=r)[0] - fine)) for r in tolerances]
    # the error is at most of the order of the tolerance; the slope lies between 1 and 5/3 for an order-5 method
    assert 0.8 < ib.rates.fit_rate(tolerances, errors).slope < 1.7
    assert np.all(errors < 10 * tolerances * np.max(np.abs(fine)))
