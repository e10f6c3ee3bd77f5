r"""What every potential has in common: dual variables, conjugates, Bregman divergences, scaling with the width.

A potential is a strictly convex differentiable function :math:`\varphi` of one variable. ``ibtext.potentials`` is
the catalogue; a new one needs three methods.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

from ..errors import check_count
from ..numerics.gauss import gauss_legendre
from .inverse import as_array, invert_increasing

__all__ = ["Potential", "Scaled", "as_array", "as_pair", "remainder"]

_NODES, _WEIGHTS = gauss_legendre(10)


def remainder(second: Callable[[Any], Any], y: Any, h: Any) -> Any:
    r"""The integral :math:`\int_0^1(1-t)\,f''(y+th)\,dt`, the Taylor remainder of f over :math:`h^2`."""
    return sum(float(w * (1 - t)) * second(y + float(t) * h) for t, w in zip(_NODES, _WEIGHTS, strict=True))


_METHODS = ("__call__", "gradient", "hessian", "inverse_gradient", "mirror", "conjugate", "divergence")


def _quietly(method: Callable[..., Any]) -> Callable[..., Any]:
    """The method without floating-point warnings."""

    @wraps(method)
    def quiet(*arguments: Any, **options: Any) -> Any:
        with np.errstate(all="ignore"):
            return method(*arguments, **options)

    return quiet


def as_pair(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Two float64 arrays of one shape, and their namespace."""
    (x, xp), (y, _) = as_array(x), as_array(y)
    try:
        x, y = xp.broadcast_arrays(x, y)
    except (ValueError, RuntimeError):
        raise ValueError(
            f"x and y must have shapes that broadcast, but {tuple(x.shape)} and {tuple(y.shape)} were given, probably "
            f"a row and a "
            f"column; pass arrays of one shape."
        ) from None
    return x, y, xp


class Potential(ABC):
    r"""A strictly convex, differentiable function :math:`\varphi` of one variable.

    Subclasses give ``__call__``, ``gradient`` and ``hessian``, all vectorised; ``domain`` is the open interval
    on which :math:`\varphi` lives, and :math:`\varphi'` must map it onto the whole line for
    ``inverse_gradient`` to exist everywhere.
    """

    domain: tuple[float, float] = (-np.inf, np.inf)

    def __init_subclass__(cls, **options: Any) -> None:
        """Let the methods of every potential overflow to infinity, and pass NaN on, without a warning."""
        super().__init_subclass__(**options)
        for name in _METHODS:
            if callable(method := vars(cls).get(name)) and not getattr(method, "__isabstractmethod__", False):
                setattr(cls, name, _quietly(method))

    @abstractmethod
    def __call__(self, x: Any) -> Any:
        r"""Value :math:`\varphi(x)`, of the shape of ``x``."""

    @abstractmethod
    def gradient(self, x: Any) -> Any:
        r"""Derivative :math:`\varphi'(x)`, the dual variable of ``x``."""

    @abstractmethod
    def hessian(self, x: Any) -> Any:
        r"""Second derivative :math:`\varphi''(x)`."""

    @_quietly
    def inverse_gradient(self, z: Any) -> Any:
        r"""The primal point :math:`x = (\varphi')^{-1}(z)`, by the safeguarded Newton method of ``ibtext.potentials.inverse``.

        Accurate to the rounding of ``gradient``, for tiny and huge ``z``, on the line, on half-lines and on intervals; raises
        ``ConvergenceError`` where :math:`\varphi'` does not reach ``z``.
        """
        return invert_increasing(self.gradient, self._newton_slope, z, domain=self.domain)

    def _newton_slope(self, x: Any) -> Any:
        """The second derivative, as accurate as Newton's method needs it."""
        return self.hessian(x)

    @_quietly
    def mirror(self, z: Any) -> tuple[Any, Any]:
        r"""The pair :math:`x = (\varphi')^{-1}(z)` and :math:`1/\varphi''(x)`, which share most of their cost."""
        x = self.inverse_gradient(z)
        return x, 1 / self.hessian(x)

    @_quietly
    def conjugate(self, z: Any) -> Any:
        r"""Convex conjugate :math:`\varphi^*(z) = \sup_x (zx - \varphi(x))`, attained at ``inverse_gradient(z)``."""
        z, _ = as_array(z)
        x = self.inverse_gradient(z)
        return z * x - self(x)

    @_quietly
    def divergence(self, x: Any, y: Any) -> Any:
        r"""Bregman divergence :math:`D_\varphi(x,y)=\varphi(x)-\varphi(y)-\varphi'(y)(x-y)\ge 0`, coordinatewise.

        Where the three terms cancel to fewer than 13 digits, the points are neighbours, and the remainder
        :math:`(x-y)^2\int_0^1(1-t)\,\varphi''(y+t(x-y))\,dt` is integrated by ten Gauss nodes instead.
        """
        x, y, xp = as_pair(x, y)
        h, value_x, value_y = x - y, self(x), self(y)
        linear = self.gradient(y) * h
        plain = value_x - value_y - linear
        near = plain < 1e-3 * (xp.abs(value_x) + xp.abs(value_y) + xp.abs(linear))
        if not bool(xp.any(near)):
            return plain
        h = xp.where(near, h, xp.zeros_like(h))
        return xp.where(near, h**2 * remainder(self.hessian, y, h), plain)

    def _check_domain(self, x: Any, xp: Any, *, closed: bool = False) -> None:
        """Refuse points outside the domain; ``closed`` lets its ends (and NaN) pass, which solvers meet when they overflow."""
        low, high = self.domain
        inside = ~((x < low) | (x > high)) if closed else (x > low) & (x < high)
        if not bool(xp.all(inside)):
            bad = float(xp.reshape(x, (-1,))[int(xp.argmin(xp.where(xp.reshape(inside, (-1,)), 1, 0)))])
            raise ValueError(
                f"{type(self).__name__} is defined for {low} < x < {high}, but {bad} was given, probably a start "
                f"at zero or a sign error; start inside the domain, for instance at 0.1."
            )


