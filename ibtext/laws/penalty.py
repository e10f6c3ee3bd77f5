r"""A law with a density known up to a factor: breakpoints for a given curvature penalty.

:math:`p_C = 1/(Z\varrho)` is integrated on panels that are halved until two Gauss-Legendre rules agree; within a panel
the distribution function is the exact integral of the interpolating polynomial, and quantiles are found by safeguarded
Newton steps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.polynomial import legendre

from ..errors import ConvergenceError, check_points, real_array, shortened

__all__ = ["PenaltyLaw"]

Array = npt.NDArray[np.float64]

_ORDER = 16
_X, _W = legendre.leggauss(_ORDER)
_VANDER = legendre.legvander(_X, _ORDER - 1)
_TO_COEFFICIENTS = (_VANDER * _W[:, None]).T * (np.arange(_ORDER) + 0.5)[:, None]


class PenaltyLaw:
    """The law with density proportional to ``1 / rho`` on ``support``; the methods are those of a frozen law."""

    def __init__(self, rho: Any, support: tuple[float, float]) -> None:
        if not callable(rho):
            raise ValueError(
                f"rho must be a function of the location, but {rho!r} was given, probably an array of its values; pass "
                f"for instance lambda c: 1 + c**2."
            )
        ends = check_points("support", support)
        if ends.shape != (2,) or not 1e-100 < ends[1] - ends[0] < 1e100:
            raise ValueError(
                f"support must be a pair (lo, hi) with lo < hi in the range of double precision, but {support!r} was "
                f"given, probably in the wrong order; "
                f"pass for instance support=(-1.0, 1.0)."
            )
        self._rho = rho
        self._low, self._high = float(ends[0]), float(ends[1])
        left, right, values = self._panels()
        half = (right - left) / 2
        areas = half * (values @ _W)
        self._total = float(areas.sum())
        if not 1e-290 < self._total < 1e290:
            raise ValueError(
                f"1/rho must have an integral in the range of double precision, but it is {self._total:g} on "
                f"({self._low:g}, {self._high:g}), probably because rho overflows on most of the support; narrow the support "
                f"or scale rho."
            )
        self.knots = np.append(left, right[-1])
        self._left, self._half = left, half
        # coefficients of the antiderivative in each panel, zero at its left end
        series = values @ _TO_COEFFICIENTS.T / self._total
        self._integral = legendre.legint(series, lbnd=-1, axis=1) * half[:, None]
        self._upto = np.concatenate([[0.0], np.cumsum(areas) / self._total])
        self._upto[-1] = 1.0
        c = left[:, None] + half[:, None] * (1 + _X)
        mass = half[:, None] * _W * values / self._total
        self._mean = float(np.sum(mass * c))
        self._var = float(np.sum(mass * (c - self._mean) ** 2))

    def _inverse(self, c: Array) -> Array:
        try:
            with np.errstate(all="ignore"):
                value = self._rho(c)
        except (TypeError, ValueError, IndexError) as error:
            raise ValueError(
                f"rho must map an array of points to an array of numbers of the same shape, but calling it on shape "
                f"{c.shape} failed ({shortened(str(error))}), probably because it uses math or an if, or is written for one "
                f"number; write it with numpy, or pass numpy.vectorize(rho)."
            ) from error
        rho = real_array("the value of rho", value)
        if rho.shape not in ((), c.shape):
            raise ValueError(
                f"rho must return one value for each location, but {c.shape} locations gave shape {rho.shape}, probably "
                f"because it sums over them; use elementwise operations."
            )
        bad = ~(rho > 0)
        if np.any(bad):
            value = float(np.broadcast_to(rho, c.shape)[np.broadcast_to(bad, c.shape)].ravel()[0])
            raise ValueError(
                f"rho must be positive with a finite integral of 1/rho, but it takes the value {value:g}, probably "
                f"because the penalty vanishes somewhere; add a small constant."
            )
        return np.broadcast_to(1 / rho, c.shape)

    def _panels(self) -> tuple[Array, Array, Array]:
        edges = np.linspace(self._low, self._high, 17)
        left, right = edges[:-1], edges[1:]
        done: list[tuple[Array, Array, Array]] = []
        scale = 0.0
        for _ in range(60):
            middle, half = (left + right) / 2, (right - left) / 2
            values = self._inverse(middle[:, None] + half[:, None] * _X)
            fine = np.concatenate(
                [middle[:, None] + half[:, None] * (_X - 1) / 2, middle[:, None] + half[:, None] * (_X + 1) / 2], axis=1
            )
            check = self._inverse(fine)
            areas = half * (check @ np.tile(_W, 2)) / 2
            scale = max(scale, float(areas.sum() + sum((h[1] - h[0]) / 2 @ (h[2] @ _W) for h in done)))
            # the interpolant itself must be right, not only its integral: quantiles need it
            series = values @ _TO_COEFFICIENTS.T
            at = np.concatenate([(_X - 1) / 2, (_X + 1) / 2])
            error = np.max(np.abs(legendre.legval(at, series.T) - check), axis=1)
            good = error * half <= 1e-14 * scale
            done.append((left[good], right[good], values[good]))
            if good.all():
                break
            left, middle, right = left[~good], middle[~good], right[~good]
            left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
            if left.size > 20_000:
                break
        if not good.all():
            raise ConvergenceError(
                f"1/rho must be integrable to 1e-12, but {left.size} panels are still rough after halving, probably "
                f"because 1/rho has a pole or oscillates; smooth rho or bound it away from 0."
            )
        parts = [np.concatenate([d[k] for d in done]) for k in range(3)]
        order = np.argsort(parts[0])
        return parts[0][order], parts[1][order], parts[2][order]

    def __repr__(self) -> str:
        """The penalty's name and the support: two laws of unnamed functions look alike."""
        return f"PenaltyLaw({getattr(self._rho, '__name__', type(self._rho).__name__)}, support=({self._low:g}, {self._high:g}))"

    def support(self) -> tuple[float, float]:
        """Ends of the support."""
        return self._low, self._high

    def mean(self) -> float:
        """Mean."""
        return self._mean

    def var(self) -> float:
        """Variance."""
        return self._var

    def std(self) -> float:
        """Standard deviation."""
        return float(np.sqrt(self._var))

    def pdf(self, c: Any) -> Array:
        """Density."""
        c = np.asarray(c, dtype=np.float64)
        inside = (c >= self._low) & (c <= self._high)
        safe = np.where(inside, c, self._low)
        return np.where(inside, self._inverse(safe) / self._total, 0.0)

    def _within(self, panel: npt.NDArray[np.intp], u: Array) -> Array:
        # one polynomial a point: legval with matching coefficient columns
        return np.asarray(legendre.legval(u, self._integral[panel].T, tensor=False), dtype=np.float64)

    def cdf(self, c: Any) -> Array:
        """Distribution function."""
        c = np.asarray(c, dtype=np.float64)
        flat = np.clip(c.ravel(), self._low, self._high)
        panel = np.clip(np.searchsorted(self.knots, flat, side="right") - 1, 0, self._left.size - 1)
        u = (flat - self._left[panel]) / self._half[panel] - 1
        return np.reshape(np.clip(self._upto[panel] + self._within(panel, u), 0.0, 1.0), c.shape)

    def sf(self, c: Any) -> Array:
        """Survival function."""
        return 1 - self.cdf(c)

    def ppf(self, q: Any) -> Array:
        """Quantiles."""
        q = np.asarray(q, dtype=np.float64)
        flat = q.ravel()
        panel = np.clip(np.searchsorted(self._upto, flat, side="right") - 1, 0, self._left.size - 1)
        goal = flat - self._upto[panel]
        low, high = -np.ones(flat.size), np.ones(flat.size)
        u = 2 * goal / (self._upto[panel + 1] - self._upto[panel]) - 1
        for _ in range(60):
            miss = self._within(panel, u) - goal
            low, high = np.where(miss < 0, u, low), np.where(miss < 0, high, u)
            slope = self.pdf(self._left[panel] + self._half[panel] * (1 + u)) * self._half[panel]
            new = u - miss / slope
            new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
            if np.all(np.abs(new - u) <= 1e-15):
                break
            u = new
        c = self._left[panel] + self._half[panel] * (1 + u)
        return np.reshape(np.where((flat >= 0) & (flat <= 1), np.clip(c, self._low, self._high), np.nan), q.shape)

    def isf(self, q: Any) -> Array:
        """Quantiles from above."""
        return self.ppf(1 - np.asarray(q, dtype=np.float64))

    def rvs(self, size: Any = None, random_state: Any = None) -> Array:
        """Draws, by inversion."""
        return self.ppf(np.random.default_rng(random_state).uniform(size=size))
