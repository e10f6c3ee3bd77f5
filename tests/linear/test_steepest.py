"""Steepest descent: its steps, its margins, losses far below the smallest number."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from linear_problems import DUAL, separable

import ibtext as ib
from ibtext import linear
from ibtext.linear.steepest import log_loss

A, LABELS = np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]]), np.array([1, -1])


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
    m = np.array([-1000.0, -30.0, -1.0, 0.0, 5.0, 19.9, 20.1, 36.0, 40.0, 40.1, 1000.0])
    with mpmath.workdps(600):
        want = [float(mpmath.log(mpmath.log(1 + mpmath.exp(-mpmath.mpf(v))))) for v in m]
    np.testing.assert_allclose(log_loss(m, "logistic"), want, rtol=1e-13)


CALLS = {
    "no steps": (ValueError, lambda: linear.steepest_descent(A, LABELS, step_size=0.1, n_steps=0)),
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
    assert ", but " in str(caught.value) and "; " in str(caught.value)
