r"""Exact integrals over the neurons of an infinitely wide network with sign weights.

A neuron is a breakpoint c with density p and a sign. On each element its dual profile g is affine, and its output weight
is :math:`\alpha = (\varphi')^{-1}(g)`.

Three devices make Gauss-Legendre quadrature exact to rounding:

1. pieces end at the data, at the zeros of g, and at the knots of the law (and wherever the caller asks);
2. on a piece where :math:`\alpha` varies, the integration variable is :math:`\alpha` itself:
   :math:`s = s_l + L\,(\varphi'(\alpha) - g_l)/(g_r - g_l)`,
   :math:`ds = L\,\varphi''(\alpha)\,d\alpha/(g_r - g_l)`. The steep fronts of :math:`\alpha` near a zero of g
   disappear, and :math:`(\varphi')^{-1}` is needed at the ends of pieces only;
3. :math:`\alpha = \pm u^4` with u linear along the piece, which makes the singularity of
   :math:`|\alpha|^{p-2}` at 0 so weak, :math:`u^{4(p-1)+3}`, that 40 nodes do not see it.

Where :math:`\varphi''` decreases away from 0 (hypentropy), or :math:`\alpha` hardly varies, s itself is the
variable. Where :math:`\varphi'` is steeper than :math:`|\alpha|^{16}`, pieces shrink toward the zero of g besides.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np

from ..laws import Initialization
from ..numerics.arrays import Array, Indices
from ..numerics.gauss import gauss_legendre
from ..potentials import Potential
from .elements import Elements, Pieces
from .graded_mesh import GRADED_ORDER, graded_fractions, straight_below
from .rule import Nodes, Profile, Rule

__all__ = ["SignRule", "piece_nodes"]


ORDER = 40
"""Gauss-Legendre nodes a piece, but for those that shrink toward a kink."""

STEEP = 16.0
"""Exponent of phi' up to which these nodes see it as a polynomial: 4 (p - 1) + 3 is below 80."""


class SignRule(Rule):
    """Quadrature for weights +1 and -1 and breakpoints with a density."""

    def __init__(self, elements: Elements, law: Initialization, degree: int = 1) -> None:
        super().__init__(elements, law, degree)
        self._cuts = law.knots(degree)  # from one end of the support to the other
        self._constant = law.uniform_density
        if self._constant is not None:
            self.uniform = law.support

    @cached_property
    def reach(self) -> tuple[float, float]:
        """The support, as far as it lies outside the data."""
        x, rate = self.elements.x, self.elements.rate
        low, high = (self._cuts[0] - x[0]) * rate[0], (self._cuts[-1] - x[-1]) * rate[-1]
        return max(0.0, float(low)), max(0.0, float(high))

    @cached_property
    def knots(self) -> tuple[Indices, Array]:
        """Kinks and quantiles of the law."""
        return self.elements.locate(self._cuts[1:-1])

    def _density(self, element: Indices, s: Array) -> Array | float:
        """The density at nodes; the frequent constant one is not asked for."""
        return self.law.density(self.elements.points(element, s)) if self._constant is None else self._constant

    def moments(self, pieces: Pieces | None = None) -> tuple[Pieces, Array, Array]:
        p = self._whole[0] if pieces is None else pieces
        length = (p.right - p.left)[:, None]
        nodes, weights = self.gauss(ORDER)
        s = p.left[:, None] + length * nodes
        return p, s, self._density(p.element, s) * (length / np.abs(self.elements.rate[p.element])[:, None] * weights)

    def nodes(self, values: Array, potential: Potential, pieces: Pieces | None = None) -> Nodes:
        p, g = self._shrunk(*self.monotone(values, pieces), potential)
        length = p.right - p.left
        width = length / np.abs(self.elements.rate[p.element])
        s, alpha, mass, over = piece_nodes(np.stack([p.left, length, width, *g]), potential, self.gauss(ORDER))
        density = self._density(p.element, s)
        mass = mass * density
        return Nodes(p.edge, p.element, s, mass * alpha, over * density, alpha, mass)

    def _shrunk(self, p: Pieces, g: Array, potential: Potential) -> tuple[Pieces, Array]:
        """The pieces and profiles at their ends, those with a steep potential cut in parts that shrink toward small profiles."""
        ends = np.abs(g)
        big = ends.max(axis=0)
        alpha, inverse_hessian = potential.mirror(big)
        steep = (alpha > STEEP * inverse_hessian * big) & (ends.min(axis=0) < big / 16)
        if not steep.any():
            return p, g
        floor = np.maximum(np.where(steep, big * 2.0**-52, big), np.finfo(float).tiny)
        piece, begin, end = graded_fractions(ends, floor, 1, ratio=16.0)
        length, first, rise = (p.right - p.left)[piece], g[0, piece], (g[1] - g[0])[piece]
        left = p.left[piece]
        parts = replace(p, element=p.element[piece], edge=p.edge[piece], left=left + length * begin, right=left + length * end)
        return parts, first + rise * np.stack([begin, end])

    def graded(self, pieces: Pieces, profile: Profile, leading: Array, potential: Potential) -> Nodes:
        ends = np.abs(profile(pieces.element, np.stack([pieces.left, pieces.right], axis=1))).T
        piece, begin, end = graded_fractions(ends, straight_below(potential), self.degree)
        element, left, length = pieces.element[piece], pieces.left[piece], (pieces.right - pieces.left)[piece]
        nodes, weights = self.gauss(GRADED_ORDER)
        s = left[:, None] + length[:, None] * (begin[:, None] + (end - begin)[:, None] * nodes)
        mass = (length * (end - begin) / np.abs(self.elements.rate[element]))[:, None] * weights
        mass = mass * self._density(element, s)
        alpha, inverse_hessian = potential.mirror(profile(element, s))
        return Nodes(pieces.edge[piece], element, s, mass * alpha, mass * inverse_hessian, alpha, mass)

    def curvature_density(self, c: Array, g: Array, potential: Potential) -> Array:
        return np.asarray(potential.inverse_gradient(g) * self.law.density(c), dtype=np.float64)

    def expectation(self, nodes: Nodes, function: Callable[[Array], Array], potential: Potential) -> float:
        return float(np.sum(nodes.mass * function(nodes.alpha)))

    def output_weight(self, g: Array, potential: Potential) -> Array:
        """The inverse gradient: all neurons have weights of size 1."""
        return np.asarray(potential.inverse_gradient(g), dtype=np.float64)


