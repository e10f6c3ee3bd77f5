"""Derivatives from values: fifteen digits for analytic functions, thirteen for smooth ones, eight to guide Newton's method."""

from __future__ import annotations

import numpy as np
import pytest

from ibtext.potentials.derivative import derivative, is_analytic, rough_derivative

LINE, HALF = (-np.inf, np.inf), (0.0, np.inf)
X = np.concatenate([-np.geomspace(1e-6, 30, 40), np.geomspace(1e-6, 30, 40)])


def test_analytic_functions_keep_every_digit():
    f, slope = (lambda x: np.sinh(x) + 4 * x**3), np.cosh(X) + 12 * X**2
    assert is_analytic(f, X, LINE)
    np.testing.assert_allclose(derivative(f, X, LINE, analytic=True), slope, rtol=1e-15)
    np.testing.assert_allclose(derivative(f, X, LINE), slope, rtol=2e-13)


def test_functions_that_are_not_analytic():
    f, slope = (lambda x: 3 * x * np.abs(x) + 2 * x), 6 * np.abs(X) + 2
    assert not is_analytic(f, X, LINE)
    assert not is_analytic(lambda x: np.sign(x) * np.hypot(x, 0), X, LINE)  # takes no complex numbers
    np.testing.assert_allclose(derivative(f, X, LINE), slope, rtol=2e-13)
    # a branch that complex steps get wrong is found out and differentiated by values
    lies = lambda x: np.where(np.abs(x) < 20, x**2, np.real(x) ** 2)  # noqa: E731
    np.testing.assert_allclose(derivative(lies, X, LINE, analytic=True), 2 * X, rtol=2e-13)


def test_it_stays_inside_the_domain():
    x = np.geomspace(1e-8, 1e8, 60)

    def f(v):
        assert np.all(np.real(v) > 0)
        return np.log(v)

    np.testing.assert_allclose(derivative(f, x, HALF), 1 / x, rtol=1e-9)
    np.testing.assert_allclose(derivative(f, x, HALF, analytic=True), 1 / x, rtol=1e-15)
    np.testing.assert_allclose(rough_derivative(f, x, HALF), 1 / x, rtol=1e-6)
    assert derivative(f, np.empty(0), HALF).shape == (0,)
    assert np.isnan(derivative(np.sqrt, np.array([0.0]), HALF)[0])


def test_rough_derivatives_of_tensors():
    torch = pytest.importorskip("torch")
    x = torch.linspace(-2, 2, 7, dtype=torch.float64)
    np.testing.assert_allclose(rough_derivative(torch.sinh, x, LINE).numpy(), np.cosh(x.numpy()), rtol=1e-8)
