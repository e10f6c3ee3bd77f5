r"""Wide networks of :math:`\max(u, 0)^k`: splines of degree 2k + 1.

A unit with weight w and breakpoint c responds to x with :math:`|w|^k (\pm(x - c))_+^k`, so the dual profiles of the two
signs are splines of degree k in c with knots at the data,

.. math:: g_+(c) = \sum_j \lambda_j (x_j - c)_+^k, \qquad g_-(c) = \sum_j \lambda_j (c - x_j)_+^k .

The equations are taken in a local basis, as for two slopes (``ibtext.wide.hat_basis``): divided differences of order k + 1 of
consecutive labels, whose test functions are B-splines, in both signs alike up to :math:`(-1)^{k+1}` because divided
differences kill polynomials; and k + 1 single labels, spread over the data, for the rest. Each row is scaled to the size
of a label. The learned function is evaluated from the k + 1 nearest labels and its own divided difference there, the
integral of :math:`h^{(k+1)}` against a B-spline.

Source: Jin and Montúfar (2023), Corollary 4; the scaled case is a numerical extension.
"""

from __future__ import annotations

from math import factorial

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_factor, cho_solve, cholesky, eigh

from ..activations import ReLUPower
from ..dual import Columns
from ..errors import ConvergenceError
from ..potentials import Potential, QuadraticPotential
from .hat_basis import HatBasis
from .polar_rule import PolarRule
from .sign_rule import Indices, Nodes, Pieces, SignRule

__all__ = ["PowerColumns"]

Array = npt.NDArray[np.float64]


def divided_difference(x: Array) -> Array:
    """Coefficients of the divided difference at distinct points, along the last axis."""
    gaps = x[..., :, None] - x[..., None, :]
    gaps = gaps + np.eye(x.shape[-1])
    return np.asarray(1 / np.prod(gaps, axis=-1), dtype=np.float64)


