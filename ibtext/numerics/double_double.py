r"""Arithmetic with twice the digits: a number is an unevaluated sum ``high + low`` of two doubles.

Iterative refinement gains digits only if the residual is computed with more digits than the solution has. These
few operations (Dekker 1971; Hida, Li and Bailey 2001) carry about 31 decimal digits, on every platform, at the
cost of 10 to 40 ordinary operations each, vectorised. Arrays broadcast as NumPy arrays do.
"""

from typing import NamedTuple

import numpy as np

from .arrays import Array

__all__ = ["Twofold", "add", "difference", "divide", "exact", "multiply", "shift"]


_SPLITTER = 134217729.0  # 2^27 + 1 cuts a double into two halves of 26 bits


class Twofold(NamedTuple):
    """The number ``high + low``, with ``|low|`` at most half a unit in the last place of ``high``.

    Examples
    --------
    >>> import numpy as np
    >>> one, tiny = exact(np.array([1.0])), exact(np.array([1e-25]))
    >>> float(difference(add(one, tiny), one).high[0])
    1e-25
    """

    high: Array
    low: Array


def exact(a: Array) -> Twofold:
    """A double as a twofold number."""
    return Twofold(a, np.zeros_like(a))


def _two_sum(a: Array, b: Array) -> Twofold:
    """``a + b`` without error."""
    s = a + b
    t = s - a
    return Twofold(s, (a - (s - t)) + (b - t))


def _renormalise(high: Array, low: Array) -> Twofold:
    s = high + low
    return Twofold(s, low - (s - high))


def _two_product(a: Array, b: Array) -> Twofold:
    """``a * b`` without error, below the overflow threshold divided by 2^27."""
    p = a * b
    t = _SPLITTER * a
    a1 = t - (t - a)
    a2 = a - a1
    t = _SPLITTER * b
    b1 = t - (t - b)
    b2 = b - b1
    return Twofold(p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2)


def shift(a: Twofold, b: Array) -> Twofold:
    """``a + b`` for an ordinary ``b``."""
    s = _two_sum(a.high, b)
    return _renormalise(s.high, s.low + a.low)


def add(a: Twofold, b: Twofold) -> Twofold:
    """``a + b``, also where the two almost cancel."""
    s, t = _two_sum(a.high, b.high), _two_sum(a.low, b.low)
    s = _renormalise(s.high, s.low + t.high)
    return _renormalise(s.high, s.low + t.low)


def difference(a: Twofold, b: Twofold) -> Twofold:
    """``a - b``."""
    return add(a, Twofold(-b.high, -b.low))


def multiply(a: Twofold, b: Array) -> Twofold:
    """``a * b`` for an ordinary ``b``."""
    p = _two_product(a.high, b)
    return _renormalise(p.high, p.low + a.low * b)


def divide(a: Twofold, b: Twofold) -> Twofold:
    """``a / b``."""
    q = a.high / b.high
    p = multiply(b, q)
    rest = (a.high - p.high) - p.low + a.low
    return _renormalise(q, rest / b.high)
