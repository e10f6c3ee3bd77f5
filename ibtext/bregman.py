r"""What every potential has in common: dual variables, conjugates, Bregman divergences, scaling with the width.

A potential is a strictly convex differentiable function :math:`\varphi` of one variable. ``ibtext.potentials`` is
the catalogue; a new one needs three methods.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_array_api_obj

from .errors import ConvergenceError

__all__ = ["Potential", "Scaled", "as_array"]


def as_array(x: Any) -> tuple[Any, Any]:
    """Return ``(x as float64 array, its namespace)``; plain numbers and lists become NumPy arrays."""
    if not is_array_api_obj(x):
        x = np.asarray(x, dtype=np.float64)
    xp = array_namespace(x)
    return (x if x.dtype == xp.float64 else xp.astype(x, xp.float64)), xp


class Potential(ABC):
    r"""A strictly convex, differentiable function :math:`\varphi` of one variable.

    Subclasses give ``__call__``, ``gradient`` and ``hessian``, all vectorised; ``domain`` is the open interval
    on which :math:`\varphi` lives, and :math:`\varphi'` must map it onto the whole line for
    ``inverse_gradient`` to exist everywhere.
    """

    domain: tuple[float, float] = (-np.inf, np.inf)

    @abstractmethod
    def __call__(self, x: Any) -> Any:
        r"""Value :math:`\varphi(x)`, of the shape of ``x``."""

    @abstractmethod
    def gradient(self, x: Any) -> Any:
        r"""Derivative :math:`\varphi'(x)`, the dual variable of ``x``."""

    @abstractmethod
    def hessian(self, x: Any) -> Any:
        r"""Second derivative :math:`\varphi''(x)`."""

    def inverse_gradient(self, z: Any) -> Any:
        r"""The primal point :math:`x = (\varphi')^{-1}(z)`.

        Safeguarded Newton iteration: a bracket is doubled until it holds the root, then Newton steps that
        leave it are replaced by bisection. Relative accuracy about 1e-15; raises ``ConvergenceError`` where
        :math:`\varphi'` does not reach ``z``.
        """
        z, xp = as_array(z)
        low, high = self.domain
        if np.isfinite(low) or np.isfinite(high):
            raise NotImplementedError(
                f"{type(self).__name__} lives on {self.domain}: give it an inverse_gradient of its own."
            )
        a, b = xp.zeros_like(z) - 1.0, xp.zeros_like(z) + 1.0
        for _ in range(500):
            too_low, too_high = self.gradient(b) < z, self.gradient(a) > z
            if not bool(xp.any(too_low) | xp.any(too_high)):
                break
            b, a = xp.where(too_low, 2 * b, b), xp.where(too_high, 2 * a, a)
        else:
            raise ConvergenceError(
                "the gradient of a potential must reach every dual value, but no bracket was found for "
                f"{float(xp.max(xp.abs(z)))}, probably because the gradient is bounded; use a potential that "
                "grows faster than linearly."
            )
        x = 0.5 * (a + b)
        for _ in range(200):
            value = self.gradient(x) - z
            a, b = xp.where(value <= 0, x, a), xp.where(value >= 0, x, b)
            newton = x - value / self.hessian(x)
            inside = (newton > a) & (newton < b)
            new = xp.where(inside, newton, 0.5 * (a + b))
            if bool(xp.all(xp.abs(new - x) <= 4e-16 * xp.abs(new))):
                return new
            x = new
        return x

    def conjugate(self, z: Any) -> Any:
        r"""Convex conjugate :math:`\varphi^*(z) = \sup_x (zx - \varphi(x))`, attained at ``inverse_gradient(z)``."""
        z, _ = as_array(z)
        x = self.inverse_gradient(z)
        return z * x - self(x)

    def divergence(self, x: Any, y: Any) -> Any:
        r"""Bregman divergence :math:`D_\varphi(x,y)=\varphi(x)-\varphi(y)-\varphi'(y)(x-y)\ge 0`, coordinatewise."""
        x, _ = as_array(x)
        y, _ = as_array(y)
        return self(x) - self(y) - self.gradient(y) * (x - y)

    def _check_domain(self, x: Any, xp: Any) -> None:
        low, high = self.domain
        inside = (x > low) & (x < high)
        if not bool(xp.all(inside)):
            bad = float(xp.reshape(x, (-1,))[int(xp.argmin(xp.astype(xp.reshape(inside, (-1,)), xp.int64)))])
            raise ValueError(
                f"{type(self).__name__} is defined for {low} < x < {high}, but {bad} was given, probably a start "
                f"at zero or a sign error; start inside the domain, for instance at 0.1."
            )


@dataclass(frozen=True)
class _AtWidth(Potential):
    r"""The scaled potential of one coordinate at width n: :math:`n^{-2} \varphi(n x)`."""

    phi: Potential
    n: int

    def __call__(self, x):
        x, _ = as_array(x)
        return self.phi(self.n * x) / self.n**2

    def gradient(self, x):
        x, _ = as_array(x)
        return self.phi.gradient(self.n * x) / self.n

    def hessian(self, x):
        x, _ = as_array(x)
        return self.phi.hessian(self.n * x)

    def inverse_gradient(self, z):
        z, _ = as_array(z)
        return self.phi.inverse_gradient(self.n * z) / self.n


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
        return _AtWidth(self.phi, n)
