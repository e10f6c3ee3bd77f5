r"""Exact integrals over the neurons of an infinitely wide network with sign weights.

A neuron is a breakpoint c with density p and a sign. On each *element* (an interval between neighbouring inputs,
or a half line outside; see ``ibtext.wide.hat_basis``) its dual profile g is affine, and its output weight is
:math:`\alpha = (\varphi')^{-1}(g)`.

Three devices make Gauss-Legendre quadrature exact to rounding:

1. pieces end at the data, at the zeros of g, and at the knots of the law (and wherever the caller asks);
2. on a piece where :math:`\alpha` varies, the integration variable is :math:`\alpha` itself:
   :math:`s = s_l + L\,(\varphi'(\alpha) - g_l)/(g_r - g_l)`,
   :math:`ds = L\,\varphi''(\alpha)\,d\alpha/(g_r - g_l)`. The steep fronts of :math:`\alpha` near a zero of g
   disappear, and :math:`(\varphi')^{-1}` is needed at the ends of pieces only;
3. :math:`\alpha = \pm u^4` with u linear along the piece, which makes the singularity of
   :math:`|\alpha|^{p-2}` at 0 so weak, :math:`u^{4(p-1)+3}`, that 40 nodes do not see it.

Where :math:`\varphi''` decreases away from 0 (hypentropy), or :math:`\alpha` hardly varies, s itself is the
variable. Everything is done in the local coordinate of an element, so that nothing cancels when the data are
dense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..potentials import Potential
from .graded_mesh import graded_fractions, straight_below
from .hat_basis import HatBasis

__all__ = ["Nodes", "Pieces", "SignRule", "cut"]

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

ORDER = 40
"""Gauss-Legendre nodes a piece."""


def _legendre(order: int) -> tuple[Array, Array]:
    s, w = np.polynomial.legendre.leggauss(order)
    return (1 + s) / 2, w / 2


_S, _W = _legendre(ORDER)
_S16, _W16 = _legendre(16)


@dataclass(frozen=True)
class Pieces:
    """Pieces of elements, all but empty ones, ordered by element and local coordinate.

    ``element``, ``left``, ``right``: shape (P,). ``edge``: number of the left end among all edges, which are counted
    with repetition; ``first[e]`` is the first edge of element e; ``extra`` are the edges of the caller's points.
    """

    element: Indices
    left: Array
    right: Array
    edge: Indices
    edges: int
    first: Indices
    extra: Indices


@dataclass(frozen=True)
class Nodes:
    r"""Quadrature nodes, shape (pieces, nodes a piece).

    ``edge`` (pieces,) and ``element`` (pieces,) say where a piece lies, ``s`` are local coordinates.
    ``load`` integrates the *curvature density* :math:`\Psi\,dc` (for sign weights :math:`\alpha\,p\,dc`),
    ``slope`` its derivative :math:`\partial_g\Psi\,dc`. ``mass`` integrates the law itself and ``alpha`` are the
    output weights (times n, a unit of weight).
    """

    edge: Indices
    element: Indices
    s: Array
    load: Array
    slope: Array
    alpha: Array
    mass: Array


def cut(hats: HatBasis, ends: tuple[float, float], knots: tuple[Indices, Array], extra: tuple[Indices, Array] | None) -> Pieces:
    """Cut the elements at knots and at extra points, given as (element, s); ``ends`` limit s on the half lines."""
    count = hats.elements
    last = np.ones(count)
    last[0], last[-1] = ends
    every = np.arange(count)
    more = (np.empty(0, dtype=np.intp), np.empty(0)) if extra is None else extra
    element = np.concatenate([every, every, knots[0], more[0]])
    s = np.concatenate([np.zeros(count), last, knots[1], more[1]])
    s = np.clip(s, 0.0, last[element])
    order = np.lexsort((s, element))
    position = np.empty_like(order)
    position[order] = np.arange(order.size)
    element, s = element[order], s[order]
    keep = np.flatnonzero((element[1:] == element[:-1]) & (s[1:] > s[:-1]))
    return Pieces(
        element[keep],
        s[keep],
        s[keep + 1],
        keep,
        order.size,
        np.searchsorted(element, every),
        position[order.size - more[0].size :],
    )


class SignRule:
    """Quadrature for weights +1 and -1 and breakpoints with a density.

    Parameters
    ----------
    hats : HatBasis
    density : callable
        Density p of the breakpoints, vectorised.
    knots : array
        Where a quadrature must be split, from one end of the support to the other.
    constant : float, optional
        The density between the ends, if it is constant: saves its evaluation.
    """

    closed_ends = True

    def __init__(self, hats: HatBasis, density: Callable[[Array], Array], knots: Array, *, constant: float | None = None) -> None:
        self.hats, self.density, self._constant = hats, density, constant
        self.low, self.high = float(knots[0]), float(knots[-1])
        self._ends = (
            max(0.0, (self.low - hats.x[0]) * float(hats.rate[0])),
            max(0.0, (self.high - hats.x[-1]) * float(hats.rate[-1])),
        )
        self._knots = hats.locate(np.asarray(knots[1:-1], dtype=np.float64))
        self._pieces = self.pieces()
        self._corners = self._local(self._pieces)

    def _local(self, pieces: Pieces) -> Array:
        phi = self.hats.phi[pieces.element]
        ends = np.stack([pieces.left, pieces.right], axis=1)
        local: Array = phi[:, None, :, 0] + phi[:, None, :, 1] * ends[:, :, None]  # (P, end, function)
        return local

    def pieces(self, extra: tuple[Indices, Array] | None = None) -> Pieces:
        """The pieces, cut at more points if asked."""
        return cut(self.hats, self._ends, self._knots, extra)

    def breakpoints(self, element: Indices, s: Array) -> Array:
        """Breakpoints of nodes."""
        points: Array = self.hats.origin[element, None] + s / self.hats.rate[element, None]
        return points

    def _density_at(self, element: Indices, s: Array) -> Array | float:
        """The density at nodes."""
        return self.density(self.breakpoints(element, s)) if self._constant is None else self._constant

    def moments(self, pieces: Pieces | None = None) -> tuple[Pieces, Array, Array]:
        """Pieces, local nodes and masses of the law on them, for integrals in which g is a polynomial."""
        p = self._pieces if pieces is None else pieces
        length = (p.right - p.left)[:, None]
        s = p.left[:, None] + length * _S
        return p, s, self._density_at(p.element, s) * (length / np.abs(self.hats.rate[p.element])[:, None] * _W)

    def nodes(self, values: Array, potential: Potential, pieces: Pieces | None = None) -> Nodes:
        """Nodes for the dual profile with local coefficients ``values``, shape (M + 1, 2)."""
        p = self._pieces if pieces is None else pieces
        corners = self._corners if pieces is None else self._local(p)
        g = np.matmul(corners, values[p.element][:, :, None])[:, :, 0].T
        ends = np.empty((4, p.left.size))
        ends[0], ends[1], ends[2:] = p.left, p.right, g
        element, edge = p.element, p.edge
        crossing = np.flatnonzero(g[0] * g[1] < 0)
        if crossing.size:
            count, (left, right, gl, gr) = p.left.size, ends[:, crossing]
            zero = left + (right - left) * gl / (gl - gr)
            index = np.concatenate([np.arange(count), crossing])
            ends, element, edge = ends[:, index], element[index], edge[index]
            ends[0, count:] = ends[1, crossing] = zero
            ends[2, count:] = ends[3, crossing] = 0.0
        length = ends[1] - ends[0]
        pieces_of = np.concatenate([ends, length[None], (length / np.abs(self.hats.rate[element]))[None]])
        s, a, mass, over = _piece_nodes(pieces_of, potential)
        density = self._density_at(element, s)
        mass = mass * density
        return Nodes(edge, element, s, mass * a, over * density, a, mass)

    def graded(
        self,
        element: Indices,
        left: Array,
        right: Array,
        edge: Indices,
        profile: Callable[[Indices, Array], Array],
        leading: Array,
        potential: Potential,
        degree: int,
    ) -> Nodes:
        """Nodes on pieces that shrink toward ends where the profile, a polynomial in s, is small."""
        ends = np.abs(np.stack([profile(element, left), profile(element, right)]))
        piece, begin, end = graded_fractions(ends, straight_below(potential), degree)
        element, edge, left, length = element[piece], edge[piece], left[piece], (right - left)[piece]
        s = left[:, None] + length[:, None] * (begin[:, None] + (end - begin)[:, None] * _S16)
        mass = (length * (end - begin) / np.abs(self.hats.rate[element]))[:, None] * _W16
        mass = mass * self._density_at(element, s)
        alpha = potential.inverse_gradient(profile(element, s))
        return Nodes(edge, element, s, mass * alpha, mass / potential.hessian(alpha), alpha, mass)

    def curvature_density(self, c: Array, g: Array, potential: Potential) -> Array:
        """The curvature density at breakpoints c with dual profile g."""
        return np.asarray(potential.inverse_gradient(g) * self.density(c), dtype=np.float64)

    def expectation(self, nodes: Nodes, values: Array, function: Callable[[Any], Any], potential: Potential) -> float:
        """E function(alpha) over the neurons of one sign."""
        return float(np.sum(nodes.mass * function(nodes.alpha)))


def _piece_nodes(pieces: Array, potential: Potential) -> tuple[Array, Array, Array, Array]:
    """Local nodes, output weights, dc and dc / phi''(alpha), on pieces where g does not change sign.

    ``pieces``, shape (6, P): ends in s, g at the ends, length in s, length in c.
    """
    alpha, loose = potential.mirror(pieces[2:4])
    size = np.abs(alpha)
    u = np.sqrt(np.sqrt(size))
    rise = u[1] - u[0]
    steep = (np.abs(rise) > 0.05 * np.maximum(u[0], u[1])) & ((loose[0] - loose[1]) * (size[1] - size[0]) > 0)
    if steep.all():
        return _curved(pieces, np.sign(alpha[0] + alpha[1]), u[0], rise, potential)
    if not steep.any():
        return _straight(pieces, potential)
    out = np.empty((4, steep.size, ORDER))
    plain = ~steep
    out[:, plain] = _straight(pieces[:, plain], potential)
    out[:, steep] = _curved(pieces[:, steep], np.sign(alpha[0] + alpha[1])[steep], u[0, steep], rise[steep], potential)
    s, a, mass, over = out
    return s, a, mass, over


def _straight(pieces: Array, potential: Potential) -> tuple[Array, Array, Array, Array]:
    """The variable s."""
    left, _, gl, gr, length, width = pieces[:, :, None]
    a, loose = potential.mirror(gl + (gr - gl) * _S)
    mass = width * _W
    return left + length * _S, a, mass, mass * loose


def _curved(pieces: Array, sign: Array, start: Array, rise: Array, potential: Potential) -> tuple[Array, Array, Array, Array]:
    """The variable u with alpha = +- u^4."""
    left, _, gl, gr, length, width = pieces[:, :, None]
    jump, front = gr - gl, sign[:, None]
    u = start[:, None] + rise[:, None] * _S
    cube = u * u * u
    a = front * cube * u
    s = left + (length / jump) * (potential.gradient(a) - gl)
    over = (4 * width * front * rise[:, None] / jump) * (cube * _W)
    return s, a, over * potential.hessian(a), over
