r"""What every potential can do: dual variables, their inverse, conjugates, Bregman divergences.

A potential is a strictly convex differentiable function :math:`\varphi` of one variable. Three methods make one (its value
and two derivatives); the rest follows. ``catalogue`` has closed forms of the rest, ``custom`` takes functions.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .arrays import as_arrays, namespace
from .divergences import remainder
from .inverse import invert_increasing

__all__ = ["Potential"]

_METHODS = ("__call__", "gradient", "hessian", "inverse_gradient", "mirror", "conjugate", "divergence")


def _elementwise(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method for whatever can be read as float64 arrays; it overflows to infinity, and passes NaN on, without a warning."""

    @wraps(method)
    def wrapped(self: Any, *points: Any, **named: Any) -> Any:
        if named:
            points = signature(method).bind(self, *points, **named).args[1:]
        with np.errstate(all="ignore"):
            return method(self, *as_arrays(*points))

    return wrapped


class Potential(ABC):
    r"""A strictly convex, differentiable function :math:`\varphi` of one variable.

    Subclasses give ``__call__``, ``gradient`` and ``hessian``, all vectorised; ``domain`` is the open interval
    on which :math:`\varphi` lives, and :math:`\varphi'` must map it onto the whole line for
    ``inverse_gradient`` to exist everywhere. Whatever a method is called with, it receives float64 arrays, of NumPy or
    torch, of one shape.
    """

    domain: tuple[float, float] = (-np.inf, np.inf)

    def __init_subclass__(cls, **options: Any) -> None:
        """Let the methods of every potential take lists and numbers, and overflow without a warning."""
        super().__init_subclass__(**options)
        for name in _METHODS:
            if name in vars(cls):
                setattr(cls, name, _elementwise(vars(cls)[name]))

    @abstractmethod
    def __call__(self, x: ArrayLike) -> Any:
        r"""Value :math:`\varphi(x)`, of the shape of ``x``."""

    @abstractmethod
    def gradient(self, x: ArrayLike) -> Any:
        r"""Derivative :math:`\varphi'(x)`, the dual variable of ``x``."""

    @abstractmethod
    def hessian(self, x: ArrayLike) -> Any:
        r"""Second derivative :math:`\varphi''(x)`."""

    @_elementwise
    def inverse_gradient(self, z: Any) -> Any:
        r"""The primal point :math:`x = (\varphi')^{-1}(z)`, by the safeguarded Newton method of ``ibtext.potentials.inverse``.

        Accurate to the rounding of ``gradient``, for tiny and huge ``z``, on the line, on half-lines and on intervals; raises
        ``ConvergenceError`` where :math:`\varphi'` does not reach ``z``.
        """
        return invert_increasing(self.gradient, self.hessian, z, domain=self.domain)

    @_elementwise
    def mirror(self, z: Any) -> tuple[Any, Any]:
        r"""The pair :math:`x = (\varphi')^{-1}(z)` and ``inverse_hessian``, :math:`1/\varphi''(x)`: they share their cost."""
        x = self.inverse_gradient(z)
        return x, 1 / self.hessian(x)

    @_elementwise
    def conjugate(self, z: Any) -> Any:
        r"""Convex conjugate :math:`\varphi^*(z) = \sup_x (zx - \varphi(x))`, attained at ``inverse_gradient(z)``."""
        x = self.inverse_gradient(z)
        return z * x - self(x)

    @_elementwise
    def divergence(self, x: Any, y: Any) -> Any:
        r"""Bregman divergence :math:`D_\varphi(x,y)=\varphi(x)-\varphi(y)-\varphi'(y)(x-y)\ge 0`, coordinatewise.

        Where the three terms cancel to fewer than 13 digits, the points are neighbours, and the remainder
        :math:`(x-y)^2\int_0^1(1-t)\,\varphi''(y+t(x-y))\,dt` is integrated by ten Gauss nodes instead.
        """
        xp = namespace(x)
        h, value_x, value_y = x - y, self(x), self(y)
        linear = self.gradient(y) * h
        plain = value_x - value_y - linear
        near = plain < 1e-3 * (xp.abs(value_x) + xp.abs(value_y) + xp.abs(linear))
        if not bool(xp.any(near)):
            return plain
        h = xp.where(near, h, xp.zeros_like(h))
        return xp.where(near, h**2 * remainder(self.hessian, y, h), plain)

    def _check_domain(self, x: Any, *, closed: bool = False) -> None:
        """Refuse points outside the domain; ``closed`` lets its ends (and NaN) pass, which solvers meet when they overflow."""
        xp, (low, high) = namespace(x), self.domain
        inside = ~((x < low) | (x > high)) if closed else (x > low) & (x < high)
        if not bool(xp.all(inside)):
            raise ValueError(
                f"{type(self).__name__} is defined for {low} < x < {high}, but {float(x[~inside][0])} was given; start inside "
                f"the domain, for instance at 0.1."
            )
