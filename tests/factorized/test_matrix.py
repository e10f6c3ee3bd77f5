"""Matrix factorisation: an independent integration, completion of rank one, effective ranks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import ibtext as ib
from ibtext import factorized


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


SEEN = factorized.completion_measurements([0, 1], [0, 1], (2, 2))
CASES = {
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


def test_completion_takes_the_steps_of_a_plain_loop_from_dense_and_sparse_measurements():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((50, 3)) @ rng.standard_normal((3, 40))
    rows, columns = np.nonzero(rng.uniform(size=truth.shape) < 0.5)
    u, v = start = 1e-2 * rng.standard_normal((50, 3)), 1e-2 * rng.standard_normal((40, 3))
    mask = np.zeros(truth.shape)
    mask[rows, columns] = 1
    for _ in range(200):
        pull = mask * (u @ v.T - truth)
        u, v = u - 2e-3 * pull @ v, v - 2e-3 * pull.T @ u
    for sparse in (False, True):
        seen = factorized.completion_measurements(rows, columns, truth.shape, sparse=sparse)
        run = factorized.matrix_descent(
            seen, truth[rows, columns], start=start, symmetric=False, step_size=2e-3, n_steps=200, record_every=100
        )
        np.testing.assert_allclose(run.matrices[-1], u @ v.T, rtol=0, atol=1e-12)


def test_a_hundred_thousand_entries_of_a_large_matrix_fit_in_memory():
    rng = np.random.default_rng(1)
    rows, columns = np.divmod(rng.choice(10**6, 100_000, replace=False), 1000)
    seen = factorized.completion_measurements(rows, columns, (1000, 1000), sparse=True)
    for symmetric in (True, False):
        start = 0.01 * rng.standard_normal((1000, 2))
        run = factorized.matrix_descent(
            seen, np.ones(rows.size), start=start if symmetric else (start, start), symmetric=symmetric, step_size=1e-3, n_steps=2
        )
        assert run.losses[-1] < run.losses[0]
    where = np.flatnonzero(rows == columns)[0]
    with pytest.raises(ValueError, match="wrong sign for a semi-definite"):
        labels = np.ones(rows.size)
        labels[where] = -1
        factorized.matrix_descent(seen, labels, start=start, step_size=1e-3, n_steps=1)
