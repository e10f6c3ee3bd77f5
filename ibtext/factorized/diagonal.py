r"""The potential of a diagonal linear network.

Weights :math:`w = u^D` (one sign) or :math:`w = u^D - v^D` (both), every factor started at :math:`\alpha`, and gradient flow in
(u, v) for :math:`\frac12\|Aw-b\|^2`. With :math:`\zeta' = -A^T(Aw-b)`, :math:`\zeta(0)=0`, the factors are

.. math::

    u = \alpha e^{2\zeta} \quad (D = 2), \qquad
    u = \alpha (1 - s)^{-1/(D-2)}, \quad s = D(D-2)\alpha^{D-2}\zeta \quad (D > 2),

and v has :math:`-\zeta`. So w is a function of :math:`\zeta` alone, which is the inverse gradient of a potential: mirror flow in
w, in the same time. For D = 2 it is :math:`2\alpha^2\sinh 4\zeta`, a quarter of the hypentropy with
:math:`\beta = 2\alpha^2`, or :math:`\alpha^2 e^{4\zeta}`, a quarter of the entropy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import check_choice, check_count, check_points, shortened
from ..potentials import Potential
from ..potentials.arrays import as_array

__all__ = ["SIGNS", "DiagonalPotential", "check_depth"]

SIGNS = ("difference", "positive")


def check_depth(depth: Any) -> int:
    """A depth of at least two, or a refusal."""
    layers: int = check_count("depth", depth)
    if layers < 2:
        raise ValueError(
            f"depth must be at least 2, but {depth} was given, probably for an ordinary linear model; use "
            f"linear.bregman_projection for depth 1."
        )
    return layers


@dataclass(frozen=True, eq=False)
class DiagonalPotential(Potential):
    r"""The potential whose mirror flow in w is gradient flow in the factors of a diagonal linear network.

    Its inverse gradient is closed. The gradient is closed for D = 2 and for one sign; for :math:`u^D - v^D` with D > 2 it is
    found by eight Newton steps. :math:`\varphi'` vanishes at the start of training: at 0, or at
    :math:`\alpha^D` for one sign.

    Parameters
    ----------
    depth : int
        D, at least 2.
    scale : float or array (K,)
        :math:`\alpha`, the start of every factor; one number a coordinate gives a start with a shape.
    sign : "difference" or "positive"
        :math:`u^D - v^D` or :math:`u^D`.

    Source: Woodworth et al. (2020), Kernel and rich regimes in overparametrized models.

    Examples
    --------
    >>> phi = DiagonalPotential(depth=3, scale=0.5)
    >>> w = phi.inverse_gradient(0.2)
    >>> round(float(w), 6), round(float(phi.gradient(w)), 12)
    (0.307536, 0.2)
    """

    depth: int = 2
    scale: Any = 1.0
    sign: str = "difference"

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", check_depth(self.depth))
        check_choice("sign", self.sign, SIGNS)
        scale = check_points("scale", self.scale)
        if scale.ndim > 1 or not np.all(scale > 0):
            raise ValueError(
                f"scale must be one positive number, or one for each weight, but {self.scale!r} was given, probably to start at "
                f"zero, where a diagonal network stays forever; pass a small scale such as 1e-3."
            )
        if not np.all(np.abs(self.depth * np.log10(scale)) < 200):
            raise ValueError(
                f"scale to the power depth must lie between 1e-200 and 1e200, but scale={shortened(self.scale)} was given with "
                f"depth={self.depth}, probably a stand-in for a limit; pass a scale nearer to 1."
            )
        object.__setattr__(self, "scale", float(scale) if scale.ndim == 0 else scale)
        object.__setattr__(self, "domain", (0.0, np.inf) if self.sign == "positive" else (-np.inf, np.inf))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DiagonalPotential):
            return NotImplemented
        return (self.depth, self.sign) == (other.depth, other.sign) and np.array_equal(self.scale, other.scale)

    def __hash__(self) -> int:
        return hash((self.depth, self.sign, np.asarray(self.scale).tobytes()))

    def _units(self, x: Any) -> tuple[Any, Any, Any, Any]:
        """(x, its namespace, unit of weights, unit of dual variables): in these units alpha does not appear."""
        x, xp = as_array(x)
        alpha = xp.asarray(self.scale, dtype=xp.float64, device=x.device)
        rate = 4.0 if self.depth == 2 else self.depth * (self.depth - 2.0)
        return x, xp, alpha**self.depth, 1 / (rate * alpha ** (self.depth - 2))

    def _powers(self) -> tuple[float, float]:
        """a = D/(D-2), the exponent of the weights, and c = 2/(D-2), that of the conjugate."""
        return self.depth / (self.depth - 2), 2 / (self.depth - 2)

    def _weight(self, s: Any, xp: Any) -> Any:
        """Weight of a dual variable, both in their units."""
        if self.depth == 2:
            return 2 * xp.sinh(s) if self.sign == "difference" else xp.exp(s)
        a, _ = self._powers()
        # beyond s = 1 the weight is infinite: no dual variable of a finite network lies there
        if self.sign == "positive":
            inside = s < 1
            safe = xp.where(inside, s, xp.zeros_like(s))
            return xp.where(inside, xp.exp(-a * xp.log1p(-safe)), xp.zeros_like(s) + float("inf"))
        inside = xp.abs(s) < 1
        safe = xp.where(inside, s, xp.zeros_like(s))
        value = 2 * xp.exp(-a / 2 * xp.log1p(-(safe**2))) * xp.sinh(a * xp.atanh(safe))
        return xp.where(inside, value, xp.where(s > 0, float("inf"), -float("inf")))

    def _slope(self, s: Any, xp: Any) -> Any:
        """Derivative of ``_weight``."""
        if self.depth == 2:
            return 2 * xp.cosh(s) if self.sign == "difference" else xp.exp(s)
        a, _ = self._powers()
        if self.sign == "positive":
            return a * (1 - s) ** (-a - 1)
        return a * ((1 - s) ** (-a - 1) + (1 + s) ** (-a - 1))

    def _dual(self, r: Any, xp: Any) -> Any:
        """Inverse of ``_weight``."""
        if self.depth == 2:
            return xp.asinh(r / 2) if self.sign == "difference" else xp.log(r)
        a, _ = self._powers()
        if self.sign == "positive":
            return -xp.expm1(-xp.log(r) / a)
        finite = xp.isfinite(r)
        size = xp.abs(xp.where(finite, r, xp.zeros_like(r)))
        s = 1 - self._edge(size, xp)
        for _ in range(2):  # small weights: s itself, not 1 - s, needs its digits
            steepness = self._slope(s, xp)
            step = (self._weight(s, xp) - size) / xp.where(steepness > 0, steepness, xp.ones_like(s))
            s = xp.where(s < 0.5, s - step, s)
        return xp.where(finite, xp.sign(r) * s, xp.where(r > 0, 1.0, -1.0))

    def _edge(self, size: Any, xp: Any) -> Any:
        """q = 1 - s for a weight of this size, "difference" with D > 2.

        The equation is q = (size + (2 - q)^-a)^(-1/a), almost linear in q: Newton needs few steps from any start.
        """
        a, _ = self._powers()
        q = (size + 1) ** (-1 / a)
        for _ in range(6):
            v = (2 - q) ** -a
            right = (size + v) ** (-1 / a)
            q = xp.clip(q - (q - right) / (1 + right / (size + v) * v / (2 - q)), 1e-300, 1.0)
        return q

    def gradient(self, x: Any) -> Any:
        x, xp, unit, dual_unit = self._units(x)
        self._check_domain(x)
        return dual_unit * self._dual(x / unit, xp)

    def hessian(self, x: Any) -> Any:
        x, xp, unit, dual_unit = self._units(x)
        self._check_domain(x, closed=True)
        r = x / unit
        if self.sign == "positive":
            power = 2 - 2 / self.depth
            return dual_unit / unit / ((1.0 if self.depth == 2 else self._powers()[0]) * r**power)
        if self.depth == 2:
            return dual_unit / unit / (2 * xp.hypot(xp.ones_like(r), r / 2))
        a, _ = self._powers()
        q = self._edge(xp.abs(r), xp)
        return dual_unit / unit / (a * (q ** (-a - 1) + (2 - q) ** (-a - 1)))

    def inverse_gradient(self, z: Any) -> Any:
        z, xp, unit, dual_unit = self._units(z)
        return unit * self._weight(z / dual_unit, xp)

    def conjugate(self, z: Any) -> Any:
        r"""Convex conjugate, normalised to vanish at 0 for "difference"; infinite where no weight has this dual."""
        z, xp, unit, dual_unit = self._units(z)
        s = z / dual_unit
        if self.depth == 2:
            value = 4 * xp.sinh(s / 2) ** 2 if self.sign == "difference" else xp.exp(s)
            return unit * dual_unit * value
        _, c = self._powers()
        inside = s < 1 if self.sign == "positive" else xp.abs(s) < 1
        safe = xp.where(inside, s, xp.zeros_like(s))
        if self.sign == "positive":
            value = xp.exp(-c * xp.log1p(-safe)) / c
        else:
            angle = c * xp.atanh(safe)
            value = 2 * (xp.expm1(-c / 2 * xp.log1p(-(safe**2))) * xp.cosh(angle) + 2 * xp.sinh(angle / 2) ** 2) / c
        return unit * dual_unit * xp.where(inside, value, xp.zeros_like(s) + float("inf"))

    def __call__(self, x: Any) -> Any:
        x, _, _, _ = self._units(x)
        z = self.gradient(x)
        return x * z - self.conjugate(z)
