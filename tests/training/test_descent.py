"""Mirror descent: explicit steps, which tend to the flow, and to the limit that theory names."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib


def test_descent_with_any_step_reaches_the_exact_limit_of_the_linearised_network(x, y, init):
    net = ib.ShallowNetwork.sample(width=200, activation="abs", initialization=init, rng=3)
    potential = ib.Scaled(ib.CoshPotential())
    small = 0.05 * y  # small labels keep the kernel well conditioned, so that plain descent can finish
    exact = ib.training_limit(net, x, small, potential=potential, layers="output")
    assert exact.residual < 1e-14
    t = np.linspace(-1, 1, 51)
    for step_size, n_steps in ((0.3, 40_000), (0.6, 20_000)):
        run = ib.mirror_descent(net, x, small, potential=potential, layers="output", step_size=step_size, n_steps=n_steps)
        np.testing.assert_allclose(run.network(t), exact(t), atol=1e-10)
    flow = ib.mirror_flow(net, x, small, potential=potential, layers="output", tol=1e-11)
    np.testing.assert_allclose(flow.network(t), exact(t), atol=1e-9)
    moved = (flow.network.flat - net.flat)[400:600]
    np.testing.assert_allclose(moved, exact.displacement[400:600], atol=1e-11)


def test_descent_with_small_steps_tends_to_the_flow(x, y, clear_network):
    net = clear_network(100, x, "abs")
    flow = ib.mirror_flow(net, x, y, times=[1.0], tol=1.0, rtol=1e-7).snapshots[0]
    errors = []
    for n_steps in (100, 200, 400):
        run = ib.mirror_descent(net, x, y, step_size=1 / n_steps, n_steps=n_steps)
        errors.append(np.max(np.abs(run.network.flat - flow.flat)))
    assert ib.rates.fit_rate([100, 200, 400], errors).slope == pytest.approx(-1, abs=0.05)


def test_divergent_step_size_is_refused(x, y, init):
    net = ib.ShallowNetwork.sample(width=50, activation="abs", initialization=init, rng=0)
    with pytest.raises(ib.ConvergenceError, match=r"2/lambda_max"):
        ib.mirror_descent(net, x, y, step_size=50.0, n_steps=500)


@pytest.mark.parametrize("layers", ["all", "output"])
@pytest.mark.parametrize("potential", [None, ib.CoshPotential(), ib.Scaled(ib.PowerPotential(3, 1.0))])
def test_ten_steps_are_the_definition(potential, layers, x, y, init):
    """grad Phi(theta_{k+1}) = grad Phi(theta_k) - eta/n J^T (f - y), with the dense Jacobian and another centre."""
    n = 40
    net = ib.ShallowNetwork.sample(width=n, activation="relu", initialization=init, rng=3)
    center = {**net.parameters, "output": net.output + 0.01, "output_bias": -0.02}
    middle = np.concatenate([net.weight, net.bias, center["output"], [-0.02]])
    phi = potential.at_width(n) if isinstance(potential, ib.Scaled) else potential or ib.QuadraticPotential(0.5)
    moving = np.ones(3 * n + 1) if layers == "all" else np.r_[np.zeros(2 * n), np.ones(n), 0.0]
    theta, seen = net.flat, []
    for _ in range(10):
        here = net.with_flat(theta)
        z = phi.gradient(theta - middle) + 0.3 / n * moving * (here.jacobian(x).T @ (y - here(x)))
        theta = middle + phi.inverse_gradient(z)
    options = {"potential": potential, "layers": layers, "center": center, "callback": lambda k, t: seen.append(k)}
    run = ib.mirror_descent(net, x, y, step_size=0.3, n_steps=10, **options)
    np.testing.assert_allclose(run.network.flat, theta, rtol=1e-12, atol=1e-13)
    assert seen == list(range(1, 11)) and run.times[-1] == pytest.approx(3.0) and run.passes == 22
    np.testing.assert_allclose(run.residuals[-1], y - run.network(x), atol=1e-14)
    weights = moving / phi.hessian(run.network.flat - middle)
    np.testing.assert_allclose(run.kernel_end, run.network.kernel(x, metric=weights), rtol=1e-10)
