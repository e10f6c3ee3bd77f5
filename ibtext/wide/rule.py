r"""What the columns of a wide network need of a quadrature over the law of its neurons.

A neuron with weight w > 0 and breakpoint c has the dual profile :math:`w^k g(c)`, where g is affine (k = 1, two slopes) or a
polynomial (powers of relu) on each element, and the output weight :math:`\alpha = (\varphi')^{-1}(w^k g(c))`. Columns ask for
integrals over such neurons; those with w < 0 are mirror images.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..laws import Initialization
from ..numerics.arrays import Array, Indices
from ..numerics.gauss import gauss_legendre
from ..potentials import Potential
from .elements import Elements, Pieces

__all__ = ["Nodes", "Profile", "Rule"]


Profile = Callable[[Indices, Array], Array]
"""g at local coordinates (P, n) of elements (P,)."""


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


class Rule(ABC):
    """A quadrature over breakpoints on elements, for one law.

    Parameters
    ----------
    elements : Elements
    law : Initialization
    degree : int
        Of homogeneity, k.
    """

    uniform: tuple[float, float] | None = None
    """Ends of the support, where breakpoints are uniform on it and weights are signs: there h'' bends at inputs only."""

    def __init__(self, elements: Elements, law: Initialization, degree: int = 1) -> None:
        self.elements, self.law, self.degree = elements, law, degree

    fineness: float = 1.0
    """Factor in the number of nodes a piece."""

    def finer(self) -> "Rule":
        """The rule with more nodes on each piece, by which the results of this one are measured."""
        other = copy(self)
        other.fineness = 1.6 * self.fineness
        return other

    def gauss(self, order: int) -> tuple[Array, Array]:
        """The Gauss-Legendre rule with so many nodes a piece, or more where the rule is finer."""
        return gauss_legendre(round(order * self.fineness))

    @property
    @abstractmethod
    def reach(self) -> tuple[float, float]:
        """Where the half lines end, in local coordinates."""

    @property
    @abstractmethod
    def knots(self) -> tuple[Indices, Array]:
        """Where every quadrature is split, as (element, s)."""

    @abstractmethod
    def moments(self, pieces: Pieces | None = None) -> tuple[Pieces, Array, Array]:
        r"""Pieces, local nodes and masses of :math:`\zeta_k\,dc` on them, for integrals in which g enters as a polynomial."""

    @abstractmethod
    def nodes(self, values: Array, potential: Potential, pieces: Pieces | None = None) -> Nodes:
        """Nodes for the affine profile with coefficients ``values``, shape (M + 1, 2), in the local functions."""

    @abstractmethod
    def graded(self, pieces: Pieces, profile: Profile, leading: Array, potential: Potential) -> Nodes:
        """Nodes for a profile that is a polynomial in s, monotone on each piece; pieces shrink toward ends where it is small.

        ``leading[e]`` is its leading coefficient, which rules at infinity.
        """

    @abstractmethod
    def curvature_density(self, c: Array, g: Array, potential: Potential) -> Array:
        r"""The curvature density :math:`\Psi` at breakpoints c with dual profile g."""

    @abstractmethod
    def expectation(self, nodes: Nodes, function: Callable[[Array], Array], potential: Potential) -> float:
        """E function(alpha) over the neurons of one sign."""

    @abstractmethod
    def output_weight(self, g: Array, potential: Potential) -> Array:
        """The output weight that belongs to a dual profile, or a refusal where it depends on the size of the weight too."""

    def pieces(self, extra: tuple[Indices, Array] | None = None) -> Pieces:
        """The pieces, cut at more points (element, s) if asked."""
        return self.elements.cut(self.reach, self.knots, extra)

    @cached_property
    def _whole(self) -> tuple[Pieces, Array]:
        """The pieces without more cuts, and the local functions at their ends."""
        pieces = self.pieces()
        return pieces, self.elements.ends(pieces)

    def monotone(self, values: Array, pieces: Pieces | None = None) -> tuple[Pieces, Array]:
        """Pieces cut at the zeros of an affine profile, and the profile at their ends, shape (2, P)."""
        p, ends = self._whole if pieces is None else (pieces, self.elements.ends(pieces))
        g = (values[p.element][:, None] @ ends)[:, 0].T
        crossing = np.flatnonzero(g[0] * g[1] < 0)
        if not crossing.size:
            return p, g
        (gl, gr), left, right = g[:, crossing], p.left[crossing], p.right[crossing]
        finite = np.isfinite(right)  # toward infinity g = gl + gr (s - left)
        zero = left + np.where(finite, (right - left) * (gl / (gl - gr)), -gl / gr)
        index = np.concatenate([np.arange(p.left.size), crossing])
        lefts, rights, g = p.left[index], p.right[index], g[:, index]
        lefts[p.left.size :] = rights[crossing] = zero
        g[0, p.left.size :] = g[1, crossing] = 0.0
        return replace(p, element=p.element[index], edge=p.edge[index], left=lefts, right=rights), g
