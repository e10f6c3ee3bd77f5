"""Largest margins: certified by duality, against a quadratic programme, unique or said not to be."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_problems import DUAL, separable
from scipy.optimize import minimize

from ibtext import linear

A, LABELS = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]]), np.array([1, -1])


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


CALLS = {
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
}


@pytest.mark.parametrize("case", CALLS)
def test_bad_options_are_refused(case):
    kind, call = CALLS[case]
    with pytest.raises(kind) as caught:
        call()
    assert ", but " in str(caught.value) and "; " in str(caught.value)


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_columns_in_units_far_apart_are_separable_still(norm):
    """Once "best margin -0.0": a column of 1e9 hides a margin of 1 in the next one from a solver with absolute tolerances."""
    A, labels = np.array([[1.7e9, 1.0], [1.7e9, -1.0]]), [1, -1]
    best = linear.max_margin(A, labels, norm=norm)
    assert best.margin == pytest.approx(1, rel=1e-12)
    np.testing.assert_allclose(best.direction, [0, 1], rtol=0, atol=1e-9)
    run = linear.steepest_descent(A, labels, norm=norm, step_size=1e-20, n_steps=1)
    assert run.weights.shape == (2,)


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_features_as_a_clinic_measures_them(norm):
    """Columns between 1e-3 and 4e3 and a margin of 1e-5 of them; a polished vertex must not be worse than the vertex."""
    rng = np.random.default_rng(0)
    normal, A = rng.standard_normal(12), rng.standard_normal((200, 12))
    labels = np.sign(A @ normal)
    best = linear.max_margin(A * np.logspace(-3, 3.5, 12), labels, norm=norm)
    exact = (labels[:, None] * A * np.logspace(-3, 3.5, 12)).astype(np.longdouble)
    assert float(np.min(exact @ best.direction)) == pytest.approx(best.margin, rel=1e-10)
    bound = float(np.linalg.norm((best.dual @ exact).astype(float), DUAL[norm]))
    assert best.margin * (1 - 1e-10) <= bound < best.margin * (1 + 1e-6)


def test_many_dimensions_cost_no_decomposition_of_all_of_them():
    """It took 164 seconds: a singular value decomposition of 5000 x 5000 for the few coordinates that can move."""
    rng = np.random.default_rng(1)
    A, labels = rng.standard_normal((20, 3000)), rng.choice([-1.0, 1.0], 20)
    tracemalloc.start()
    best = linear.max_margin(A, labels, norm=1)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert best.unique and memory < 0.5 * 8 * 3000**2
