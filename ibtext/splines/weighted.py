r"""Splines whose curvature is weighted: natural, spatially adaptive and smoothing, exactly and in linear time.

A wide ReLU network learns the interpolant with the least :math:`\int (g'')^2 / \zeta`, up to an affine function,
where :math:`\zeta` is given by the law of its breakpoints; stopped early it learns nearly the smoothing spline with
the same weight. For constant :math:`\zeta` these are the natural cubic spline and the cubic smoothing spline. Between
neighbouring data :math:`g'' = \zeta \cdot` (a linear function), so the whole problem has M unknowns, and each
equation involves three of them.

Sources: Jin and Montúfar (2023), theorem 13 and remark 5; Reinsch (1967); Abramovich and Steinberg (1996) for
weighted penalties.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike

from ..errors import check_arguments, check_choice, check_count, check_order, check_points, check_positive
from ..numerics.arrays import Array
from ..numerics.panels import Panels, legendre_transform
from .band_solver import BandSolution, check_mass, check_range, solve_bands
from .weight_cells import weight_cells

__all__ = ["WeightedSpline", "adaptive_spline", "natural_spline", "smoothing_from_time"]


SMALLEST_GAP = 1e-13
"""Smallest gap between inputs, relative to their largest modulus, at which a slope still has a meaning."""


@dataclass(frozen=True)
class WeightedSpline:
    r"""A spline; call it on an array of points of any shape.

    With labels of shape (M, k) every value has a last axis of length k more.

    Attributes
    ----------
    x, y : arrays (M,) and (M,) or (M, k)
        The data, in the order received.
    values : array, shape of y
        The spline at the inputs.
    residual : array, shape of y
        ``y - values``, to rounding of the residual itself: zeros for interpolation.
    penalty : float or array (k,)
        :math:`\int (g'')^2/\zeta`, without the factor ``smoothing``.
    smoothing : float
        As given.
    weights : array (M,)
        As given, or ones.
    """

    x: Array
    y: Array
    values: Array
    residual: Array
    penalty: Any
    smoothing: float
    weights: Array
    _zeta: Callable[[Array], Array] = field(repr=False)
    _knots: Array = field(repr=False)
    _cells: Panels = field(repr=False)
    _moments: Array = field(repr=False)
    _solution: BandSolution = field(repr=False)

    def __call__(self, t: ArrayLike) -> Array:
        """The spline at ``t``; affine outside the hull of the data. Cost O(T log M)."""
        return self._evaluate(check_arguments(t), 0)

    def derivative(self, t: ArrayLike, *, order: int = 1) -> Array:
        """First derivative (``order=1``) or curvature (``order=2``, zero outside the hull) at ``t``."""
        order = check_order(order)
        return self.curvature(t) if order == 2 else self._evaluate(check_arguments(t), 1)

    def curvature(self, t: ArrayLike) -> Array:
        r"""The second derivative :math:`g'' = \zeta \sum_j \gamma_j N_j` at ``t``; zero outside the hull."""
        points = check_arguments(t)
        flat, knots, gamma = points.ravel(), self._knots, self._solution.gamma
        inside = (flat >= knots[0]) & (flat <= knots[-1])
        result = np.zeros((gamma.shape[0], flat.size))
        if gamma.shape[1] > 2 and inside.any():
            s = flat[inside]
            k = np.clip(np.searchsorted(knots, s, side="right") - 1, 0, knots.size - 2)
            fraction = (s - knots[k]) / (knots[k + 1] - knots[k])
            result[:, inside] = self._zeta(s) * ((1 - fraction) * gamma[:, k] + fraction * gamma[:, k + 1])
        return self._shaped(result, points.shape)

    def _shaped(self, result: Array, shape: tuple[int, ...]) -> Array:
        if self.y.ndim == 1:
            return result.reshape(shape)
        return np.moveaxis(result.reshape(-1, *shape), 0, -1)

    @cached_property
    def _polynomials(self) -> tuple[Array, Array, Array, Array]:
        """Legendre coefficients of g' and g on each cell, (terms, k, C), and the slopes at both ends, (k,)."""
        cells, solution, knots, moments = self._cells, self._solution, self._knots, self._moments
        gamma, order = solution.gamma, cells.values.shape[1]
        # g'' at the Gauss nodes of the cells, then its series, then their integrals from the left end of each cell
        s = (cells.nodes - knots[cells.group, None]) / np.diff(knots)[cells.group, None]
        start, end = gamma[:, cells.group, None], gamma[:, cells.group + 1, None]
        series = (cells.values * (start + s * (end - start))) @ legendre_transform(order)
        half = cells.width / 2
        slope = legendre.legint(np.moveaxis(series, -1, 0), lbnd=-1) * half
        value = legendre.legint(slope, lbnd=-1) * half
        # integration starts at the left end of each data interval, from exact values: no error piles up
        first = solution.slopes - moments[0] * gamma[:, :-1] - moments[1] * gamma[:, 1:]
        last = solution.slopes[:, -1] + moments[1, -1] * gamma[:, -2] + moments[2, -1] * gamma[:, -1]
        heads = np.flatnonzero(np.diff(cells.group, prepend=-1))
        counts = np.diff(heads, append=cells.group.size)
        at, run, rank = solution.values[:, :-1].copy(), first.copy(), 0
        alive = np.arange(heads.size)
        while alive.size:
            c = heads[alive] + rank
            rise_of_value, rise_of_slope = value[:, :, c].sum(axis=0), slope[:, :, c].sum(axis=0)
            value[0][:, c] += at[:, alive] + run[:, alive] * half[c]
            value[1][:, c] += run[:, alive] * half[c]
            slope[0][:, c] += run[:, alive]
            at[:, alive] += run[:, alive] * cells.width[c] + rise_of_value
            run[:, alive] += rise_of_slope
            rank += 1
            alive = alive[counts[alive] > rank]
        return value, slope, first[:, 0], last

    def _evaluate(self, t: Array, order: int) -> Array:
        value, slope, first, last = self._polynomials
        cells, knots, g = self._cells, self._knots, self._solution.values
        flat = t.ravel()
        s = np.clip(flat, knots[0], knots[-1])
        c = np.clip(np.searchsorted(cells.left, s, side="right") - 1, 0, cells.left.size - 1)
        v = np.clip(2 * (s - cells.left[c]) / cells.width[c] - 1, -1, 1)
        table = (value, slope)[order]
        result: Array = np.asarray(legendre.legval(v, table[:, :, c], tensor=False), dtype=np.float64)
        for out, end, tangent in ((flat < knots[0], 0, first), (flat > knots[-1], -1, last)):
            if out.any():
                line = g[:, end, None] + tangent[:, None] * (flat[out] - knots[end])
                result[:, out] = line if order == 0 else tangent[:, None]
        return self._shaped(result, t.shape)


