"""Diagonal and deep linear networks, matrix factorisation: the factors are really trained and compared."""

from __future__ import annotations

import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import linprog

import ibtext as ib
from ibtext import factorized, linear

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


@pytest.mark.parametrize("sign", ["difference", "positive"])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_equivalent_potential_against_its_definition_in_fifty_digits(sign, depth):
    """w(zeta) from the closed factors, with mpmath; phi' as its inverse; phi as the integral of phi'."""
    alpha = 0.4
    phi = factorized.equivalent_potential(depth=depth, scale=alpha, sign=sign)
    with mpmath.workdps(50):

        def factor(zeta):
            if depth == 2:
                return alpha * mpmath.exp(2 * zeta)
            return (mpmath.mpf(alpha) ** (2 - depth) - depth * (depth - 2) * zeta) ** (mpmath.mpf(-1) / (depth - 2))

        def weight(zeta):
            return factor(zeta) ** depth - (factor(-zeta) ** depth if sign == "difference" else 0)

        edge = 1 / (depth * max(depth - 2, 0.25) * alpha ** (depth - 2))
        for part in (-0.9, -0.3, -1e-9, 1e-6, 0.5, 0.95):
            zeta = mpmath.mpf(part * edge)
            w = float(phi.inverse_gradient(float(zeta)))
            assert abs(w - weight(zeta)) <= 2e-14 * abs(weight(zeta)) + (1e-16 if sign == "positive" else 0)
            assert float(phi.gradient(w)) == pytest.approx(float(zeta), rel=1e-12, abs=1e-16)
            slope = float(1 / mpmath.diff(weight, zeta))
            assert float(phi.hessian(w)) == pytest.approx(slope, rel=1e-12)
            integral = mpmath.quad(weight, [0, zeta])  # conjugate, from the dual of the start
            first = float(phi.conjugate(0.0))
            assert float(phi.conjugate(float(zeta))) - first == pytest.approx(float(integral), rel=1e-9, abs=1e-15)
            assert float(phi(w)) == pytest.approx(float(zeta) * w - float(phi.conjugate(float(zeta))), rel=1e-9, abs=1e-15)


def test_depth_two_is_a_quarter_of_the_hypentropy_and_of_the_entropy():
    x = np.array([-3.0, -1e-8, 0.2, 40.0])
    ours, hyp = factorized.equivalent_potential(depth=2, scale=0.1), ib.HypentropyPotential(beta=2 * 0.1**2)
    np.testing.assert_allclose(ours.gradient(x), hyp.gradient(x) / 4, rtol=1e-14)
    np.testing.assert_allclose(ours.hessian(x), hyp.hessian(x) / 4, rtol=1e-14)
    np.testing.assert_allclose(ours.divergence(x, x + 1), hyp.divergence(x, x + 1) / 4, rtol=1e-10)
    positive = factorized.equivalent_potential(depth=2, scale=0.1, sign="positive")
    x = np.abs(x)
    np.testing.assert_allclose(positive.gradient(x), np.log(x / 0.01) / 4, rtol=1e-14)
    np.testing.assert_allclose(positive.divergence(x, x + 1), ib.EntropyPotential().divergence(x, x + 1) / 4, rtol=1e-8)
    assert positive.gradient(0.01) == pytest.approx(0, abs=1e-16)
    A, b = problem(3)
    np.testing.assert_allclose(
        factorized.limit(A, b, scale=0.1).weights,
        linear.bregman_projection(A, b, potential=hyp).weights,
        rtol=1e-12,
        atol=1e-13,
    )


@settings(max_examples=60, deadline=None)
@given(
    depth=st.integers(2, 7),
    scale=st.floats(0.05, 2.0),
    sign=st.sampled_from(["difference", "positive"]),
    x=st.floats(-5, 5),
    y=st.floats(-5, 5),
)
def test_equivalent_potentials_obey_the_laws_of_potentials(depth, scale, sign, x, y):
    phi = factorized.equivalent_potential(depth=depth, scale=scale, sign=sign)
    if sign == "positive":
        x, y = abs(x) + 1e-2, abs(y) + 1e-2
    # the dual variable carries 1e-16 of its range; its slope carries it back
    z = float(phi.gradient(x))
    allowance = 1e-13 * abs(x) + 1e-15 * (abs(z) + 1 / (depth * max(depth - 2, 1) * scale ** (depth - 2))) / float(phi.hessian(x))
    assert float(phi.inverse_gradient(z)) == pytest.approx(x, abs=allowance + 1e-300)
    assert phi.divergence(x, y) >= 0
    assert phi.divergence(x, x) == 0
    size = 1 + abs(float(phi(x))) + abs(x * z)
    assert float(phi(x) + phi.conjugate(z) - x * z) == pytest.approx(0, abs=1e-12 * size)
    assert float(phi(y) + phi.conjugate(z) - y * z) >= -1e-12 * (size + abs(float(phi(y))) + abs(y * z))


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


