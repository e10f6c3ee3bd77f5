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

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np

from ..errors import ConvergenceError
from ..laws import Initialization
from ..numerics.arrays import Array, Indices
from ..potentials import Potential
from .elements import Elements, Pieces
from .graded_mesh import GRADED_ORDER, RATIO, graded_fractions, straight_below
from .rule import Nodes, Profile, Rule

__all__ = ["PolarRule"]


_GRID = np.pi / 2 * np.arange(-5, 6) / 6
_TAIL = 8


class PolarRule(Rule):
    """Quadrature for independent symmetric weight and bias with densities; an infinite domain of breakpoints."""

    reach = (np.inf, np.inf)

    def __init__(self, elements: Elements, law: Initialization, degree: int = 1) -> None:
        super().__init__(elements, law, degree)
        self.joint = law.joint

    @cached_property
    def knots(self) -> tuple[Indices, Array]:
        """Twelve sectors, and the angles at which kinks of both densities meet."""
        joint = self.joint
        angles = np.concatenate([_GRID, joint.corners, -joint.corners])
        if joint.heavy:  # powers of theta times logarithms near 0 and the ends
            near = _GRID[-1] / 5 * RATIO ** -np.arange(1.0, 6.0)
            angles = np.concatenate([angles, near, -near, np.pi / 2 - near, near - np.pi / 2])
        return self.elements.locate(np.tan(angles) / joint.ratio)

    def moments(self, pieces: Pieces | None = None) -> tuple[Pieces, Array, Array]:
        p = self._whole[0] if pieces is None else pieces
        angle, opening = self._sector(p)
        nodes, weights = self.gauss(GRADED_ORDER)
        theta, s = self._local(p, angle, opening[:, None] * nodes)
        density = self._kappa(theta) ** 2 * self.joint.moment(theta, 2 * self.degree + 1)
        return p, s, density * np.abs(opening)[:, None] * weights

    def nodes(self, values: Array, potential: Potential, pieces: Pieces | None = None) -> Nodes:
        def profile(element: Indices, s: Array) -> Array:
            return self.elements.affine(values, element, s)

        leading = (values * self.elements.phi[:, :, 1]).sum(1)
        return self.graded(self.monotone(values, pieces)[0], profile, leading, potential)

    def graded(self, pieces: Pieces, profile: Profile, leading: Array, potential: Potential) -> Nodes:
        angle, opening = self._sector(pieces)
        ends = np.abs([self._scaled(pieces.element, s, profile, leading) for s in (pieces.left, pieces.right)])
        piece, begin, end = graded_fractions(ends, straight_below(potential), self.degree)
        p = replace(pieces, element=pieces.element[piece], edge=pieces.edge[piece], left=pieces.left[piece])
        opening = opening[piece]
        nodes, weights = self.gauss(GRADED_ORDER)
        theta, s = self._local(p, angle[piece], opening[:, None] * (begin[:, None] + (end - begin)[:, None] * nodes))
        weight = (np.abs(opening) * (end - begin))[:, None] * weights
        kappa = self._kappa(theta)
        size = kappa * profile(p.element, s)
        value, slope = self._inner(theta, size, potential)
        return Nodes(p.edge, p.element, s, weight * kappa * value, weight * kappa**2 * slope, size, weight)

    def curvature_density(self, c: Array, g: Array, potential: Potential) -> Array:
        theta = np.arctan(self.joint.ratio * c)
        kappa = self._kappa(theta)
        value, _ = self._inner(theta, kappa * g, potential)
        return np.asarray(kappa * value * self.joint.ratio * np.cos(theta) ** 2, dtype=np.float64)

    def expectation(self, nodes: Nodes, function: Callable[[Array], Array], potential: Potential) -> float:
        flat, g, weight = self._angle(nodes.element, nodes.s).ravel(), nodes.alpha.ravel(), nodes.mass.ravel()
        total = 0.0
        for block in self.joint.blocks(flat):
            r, mass = self.joint.radial(flat[block], fineness=self.fineness)
            alpha = potential.inverse_gradient(r**self.degree * g[block, None])
            total += float(np.sum(weight[block] * (mass * function(alpha)).sum(1)))
        return total

    def output_weight(self, g: Array, potential: Potential) -> Array:
        """Refused: neurons with the same breakpoint have weights of every size."""
        raise ValueError(
            "output_weight is a function of the breakpoint alone for sign weights only, but the weights have a density; use "
            "derivative(t, order=2)."
        )

    def _angle(self, element: Indices, s: Array) -> Array:
        return np.asarray(np.arctan(self.joint.ratio * self.elements.points(element, s)), dtype=np.float64)

    def _kappa(self, theta: Array) -> Array:
        """G(theta) / g(c)."""
        return np.asarray((self.joint.sw * np.cos(theta)) ** self.degree, dtype=np.float64)

    def _sector(self, p: Pieces) -> tuple[Array, Array]:
        """Angle at the left end, and signed angle to the right end, without cancellation for narrow pieces."""
        k, rate = self.joint.ratio, self.elements.rate[p.element]
        start = k * (self.elements.origin[p.element] + p.left / rate)
        finite = np.isfinite(p.right)
        d = k * (np.where(finite, p.right, p.left) - p.left) / rate
        opening = np.arctan2(d, 1 + start**2 + start * d)
        angle = np.arctan(start)
        return angle, np.where(finite, opening, np.sign(rate) * np.pi / 2 - angle)

    def _local(self, p: Pieces, angle: Array, offset: Array) -> tuple[Array, Array]:
        """Angles and local coordinates of nodes at ``offset`` from the left ends, shape (P, nodes)."""
        theta = angle[:, None] + offset
        rise = np.sin(offset) / (np.cos(angle)[:, None] * np.cos(theta))
        return theta, p.left[:, None] + (self.elements.rate[p.element] / self.joint.ratio)[:, None] * rise

    def _scaled(self, element: Indices, s: Array, profile: Profile, leading: Array) -> Array:
        """G at ends of pieces, infinity included."""
        finite = np.isfinite(s)
        safe = np.where(finite, s, 0.0)[:, None]
        inner = self._kappa(self._angle(element, safe)) * profile(element, safe)
        outer = (self.joint.sb * np.abs(self.elements.rate[element])) ** self.degree * leading[element]
        return np.asarray(np.where(finite, inner[:, 0], outer), dtype=np.float64)

    def _inner(self, theta: Array, size: Array, potential: Potential) -> tuple[Array, Array]:
        """The inner integral over r, and its derivative in G."""
        flat, g = theta.ravel(), size.ravel()
        value, slope = np.empty(flat.size), np.empty(flat.size)
        for block in self.joint.blocks(flat):
            r, mass = self.joint.radial(flat[block], fineness=self.fineness)
            rk = r**self.degree
            alpha, inverse_hessian = potential.mirror(rk * g[block, None])
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
            slope[block] = (mass * rk * inverse_hessian).sum(1)
        return value.reshape(theta.shape), slope.reshape(theta.shape)