def _check_labels(x: Any, y: Any, weights: Any, smoothing: float) -> tuple[Array, Array, Array]:
    """Inputs (M,), labels (M,) or (M, k), weights (M,), in the order received."""
    x, y = check_points("x", x), check_points("y", y)
    if x.ndim != 1 or y.ndim not in (1, 2) or y.shape[0] != x.size:
        raise ValueError(
            f"x must have shape (M,) and y shape (M,) or (M, k), but shapes {x.shape} and {y.shape} were given; "
            f"pass x.ravel() and one label, or one row, for every input."
        )
    if x.size < 2:
        raise ValueError(
            "a spline needs at least two data points, but one was given; through a single point every line is as "
            "good, so add a point."
        )
    weights = np.ones(x.size) if weights is None else check_points("weights", weights)
    if weights.shape != x.shape or not (weights > 0).all():
        what = f"shape {weights.shape}" if weights.shape != x.shape else f"the smallest {weights.min():g}"
        raise ValueError(
            f"weights must be positive, one for each of the {x.size} inputs, but {what} was given; pass for instance "
            f"1/variance, and leave out points that shall not count."
        )
    check_range(x, y.reshape(x.size, -1).T, weights, smoothing)
    order = np.argsort(x)
    gaps = np.diff(x[order])
    k = int(np.argmin(gaps))
    if gaps[k] <= SMALLEST_GAP * float(np.max(np.abs(x))):
        i, j = int(order[k]), int(order[k + 1])
        what = f"are both {x[i]}" if gaps[k] == 0 else f"= {x[i]} and {x[j]} differ by only {gaps[k]:.1e}"
        raise ValueError(
            f"inputs must be distinct, but x[{i}] and x[{j}] {what}, probably repeated measurements; keep one of them "
            f"with the weighted mean of the labels and the sum of the weights."
        )
    return x.copy(), y.copy(), weights.copy()


