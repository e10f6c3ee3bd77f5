r"""The dual equation of an infinitely wide network of units with two slopes, for ``ibtext.dual``.

A unit with weight w and breakpoint c responds to x with :math:`|w|\,(a|x - c| \pm b(x - c))`, the sign being that of
w; the law of the neurons enters through a *rule* that integrates over breakpoints (``sign_rule`` for sign weights,
``polar_rule`` for weights with a density). The unknowns are the values v of ``hat_basis`` at the data, the equations
second differences of :math:`F(\lambda) = y`. The learned function is evaluated between two inputs from its labels
there and its curvature: :math:`h` is the chord minus the Green integral of :math:`h''`, so that it meets the labels to
rounding, however rough they are.

What training pays splits into terms that can be checked. For gradient flow and unscaled potentials, a symmetric law of
(w, b) and b not 0,

.. math::

    E\,\alpha^2 = \frac{1}{4a^2}\int \frac{(h'')^2}{\zeta}
    + \frac{1}{4b^2}\,\big(A, B\big) \begin{pmatrix} E W^2 & E WB \\ E WB & E B^2 \end{pmatrix}^{-1} \big(A, B\big)^T,

with :math:`A = h'(\infty) + h'(-\infty)` and :math:`B = \int h''|c|\,dc - 2h(0)`. For relu both factors are 1, and with
:math:`E WB = 0` the sum is G1 + G2 + G3. The proof splits :math:`\alpha` into its even and odd part under the change of
both signs: h'' fixes the even part, A and B are two moments of the odd part, and the least norm with two given
moments is a quadratic form.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

import numpy as np

from ..activations import AnyActivation
from ..numerics.arrays import Array, Indices
from ..potentials import Potential
from .columns import WideColumns, WideSolution
from .elements import Pieces
from .hat_basis import HatBasis
from .rule import Rule

__all__ = ["TwoSlopes"]


class TwoSlopes(WideColumns):
    """The columns of units with two slopes, in the hat basis.

    Parameters
    ----------
    activation : Activation
    rule : Rule
        On the elements of the sorted inputs.
    potential, scaled : as in ``WideColumns``
    free_affine : bool
        Leave an affine function unpenalised: the two end values are zero and the interior ones the unknowns.

    One evaluation costs O(M + Z) pieces of 40 nodes for Z zeros of g, and O(M^2) for the matrix.
    """

    def __init__(
        self, activation: AnyActivation, rule: Rule, potential: Potential, *, scaled: bool = False, free_affine: bool = False
    ) -> None:
        super().__init__(activation, potential, scaled=scaled)
        if free_affine and rule.elements.x.size < 2:
            raise ValueError(
                "free_affine needs at least two data points, but one was given; add a point or leave free_affine=False."
            )
        self.rule: Rule = rule
        self.elements, self.hats, self.free_affine = rule.elements, HatBasis(rule.elements), free_affine
        right, left = activation.sides
        self.even, odd = (right + left) / 2, (right - left) / 2
        # neurons of either sign of the weight; they respond alike without an odd part
        self.odds = (0.0,) if odd == 0 or free_affine else (odd, -odd)
        self.responses = [self.hats.responses(self.even, odd) for odd in self.odds]

    # -- the equation ----------------------------------------------------------------------------------------------

    @cached_property
    def matrix(self) -> Array:
        p, s, mass = self.rule.moments()
        test = self.elements.functions(p.element, s)
        products = (test * (mass / self.second)[:, None]) @ test.transpose(0, 2, 1)
        local = self._by_element(p.element, products.reshape(-1, 4)).reshape(-1, 2, 2)
        return np.asarray(np.mean([self.hats.mass(local, r) for r in self.responses], axis=0), dtype=np.float64)

    def integrals(self, values: Array) -> tuple[Array, Array]:
        size = values.size
        value, matrix = np.zeros(size), np.zeros((size, size))
        for responses in self.responses:
            nodes = self.rule.nodes(self.hats.profile(values, responses), self.potential)
            test = self.elements.functions(nodes.element, nodes.s)
            part = np.empty((nodes.element.size, 6))  # of each piece: two loads, then the matrix of products
            part[:, :2] = (test @ nodes.load[:, :, None])[:, :, 0]
            part[:, 2:] = ((test * nodes.slope[:, None]) @ test.transpose(0, 2, 1)).reshape(-1, 4)
            local = self._by_element(nodes.element, part)
            value += self.hats.load(local[:, :2], responses)
            matrix += self.hats.mass(local[:, 2:].reshape(-1, 2, 2), responses)
        return value / len(self.odds), matrix / len(self.odds)

    def predicted(self, values: Array) -> Array:
        value = np.zeros(values.size)
        for responses in self.responses:
            element, _, s, load = self._loads(self.hats.profile(values, responses))
            part = (self.elements.functions(element, s) @ load[:, :, None])[:, :, 0]
            value += self.hats.load(self._by_element(element, part), responses)
        return value / len(self.odds)

    def _loads(self, profile: Array, pieces: Pieces | None = None) -> tuple[Indices, Indices, Array, Array]:
        """Element, edge, local coordinates and curvature loads of the nodes of a dual profile."""
        if self.linear:
            p, s, mass = self.rule.moments(pieces)
            return p.element, p.edge, s, mass * self.elements.affine(profile, p.element, s) / self.second
        nodes = self.rule.nodes(profile, self.potential, pieces)
        return nodes.element, nodes.edge, nodes.s, nodes.load

    def _by_element(self, element: Indices, parts: Array) -> Array:
        """Sums of the rows that belong to an element."""
        width = parts.shape[1]
        places = (width * element)[:, None] + np.arange(width)
        sums = np.bincount(places.ravel(), parts.ravel(), width * self.elements.count)
        return np.asarray(sums.reshape(-1, width), dtype=np.float64)

    def expectation(self, values: Array, function: Callable[[Array], Array]) -> float:
        signs = [self.rule.nodes(self.hats.profile(values, r), self.potential) for r in self.responses]
        return sum(self.rule.expectation(nodes, function, self.potential) for nodes in signs) / len(signs)

    def find(self, labels: Array, tol: float) -> WideSolution:
        """The solution; labels that a free affine function meets need no neuron."""
        if not self.free_affine:
            return super().find(labels, tol)
        slopes = np.diff(labels) / self.elements.gaps
        rounding = 8 * np.finfo(float).eps * (np.abs(slopes[1:]) + np.abs(slopes[:-1]))
        if np.all(np.abs(np.diff(slopes)) <= rounding):
            found = WideSolution(np.zeros(labels.size), 0.0, 0)
        else:
            found = super().find(labels, tol)
        first, last = (self.hats.to_hats(labels) - self.system(found.values)[0])[[0, -1]]  # labels minus F is affine
        affine = float(first - last), float(last * self.elements.x[-1] - first * self.elements.x[0])
        return replace(found, affine=affine)

    def retract(self, v: Array, step: Array) -> Array:
        """Move along ``step`` in the output weights at the data, in which F is nearly linear, and come back."""
        phi, even = self.potential, self.even
        alpha, inverse_hessian = phi.mirror(even * v)
        move = even * step * inverse_hessian
        if float(np.max(np.abs(move) / (1 + np.abs(alpha)))) < 1e-5:
            return v + step  # a straight line there, without the rounding of the way through phi'
        return np.asarray(phi.gradient(alpha + move) / even, dtype=np.float64)

    # -- the basis -------------------------------------------------------------------------------------------------

    def target(self, labels: Array) -> Array:
        """Second differences of the labels."""
        return self.unknowns(self.hats.to_hats(labels))

    def to_data(self, residuals: Array) -> Array:
        return self.hats.from_hats(residuals)

    def multiplier(self, values: Array) -> Array:
        return self.hats.to_hats(values)

    def from_multiplier(self, multiplier: Array) -> Array:
        return self.hats.from_hats(multiplier)

    def unknowns(self, values: Array) -> Array:
        """Without the end values, if an affine part is free."""
        return values[..., 1:-1] if self.free_affine else values

    def extended(self, unknowns: Array) -> Array:
        return np.concatenate([[0.0], unknowns, [0.0]]) if self.free_affine else unknowns

    def measure(self, residual: Array) -> float:
        return float(np.max(np.abs(self.to_data(self.extended(residual)))))

    def misfit(self, residual: Array) -> float:
        """Largest distance of F from the labels at an input, measured from the chord through its neighbours."""
        if self.elements.x.size == 1:
            return self.measure(residual)
        steep = np.abs(self.elements.rate)
        return float(np.max(np.abs(residual) * self.unknowns(2 / (steep[1:] + steep[:-1]))))

    # -- the function ----------------------------------------------------------------------------------------------

    def profile(self, values: Array, c: Array, responses: Array) -> Array:
        """The dual profile at breakpoints c, per unit of weight."""
        element, s = self.elements.locate(c)
        return self.elements.affine(self.hats.profile(values, responses), element, s[:, None])[:, 0]

    def _curvature(self, v: Array, pieces: Pieces) -> tuple[Array, Array, Array]:
        """Integrals between consecutive edges: of h'', of s h'', and of the odd part of the response's slope."""
        zeroth, first, skew = np.zeros((3, pieces.edges))
        for odd, responses in zip(self.odds, self.responses, strict=True):
            _, edge, s, load = self._loads(self.hats.profile(v, responses), pieces)
            part = np.bincount(edge, load.sum(1), pieces.edges)
            zeroth += part
            skew += odd * part
            first += np.bincount(edge, (s * load).sum(1), pieces.edges)
        share = 1 / len(self.odds)
        return 2 * self.even * share * zeroth, 2 * self.even * share * first, share * skew

    def function(self, values: Array, labels: Array, t: Array, order: int) -> Array:
        flat = t.ravel()
        if order == 2:
            signs = [self.profile(values, flat, r) for r in self.responses]
            density = np.mean([self.rule.curvature_density(flat, g, self.potential) for g in signs], axis=0)
            return np.reshape(2 * self.even * density, t.shape)
        element, s = self.elements.locate(flat)
        pieces = self.rule.pieces((element, s))
        zeroth, first, skew = self._curvature(values, pieces)
        # running integrals from the start of each element to each edge
        run0, run1 = (np.concatenate([[0.0], np.cumsum(u)]) for u in (zeroth, first))
        start = pieces.first[element]
        upto0, upto1 = run0[pieces.extra] - run0[start], run1[pieces.extra] - run1[start]
        ends = np.append(pieces.first[1:], pieces.edges)
        all0, all1 = run0[ends] - run0[pieces.first], run1[ends] - run1[pieces.first]
        if labels.size == 1:  # the slope by its definition: no second label pins it
            slopes = np.full(2, float(skew.sum() + (all0[0] - all0[1]) / 2))
        else:
            slopes = np.diff(labels) / self.elements.gaps - (all0 - all1)[1:-1]
            slopes = np.concatenate([slopes[:1], slopes, [slopes[-1] + all0[-2]]])
        slopes, rate = slopes[element], self.elements.rate[element]
        side, width = np.sign(rate), 1 / np.abs(rate)
        if order == 1:
            return np.reshape(slopes + side * upto0, t.shape)
        base = labels[np.clip(element - 1, 0, None)]
        value = base + width * s * (side * slopes) + width * (s * upto0 - upto1)
        between = (element > 0) & (element < labels.size)
        if between.any():  # the chord minus the Green integral, which vanishes at both ends
            e, r = element[between], s[between]
            later = (all0 - all1)[e] - (upto0 - upto1)[between]
            chord = (1 - r) * labels[e - 1] + r * labels[e]
            value[between] = chord - width[between] * ((1 - r) * upto1[between] + r * later)
        return np.reshape(value, t.shape)

    # -- what a result tells ---------------------------------------------------------------------------------------

    def output_weight(self, values: Array, c: Array) -> Array:
        """The output weight, where both signs of the weight respond alike."""
        if len(self.odds) > 1:
            return super().output_weight(values, c)
        g = self.profile(values, c.ravel(), self.responses[0])
        return self.rule.output_weight(g, self.potential).reshape(c.shape)

    def curvature_statistics(self, values: Array, labels: Array) -> dict[str, float]:
        """Largest and mean curvature over the support of a uniform bias law, exactly."""
        if len(self.odds) > 1:
            return super().curvature_statistics(values, labels)
        if self.rule.uniform is None:
            raise ValueError(
                "curvature_statistics is exact for the absolute value and a uniform bias law only, but another law of weight "
                "or bias was given; evaluate derivative(t, order=2) on a grid."
            )
        low, high = self.rule.uniform
        # between knots h'' is monotone, so |h''| is largest at a knot: an input or an end of the support
        knots = self.function(values, labels, np.concatenate([self.elements.x, [low, high]]), 2)
        nodes = self.rule.nodes(self.hats.profile(values, self.responses[0]), self.potential)
        total = 2 * abs(self.even) * float(np.sum(nodes.mass * np.abs(nodes.alpha)))
        return {"max": float(np.max(np.abs(knots))), "mean": total / (high - low)}

    def penalty_terms(self, values: Array, labels: Array) -> dict[str, float]:
        """G1, G2 and G3, for gradient flow and unscaled potentials."""
        odd, name = max(self.odds), self.activation.name
        if self.free_affine:
            raise ValueError(
                f"the terms G1, G2, G3 belong to a relu network whose affine part is penalised, but free_affine=True was given "
                f"(with {name!r}), which leaves only the curvature, the integral of h''^2/zeta; read limit.penalty instead."
            )
        if odd == 0:
            raise ValueError(
                f"the terms G1, G2, G3 belong to a relu network, but activation={name!r} was given, whose penalty has one term; "
                f"read limit.penalty instead."
            )
        if self.scaled:
            raise ValueError(
                "the terms G1, G2, G3 belong to gradient flow and unscaled potentials, but a scaled potential was given, for "
                "which no such form is known; read limit.penalty instead."
            )
        x, elements = self.elements.x, self.elements
        p, s, mass = self.rule.moments(self.rule.pieces(elements.locate(np.zeros(1))))
        even = self.hats.profile(values, self.hats.responses(self.even, 0.0))  # the branches' odd parts cancel in h''
        density = 2 * self.even * elements.affine(even, p.element, s) / self.second  # h'' / zeta
        curvature = mass * density
        first = float(np.sum(curvature * density)) / (4 * self.even**2)
        beyond = float(np.sum(curvature[p.element == x.size]) - np.sum(curvature[p.element == 0]))
        slopes = float(self.function(values, labels, x[[0, -1]], 1).sum()) + beyond
        height = float(np.sum(curvature * np.abs(elements.points(p.element, s))))
        height -= 2 * float(self.function(values, labels, np.zeros(1), 0)[0])
        w2, wb, b2 = self.rule.law.second_moments
        second, third = slopes**2 / w2, (height - wb / w2 * slopes) ** 2 / (b2 - wb**2 / w2)
        return {"G1": first, "G2": second / (4 * odd**2), "G3": third / (4 * odd**2)}
