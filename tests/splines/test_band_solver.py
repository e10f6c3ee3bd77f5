"""The band systems of a spline, against dense elimination with 50 digits."""

from __future__ import annotations

import itertools

import mpmath as mp
import numpy as np
import pytest

import ibtext as ib
from ibtext.splines.band_solver import solve_bands


def dense(x, y, moments, smoothing, weights):
    """w e = s Q^T gamma, Q e + R gamma = Q y, eliminated with 50 digits: e and gamma, without the outer zeros."""
    m = x.size
    h = [mp.mpf(float(b)) - mp.mpf(float(a)) for a, b in itertools.pairwise(x)]
    q, r = mp.zeros(m - 2, m), mp.zeros(m - 2, m - 2)
    for j in range(m - 2):
        q[j, j], q[j, j + 1], q[j, j + 2] = 1 / h[j], -1 / h[j] - 1 / h[j + 1], 1 / h[j + 1]
        r[j, j] = mp.mpf(float(moments[2, j])) + mp.mpf(float(moments[0, j + 1]))
        if j:
            r[j, j - 1] = r[j - 1, j] = mp.mpf(float(moments[1, j]))
    inverse = mp.diag([1 / mp.mpf(float(w)) for w in weights])
    gamma = mp.lu_solve(r + smoothing * q * inverse * q.T, q * mp.matrix([mp.mpf(float(v)) for v in y]))
    e = smoothing * inverse * q.T * gamma
    return np.array([float(v) for v in e]), np.array([float(v) for v in gamma])


@pytest.mark.parametrize("decades", [0.0, 4.0])
@pytest.mark.parametrize("smoothing", [0.0, 1e-12, 1e-3, 1e3, 1e20])
def test_two_label_sets_to_rounding(smoothing, decades):
    rng = np.random.default_rng(1)
    m = 9
    x = np.cumsum(10.0 ** rng.uniform(-decades, 0, m))
    h = np.diff(x)
    moments = h * rng.uniform(0.2, 5, m - 1) * np.array([[0.4], [0.15], [0.3]])
    y, weights = rng.normal(size=(2, m)), 10.0 ** rng.uniform(-2, 2, m)
    found = solve_bands(x, y, moments, smoothing=smoothing, weights=weights)
    with mp.workdps(50):
        for k in range(2):
            e, gamma = dense(x, y[k], moments, mp.mpf(smoothing), weights)
            assert np.max(np.abs(found.gamma[k, 1:-1] - gamma)) <= 1e-14 * np.max(np.abs(gamma))
            assert np.max(np.abs(found.residual[k] - e)) <= 1e-14 * np.max(np.abs(e))
            np.testing.assert_allclose(found.values[k], y[k] - e, atol=1e-15 * np.max(np.abs(y[k])))
    assert np.all(found.gamma[:, [0, -1]] == 0)
    np.testing.assert_allclose(found.slopes, np.diff(found.values) / h, rtol=1e-11)


def test_what_double_precision_cannot_hold_is_refused():
    x = np.array([0.0, 1e-300, 2e-300, 1.0])
    with pytest.raises(ib.ConvergenceError, match="determined by its data"):
        solve_bands(x, np.ones((1, 4)) * [0, 1, 0, 1], np.zeros((3, 3)), smoothing=0.0, weights=np.ones(4))
