"""What the solver asks of a problem, and the problem with finitely many columns."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib


def test_jacobian_is_the_derivative():
    rng = np.random.default_rng(3)
    a, mass = rng.standard_normal((4, 30)), rng.uniform(0.5, 2, 30)
    columns = ib.FiniteColumns(a, mass, ib.CoshPotential())
    lam, v = np.array([0.3, -1.0, 0.5, 2.0]), np.array([1.0, 2.0, -1.0, 0.5])
    h = 1e-5
    numeric = (columns.evaluate(lam + h * v)[0] - columns.evaluate(lam - h * v)[0]) / (2 * h)
    np.testing.assert_allclose(columns.evaluate(lam)[1] @ v, numeric, rtol=1e-8)


def test_primal_is_the_inverse_of_the_gradient_on_the_profile():
    a, phi = np.random.default_rng(0).standard_normal((2, 5)), ib.PowerPotential(4, 0.2)
    columns = ib.FiniteColumns(a, 1.0, phi, 0.3)
    np.testing.assert_allclose(phi.gradient(columns.primal(np.array([2.0, -1.0]))), 0.3 + np.array([2.0, -1.0]) @ a, rtol=1e-13)


class Cubes:
    """F = lambda^3 + lambda, with no other method; ``ibtext`` need not be known to it."""

    def evaluate(self, multiplier):
        return multiplier**3 + multiplier, np.diag(3 * multiplier**2 + 1)


def test_an_object_with_evaluate_alone_is_a_problem():
    solution = ib.solve_dual(Cubes(), [10.0, 2.0])
    np.testing.assert_allclose(solution.multiplier, [2.0, 1.0], rtol=1e-14)
    path = ib.dual_flow(Cubes(), [10.0, 2.0], [0.0, 50.0])
    np.testing.assert_allclose(path, [[0.0, 0.0], [2.0, 1.0]], atol=1e-8)


def test_optional_methods_are_used_from_any_object():
    class Measured(Cubes):
        def measure(self, residual):
            return 1e3 * float(np.max(np.abs(residual)))

        def retract(self, multiplier, step):
            self.asked = True
            return multiplier + step

    columns = Measured()
    assert ib.solve_dual(columns, [10.0], tol=1e-6).residual < 1e-6 * 1e4
    assert columns.asked


def test_defaults_of_the_base_class():
    class Identity(ib.dual.Columns):
        def evaluate(self, multiplier):
            return multiplier, np.eye(multiplier.size)

    columns = Identity()
    assert columns.measure(np.array([1.0, -3.0])) == 3.0
    np.testing.assert_array_equal(columns.retract(np.ones(2), np.ones(2)), [2.0, 2.0])
    assert columns.equations is None and ib.FiniteColumns(np.ones((2, 3)), 1.0, ib.CoshPotential()).equations == 2
    with pytest.raises(TypeError, match="abstract"):
        ib.dual.Columns()


def test_a_matrix_is_no_problem_and_labels_have_the_size_of_the_rows():
    with pytest.raises(TypeError, match="columns must have a method evaluate"):
        ib.solve_dual(np.eye(2), [1.0, 2.0])
    with pytest.raises(ValueError, match="each of the 2 equations"):
        ib.solve_dual(ib.FiniteColumns(np.ones((2, 3)), 1.0, ib.CoshPotential()), [1.0, 2.0, 3.0])
