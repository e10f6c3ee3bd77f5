r"""The derivative of a function that is given by its values.

If f is analytic and takes complex numbers, :math:`f'(x) = \operatorname{Im} f(x + ih)/h` with a tiny h has every digit, for
nothing cancels. Elsewhere f is interpolated at 16 Chebyshev nodes around x, and the interpolant differentiated: 13 digits
where f is smooth.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..numerics.arrays import Array
from .arrays import namespace

__all__ = ["derivative", "is_analytic", "room", "rough_derivative"]

Function = Callable[[Any], Any]

_STEP = 1e-100
_COUNT = 16
_ANGLES = np.pi * (np.arange(_COUNT) + 0.5) / _COUNT
_ODD = np.arange(1, _COUNT, 2)
_SERIES = 2 / _COUNT * np.cos(np.outer(_ANGLES, _ODD))
"""From values at the nodes to the odd coefficients of the Chebyshev series, which alone have a slope at the centre."""


def derivative(f: Function, x: Array, domain: tuple[float, float], *, analytic: bool = False) -> Array:
    """The derivative of f at points x, shape (N,), inside an open interval; NaN where it cannot be found.

    ``analytic`` says that f ``is_analytic``: 15 digits from three evaluations, instead of 13 from 16 or more.
    """
    if not analytic:
        return _from_interpolant(f, x, domain)
    with np.errstate(all="ignore"):
        slope = _complex_step(f, x)
        # a branch that is not analytic shows against plain differences
        wrong = ~(np.abs(slope - rough_derivative(f, x, domain)) <= 1e-4 * np.abs(slope))
    if wrong.any():
        slope[wrong] = _from_interpolant(f, x[wrong], domain)
    return slope


def is_analytic(f: Function, x: Array, domain: tuple[float, float]) -> bool:
    """Whether complex steps give the derivative of f at the points x, shape (N,)."""
    try:
        with np.errstate(all="ignore"):
            slope = _complex_step(f, x)
    except (TypeError, ValueError):
        return False
    numeric = _from_interpolant(f, x, domain)
    return slope.shape == x.shape and bool(np.all(np.abs(slope - numeric) <= 1e-7 * np.abs(numeric)))


def rough_derivative(f: Function, x: Any, domain: tuple[float, float]) -> Any:
    """Some eight digits from two evaluations, for x of any shape and library: enough to guide Newton's method."""
    xp = namespace(x)
    h = 1e-5 * xp.where(xp.abs(x) > 1e-3, xp.abs(x), 1e-3)
    for edge in domain:
        if np.isfinite(edge):
            h = xp.where(h < 1e-3 * xp.abs(x - edge), h, 1e-3 * xp.abs(x - edge))
    return (f(x + h) - f(x - h)) / (2 * h)


def room(x: Array, domain: tuple[float, float]) -> Array:
    """A first step for differences at x: a quarter of its size, well inside the domain."""
    low, high = domain
    return np.asarray(np.minimum(0.25 * np.maximum(np.abs(x), 0.125), 0.3 * np.minimum(x - low, high - x)), dtype=np.float64)


def _complex_step(f: Function, x: Array) -> Array:
    return np.asarray(np.asarray(f(x + 1j * _STEP)).imag / _STEP, dtype=np.float64)


def _from_interpolant(f: Function, x: Array, domain: tuple[float, float]) -> Array:
    """The interval around a point shrinks by factors of four until the series ends in rounding, or until rounding outgrows
    what is left of it; the best derivative is kept, NaN where there is no room.
    """
    best, error = np.full(x.size, np.nan), np.full(x.size, np.inf)
    step, todo = room(x, domain), np.arange(x.size)
    with np.errstate(all="ignore"):
        for level in range(30):
            if not todo.size:
                break
            h = step[todo] * 4.0**-level
            values = np.asarray(f((x[todo, None] + h[:, None] * np.cos(_ANGLES)).ravel()), dtype=np.float64).reshape(-1, _COUNT)
            series = values @ _SERIES
            slope = (series @ (_ODD * np.sin(_ODD * np.pi / 2))) / h
            noise = 1e-16 * np.max(np.abs(values), axis=1) * _COUNT / h
            loss = _COUNT * np.max(np.abs(series[:, -2:]), axis=1) / h + noise
            better = loss < error[todo]
            at = todo[better]
            best[at], error[at] = slope[better], loss[better]
            todo = todo[(error[todo] > 1e-14 * np.abs(best[todo])) & (4 * noise < error[todo])]
    return best
