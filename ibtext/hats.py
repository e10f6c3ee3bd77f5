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

An *element* is an interval between neighbouring inputs, or one of the two half lines outside. On it every
function here is affine in a local coordinate s: from 0 to 1 between inputs, and the distance from the data in
units of :math:`x_M - x_1` outside.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["HatBasis"]

Array = npt.NDArray[np.float64]


class HatBasis:
    """The change of basis for sorted, distinct inputs ``x``, shape (M,). Memory O(M^2).

    Attributes
    ----------
    origin, rate : arrays (M + 1,)
        The local coordinate on element e is ``(c - origin[e]) * rate[e]``.
    phi : array (M + 1, 2, 2)
        ``phi[e, k]`` holds constant and slope, in s, of the k-th local function.
    dof, coef : arrays (M + 1, 2)
        The unknown behind each local function, and its factor.
    affine : array (M + 1, 2, 2)
        ``affine[e, k, m]``: coefficient of local function k in the part of ell that belongs to the first (m = 0) or
        last (m = 1) unknown.
    """

    def __init__(self, x: Array) -> None:
        self.x = x
        size = x.size
        self.gaps = np.diff(x)
        self.span = float(x[-1] - x[0]) if size > 1 else 1.0
        self.distance = np.abs(x[:, None] - x)
        inner = np.arange(size - 1)
        self.origin = np.concatenate([x[:1], x[:-1], x[-1:]])
        self.rate = np.concatenate([[-1 / self.span], 1 / self.gaps, [1 / self.span]])
        hat = np.broadcast_to([[1.0, -1.0], [0.0, 1.0]], (size - 1, 2, 2))
        left, right = [[1.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]]
        self.phi = np.concatenate([[left], hat, [right]])
        self.dof = np.concatenate([[[0, size - 1]], np.stack([inner, inner + 1], axis=1), [[0, size - 1]]])
        self.coef = np.ones((size + 1, 2))
        self.affine = np.zeros((size + 1, 2, 2))
        if size == 1:  # no second point to share the outside with: v = lambda |x - c|, ell = lambda (x - c)
            self.coef[:] = [[0.0, 1.0], [1.0, 0.0]]
            self.affine[:, :, 0] = [[0.0, 1.0], [-1.0, 0.0]]
        else:
            first, last = (x[-1] - x) / self.span, -(x - x[0]) / self.span
            self.affine[1:-1, 0, 0], self.affine[1:-1, 1, 0] = first[:-1], first[1:]
            self.affine[1:-1, 0, 1], self.affine[1:-1, 1, 1] = last[:-1], last[1:]
            self.affine[0] = np.eye(2)
            self.affine[-1] = -np.eye(2)
        self._flat = (self.dof[:, [0, 0, 1, 1]] * size + self.dof[:, [0, 1, 0, 1]]).ravel()
        self._products = self.coef[:, [0, 0, 1, 1]] * self.coef[:, [0, 1, 0, 1]]

    @property
    def elements(self) -> int:
        """Number of elements, M + 1."""
        return self.x.size + 1

    def to_hats(self, values: Array) -> Array:
        """Multiply by the inverse of D, along the last axis: half the jumps of slope. O(M)."""
        if self.x.size == 1:
            return np.array(values, dtype=np.float64)
        slope = np.diff(values) / self.gaps
        end = (values[..., :1] + values[..., -1:]) / self.span
        return np.diff(np.concatenate([-end, slope, end], axis=-1)) / 2

    def from_hats(self, values: Array) -> Array:
        """Multiply by D, along the last axis. O(M^2)."""
        return np.array(values) if self.x.size == 1 else values @ self.distance

    def locate(self, c: Array) -> tuple[npt.NDArray[np.intp], Array]:
        """Element and local coordinate of points c; a data point belongs to the element on its right."""
        element = np.searchsorted(self.x, c, side="right")
        return element, (c - self.origin[element]) * self.rate[element]

    def local_values(self, v: Array, even: float, odd: float) -> Array:
        """Coefficients (M + 1, 2) of ``even v(c) + odd ell(c)`` in the local functions."""
        values = even * self.coef * v[self.dof]
        if odd:
            values += odd * (self.affine @ v[[0, -1]])
        return values

    def load(self, even: Array, odd: Array | None) -> Array:
        """Integrals of the test functions from those of the local functions, (M + 1, 2) each."""
        total = np.bincount(self.dof.ravel(), (self.coef * even).ravel(), self.x.size)
        if odd is not None:
            ends = np.einsum("ekm,ek->m", self.affine, odd)
            total[0] += ends[0]
            total[-1] += ends[1]
        return total

    def mass(self, even: Array, cross: Array | None, odd: Array | None) -> Array:
        """The matrix (M, M) from local integrals (LL, LR, RR), (M + 1, 3), of the three kinds of products."""
        size = self.x.size
        local = self._products * even[:, [0, 1, 1, 2]]
        matrix = np.bincount(self._flat, local.ravel(), size * size).reshape(size, size)
        if cross is not None and odd is not None:
            matrix = matrix + 0.0
            side = self.coef[:, :, None] * (cross[:, [[0, 1], [1, 2]]] @ self.affine)
            for m, end in ((0, 0), (1, size - 1)):
                column = np.bincount(self.dof.ravel(), side[:, :, m].ravel(), size)
                matrix[:, end] += column
                matrix[end, :] += column
            corner = np.einsum("ekm,ekl,eln->mn", self.affine, odd[:, [[0, 1], [1, 2]]], self.affine)
            for m, row in ((0, 0), (1, size - 1)):
                for n, col in ((0, 0), (1, size - 1)):
                    matrix[row, col] += corner[m, n]
        return matrix