def test_potentials_of_networks_survive_pickling():
    for phi in (factorized.equivalent_potential(depth=3), factorized.equivalent_potential(scale=SHAPED)):
        again = pickle.loads(pickle.dumps(phi))
        assert again == phi
        assert hash(again) == hash(phi)
    assert factorized.equivalent_potential(depth=3) != factorized.equivalent_potential(depth=4)


def deep_problem(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((4, 12))
    return X, rng.standard_normal((3, 4)) @ X, 0.3 * rng.standard_normal((3, 4))


@pytest.mark.parametrize(("depth", "width"), [(1, None), (2, 3), (3, 5), (4, 3)])
def test_balanced_deep_network_follows_the_end_to_end_flow(depth, width):
    X, Y, W = deep_problem()
    times = np.array([0.0, 0.05, 0.3, 1.0, 40.0])
    start = factorized.balanced_start(W, depth=depth, width=width, rng=1)
    product = start[0]
    for w in start[1:]:
        product = w @ product
    np.testing.assert_allclose(product, W, atol=1e-14)
    deep = factorized.deep_linear_flow(X, Y, times, factors=start, rtol=1e-11)
    end = factorized.end_to_end_flow(X, Y, times, product=W, depth=depth, rtol=1e-11)
    np.testing.assert_allclose(deep.products, end.products, atol=1e-8)
    assert deep.imbalance.shape == (5, depth - 1)
    assert np.all(deep.imbalance < 1e-8)
    assert np.all(np.diff(deep.losses) < 0)
    assert deep.losses[-1] < 1e-3 * deep.losses[0]
    np.testing.assert_allclose(deep.losses, end.losses, atol=1e-7)


def test_deep_flow_against_differences_of_the_loss_and_conservation_off_balance():
    X, Y, _ = deep_problem(2)
    rng = np.random.default_rng(3)
    start = [0.5 * rng.standard_normal(s) for s in ((5, 4), (2, 5), (3, 2))]
    path = factorized.deep_linear_flow(X, Y, [0.0, 1e-4, 0.5], factors=start, rtol=1e-12)

    def loss(ws):
        return 0.5 * np.sum((ws[2] @ ws[1] @ ws[0] @ X - Y) ** 2)

    for j in range(3):
        direction = rng.standard_normal(start[j].shape)
        up = [w + 1e-5 * direction if i == j else w for i, w in enumerate(start)]
        down = [w - 1e-5 * direction if i == j else w for i, w in enumerate(start)]
        slope = (loss(up) - loss(down)) / 2e-5
        moved = np.sum((path.factors[j][1] - path.factors[j][0]) * direction) / 1e-4
        assert moved == pytest.approx(-slope, rel=2e-2, abs=0.05)  # first order in the time 1e-4
    for low, up in ((0, 1), (1, 2)):
        kept = [path.factors[up][t].T @ path.factors[up][t] - path.factors[low][t] @ path.factors[low][t].T for t in (0, 2)]
        np.testing.assert_allclose(kept[1], kept[0], atol=1e-9)
    assert np.min(path.imbalance) > 0.1


def test_matrix_flow_against_an_independent_integration():
    rng = np.random.default_rng(4)
    A, b = rng.standard_normal((5, 4, 4)), rng.standard_normal(5)
    u0 = 0.3 * rng.standard_normal((4, 4))
    times = np.array([0.05, 0.3, 1.0])

    def velocity(t, x):
        u = x.reshape(4, 4)
        r = np.array([np.trace(a.T @ u @ u.T) for a in A]) - b
        return -sum(ri * (a + a.T) @ u for ri, a in zip(r, A, strict=True)).ravel()

    reference = solve_ivp(velocity, (0, 1), u0.ravel(), method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times).y.T
    path = factorized.matrix_flow(A, b, times, start=u0)
    np.testing.assert_allclose(path.left.reshape(3, -1), reference, atol=1e-8)
    np.testing.assert_allclose(path.nuclear_norms, np.trace(path.matrices, axis1=1, axis2=2), rtol=1e-12)
    run = factorized.matrix_descent(A, b, start=u0, step_size=1e-4, n_steps=10_000, record_every=3000)
    np.testing.assert_array_equal(run.times, 1e-4 * np.array([0, 3000, 6000, 9000, 10_000]))
    np.testing.assert_allclose(run.matrices[-1], path.matrices[-1], atol=5e-3)


def test_small_start_completes_a_matrix_of_rank_one_and_keeps_the_balance():
    rng = np.random.default_rng(5)
    truth = np.outer(rng.uniform(1, 2, 6), rng.uniform(1, 2, 5))
    rows, columns = np.nonzero(rng.uniform(size=truth.shape) < 0.6)
    A = factorized.completion_measurements(rows, columns, truth.shape)
    start = (1e-4 * rng.standard_normal((6, 5)), 1e-4 * rng.standard_normal((5, 5)))
    path = factorized.matrix_flow(A, truth[rows, columns], [0.0, 1.0, 30.0], start=start, symmetric=False)
    assert np.max(np.abs(path.matrices[-1] - truth)) < 0.02 * np.max(truth)
    assert path.effective_ranks[-1] < 1.05
    kept = np.swapaxes(path.left, 1, 2) @ path.left - np.swapaxes(path.right, 1, 2) @ path.right
    np.testing.assert_allclose(kept, np.broadcast_to(kept[0], kept.shape), atol=1e-8)
    lazy = factorized.matrix_flow(A, truth[rows, columns], [30.0], start=(3 * np.eye(6, 5), 3 * np.eye(5)), symmetric=False)
    assert lazy.effective_ranks[-1] > 2 * path.effective_ranks[-1]


@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.floats(0, 1e3), min_size=1, max_size=6).filter(lambda v: sum(v) > 1e-3))
def test_effective_rank_lies_between_one_and_the_rank(values):
    rank = float(factorized.effective_rank(values))
    assert 1 - 1e-12 <= rank <= np.count_nonzero(values) + 1e-9
    assert float(factorized.effective_rank(3 * np.array(values))) == pytest.approx(rank, rel=1e-12)


