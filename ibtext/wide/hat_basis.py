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

from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["HatBasis"]

_HAT, _LEFT, _RIGHT = [[1.0, -1.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]]

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
        self.phi = np.empty((size + 1, 2, 2))
        self.phi[1:-1] = _HAT
        self.phi[0], self.phi[-1] = _LEFT, _RIGHT
        self.dof = np.empty((size + 1, 2), dtype=np.intp)
        self.dof[1:-1, 0], self.dof[1:-1, 1] = inner, inner + 1
        self.dof[[0, -1]] = 0, size - 1
        self.coef = np.ones((size + 1, 2))
        if size == 1:  # no second point to share the outside with: v = lambda |x - c|
            self.coef[:] = [[0.0, 1.0], [1.0, 0.0]]
        self._flat = (self.dof[:, [0, 0, 1, 1]] * size + self.dof[:, [0, 1, 0, 1]]).ravel()
        self._branches: dict[tuple[float, float], Array] = {}
        self._products = self.coef[:, [0, 0, 1, 1]] * self.coef[:, [0, 1, 0, 1]]

    @cached_property
    def affine(self) -> Array:
        """The attribute described above, needed for activations with an odd part."""
        x, out = self.x, np.zeros((self.x.size + 1, 2, 2))
        if x.size == 1:  # ell = lambda (x - c)
            out[:, :, 0] = [[0.0, 1.0], [-1.0, 0.0]]
            return out
        first, last = (x[-1] - x) / self.span, -(x - x[0]) / self.span
        out[1:-1, 0, 0], out[1:-1, 1, 0] = first[:-1], first[1:]
        out[1:-1, 0, 1], out[1:-1, 1, 1] = last[:-1], last[1:]
        out[0], out[-1] = np.eye(2), -np.eye(2)
        return out

    @cached_property
    def _dofs(self) -> npt.NDArray[np.intp]:
        size = self.x.size
        return np.concatenate([self.dof, np.tile([0, size - 1], (size + 1, 1))], axis=1)

    @cached_property
    def _flat4(self) -> npt.NDArray[np.intp]:
        return (self._dofs[:, :, None] * self.x.size + self._dofs[:, None, :]).ravel()

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
        values: Array = even * self.coef * v[self.dof]
        if odd:
            values += odd * (self.affine @ v[[0, -1]])
        return np.asarray(values, dtype=np.float64)

    def collect(self, place: npt.NDArray[np.intp], values: Array, places: int) -> Array:
        """Sums of the values that share a place, shape (places,)."""
        return np.asarray(np.bincount(place, values, places), dtype=np.float64)

    def branch(self, even: float, odd: float) -> Array:
        """Test functions of one sign in the local functions, shape (M + 1, 2, 4).

        Columns: the two unknowns of the element, then the first and the last one, which the odd part brings in. Where
        they are the same unknown the coefficients are added here, so that what cancels (in relu, the whole response on
        one side) is zero and not a difference of large integrals.
        """
        key = (even, odd)
        if key not in self._branches:
            local = np.zeros((self.elements, 2, 4))
            local[:, 0, 0], local[:, 1, 1] = even * self.coef[:, 0], even * self.coef[:, 1]
            local[:, :, 2:] = odd * self.affine
            for column in (0, 1):
                for end, unknown in ((2, 0), (3, self.x.size - 1)):
                    same = (self.dof[:, column] == unknown) & ((end == 2) | (self.x.size > 1))
                    local[same, :, end] += local[same, :, column]
                    local[same, :, column] = 0.0
            self._branches[key] = local
        return self._branches[key]

    def load(self, integrals: Array, even: float, odd: float) -> Array:
        """Integrals of the test functions from those of the local functions, shape (M + 1, 2)."""
        if not odd:
            return np.asarray(
                np.bincount(self.dof.ravel(), (even * self.coef * integrals).ravel(), self.x.size), dtype=np.float64
            )
        local = self.branch(even, odd)
        values = integrals[:, 0, None] * local[:, 0] + integrals[:, 1, None] * local[:, 1]
        return np.asarray(np.bincount(self._dofs.ravel(), values.ravel(), self.x.size), dtype=np.float64)

    def mass(self, integrals: Array, even: float, odd: float) -> Array:
        """The matrix (M, M) from the local integrals (LL, LR, RR), shape (M + 1, 3)."""
        size = self.x.size
        if not odd:
            local = even**2 * self._products * integrals[:, [0, 1, 1, 2]]
            return np.asarray(np.bincount(self._flat, local.ravel(), size * size).reshape(size, size), dtype=np.float64)
        test = self.branch(even, odd)
        local = test.transpose(0, 2, 1) @ integrals[:, [[0, 1], [1, 2]]] @ test
        return np.asarray(np.bincount(self._flat4, local.ravel(), size * size).reshape(size, size), dtype=np.float64)
