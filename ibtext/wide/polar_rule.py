r"""Exact integrals over neurons whose weight and bias both have densities.

With :math:`(w, b) = r(\sigma_w\cos\theta, \sigma_b\sin\theta)`, r > 0, a homogeneous unit separates into the size
:math:`r^k` and the direction :math:`\theta`, and the half plane w > 0 becomes the bounded interval
:math:`(-\pi/2, \pi/2)`. The dual profile of a neuron is :math:`r^k G(\theta)` with
:math:`G = (\sigma_w\cos\theta)^k g(c)`, so that

.. math::

    \int\!\!\int (\varphi')^{-1}(r^k G)\, r^k\, p\,q\; r\,dr\,d\theta

has an inner integral in :math:`s = \log r` that is smooth on a unit scale for *every* G (powers and logarithms of r are
smooth in s), and an outer one whose only rough places are the zeros of G: pieces end there and shrink toward them by a
factor of four, down to where :math:`(\varphi')^{-1}` is a straight line.

For a quadratic potential the inner integral is :math:`Z_{2k+1}(\theta)\,G` (``ibtext.laws``), closed for many laws.

Cost: a linear problem takes 16 (M + 12) angles. A scaled one takes some 200 radii for each of 16 (12 + 30 Z) angles, Z
zeros of G, in each Newton step: tenths of a second for M = 5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import ConvergenceError
from ..laws.joint import JointLaw
from ..potentials import Potential
from .graded_mesh import RATIO, graded_fractions, straight_below
from .hat_basis import HatBasis
from .sign_rule import Indices, Nodes, Pieces, cut

__all__ = ["PolarRule"]

Array = npt.NDArray[np.float64]

_X, _W = np.polynomial.legendre.leggauss(16)
_S, _W = (1 + _X) / 2, _W / 2
_GRID = np.pi / 2 * np.arange(-5, 6) / 6
_TAIL = 8


class PolarRule:
    """Quadrature for independent symmetric weight and bias with densities; an infinite domain of breakpoints."""

    low, high = -np.inf, np.inf

    def __init__(self, hats: HatBasis, joint: JointLaw, degree: int = 1) -> None:
        self.hats, self.joint, self.degree = hats, joint, degree
        angles = np.concatenate([_GRID, joint.corners, -joint.corners])
        if joint.heavy:  # powers of theta times logarithms near 0 and the ends
            near = _GRID[-1] / 5 * RATIO ** -np.arange(1.0, 6.0)
            angles = np.concatenate([angles, near, -near, np.pi / 2 - near, near - np.pi / 2])
        self._knots = hats.locate(np.tan(angles) / joint.ratio)
        self._pieces = self.pieces()

    def pieces(self, extra: tuple[Indices, Array] | None = None) -> Pieces:
        """The pieces, cut at more points if asked."""
        return cut(self.hats, (np.inf, np.inf), self._knots, extra)

    def _sector(self, element: Indices, left: Array, right: Array) -> tuple[Array, Array]:
        """Angle at the left end, and signed angle to the right end, without cancellation for narrow pieces."""
        k, rate = self.joint.ratio, self.hats.rate[element]
        start = k * (self.hats.origin[element] + left / rate)
        finite = np.isfinite(right)
        d = k * (np.where(finite, right, left) - left) / rate
        opening = np.arctan2(d, 1 + start**2 + start * d)
        angle = np.arctan(start)
        return angle, np.where(finite, opening, np.sign(rate) * np.pi / 2 - angle)

    def _local(self, element: Indices, left: Array, angle: Array, offset: Array) -> tuple[Array, Array]:
        """Angles and local coordinates of nodes at ``offset`` from the left ends, shape (P, nodes)."""
        theta = angle[:, None] + offset
        rise = np.sin(offset) / (np.cos(angle)[:, None] * np.cos(theta))
        return theta, left[:, None] + (self.hats.rate[element] / self.joint.ratio)[:, None] * rise

    def moments(self, pieces: Pieces | None = None) -> tuple[Pieces, Array, Array]:
        """Pieces, local nodes and masses of zeta on them, for integrals in which g is a polynomial."""
        p = self._pieces if pieces is None else pieces
        angle, opening = self._sector(p.element, p.left, p.right)
        theta, s = self._local(p.element, p.left, angle, opening[:, None] * _S)
        k = self.degree
        density = (self.joint.sw * np.cos(theta)) ** (2 * k) * self.joint.moment(theta, 2 * k + 1)
        return p, s, density * np.abs(opening)[:, None] * _W

    def nodes(self, values: Array, potential: Potential, pieces: Pieces | None = None) -> Nodes:
        """Nodes for the dual profile with local coefficients ``values``, shape (M + 1, 2)."""
        p = self._pieces if pieces is None else pieces
        line = np.einsum("ek,ekd->ed", values, self.hats.phi)  # g = line[0] + line[1] s
        element, left, right, edge = p.element, p.left, p.right, p.edge
        constant, slope = line[element].T
        finite = np.isfinite(right)
        gl, gr = constant + slope * left, np.where(finite, constant + slope * np.where(finite, right, 0.0), slope)
        crossing = np.flatnonzero(gl * gr < 0)
        if crossing.size:
            zero = np.clip(-constant[crossing] / slope[crossing], left[crossing], right[crossing])
            element, edge = np.append(element, element[crossing]), np.append(edge, edge[crossing])
            left, right = np.append(left, zero), np.append(right, right[crossing])
            right[crossing] = zero

        def profile(where: Indices, s: Array) -> Array:
            lines = line[where].reshape(*where.shape, *(1,) * (s.ndim - where.ndim), 2)
            return np.asarray(lines[..., 0] + lines[..., 1] * s, dtype=np.float64)

        return self.graded(element, left, right, edge, profile, line[:, 1], potential)

    def graded(
        self,
        element: Indices,
        left: Array,
        right: Array,
        edge: Indices,
        profile: Callable[[Indices, Array], Array],
        leading: Array,
        potential: Potential,
        degree: int = 1,
    ) -> Nodes:
        """Nodes on pieces that shrink toward ends where the profile is small.

        ``profile(element, s)`` is g, ``leading[e]`` its leading coefficient in s, which rules at infinity.
        """
        angle, opening = self._sector(element, left, right)
        ends = np.abs(np.stack([self._scaled(element, left, profile, leading), self._scaled(element, right, profile, leading)]))
        piece, begin, end = graded_fractions(ends, straight_below(potential), degree)
        element, edge, left = element[piece], edge[piece], left[piece]
        opening, angle = opening[piece], angle[piece]
        offset = opening[:, None] * (begin[:, None] + (end - begin)[:, None] * _S)
        theta, s = self._local(element, left, angle, offset)
        weight = (np.abs(opening) * (end - begin))[:, None] * _W
        kappa = (self.joint.sw * np.cos(theta)) ** self.degree
        size = kappa * profile(element, s)
        value, rate = self._inner(theta, size, potential)
        return Nodes(edge, element, s, weight * kappa * value, weight * kappa**2 * rate, size, weight)

    def _scaled(self, element: Indices, s: Array, profile: Callable[[Indices, Array], Array], leading: Array) -> Array:
        """G at ends of pieces, infinity included."""
        finite = np.isfinite(s)
        safe = np.where(finite, s, 0.0)
        theta = np.arctan(self.joint.ratio * (self.hats.origin[element] + safe / self.hats.rate[element]))
        inner = (self.joint.sw * np.cos(theta)) ** self.degree * profile(element, safe)
        outer = (self.joint.sb * np.abs(self.hats.rate[element])) ** self.degree * leading[element]
        return np.asarray(np.where(finite, inner, outer), dtype=np.float64)

    def _inner(self, theta: Array, size: Array, potential: Potential) -> tuple[Array, Array]:
        """The inner integral over r, and its derivative in G."""
        flat, g = theta.ravel(), size.ravel()
        value, rate = np.empty(flat.size), np.empty(flat.size)
        for block in self.joint.blocks(flat):
            r, mass = self.joint.radial(flat[block])
            rk = r**self.degree
            alpha, bend = potential.mirror(rk * g[block, None])
            mass *= rk
            part = mass * alpha
            value[block] = part.sum(1)
            last = np.abs(part[:, -_TAIL:]).sum(1)
            if np.any(last > 1e-14 * np.max(np.abs(part).sum(1))):
                raise ConvergenceError(
                    f"the mean of the output weights must exist, but sizes beyond {r[0, -_TAIL]:.3g} standard deviations "
                    f"still contribute {np.max(last):.1e}, probably because the inverse of {potential}'s gradient grows "
                    f"exponentially and the tails of weight and bias do not fall fast enough; choose laws with bounded "
                    f"support."
                )
            rate[block] = (mass * rk * bend).sum(1)
        return value.reshape(theta.shape), rate.reshape(theta.shape)

    def curvature_density(self, c: Array, g: Array, potential: Potential) -> Array:
        """The curvature density at breakpoints c with dual profile g."""
        theta = np.arctan(self.joint.ratio * c)
        kappa = (self.joint.sw * np.cos(theta)) ** self.degree
        value, _ = self._inner(theta, kappa * g, potential)
        return np.asarray(kappa * value * self.joint.ratio * np.cos(theta) ** 2, dtype=np.float64)

    def expectation(self, nodes: Nodes, values: Array, function: Callable[[Any], Any], potential: Potential) -> float:
        """E function(alpha) over the neurons of one sign."""
        angle = np.arctan(
            self.joint.ratio * (self.hats.origin[nodes.element, None] + nodes.s / self.hats.rate[nodes.element, None])
        )
        flat, g, weight = angle.ravel(), nodes.alpha.ravel(), nodes.mass.ravel()
        total = 0.0
        for block in self.joint.blocks(flat):
            r, mass = self.joint.radial(flat[block])
            alpha = potential.inverse_gradient(r**self.degree * g[block, None])
            total += float(np.sum(weight[block] * (mass * function(alpha)).sum(1)))
        return total