class PowerColumns(Columns):
    """The columns of a wide network of powers of relu; the counterpart of ``ibtext.wide.two_slopes.WideColumns``.

    Cost O(M^2 N) an evaluation for N quadrature nodes.
    """

    free_affine = False
    odds: tuple[float, ...] = ()

    def __init__(self, hats: HatBasis, activation: ReLUPower, rule: SignRule | PolarRule, potential: Potential) -> None:
        self.hats, self.activation, self.rule, self.potential = hats, activation, rule, potential
        self.k = activation.degree
        x, k = hats.x, self.k
        size = x.size
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
        gap = hats.span if size > 1 else 1.0
        beyond = gap * np.arange(1.0, k + 1)
        self._knots = np.concatenate([x[0] - beyond[::-1], x, x[-1] + beyond])
        self._matrix: Array | None = None
        self._cache: tuple[Array, Array] | None = None
        if isinstance(potential, QuadraticPotential):
            pieces, s, mass = rule.moments()
            self._matrix = self._gram(*self._tests(pieces.element, s), mass.ravel() / self.second)

    @property
    def linear(self) -> bool:
        """Whether the potential is quadratic, so that F is linear."""
        return self._matrix is not None

    @property
    def second(self) -> float:
        """phi'' at 0."""
        return float(self.potential.hessian(0.0))

    # -- test functions ----------------------------------------------------------------------------------------

    def _splines_at(self, element: Indices, c: Array) -> Array:
        """B-splines that belong to the rows of divided differences, shape (M - k - 1, N), by their recursion."""
        k, t = self.k, self._knots
        out = np.zeros((self._splines.size, c.size), dtype=c.dtype)
        inner = np.flatnonzero((element > 0) & (element < self.hats.elements - 1))
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
        """Test functions of both signs at nodes, shape (M, N) each."""
        element = np.broadcast_to(element.reshape(-1, *(1,) * (s.ndim - 1)), s.shape).ravel()
        c = self.hats.origin[element] + s.ravel() / self.hats.rate[element]
        u = self.hats.x[self._points, None] - c
        spline = self._front[:, None] * self._splines_at(element, c)
        plus = np.concatenate([np.clip(u, 0.0, None) ** self.k, spline])
        minus = np.concatenate([np.clip(-u, 0.0, None) ** self.k, (-1) ** (self.k + 1) * spline])
        return plus, minus

    @staticmethod
    def _gram(plus: Array, minus: Array, mass: Array) -> Array:
        return ((plus * mass) @ plus.T + (minus * mass) @ minus.T) / 2

    def refined(self, target: Array) -> tuple[Array, float, float]:
        """The root of a linear problem, its residual before z is rounded, and the rounding error in that. O(M N) a step.

        Rough labels make z large, and F is a sum of waves that cancel. The sums over the nodes are those of a law whose
        masses and nodes are rounded, which h does not feel; the rounding of their terms it does, so that they are
        evaluated in extended precision. (Where the machine has none, nothing is gained.)
        """
        assert self._matrix is not None
        pieces, s, mass = self.rule.moments()
        plus, minus = self._tests(pieces.element, s.astype(np.longdouble))
        mass = mass.ravel() / (2 * self.second)
        scale = 1 / np.sqrt(self._matrix.diagonal())
        try:
            factor = cho_factor(self._matrix * scale[:, None] * scale)
        except LinAlgError:
            raise ConvergenceError(
                f"the kernel of {self.activation.name} must be positive definite in double precision, but it is not for "
                f"these {target.size} inputs, probably because they are many or close for a power this high; drop or "
                f"average the closest points, or take a lower power."
            ) from None
        root, best = np.zeros(target.size, dtype=np.longdouble), (np.zeros(target.size), np.inf, np.inf)
        eps = float(np.finfo(np.longdouble).eps)
        for _ in range(40):
            up, down = root @ plus, root @ minus
            difference = target - (plus @ (mass * up) + minus @ (mass * down))
            reached = float(np.max(np.abs(difference)))
            if not reached < 0.9 * best[1]:
                break
            size = np.abs(plus) @ (mass * (np.abs(root) @ np.abs(plus))) + np.abs(minus) @ (mass * (np.abs(root) @ np.abs(minus)))
            best = root.astype(np.float64), reached, 16 * eps * float(np.max(size))
            root = root + scale * cho_solve(factor, scale * difference.astype(np.float64))
        return best

    # -- the equation ------------------------------------------------------------------------------------------

    def evaluate(self, z: Array) -> tuple[Array, Array]:
        """F and its Jacobian in the local basis, for ``solve_dual``."""
        if self._matrix is not None:
            return self._matrix @ z, self._matrix
        value, matrix = np.zeros(z.size), np.zeros((z.size, z.size))
        for sign in (0, 1):
            nodes = self._nodes(z, sign)
            test = self._tests(nodes.element, nodes.s)[sign]
            value += test @ nodes.load.ravel() / 2
            matrix += (test * nodes.slope.ravel()) @ test.T / 2
        return value, matrix

    evaluate_all = evaluate

    def _profile(self, z: Array, sign: int, element: Indices, s: Array) -> Array:
        return np.reshape(z @ self._tests(element, s)[sign], s.shape)

    def _nodes(self, z: Array, sign: int, pieces: Pieces | None = None) -> Nodes:
        """Quadrature nodes of one sign: pieces end at the zeros of g and of its slope."""
        p = self.rule.pieces() if pieces is None else pieces
        k = self.k
        finite = np.where(np.isfinite(p.right), p.right, p.left + 1.0)
        middle, half = (p.left + finite) / 2, (finite - p.left) / 2
        sample = np.cos(np.pi * (np.arange(k + 1) + 0.5) / (k + 1))
        g = self._profile(z, sign, p.element, middle[:, None] + half[:, None] * sample)
        series = np.linalg.solve(np.vander(sample, increasing=True), g.T).T  # powers of the local variable
        cuts = np.concatenate([_real_roots(series), _real_roots(series[:, 1:] * np.arange(1, k + 1))], axis=1)
        cuts = middle[:, None] + half[:, None] * cuts
        inside = (cuts > p.left[:, None]) & (cuts < p.right[:, None])
        edges = np.concatenate([p.left[:, None], np.where(inside, cuts, p.left[:, None]), p.right[:, None]], axis=1)
        edges.sort(axis=1)
        left, right = edges[:, :-1].ravel(), edges[:, 1:].ravel()
        keep = right > left
        element, edge = (np.repeat(v, edges.shape[1] - 1)[keep] for v in (p.element, p.edge))
        leading = np.zeros(self.hats.elements)
        leading[p.element] = series[:, -1] / half**k
        profile = lambda e, s: self._profile(z, sign, e, s)  # noqa: E731
        return self.rule.graded(element, left[keep], right[keep], edge, profile, leading, self.potential, k)

    def extended(self, z: Array) -> Array:
        """All unknowns."""
        return z

    def target(self, labels: Array) -> Array:
        """Right-hand side for labels at the sorted inputs."""
        return np.asarray(self.change @ labels, dtype=np.float64)

    def multiplier(self, z: Array) -> Array:
        """The multiplier lambda."""
        return np.asarray(z @ self.change, dtype=np.float64)

    def from_multiplier(self, multiplier: Array) -> Array:
        """Unknowns of a multiplier."""
        return np.asarray(np.linalg.solve(self.change.T, multiplier), dtype=np.float64)

    def to_data(self, values: Array) -> Array:
        """From residuals in the local basis to residuals at the data, along the last axis."""
        return np.asarray(np.linalg.solve(self.change, values.T).T, dtype=np.float64)

    def root(self) -> Array:
        """For a linear problem: a matrix G with kernel G^T G."""
        return np.linalg.solve(self.change, cholesky(self.evaluate(np.zeros(self.hats.x.size))[1]).T).T

    def measure(self, residual: Array) -> float:
        """Largest residual; rows are scaled to labels."""
        return float(np.max(np.abs(residual)))

    def misfit(self, rest: Array) -> float:
        """Largest of the residuals of the local equations, in the units of the labels."""
        return self.measure(rest)

    def condition(self, matrix: Array) -> float:
        """Condition number of the kernel in the data, from the matrix in the local basis."""
        square = self.change @ self.change.T
        top = [float(eigh(p, q, eigvals_only=True)[-1]) for p, q in ((matrix, square), (square, matrix))]
        return top[0] * top[1]

    def penalty(self, z: Array, *, scaled: bool) -> float:
        """E D_phi(alpha, 0) for a scaled potential, E alpha^2 otherwise."""
        if self._matrix is not None:
            energy = float(z @ self._matrix @ z) / self.second
            return energy * (self.second / 2 if scaled else 1.0)
        total = 0.0
        for sign in (0, 1):
            nodes = self._nodes(z, sign)
            function = lambda a: self.potential.divergence(a, 0 * a)  # noqa: E731
            total += self.rule.expectation(nodes, np.empty(0), function, self.potential) / 2
        return total

    # -- the function ------------------------------------------------------------------------------------------

    def function(self, z: Array, labels: Array, t: Array, order: int) -> Array:
        """The function with values ``labels`` at the sorted inputs (order 0), its slope (1) or curvature (2) at t."""
        flat = t.ravel()
        out = np.empty(flat.size)
        for start in range(0, flat.size, 64):
            part = slice(start, start + 64)
            out[part] = self._chunk(z, labels, flat[part], order)
        return out.reshape(t.shape)

    def _loads(self, z: Array, sign: int, pieces: Pieces) -> tuple[Array, Array]:
        """Breakpoints and loads of one sign, flat."""
        if self.linear:
            p, s, mass = self.rule.moments(pieces)
            element, load = p.element, mass * self._profile(z, sign, p.element, s) / self.second
        else:
            nodes = self._nodes(z, sign, pieces)
            element, s, load = nodes.element, nodes.s, nodes.load
        c = self.hats.origin[element, None] + s / self.hats.rate[element, None]
        return c.ravel(), load.ravel()

    def _chunk(self, z: Array, labels: Array, t: Array, order: int) -> Array:
        x, k = self.hats.x, self.k
        pieces = self.rule.pieces(self.hats.locate(t))
        (cp, lp), (cm, lm) = (self._loads(z, sign, pieces) for sign in (0, 1))
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
        safe = np.where(on_data, x[-1] + self.hats.span, t)
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
    """Real roots in (-1, 1) of polynomials given by rising coefficients, NaN elsewhere, shape (P, degree)."""
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
