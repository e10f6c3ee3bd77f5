"""The root of the dual equation: against linear algebra, KKT conditions, and a general-purpose optimiser."""

from __future__ import annotations

import numpy as np
import pytest
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


def test_labels_out_of_reach_raise_with_the_residual():
    a = np.array([[1.0, 1.0], [1.0, 1.0]])  # two data points with the same features, different labels
    with pytest.raises(ib.ConvergenceError, match=r"residual is .* Newton steps"):
        ib.solve_dual(ib.FiniteColumns(a, 1.0, ib.PowerPotential(3, 1.0)), np.array([1.0, 2.0]))


def test_the_best_point_is_returned_whatever_comes_after_it():
    """Past the root of a badly rounded F the residual wanders; the smallest one counts, under any kernel."""
    rng = np.random.default_rng(0)

    seen = []

    class Noisy(ib.dual.Columns):
        def evaluate(self, multiplier):
            value = 2 * multiplier + 1e-9 * rng.uniform(-1, 1, 3)
            seen.append(np.max(np.abs(1.0 - value)))
            return value, 2 * np.eye(3)

    point = ib.dual.newton(Noisy(), np.ones(3), np.zeros(3), 0.0)
    assert point.residual == min(seen) < 1e-9