def piece_nodes(
    pieces: Array, potential: Potential, gauss: tuple[Array, Array] = gauss_legendre(ORDER)
) -> tuple[Array, Array, Array, Array]:
    """Local nodes, output weights, dc and dc / phi''(alpha), on pieces where g is affine and does not change sign.

    ``pieces``, shape (5, P): left end in s, length in s, length in c, g at both ends.
    """
    alpha, inverse_hessian = potential.mirror(pieces[3:])
    size = np.abs(alpha)
    u = np.sqrt(np.sqrt(size))
    rise = u[1] - u[0]
    falls = (inverse_hessian[0] - inverse_hessian[1]) * (size[1] - size[0]) > 0
    steep = (np.abs(rise) > 0.05 * np.maximum(u[0], u[1])) & falls
    front = np.sign(alpha[0] + alpha[1])
    if steep.all():
        return _curved(pieces, front, u[0], rise, potential, gauss)
    if not steep.any():
        return _straight(pieces, potential, gauss)
    out = np.empty((4, steep.size, gauss[0].size))
    out[:, ~steep] = _straight(pieces[:, ~steep], potential, gauss)
    out[:, steep] = _curved(pieces[:, steep], front[steep], u[0, steep], rise[steep], potential, gauss)
    s, a, mass, over = out
    return s, a, mass, over


def _straight(pieces: Array, potential: Potential, gauss: tuple[Array, Array]) -> tuple[Array, Array, Array, Array]:
    """The variable s."""
    (nodes, weights), (left, length, width, gl, gr) = gauss, pieces[:, :, None]
    a, inverse_hessian = potential.mirror(gl + (gr - gl) * nodes)
    mass = width * weights
    return left + length * nodes, a, mass, mass * inverse_hessian


def _curved(
    pieces: Array, sign: Array, start: Array, rise: Array, potential: Potential, gauss: tuple[Array, Array]
) -> tuple[Array, Array, Array, Array]:
    """The variable u with alpha = +- u^4."""
    (nodes, weights), (left, length, width, gl, gr) = gauss, pieces[:, :, None]
    jump, front = gr - gl, sign[:, None]
    u = start[:, None] + rise[:, None] * nodes
    cube = u * u * u
    a = front * cube * u
    s = left + (length / jump) * (potential.gradient(a) - gl)
    over = (4 * width * front * rise[:, None] / jump) * (cube * weights)
    return s, a, over * potential.hessian(a), over