@dataclass(frozen=True)
class _AtWidth(Potential):
    r"""The scaled potential of one coordinate at width n: :math:`n^{-2} \varphi(n x)`."""

    phi: Potential
    n: int

    def __post_init__(self) -> None:
        low, high = self.phi.domain
        object.__setattr__(self, "domain", (low / self.n, high / self.n))

    def __call__(self, x: Any) -> Any:
        x, _ = as_array(x)
        return self.phi(self.n * x) / self.n**2

    def gradient(self, x: Any) -> Any:
        x, _ = as_array(x)
        return self.phi.gradient(self.n * x) / self.n

    def hessian(self, x: Any) -> Any:
        x, _ = as_array(x)
        return self.phi.hessian(self.n * x)

    def inverse_gradient(self, z: Any) -> Any:
        z, _ = as_array(z)
        return self.phi.inverse_gradient(self.n * z) / self.n

    def conjugate(self, z: Any) -> Any:
        z, _ = as_array(z)
        return self.phi.conjugate(self.n * z) / self.n**2

    def divergence(self, x: Any, y: Any) -> Any:
        x, y, _ = as_pair(x, y)
        return self.phi.divergence(self.n * x, self.n * y) / self.n**2


@dataclass(frozen=True)
class Scaled:
    r"""The scaled potential :math:`\Phi(\theta) = n^{-2} \sum_k \varphi(n(\theta_k - \theta_{0,k}))` of width n.

    The displacement of each parameter of a network of width n is of order 1/n; the factor n inside makes
    :math:`\varphi` see displacements of order one, so that its shape matters at any width.

    Parameters
    ----------
    phi : Potential

    Source: Liang and Montúfar (2025), definition of scaled potentials.
    """

    phi: Potential

    def __post_init__(self) -> None:
        if not isinstance(self.phi, Potential):
            raise TypeError(
                f"Scaled needs a potential of this package, but {self.phi!r} was given, probably a class without its "
                f"brackets, a plain function or a Scaled one; pass for instance Scaled(PowerPotential(p=3))."
            )

    def at_width(self, n: int) -> Potential:
        """The potential that acts on one coordinate's displacement at width ``n``."""
        return _AtWidth(self.phi, check_count("n", n))
