r"""Hat functions: the basis in which the equations of a wide network are well conditioned.

A unit with two slopes responds with :math:`a|u| + bu`. Its dual profile is therefore made of

.. math:: v(c) = \sum_j \lambda_j |x_j - c|, \qquad \ell(c) = \sum_j \lambda_j (x_j - c),

a piecewise linear and an affine function of the breakpoint c. The map :math:`\lambda \mapsto v_i = v(x_i)` is a
bijection for :math:`M \ge 2`. With the node values as unknowns, in place of :math:`\lambda`,

* interior test functions are hats, supported on two data intervals; outside the data v has slopes
  :math:`\mp S`, :math:`S = (v_1 + v_M)/(x_M - x_1)`, and :math:`\ell` runs from :math:`v_1` at :math:`x_1` to
  :math:`-v_M` at :math:`x_M`, so that the two end functions alone reach outside;
* the equations are second differences of the labels, and the Newton matrix is a tridiagonal mass matrix plus a
  part of rank two, of condition number O(1) after scaling, where the kernel has :math:`10^{12}`;
* :math:`\lambda_i` is half the jump of the slope of v at :math:`x_i`, and the same second difference turns labels
  into right-hand sides, because the matrix :math:`D_{ij} = |x_i - x_j|` of the change of basis is symmetric.
"""

import numpy as np

from ..numerics.arrays import Array
from .elements import Elements

__all__ = ["HatBasis"]


class HatBasis:
    """The change of basis for M inputs, on their elements. Memory O(M^2).

    On an element four unknowns have a say: those of its two ends, and the first and the last one, to which ell belongs.
    ``unknowns``, shape (M + 1, 4), are their numbers.
    """

    def __init__(self, elements: Elements) -> None:
        self.elements, x = elements, elements.x
        size = x.size
        self.distance = np.abs(x[:, None] - x)
        self.unknowns = np.tile([0, size - 1, 0, size - 1], (size + 1, 1))
        self.unknowns[1:-1, 0], self.unknowns[1:-1, 1] = np.arange(size - 1), np.arange(1, size)
        self._pairs = (self.unknowns[:, :, None] * size + self.unknowns[:, None, :]).ravel()

    def to_hats(self, values: Array) -> Array:
        """Multiply by the inverse of D, along the last axis: half the jumps of slope. O(M)."""
        if len(self.distance) == 1:
            return np.array(values, dtype=np.float64)
        slope = np.diff(values) / self.elements.gaps
        end = (values[..., :1] + values[..., -1:]) / self.elements.span
        return np.diff(np.concatenate([-end, slope, end], axis=-1)) / 2

    def from_hats(self, values: Array) -> Array:
        """Multiply by D, along the last axis. O(M^2)."""
        return np.array(values) if len(self.distance) == 1 else values @ self.distance

    def responses(self, even: float, odd: float) -> Array:
        """Coefficients (M + 1, 2, 4) of ``even v(c) + odd ell(c)``: of the local functions, for each unknown of an element.

        Where two of the four are the same unknown the coefficients are added here, so that what cancels (in relu, the
        whole response on one side) is zero and not a difference of large integrals.
        """
        x, span, out = self.elements.x, self.elements.span, np.zeros((self.elements.count, 2, 4))
        if x.size == 1:  # no second point to share the outside with: v = lambda |x - c|, ell = lambda (x - c)
            out[:, :, 0] = [[0.0, even + odd], [even - odd, 0.0]]
            return out
        out[:, 0, 0] = out[:, 1, 1] = even
        first, last = odd * (x[-1] - x) / span, odd * (x[0] - x) / span
        out[1:-1, :, 2] = np.stack([first[:-1], first[1:]], axis=1)
        out[1:-1, :, 3] = np.stack([last[:-1], last[1:]], axis=1)
        out[0, :, 2:], out[-1, :, 2:] = odd * np.eye(2), -odd * np.eye(2)
        for end, unknown in ((2, 0), (3, x.size - 1)):
            for column in (0, 1):
                same = self.unknowns[:, column] == unknown
                out[same, :, end] += out[same, :, column]
                out[same, :, column] = 0.0
        return out

    def profile(self, v: Array, responses: Array) -> Array:
        """Coefficients (M + 1, 2) of a dual profile in the local functions, from the node values v."""
        return np.asarray((responses @ v[self.unknowns][:, :, None])[:, :, 0], dtype=np.float64)

    def load(self, integrals: Array, responses: Array) -> Array:
        """Integrals of the test functions from those of the local functions, shape (M + 1, 2)."""
        local = (integrals[:, None] @ responses)[:, 0]
        return np.asarray(np.bincount(self.unknowns.ravel(), local.ravel(), len(self.distance)), dtype=np.float64)

    def mass(self, integrals: Array, responses: Array) -> Array:
        """The matrix (M, M) from the local integrals of products, shape (M + 1, 2, 2)."""
        size = len(self.distance)
        local = responses.transpose(0, 2, 1) @ integrals @ responses
        return np.asarray(np.bincount(self._pairs, local.ravel(), size * size).reshape(size, size), dtype=np.float64)
