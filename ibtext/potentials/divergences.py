r"""Bregman divergences that do not cancel: of the exponential, of powers, and of what is built from them.

:math:`D_f(x, y) = f(x) - f(y) - f'(y)(x - y)` loses all its digits in the plain form when x and y are neighbours, and
overflows when its terms do. Each form here is a sum of terms of one sign.
"""

from collections.abc import Callable
from typing import Any

from ..numerics.gauss import gauss_legendre
from .arrays import namespace

__all__ = ["asinh_difference", "exp_divergence", "log_ratio", "power_divergence", "remainder"]

_NODES, _WEIGHTS = gauss_legendre(10)


def remainder(second: Callable[[Any], Any], y: Any, h: Any) -> Any:
    r"""The integral :math:`\int_0^1(1-t)\,f''(y+th)\,dt`, the Taylor remainder of f over :math:`h^2`."""
    return sum(float(w * (1 - t)) * second(y + float(t) * h) for t, w in zip(_NODES, _WEIGHTS, strict=True))


def exp_divergence(y: Any, h: Any) -> Any:
    r"""The divergence of exp: :math:`e^{y+h} - e^y - h e^y`, with the difference :math:`h = x - y` given.

    For :math:`|h| < 1` it is :math:`e^y h^2 \int_0^1 (1-t) e^{th} dt`, a sum of positive terms; for large positive h the
    factor :math:`e^{y+h}` stands outside, so that it overflows only where the divergence does.
    """
    xp = namespace(y)
    near, rises = xp.abs(h) < 1, h > 0
    small, up, down = xp.where(near, h, 0.0), xp.where(rises, h, 0.0), xp.where(rises, 0.0, h)
    close = xp.exp(y) * small**2 * remainder(xp.exp, xp.zeros_like(small), small)
    rising = xp.exp(xp.where(rises, y + up, 0.0)) * (1 - (1 + up) * xp.exp(-up))
    falling = xp.exp(xp.where(rises, 0.0, y)) * (xp.exp(down) - 1 - down)
    return xp.where(near, close, xp.where(rises, rising, falling))


def log_ratio(x: Any, y: Any) -> Any:
    """log(x / y) for positive x and y, to full relative accuracy for neighbours and without overflow."""
    xp = namespace(x)
    near = (x > 0.5 * y) & (x < 2 * y)
    change = xp.where(near, (x - y) / xp.where(near, y, 1.0), 0.0)
    return xp.where(near, xp.log1p(change), xp.log(x) - xp.log(y))


def asinh_difference(x: Any, y: Any, beta: float) -> Any:
    """asinh(x / beta) - asinh(y / beta), to full relative accuracy for neighbours and without overflow."""
    xp = namespace(x)
    same = (x >= 0) == (y >= 0)
    a, b, one = xp.abs(x), xp.abs(y), xp.ones_like(x)
    top, low = xp.where(a > b, a, b), xp.where(a > b, b, a)
    root_top, root_low = xp.hypot(top, beta * one), xp.hypot(low, beta * one)
    # (top + root_top) / (low + root_low) = 1 + grow, every term positive
    grow = (top - low) / (low + root_low) * (1 + (top / 2 + low / 2) / (root_top / 2 + root_low / 2))
    near = grow < 1
    size = xp.where(near, xp.log1p(xp.where(near, grow, 0.0)), xp.asinh(top / beta) - xp.asinh(low / beta))
    sign = xp.where((a > b) == (x >= 0), one, -one)
    return xp.where(same, sign * size, xp.asinh(x / beta) - xp.asinh(y / beta))


def power_divergence(x: Any, y: Any, p: float) -> Any:
    r"""The divergence of :math:`|x|^p`, p > 1: :math:`|x|^p - |y|^p - p\,\operatorname{sgn}(y)|y|^{p-1}(x-y)`.

    Homogeneous of degree p, so the larger of :math:`|x|, |y|` stands outside and only their ratio s is left. Neighbours take
    the remainder integral, which ten nodes integrate to rounding for a relative difference below
    :math:`\min(1/2, 1/p)`; beyond it no digit cancels.
    """
    xp = namespace(x)
    a, b = xp.abs(x), xp.abs(y)
    same = (x >= 0) == (y >= 0)
    top = xp.where(a > b, a, b)
    safe = xp.where(top > 0, top, 1.0)
    s = xp.where(a > b, b, a) / safe
    grow = xp.where(s > 0, xp.expm1((p - 1) * xp.log(xp.where(s > 0, s, 1.0))), -1.0)  # s^(p-1) - 1
    # |y| outside, s = |x|/|y|: s^p - 1 - p(s - 1); |x| outside, s = |y|/|x|: 1 - s^p - p s^(p-1)(1 - s)
    inner = xp.where(a > b, -grow - (p - 1) * (1 + grow) * (1 - s), s * grow + (p - 1) * (1 - s))
    opposite = xp.where(a > b, 1 + p * (1 + grow) + (p - 1) * (1 + grow) * s, s * (1 + grow) + p * s + (p - 1))
    plain = safe**p * xp.where(same, inner, opposite)
    near = same & (b > 0) & (xp.abs(x - y) < min(0.5, 1 / p) * b)
    h = xp.where(near, x - y, 0.0)
    base = xp.where(near, b, 1.0)
    ratio = xp.where(y >= 0, h, -h) / base
    close = p * (p - 1) * remainder(lambda r: (1 + r) ** (p - 2), xp.zeros_like(a), ratio) * (ratio * base ** (p / 2)) ** 2
    return xp.where(near, close, xp.where(top > 0, plain, 0.0))
