"""Fitted rates."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib


def test_exact_power_law_is_recovered():
    n = np.array([10, 100, 1000, 1e4])
    rate = ib.rates.fit_rate(n, 3.0 * n**-0.5)
    assert rate.slope == pytest.approx(-0.5, abs=1e-12)
    assert np.exp(rate.intercept) == pytest.approx(3.0)
    np.testing.assert_allclose(rate(n), 3.0 * n**-0.5)


def test_confidence_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    n = np.repeat([10.0, 30.0, 100.0, 300.0], 5)
    hits = 0
    for _ in range(1000):
        low, high = ib.rates.fit_rate(n, n**-0.5 * np.exp(0.3 * rng.standard_normal(n.size))).confidence_interval
        hits += low <= -0.5 <= high
    # binomial(1000, 0.95): four standard deviations are 28
    assert abs(hits - 950) < 28


@pytest.mark.parametrize(
    ("n", "error", "part"),
    [
        ([1.0, 2.0], [1.0, 0.5], "at least three points"),
        ([5.0, 5.0, 5.0], [1.0, 0.5, 0.2], "two different n"),
        ([1.0, 2.0, 3.0], [1.0, 0.0, 0.5], "exactly zero"),
        ([1.0, 2.0, 3.0], [1.0, 0.5], "equal length"),
        ([1.0, 2.0, np.nan], [1.0, 0.5, 0.2], "finite"),
    ],
)
def test_bad_sweeps_are_refused(n, error, part):
    with pytest.raises(ValueError, match=part):
        ib.rates.fit_rate(n, error)
