r"""A table that starts the inverse gradient of :math:`|x|^p + \omega x^2` within one Newton step of rounding.

In :math:`p x^{p-1} + 2\omega x = s` the ratio of the two terms is :math:`e^d` with

.. math:: d + q \log(1 + e^d) = r, \qquad q = p - 2, \quad r = q \log s + \log p - (p-1) \log 2\omega,

and :math:`x = s / (2\omega(1 + e^d))`. One function of r, :math:`\log(1+e^d)`, therefore serves every s and
:math:`\omega`. It is 0 far to the left and :math:`r/(1+q)` far to the right; between them a piecewise cubic, made once for
each p, holds it to :math:`10^{-9}`.
"""

import functools
from typing import Any

import numpy as np
from scipy.interpolate import CubicHermiteSpline
from scipy.special import expit

from ..numerics.arrays import Array

__all__ = ["power_start"]


_REACH = 22.0  # e^-22 = 3e-10: beyond, the asymptotes are as good as the table
_MOST_CELLS = 600_000


def _solve(q: float, r: Array) -> Array:
    """The root d, by Halley steps: on a million nodes ten times cheaper than ``invert_increasing``."""
    d = np.where(r > 0, r / (1 + q), r)
    for _ in range(60):
        slope = expit(d)
        first = 1 + q * slope
        step = (d + q * np.logaddexp(0.0, d) - r) / first
        step /= 1 - 0.5 * step * q * slope * (1 - slope) / first
        d = d - step
        if np.max(np.abs(step)) < 1e-13 * (1 + _REACH):
            break
    return d


@functools.lru_cache(maxsize=64)
def _table(p: float) -> tuple[float, float, Array]:
    """Left end, width of a cell, and the cubic in each cell, shape (cells, 4), highest power first."""
    q = p - 2
    low, high = -_REACH, _REACH * (1 + q)
    cells = 256
    while True:
        r = np.linspace(low, high, 2 * cells + 1)
        d = _solve(q, r)
        value, slope = np.logaddexp(0.0, d), expit(d) / (1 + q * expit(d))
        cubic = CubicHermiteSpline(r[::2], value[::2], slope[::2])
        if np.max(np.abs(cubic(r[1::2]) - value[1::2])) < 1e-9 or 2 * cells > _MOST_CELLS:
            return low, (high - low) / cells, np.ascontiguousarray(cubic.c.T)
        cells *= 2


def power_start(p: float, r: Any, xp: Any) -> Any:
    """log(1 + e^d) at r, to about 1e-9 absolute."""
    low, width, cubic = _table(float(p))
    place = (r - low) / width
    last = len(cubic) * (1 - 1e-15)
    if xp is np:
        inside = np.fmin(np.fmax(place, 0.0), last)  # NaN stays inside
        cell = inside.astype(np.int64)
        t, row = width * (inside - cell), cubic[cell]
    else:
        inside = xp.clip(place, 0.0, last)
        cell = xp.astype(inside, xp.int64)
        t, row = width * (inside - xp.astype(cell, xp.float64)), xp.asarray(cubic, device=r.device)[cell]
    value = ((row[..., 0] * t + row[..., 1]) * t + row[..., 2]) * t + row[..., 3]
    return xp.where(place > len(cubic), r / (p - 1), value)  # to the left of the table, zero to 3e-10
