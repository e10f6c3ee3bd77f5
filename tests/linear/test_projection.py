"""Bregman projections: both their conditions, closed forms, Pythagoras, a general optimiser."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_problems import problem
from scipy.optimize import minimize
from scipy.special import lambertw

import ibtext as ib
from ibtext import linear
from ibtext.potentials import CustomPotential

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
