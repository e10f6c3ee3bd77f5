"""Mirror descent: its definition, its limit, the bound on the step size; and the iteration that descents share."""

from __future__ import annotations

import numpy as np
import pytest
from linear_problems import problem

import ibtext as ib
from ibtext import linear
from ibtext.linear.descent import descend, half_square


@pytest.mark.parametrize("phi", [None, ib.CoshPotential(), ib.EntropyPotential(), ib.PowerPotential(3, 1.0)], ids=repr)
def test_descent_at_any_step_size_and_flow_end_at_the_projection(phi):
    A, b, start = problem(4, 3, 8)
    want = linear.bregman_projection(A, b, potential=phi, start=start).weights
    for step in (0.005, 0.02):
        run = linear.mirror_descent(A, b, potential=phi, start=start, step_size=step, n_steps=20_000, keep_iterates=False)
        np.testing.assert_allclose(run.weights, want, atol=1e-10)
        assert run.losses.shape == (20_001,)
        assert run.iterates is None
    path = linear.mirror_flow(A, b, [0.0, 0.1, 200.0], potential=phi, start=start)
    np.testing.assert_allclose(path.weights[-1], want, atol=1e-8)
    np.testing.assert_allclose(path.weights[0], start, rtol=1e-14)
    np.testing.assert_allclose(path.residuals, b - path.weights @ A.T, atol=1e-14)
    assert np.all(np.diff(path.losses) < 0)


def test_descent_iterates_follow_the_definition():
    A, b, start = problem(6, 2, 4)
    phi = ib.EntropyPotential()
    run = linear.mirror_descent(A, b, potential=phi, start=start, step_size=0.01, n_steps=3, keep_iterates=True)
    w = start
    for k in range(3):
        np.testing.assert_allclose(run.iterates[k], w, rtol=1e-14)
        w = w * np.exp(-0.01 * A.T @ (A @ w - b))
    np.testing.assert_allclose(run.weights, w, rtol=1e-13)


def test_step_sizes_beyond_the_bound_are_refused_with_the_bound():
    A, b, _ = problem(7)
    bound = 2 / np.linalg.norm(A, 2) ** 2
    linear.mirror_descent(A, b, step_size=0.99 * bound, n_steps=2000)
    with pytest.raises(ib.ConvergenceError, match=f"lambda_max = {bound:.3g}"):
        linear.mirror_descent(A, b, step_size=1.05 * bound, n_steps=2000)


def test_features_whose_kernel_underflows_move_nothing():
    run = linear.mirror_descent([[1e-310, 2e-311]], [1.0], step_size=0.1, n_steps=3)
    np.testing.assert_array_equal(run.losses, np.full(4, 0.5))


def test_points_and_losses_of_an_iteration_until_it_grows_a_millionfold():
    def run(factor, n_steps, first=2.0):
        step = lambda name, r: (name + 1, factor * r)  # noqa: E731
        return descend((0, np.array([first])), step, n_steps, labels=np.array([1.0]), step_size=0.1, remedy=lambda: "stop")

    assert [(name, float(r[0])) for name, r in run(-0.5, 3)] == [(0, 2.0), (1, -1.0), (2, 0.5), (3, -0.25)]
    assert half_square(np.array([3.0, 4.0])) == 12.5
    with pytest.raises(ib.ConvergenceError, match="after 4 steps; stop"):  # 10^(2 * 4) > 10^6 >= 10^(2 * 3)
        list(run(10.0, 9))
    with pytest.raises(ValueError, match="loss at the start must be finite"):
        list(run(0.5, 3, first=1e200))
