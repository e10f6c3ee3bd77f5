r"""A positive weight as a piecewise polynomial, exact to rounding, on cells that refine the intervals of the data.

A spline with a weighted curvature penalty needs integrals of the weight :math:`\zeta` times polynomials between
neighbouring data. On each cell the weight is replaced by its polynomial of degree n - 1 at the n Gauss nodes; a cell
whose last Legendre coefficients have not decayed is halved. Smooth weights need few cells; a kink or a jump costs
about 45 halvings, none if the caller names it as a break.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConvergenceError, check_points, check_positive
from ..laws import Initialization

__all__ = ["Cells", "antiderivative", "constant_cells", "refine_cells", "times_variable", "vectorised", "weight_cells"]

Array = npt.NDArray[np.float64]

TOLERANCE = 2e-14  # of the integral of the weight over the data interval that the cell belongs to
MAX_DEPTH = 60
MAX_EXTRA_CELLS = 50_000


@dataclass(frozen=True)
class Cells:
    r"""The weight on C cells inside M - 1 data intervals.

    Attributes
    ----------
    left, width : arrays (C,)
        Cells in increasing order.
    interval : int array (C,)
        The data interval of each cell.
    coefficients : array (C, n)
        Legendre coefficients of the weight on each cell.
    moments : array (3, M - 1)
        :math:`\int\zeta(1-s)^2, \int\zeta s(1-s), \int\zeta s^2` over each data interval, where s runs from 0 to 1.
    """

    left: Array
    width: Array
    interval: npt.NDArray[np.intp]
    coefficients: Array
    moments: Array


def constant_cells(x: Array, value: float) -> Cells:
    """Cells for a weight that is one number: one cell an interval, closed integrals."""
    h = np.diff(x)
    moments = value * h * np.array([1 / 3, 1 / 6, 1 / 3])[:, None]
    return Cells(x[:-1], h, np.arange(h.size), np.full((h.size, 1), value), moments)


def vectorised(zeta: Callable[[Any], Any]) -> Callable[[Array], Array]:
    """Wrap a weight so that it is checked wherever it is evaluated: one finite number, at least 0, for each point."""

    def checked(t: Array) -> Array:
        try:
            value = np.asarray(zeta(t))
            if value.dtype.kind not in "biuf":
                raise TypeError(f"zeta returned {value.dtype}")
            value = np.broadcast_to(value.astype(np.float64), t.shape)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"zeta must map an array of points to an array of numbers of the same shape, but calling it on shape "
                f"{t.shape} failed ({error}), probably because it uses math instead of numpy or an if on its argument; "
                f"write it with numpy, or pass numpy.vectorize(zeta)."
            ) from error
        bad = ~((value >= 0) & (value <= 1e100))  # also where it is nan
        if bad.any():
            k = np.unravel_index(int(np.argmax(bad)), t.shape)
            raise ValueError(
                f"zeta must be finite (up to 1e100) and at least 0 between the data, but zeta({t[k]:.6g}) = {value[k]:.6g}, "
                f"probably a penalty passed in place of its reciprocal or a formula used outside its range; pass a positive zeta."
            )
        return value

    return checked


def _legendre(n: int) -> tuple[Array, Array, Array]:
    """Gauss nodes and weights on [-1, 1], and the matrix from values there to Legendre coefficients."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    basis = np.polynomial.legendre.legvander(nodes, n - 1)
    return nodes, weights, (basis * weights[:, None]) * (np.arange(n) + 0.5)


