r"""Wide networks of :math:`\max(u, 0)^k`: splines of degree 2k + 1.

A unit with weight w and breakpoint c responds to x with :math:`|w|^k (\pm(x - c))_+^k`, so the dual profiles of the two
signs are splines of degree k in c with knots at the data,

.. math:: g_+(c) = \sum_j \lambda_j (x_j - c)_+^k, \qquad g_-(c) = \sum_j \lambda_j (c - x_j)_+^k .

The equations are taken in a local basis, as for two slopes (``hat_basis``): divided differences of order k + 1 of
consecutive labels, whose test functions are B-splines, in both signs alike up to :math:`(-1)^{k+1}` because divided
differences kill polynomials; and k + 1 single labels, spread over the data, for the rest. Each row is scaled to the size
of a label. The learned function is evaluated from the k + 1 nearest labels and its own divided difference there, the
integral of :math:`h^{(k+1)}` against a B-spline.

Source: Jin and Montúfar (2023), Corollary 4; the scaled case is a numerical extension.
"""

from collections.abc import Callable
from functools import cached_property
from math import factorial

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from ..activations import AnyActivation
from ..errors import ConvergenceError
from ..numerics.arrays import Array, Indices
from ..potentials import Potential
from .columns import WideColumns, WideSolution
from .rule import Nodes, Rule

__all__ = ["ReluPowers"]


def divided_difference(x: Array) -> Array:
    """Coefficients of the divided difference at distinct points, along the last axis."""
    gaps = x[..., :, None] - x[..., None, :]
    gaps = gaps + np.eye(x.shape[-1])
    return np.asarray(1 / np.prod(gaps, axis=-1), dtype=np.float64)


