r"""A table that starts the inverse gradient of :math:`|x|^p + \omega x^2` within one Newton step of rounding.

In :math:`p x^{p-1} + 2\omega x = s` the ratio of the two terms is :math:`e^d` with

.. math:: d + q \log(1 + e^d) = r, \qquad q = p - 2, \quad r = q \log s + \log p - (p-1) \log 2\omega,

and :math:`x = s / (2\omega(1 + e^d))`. One function of r, :math:`\log(1+e^d)`, therefore serves every s and
:math:`\omega`. It is 0 far to the left and :math:`r/(1+q)` far to the right; between them a piecewise cubic, made once for
each p, holds it to :math:`10^{-9}`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["power_start"]

Array = npt.NDArray[np.float64]

_REACH = 22.0  # e^-22 = 3e-10: beyond, the asymptotes are as good as the table


def _solve(q: float, r: Array) -> tuple[Array, Array]:
    """log(1 + e^d) and its derivative in r, by Halley steps in d, which is monotone in r."""
    d = np.where(r > 0, r / (1 + q), r)
    for _ in range(60):
        small = np.exp(-np.abs(d))
        value = np.maximum(d, 0) + np.log1p(small)
        slope = np.where(d > 0, 1.0, small) / (1 + small)
        first = 1 + q * slope
        step = (d + q * value - r) / first
        step /= 1 - 0.5 * step * q * slope * (1 - slope) / first
        d = d - step
        if np.max(np.abs(step)) < 1e-13 * (1 + _REACH):
            break
    small = np.exp(-np.abs(d))
    slope = np.where(d > 0, 1.0, small) / (1 + small)
    return np.maximum(d, 0) + np.log1p(small), slope / (1 + q * slope)


@functools.lru_cache(maxsize=64)
def _table(p: float) -> tuple[float, float, Array]:
    """Left end, cells per unit of r, and the coefficients of the cubic in each cell, shape (cells, 4)."""
    q = p - 2
    low, high = -_REACH, _REACH * (1 + q)
    cells = 256
    while True:
        nodes = np.linspace(low, high, 2 * cells + 1)
        value, slope = _solve(q, nodes)
        h = (high - low) / cells
        f0, f1, g0, g1 = value[:-2:2], value[2::2], h * slope[:-2:2], h * slope[2::2]
        cubic = np.stack([f0, g0, 3 * (f1 - f0) - 2 * g0 - g1, 2 * (f0 - f1) + g0 + g1])
        middle = np.array([1, 0.5, 0.25, 0.125]) @ cubic
        if np.max(np.abs(middle - value[1::2])) < 1e-9 or cells > 300_000:
            return low, 1 / h, np.ascontiguousarray(cubic.T)
        cells *= 2


def power_start(p: float, r: Any, xp: Any) -> Any:
    """log(1 + e^d) at r, to about 1e-9 absolute."""
    low, per_unit, cubic = _table(float(p))
    cells = cubic.shape[0]
    place = (r - low) * per_unit
    if xp is np:
        inside = np.fmin(np.fmax(place, 0.0), cells * (1 - 1e-15))  # NaN stays inside
        cell = inside.astype(np.int64)
        t, row = inside - cell, cubic[cell]
    else:
        inside = xp.clip(place, 0.0, cells * (1 - 1e-15))
        cell = xp.astype(inside, xp.int64)
        t, row = inside - xp.astype(cell, xp.float64), xp.asarray(cubic, device=r.device)[cell]
    value = ((row[..., 3] * t + row[..., 2]) * t + row[..., 1]) * t + row[..., 0]
    return xp.where(place > cells, r / (p - 1), value)  # to the left of the table, zero to 3e-10
