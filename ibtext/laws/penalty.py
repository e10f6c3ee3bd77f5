r"""A law with a density known up to a factor: breakpoints for a given curvature penalty.

:math:`p_C = 1/(Z\varrho)` becomes a polynomial on each of the panels of ``numerics.panels``; the distribution function is its
integral, and quantiles are found by safeguarded Newton steps.
"""

from typing import Any

import numpy as np
from numpy.polynomial import legendre

from ..errors import ConvergenceError, check_points, real_array, shortened
from ..numerics.arrays import Array, Indices
from ..numerics.panels import legendre_transform, refine

__all__ = ["PenaltyLaw"]


class PenaltyLaw:
    """The law with density proportional to ``1 / rho`` on ``support``; the methods are those of a frozen law."""

    def __init__(self, rho: Any, support: tuple[float, float]) -> None:
        if not callable(rho):
            raise ValueError(
                f"rho must be a function of the location, but {shortened(rho)} was given; pass for instance "
                f"lambda c: 1 + c**2."
            )
        ends = check_points("support", support)
        if ends.shape != (2,) or not 1e-100 < ends[1] - ends[0] < 1e100:
            raise ValueError(
                f"support must be a pair (lo, hi) with lo < hi, neither too close nor too far apart for double precision, but "
                f"{shortened(support)} was given; pass for instance support=(-1.0, 1.0)."
            )
        self._rho = rho
        self._low, self._high = float(ends[0]), float(ends[1])
        edges = np.linspace(self._low, self._high, 17)
        panels = refine(self._inverse, edges, name="1/rho", remedy="smooth rho or bound it away from 0")
        areas = panels.masses.sum(axis=1)
        self._total = float(areas.sum())
        if not 1e-290 < self._total < 1e290:
            raise ValueError(
                f"1/rho must have an integral in the range of double precision, but it is {self._total:g} on "
                f"({self._low:g}, {self._high:g}); narrow the support or scale rho."
            )
        if areas[panels.rough].sum() > 1e-12 * self._total:
            raise ConvergenceError(
                f"1/rho must be integrable to 1e-12, but it has a pole near {panels.left[panels.rough][0]:.6g}; bound rho away "
                f"from 0."
            )
        self.knots = np.append(panels.left, self._high)
        self._left, self._width = panels.left, panels.width
        # coefficients of the antiderivative in each panel, zero at its left end
        series = panels.values @ legendre_transform(panels.values.shape[1]) / self._total
        self._integral = legendre.legint(series, lbnd=-1, axis=1) * (panels.width / 2)[:, None]
        self._upto = np.concatenate([[0.0], np.cumsum(areas) / self._total])
        self._upto[-1] = 1.0
        mass = panels.masses / self._total
        self._mean = float(np.sum(mass * panels.nodes))
        self._var = float(np.sum(mass * (panels.nodes - self._mean) ** 2))

    def _inverse(self, c: Array) -> Array:
        try:
            with np.errstate(all="ignore"):
                value = self._rho(c)
        except (TypeError, ValueError, IndexError) as error:
            raise ValueError(
                f"rho must map an array of points to an array of numbers of the same shape, but calling it on shape "
                f"{c.shape} failed ({shortened(str(error))}); write it with numpy, without math and if, or pass "
                f"numpy.vectorize(rho)."
            ) from error
        rho = real_array("the value of rho", value)
        if rho.shape not in ((), c.shape):
            raise ValueError(
                f"rho must return one value for each location, but {c.shape} locations gave shape {rho.shape}; "
                f"use elementwise operations."
            )
        bad = ~(rho > 0)
        if np.any(bad):
            value = float(np.broadcast_to(rho, c.shape)[np.broadcast_to(bad, c.shape)].ravel()[0])
            raise ValueError(
                f"rho must be positive with a finite integral of 1/rho, but it takes the value {value:g}; "
                f"where it vanishes, add a small constant."
            )
        return np.broadcast_to(1 / rho, c.shape)

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

    def _within(self, panel: Indices, u: Array) -> Array:
        # one polynomial a point: legval with matching coefficient columns
        return np.asarray(legendre.legval(u, self._integral[panel].T, tensor=False), dtype=np.float64)

    def cdf(self, c: Any) -> Array:
        """Distribution function."""
        c = np.asarray(c, dtype=np.float64)
        flat = np.clip(c.ravel(), self._low, self._high)
        panel = np.clip(np.searchsorted(self.knots, flat, side="right") - 1, 0, self._left.size - 1)
        u = 2 * (flat - self._left[panel]) / self._width[panel] - 1
        return np.reshape(np.clip(self._upto[panel] + self._within(panel, u), 0.0, 1.0), c.shape)

    def sf(self, c: Any) -> Array:
        """Survival function."""
        return 1 - self.cdf(c)

    def ppf(self, q: Any) -> Array:
        """Quantiles."""
        q = np.asarray(q, dtype=np.float64)
        inside = (q.ravel() >= 0) & (q.ravel() <= 1)
        flat = np.where(inside, q.ravel(), 0.5)
        panel = np.clip(np.searchsorted(self._upto, flat, side="right") - 1, 0, self._left.size - 1)
        goal = flat - self._upto[panel]
        low, high, half = -np.ones(flat.size), np.ones(flat.size), self._width[panel] / 2
        u = 2 * goal / (self._upto[panel + 1] - self._upto[panel]) - 1
        for _ in range(60):
            miss = self._within(panel, u) - goal
            low, high = np.where(miss < 0, u, low), np.where(miss < 0, high, u)
            slope = self.pdf(self._left[panel] + half * (1 + u)) * half
            new = u - miss / slope
            new = np.where((new >= low) & (new <= high), new, (low + high) / 2)
            if np.all(np.abs(new - u) <= 1e-15):
                break
            u = new
        c = self._left[panel] + half * (1 + u)
        return np.reshape(np.where(inside, np.clip(c, self._low, self._high), np.nan), q.shape)

    def isf(self, q: Any) -> Array:
        """Quantiles from above."""
        return self.ppf(1 - np.asarray(q, dtype=np.float64))

    def rvs(self, size: Any = None, random_state: Any = None) -> Array:
        """Draws, by inversion."""
        return self.ppf(np.random.default_rng(random_state).uniform(size=size))
