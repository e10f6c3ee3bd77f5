"""Diagonal networks: their factors are really trained and compared."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import linprog

import ibtext as ib
from ibtext import factorized

SHAPED = np.array([0.2, 0.5, 0.8, 0.3, 1.0])


def problem(seed=0, m=2, k=5, sign="difference"):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, k))
    w = rng.uniform(0.2, 1.5, k) if sign == "positive" else rng.standard_normal(k)
    return A, A @ w


def train(A, b, depth, scale, sign, times):
    """Integrate u' = -dL/du, v' = -dL/dv, and nothing else."""
    k = A.shape[1]
    two = sign == "difference"
    start = np.full((1 + two) * k, 1.0) * np.tile(np.broadcast_to(scale, k), 1 + two)

    def velocity(t, x):
        u, v = x[:k], x[k:] if two else np.zeros(k)
        g = A.T @ (A @ (u**depth - v**depth) - b)
        parts = [-depth * u ** (depth - 1) * g] + ([depth * v ** (depth - 1) * g] if two else [])
        return np.concatenate(parts)

    x = solve_ivp(velocity, (0, times[-1]), start, method="LSODA", rtol=1e-12, atol=1e-15, t_eval=times).y.T
    u, v = x[:, :k], x[:, k:] if two else 0 * x[:, :k]
    return u, v, u**depth - v**depth


@pytest.mark.parametrize("sign", ["difference", "positive"])
@pytest.mark.parametrize(("depth", "scale"), [(2, 0.3), (2, SHAPED), (3, 0.3), (3, 1.0), (4, SHAPED), (6, SHAPED)])
def test_trained_factors_follow_the_flow_and_land_on_the_projection(sign, depth, scale):
    A, b = problem(1, sign=sign)
    times = np.array([0.02, 0.2, 1.0, 3000.0])
    u, v, w = train(A, b, depth, scale, sign, times)
    assert np.max(np.abs(A @ w[-1] - b)) < 1e-9  # trained to the end
    limit = factorized.limit(A, b, depth=depth, scale=scale, sign=sign)
    np.testing.assert_allclose(w[-1], limit.weights, atol=1e-8)
    path = factorized.flow(A, b, times, depth=depth, scale=scale, sign=sign)
    np.testing.assert_allclose(path.weights, w, atol=1e-8)
    np.testing.assert_allclose(path.positive, u, atol=1e-8)
    if sign == "difference":
        np.testing.assert_allclose(path.negative, v, atol=1e-8)
    else:
        assert path.negative is None


def test_scale_interpolates_between_least_euclidean_norm_and_least_l1_norm():
    A, b = problem(5, 3, 9)
    euclid = np.linalg.pinv(A) @ b
    cost = linprog(np.ones(18), A_eq=np.hstack([A, -A]), b_eq=b, method="highs")
    sparse = cost.x[:9] - cost.x[9:]
    large = [np.max(np.abs(factorized.limit(A, b, scale=s).weights - euclid)) for s in (5.0, 10.0)]
    assert large[1] < 1e-4
    assert large[0] / large[1] == pytest.approx(16, rel=0.05)  # alpha^-4
    # the excess falls like alpha^(2 (1 - gap)), gap the largest |A^T nu| off the support, nu the dual of least l1 norm
    gap = np.max(np.abs(A.T @ cost.eqlin.marginals)[np.abs(sparse) < 1e-12])
    excess = [np.sum(np.abs(factorized.limit(A, b, scale=s).weights)) - cost.fun for s in (1e-6, 1e-8)]
    assert np.log(excess[0] / excess[1]) / np.log(100) == pytest.approx(2 * (1 - gap), rel=0.02)
    assert 0 < excess[1] < 1e-2 * cost.fun


@pytest.mark.parametrize("depth", [3, 4])
def test_deep_and_small_start_is_certified_or_refused(depth):
    A, b = problem(6, 3, 8)
    for scale in (1e-1, 1e-2, 1e-4):
        try:
            w = factorized.limit(A, b, depth=depth, scale=scale)
        except ib.ConvergenceError:
            assert scale < 1e-2
            continue
        assert w.residual < 1e-12
        # optimality: the dual variable of the weights lies in the row space of A
        phi = factorized.equivalent_potential(depth=depth, scale=scale)
        dual = phi.gradient(w.weights)
        outside = dual - A.T @ np.linalg.lstsq(A.T, dual, rcond=None)[0]
        assert np.max(np.abs(outside)) < 1e-10 * np.max(np.abs(dual))


def test_descent_approaches_the_flow_with_order_one():
    A, b = problem(7)
    end = factorized.flow(A, b, [2.0], scale=0.5).weights[0]
    errors = []
    for steps in (2000, 4000):
        run = factorized.descent(A, b, scale=0.5, step_size=2.0 / steps, n_steps=steps)
        errors.append(np.max(np.abs(run.weights - end)))
        np.testing.assert_allclose(run.weights, run.positive**2 - run.negative**2, rtol=1e-14)
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.02)
    run = factorized.descent(*problem(7, sign="positive"), scale=0.5, sign="positive", depth=3, step_size=0.005, n_steps=10)
    assert run.negative is None
    assert np.all(np.diff(run.losses) < 0)
    with pytest.raises(ib.ConvergenceError, match="step size"):
        factorized.descent(A, b, scale=0.5, step_size=5.0, n_steps=100)


A, B = problem(0)
CASES = {
    "depth 1": ("at least 2", lambda: factorized.limit(A, B, depth=1)),
    "depth float": ("positive integer", lambda: factorized.limit(A, B, depth=2.5)),
    "scale zero": ("stays forever", lambda: factorized.limit(A, B, scale=0.0)),
    "scale nan": ("finite", lambda: factorized.flow(A, B, [1.0], scale=np.nan)),
    "scale shape": ("columns of A", lambda: factorized.limit(A, B, scale=[1.0, 2.0])),
    "scale matrix": ("one positive number", lambda: factorized.limit(A, B, scale=np.ones((2, 2)))),
    "sign": ("sign must be one of", lambda: factorized.equivalent_potential(sign="plus")),
    "negative target": ("negative labels", lambda: factorized.limit(np.abs(A), -np.ones(2), sign="positive")),
    "negative target, deep": ("negative labels", lambda: factorized.limit(np.abs(A), -np.ones(2), sign="positive", depth=3)),
    "negative target, flow": ("negative labels", lambda: factorized.flow(np.abs(A), -np.ones(2), [1.0], sign="positive")),
    "inconsistent": ("must have a solution", lambda: factorized.limit(np.ones((2, 3)), [1.0, 2.0])),
    "times": ("increasing", lambda: factorized.flow(A, B, [1.0, 1.0])),
    "text": ("real numbers", lambda: factorized.limit(A, ["a", "b"])),
    "step": ("step_size", lambda: factorized.descent(A, B, step_size=-1.0, n_steps=3)),
    "steps": ("n_steps", lambda: factorized.descent(A, B, step_size=0.1, n_steps=0)),
    "descent shapes": ("one row for each", lambda: factorized.descent(A.T, B, step_size=0.1, n_steps=3)),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused(case):
    message, call = CASES[case]
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "; " in str(caught.value)


@pytest.mark.parametrize("scale", [1e-2, 1e-8, 1e-12])
def test_tiny_starts_are_followed_to_the_tolerance(scale):
    """The multiplier is of size log(1/scale), not of size 1/scale^2, to which an absolute tolerance was once relative."""
    A, b = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([2.0, 0.3])
    times = np.array([0.15, 0.6, 2.0]) * np.log10(1 / scale)
    weights = lambda dual: 2 * scale**2 * np.sinh(np.clip(4 * dual @ A, -700, 700))  # noqa: E731
    with np.errstate(all="ignore"):  # of trial steps that are too long
        velocity = lambda t, dual: b - A @ weights(dual)  # noqa: E731
        exact = solve_ivp(velocity, (0, times[-1]), np.zeros(2), method="Radau", t_eval=times, rtol=1e-12, atol=1e-14)
    path = factorized.flow(A, b, times, scale=scale)
    np.testing.assert_allclose(path.weights, weights(exact.y.T), rtol=1e-8, atol=1e-9)
    assert np.all(np.diff(path.losses) < 0)
