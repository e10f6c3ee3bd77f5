r"""Exact integrals over the neurons of an infinitely wide network.

For sign weights a neuron is a breakpoint c with density p and a *branch*: one branch for the absolute value,
two for other activations (weight +1 and -1, each with share one half). On a branch the neuron's response to
input x is :math:`s_+(x - c)` right of its breakpoint and :math:`s_-(x - c)` left of it, so

.. math:: g(c) = \sum_j \lambda_j\, \sigma(x_j - c)

is piecewise linear in c with knots at the data, and the neuron's output weight is
:math:`\alpha(c) = (\varphi')^{-1}(g(c))`.

Three devices make Gauss-Legendre quadrature exact to rounding:

1. pieces end at the data, at the zeros of g, at the ends of the support (and wherever the caller asks);
2. on a piece where :math:`\alpha` varies, the integration variable is :math:`\alpha` itself:
   :math:`c = c_l + L\,(\varphi'(\alpha) - g_l)/(g_r - g_l)`,
   :math:`dc = L\,\varphi''(\alpha)\,d\alpha/(g_r - g_l)`. The steep fronts of :math:`\alpha` near a zero of g
   disappear, and :math:`(\varphi')^{-1}` is needed at the ends of pieces only;
3. :math:`\alpha = \pm u^4` with u linear along the piece, which makes the singularity of
   :math:`|\alpha|^{p-2}` at 0 so weak, :math:`u^{4(p-1)+3}`, that 40 nodes do not see it.

Where :math:`\varphi''` decreases away from 0 (hypentropy), or :math:`\alpha` hardly varies, c itself is the
variable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activations import Activation, get_activation
from .initialization import Initialization
from .potentials import Potential

__all__ = ["Branch", "Nodes", "WideColumns", "branches", "wide_columns"]

ORDER = 40
"""Gauss-Legendre nodes a piece."""
_LEGENDRE = np.polynomial.legendre.leggauss(ORDER)


@dataclass(frozen=True)
class Branch:
    """Neurons that respond with slope ``left`` before and ``right`` after their breakpoint; ``share`` of all."""

    left: float
    right: float
    share: float


def branches(activation: Activation) -> tuple[Branch, ...]:
    """Branches of an activation under sign weights."""
    plus, minus = (activation.left, activation.right), (-activation.right, -activation.left)
    if plus == minus:
        return (Branch(*plus, 1.0),)
    return (Branch(*plus, 0.5), Branch(*minus, 0.5))


@dataclass(frozen=True)
class Nodes:
    """Quadrature nodes on one branch: breakpoints, output weights and both kinds of weights, shape (K,).

    ``mass`` integrates against p(c) dc; ``mass_over_hessian`` against p(c) dc / phi''(alpha). ``piece`` numbers
    the interval between consecutive knots to which a node belongs.
    """

    breakpoints: np.ndarray
    alpha: np.ndarray
    mass: np.ndarray
    mass_over_hessian: np.ndarray
    piece: np.ndarray


class WideColumns:
    """The columns of the infinitely wide network, for ``ibtext.dual``.

    Parameters
    ----------
    x : array (M,)
        Distinct inputs, sorted or not.
    activation : Activation
    initialization : Initialization
        With sign weights.
    potential : Potential
        Acts on the output weight of a neuron, alpha.

    One evaluation costs O(M^2 (M + Z)) for Z zeros of g.
    """

    def __init__(
        self, x: np.ndarray, activation: Activation, initialization: Initialization, potential: Potential
    ) -> None:
        self.x = x
        self.branches = branches(activation)
        self.initialization = initialization
        self.potential = potential
        law_knots = initialization.knots()
        self.low, self.high = float(law_knots[0]), float(law_knots[-1])
        self._knots = np.unique(np.concatenate([law_knots, x]))

    def response(self, branch: Branch, c: np.ndarray) -> np.ndarray:
        """Responses sigma(x_i - c), shape (M, K)."""
        u = self.x[:, None] - c
        return np.where(u > 0, branch.right * u, branch.left * u)

    def dual_profile(self, branch: Branch, multiplier: np.ndarray, c: np.ndarray) -> np.ndarray:
        """The piecewise linear g at breakpoints ``c``."""
        return multiplier @ self.response(branch, c)

    def nodes(
        self, branch: Branch, multiplier: np.ndarray, *, extra: np.ndarray | None = None
    ) -> tuple[Nodes, np.ndarray]:
        """Quadrature nodes on a branch, and the knots that delimit its pieces.

        ``extra``: more points at which to split. The knots are sorted and include the zeros of g.
        """
        knots = self._knots
        if extra is not None:
            inside = extra[(extra > self.low) & (extra < self.high)]
            knots = np.union1d(knots, inside)
        g = self.dual_profile(branch, multiplier, knots)
        crossing = np.flatnonzero(g[:-1] * g[1:] < 0)
        if crossing.size:
            left, right = g[crossing], g[crossing + 1]
            zeros = knots[crossing] + np.diff(knots)[crossing] * left / (left - right)
            knots = np.insert(knots, crossing + 1, zeros)
            g = np.insert(g, crossing + 1, 0.0)
        alpha = self.potential.inverse_gradient(g)
        return self._piece_nodes(knots, g, alpha), knots

    def _piece_nodes(self, knots: np.ndarray, g: np.ndarray, alpha: np.ndarray) -> Nodes:
        s, w = _LEGENDRE
        s, w = (1 + s) / 2, w / 2
        length = np.diff(knots)[:, None]
        gl, gr = g[:-1, None], g[1:, None]
        al, ar = alpha[:-1, None], alpha[1:, None]
        root = np.abs(alpha) ** 0.25
        ul, ur = root[:-1, None], root[1:, None]
        hessian = self.potential.hessian(alpha)[:, None]
        growth = (hessian[1:] - hessian[:-1]) * np.sign(np.abs(ar) - np.abs(al))
        steep = (np.abs(ur - ul) > 0.05 * np.maximum(ul, ur)) & (growth > 0)

        # variable c: breakpoints linear, alpha from the inverse of the gradient
        linear = ~steep[:, 0]
        c = knots[:-1, None] + length * s
        a = np.empty_like(c)
        mass = length * w * np.ones_like(c)
        over = np.empty_like(c)
        if linear.any():
            a[linear] = self.potential.inverse_gradient((gl + (gr - gl) * s)[linear])
            over[linear] = mass[linear] / self.potential.hessian(a[linear])
        # variable u with alpha = +- u^4
        curved = steep[:, 0]
        if curved.any():
            ul, ur, gl, gr = ul[curved], ur[curved], gl[curved], gr[curved]
            sign = np.sign(al[curved] + ar[curved])
            u = ul + (ur - ul) * s
            a[curved] = sign * u**4
            jump = gr - gl
            c[curved] = knots[:-1, None][curved] + length[curved] * (self.potential.gradient(a[curved]) - gl) / jump
            over[curved] = w * length[curved] / jump * sign * 4 * u**3 * (ur - ul)
            mass[curved] = over[curved] * self.potential.hessian(a[curved])
        density = self.initialization.density(c)
        piece = np.repeat(np.arange(len(knots) - 1), ORDER)
        return Nodes(c.ravel(), a.ravel(), (mass * density).ravel(), (over * density).ravel(), piece)

    def evaluate(self, multiplier: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """F and its Jacobian H, for ``solve_dual`` and ``dual_flow``."""
        value = np.zeros(len(self.x))
        kernel = np.zeros((len(self.x), len(self.x)))
        for branch in self.branches:
            nodes, _ = self.nodes(branch, multiplier)
            response = self.response(branch, nodes.breakpoints)
            value += branch.share * (response @ (nodes.mass * nodes.alpha))
            kernel += branch.share * ((response * nodes.mass_over_hessian) @ response.T)
        return value, kernel

    def expectation(self, multiplier: np.ndarray, function) -> float:
        """E[function(alpha, c)] over all neurons."""
        total = 0.0
        for branch in self.branches:
            nodes, _ = self.nodes(branch, multiplier)
            total += branch.share * float(nodes.mass @ function(nodes.alpha, nodes.breakpoints))
        return total

    def function(self, multiplier: np.ndarray, t: np.ndarray, order: int) -> np.ndarray:
        """The network function (order 0), its slope (1) or its curvature (2) at points ``t``, exactly."""
        flat = t.ravel()
        out = np.zeros(flat.size)
        for branch in self.branches:
            if order == 2:
                g = self.dual_profile(branch, multiplier, flat)
                alpha = self.potential.inverse_gradient(g)
                out += branch.share * (branch.right - branch.left) * alpha * self.initialization.density(flat)
                continue
            points = np.unique(flat)
            nodes, knots = self.nodes(branch, multiplier, extra=points)
            size = len(knots) - 1
            zeroth = np.bincount(nodes.piece, nodes.mass * nodes.alpha, size)
            first = np.bincount(nodes.piece, nodes.mass * nodes.alpha * nodes.breakpoints, size)
            p0, p1 = (np.concatenate([[0.0], np.cumsum(m)]) for m in (zeroth, first))
            where = np.searchsorted(knots, np.clip(flat, self.low, self.high))
            left0, left1 = p0[where], p1[where]
            right0, right1 = p0[-1] - left0, p1[-1] - left1
            if order == 1:
                out += branch.share * (branch.right * left0 + branch.left * right0)
            else:
                out += branch.share * (branch.right * (flat * left0 - left1) + branch.left * (flat * right0 - right1))
        return out.reshape(t.shape)


def wide_columns(
    x: np.ndarray, activation: str | Activation, initialization: Initialization | None, potential: Potential
) -> WideColumns:
    """Check a problem and build its columns; ``ValueError`` or ``TypeError`` for what the theory does not cover."""
    act = get_activation(activation)
    if not isinstance(initialization, Initialization):
        raise TypeError(
            f"initialization must be an Initialization, but {initialization!r} was given, probably a name, a bare law or "
            f"a forgotten argument; pass Initialization(bias=stats.uniform(-1, 2))."
        )
    if not initialization.signs:
        raise ValueError(
            "the infinite-width solver needs weight='signs', but a continuous weight law was given, probably to match "
            "another library's defaults; use weight='signs' with the law of b/w as bias, or train a finite network."
        )
    if not initialization.symmetric:
        raise ValueError(
            "the limit needs a bias law that is symmetric about 0, but the one given is not, probably a law of positive "
            "numbers or a shifted one; shift it so that its median is 0."
        )
    low, high = initialization.support
    outside = (x < low) | (x > high)
    if outside.any():
        bad = float(x[outside][0])
        raise ValueError(
            f"inputs must lie in the support [{low:g}, {high:g}] of the bias law, but x = {bad:g} does not, probably "
            f"because the data were not rescaled; widen the law of the bias or shrink the inputs."
        )
    return WideColumns(x, act, initialization, potential)
