"""The integrator of factors: closed flows, stiff ones, and those that have no end."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

import ibtext as ib
from ibtext.factorized.integrate import integrate

TIMES = np.array([0.0, 0.3, 2.0, 10.0])


def test_linear_and_logistic_flows_are_followed():
    M = np.array([[-1.0, 2.0], [-3.0, -0.5]])
    states = integrate(lambda x: M @ x, np.array([1.0, -1.0]), TIMES, 1e-11)
    np.testing.assert_allclose(states, [expm(M * t) @ [1.0, -1.0] for t in TIMES], atol=1e-8)
    states = integrate(lambda x: x * (1 - x), np.array([0.01, 0.5]), TIMES, 1e-11)
    start = np.array([0.01, 0.5])
    np.testing.assert_allclose(states, start / (start + (1 - start) * np.exp(-TIMES[:, None])), atol=1e-9)


def test_stiff_flows_are_cheap():
    calls = 0

    def velocity(x):
        nonlocal calls
        calls += 1
        return -np.array([1e6, 1.0]) * x

    states = integrate(velocity, np.array([1.0, 1.0]), TIMES, 1e-9)
    np.testing.assert_allclose(states[:, 1], np.exp(-TIMES), rtol=1e-6)
    assert calls < 3000


def test_time_zero_is_the_start():
    np.testing.assert_array_equal(integrate(lambda x: x, np.array([2.0]), np.array([0.0]), 1e-9), [[2.0]])


@pytest.mark.parametrize(
    "velocity",
    [lambda x: x**2, lambda x: np.full_like(x, np.nan), lambda x: np.sin(1e9 * x) * 1e9],
)
def test_flows_that_cannot_be_followed_are_refused(velocity):
    with pytest.raises(ib.ConvergenceError, match="must be integrated to time 10"):
        integrate(velocity, np.array([1.0]), TIMES, 1e-9)