A, B = problem(0)
X, Y, W = deep_problem()
SEEN = factorized.completion_measurements([0, 1], [0, 1], (2, 2))
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
    "data rows": ("one column for each", lambda: factorized.deep_linear_flow(X.T, Y, [1.0], factors=[W])),
    "factor order": (
        "next to the input",
        lambda: factorized.deep_linear_flow(X, Y, [1.0], factors=[np.ones((3, 2)), np.ones((2, 4))]),
    ),
    "no factors": ("next to the input", lambda: factorized.deep_linear_flow(X, Y, [1.0], factors=[])),
    "nan factor": ("finite", lambda: factorized.deep_linear_flow(X, Y, [1.0], factors=[W * np.nan])),
    "deep times": ("increasing", lambda: factorized.deep_linear_flow(X, Y, [2.0, 1.0], factors=[W])),
    "deep rtol": ("rtol", lambda: factorized.deep_linear_flow(X, Y, [1.0], factors=[W], rtol=0)),
    "product shape": ("transposed", lambda: factorized.end_to_end_flow(X, Y, [1.0], product=W.T, depth=2)),
    "product vector": ("must be a matrix", lambda: factorized.balanced_start([1.0, 2.0], depth=2)),
    "width": ("at least the rank", lambda: factorized.balanced_start(W, depth=2, width=1)),
    "end depth": ("depth", lambda: factorized.end_to_end_flow(X, Y, [1.0], product=W, depth=0)),
    "one measurement": ("shape \\(m, d1, d2\\)", lambda: factorized.matrix_flow(np.eye(2), [1.0], [1.0], start=np.eye(2))),
    "zero start": ("must not be zero", lambda: factorized.matrix_flow(SEEN, [1.0, 1.0], [1.0], start=np.zeros((2, 2)))),
    "start scale": ("start must be U", lambda: factorized.matrix_flow(SEEN, [1.0, 1.0], [1.0], start=0.1)),
    "start pair": (
        "start must be a pair",
        lambda: factorized.matrix_flow(SEEN, [1.0, 1.0], [1.0], start=np.eye(2)[0], symmetric=False),
    ),
    "negative diagonal": ("wrong sign", lambda: factorized.matrix_flow(SEEN, [1.0, -1.0], [1.0], start=np.eye(2))),
    "not square": (
        "square measurements",
        lambda: factorized.matrix_flow(np.ones((1, 2, 3)), [1.0], [1.0], start=np.ones((2, 2))),
    ),
    "record": (
        "record_every",
        lambda: factorized.matrix_descent(SEEN, [1.0, 1.0], start=np.eye(2), step_size=0.1, n_steps=3, record_every=0),
    ),
    "index": ("count from zero", lambda: factorized.completion_measurements([0, 2], [0, 1], (2, 2))),
    "index length": ("equal length", lambda: factorized.completion_measurements([0], [0, 1], (2, 2))),
    "eigenvalues": ("non-negative", lambda: factorized.effective_rank([1.0, -1.0])),
    "zero matrix": ("not all zero", lambda: factorized.effective_rank([0.0, 0.0])),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused(case):
    message, call = CASES[case]
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "; " in str(caught.value)


def test_matrix_descent_refuses_steps_that_diverge():
    with pytest.raises(ib.ConvergenceError, match="step size"):
        factorized.matrix_descent(SEEN, [1.0, 1.0], start=np.eye(2) * 3, step_size=2.0, n_steps=50)
