r"""The dual equation of an infinitely wide network of units with two slopes, for ``ibtext.dual``.

A unit with weight w and breakpoint c responds to x with :math:`|w|\,(a|x - c| \pm b(x - c))`, the sign being that of
w; the law of the neurons enters through a *rule* that integrates over breakpoints (``sign_rule`` for sign weights,
``polar_rule`` for weights with a density). The unknowns are the values v of ``hat_basis`` at the data, the equations
second differences of :math:`F(\lambda) = y`. The learned function is evaluated between two inputs from its labels
there and its curvature: :math:`h` is the chord minus the Green integral of :math:`h''`, so that it meets the labels to
rounding, however rough they are.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, eigh

from ..activations import Activation
from ..dual import Columns
from ..potentials import Potential, QuadraticPotential
from .hat_basis import HatBasis
from .sign_rule import Indices, Nodes, Pieces

__all__ = ["Rule", "WideColumns"]

Array = npt.NDArray[np.float64]


class Rule(Protocol):
    """What a quadrature over the law of the neurons offers; see ``ibtext.wide.sign_rule.SignRule``."""

    low: float
    high: float

    def pieces(self, extra: tuple[Indices, Array] | None = None) -> Pieces: ...
    def moments(self, pieces: Pieces | None = None) -> tuple[Pieces, Array, Array]: ...
    def nodes(self, values: Array, potential: Potential, pieces: Pieces | None = None) -> Nodes: ...
    def curvature_density(self, c: Array, g: Array, potential: Potential) -> Array: ...
    def expectation(self, nodes: Nodes, values: Array, function: Any, potential: Potential) -> float: ...


class WideColumns(Columns):
    """The columns of the infinitely wide network in the hat basis.

    Parameters
    ----------
    hats : HatBasis
        Of the sorted inputs.
    activation : Activation
        With two slopes.
    rule : Rule
    potential : Potential
        Acts on the output weight of a neuron, alpha.
    free_affine : bool
        Leave an affine function unpenalised: the two end values are zero and the interior ones the unknowns.

    One evaluation costs O(M + Z) pieces of 40 nodes for Z zeros of g, and O(M^2) for the matrix.
    """

    def __init__(
        self, hats: HatBasis, activation: Activation, rule: Rule, potential: Potential, *, free_affine: bool = False
    ) -> None:
        self.hats, self.rule, self.potential, self.free_affine = hats, rule, potential, free_affine
        self.even, odd = (activation.right - activation.left) / 2, (activation.right + activation.left) / 2
        self.odds = (0.0,) if odd == 0 or free_affine else (odd, -odd)
        self.activation = activation
        self._matrix = self._linear_matrix() if isinstance(potential, QuadraticPotential) else None

    # -- the equation ------------------------------------------------------------------------------------------

    @property
    def linear(self) -> bool:
        """Whether the potential is quadratic, so that F is linear."""
        return self._matrix is not None

    def _linear_matrix(self) -> Array:
        p, s, mass = self.rule.moments()
        local = self._products(p.element, s, mass / self.second)
        return sum((self.hats.mass(local, self.even, odd) for odd in self.odds), np.zeros(())) / len(self.odds)

    @property
    def second(self) -> float:
        """phi'' at 0."""
        return float(self.potential.hessian(0.0))

    def functions(self, element: Indices, s: Array) -> tuple[Array, Array]:
        """The two local functions at nodes (pieces, nodes a piece)."""
        phi = self.hats.phi[element]
        return phi[:, :1, 0] + phi[:, :1, 1] * s, phi[:, 1:, 0] + phi[:, 1:, 1] * s

    def _products(self, element: Indices, s: Array, weight: Array) -> Array:
        first, second = self.functions(element, s)
        one = first * weight
        sums = (one * first).sum(1), (one * second).sum(1), (second * second * weight).sum(1)
        return np.stack([self.hats.collect(element, v, self.hats.elements) for v in sums], axis=1)

    def evaluate(self, v: Array) -> tuple[Array, Array]:
        """F and its Jacobian H in the hat basis, for ``solve_dual``."""
        value, matrix = self.evaluate_all(self.extended(v))
        return (value[1:-1], matrix[1:-1, 1:-1]) if self.free_affine else (value, matrix)

    def evaluate_all(self, v: Array) -> tuple[Array, Array]:
        """The same for all M node values, whether or not the affine part is free."""
        if self._matrix is not None:
            value, matrix = self._matrix @ v, self._matrix
        elif not v.any():  # where Newton's method starts
            value, matrix = np.zeros(v.size), self._linear_matrix()
        else:
            size = self.hats.x.size
            value, matrix = np.zeros(size), np.zeros((size, size))
            for odd in self.odds:
                nodes = self.rule.nodes(self.hats.local_values(v, self.even, odd), self.potential)
                phi = self.hats.phi[nodes.element]
                test = phi[:, :, :1] + phi[:, :, 1:] * nodes.s[:, None]  # (pieces, local function, node)
                part = np.empty((nodes.element.size, 6))  # of each piece: two loads, then the matrix of products
                part[:, :2] = np.matmul(test, nodes.load[:, :, None])[:, :, 0]
                part[:, 2:] = np.matmul(test * nodes.slope[:, None], test.transpose(0, 2, 1)).reshape(-1, 4)
                places = (6 * nodes.element)[:, None] + np.arange(6)
                sums = self.hats.collect(places.ravel(), part.ravel(), 6 * self.hats.elements).reshape(-1, 6)
                value += self.hats.load(sums[:, :2], self.even, odd)
                matrix += self.hats.mass(sums[:, [2, 3, 5]], self.even, odd)
            value, matrix = value / len(self.odds), matrix / len(self.odds)
        return value, matrix

    def extended(self, v: Array) -> Array:
        """All M node values from the unknowns."""
        return np.concatenate([[0.0], v, [0.0]]) if self.free_affine else v

    def target(self, y: Array) -> Array:
        """Right-hand side for labels y at the sorted inputs."""
        target = self.hats.to_hats(y)
        return target[1:-1] if self.free_affine else target

    def multiplier(self, v: Array) -> Array:
        """The multiplier lambda of node values v, all M of them."""
        return self.hats.to_hats(v)

    def from_multiplier(self, multiplier: Array) -> Array:
        """Node values of a multiplier."""
        return self.hats.from_hats(multiplier)

    def to_data(self, values: Array) -> Array:
        """From residuals in hats to residuals at the data, along the last axis."""
        return self.hats.from_hats(values)

    def root(self) -> Array:
        """For a linear problem: a matrix G with kernel G^T G, so that no digit of small eigenvalues is squared away."""
        _, matrix = self.evaluate(np.zeros(self.hats.x.size))
        change = self.hats.from_hats(np.eye(self.hats.x.size))
        return np.asarray(cholesky(matrix) @ change, dtype=np.float64)

    def straight(self, labels: Array) -> bool:
        """Whether labels are affine in x to rounding."""
        slopes = np.diff(labels) / self.hats.gaps
        bend = np.abs(np.diff(slopes))
        return bool(np.all(bend <= 8 * np.finfo(float).eps * (np.abs(slopes[1:]) + np.abs(slopes[:-1]))))

    def affine_part(self, v: Array, labels: Array) -> tuple[float, float]:
        """Slope and constant of labels minus F, where F meets the labels up to an affine function."""
        rest = self.hats.to_hats(labels) - self.evaluate_all(v)[0]
        first, last = float(rest[0]), float(rest[-1])
        return first - last, last * float(self.hats.x[-1]) - first * float(self.hats.x[0])

    def retract(self, v: Array, step: Array) -> Array:
        """Move along ``step`` in the output weights at the data, in which F is nearly linear, and come back."""
        phi, even = self.potential, self.even
        a, loose = phi.mirror(even * v)
        slope = even * step * loose
        if float(np.max(np.abs(slope) / (1 + np.abs(a)))) < 1e-5:
            return v + step  # a straight line there, without the rounding of the way through phi'
        return np.asarray(phi.gradient(a + slope) / even, dtype=np.float64)

    def measure(self, residual: Array) -> float:
        """Largest residual of the equations at the data, in the units of y."""
        return float(np.max(np.abs(self.hats.from_hats(self.extended(residual)))))

    def misfit(self, rest: Array) -> float:
        """Largest distance of F from the labels at an input, measured from the chord through its neighbours.

        ``rest``: residuals of the equations in hats.
        """
        rest = np.abs(rest)
        if self.hats.x.size == 1:
            return float(rest[0])
        steep = 1 / np.concatenate([[self.hats.span], self.hats.gaps, [self.hats.span]])
        local = 2 / (steep[1:] + steep[:-1])
        return float(np.max(rest * (local[1:-1] if self.free_affine else local)))

    def condition(self, matrix: Array) -> float:
        """Condition number of the kernel in the data, from the matrix in hats. O(M^3)."""
        if matrix.shape[0] <= 1:
            return 1.0
        square = np.eye(self.hats.x.size) if self.hats.x.size == 1 else self._inverse_square()
        top = [float(eigh(p, q, eigvals_only=True)[-1]) for p, q in ((matrix, square), (square, matrix))]
        return top[0] * top[1]

    def _inverse_square(self) -> Array:
        change = self.hats.to_hats(np.eye(self.hats.x.size))
        square = change @ change.T
        return square[1:-1, 1:-1] if self.free_affine else square

    def penalty(self, v: Array, *, scaled: bool) -> float:
        """E D_phi(alpha, 0) for a scaled potential, E alpha^2 otherwise; all M node values are expected."""
        if self._matrix is not None:
            energy = float(v @ self._matrix @ v) / self.second
            return energy * (self.second / 2 if scaled else 1.0)
        total = 0.0
        for odd in self.odds:
            values = self.hats.local_values(v, self.even, odd)
            nodes = self.rule.nodes(values, self.potential)
            total += self.rule.expectation(nodes, values, lambda a: self.potential.divergence(a, 0 * a), self.potential)
        return total / len(self.odds)

    # -- the function ------------------------------------------------------------------------------------------

    def _curvature(self, v: Array, pieces: Pieces) -> tuple[Array, Array, Array]:
        """Integrals between consecutive edges: of h'', of s h'', and of the odd part of the response's slope."""
        zeroth, first, skew = np.zeros((3, pieces.edges))
        for odd in self.odds:
            values = self.hats.local_values(v, self.even, odd)
            if self.linear:
                p, s, mass = self.rule.moments(pieces)
                one, two = self.functions(p.element, s)
                edge, load = p.edge, mass * (values[p.element, :1] * one + values[p.element, 1:] * two) / self.second
            else:
                nodes = self.rule.nodes(values, self.potential, pieces)
                edge, s, load = nodes.edge, nodes.s, nodes.load
            part = np.bincount(edge, load.sum(1), pieces.edges)
            zeroth += part
            skew += odd * part
            first += np.bincount(edge, (s * load).sum(1), pieces.edges)
        share = 1 / len(self.odds)
        return 2 * self.even * share * zeroth, 2 * self.even * share * first, share * skew

    def profile(self, v: Array, c: Array, odd: float = 0.0) -> Array:
        """The dual profile at breakpoints c, per unit of weight."""
        element, s = self.hats.locate(c)
        phi = self.hats.phi[element]
        local = phi[:, :, 0] + phi[:, :, 1] * s[:, None]
        return np.asarray((self.hats.local_values(v, self.even, odd)[element] * local).sum(1), dtype=np.float64)

    def function(self, v: Array, labels: Array, t: Array, order: int) -> Array:
        """The function with values ``labels`` at the sorted inputs (order 0), its slope (1) or curvature (2) at t."""
        flat = t.ravel()
        element, s = self.hats.locate(flat)
        if order == 2:
            total = np.zeros(flat.size)
            for odd in self.odds:
                total += self.rule.curvature_density(flat, self.profile(v, flat, odd), self.potential)
            return np.reshape(2 * self.even / len(self.odds) * total, t.shape)
        pieces = self.rule.pieces((element, s))
        zeroth, first, skew = self._curvature(v, pieces)
        # running integrals from the start of each element to each edge
        run0, run1 = (np.concatenate([[0.0], np.cumsum(u)]) for u in (zeroth, first))
        start = pieces.first[element]
        upto0, upto1 = run0[pieces.extra] - run0[start], run1[pieces.extra] - run1[start]
        ends = np.append(pieces.first[1:], pieces.edges)
        all0, all1 = run0[ends] - run0[pieces.first], run1[ends] - run1[pieces.first]
        if labels.size == 1:  # the slope by its definition: no second label pins it
            slopes = np.full(2, float(skew.sum() + (all0[0] - all0[1]) / 2))
        else:
            slopes = np.diff(labels) / self.hats.gaps - (all0 - all1)[1:-1]
            slopes = np.concatenate([slopes[:1], slopes, [slopes[-1] + all0[-2]]])
        slopes = slopes[element]
        side = np.sign(self.hats.rate[element])
        if order == 1:
            return np.reshape(slopes + side * upto0, t.shape)
        width = 1 / np.abs(self.hats.rate[element])
        outside = (element == 0) | (element == self.hats.elements - 1)
        base = labels[np.clip(element - 1, 0, None)]
        value = base + width * s * (side * slopes) + width * (s * upto0 - upto1)
        if not outside.all():
            e, r = element[~outside], s[~outside]
            later = (all0 - all1)[e] - (upto0 - upto1)[~outside]
            chord = (1 - r) * labels[e - 1] + r * labels[e]
            value[~outside] = chord - width[~outside] * ((1 - r) * upto1[~outside] + r * later)
        return np.reshape(value, t.shape)
