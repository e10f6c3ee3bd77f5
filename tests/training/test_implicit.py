"""The implicit method: its order conditions, its stage equation, its damping, and the order that it shows."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib
from ibtext.training import implicit
from ibtext.training.assembly import Assembly
from ibtext.training.implicit import DIAGONAL, EMBEDDED_WEIGHTS, STAGES, WEIGHTS, ImplicitMethod
from ibtext.training.setting import TrainingSetting

TABLEAU = np.hstack([STAGES, [[0], [0], [0], [0]]]) + DIAGONAL * np.diag([0, 1, 1, 1])


def test_order_conditions():
    """Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, Theorem II.2.1: three and two."""
    times = TABLEAU.sum(axis=1)
    assert WEIGHTS.sum() == pytest.approx(1, abs=1e-14)
    assert WEIGHTS @ times == pytest.approx(1 / 2, abs=1e-14)
    assert WEIGHTS @ times**2 == pytest.approx(1 / 3, abs=1e-14)
    assert WEIGHTS @ TABLEAU @ times == pytest.approx(1 / 6, abs=1e-14)
    assert EMBEDDED_WEIGHTS.sum() == pytest.approx(1, abs=1e-14)
    assert EMBEDDED_WEIGHTS @ times == pytest.approx(1 / 2, abs=1e-14)
    np.testing.assert_array_equal(TABLEAU[3], WEIGHTS)  # stiffly accurate


def test_infinitely_stiff_components_are_damped():
    """R(z) = 1 + z b (I - zA)^{-1} 1 tends to 0 for z to minus infinity, and is at most 1 on the imaginary axis."""
    stability = [1 + z * WEIGHTS @ np.linalg.solve(np.eye(4) - z * TABLEAU, np.ones(4)) for z in (-1e8, 0.3j, 3j, 30j, 1e4j)]
    assert abs(stability[0]) < 1e-7
    assert np.max(np.abs(stability[1:])) <= 1 + 1e-12


@pytest.mark.parametrize("h", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("potential", [None, ib.Scaled(ib.PowerPotential(3, 1.0))])
def test_a_step_satisfies_its_four_stage_equations(h, potential, x, y, clear_network, monkeypatch):
    """rho_i = y - f(z_0 + h/(nu) sum_j a_ij J^T rho_j), the sums made densely: J is constant where the output moves alone."""
    monkeypatch.setattr(implicit, "NEWTON_TOLERANCE", 1e-11)
    net = clear_network(60, x, "abs")
    setting = TrainingSetting.checked(net, x, y, potential, "output")
    assembly, multipliers = Assembly(setting), []
    pull = assembly.pull
    monkeypatch.setattr(assembly, "pull", lambda theta, rho, out: (multipliers.append(rho), pull(theta, rho, out))[1])
    method = ImplicitMethod(assembly, setting.y, 1e-3, 1.0)
    method.begin(assembly.start())
    point = method.attempt(h).point
    assert point is not None
    features = np.abs(np.outer(x, net.weight) - net.bias)[:, assembly.order]
    rho = np.array([*multipliers[:3], y - point.value])  # the last pull is that of the error
    dual = h * setting.rate * TABLEAU @ rho @ features
    outputs = setting.unit * setting.phi.inverse_gradient(dual)
    np.testing.assert_allclose(rho, y - outputs @ features.T, atol=1e-11)
    np.testing.assert_allclose(point.theta[2], outputs[3], rtol=1e-9, atol=1e-12)


def test_order_of_the_integrator_is_three(x, y, monkeypatch, clear_network):
    """Fixed equal steps, forced by stop times under a loose tolerance: the error falls with the cube of the step."""
    monkeypatch.setattr(implicit, "NEWTON_TOLERANCE", 1e-13)  # stages exact: only the step size counts
    net = clear_network(200, x, "abs")
    potential = ib.Scaled(ib.PowerPotential(3, 1.0))
    t = np.linspace(-1, 1, 101)

    def at_one(times, rtol):
        run = ib.mirror_flow(net, x, y, potential=potential, times=times, rtol=rtol, tol=1.0)
        return run.snapshots[-1](t), run.steps

    exact, _ = at_one(np.arange(1, 1281) / 1280, 1.0)
    counts, errors = np.array([20, 40, 80, 160]), []
    for count in counts:
        value, steps = at_one(np.arange(1, count + 1) / count, 1.0)
        assert steps <= count + 1  # the stop times, and one short step at the start
        errors.append(np.max(np.abs(value - exact)))
    rate = ib.rates.fit_rate(counts.astype(float), np.array(errors))
    assert rate.slope == pytest.approx(-3, abs=0.1)