def refine_cells(x: Array, zeta: Callable[[Array], Array], breaks: Array) -> Cells:
    """Cells on which ``zeta`` is a polynomial to rounding.

    Parameters
    ----------
    x : array (M,)
        Increasing.
    zeta : callable
        As returned by ``vectorised``.
    breaks : array
        Points inside the hull where the weight or a derivative jumps.

    Raises
    ------
    ConvergenceError
        If halving does not end: the weight is noisy, or has a singularity or very many kinks.
    """
    n = 16 if x.size <= 1000 else 8  # short intervals need fewer nodes
    nodes, weights, transform = _legendre(n)
    edges = np.unique(np.concatenate([x, breaks]))
    left, right = edges[:-1], edges[1:]
    limit = 50 * left.size + MAX_EXTRA_CELLS
    scale: Array = np.zeros(x.size - 1)
    moments = np.zeros((3, x.size - 1))
    done: list[tuple[Array, Array, Array]] = []
    count = 0
    for depth in range(MAX_DEPTH + 1):
        width = right - left
        interval = np.searchsorted(x, left, side="right") - 1
        t = left[:, None] + width[:, None] * ((1 + nodes) / 2)
        value = zeta(t)
        coefficients = value @ transform
        if depth == 0:  # the integral over the interval is the yardstick; a spike found later only raises it
            scale += np.bincount(interval, weights=width * np.abs(coefficients[:, 0]), minlength=x.size - 1)
        tail = np.max(np.abs(coefficients[:, -2:]), axis=1) * width
        good = tail <= TOLERANCE * np.maximum(scale[interval], width * np.abs(coefficients[:, 0]))
        good |= width <= 8 * np.spacing(np.maximum(np.abs(left), np.abs(right)))  # no double left between
        mass = (value * weights * (width / 2)[:, None])[good]
        s = (t[good] - x[interval[good]][:, None]) / np.diff(x)[interval[good]][:, None]
        for k, shape in enumerate(((1 - s) ** 2, s * (1 - s), s**2)):
            moments[k] += np.bincount(interval[good], weights=np.sum(mass * shape, axis=1), minlength=x.size - 1)
        done.append((left[good], right[good], coefficients[good]))
        if good.all():
            lefts, rights, tables = (np.concatenate(part) for part in zip(*done, strict=True))
            order = np.argsort(lefts)
            lefts, rights = lefts[order], rights[order]
            inside = np.searchsorted(x, lefts, side="right") - 1
            return Cells(lefts, rights - lefts, inside, tables[order], moments)
        left, right = left[~good], right[~good]
        middle = left + (right - left) / 2
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
        count += left.size
        if count > limit:
            break
    where = float(left[0])
    raise ConvergenceError(
        f"zeta must be smooth between its breaks to 14 digits, but near {where:.6g} halving the interval {depth} times "
        f"did not reach that, probably because of noise (a sum over samples, a loose quadrature) or an infinite value; "
        f"smooth it, or name the points where it jumps, breaks=[...]."
    )


def weight_cells(zeta: Any, x: Array, breaks: Any) -> tuple[Callable[[Array], Array], Cells]:
    """The weight as a checked function, and its cells on the sorted inputs.

    ``zeta`` is None (1), a positive number, a function or an ``Initialization``; ``breaks`` are points where it may jump.
    """
    points = np.zeros(0) if breaks is None else np.atleast_1d(check_points("breaks", breaks, allow_empty=True)).ravel()
    owner = zeta if isinstance(zeta, Initialization) else getattr(zeta, "__self__", None)
    if isinstance(owner, Initialization) and (owner is zeta or getattr(zeta, "__name__", "") == "zeta"):
        zeta = owner.zeta
        if owner.signs:
            low, high = owner.support
            if x[0] < low or x[-1] > high:
                bad = x[0] if x[0] < low else x[-1]
                raise ValueError(
                    f"inputs must lie in the support [{low:g}, {high:g}] of the bias, but {bad:g} was given, probably "
                    f"inputs that were not rescaled; rescale them or widen the law of the bias."
                )
            points = np.concatenate([points, owner.knots(), -owner.knots()])
        else:
            points = np.append(points, 0.0)
    if zeta is None or isinstance(zeta, (int, float, np.integer, np.floating)):
        value = 1.0 if zeta is None else check_positive("zeta", zeta)
        return (lambda t: np.full(t.shape, value)), constant_cells(x, value)
    if not callable(zeta):
        raise ValueError(
            f"zeta must be None, a positive number, a function or an Initialization, but {type(zeta).__name__} was "
            f"given, probably the values of zeta on a grid; pass a function of the input, for instance "
            f"lambda t: np.interp(t, grid, values) with breaks=grid."
        )
    checked = vectorised(zeta)
    cells = refine_cells(x, checked, points[(points > x[0]) & (points < x[-1])])
    return checked, cells


def times_variable(n: int) -> Array:
    """Row k: Legendre coefficients of v P_k(v)."""
    matrix = np.zeros((n, n + 1))
    k = np.arange(n)
    matrix[k, k + 1] = (k + 1) / (2 * k + 1)
    matrix[k[1:], k[1:] - 1] = k[1:] / (2 * k[1:] + 1)
    return matrix


def antiderivative(n: int) -> Array:
    """Row k: Legendre coefficients of the integral of P_k from -1."""
    matrix = np.zeros((n, n + 1))
    k = np.arange(n)
    matrix[k, k + 1] = 1 / (2 * k + 1)
    matrix[0, 0] = 1.0
    matrix[k[1:], k[1:] - 1] = -1 / (2 * k[1:] + 1)
    return matrix
