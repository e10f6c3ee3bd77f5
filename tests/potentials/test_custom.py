"""Potentials of the reader's own: laws of Bregman, second derivatives that were not given, refusals."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ibtext as ib
from ibtext import CustomPotential

mp = mpmath.mp.clone()
mp.dps = 60
BOUNDED = CustomPotential(
    lambda x: -np.sqrt(1 - x**2), lambda x: x / np.sqrt(1 - x**2), lambda x: (1 - x**2) ** -1.5, domain=(-1.0, 1.0), name="circle"
)
CUSTOM = {
    "logcosh": CustomPotential(
        lambda x: np.logaddexp(x, -x) + x**2 / 4, lambda x: np.tanh(x) + x / 2, lambda x: 1 - np.tanh(x) ** 2 + 0.5
    ),
    "differences": CustomPotential(lambda x: np.exp(x) + x**4, lambda x: np.exp(x) + 4 * x**3),
    "burg": CustomPotential(lambda x: -np.log(x) + x**2, lambda x: -1 / x + 2 * x, lambda x: x**-2 + 2, domain=(0.0, np.inf)),
    "mirrored entropy": CustomPotential(
        lambda x: (2 - x) * np.log(2 - x) + x, lambda x: -np.log(2 - x), lambda x: 1 / (2 - x), domain=(-np.inf, 2.0)
    ),
    "logistic": CustomPotential(
        lambda x: x * np.log(x) + (1 - x) * np.log(1 - x),
        lambda x: np.log(x) - np.log1p(-x),
        lambda x: 1 / (x * (1 - x)),
        domain=(0.0, 1.0),
    ),
    "circle": BOUNDED,
}
customs = pytest.mark.parametrize("name", CUSTOM)


@customs
@settings(max_examples=80, deadline=None)
@given(u=st.floats(0.001, 0.999), v=st.floats(0.001, 0.999), w=st.floats(0.001, 0.999))
def test_custom_potentials_obey_the_laws_of_bregman(name, u, v, w):
    phi = CUSTOM[name]
    low, high = phi.domain

    def place(t):
        if np.isfinite(low) and np.isfinite(high):
            return low + (high - low) * t
        if np.isfinite(low):
            return low + 10 * t
        return high - 10 * t if np.isfinite(high) else 8 * t - 4

    a, b, c = place(u), place(v), place(w)
    z = phi.gradient(a)
    slope = float(phi.hessian(a))
    # inverse: the rounding of z, at most 4 units in the last place of its terms, over the slope
    assert float(phi.inverse_gradient(z)) == pytest.approx(a, abs=1e-14 * (abs(a) + (1 + abs(z)) / slope))
    # Young's equality at (a, phi'(a)), Young's inequality elsewhere
    size = 1 + abs(float(phi(a))) + abs(float(a * z)) + abs(float(phi(b))) + abs(float(b * z))
    assert float(phi(a) + phi.conjugate(z) - a * z) == pytest.approx(0, abs=3e-14 * size)
    assert float(phi(b) + phi.conjugate(z) - b * z) >= -3e-14 * size
    three = phi.divergence(a, c) - phi.divergence(a, b) - phi.divergence(b, c)
    right = (phi.gradient(b) - phi.gradient(c)) * (a - b)
    size = 1 + sum(abs(float(v)) for v in (phi(a), phi(b), phi(c), phi.gradient(b) * 8, phi.gradient(c) * 8))
    assert float(three) == pytest.approx(float(right), abs=1e-12 * size)
    assert phi.divergence(a, b) >= 0
    if abs(a - b) > 1e-6:
        assert phi.divergence(a, b) > 0


def test_custom_divergence_of_neighbours_keeps_ten_digits():
    phi = CUSTOM["logistic"]
    for y in (0.01, 0.4, 0.9):
        for gap in (1e-10, 1e-7, 1e-4):
            x = y * (1 + gap)
            u, v = mp.mpf(x), mp.mpf(y)
            want = float(u * mp.log(u / v) + (1 - u) * mp.log((1 - u) / (1 - v)))
            assert float(phi.divergence(x, y)) == pytest.approx(want, rel=1e-10, abs=0)


def test_second_derivative_by_differences():
    phi = CustomPotential(lambda x: x * np.log(x) - x, np.log, domain=(0.0, np.inf))
    x = np.geomspace(1e-6, 1e6, 50)
    np.testing.assert_allclose(phi.hessian(x), 1 / x, rtol=1e-9)
    assert np.median(np.abs(phi.hessian(x) * x - 1)) < 1e-12
    assert phi.hessian(np.empty(0)).shape == (0,)


def test_custom_potential_solves_the_dual_equation_like_the_built_in_one():
    rng = np.random.default_rng(1)
    a, y = rng.standard_normal((3, 9)), rng.standard_normal(3)
    for own, built in [
        (CustomPotential(np.cosh, np.sinh, np.cosh), ib.CoshPotential()),
        (CustomPotential(np.cosh, np.sinh), ib.CoshPotential()),
        (CustomPotential(lambda x: abs(x) ** 3 + x**2, lambda x: 3 * x * abs(x) + 2 * x), ib.PowerPotential(3, 1.0)),
    ]:
        got = ib.solve_dual(ib.FiniteColumns(a, 1.0, own), y).multiplier
        np.testing.assert_allclose(got, ib.solve_dual(ib.FiniteColumns(a, 1.0, built), y).multiplier, rtol=1e-11, atol=1e-12)


def test_torch_tensors_written_with_operators():
    torch = pytest.importorskip("torch")
    phi = CustomPotential(lambda x: x**4 + x**2, lambda x: 4 * x**3 + 2 * x)
    t = torch.linspace(-2, 2, 7, dtype=torch.float64)
    assert isinstance(phi.inverse_gradient(t), torch.Tensor)
    np.testing.assert_allclose(phi.inverse_gradient(t).numpy(), phi.inverse_gradient(t.numpy()), rtol=1e-14)
    np.testing.assert_allclose(phi.hessian(t).numpy(), 12 * t.numpy() ** 2 + 2, rtol=1e-9)


REFUSED = {
    "value for a function": (TypeError, "must be a function", (3.0, np.sinh), {}),
    "value for a second derivative": (TypeError, "must be a function", (np.cosh, np.sinh, 2.0), {}),
    "not convex": (ValueError, "increase strictly", (np.sin, np.cos), {}),
    "concave": (ValueError, "increase strictly", (lambda x: -np.cosh(x), lambda x: -np.sinh(x)), {}),
    "linear": (ValueError, "increase strictly", (lambda x: x, np.ones_like), {}),
    "factor": (ValueError, "derivative of phi", (np.cosh, lambda x: 2 * np.sinh(x)), {}),
    "second factor": (ValueError, "derivative of gradient", (np.cosh, np.sinh, lambda x: 2 * np.cosh(x)), {}),
    "domain missing": (ValueError, "finite inside the domain", (np.log, lambda x: 1 / x), {}),
    "domain swapped": (ValueError, "open interval", (np.cosh, np.sinh), {"domain": (1.0, 0.0)}),
    "domain a number": (ValueError, "open interval", (np.cosh, np.sinh), {"domain": 1.0}),
    "domain text": (ValueError, "open interval", (np.cosh, np.sinh), {"domain": "01"[::-1]}),
    "domain nan": (ValueError, "open interval", (np.cosh, np.sinh), {"domain": (0.0, np.nan)}),
    "sum": (ValueError, "elementwise", (lambda x: np.sum(x**2), lambda x: 2 * x), {}),
    "complex": (ValueError, "elementwise", (lambda x: x**2 + 0j, lambda x: 2 * x), {}),
    "scalar function": (ValueError, "act on arrays", (math.cosh, math.sinh), {}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_potential_is_refused(case):
    kind, message, args, options = REFUSED[case]
    with pytest.raises(kind, match=message) as caught:
        CustomPotential(*args, **options)
    assert ";" in str(caught.value)


def test_points_outside_the_domain_are_refused():
    for method in (BOUNDED, BOUNDED.gradient, BOUNDED.hessian):
        with pytest.raises(ValueError, match=r"-1\.0 < x < 1\.0"):
            method(np.array([0.0, 1.5]))
    soft = CustomPotential(lambda x: np.sqrt(1 + x**2), lambda x: x / np.sqrt(1 + x**2))
    with pytest.raises(ib.ConvergenceError, match="gradient is bounded"):
        soft.inverse_gradient(2.0)


ROUGH = {
    "analytic": (lambda x: np.cosh(x) + x**4, lambda x: np.sinh(x) + 4 * x**3, lambda x: np.cosh(x) + 12 * x**2, 1e-15),
    "modulus": (lambda x: np.abs(x) ** 3 + x**2, lambda x: 3 * x * np.abs(x) + 2 * x, lambda x: 6 * np.abs(x) + 2, 2e-13),
    "kink": (
        lambda x: np.where(np.abs(x) < 1, x**2, x**2 / 2 + np.abs(x) - 0.5),
        lambda x: np.where(np.abs(x) < 1, 2 * x, x + np.sign(x)),
        lambda x: np.where(np.abs(x) < 1, 2.0, 1.0),
        2e-13,
    ),
    "complex lies": (  # agrees with complex steps at the points of the check, not far out
        lambda x: np.cosh(x / 4),
        lambda x: np.where(np.abs(x) < 20, np.sinh(x / 4), np.sinh(x.real / 4)) / 4,
        lambda x: np.cosh(x / 4) / 16,
        2e-13,
    ),
}


@pytest.mark.parametrize("name", ROUGH)
def test_hessian_without_a_hessian(name):
    phi, gradient, hessian, digits = ROUGH[name]
    size = np.geomspace(1e-6, 30, 401)
    x = np.concatenate([-size, [0.0], size])
    calls = []

    def counted(v):
        calls.append(np.size(v))
        return gradient(v)

    potential = CustomPotential(phi, counted)
    potential.hessian(1.0)
    calls.clear()
    room = np.minimum(1, np.abs(np.abs(x) - 1)) if name == "kink" else 1.0  # differences need room
    assert np.max(np.abs(potential.hessian(x) / hessian(x) - 1) * room) < digits
    assert sum(calls) < 200 * x.size
