"""Derivatives against differences in random directions: the error of central differences falls with the square of the step."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import ibtext as ib

STEPS = np.array([4e-3, 2e-3, 1e-3])
INIT = ib.Initialization(bias=stats.uniform(-1, 2), output=stats.norm())


def order(function, derivative, at, direction):
    """Fitted order of the error of central differences."""
    errors = [np.max(np.abs((function(at + h * direction) - function(at - h * direction)) / (2 * h) - derivative)) for h in STEPS]
    return ib.rates.fit_rate(STEPS, errors).slope


@pytest.mark.parametrize("seed", range(3))
def test_jacobian_of_a_network(seed):
    rng = np.random.default_rng(seed)
    net = ib.ShallowNetwork.sample(width=20, activation="relu^3", initialization=INIT, rng=seed)
    x, v = np.array([-0.5, 0.1, 0.7]), rng.standard_normal(61)
    assert order(lambda theta: net.with_flat(theta)(x), net.jacobian(x) @ v, net.flat, v) == pytest.approx(2, abs=0.1)
    tangent, r = net.tangent(x), rng.standard_normal(3)
    assert tangent.pull(net.flat, r) @ v == pytest.approx(r @ tangent.push(net.flat, v), rel=1e-12)
    jacobian = net.jacobian(x)
    np.testing.assert_allclose(net.kernel(x), jacobian @ jacobian.T / 20, rtol=1e-12)


@pytest.mark.parametrize("potential", [ib.CoshPotential(), ib.HypentropyPotential(0.3), ib.EntropyPotential()])
def test_kernel_of_the_dual_equation(potential):
    rng = np.random.default_rng(0)
    columns = ib.FiniteColumns(rng.standard_normal((3, 7)), rng.uniform(0.5, 1, 7), potential, 0.1)
    at, v = rng.standard_normal(3), rng.standard_normal(3)
    assert order(lambda u: columns.evaluate(u)[0], columns.evaluate(at)[1] @ v, at, v) == pytest.approx(2, abs=0.1)
