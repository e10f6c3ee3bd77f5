"""What stands beside Newton's method: scaling, and the last steps in the parameters."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import ibtext as ib


def test_newton_step_solves_across_units():
    """Equations in units from 1 to 1e12, where a plain solution would lose them; an exact one as the oracle."""
    rng = np.random.default_rng(0)
    a, units = rng.standard_normal((4, 9)), 10.0 ** np.array([0, 4, 8, 12])
    kernel, right = (units[:, None] * (a @ a.T)) * units, units * rng.standard_normal(4)
    with mpmath.workdps(60):
        exact = mpmath.lu_solve(mpmath.matrix(kernel.tolist()), mpmath.matrix(right.tolist()))
    np.testing.assert_allclose(ib.dual.newton_step(kernel, right), np.array(exact.tolist(), dtype=float).ravel(), rtol=1e-13)


def test_newton_step_of_a_singular_kernel_is_least_squares():
    kernel = np.array([[1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(ib.dual.newton_step(kernel, np.array([2.0, 2.0])), [1.0, 1.0], rtol=1e-12)


@pytest.mark.kernels
@pytest.mark.parametrize("seed", range(6))
def test_refined_parameters_meet_labels_that_no_multiplier_can(seed):
    """cosh with terms near sinh(30): a unit in the last place of the multiplier moves the labels by more than 1e-12."""
    rng = np.random.default_rng(seed)
    a = np.linalg.qr(rng.standard_normal((40, 4)))[0].T
    phi = ib.CoshPotential()
    multiplier = 10.0 ** rng.uniform(11, 13, 4) * rng.choice([-1, 1], 4)
    columns = ib.FiniteColumns(a, 1.0, phi)
    y = a @ columns.primal(multiplier)
    point = ib.dual.newton(columns, y, np.zeros(4), 1e-13 * np.max(np.abs(y)))
    theta, left = ib.dual.refine(columns, columns.primal(point.multiplier), lambda t: y - a @ t)
    assert np.max(np.abs(left)) < 1e-14 * np.max(np.abs(y))
    dual = phi.gradient(theta)
    assert np.linalg.norm(dual - a.T @ (a @ dual)) < 1e-13 * np.linalg.norm(dual)


def test_refined_parameters_stay_in_the_domain():
    columns = ib.FiniteColumns(np.ones((1, 2)), 1.0, ib.EntropyPotential())
    theta, _ = ib.dual.refine(columns, np.array([1.0, 1.0]), lambda t: np.array([-5.0 - t.sum()]))
    np.testing.assert_array_equal(theta, [1.0, 1.0])  # no step leads to a negative sum