def natural_spline(x: ArrayLike, y: ArrayLike) -> WeightedSpline:
    r"""The natural cubic spline through the data: the interpolant with the least :math:`\int (g'')^2`.

    Parameters
    ----------
    x : array (M,)
        Distinct inputs in any order, M at least 2.
    y : array (M,) or (M, k)
        Labels; k label sets share the factorisation.

    Returns
    -------
    WeightedSpline

    Raises
    ------
    ValueError, ConvergenceError
        As ``adaptive_spline``.

    Notes
    -----
    Cost O(M k). ``scipy.interpolate.CubicSpline(x, y, bc_type="natural")`` is the same function inside the hull of the
    data (its default, ``"not-a-knot"``, is not); outside, this one is affine. Theorem: the natural spline as the limit
    of wide networks, in the chapter on the curvature penalty. Source: Jin and Montúfar (2023), theorem 45.

    Examples
    --------
    >>> g = natural_spline([0.0, 1.0, 2.0], [0.0, 1.0, 0.0])
    >>> float(g(1.0)), float(g(3.0)), float(g.penalty)
    (1.0, -1.5, 6.0)
    """
    return adaptive_spline(x, y)


def adaptive_spline(
    x: ArrayLike,
    y: ArrayLike,
    *,
    zeta: Any = None,
    smoothing: float = 0.0,
    weights: ArrayLike | None = None,
    breaks: ArrayLike | None = None,
) -> WeightedSpline:
    r"""The spline with a weighted curvature penalty, through the data or near them.

    Solves: minimise over g

    .. math:: \sum_i w_i (g(x_i) - y_i)^2 + s \int \frac{g''(u)^2}{\zeta(u)}\, du,

    where s is ``smoothing``; for s = 0 minimise the integral alone subject to :math:`g(x_i) = y_i`. Where
    :math:`\zeta` is large, curvature is cheap; where it vanishes, g is straight.

    Parameters
    ----------
    x : array (M,)
        Distinct inputs in any order, M at least 2.
    y : array (M,) or (M, k)
        Labels; k label sets share the factorisation.
    zeta : None, float, callable or Initialization
        The weight: None is 1; a function of an array of points, smooth between the data and ``breaks``; an
        initialization stands for its ``zeta``.
    smoothing : float
        s, in units of (label squared) times (zeta times input cubed): with constant zeta it equals ``lam * zeta`` of
        ``scipy.interpolate.make_smoothing_spline``.
    weights : array (M,), optional
        Positive weights w of the data; ones when omitted. Without effect on interpolation.
    breaks : array, optional
        Points where zeta or one of its derivatives jumps. Not needed for correctness, unless a jump hides between
        neighbouring points where zeta is evaluated; they make it quicker.

    Returns
    -------
    WeightedSpline

    Raises
    ------
    ValueError
        For data that are not finite, coincide or have wrong shapes, a negative smoothing, weights or zeta; a zeta that
        vanishes on both sides of a data point that must be interpolated; inputs outside the support of an
        initialization.
    ConvergenceError
        For a zeta that is not piecewise smooth, or data that double precision cannot tell apart.

    Notes
    -----
    Cost O(M k), and about 16 evaluations of zeta a data interval (8 beyond 1000 data), with 16 000 more that look for peaks
    between them. A peak narrower than a few times 1/16 000 of the range needs its place in ``breaks``.
    Values are correct to rounding for every s: huge s gives the least-squares line, tiny s the interpolant. For s = 0 and
    an initialization this is ``wide_limit`` with ``free_affine=True``; a real relu network pays for its affine part too
    (``G2`` and ``G3`` of ``WideLimit.penalty_terms``). Theorem: the adaptive spline as the limit of wide networks, in the
    chapter on the curvature penalty. Source: Jin and Montúfar (2023), theorem 13 and remark 5.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 9)
    >>> g = adaptive_spline(x, np.abs(x), zeta=lambda t: np.exp(-20 * t**2))  # curvature is cheap near 0
    >>> h = adaptive_spline(x, np.abs(x))
    >>> bool(abs(g(0.7) - 0.7) < abs(h(0.7) - 0.7))
    True
    >>> line = adaptive_spline(x, np.abs(x), smoothing=1e20)
    >>> round(float(line(0.3)), 12) == round(float(np.abs(x).mean()), 12)
    True
    """
    smoothing = check_positive("smoothing", smoothing, allow_zero=True)
    x, y, weights = _check_labels(x, y, weights, smoothing)
    order = np.argsort(x)
    back = np.argsort(order)
    knots = x[order]
    labels = np.ascontiguousarray(y[order].reshape(x.size, -1).T)
    function, cells, moments = weight_cells(zeta, knots, breaks)
    check_mass(moments)
    if x.size == 2:  # a line, whatever the penalty
        slopes = np.diff(labels, axis=1) / np.diff(knots)
        solution = BandSolution(np.zeros_like(labels), labels, slopes, np.zeros_like(labels))
    else:
        straight = moments[[0, 2]].sum(axis=0) == 0
        if smoothing == 0 and (straight[1:] & straight[:-1]).any():
            k = int(np.argmax(straight[1:] & straight[:-1])) + 1
            raise ValueError(
                f"zeta must be positive on one side of every inner data point, but it vanishes between {knots[k - 1]:.6g} "
                f"and {knots[k + 1]:.6g}, which forces three data points onto one line, probably because data lie outside "
                f"the support of the breakpoints; leave them out, widen zeta, or pass a positive smoothing."
            )
        solution = solve_bands(knots, labels, moments, smoothing=smoothing, weights=weights[order])
    gamma = solution.gamma
    left, right = gamma[:, :-1], gamma[:, 1:]
    # moments times gamma first: where zeta is 1e-200, gamma may be 1e200
    penalty = np.sum((moments[0] * left + moments[1] * right) * left + (moments[1] * left + moments[2] * right) * right, axis=1)
    many = y.ndim == 2
    values, residual = (part.T[back].reshape(y.shape) for part in (solution.values, solution.residual))
    cost: Any = penalty if many else float(penalty[0])
    return WeightedSpline(x, y, values, residual, cost, smoothing, weights, function, knots, cells, moments, solution)


