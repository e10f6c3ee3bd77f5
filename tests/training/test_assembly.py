"""One sweep over the neurons, against the dense sums over a Jacobian that the package does not make."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib
from ibtext.training.assembly import Assembly
from ibtext.training.setting import TrainingSetting

N = 70
POTENTIALS = {"square": None, "scaled": ib.Scaled(ib.PowerPotential(3, 1.0)), "unscaled": ib.CoshPotential()}


def network(activation: str) -> ib.ShallowNetwork:
    rng = np.random.default_rng(3)
    return ib.ShallowNetwork(*rng.standard_normal((3, N)), 0.3, activation)


def jacobian(flat: np.ndarray, x: np.ndarray, left: float, right: float, layers: str) -> tuple[np.ndarray, np.ndarray]:
    """f(x) and its derivatives, written out."""
    w, b, a, d = flat[:N], flat[N : 2 * N], flat[2 * N : 3 * N], flat[3 * N]
    u = np.outer(x, w) - b
    slope = np.where(u > 0, right, left)
    rows = np.hstack([slope * a * x[:, None], -slope * a, slope * u, np.ones((x.size, 1))])
    if layers == "output":
        rows[:, : 2 * N] = rows[:, 3 * N :] = 0
    return (slope * u) @ a + d, rows


@pytest.mark.parametrize("layers", ["all", "output"])
@pytest.mark.parametrize(("activation", "left", "right"), [("abs", -1, 1), ("relu", 0, 1), ("leaky_relu", 0.1, 1)])
@pytest.mark.parametrize("name", POTENTIALS)
def test_a_sweep_is_the_dense_sum(name, activation, left, right, layers, x, y):
    net = network(activation)
    setting = TrainingSetting.checked(net, x, y, POTENTIALS[name], layers)
    assembly = Assembly(setting)
    start, rho = assembly.start(), np.array([0.3, -1.0, 0.2, 0.5, -0.4]) / N
    assert np.array_equal(assembly.flat(start), net.flat)
    value, rows = jacobian(net.flat, x, left, right, layers)
    np.testing.assert_allclose(start.value, value, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(start.kernel, (rows * setting.inverse_hessian(net.flat)) @ rows.T, rtol=1e-12)
    assembly.held = start
    factor = 1e-4 * N  # so small that the patterns stay, as a sweep supposes
    point = assembly.advance(start, rho, start.dual, start.dual_shift, factor)
    theta = setting.primal(setting.dual(net.flat) + factor * rows.T @ rho)
    np.testing.assert_allclose(assembly.flat(point), theta, rtol=0, atol=1e-13)
    value, after = jacobian(theta, x, left, right, layers)
    d = setting.inverse_hessian(theta)
    np.testing.assert_allclose(point.value, value, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(point.kernel, (after * d) @ after.T, rtol=1e-11)
    pushed = after @ (d * setting.unit * factor * (rows.T @ rho))
    np.testing.assert_allclose(point.pushed, pushed, rtol=1e-10, atol=1e-13 * np.max(np.abs(pushed)))
    assert np.array_equal(assembly.flat(start), net.flat)  # what is held is not overwritten


@pytest.mark.parametrize("layers", ["all", "output"])
def test_blocks_and_runs_do_not_change_a_sum(layers, x, y, monkeypatch):
    whole = Assembly(TrainingSetting.checked(network("relu"), x, y, None, layers)).start()
    monkeypatch.setattr("ibtext.training.activation_pattern.BLOCK", 7)
    parts = Assembly(TrainingSetting.checked(network("relu"), x, y, None, layers))
    assert len(parts.pattern.blocks) > 10
    for name in ("value", "kernel"):
        np.testing.assert_allclose(getattr(parts.start(), name), getattr(whole, name), rtol=1e-13)
