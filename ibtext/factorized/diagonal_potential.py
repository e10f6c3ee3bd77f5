r"""The potential of a diagonal linear network, to rounding at every scale of the start.

Its inverse gradient is the weight :math:`w(\zeta)` of ``diagonal``. For D = 2 it is :math:`2\alpha^2\sinh 4\zeta`, a quarter of
the hypentropy with :math:`\beta = 2\alpha^2`, or :math:`\alpha^2 e^{4\zeta}`, a quarter of the entropy. For D > 2 it is
:math:`\alpha^D((1-s)^{-a} - (1+s)^{-a})` with :math:`a = D/(D-2)`, or the first term alone.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import check_choice, check_count, check_points, shortened
from ..potentials import Potential
from ..potentials.arrays import namespace

__all__ = ["SIGNS", "DiagonalPotential"]

SIGNS = ("difference", "positive")


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
    scale: ArrayLike = 1.0
    sign: str = "difference"

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", _check_depth(self.depth))
        check_choice("sign", self.sign, SIGNS)
        scale = check_points("scale", self.scale)
        if scale.ndim > 1 or not np.all(scale > 0):
            raise ValueError(
                f"scale must be one positive number, or one for each weight, but {shortened(self.scale)} was given; pass a small "
                f"scale such as 1e-3 instead of zero, where a diagonal network stays forever."
            )
        if not np.all(np.abs(self.depth * np.log10(scale)) < 200):
            raise ValueError(
                f"scale to the power depth must lie between 1e-200 and 1e200, but scale={shortened(self.scale)} was given with "
                f"depth={self.depth}; pass a scale nearer to 1."
            )
        object.__setattr__(self, "scale", float(scale) if scale.ndim == 0 else scale)
        object.__setattr__(self, "domain", (0.0, np.inf) if self.sign == "positive" else (-np.inf, np.inf))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DiagonalPotential):
            return NotImplemented
        return (self.depth, self.sign) == (other.depth, other.sign) and np.array_equal(self.scale, other.scale)

    def __hash__(self) -> int:
        return hash((self.depth, self.sign, np.asarray(self.scale).tobytes()))

    def __call__(self, x: Any) -> Any:
        z = self.gradient(x)
        return x * z - self.conjugate(z)

    def gradient(self, x: Any) -> Any:
        self._check_domain(x)
        unit, dual_unit = self._units(x)
        return dual_unit * self._dual(x / unit)

    def hessian(self, x: Any) -> Any:
        self._check_domain(x, closed=True)
        unit, dual_unit = self._units(x)
        xp, r, a = namespace(x), x / unit, self._exponent
        if self.sign == "positive":
            slope = (1.0 if self.depth == 2 else a) * r ** (2 - 2 / self.depth)
        elif self.depth == 2:
            slope = 2 * xp.hypot(xp.ones_like(r), r / 2)
        else:
            q = self._edge(xp.abs(r))
            slope = a * (q ** (-a - 1) + (2 - q) ** (-a - 1))
        return dual_unit / unit / slope

    def inverse_gradient(self, z: Any) -> Any:
        unit, dual_unit = self._units(z)
        return unit * self._weight(z / dual_unit)

    def conjugate(self, z: Any) -> Any:
        r"""Convex conjugate, normalised to vanish at 0 for "difference"; infinite where no weight has this dual."""
        xp, (unit, dual_unit) = namespace(z), self._units(z)
        s = z / dual_unit
        if self.depth == 2:
            return unit * dual_unit * (4 * xp.sinh(s / 2) ** 2 if self.sign == "difference" else xp.exp(s))
        c = 2 / (self.depth - 2)
        inside = s < 1 if self.sign == "positive" else xp.abs(s) < 1
        safe = xp.where(inside, s, 0.0)
        if self.sign == "positive":
            value = xp.exp(-c * xp.log1p(-safe)) / c
        else:
            angle = c * xp.atanh(safe)
            value = 2 * (xp.expm1(-c / 2 * xp.log1p(-(safe**2))) * xp.cosh(angle) + 2 * xp.sinh(angle / 2) ** 2) / c
        return unit * dual_unit * xp.where(inside, value, float("inf"))

    def _units(self, x: Any) -> tuple[Any, Any]:
        """The units of weights and of dual variables: in these alpha does not appear."""
        xp = namespace(x)
        alpha = xp.asarray(self.scale, dtype=xp.float64, device=x.device)
        rate = 4.0 if self.depth == 2 else self.depth * (self.depth - 2.0)
        return alpha**self.depth, 1 / (rate * alpha ** (self.depth - 2))

    @property
    def _exponent(self) -> float:
        """a = D/(D-2), with which the weight grows towards the edge s = 1."""
        return self.depth / (self.depth - 2) if self.depth > 2 else float("inf")

    def _weight(self, s: Any) -> Any:
        """Weight of a dual variable, both in their units."""
        xp, a = namespace(s), self._exponent
        if self.depth == 2:
            return 2 * xp.sinh(s) if self.sign == "difference" else xp.exp(s)
        # beyond s = 1 the weight is infinite: no dual variable of a finite network lies there
        inside = s < 1 if self.sign == "positive" else xp.abs(s) < 1
        safe = xp.where(inside, s, 0.0)
        if self.sign == "positive":
            return xp.where(inside, xp.exp(-a * xp.log1p(-safe)), float("inf"))
        value = 2 * xp.exp(-a / 2 * xp.log1p(-(safe**2))) * xp.sinh(a * xp.atanh(safe))
        return xp.where(inside, value, float("inf") * xp.sign(s))

    def _dual(self, r: Any) -> Any:
        """Inverse of ``_weight``."""
        xp, a = namespace(r), self._exponent
        if self.depth == 2:
            return xp.asinh(r / 2) if self.sign == "difference" else xp.log(r)
        if self.sign == "positive":
            return -xp.expm1(-xp.log(r) / a)
        finite = xp.isfinite(r)
        size = xp.abs(xp.where(finite, r, 0.0))
        s = 1 - self._edge(size)
        for _ in range(2):  # small weights: s itself, not 1 - s, needs its digits
            slope = a * ((1 - s) ** (-a - 1) + (1 + s) ** (-a - 1))
            s = xp.where(s < 0.5, s - (self._weight(s) - size) / xp.where(slope > 0, slope, 1.0), s)
        return xp.where(finite, xp.sign(r) * s, xp.sign(r))

    def _edge(self, size: Any) -> Any:
        """q = 1 - s for a weight of this size, "difference" with D > 2.

        The equation is q = (size + (2 - q)^-a)^(-1/a), almost linear in q: Newton needs few steps from any start.
        """
        xp, a = namespace(size), self._exponent
        q = (size + 1) ** (-1 / a)
        for _ in range(6):
            v = (2 - q) ** -a
            right = (size + v) ** (-1 / a)
            q = xp.clip(q - (q - right) / (1 + right / (size + v) * v / (2 - q)), 1e-300, 1.0)
        return q


def _check_depth(depth: Any) -> int:
    """A depth of at least two, or a refusal."""
    layers: int = check_count("depth", depth)
    if layers < 2:
        raise ValueError(f"depth must be at least 2, but {depth} was given; use linear.bregman_projection for depth 1.")
    return layers
