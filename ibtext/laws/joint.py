r"""Weight and bias with densities, as the limit of wide networks sees them: by direction and size.

Only homogeneous combinations of (w, b) enter. With :math:`(w, b) = r(\sigma_w \cos\theta, \sigma_b \sin\theta)` a neuron of
weight w > 0 is a direction :math:`\theta \in (-\pi/2, \pi/2)` and a size r, its breakpoint
:math:`c = (\sigma_b/\sigma_w) \tan\theta`, and all that a linear problem needs of the law is

.. math:: Z_m(\theta) = 2\int_0^\infty r^m\, p(r\cos\theta)\, q(r\sin\theta)\, dr,

p and q being the densities of weight and bias in units of their standard deviations. Then
:math:`\zeta(c) = \sigma_w^3 \sigma_b^{-1} \cos^4\theta\, Z_3(\theta)`, and the density of breakpoints is
:math:`(\sigma_w/\sigma_b) \cos^2\theta\, Z_1(\theta)`. The domain of :math:`\theta` is bounded, so no tail is ever
integrated far out. In :math:`s = \log r` the integrand is smooth on a unit scale whatever the law's shape near zero,
and Gauss-Legendre quadrature on unit pieces, cut at the law's kinks, reaches rounding.

Closed forms of :math:`Z_m`: Gaussian, uniform and Laplace laws in all combinations but Gaussian with Laplace.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import beta, gammainc

from ..numerics.arrays import Array
from ..numerics.gauss import gauss_legendre
from .frozen import kinks, law_name

__all__ = ["JointLaw", "law_moment"]


SMOOTH = {"norm", "laplace", "uniform", "logistic", "t", "hypsecant", "triang", "gennorm"}
"""Laws whose density is smooth in log |b| between the kinks named by ``kinks``; others are cut at quantiles too."""

_NODES = 14
_S, _W = gauss_legendre(_NODES)
_BLOCK = 1 << 17  # numbers in an array that stays in the cache


def radial_edges(law: Any, scale: float) -> Array:
    """Positive radii, in units of ``scale``, at which a radial quadrature is cut."""
    cuts = kinks(law) / scale
    if law_name(law) not in SMOOTH:
        tail = np.array([1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 0.05, 0.15, 0.3, 0.45])
        quantiles = np.asarray(law.isf(tail), dtype=np.float64) / scale
        cuts = np.union1d(cuts, quantiles[np.isfinite(quantiles) & (quantiles > 0)])
    return np.asarray(cuts, dtype=np.float64)


def law_moment(law: Any, m: int) -> float:
    """E |X|^m of a symmetric law with a density, m at least 1, to rounding."""
    scale = float(law.std())
    top = math.log(_reach(law, scale, m))
    edges = np.union1d(np.linspace(-40.0 / (m + 1), top, 80), np.log(radial_edges(law, scale)).clip(-40.0 / (m + 1), top))
    width = np.diff(edges)[:, None]
    r = np.exp(edges[:-1, None] + width * _S)
    return float(np.sum(2 * r ** (m + 1) * scale * law.pdf(scale * r) * (width * _W))) * scale**m


def _standard_density(law: Any, scale: float) -> Callable[[Array], Array]:
    """The density of X / scale; the most frequent laws without the checks of scipy.stats."""
    name, centre = law_name(law), float(law.mean()) / scale
    if name == "norm":
        return lambda u: np.asarray(np.exp(-0.5 * (u - centre) ** 2) / math.sqrt(2 * math.pi), dtype=np.float64)
    if name == "laplace":
        return lambda u: np.asarray(np.exp(-math.sqrt(2) * np.abs(u - centre)) / math.sqrt(2), dtype=np.float64)
    low, high = (float(v) / scale for v in law.support())
    if centre == 0 and low == -high and name in ("uniform", "triang", "beta"):  # powers of 1 - |u| and 1 - u^2
        shapes = law.dist._parse_args(*law.args, **law.kwds)[0]
        if name == "beta" and shapes[0] == shapes[1]:
            power, front = float(shapes[0]) - 1, 1 / (high * beta(0.5, float(shapes[0])))
            return lambda u: np.asarray(front * np.maximum(1 - (u / high) ** 2, 0.0) ** power, dtype=np.float64)
        if name == "triang" and shapes[0] == 0.5:
            return lambda u: np.maximum(1 - np.abs(u) / high, 0.0) / high
        if name == "uniform":
            return lambda u: np.where(np.abs(u) <= high, 0.5 / high, 0.0)
    return lambda u: np.asarray(scale * law.pdf(scale * u), dtype=np.float64)


def _reach(law: Any, scale: float, m: int = 3) -> float:
    """Radius beyond which a tail cannot be seen in moments up to the m-th."""
    high = float(law.support()[1])
    if np.isfinite(high):
        return high / scale
    r = np.exp(np.arange(-2.0, 60.0, 0.25))
    weight = r ** (m + 1) * law.pdf(scale * r)
    return float(r[np.flatnonzero(weight > 1e-30 * weight.max())[-1]])


class JointLaw:
    """Independent symmetric weight and bias with densities.

    Attributes
    ----------
    sw, sb : float
        Standard deviations.
    ratio : float
        ``sw / sb``: a breakpoint c has the angle ``atan(ratio * c)``.
    corners : array
        Angles in (0, pi/2) where kinks of both densities meet and Z is not smooth.
    heavy : bool
        Whether a tail falls like a power.
    """

    def __init__(self, weight: Any, bias: Any) -> None:
        self._laws, self._names = (weight, bias), (law_name(weight), law_name(bias))
        self.sw, self.sb = float(weight.std()), float(bias.std())
        self.ratio = self.sw / self.sb
        self._densities = _standard_density(weight, self.sw), _standard_density(bias, self.sb)
        top = math.log(math.sqrt(2) * max(_reach(weight, self.sw), _reach(bias, self.sb)))
        self._grid = np.linspace(-12.0, top, math.ceil(top + 12) + 1)
        self._ends = tuple(float(law.support()[1]) / s for law, s in ((weight, self.sw), (bias, self.sb)))
        self._cuts = radial_edges(weight, self.sw), radial_edges(bias, self.sb)
        pairs = kinks(bias)[:, None] / self.sb / (kinks(weight) / self.sw)
        # a tail like a power shows in Z as a power of theta times a logarithm
        self.heavy = any(float(law.pdf(1e5 * float(law.std()))) > 0 for law in (weight, bias))
        self.corners = np.unique(np.arctan(pairs))

    def __reduce__(self) -> tuple[Any, ...]:
        """Made again from its laws where it is copied or pickled: the densities are functions without a name."""
        return JointLaw, self._laws

    def radial(self, theta: Array, *, deep: bool = False, fineness: float = 1.0) -> tuple[Array, Array]:
        """Radii and masses ``2 r p q dr`` for each angle, shape (len(theta), R); ``deep`` for integrands not small at 0."""
        nodes, weights = gauss_legendre(round(_NODES * fineness))
        cos, sin = np.cos(theta)[:, None], np.abs(np.sin(theta))[:, None]
        axis = np.concatenate([np.arange(-20.0, -12.0), self._grid]) if deep else self._grid
        low, high = axis[0], axis[-1]
        with np.errstate(divide="ignore", over="ignore"):  # a bias that hardly counts has no cut in reach
            cuts = [np.log(c / side) for c, side in zip(self._cuts, (cos, sin), strict=True)]
        grid = np.broadcast_to(axis, (theta.size, axis.size))
        edges = np.sort(np.concatenate([grid, *(np.clip(c, low, high) for c in cuts)], axis=1), axis=1)
        width = np.diff(edges, axis=1)[:, :, None]
        r = np.exp(edges[:, :-1, None] + width * nodes)
        mass = 2 * weights * width * (r * r)
        # densities are asked for on panels that are neither empty nor beyond a support
        live = width[:, :, 0] > 0
        for ends, side in zip(self._ends, (cos, sin), strict=True):
            live &= r[:, :, 0] * side < ends
        if live.all():
            mass *= self._densities[0](r * cos[:, :, None]) * self._densities[1](r * sin[:, :, None])
        else:
            row, inside = np.nonzero(live)[0], r[live]
            mass[~live] = 0.0
            mass[live] *= self._densities[0](inside * cos[row]) * self._densities[1](inside * sin[row])
        return r.reshape(theta.size, -1), mass.reshape(theta.size, -1)

    def blocks(self, theta: Array) -> list[slice]:
        """Slices of ``theta`` for which ``radial`` stays within some megabytes."""
        cuts = sum(c.size for c in self._cuts)
        step = max(1, _BLOCK // ((self._grid.size + cuts) * _NODES))
        return [slice(i, i + step) for i in range(0, theta.size, step)]

    def moment(self, theta: Array, m: int) -> Array:
        """Z_m at angles in (-pi/2, pi/2), of the shape of ``theta``."""
        closed = self._closed(theta, m)
        if closed is not None:
            return closed
        flat = theta.ravel()
        out = np.empty(flat.size)
        for block in self.blocks(flat):
            r, mass = self.radial(flat[block], deep=m < 3)
            out[block] = (r ** (m - 1) * mass).sum(1)
        return out.reshape(theta.shape)

    def _closed(self, theta: Array, m: int) -> Array | None:
        cos, sin = np.cos(theta), np.abs(np.sin(theta))
        pair = frozenset(self._names)
        if not pair <= {"norm", "uniform", "laplace"} or pair == {"norm", "laplace"}:
            return None
        if pair == {"norm"}:  # 2 int r^m exp(-r^2/2) dr / (2 pi)
            return np.full(theta.shape, 2 ** ((m - 1) / 2) * math.gamma((m + 1) / 2) / np.pi)
        if pair == {"laplace"}:  # density exp(-sqrt2 |u|)/sqrt2
            return np.asarray(math.factorial(m) / (math.sqrt(2) * (cos + sin)) ** (m + 1), dtype=np.float64)
        end = math.sqrt(3)  # of a uniform law of unit variance, with density 1/(2 end)
        if pair == {"uniform"}:
            return np.asarray(2 / (2 * end) ** 2 * (end / np.maximum(cos, sin)) ** (m + 1) / (m + 1), dtype=np.float64)
        # the other density is front * exp(-(rate u)^power), the radius ends where the uniform law does
        gauss = (2, math.sqrt(0.5), 1 / math.sqrt(2 * math.pi))
        power, rate, front = gauss if "norm" in pair else (1, math.sqrt(2), math.sqrt(0.5))
        flat, other = (cos, rate * sin) if self._names[0] == "uniform" else (sin, rate * cos)
        shape = (m + 1) / power
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            radius = end / flat
            exponent = (other * radius) ** power
            full = math.gamma(shape) / power * gammainc(shape, exponent) / other ** (m + 1)
            inner = np.where(exponent < 1e-12, radius ** (m + 1) / (m + 1), full)  # for a vanishing exponent the integral of r^m
        return np.asarray(front / end * inner, dtype=np.float64)

    def zeta(self, c: Array) -> Array:
        r""":math:`\int |w|^3 p_W(w) p_B(wc)\,dw`."""
        return self.sw**3 / self.sb * self._at_breakpoint(c, 3)

    def breakpoint_density(self, c: Array) -> Array:
        """Density of b/w."""
        return self.ratio * self._at_breakpoint(c, 1)

    def _at_breakpoint(self, c: Array, m: int) -> Array:
        theta, cosine = np.arctan(self.ratio * c), 1 / np.hypot(1.0, self.ratio * c)
        return np.asarray(cosine ** (m + 1) * self.moment(theta, m), dtype=np.float64)
