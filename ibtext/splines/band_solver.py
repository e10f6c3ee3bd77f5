r"""The linear algebra of a spline with a weighted curvature penalty: band systems in O(M), correct to rounding.

With the hat functions :math:`N_j` of the inner data points, :math:`(Qg)_j = \int N_j g''` (second differences of
slopes) and :math:`R_{jk} = \int N_j N_k \zeta`, the minimiser of

.. math:: \sum_i w_i (g(x_i) - y_i)^2 + s \int \frac{(g'')^2}{\zeta}

has :math:`g'' = \zeta \sum_j \gamma_j N_j`, and its residuals :math:`e = y - g(x)` solve, with :math:`\gamma`,

.. math:: w e - s\, Q^T \gamma = 0, \qquad Q e + R \gamma = Q y .

Eliminating e gives Reinsch's five-band matrix :math:`R + s Q w^{-1} Q^T`, whose condition number grows like
:math:`M^4`. The pair keeps that of Q, of order :math:`M^2`, in a matrix of seven bands once the unknowns are
interleaved. Its LU factors are then used for iterative refinement with residuals of twice the digits, so the answer is
correct to rounding for any s.

Sources: Reinsch (1967); Björck (1967) for the augmented system; Green and Silverman (1994), chapter 2.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ..errors import ConvergenceError
from ..numerics import double_double as twofold
from ..numerics.arrays import Array
from ..numerics.double_double import Twofold

__all__ = ["LARGEST", "BandSolution", "check_mass", "check_range", "solve_bands"]

Correction = Callable[[Array, Array], tuple[Array, Array]]

MAX_REFINEMENTS = 30

LARGEST = 1e60
"""Largest size of labels, weights and the like; its reciprocal is the smallest. Squares stay far from overflow."""

BALANCE = 2.0**-23
"""Weight of the identity block against Q in the interleaved matrix.

