"""Smoothing splines of many points: ``adaptive_spline`` beside SciPy."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import make_smoothing_spline

import ibtext as ib

from .timing import Table, alternate, seconds


def large() -> Table:
    """100 000 points: the case that SciPy has (constant weight), and the one that it has not."""
    m = 100_000
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 1, m))
    x = np.linspace(0, 1, m) + 0.3 / m * np.sin(37 * x)
    y = np.sin(12 * x) + 0.1 * rng.standard_normal(m)
    smoothing = 1e-4

    def varying(t: np.ndarray) -> np.ndarray:
        return 1 / (0.1 + t**2) ** 2

    times = alternate(
        {
            "SciPy `make_smoothing_spline`": lambda: make_smoothing_spline(x, y, lam=smoothing),
            "`adaptive_spline`, constant weight": lambda: ib.splines.adaptive_spline(x, y, smoothing=smoothing),
            "`adaptive_spline`, weight 1/(0.1 + x^2)^2": lambda: ib.splines.adaptive_spline(
                x, y, zeta=varying, smoothing=smoothing
            ),
            "`natural_spline`": lambda: ib.splines.natural_spline(x, y),
        },
        repeats=3,
    )
    theirs = make_smoothing_spline(x, y, lam=smoothing)
    ours = ib.splines.adaptive_spline(x, y, smoothing=smoothing)
    difference = float(np.max(np.abs(theirs(x) - ours(x))))
    table = Table(
        f"Splines of {m:,} points",
        f"Largest difference between SciPy's smoothing spline and ours at the data: {difference:.1e}.",
        ("", "time", "time of SciPy / time"),
    )
    first = next(iter(times.values()))
    for name, value in times.items():
        table.add(name, seconds(value), f"{first / value:.2g}")
    return table
