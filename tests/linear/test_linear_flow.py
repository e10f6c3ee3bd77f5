"""Mirror flow: its limit, an integration of every weight, features and times far from one."""

from __future__ import annotations

import numpy as np
from linear_problems import problem
from scipy.integrate import solve_ivp

import ibtext as ib
from ibtext import linear


def test_flow_against_integration_of_every_weight():
    A, b, start = problem(5, 3, 6)
    phi = ib.CoshPotential()
    times = np.array([0.01, 0.1, 0.5, 2.0])
    reference = solve_ivp(
        lambda t, w: (b - A @ w) @ A / phi.hessian(w), (0, 2), start, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times
    )
    path = linear.mirror_flow(A, b, times, potential=phi, start=start)
    np.testing.assert_allclose(path.weights, reference.y.T, atol=1e-8)


def test_a_flow_with_large_features_ends_at_its_limit():
    """The tolerance follows the multiplier, whose size is that of the labels over the kernel: here 1e-16."""
    A, b = 1e8 * np.array([[1.0, 0.2, -0.7, 0.4], [-0.3, 0.9, 0.5, 1.1]]), np.array([1.0, 2.0])
    for phi in (ib.CoshPotential(), ib.PowerPotential(p=3, omega=1.0)):
        path = linear.mirror_flow(A, b, [0.0, 1.0], potential=phi)
        assert np.max(np.abs(path.residuals[-1])) < 1e-8 * np.max(b)


def test_a_flow_that_rounding_stops_is_refused_in_bounded_work():
    """Features of 1e17: the rounding of A w is larger than the labels, so a refusal is right, and so is what can be had."""
    A, b = 1e17 * np.array([[1.0, 0.2, -0.7, 0.4], [-0.3, 0.9, 0.5, 1.1]]), np.array([1.0, 2.0])
    for phi in (ib.CoshPotential(), ib.PowerPotential(p=3, omega=1.0)):
        try:
            path = linear.mirror_flow(A, b, [0.0, 1.0, 2.0], potential=phi, start=np.ones(4))
        except ib.ConvergenceError:
            continue
        assert np.max(np.abs(path.residuals[-1])) < 1e17 * 1e-14