class ReluPowers(WideColumns):
    """The columns of powers of relu, in the basis of divided differences.

    Parameters
    ----------
    activation : ReLUPower
    rule : Rule
        On the elements of the sorted inputs.
    potential, scaled : as in ``WideColumns``

    Cost O(M^2 N) an evaluation for N quadrature nodes.
    """

    def __init__(
        self, activation: AnyActivation, rule: Rule, potential: Potential, *, scaled: bool = False, free_affine: bool = False
    ) -> None:
        super().__init__(activation, potential, scaled=scaled)
        if free_affine:
            raise ValueError(
                f"free_affine belongs to activations with two slopes, but {activation.name!r} was given; leave "
                f"free_affine=False, since a power of relu has a free part of higher degree."
            )
        self.rule: Rule = rule
        self.elements, self.k = rule.elements, activation.degree
        x, k, size = self.elements.x, self.k, self.elements.x.size
        points = np.unique(np.linspace(0, size - 1, min(size, k + 1)).round().astype(np.intp))
        self.change = np.zeros((size, size))
        self.change[: points.size][np.arange(points.size), points] = 1.0
        self._points, self._splines = points, np.arange(max(size - k - 1, 0))
        windows = self._splines[:, None] + np.arange(k + 2)
        self._front = np.empty(0)
        if windows.size:
            coefficients = divided_difference(x[windows])
            scale = 1 / np.max(np.abs(coefficients), axis=1)
            np.put_along_axis(self.change[points.size :], windows, coefficients * scale[:, None], axis=1)
            self._front = scale / (x[windows[:, -1]] - x[windows[:, 0]])
        # knots beyond the ends complete the recursion; their splines are not used
        beyond = self.elements.span * np.arange(1.0, k + 1)
        self._knots = np.concatenate([x[0] - beyond[::-1], x, x[-1] + beyond])

    # -- test functions --------------------------------------------------------------------------------------------

    def _splines_at(self, element: Indices, c: Array) -> Array:
        """B-splines that belong to the rows of divided differences, shape (M - k - 1, N), by their recursion.

        Ours, because ``refined`` needs them in long doubles, and ``scipy.interpolate.BSpline`` knows doubles only.
        """
        k, t = self.k, self._knots
        out = np.zeros((self._splines.size, c.size), dtype=c.dtype)
        inner = np.flatnonzero((element > 0) & (element < self.elements.count - 1))
        if not (self._splines.size and inner.size):
            return out
        span, at = element[inner] + k - 1, c[inner]
        values = np.zeros((k + 1, inner.size), dtype=c.dtype)
        values[0] = 1.0
        for j in range(1, k + 1):
            saved = np.zeros(inner.size, dtype=c.dtype)
            for r in range(j):
                right, left = t[span + r + 1] - at, at - t[span + 1 - j + r]
                share = values[r] / (right + left)
                values[r], saved = saved + right * share, left * share
            values[j] = saved
        for r in range(k + 1):
            row = span - k + r - k
            good = (row >= 0) & (row < self._splines.size)
            out[row[good], inner[good]] = values[r, good]
        return out

    def _tests(self, element: Indices, s: Array) -> tuple[Array, Array]:
        """Test functions of both signs at local coordinates s, shape (P, n), of elements (P,): shape (M, P n) each."""
        c = self.elements.points(element, s).ravel()
        u = self.elements.x[self._points, None] - c
        spline = self._front[:, None] * self._splines_at(np.repeat(element, s.shape[1]), c)
        plus = np.concatenate([np.clip(u, 0.0, None) ** self.k, spline])
        minus = np.concatenate([np.clip(-u, 0.0, None) ** self.k, (-1) ** (self.k + 1) * spline])
        return plus, minus

    # -- the equation ----------------------------------------------------------------------------------------------

    @cached_property
    def matrix(self) -> Array:
        pieces, s, mass = self.rule.moments()
        tests = np.concatenate(self._tests(pieces.element, s), axis=1)
        return np.asarray((tests * np.tile(mass.ravel() / (2 * self.second), 2)) @ tests.T, dtype=np.float64)

    def integrals(self, values: Array) -> tuple[Array, Array]:
        value, matrix = np.zeros(values.size), np.zeros((values.size, values.size))
        for sign in (0, 1):
            nodes = self._nodes(values, sign)
            test = self._tests(nodes.element, nodes.s)[sign]
            value += test @ nodes.load.ravel() / 2
            matrix += (test * nodes.slope.ravel()) @ test.T / 2
        return value, matrix

    def predicted(self, values: Array) -> Array:
        value = np.zeros(values.size)
        for sign in (0, 1):
            nodes = self._nodes(values, sign)
            value += self._tests(nodes.element, nodes.s)[sign] @ nodes.load.ravel() / 2
        return value

    def missed(self, values: Array, labels: Array) -> float:
        """For a linear problem nothing beyond what ``refined`` has measured in more digits than a second rule has."""
        return 0.0 if self.linear else super().missed(values, labels)

    def expectation(self, values: Array, function: Callable[[Array], Array]) -> float:
        return sum(self.rule.expectation(self._nodes(values, sign), function, self.potential) for sign in (0, 1)) / 2

    def find(self, labels: Array, tol: float) -> WideSolution:
        """The solution; what rounding leaves of it is excused."""
        return self.refined(self.target(labels)) if self.linear else super().find(labels, tol)

    def refined(self, target: Array) -> WideSolution:
        """The root of a linear problem, its residual before z is rounded, and the rounding error in that. O(M N) a step.

        Rough labels make z large, and F is a sum of waves that cancel. The sums over the nodes are those of a law whose
        masses and nodes are rounded, which h does not feel; the rounding of their terms it does, so that they are
        evaluated in extended precision. (Where the machine has none, nothing is gained.)
        """
        pieces, s, mass = self.rule.moments()
        tests = np.concatenate(self._tests(pieces.element, s.astype(np.longdouble)), axis=1)
        mass = np.tile(mass.ravel() / (2 * self.second), 2)
        scale = 1 / np.sqrt(self.matrix.diagonal())
        try:
            factor = cho_factor(self.matrix * scale[:, None] * scale)
        except LinAlgError:
            raise ConvergenceError(
                f"the kernel of {self.activation.name} must be positive definite in double precision, but it is not for "
                f"these {target.size} inputs, probably because they are many or close for a power this high; drop or "
                f"average the closest points, or take a lower power."
            ) from None
        root, best = np.zeros(target.size, dtype=np.longdouble), WideSolution(np.zeros(target.size), np.inf, 1)
        eps = float(np.finfo(np.longdouble).eps)
        for _ in range(40):
            difference = target - tests @ (mass * (root @ tests))
            reached = float(np.max(np.abs(difference)))
            if not reached < 0.9 * best.residual:
                break
            size = np.abs(tests) @ (mass * (np.abs(root) @ np.abs(tests)))
            best = WideSolution(root.astype(np.float64), reached, 1, excused=16 * eps * float(np.max(size)))
            root = root + scale * cho_solve(factor, scale * difference.astype(np.float64))
        return best

    def _profile(self, z: Array, sign: int, element: Indices, s: Array) -> Array:
        return np.reshape(z @ self._tests(element, s)[sign], s.shape)

    def _nodes(self, z: Array, sign: int, extra: tuple[Indices, Array] | None = None) -> Nodes:
        """Quadrature nodes of one sign: pieces end at the zeros of g and of its slope, and at extra points."""
        p, k = self.rule.pieces(), self.k
        half = np.where(np.isfinite(p.right), p.right - p.left, 1.0) / 2
        middle, sample = p.left + half, np.cos(np.pi * (np.arange(k + 1) + 0.5) / (k + 1))
        g = self._profile(z, sign, p.element, middle[:, None] + half[:, None] * sample)
        series = np.linalg.solve(np.vander(sample, increasing=True), g.T).T  # powers of the local variable
        roots = np.concatenate([_real_roots(series), _real_roots(series[:, 1:] * np.arange(1, k + 1))], axis=1)
        piece, which = np.nonzero(np.isfinite(roots))
        element, s = p.element[piece], middle[piece] + half[piece] * roots[piece, which]
        if extra is not None:
            element, s = np.concatenate([element, extra[0]]), np.concatenate([s, extra[1]])
        leading = np.zeros(self.elements.count)
        leading[p.element] = series[:, -1] / half**k
        profile = lambda e, s: self._profile(z, sign, e, s)  # noqa: E731
        return self.rule.graded(self.rule.pieces((element, s)), profile, leading, self.potential)

    # -- the basis -------------------------------------------------------------------------------------------------

    def target(self, labels: Array) -> Array:
        """Some labels, and divided differences of all."""
        return np.asarray(labels @ self.change.T, dtype=np.float64)

    def to_data(self, residuals: Array) -> Array:
        return np.asarray(np.linalg.solve(self.change, residuals.T).T, dtype=np.float64)

    def multiplier(self, values: Array) -> Array:
        return np.asarray(values @ self.change, dtype=np.float64)

    def from_multiplier(self, multiplier: Array) -> Array:
        return np.asarray(np.linalg.solve(self.change.T, multiplier), dtype=np.float64)

    # -- the function ----------------------------------------------------------------------------------------------

    def function(self, values: Array, labels: Array, t: Array, order: int) -> Array:
        flat = t.ravel()
        parts = [self._chunk(values, labels, flat[start : start + 64], order) for start in range(0, flat.size, 64)]
        return np.concatenate([np.empty(0), *parts]).reshape(t.shape)

    def _loads(self, z: Array, sign: int, t: Array) -> tuple[Array, Array]:
        """Breakpoints and loads of one sign, flat, on pieces that end at t."""
        extra = self.elements.locate(t)
        if self.linear:
            p, s, mass = self.rule.moments(self.rule.pieces(extra))
            element, load = p.element, mass * self._profile(z, sign, p.element, s) / self.second
        else:
            nodes = self._nodes(z, sign, extra)
            element, s, load = nodes.element, nodes.s, nodes.load
        return self.elements.points(element, s).ravel(), load.ravel()

    def _chunk(self, z: Array, labels: Array, t: Array, order: int) -> Array:
        x, k = self.elements.x, self.k
        (cp, lp), (cm, lm) = (self._loads(z, sign, t) for sign in (0, 1))
        if order or x.size <= k:
            front = factorial(k) / factorial(k - order)
            plus = _power(t[:, None] - cp, k - order) @ lp
            minus = _power(cm - t[:, None], k - order) @ lm
            return np.asarray(front * (plus + (-1) ** order * minus) / 2, dtype=np.float64)
        # the k + 1 nearest labels, and the divided difference of h with t as one more point
        first = np.clip(np.searchsorted(x, t) - (k + 1) // 2, 0, x.size - k - 1)
        index = first[:, None] + np.arange(k + 1)
        near = x[index]
        exact = np.argmax(near == t[:, None], axis=1)
        on_data = near[np.arange(t.size), exact] == t
        safe = np.where(on_data, x[-1] + self.elements.span, t)
        points = np.concatenate([near, safe[:, None]], axis=1)
        weights = divided_difference(points)
        low, high = points.min(1, keepdims=True), points.max(1, keepdims=True)
        total = np.zeros(t.size)
        for c, load, sign in ((cp, lp, 1), (cm, lm, (-1) ** (k + 1))):
            inside = (c >= low) & (c <= high)
            spline = sum(weights[:, j, None] * _power(points[:, j, None] - c, k) for j in range(k + 2))
            total += sign * (np.where(inside, spline, 0.0) @ load) / 2
        nodal = divided_difference(near)
        gaps = safe[:, None] - near
        bary = nodal / gaps
        chord = (bary * labels[index]).sum(1) / bary.sum(1)
        value = chord + np.prod(gaps, axis=1) * total
        return np.asarray(np.where(on_data, labels[index[np.arange(t.size), exact]], value), dtype=np.float64)


def _power(u: Array, k: int) -> Array:
    """max(u, 0)^k, the step for k = 0."""
    return np.clip(u, 0.0, None) ** k if k else np.heaviside(u, 0.5)


def _real_roots(series: Array) -> Array:
    """Real roots in (-1, 1) of polynomials given by rising coefficients, NaN elsewhere, shape (P, degree).

    By the eigenvalues of all companion matrices at once. Ours, because ``scipy.interpolate.PPoly`` counts from the left end
    of a piece, and powers are twice as ill conditioned there (in digits) as about the middle.
    """
    degree = series.shape[1] - 1
    if degree == 0:
        return np.empty((series.shape[0], 0))
    size = np.max(np.abs(series), axis=1, keepdims=True)
    scaled = series / np.where(size > 0, size, 1.0)
    top = scaled[:, -1:]
    top = np.where(np.abs(top) > 1e-14, top, 1e-14)  # sends a missing root far away
    companion = np.zeros((series.shape[0], degree, degree))
    companion[:, np.arange(1, degree), np.arange(degree - 1)] = 1.0
    companion[:, :, -1] = -scaled[:, :-1] / top
    roots = np.linalg.eigvals(companion)
    real = (np.abs(roots.imag) < 1e-7) & (np.abs(roots.real) < 1)
    return np.where(real, roots.real, np.nan)
