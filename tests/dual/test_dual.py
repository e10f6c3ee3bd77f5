"""The M-dimensional equation: against linear algebra, KKT conditions, and a general-purpose optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import minimize

import ibtext as ib

POTENTIALS = [ib.QuadraticPotential(), ib.PowerPotential(3, 1.0), ib.PowerPotential(4, 0.2), ib.CoshPotential()]


def problem(rng_seed=0, m=4, k=30):
    rng = np.random.default_rng(rng_seed)
    return rng.standard_normal((m, k)), rng.uniform(0.5, 2, k), rng.standard_normal(m)


def test_quadratic_potential_is_weighted_least_norm():
    a, mass, y = problem()
    columns = ib.FiniteColumns(a, mass, ib.QuadraticPotential(scale=0.5))
    solution = ib.solve_dual(columns, y)
    np.testing.assert_allclose(solution.multiplier, np.linalg.solve((a * mass) @ a.T, y), rtol=1e-12)
    assert solution.iterations <= 2


@pytest.mark.parametrize("phi", POTENTIALS, ids=repr)
def test_solution_is_the_bregman_projection(phi):
    """Feasible, dual-feasible (phi' of it lies in the row space), hence optimal; checked by a generic solver too."""
    a, mass, y = problem(1, m=3, k=8)
    columns = ib.FiniteColumns(a, mass, phi)
    theta = columns.primal(ib.solve_dual(columns, y).multiplier)
    assert np.max(np.abs((a * mass) @ theta - y)) < 1e-13
    in_rows = np.linalg.lstsq(a.T, phi.gradient(theta), rcond=None)[0]
    np.testing.assert_allclose(a.T @ in_rows, phi.gradient(theta), atol=1e-12)
    generic = minimize(
        lambda t: float(mass @ phi(t)),
        np.linalg.lstsq(a * mass, y, rcond=None)[0],
        jac=lambda t: mass * phi.gradient(t),
        constraints={"type": "eq", "fun": lambda t: (a * mass) @ t - y, "jac": lambda t: a * mass},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    # SLSQP is accurate to about the square root of its objective tolerance
    np.testing.assert_allclose(theta, generic.x, atol=2e-6)
    assert mass @ phi(theta) <= mass @ phi(generic.x) + 1e-12


def test_dual_start_away_from_the_centre():
    a, mass, y = problem(2)
    phi = ib.PowerPotential(3, 1.0)
    start = np.random.default_rng(5).standard_normal(30)
    columns = ib.FiniteColumns(a, mass, phi, start=phi.gradient(start))
    theta = columns.primal(ib.solve_dual(columns, y).multiplier)
    other = np.linalg.lstsq(a * mass, y, rcond=None)[0]
    null = np.linalg.svd(a * mass)[2][4:]
    # first-order optimality of D_phi(., start): its gradient has no component along feasible directions
    reduced = null @ (mass * (phi.gradient(theta) - phi.gradient(start)))
    assert np.max(np.abs(reduced)) < 1e-11
    assert np.max(np.abs((a * mass) @ (theta - other))) < 1e-12


def test_jacobian_is_the_derivative():
    a, mass, _ = problem(3)
    columns = ib.FiniteColumns(a, mass, ib.CoshPotential())
    lam, v = np.array([0.3, -1.0, 0.5, 2.0]), np.array([1.0, 2.0, -1.0, 0.5])
    h = 1e-5
    numeric = (columns.evaluate(lam + h * v)[0] - columns.evaluate(lam - h * v)[0]) / (2 * h)
    np.testing.assert_allclose(columns.evaluate(lam)[1] @ v, numeric, rtol=1e-8)


def test_flow_ends_at_the_root_and_its_residual_norm_falls():
    a, mass, y = problem(4)
    columns = ib.FiniteColumns(a, mass, ib.PowerPotential(4, 1.0))
    path = ib.dual_flow(columns, y, [0.0, 0.1, 1.0, 10.0, 1e4])
    root = ib.solve_dual(columns, y).multiplier
    np.testing.assert_allclose(path[-1], root, rtol=1e-8)
    distance = np.linalg.norm(path - root, axis=1)
    assert np.all(np.diff(distance) < 0)
    np.testing.assert_array_equal(path[0], 0)


def test_labels_out_of_reach_raise_with_the_residual():
    a = np.array([[1.0, 1.0], [1.0, 1.0]])  # two data points with the same features, different labels
    with pytest.raises(ib.ConvergenceError, match=r"residual is .* Newton steps"):
        ib.solve_dual(ib.FiniteColumns(a, 1.0, ib.PowerPotential(3, 1.0)), np.array([1.0, 2.0]))


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
