r"""The real line cut at the data: where the pieces of a quadrature lie.

An *element* is an interval between neighbouring inputs, or one of the two half lines outside. A place on it is given by a
local coordinate s: from 0 to 1 between inputs, and outside the distance from the data in units of :math:`x_M - x_1`. So
nothing cancels where the data are dense.
"""

from dataclasses import dataclass

import numpy as np

from ..numerics.arrays import Array, Indices

__all__ = ["Elements", "Pieces"]


_INNER, _LEFT, _RIGHT = [[1.0, -1.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]]


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


class Elements:
    """The elements of sorted, distinct inputs ``x``, shape (M,).

    Attributes
    ----------
    count : int
        Number of elements, M + 1.
    origin, rate : arrays (M + 1,)
        The local coordinate on element e is ``(c - origin[e]) * rate[e]``.
    phi : array (M + 1, 2, 2)
        Two local functions on each element that span the affine ones: ``phi[e, k]`` holds constant and slope, in s.
    """

    def __init__(self, x: Array) -> None:
        self.x, self.count = x, x.size + 1
        self.gaps = np.diff(x)
        self.span = float(x[-1] - x[0]) if x.size > 1 else 1.0
        self.origin = np.concatenate([x[:1], x[:-1], x[-1:]])
        self.rate = np.concatenate([[-1 / self.span], 1 / self.gaps, [1 / self.span]])
        self.phi = np.empty((self.count, 2, 2))
        self.phi[1:-1] = _INNER
        self.phi[0], self.phi[-1] = _LEFT, _RIGHT

    def locate(self, c: Array) -> tuple[Indices, Array]:
        """Element and local coordinate of points c; a data point belongs to the element on its right."""
        element = np.searchsorted(self.x, c, side="right")
        return element, (c - self.origin[element]) * self.rate[element]

    def points(self, element: Indices, s: Array) -> Array:
        """The points with local coordinates s, shape (P, n), on elements (P,)."""
        return np.asarray(self.origin[element, None] + s / self.rate[element, None], dtype=s.dtype)

    def functions(self, element: Indices, s: Array) -> Array:
        """The two local functions at s, shape (P, n), on elements (P,): shape (P, 2, n)."""
        phi = self.phi[element]
        return np.asarray(phi[:, :, :1] + phi[:, :, 1:] * s[:, None], dtype=np.float64)

    def affine(self, values: Array, element: Indices, s: Array) -> Array:
        """At s, shape (P, n), the function that has coefficients ``values``, shape (M + 1, 2), in the local functions."""
        return np.asarray((values[element][:, None] @ self.functions(element, s))[:, 0], dtype=np.float64)

    def ends(self, pieces: Pieces) -> Array:
        """The two local functions at both ends of pieces, shape (P, 2, 2 ends); at infinity what they grow with, their slopes."""
        s = np.stack([pieces.left, pieces.right], axis=1)
        finite = np.isfinite(s)
        values = self.functions(pieces.element, np.where(finite, s, 0.0))
        return np.where(finite[:, None], values, self.phi[pieces.element][:, :, 1:])

    def cut(self, reach: tuple[float, float], knots: tuple[Indices, Array], extra: tuple[Indices, Array] | None = None) -> Pieces:
        """Cut the elements at knots and at extra points, given as (element, s); ``reach`` limits s on the half lines."""
        last = np.ones(self.count)
        last[0], last[-1] = reach
        every = np.arange(self.count)
        more = (np.empty(0, dtype=np.intp), np.empty(0)) if extra is None else extra
        element = np.concatenate([every, every, knots[0], more[0]])
        s = np.concatenate([np.zeros(self.count), last, knots[1], more[1]])
        s = np.clip(s, 0.0, last[element])
        order = np.lexsort((s, element))
        position = np.empty_like(order)
        position[order] = np.arange(order.size)
        element, s = element[order], s[order]
        keep = np.flatnonzero((element[1:] == element[:-1]) & (s[1:] > s[:-1]))
        first = np.searchsorted(element, every)
        return Pieces(element[keep], s[keep], s[keep + 1], keep, order.size, first, position[order.size - more[0].size :])