Björck's choice is the smallest singular value of Q with rows of length 1; with 1 in its place the factors lose all
digits once gaps differ by 1e7 and s is large. Any value from 1e-6 to 1e-8 serves for gaps that differ by up to 1e12.
"""
BLOCK = 4096  # points at a time: some 30 temporaries of 32 kB fit the second-level cache


@dataclass(frozen=True)
class BandSolution:
    """Solution for k label sets.

    Attributes
    ----------
    residual : array (k, M)
        e = y - g(x); zero for interpolation.
    values : array (k, M)
        g(x).
    slopes : array (k, M - 1)
        Slopes of the chords of g.
    gamma : array (k, M)
        The multipliers, with zeros at both ends.
    """

    residual: Array
    values: Array
    slopes: Array
    gamma: Array


def _part(a: Twofold, first: int, last: int) -> Twofold:
    return Twofold(a.high[:, first:last], a.low[:, first:last])


def _chords(g: Twofold, h: Twofold) -> Twofold:
    """Slopes of the chords."""
    n = g.high.shape[1]
    return twofold.divide(twofold.difference(_part(g, 1, n), _part(g, 0, n - 1)), h)


def _jumps(slope: Twofold) -> Twofold:
    """Slope on the right minus slope on the left."""
    n = slope.high.shape[1]
    return twofold.difference(_part(slope, 1, n), _part(slope, 0, n - 1))


@dataclass(frozen=True)
class _Equations:
    """The two equations with twice the digits, evaluated block by block so that every temporary stays in the cache."""

    x: Array
    labels: Array
    diagonal: Array
    off: Array
    weights: Array
    smoothing: float

    def _blocks(self) -> Iterator[tuple[int, int, int, int, Twofold]]:
        m = self.x.size
        size = max(BLOCK // self.labels.shape[0], 64)
        for a in range(0, m, size):
            b = min(a + size, m)
            low, high = max(a - 1, 0), min(b + 1, m)
            x = self.x[low:high]
            yield a, b, low, high, twofold.difference(twofold.exact(x[1:]), twofold.exact(x[:-1]))

    def residuals(self, e: Twofold, gamma: Twofold) -> tuple[Array, Array]:
        """Right minus left side, (k, M) and (k, M - 2); ``gamma`` has zeros at both ends."""
        m = self.x.size
        r1, r2 = np.zeros_like(self.labels), np.zeros_like(self.labels)
        for a, b, low, high, h in self._blocks():
            e_here, gamma_here = _part(e, low, high), _part(gamma, low, high)
            g = twofold.difference(twofold.exact(self.labels[:, low:high]), e_here)
            sides = twofold.add(
                twofold.multiply(_part(gamma_here, 0, high - low - 2), self.off[low : high - 2]),
                twofold.multiply(_part(gamma_here, 2, high - low), self.off[low + 1 : high - 1]),
            )
            middle = twofold.multiply(_part(gamma_here, 1, high - low - 1), self.diagonal[low + 1 : high - 1])
            curved = twofold.difference(_jumps(_chords(g, h)), middle)
            r2[:, low + 1 : high - 1] = twofold.difference(curved, sides).high
            if self.smoothing > 0:
                slope = _chords(gamma_here, h)
                ends = (0, 0), (int(low == 0), int(high == m))  # gamma is flat outside
                slope = Twofold(np.pad(slope.high, ends), np.pad(slope.low, ends))
                pull = twofold.multiply(_jumps(slope), np.array(self.smoothing))
                held = twofold.multiply(_part(e, a, b), self.weights[a:b])
                r1[:, a:b] = twofold.difference(pull, held).high
        return r1, r2[:, 1:-1]

    def solution(self, e: Twofold, gamma: Twofold) -> BandSolution:
        """Values and chords, rounded once."""
        values, slopes = np.empty_like(self.labels), np.empty_like(self.labels[:, 1:])
        for _, _, low, high, h in self._blocks():
            g = twofold.difference(twofold.exact(self.labels[:, low:high]), _part(e, low, high))
            values[:, low:high] = g.high
            slopes[:, low : high - 1] = _chords(g, h).high
        return BandSolution(e.high, values, slopes, gamma.high)


def _interpolation(diagonal: Array, off: Array) -> tuple[Array, Correction]:
    """Cholesky factors of R, scaled to a unit diagonal."""
    scale = 1 / np.sqrt(diagonal)
    band = np.ones((2, diagonal.size))
    band[0, 0] = 0.0
    band[0, 1:] = off * scale[:-1] * scale[1:]
    factor = linalg.cholesky_banded(band)

    def correct(r1: Array, r2: Array) -> tuple[Array, Array]:
        return np.zeros_like(r1), linalg.cho_solve_banded((factor, False), (r2 * scale).T).T * scale

    return scale, correct


def _smoothing(h: Array, diagonal: Array, off: Array, weights: Array, s: float) -> tuple[Array, Correction]:
    """LU factors of the interleaved system, scaled so that Q w^-1 Q^T s + R has a unit diagonal."""
    m = weights.size
    root = 1 / np.sqrt(weights)
    bands = np.stack([1 / h[:-1], -(1 / h[:-1] + 1 / h[1:]), 1 / h[1:]]) * [root[:-2], root[1:-1], root[2:]]
    size = np.hypot(np.sqrt(diagonal), np.sqrt(s) * np.linalg.norm(bands, axis=0))
    scale = 1 / size
    bands = bands * (np.sqrt(s) * scale)
    # unknown e_i stands at 2i, gamma_i at 2i + 1; the two outer gammas are zero
    lower = upper = 3
    table = np.zeros((2 * lower + upper + 1, 2 * m), order="F")
    centre = lower + upper
    table[centre, :] = BALANCE
    table[centre, 3:-2:2] = diagonal * scale**2 / BALANCE
    coupling = off * scale[:-1] * scale[1:] / BALANCE
    table[centre - 2, 5:-2:2] = coupling  # row gamma_j, column gamma_(j+1)
    table[centre + 2, 3:-4:2] = coupling
    for k, offset in enumerate((-3, -1, 1)):  # row gamma_j at 2j + 1, columns e_(j-1), e_j, e_(j+1)
        first = 3 + offset
        table[centre - offset, first : first + 2 * (m - 2) : 2] = bands[k]
        table[centre + offset, 3 : 3 + 2 * (m - 2) : 2] = -bands[k]
    factor, pivots, info = linalg.lapack.dgbtrf(table, lower, upper, overwrite_ab=1)
    if info != 0:
        raise linalg.LinAlgError("a pivot is zero")

    def correct(r1: Array, r2: Array) -> tuple[Array, Array]:
        b = np.zeros((r1.shape[0], 2 * m))
        b[:, ::2] = r1 * (root / np.sqrt(s))
        b[:, 3:-2:2] = r2 * scale / BALANCE
        solution, _ = linalg.lapack.dgbtrs(factor, lower, upper, b.T, pivots, overwrite_b=1)
        return solution[::2].T * (root * (BALANCE * np.sqrt(s))), solution[3:-2:2].T * scale

    return scale, correct


def _check_size(name: str, size: float) -> None:
    if size != 0 and not 1 / LARGEST <= size <= LARGEST:
        raise ValueError(
            f"data and weights must lie between {1 / LARGEST:g} and {LARGEST:g} in size, but {name} is {size:g}; "
            f"rescale it."
        )


def check_range(x: Array, labels: Array, weights: Array, smoothing: float) -> None:
    """Refuse units so large or small that products of the data would leave the range of double precision."""
    _check_size("the largest input", float(np.max(np.abs(x))))
    _check_size("the range of x", float(np.ptp(x)))
    for size in np.max(np.abs(labels), axis=1):
        _check_size("the largest label", float(size))
    _check_size("the smallest weight", float(np.min(weights)))
    _check_size("the largest weight", float(np.max(weights)))
    _check_size("smoothing", smoothing)


def check_mass(moments: Array) -> None:
    """The same for zeta, through its integral over the interval where that is largest."""
    _check_size("the integral of zeta", float(np.max(moments[0] + 2 * moments[1] + moments[2])))


def solve_bands(x: Array, y: Array, moments: Array, *, smoothing: float, weights: Array) -> BandSolution:
    """Solve for residuals and multipliers.

    Parameters
    ----------
    x : array (M,)
        Increasing, M at least 3.
    y : array (k, M)
        Label sets.
    moments : array (3, M - 1)
        Integrals of zeta times (1-s)^2, s(1-s), s^2 over each interval.
    smoothing : float
        At least 0.
    weights : array (M,)
        Positive.

    Raises
    ------
    ConvergenceError
        If refinement does not settle: the data are too close to one another, or the weights too uneven.
    """
    diagonal, off = moments[2, :-1] + moments[0, 1:], moments[1]
    equations = _Equations(x, y, np.pad(diagonal, 1), off, weights, smoothing)
    e, gamma = twofold.exact(np.zeros_like(y)), twofold.exact(np.zeros_like(y))
    largest = np.max(np.abs(y), axis=1)
    before, change = np.inf, np.nan
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
            if smoothing == 0:
                scale, correct = _interpolation(diagonal, off[1:-1])
            else:
                scale, correct = _smoothing(np.diff(x), diagonal, off[1:-1], weights, smoothing)
            for _ in range(MAX_REFINEMENTS):
                step_e, step_gamma = correct(*equations.residuals(e, gamma))
                e = twofold.shift(e, step_e)
                gamma = twofold.shift(gamma, np.pad(step_gamma, ((0, 0), (1, 1))))
                size = np.max(np.abs(gamma.high[:, 1:-1] / scale), axis=1)
                change = max(
                    _largest_ratio(np.max(np.abs(step_e), axis=1), largest),
                    _largest_ratio(np.max(np.abs(step_gamma / scale), axis=1), size),
                )
                if not np.isfinite(change):
                    break
                # steps shrink by a constant factor, so the next one can be foretold
                if change == 0 or (change < 1e-3 and change * min(change / before, 1.0) < 1e-17):
                    return equations.solution(e, gamma)
                before = change
    except (linalg.LinAlgError, ValueError):
        pass
    raise ConvergenceError(
        f"a spline must be determined by its data to 16 digits, but the band system is singular in double precision "
        f"(last relative change {change:.1e}), probably because inputs almost coincide or zeta, the weights or the "
        f"smoothing span too many orders of magnitude; merge close inputs or rescale."
    )


def _largest_ratio(a: Array, b: Array) -> float:
    return float(np.max(np.divide(a, b, out=np.zeros_like(a), where=b > 0)))
