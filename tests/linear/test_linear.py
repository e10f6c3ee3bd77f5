"""Linear models: projections, mirror flow and descent, margins, steepest descent."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import minimize
from scipy.special import lambertw

import ibtext as ib
from ibtext import linear
from ibtext.potentials.custom import CustomPotential

POTENTIALS = [
    None,
    ib.PowerPotential(2.5, 1.0),
    ib.PowerPotential(4, 0.2),
    ib.CoshPotential(),
    ib.HypentropyPotential(0.1),
    ib.HypentropyPotential(1e-12),
    ib.EntropyPotential(),
    ib.PNormPotential(1.1),
    ib.PNormPotential(3),
    ib.PNormPotential(8),
    CustomPotential(lambda x: np.logaddexp(x, -x) + x**2 / 4, lambda x: np.tanh(x) + x / 2),
]
DUAL = {1: np.inf, 2: 2, np.inf: 1}


def problem(seed=0, m=6, k=20, positive=True):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, k))
    w = rng.uniform(0.2, 2, k)
    return A, A @ (w if positive else rng.standard_normal(k)), rng.uniform(0.3, 1.5, k)


def stationarity(A, w, start, phi):
    """The part of phi'(w) - phi'(start) outside the row space of A, relative to its size."""
    phi = phi or ib.QuadraticPotential(0.5)
    move = phi.gradient(w) - phi.gradient(start)
    return np.max(np.abs(move - A.T @ np.linalg.lstsq(A.T, move, rcond=None)[0])) / np.max(np.abs(move))


@pytest.mark.parametrize("phi", POTENTIALS, ids=repr)
@pytest.mark.parametrize("shape", [(1, 3), (6, 20), (40, 90)])
def test_projection_satisfies_both_its_conditions(phi, shape):
    A, b, start = problem(1, *shape)
    p = linear.bregman_projection(A, b, potential=phi, start=start)
    assert np.max(np.abs(A @ p.weights - b)) <= 1e-12 * np.max(np.abs(b))
    assert p.residual == np.max(np.abs(A @ p.weights - b))
    assert stationarity(A, p.weights, start, phi) < 1e-11
    dual = (phi or ib.QuadraticPotential(0.5)).gradient(start) + A.T @ p.dual
    np.testing.assert_allclose((phi or ib.QuadraticPotential(0.5)).gradient(p.weights), dual, atol=1e-11 * np.max(np.abs(dual)))
    assert p.rank == shape[0]
    np.testing.assert_array_equal(np.asarray(p), p.weights)


def test_closed_forms():
    A, b, start = problem(2)
    euclid = linear.bregman_projection(A, b, start=start).weights
    np.testing.assert_allclose(euclid, start + np.linalg.pinv(A) @ (b - A @ start), rtol=1e-12, atol=1e-13)
    # one row of ones: entropy rescales, the p-norm spreads evenly
    ones = np.ones((1, 4))
    start = np.array([1.0, 2.0, 3.0, 4.0])
    got = linear.bregman_projection(ones, [5.0], potential=ib.EntropyPotential(), start=start).weights
    np.testing.assert_allclose(got, start / 2, rtol=1e-14)
    # one row a, p-norm from zero: w = c sgn(a) |a|^(q-1) with <a, w> = b
    a, p = np.array([[3.0, -1.0, 0.5]]), 1.5
    shape = np.sign(a[0]) * np.abs(a[0]) ** (1 / (p - 1))
    got = linear.bregman_projection(a, [2.0], potential=ib.PNormPotential(p)).weights
    np.testing.assert_allclose(got, 2 * shape / (a[0] @ shape), rtol=1e-13)
    # hypentropy, two coordinates summing to 1 with features 1: asinh is odd, both equal
    got = linear.bregman_projection([[1.0, -1.0]], [1.0], potential=ib.HypentropyPotential(0.01)).weights
    np.testing.assert_allclose(got, [0.5, -0.5], rtol=1e-14)
    # x log x - x + c x with A = (1): any potential interpolates when K = M
    got = linear.bregman_projection([[2.0]], [float(lambertw(1).real)], potential=ib.CoshPotential()).weights
    np.testing.assert_allclose(got, lambertw(1).real / 2, rtol=1e-14)


def test_against_a_general_optimiser():
    A, b, start = problem(3, 3, 8)
    for phi in (ib.CoshPotential(), ib.EntropyPotential(), ib.HypentropyPotential(0.5)):
        ours = linear.bregman_projection(A, b, potential=phi, start=start).weights
        low = 1e-9 if phi.domain[0] == 0 else None
        other = minimize(
            lambda w, phi=phi: float(np.sum(phi.divergence(w, start))),
            start,
            jac=lambda w, phi=phi: phi.gradient(w) - phi.gradient(start),
            constraints={"type": "eq", "fun": lambda w: A @ w - b, "jac": lambda w: A},
            bounds=[(low, None)] * 8,
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 500},
        )
        np.testing.assert_allclose(ours, other.x, atol=5e-6)  # SLSQP: the square root of its tolerance
        assert np.sum(phi.divergence(ours, start)) <= np.sum(phi.divergence(other.x, start)) + 1e-11


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), which=st.sampled_from(POTENTIALS[:7]))
def test_pythagoras_and_invariances(seed, which):
    A, b, start = problem(seed, 3, 9)
    phi = which or ib.QuadraticPotential(0.5)
    w = linear.bregman_projection(A, b, potential=which, start=start).weights
    # any other solution u: D(u, start) = D(u, w) + D(w, start)
    null = np.linalg.svd(A)[2][3:]
    u = w + 0.1 * min(1.0, np.min(np.abs(w))) * null[0]
    left, right = np.sum(phi.divergence(u, start)), np.sum(phi.divergence(u, w)) + np.sum(phi.divergence(w, start))
    assert left == pytest.approx(right, rel=1e-9)
    # mixing the data points changes nothing, nor does repeating one
    mix = np.random.default_rng(seed).standard_normal((3, 3)) + 3 * np.eye(3)
    np.testing.assert_allclose(
        linear.bregman_projection(mix @ A, mix @ b, potential=which, start=start).weights,
        w,
        rtol=1e-9,
        atol=1e-9 * np.max(np.abs(w)),
    )
    again = linear.bregman_projection(np.vstack([A, A[:1]]), np.append(b, b[0]), potential=which, start=start)
    assert again.rank == 3
    np.testing.assert_allclose(again.weights, w, rtol=1e-10, atol=1e-11 * np.max(np.abs(w)))


def test_ill_conditioned_data_keep_a_small_residual_and_say_their_condition():
    rng = np.random.default_rng(0)
    left, right = np.linalg.qr(rng.standard_normal((8, 8)))[0], np.linalg.qr(rng.standard_normal((30, 8)))[0]
    A = (left * np.geomspace(1, 1e-9, 8)) @ right.T
    truth = right @ rng.standard_normal(8)
    p = linear.bregman_projection(A, A @ truth)
    assert 1e8 < p.condition < 1e10
    assert p.residual < 1e-14
    np.testing.assert_allclose(p.weights, truth, atol=1e-5)  # condition 1e9 leaves six or seven digits
    A = (left * np.geomspace(1, 3e-14, 8)) @ right.T
    with pytest.raises(ib.ConvergenceError, match="condition number"):
        linear.bregman_projection(A, A @ truth)


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


def test_flow_against_integration_of_every_weight():
    A, b, start = problem(5, 3, 6)
    phi = ib.CoshPotential()
    times = np.array([0.01, 0.1, 0.5, 2.0])
    reference = solve_ivp(
        lambda t, w: (b - A @ w) @ A / phi.hessian(w), (0, 2), start, method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times
    )
    path = linear.mirror_flow(A, b, times, potential=phi, start=start)
    np.testing.assert_allclose(path.weights, reference.y.T, atol=1e-8)


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


def separable(seed, m, k):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, k))
    return A, np.sign(A @ rng.standard_normal(k))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), m=st.integers(1, 25), k=st.integers(1, 12), norm=st.sampled_from([1, 2, np.inf]))
def test_margins_are_certified_by_duality(seed, m, k, norm):
    A, labels = separable(seed, m, k)
    best = linear.max_margin(A, labels, norm=norm)
    margins = labels * (A @ best.direction)
    assert np.linalg.norm(best.direction, norm) == pytest.approx(1, rel=1e-14)
    assert np.min(margins) == pytest.approx(best.margin, rel=1e-13)
    assert np.all(best.dual >= 0)
    assert best.dual.sum() == pytest.approx(1, rel=1e-13)
    # weak duality makes this the proof of optimality
    assert np.linalg.norm((best.dual * labels) @ A, DUAL[norm]) == pytest.approx(best.margin, rel=1e-11)
    assert set(np.flatnonzero(best.dual > 1e-9)) <= set(best.support)
    scaled = linear.max_margin(1e4 * A, labels, norm=norm)
    assert scaled.margin == pytest.approx(1e4 * best.margin, rel=1e-11)


def test_euclidean_margin_against_a_quadratic_program():
    A, labels = separable(3, 12, 4)
    best = linear.max_margin(A, labels)
    Z = labels[:, None] * A
    qp = minimize(
        lambda w: 0.5 * w @ w,
        best.direction / best.margin * 1.3,
        jac=lambda w: w,
        constraints={"type": "ineq", "fun": lambda w: Z @ w - 1, "jac": lambda w: Z},
        method="SLSQP",
        options={"ftol": 1e-15},
    )
    assert best.margin == pytest.approx(1 / np.linalg.norm(qp.x), rel=1e-7)
    np.testing.assert_allclose(best.direction, qp.x / np.linalg.norm(qp.x), atol=1e-6)


def test_directions_that_are_not_unique_are_said_to_be_and_the_shortest_is_chosen():
    # one feature decides; in the max norm the other coordinates are free
    best = linear.max_margin([[2.0, 0.0, 0.0], [3.0, 0.0, 0.0]], [1, 1], norm=np.inf)
    assert not best.unique
    np.testing.assert_allclose(best.direction, [1, 0, 0], atol=1e-14)
    # two equal features: in the l1 norm any split does, the shortest is even
    best = linear.max_margin([[1.0, 1.0], [2.0, 2.0]], [1, 1], norm=1)
    assert not best.unique
    np.testing.assert_allclose(best.direction, [0.5, 0.5], rtol=1e-13)
    np.testing.assert_array_equal(best.support, [0])
    for norm in (1, 2, np.inf):
        A, labels = separable(0, 9, 4)
        assert linear.max_margin(A, labels, norm=norm).unique
    # max norm, margin attained on two points, third coordinate held by a constraint but not decided
    best = linear.max_margin([[1.0, 0.0, 0.3], [1.0, 0.0, -0.3]], [1, 1], norm=np.inf)
    assert not best.unique
    assert best.margin == pytest.approx(1, rel=1e-14)
    np.testing.assert_allclose(best.direction, [1, 0, 0], atol=1e-14)


@pytest.mark.parametrize("norm", [1, 2, np.inf])
@pytest.mark.parametrize("loss", ["exponential", "logistic"])
def test_steepest_descent_finds_the_margin_of_its_norm(norm, loss):
    A, labels = separable(1, 8, 3)
    best = linear.max_margin(A, labels, norm=norm)
    bound = np.max(np.linalg.norm(A, DUAL[norm], axis=1)) ** -2.0
    run = linear.steepest_descent(A, labels, norm=norm, loss=loss, step_size=bound, n_steps=20_000, normalized=True)
    # normalised steps close the gap like log(M) / (2 ||w||) at worst; ||w|| is recorded
    assert run.margin <= best.margin * (1 + 1e-12)
    assert best.margin - run.margin <= 2 * np.log(len(A)) / run.norms[-1]
    assert best.margin - run.margin < 0.05 * best.margin
    assert np.all(np.diff(run.log_losses) <= 1e-12 * np.abs(run.log_losses[1:]))
    assert run.margin == np.min(labels * (A @ run.weights)) / np.linalg.norm(run.weights, norm)


def test_steps_are_those_of_each_norm():
    A, labels = np.array([[2.0, 1.0, 0.5]]), [1]
    for norm, want in {1: [2, 0, 0], 2: [2, 1, 0.5], np.inf: [3.5, 3.5, 3.5]}.items():
        run = linear.steepest_descent(A, labels, norm=norm, step_size=0.1, n_steps=1)
        np.testing.assert_allclose(run.weights, 0.1 * np.array(want), rtol=1e-15)
    run = linear.steepest_descent(A, labels, loss="logistic", step_size=0.1, n_steps=1)
    np.testing.assert_allclose(run.weights, 0.05 * A[0], rtol=1e-15)


def test_margins_of_a_thousand_are_no_trouble():
    A, labels = separable(2, 6, 3)
    best = linear.max_margin(A, labels)
    start = 5e3 / best.margin * best.direction
    for loss in ("exponential", "logistic"):
        run = linear.steepest_descent(A, labels, loss=loss, start=start, step_size=0.05, n_steps=50, normalized=True)
        assert np.all(np.isfinite(run.log_losses))
        assert run.log_losses[0] < -4990
        assert run.log_losses[-1] < run.log_losses[0]
        assert run.margin == pytest.approx(best.margin, rel=1e-2)


def test_logistic_loss_is_right_from_minus_to_plus_a_thousand():
    import mpmath

    from ibtext.linear.steepest import _log_loss

    m = np.array([-1000.0, -30.0, -1.0, 0.0, 5.0, 19.9, 20.1, 36.0, 40.0, 1000.0])
    with mpmath.workdps(600):
        want = [float(mpmath.log(mpmath.log(1 + mpmath.exp(-mpmath.mpf(v))))) for v in m]
    np.testing.assert_allclose(_log_loss(m, "logistic"), want, rtol=1e-13)


A, B, LABELS = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]]), np.array([1.0, 0.5]), np.array([1, -1])
WEIGHTS = {
    "nan": (([[np.nan, 1.0]], [1.0]), {}, "entry .* is nan"),
    "infinite label": ((A, [1.0, np.inf]), {}, "entry .* is inf"),
    "text": ((A, ["a", "b"]), {}, "array of real numbers"),
    "vector": ((A[0], 1.0), {}, "one row for each"),
    "transposed": ((A.T, B), {}, "one row for each"),
    "column": ((A, B[:, None]), {}, "one row for each"),
    "empty": (([], []), {}, "at least one number"),
    "inconsistent": ((np.ones((2, 3)), [1.0, 2.0]), {}, "must have a solution"),
    "overdetermined": ((np.eye(3)[:, :2] + 1, [1.0, 2.0, 4.0]), {}, "must have a solution"),
    "zero row": ((np.array([[1.0, 1.0], [0.0, 0.0]]), B), {}, "row 1 of A is zero"),
    "zero start of the entropy": ((A, B), {"potential": ib.EntropyPotential(), "start": 0.0}, "start inside the domain"),
    "negative labels, entropy": ((np.abs(A), -B), {"potential": ib.EntropyPotential()}, "negative labels"),
    "start of wrong length": ((A, B), {"start": [1.0, 2.0]}, "start must be one number"),
    "nan start": ((A, B), {"start": np.nan}, "finite"),
}


@pytest.mark.parametrize("case", WEIGHTS)
def test_bad_problems_are_refused(case):
    args, options, message = WEIGHTS[case]
    calls = [lambda: linear.bregman_projection(*args, **options)]
    if "must have" not in message and "row 1" not in message and "negative" not in case:
        calls.append(lambda: linear.mirror_descent(*args, **options, step_size=0.1, n_steps=3))
        calls.append(lambda: linear.mirror_flow(*args, [1.0], **options))
    for call in calls:
        with pytest.raises(ValueError, match=message) as caught:
            call()
        assert "; " in str(caught.value)


CALLS = {
    "potential class": (TypeError, lambda: linear.bregman_projection(A, B, potential=ib.CoshPotential)),
    "scaled": (TypeError, lambda: linear.mirror_flow(A, B, [1.0], potential=ib.Scaled(ib.CoshPotential()))),
    "potential text": (TypeError, lambda: linear.mirror_descent(A, B, potential="cosh", step_size=0.1, n_steps=2)),
    "tol": (ValueError, lambda: linear.bregman_projection(A, B, tol=-1.0)),
    "step": (ValueError, lambda: linear.mirror_descent(A, B, step_size=0.0, n_steps=2)),
    "steps": (ValueError, lambda: linear.mirror_descent(A, B, step_size=0.1, n_steps=2.5)),
    "no steps": (ValueError, lambda: linear.steepest_descent(A, LABELS, step_size=0.1, n_steps=0)),
    "times": (ValueError, lambda: linear.mirror_flow(A, B, [1.0, 0.5])),
    "rtol": (ValueError, lambda: linear.mirror_flow(A, B, [1.0], rtol=0.0)),
    "norm 3": (ValueError, lambda: linear.max_margin(A, LABELS, norm=3)),
    "norm name": (ValueError, lambda: linear.max_margin(A, LABELS, norm="l1")),
    "norm true": (ValueError, lambda: linear.max_margin(A, LABELS, norm=True)),
    "labels 0 and 1": (ValueError, lambda: linear.max_margin(A, [0, 1])),
    "labels text": (ValueError, lambda: linear.max_margin(A, ["+", "-"])),
    "labels length": (ValueError, lambda: linear.max_margin(A, [1, 1, -1])),
    "one row": (ValueError, lambda: linear.max_margin(A[0], [1])),
    "nan": (ValueError, lambda: linear.max_margin(A * np.nan, LABELS)),
    "zero data": (ValueError, lambda: linear.max_margin(0 * A, LABELS)),
    "not separable": (ValueError, lambda: linear.max_margin([[1.0, 0.0], [1.0, 0.0]], LABELS)),
    "descent not separable": (
        ValueError,
        lambda: linear.steepest_descent([[1.0, 0.0], [1.0, 0.0]], LABELS, step_size=0.1, n_steps=2),
    ),
    "loss": (ValueError, lambda: linear.steepest_descent(A, LABELS, loss="hinge", step_size=0.1, n_steps=2)),
    "start": (ValueError, lambda: linear.steepest_descent(A, LABELS, start=[1.0], step_size=0.1, n_steps=2)),
    "huge step": (
        ib.ConvergenceError,
        lambda: linear.steepest_descent(9 * A, LABELS, step_size=1e3, n_steps=9, start=[1, -9, 9]),
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_bad_options_are_refused(case):
    kind, call = CALLS[case]
    with pytest.raises(kind) as caught:
        call()
    assert "; " in str(caught.value)


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


@pytest.mark.filterwarnings("error")
def test_a_tiny_beta_is_answered_or_refused_without_a_warning():
    rng = np.random.default_rng(0)
    for _ in range(20):
        A, b = rng.normal(size=(3, 6)), rng.normal(size=3)
        try:
            w = linear.bregman_projection(A, b, potential=ib.HypentropyPotential(beta=1e-100)).weights
        except ib.ConvergenceError:
            continue
        np.testing.assert_allclose(A @ w, b, atol=1e-9)
