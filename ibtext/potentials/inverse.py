r"""Inverse of an increasing function, elementwise: safeguarded Newton iteration for arrays.

Newton steps find the root of :math:`g(x) = z` to the last digit when they start well; bisection always finds it. The
iteration here takes the Newton step while it at least halves the residual inside a shrinking bracket, and bisects
otherwise. Bisection halves the number of floating-point numbers in the bracket, not its length, so 64 of them suffice
whether the root is :math:`10^{-200}` or :math:`10^{200}`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import ConvergenceError
from .arrays import as_array

__all__ = ["invert_increasing"]


def invert_increasing(
    g: Callable[[Any], Any],
    slope: Callable[[Any], Any],
    target: Any,
    *,
    domain: tuple[float, float] = (-np.inf, np.inf),
) -> Any:
    r"""Solve :math:`g(x) = z` elementwise for an increasing function on an open interval.

    Parameters
    ----------
    g, slope : functions of an array
        The function and its derivative; the derivative only speeds the iteration up, it may be approximate.
    target : array
        Values z, any shape, NumPy or torch. NaN stays NaN.
    domain : (float, float)
        The open interval on which g lives; either end may be infinite.

    Returns
    -------
    array
        Roots, to the rounding of ``g``. Where g grows without bound but reaches z beyond the range of floating-point
        numbers, the end of the domain.

    Raises
    ------
    ConvergenceError
        If g is bounded and does not reach a target.

    Notes
    -----
    Cost: about 10 evaluations of ``g`` and ``slope``, at most 160.

    Examples
    --------
    >>> import numpy as np
    >>> invert_increasing(np.log, lambda x: 1 / x, np.array([-600.0, 0.0, 1.0]), domain=(0.0, np.inf))
    array([2.65039655e-261, 1.00000000e+000, 2.71828183e+000])
    """
    target, xp = as_array(target)
    z = xp.reshape(target, (-1,))
    low, high = domain
    with np.errstate(all="ignore"):
        a, b, below, above = _bracket(g, z, domain, xp)
        x = 0.5 * a + 0.5 * b
        x = xp.where((x > a) & (x < b), x, a)
        value = g(x) - z
        noise = 2.3e-16 * xp.abs(z)  # rounding of g where it meets z
        done = (xp.abs(value) <= noise) | (z != z) | below | above
        for k in range(160):
            if bool(xp.all(done)):
                break
            a, b = xp.where(value <= 0, x, a), xp.where(value >= 0, x, b)
            steepness = slope(x)
            new = x - value / steepness
            inside = (new > a) & (new < b)
            if k >= 20 and k % 2:  # whatever the function does, every second step halves the bracket now
                inside = inside & (new != new)
            settled = (xp.abs(new - x) <= 5e-16 * xp.abs(x)) & xp.isfinite(steepness)
            new = xp.where(inside, new, xp.where(settled, x, _middle(a, b, xp)))
            new_value = g(new) - z
            slow = inside & ~settled & ~(xp.abs(new_value) <= 0.5 * xp.abs(value))
            if bool(xp.any(slow & ~done)):
                a = xp.where(slow & (new_value <= 0), new, a)
                b = xp.where(slow & (new_value >= 0), new, b)
                new = xp.where(slow, _middle(a, b, xp), new)
                new_value = g(new) - z
            tight = _middle(a, b, xp) == a
            x, value = xp.where(done, x, new), xp.where(done, value, new_value)
            done = done | (xp.abs(value) <= noise) | settled | tight
        else:
            raise ConvergenceError(
                "the inverse of a gradient must be found to rounding, but 160 steps did not settle it, probably because the "
                "gradient does not increase everywhere; check the derivative of the potential."
            )
    x = xp.where(below, xp.zeros_like(x) + low, xp.where(above, xp.zeros_like(x) + high, x))
    return xp.reshape(xp.where(z == z, x, z), target.shape)


_MIN = -(2**63)


def _ordinal(x: Any, xp: Any) -> Any:
    """Integers in the order of the floats: neighbouring floats differ by one."""
    bits = x.view(xp.int64)
    return xp.where(bits < 0, _MIN - bits, bits)


def _float(ordinal: Any, xp: Any) -> Any:
    return xp.where(ordinal < 0, _MIN - ordinal, ordinal).view(xp.float64)


def _middle(a: Any, b: Any, xp: Any) -> Any:
    i, j = _ordinal(a, xp), _ordinal(b, xp)
    return _float(i // 2 + j // 2 + (i & j & 1), xp)


def _centre(low: float, high: float) -> float:
    if np.isfinite(low) and np.isfinite(high):
        return 0.5 * (low + high)
    if np.isfinite(low):
        return low + max(1.0, abs(low))
    if np.isfinite(high):
        return high - max(1.0, abs(high))
    return 0.0


def _outward(end: float, centre: float, k: int) -> float:
    """The k-th of a sequence of points from the centre to one end of the domain, ever faster."""
    power = float(k * (k + 1) // 2) if k < 45 else (1074.0 if np.isfinite(end) else 1023.0)
    if not np.isfinite(end):
        return centre + float(np.copysign(2.0**power, end))
    point = end + (centre - end) * 2.0**-power
    return float(np.nextafter(end, centre)) if point == end else float(point)


def _bracket(g: Callable[[Any], Any], z: Any, domain: tuple[float, float], xp: Any) -> tuple[Any, Any, Any, Any]:
    """Points a <= root <= b; and masks of targets below and above everything that a float can reach."""
    low, high = domain
    centre = _centre(low, high)
    ends = []
    at_centre = g(xp.zeros_like(z) + centre)
    for sign, end in ((-1.0, low), (1.0, high)):
        inner = outer = xp.zeros_like(z) + centre
        value = last = at_centre
        short = sign * (z - value) > 0
        for k in range(46):
            if not bool(xp.any(short)):
                break
            point = _outward(end, centre, k)
            inner, outer = xp.where(short, outer, inner), xp.where(short, xp.zeros_like(z) + point, outer)
            last, value = value, g(outer)
            short = sign * (z - value) > 0
        # the last two points are 2^33 or more apart: a gradient that has stopped growing there is bounded
        if bool(xp.any(short & ~(sign * (value - last) > 1e-9 * xp.abs(last)))):
            raise ConvergenceError(
                f"the gradient of a potential must reach every dual value, but {float(z[short][0])} lies beyond it, because the "
                f"gradient is bounded; use a potential that grows faster than linearly."
            )
        ends.append((inner, outer, short))
    (left_inner, left, below), (right_inner, right, above) = ends
    # a target below the centre has its root between two left points, otherwise between two right ones
    is_left = z < at_centre
    return xp.where(is_left, left, right_inner), xp.where(is_left, left_inner, right), below, above