LOSSES = ("half_sum", "sum", "half_mean", "mean")


def smoothing_from_time(t: float, *, loss: str = "half_sum", count: int | None = None) -> float:
    r"""The smoothing whose spline is closest to a wide network trained for time t.

    Gradient flow damps the residual of each kernel mode as :math:`e^{-\kappa t \mu}`, smoothing as
    :math:`1/(1 + \mu/s)`; they agree to first order, and best overall (to 0.2037 of the labels), for
    :math:`s = 1/(\kappa t)`.

    Parameters
    ----------
    t : float
        Flow time: learning rate times steps times width.
    loss : {"half_sum", "sum", "half_mean", "mean"}
        How the loss sums squared errors: :math:`\frac12\sum`, :math:`\sum`, :math:`\frac1{2M}\sum` or
        :math:`\frac1M\sum` (``torch.nn.MSELoss``), which gives :math:`\kappa = 1, 2, 1/M, 2/M`.
    count : int, optional
        M, for the two means.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For a time that is not positive, an unknown loss, a mean without ``count``.

    Notes
    -----
    Source: Jin and Montúfar (2023), remark 5, whose constant belongs to ``"half_sum"``.

    Examples
    --------
    >>> smoothing_from_time(4.0), smoothing_from_time(4.0, loss="mean", count=10)
    (0.25, 1.25)
    """
    t = check_positive("t", t)
    if t < 1e-200:
        raise ValueError(
            f"t must be at least 1e-200, but {t:g} was given; pass learning rate times steps times width."
        )
    check_choice("loss", loss, LOSSES)
    kappa = 2.0 if loss in ("sum", "mean") else 1.0
    if count is not None:
        count = check_count("count", count)
    if loss in ("half_mean", "mean"):
        if count is None:
            raise ValueError(
                f"count must be given with loss={loss!r}, but it was left out; pass count=len(x)."
            )
        kappa /= count
    return 1 / (kappa * t)
