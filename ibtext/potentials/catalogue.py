r"""Potentials of mirror descent in closed form.

A potential :math:`\varphi` acts on each coordinate. Mirror descent with :math:`\varphi` moves in the dual
variable :math:`z = \varphi'(x)` and comes back through the inverse :math:`(\varphi')^{-1}`; its bias is measured
by the Bregman divergence :math:`D_\varphi(x, y) = \varphi(x) - \varphi(y) - \varphi'(y)(x - y)`.

============================  =====================================  =======================================
class                         :math:`\varphi(x)`                     :math:`(\varphi')^{-1}(z)`
============================  =====================================  =======================================
``QuadraticPotential()``      :math:`x^2`                            :math:`z/2`
``PowerPotential(p, omega)``  :math:`|x|^p + \omega x^2`             closed for p = 2, 3, 4; else a table, then Newton
``CoshPotential()``           :math:`\cosh x`                        :math:`\operatorname{asinh} z`
``HypentropyPotential(b)``    :math:`x\,\operatorname{asinh}(x/b)    :math:`b \sinh z`
                              - \sqrt{x^2 + b^2}`
``EntropyPotential()``        :math:`x \log x - x`, x > 0            :math:`e^z`
``PNormPotential(p)``         :math:`|x|^p / p`                      :math:`\operatorname{sgn}(z) |z|^{1/(p-1)}`
============================  =====================================  =======================================

All methods accept NumPy arrays, torch tensors (any device) and plain numbers, and work in float64. Conjugates and
divergences are sums of terms of one sign: neighbouring points cost no digits, and nothing overflows before the result
does. Any other potential is made by ``CustomPotential(phi, gradient)``.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import check_number, check_positive, shortened
from .arrays import namespace
from .base import Potential
from .divergences import asinh_difference, exp_divergence, log_ratio, power_divergence
from .power_table import power_start

__all__ = [
    "CoshPotential",
    "EntropyPotential",
    "HypentropyPotential",
    "PNormPotential",
    "PowerPotential",
    "QuadraticPotential",
]


@dataclass(frozen=True)
class QuadraticPotential(Potential):
    r""":math:`\varphi(x) = s x^2`, by default :math:`x^2`; mirror flow with ``scale=0.5`` is gradient flow."""

    scale: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "scale", _check_scale("scale", self.scale))

    def __call__(self, x: Any) -> Any:
        return self.scale * x**2

    def gradient(self, x: Any) -> Any:
        return 2 * self.scale * x

    def hessian(self, x: Any) -> Any:
        return namespace(x).zeros_like(x) + 2 * self.scale

    def inverse_gradient(self, z: Any) -> Any:
        return z / (2 * self.scale)

    def conjugate(self, z: Any) -> Any:
        return z**2 / (4 * self.scale)

    def divergence(self, x: Any, y: Any) -> Any:
        return self.scale * (x - y) ** 2


@dataclass(frozen=True)
class CoshPotential(Potential):
    r""":math:`\varphi(x) = \cosh x`: dual variable :math:`\sinh x`, smooth, :math:`\varphi'' \ge 1`."""

    def __call__(self, x: Any) -> Any:
        return namespace(x).cosh(x)

    def gradient(self, x: Any) -> Any:
        return namespace(x).sinh(x)

    def hessian(self, x: Any) -> Any:
        return namespace(x).cosh(x)

    def inverse_gradient(self, z: Any) -> Any:
        return namespace(z).asinh(z)

    def mirror(self, z: Any) -> tuple[Any, Any]:
        xp = namespace(z)
        return xp.asinh(z), 1 / xp.sqrt(1 + z * z)

    def conjugate(self, z: Any) -> Any:
        xp = namespace(z)
        return z * xp.asinh(z) - xp.hypot(z, xp.ones_like(z))

    def divergence(self, x: Any, y: Any) -> Any:
        # cosh = (e^x + e^-x)/2, and each half has a positive divergence
        return 0.5 * exp_divergence(y, x - y) + 0.5 * exp_divergence(-y, y - x)


@dataclass(frozen=True)
class HypentropyPotential(Potential):
    r""":math:`\varphi(x) = x \operatorname{asinh}(x/\beta) - \sqrt{x^2 + \beta^2}`, between l1 and l2.

    Behaves like :math:`x^2/(2\beta)` for :math:`|x| \ll \beta` and like :math:`|x| \log |x|` for
    :math:`|x| \gg \beta`. Source: Ghai, Hazan and Singer (2020); the potential of difference-of-squares
    parametrisations.
    """

    beta: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "beta", _check_scale("beta", self.beta))

    def __call__(self, x: Any) -> Any:
        xp = namespace(x)
        return x * xp.asinh(x / self.beta) - xp.hypot(x, xp.zeros_like(x) + self.beta)

    def gradient(self, x: Any) -> Any:
        return namespace(x).asinh(x / self.beta)

    def hessian(self, x: Any) -> Any:
        xp = namespace(x)
        return 1 / xp.hypot(x, xp.zeros_like(x) + self.beta)

    def inverse_gradient(self, z: Any) -> Any:
        return self.beta * namespace(z).sinh(z)

    def conjugate(self, z: Any) -> Any:
        return self.beta * namespace(z).cosh(z)

    def divergence(self, x: Any, y: Any) -> Any:
        # D_phi(x, y) is the conjugate's divergence, beta cosh, between the dual points in reverse order
        h, z = asinh_difference(y, x, self.beta), self.gradient(x)
        return 0.5 * self.beta * (exp_divergence(z, h) + exp_divergence(-z, -h))


@dataclass(frozen=True)
class EntropyPotential(Potential):
    r""":math:`\varphi(x) = x \log x - x` on :math:`x > 0`: mirror descent is exponentiated gradient descent."""

    domain = (0.0, np.inf)

    def __call__(self, x: Any) -> Any:
        return x * self.gradient(x) - x

    def gradient(self, x: Any) -> Any:
        self._check_domain(x)
        return namespace(x).log(x)

    def hessian(self, x: Any) -> Any:
        self._check_domain(x, closed=True)
        return 1 / namespace(x).abs(x)  # infinity at -0 as at 0

    def inverse_gradient(self, z: Any) -> Any:
        return namespace(z).exp(z)

    def conjugate(self, z: Any) -> Any:
        return namespace(z).exp(z)

    def divergence(self, x: Any, y: Any) -> Any:
        self._check_domain(x)
        self._check_domain(y)
        # the divergence of the conjugate exp between log x and log y
        return exp_divergence(namespace(x).log(x), log_ratio(y, x))


@dataclass(frozen=True)
class PNormPotential(Potential):
    r""":math:`\varphi(x) = |x|^p / p` with :math:`p > 1`.

    For :math:`p \neq 2` its second derivative at 0 is 0 or infinite, so the theorems on wide networks, which
    need :math:`0 < \varphi''(0) < \infty`, do not cover it.
    """

    p: float = 2.0

    def __post_init__(self) -> None:
        remedy = "approach the l1 and the max norm with values such as p=1.05 or p=20."
        object.__setattr__(self, "p", _check_exponent(self.p, remedy))

    def __call__(self, x: Any) -> Any:
        return namespace(x).abs(x) ** self.p / self.p

    def gradient(self, x: Any) -> Any:
        xp = namespace(x)
        return xp.sign(x) * xp.abs(x) ** (self.p - 1)

    def hessian(self, x: Any) -> Any:
        return (self.p - 1) * namespace(x).abs(x) ** (self.p - 2)

    def inverse_gradient(self, z: Any) -> Any:
        xp = namespace(z)
        return xp.sign(z) * xp.abs(z) ** (1 / (self.p - 1))

    def conjugate(self, z: Any) -> Any:
        q = self.p / (self.p - 1)
        return namespace(z).abs(z) ** q / q

    def divergence(self, x: Any, y: Any) -> Any:
        return power_divergence(x, y, self.p) / self.p


@dataclass(frozen=True)
class PowerPotential(Potential):
    r""":math:`\varphi(x) = |x|^p + \omega x^2` with :math:`p > 1` and :math:`\omega > 0`.

    Twice continuously differentiable for :math:`p \ge 2` with :math:`\varphi'' \ge 2\omega`; three times only if
    :math:`p = 2` or :math:`p \ge 3`, :math:`p \neq 3` (:math:`|x|^3` is *not* :math:`C^3`). For
    :math:`1 < p < 2` the second derivative at 0 is infinite.

    Source: Liang and Montúfar (2025), examples of unscaled potentials.
    """

    p: float = 3.0
    omega: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "omega", _check_scale("omega", self.omega))
        remedy = "the limit p -> 1, the absolute value, is approached with values such as p=1.05."
        object.__setattr__(self, "p", _check_exponent(self.p, remedy))

    def __call__(self, x: Any) -> Any:
        return namespace(x).abs(x) ** self.p + self.omega * x**2

    def gradient(self, x: Any) -> Any:
        xp = namespace(x)
        if self.p >= 2:
            return x * (self.p * xp.abs(x) ** (self.p - 2) + 2 * self.omega)
        return self.p * xp.sign(x) * xp.abs(x) ** (self.p - 1) + 2 * self.omega * x

    def hessian(self, x: Any) -> Any:
        return self.p * (self.p - 1) * namespace(x).abs(x) ** (self.p - 2) + 2 * self.omega

    def inverse_gradient(self, z: Any) -> Any:
        xp, omega = namespace(z), self.omega
        if self.p == 2:
            return z / (2 * (1 + omega))
        if self.p == 3:
            return z / (omega + xp.sqrt(omega**2 + 3 * xp.abs(z)))
        if self.p == 4:
            t = (omega / 6) ** 0.5
            return 2 * t * xp.sinh(xp.asinh(z / (8 * t**3)) / 3)
        return xp.sign(z) * self._inverse_positive(xp.abs(z), xp)

    def mirror(self, z: Any) -> tuple[Any, Any]:
        xp = namespace(z)
        if self.p == 3:
            root = xp.sqrt(self.omega**2 + 3 * xp.abs(z))
            return z / (self.omega + root), 0.5 / root
        x = self.inverse_gradient(z)
        return x, 1 / (12 * (x * x) + 2 * self.omega) if self.p == 4 else 1 / self.hessian(x)

    def conjugate(self, z: Any) -> Any:
        x = self.inverse_gradient(z)
        return (self.p - 1) * namespace(x).abs(x) ** self.p + self.omega * x**2

    def divergence(self, x: Any, y: Any) -> Any:
        return power_divergence(x, y, self.p) + self.omega * (x - y) ** 2

    def _inverse_positive(self, size: Any, xp: Any) -> Any:
        """Solve p x^(p-1) + 2 omega x = size for x >= 0: a start to nine digits, then one Newton step."""
        p, omega, q = self.p, self.omega, self.p - 2
        safe = size if xp is np and p > 2 else xp.where(size > 0, size, 1.0)
        r = q * xp.log(safe) + (np.log(p) - (p - 1) * np.log(2 * omega))
        x = safe / (2 * omega) * xp.exp(-power_start(p, r, xp))
        if p > 2:  # the power may underflow or vanish: the quadratic term remains
            power = x**q
            x = x - (x * (p * power + 2 * omega) - safe) / (p * (p - 1) * power + 2 * omega)
            return xp.where((size > 0) & (size < np.inf), x, size)
        representable = x > 1e-300
        x = xp.where(representable, x, 1.0)
        for _ in range(1 if p > 1.02 else 3):  # near 1 the start is less exact
            power = x**q
            step = (x * (p * power + 2 * omega) - size) / (p * (p - 1) * power + 2 * omega)
            x = x - xp.where(representable, step, 0.0)
        return xp.where(representable, x, 0.0)


LARGEST_EXPONENT = 1000
"""Beyond it, powers of numbers as near to one as 1/2 and 2 leave the range of double precision."""


def _check_scale(name: str, value: Any) -> float:
    """A positive factor whose square, and the squares of its neighbours, can be represented."""
    number = check_positive(name, value)
    if not 1e-100 <= number <= 1e100:
        raise ValueError(
            f"{name} must lie between 1e-100 and 1e100, but {number:g} was given; pass a number such as {name}=1.0, the limits "
            f"zero and infinity are other potentials."
        )
    return number


def _check_exponent(p: Any, remedy: str) -> float:
    """An exponent as a Python number, or a refusal."""
    try:
        number = check_number("p", p)
    except ValueError:
        number = float("nan")
    if not 1 < number <= LARGEST_EXPONENT:
        rule = f"p must be a finite exponent above 1, at most {LARGEST_EXPONENT}"
        raise ValueError(f"{rule}, but p={shortened(p)} was given; {remedy}")
    return p if isinstance(p, int) else number  # single precision in p would lose digits of p - 1
