"""What a linear problem must satisfy, and its independent rows."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib
from ibtext import linear
from ibtext.linear.problem import check_potential, dual_start, independent_rows

A, B = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]]), np.array([1.0, 0.5])
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
        with pytest.raises(ValueError, match=message):
            call()


CALLS = {
    "potential class": (TypeError, lambda: linear.bregman_projection(A, B, potential=ib.CoshPotential)),
    "scaled": (TypeError, lambda: linear.mirror_flow(A, B, [1.0], potential=ib.Scaled(ib.CoshPotential()))),
    "potential text": (TypeError, lambda: linear.mirror_descent(A, B, potential="cosh", step_size=0.1, n_steps=2)),
    "tol": (ValueError, lambda: linear.bregman_projection(A, B, tol=-1.0)),
    "step": (ValueError, lambda: linear.mirror_descent(A, B, step_size=0.0, n_steps=2)),
    "steps": (ValueError, lambda: linear.mirror_descent(A, B, step_size=0.1, n_steps=2.5)),
    "times": (ValueError, lambda: linear.mirror_flow(A, B, [1.0, 0.5])),
    "rtol": (ValueError, lambda: linear.mirror_flow(A, B, [1.0], rtol=0.0)),
}


@pytest.mark.parametrize("case", CALLS)
def test_bad_options_are_refused(case):
    kind, call = CALLS[case]
    with pytest.raises(kind) as caught:
        call()
    assert ", but " in str(caught.value) and "; " in str(caught.value)


def test_independent_rows_have_the_same_solutions():
    rng = np.random.default_rng(0)
    full, w = rng.standard_normal((3, 7)), rng.standard_normal(7)
    mix = rng.standard_normal((6, 3)) * np.geomspace(1e-9, 1e9, 6)[:, None]  # six rows, of many sizes and of rank three
    A = mix @ full
    rows, target, back, condition = independent_rows(A, A @ w)
    np.testing.assert_allclose(rows @ rows.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(rows @ w, target, rtol=1e-12)
    # the multiplier of A gives the same dual variable: A^T (back nu) = rows^T nu
    nu = rng.standard_normal(3)
    np.testing.assert_allclose(A.T @ (back @ nu), rows.T @ nu, atol=1e-12)
    assert condition == pytest.approx(np.linalg.cond((A / np.max(np.abs(A), axis=1)[:, None]) @ rows.T), rel=1e-9)
    rows, target, back, condition = independent_rows(np.zeros((2, 3)), np.zeros(2))
    assert (rows.shape, target.shape, back.shape, condition) == ((0, 3), (0,), (2, 0), 1.0)


def test_a_start_becomes_its_dual_variable():
    phi = check_potential(None)
    np.testing.assert_array_equal(phi.gradient([3.0, -1.0]), [3.0, -1.0])  # x^2/2
    np.testing.assert_array_equal(dual_start(ib.CoshPotential(), None, 3), np.zeros(3))
    np.testing.assert_array_equal(dual_start(ib.CoshPotential(), 0.5, 2), np.full(2, np.sinh(0.5)))
