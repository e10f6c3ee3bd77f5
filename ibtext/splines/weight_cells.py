r"""A positive weight as a piecewise polynomial, exact to rounding, on cells that refine the intervals of the data.

A spline with a weighted curvature penalty needs integrals of the weight :math:`\zeta` times polynomials between
neighbouring data. The cells are the panels of ``numerics.panels``, cut at the data and where the caller knows of a break.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ..errors import check_points, check_positive
from ..laws import Initialization
from ..numerics.arrays import Array
from ..numerics.panels import Panels, refine

__all__ = ["hat_moments", "vectorised", "weight_cells"]


def vectorised(zeta: Callable[[Any], Any]) -> Callable[[Array], Array]:
    """Wrap a weight so that it is checked wherever it is evaluated: one finite number, at least 0, for each point."""

    return partial(_checked, zeta)


def _checked(zeta: Callable[[Any], Any], t: Array) -> Array:
    try:
        value = np.asarray(zeta(t))
        if value.dtype.kind not in "biuf":
            raise TypeError(f"zeta returned {value.dtype}")
        value = np.broadcast_to(value.astype(np.float64), t.shape)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"zeta must map an array of points to an array of numbers of the same shape, but calling it on shape "
            f"{t.shape} failed ({error}); write it with numpy, without math and if, or pass numpy.vectorize(zeta)."
        ) from error
    bad = ~((value >= 0) & (value <= 1e100))  # also where it is nan
    if bad.any():
        k = np.unravel_index(int(np.argmax(bad)), t.shape)
        raise ValueError(
            f"zeta must be finite (up to 1e100) and at least 0 between the data, but zeta({t[k]:.6g}) = {value[k]:.6g}; "
            f"pass a positive zeta, the reciprocal of the penalty."
        )
    return value


def _constant_weight(value: float, t: Array) -> Array:
    return np.full(t.shape, value)


def hat_moments(x: Array, cells: Panels) -> Array:
    r"""Integrals of zeta times :math:`(1-s)^2, s(1-s), s^2` over each data interval, s from 0 to 1; shape (3, M - 1)."""
    s = (cells.nodes - x[cells.group, None]) / np.diff(x)[cells.group, None]
    shapes, masses = ((1 - s) ** 2, s * (1 - s), s**2), cells.masses
    return np.stack([np.bincount(cells.group, weights=np.sum(masses * shape, axis=1), minlength=x.size - 1) for shape in shapes])


def _constant(x: Array, value: float) -> tuple[Panels, Array]:
    """One cell an interval, closed integrals."""
    h, count = np.diff(x), x.size - 1
    cells = Panels(x[:-1], h, np.arange(count), np.full((count, 2), value), np.zeros(count, dtype=bool))
    return cells, value * h * np.array([1 / 3, 1 / 6, 1 / 3])[:, None]


def weight_cells(zeta: Any, x: Array, breaks: Any) -> tuple[Callable[[Array], Array], Panels, Array]:
    """The weight as a checked function, its cells on the sorted inputs, and its ``hat_moments``.

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
        return partial(_constant_weight, value), *_constant(x, value)
    if not callable(zeta):
        raise ValueError(
            f"zeta must be None, a positive number, a function or an Initialization, but {type(zeta).__name__} was "
            f"given; pass a function of the input, for instance "
            f"lambda t: np.interp(t, grid, values) with breaks=grid."
        )
    checked, known = vectorised(zeta), isinstance(owner, Initialization)  # a law has no peaks but those at its knots
    edges = np.unique(np.concatenate([x, points[(points > x[0]) & (points < x[-1])]]))
    cells = refine(
        checked,
        edges,
        group=np.searchsorted(x, edges[:-1], side="right") - 1,
        order=16 if x.size <= 1000 else 8,  # short intervals need fewer nodes
        **({"probes": 0} if known else {}),
        name="zeta",
        remedy="smooth it, or name the points where it jumps, breaks=[...]",
    )
    return checked, cells, hat_moments(x, cells)
