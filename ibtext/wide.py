r"""Training in the limit of infinite width: the function reached, the path to it, and the penalty it minimises.

Setting: :math:`f(x) = \sum_j a_j \sigma(w_j x - b_j) + d` with n units, :math:`w = \pm 1`, :math:`b \sim p`
symmetric, mirror flow of :math:`L = \tfrac12 \sum_i (f(x_i) - y_i)^2` at rate 1/n. As n grows the trained network
minus its start tends to

.. math::

    \bar h(t) = E\big[\alpha(w, b)\, \sigma(wt - b)\big], \qquad
    \alpha(w, b) = (\varphi')^{-1}\Big(\sum_j \lambda_j \sigma(w x_j - b)\Big),

where :math:`\lambda \in R^M` solves the dual equation :math:`\bar h(x_i) = y_i`. Gradient flow and every unscaled
potential with :math:`0 < \varphi''(0) < \infty` give a linear equation; scaled potentials a nonlinear one with the
same M unknowns. The path of training is :math:`\lambda' = y - F(\lambda)`.

Sources: Jin and Montúfar (2023); Liang and Montúfar (2025). Proofs: the chapter on scaled potentials.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .activations import Activation, get_activation
from .dual import dual_flow, solve_dual
from .errors import check_data, check_points
from .initialization import Initialization
from .potentials import Potential, QuadraticPotential, Scaled
from .quadrature import WideColumns, wide_columns

__all__ = ["WideLimit", "WidePath", "limit_kernel", "wide_flow", "wide_limit"]


class _FreeAffine:
    """Columns with an unpenalised affine part: multipliers orthogonal to 1 and x, in an orthonormal basis."""

    def __init__(self, columns: WideColumns) -> None:
        affine = np.stack([np.ones_like(columns.x), columns.x], axis=1)
        q, _ = np.linalg.qr(affine, mode="complete")
        self.columns, self.affine, self.basis = columns, affine, q[:, 2:]

    def evaluate(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, kernel = self.columns.evaluate(self.basis @ reduced)
        return self.basis.T @ value, self.basis.T @ kernel @ self.basis


@dataclass(frozen=True)
class WideLimit:
    r"""The function that an infinitely wide network learns; call it on an array of points.

    Attributes
    ----------
    x, y : arrays (M,)
        The data.
    dual : array (M,)
        The multiplier :math:`\lambda`.
    penalty : float
        The quantity that training minimises: :math:`E\,D_\varphi(\alpha, 0)` for a scaled potential,
        :math:`E\,\alpha^2 = y^T K^{-1} y` for gradient flow and unscaled ones.
    residual : float
        Largest :math:`|\bar h(x_i) - y_i|` left by the solver.
    iterations : int
        Newton steps.
    condition : float
        Condition number of the kernel at the solution: digits lost in the multiplier.
    affine : tuple (u, v)
        The free part :math:`ux + v`; (0, 0) unless ``free_affine`` was asked for.
    activation : str
        Name of the activation.
    potential : None, Potential or Scaled
        As given.
    """

    x: np.ndarray
    y: np.ndarray
    dual: np.ndarray
    penalty: float
    residual: float
    iterations: int
    condition: float
    affine: tuple[float, float]
    activation: str
    potential: Potential | Scaled | None
    _columns: WideColumns = field(repr=False)

    def __call__(self, t: Any) -> np.ndarray:
        """The learned function at points ``t``, of the shape of ``t``. Cost O(T log T + T M)."""
        t = check_points("t", t, allow_empty=True)
        return self._columns.function(self.dual, t, 0) + self.affine[0] * t + self.affine[1]

    def derivative(self, t: Any, *, order: int = 1) -> np.ndarray:
        r"""First derivative, or the curvature :math:`\bar h''` (``order=2``), at points ``t``."""
        if order not in (1, 2):
            raise ValueError(
                f"order must be 1 or 2, but {order!r} was given, probably because a third derivative was wanted; it "
                f"jumps at the data, so difference the curvature on each side instead."
            )
        t = check_points("t", t, allow_empty=True)
        return self._columns.function(self.dual, t, order) + (self.affine[0] if order == 1 else 0.0)

    def output_weight(self, c: Any) -> np.ndarray:
        r"""The output weight :math:`\alpha(c)` (times n) of a neuron with breakpoint ``c``, |.| activation only."""
        c = check_points("c", c, allow_empty=True)
        if len(self._columns.branches) != 1:
            raise ValueError(
                "output_weight is a function of the breakpoint alone for the absolute value only, but this limit has "
                "two branches, probably because activation='relu' was used; use derivative(t, order=2)."
            )
        branch = self._columns.branches[0]
        g = self._columns.dual_profile(branch, self.dual, c.ravel())
        return self._columns.potential.inverse_gradient(g).reshape(c.shape)

    def curvature_statistics(self) -> dict[str, float]:
        r"""Largest ("max") and mean ("mean") :math:`|\bar h''|` over the support of the bias law.

        Exact; for the absolute value and a uniform law only, where it raises no ``ValueError``.
        """
        columns = self._columns
        if len(columns.branches) != 1 or columns.initialization._uniform_density is None:
            raise ValueError(
                "curvature_statistics is exact for the absolute value and a uniform bias law only, but another "
                "setting was given, probably a relu network; evaluate derivative(t, order=2) on a grid."
            )
        (branch,) = columns.branches
        nodes, knots = columns.nodes(branch, self.dual)
        # between knots h'' is monotone, so |h''| is largest at a knot
        largest = float(np.max(np.abs(self.derivative(knots, order=2))))
        total = (branch.right - branch.left) * float(nodes.mass @ np.abs(nodes.alpha))
        return {"max": largest, "mean": total / (columns.high - columns.low)}

    def penalty_terms(self) -> dict[str, float]:
        r"""The three terms of the penalty of a ReLU network under gradient flow or an unscaled potential.

        ``G1`` :math:`= \int (h'')^2/\zeta`, ``G2`` :math:`= (h'(\infty) + h'(-\infty))^2 / E W^2`,
        ``G3`` :math:`= (\int h''|x| dx - 2h(0))^2 / E B^2`; their sum is ``penalty``.
        Source: Liang and Montúfar (2025), theorem on unscaled potentials, part II.
        """
        columns = self._columns
        if len(columns.branches) != 2 or {b.left for b in columns.branches} != {0.0, -1.0}:
            raise ValueError(
                "the terms G1, G2, G3 belong to a relu network, but another activation was given, probably 'abs', "
                "whose penalty has one term; read limit.penalty instead."
            )
        if not isinstance(columns.potential, QuadraticPotential):
            raise ValueError(
                "the terms G1, G2, G3 belong to gradient flow and unscaled potentials, but a scaled potential was "
                "given, probably to compare the two (no such form is known); read limit.penalty instead."
            )
        init = columns.initialization
        knots = np.union1d(columns._knots, [0.0])
        s, w = np.polynomial.legendre.leggauss(40)
        left, length = knots[:-1, None], np.diff(knots)[:, None]
        c, mass = (left + length * (1 + s) / 2).ravel(), (length * w / 2).ravel()
        curvature = self.derivative(c, order=2)
        slopes = self.derivative(np.array([columns.low, columns.high]))
        second_moment = float(init.bias.var() + init.bias.mean() ** 2)
        return {
            "G1": float(mass @ (curvature**2 / init.density(c))),
            "G2": float(slopes.sum() ** 2),
            "G3": float((mass @ (curvature * np.abs(c)) - 2 * self(0.0)) ** 2 / second_moment),
        }


def _limit_potential(potential: Potential | Scaled | None) -> Potential:
    """The potential that acts on alpha in the limit."""
    if potential is None:
        return QuadraticPotential(0.5)  # gradient flow
    if isinstance(potential, Scaled):
        phi = potential.phi
        if not phi.domain[0] < 0 < phi.domain[1]:
            raise ValueError(
                f"a scaled potential acts on displacements around 0, but {phi} lives on {phi.domain}, probably because "
                f"it was meant for positive parameters; use HypentropyPotential instead."
            )
    elif isinstance(potential, Potential):
        phi = potential
    else:
        raise TypeError(
            f"potential must be a potential or Scaled(potential), but {type(potential).__name__} was given, probably a "
            f"plain function; pass for instance potential=Scaled(PowerPotential(p=3))."
        )
    low, high = phi.domain
    at_zero = float(phi.hessian(0.0)) if low < 0 < high else float("nan")
    if not (np.isfinite(at_zero) and at_zero > 0):
        raise ValueError(
            f"the limit of wide networks needs a potential with 0 < phi''(0) < infinity, but {phi} has phi''(0) = "
            f"{at_zero:g}, probably because it is a pure power or an entropy; add a quadratic term, as in "
            f"PowerPotential(p, omega) with p of at least 2."
        )
    return phi if isinstance(potential, Scaled) else QuadraticPotential(at_zero / 2)


def wide_limit(
    x: Any,
    y: Any,
    *,
    activation: str | Activation = "relu",
    initialization: Initialization,
    potential: Potential | Scaled | None = None,
    free_affine: bool = False,
    tol: float = 1e-13,
) -> WideLimit:
    r"""The function that mirror flow reaches as the width grows, exactly.

    Solves: minimise :math:`E\,D_\varphi(\alpha(w,b), 0)` over all :math:`\alpha` whose network
    :math:`h(t) = E[\alpha(w,b)\,\sigma(wt-b)]` satisfies :math:`h(x_i) = y_i`. The minimiser is unique, and the
    dual problem has M unknowns.

    Parameters
    ----------
    x, y : arrays (M,)
        Distinct inputs inside the support of the bias, and labels. For a network that starts at
        :math:`f_0 \neq 0` pass :math:`y - f_0(x)`.
    activation : "relu", "abs", "leaky_relu" or Activation
    initialization : Initialization
        Sign weights and a symmetric bias law.
    potential : None, Potential or Scaled
        None is gradient flow; every *unscaled* potential with :math:`0 < \varphi''(0) < \infty` has the same limit.
        Write ``Scaled(phi)`` to make the shape of phi count.
    free_affine : bool
        Leave an affine function :math:`ux + v` unpenalised. With the absolute value this removes the two
        constraints that the network imposes; for :math:`x^2` it gives the natural (adaptive) cubic spline.
    tol : float
        Residual relative to max |y|.

    Returns
    -------
    WideLimit

    Raises
    ------
    ValueError
        For coinciding or non-finite data, inputs outside the support, an asymmetric law, a potential with
        :math:`\varphi''(0)` zero or infinite, an unknown activation.
    ConvergenceError
        If Newton's method does not reach ``tol``.

    Notes
    -----
    About ten Newton steps on an M x M system; milliseconds for M = 5. Theorems: variational form and duality in
    the chapter on scaled potentials. Source: Liang and Montúfar (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import stats
    >>> init = Initialization(weight="signs", bias=stats.uniform(-1, 2))
    >>> limit = wide_limit([-0.5, 0.5], [1.0, 1.0], activation="abs", initialization=init)
    >>> bool(np.allclose(limit([-0.5, 0.5]), 1.0))
    True
    >>> from ibtext import PowerPotential, Scaled
    >>> expensive = Scaled(PowerPotential(p=4))  # without Scaled, every potential has the limit of x^2
    >>> other = wide_limit([-0.5, 0.5], [1.0, 1.0], activation="abs", initialization=init, potential=expensive)
    >>> bool(limit(0.0) > other(0.0))
    True
    """
    x, y = check_data(x, y)
    phi = _limit_potential(potential)
    columns = wide_columns(x, activation, initialization, phi)
    name = get_activation(activation).name
    affine = (0.0, 0.0)
    if free_affine:
        if x.size < 2:
            raise ValueError(
                "free_affine needs at least two data points, but one was given, probably a test case; add a point or "
                "leave free_affine=False."
            )
        free = _FreeAffine(columns)
        target = free.basis.T @ y
        size = float(np.max(np.abs(target), initial=0.0))
        if size <= 1e-14 * float(np.max(np.abs(y))):  # the labels are affine already
            dual, iterations, condition = np.zeros_like(y), 0, 1.0
        else:
            solution = solve_dual(free, target, tol=tol)
            dual, iterations, condition = free.basis @ solution.multiplier, solution.iterations, solution.condition
        value = columns.evaluate(dual)[0]
        v, u = np.linalg.lstsq(free.affine, y - value, rcond=None)[0]
        affine = (float(u), float(v))
        residual = float(np.max(np.abs(y - value - u * x - v)))
    else:
        solution = solve_dual(columns, y, tol=tol)
        dual, iterations, condition = solution.multiplier, solution.iterations, solution.condition
        residual = solution.residual
    if not isinstance(potential, Scaled):
        penalty = columns.expectation(dual, lambda alpha, c: alpha**2)
    else:
        penalty = columns.expectation(dual, lambda alpha, c: phi.divergence(alpha, 0 * alpha))
    return WideLimit(x, y, dual, penalty, residual, iterations, condition, affine, name, potential, columns)


@dataclass(frozen=True)
class WidePath:
    """The path of training at infinite width; call it on points to get the functions at all times.

    Attributes
    ----------
    times : array (T,)
        Flow times.
    dual : array (T, M)
        Multipliers.
    residuals : array (T, M)
        y - h_t(x).
    kernels : array (T, M, M)
        The mirror kernel H(t), whose eigenvalues are the rates at which residuals decay.
    """

    times: np.ndarray
    dual: np.ndarray
    residuals: np.ndarray
    kernels: np.ndarray
    _columns: WideColumns = field(repr=False)

    def __call__(self, t: Any) -> np.ndarray:
        """The functions at points ``t``, shape (len(times), len(t))."""
        t = check_points("t", t)
        return np.stack([self._columns.function(multiplier, t, 0) for multiplier in self.dual])

    def curvature(self, t: Any) -> np.ndarray:
        """Second derivatives at points ``t``, shape (len(times), len(t))."""
        t = check_points("t", t)
        return np.stack([self._columns.function(multiplier, t, 2) for multiplier in self.dual])


def wide_flow(
    x: Any,
    y: Any,
    times: Any,
    *,
    activation: str | Activation = "relu",
    initialization: Initialization,
    potential: Potential | Scaled | None = None,
    rate: float = 1.0,
    rtol: float = 1e-9,
) -> WidePath:
    r"""The exact training path of an infinitely wide network: :math:`\lambda' = \text{rate}\,(y - F(\lambda))`.

    Parameters
    ----------
    x, y, activation, initialization, potential : as in ``wide_limit``
    times : array (T,)
        Flow times, increasing, in units of the flow :math:`\frac{d}{dt}\nabla\Phi(\theta) = -\frac1n\nabla L` with
        :math:`L = \frac12\sum_i (f(x_i)-y_i)^2`.
    rate : float
        1 for this loss, 2 for :math:`\sum_i`, 1/M for :math:`\frac1{2M}\sum_i`.
    rtol : float
        Tolerance of the integrator (SciPy's Radau with the exact Jacobian).

    Returns
    -------
    WidePath

    Raises
    ------
    ValueError, ConvergenceError
        As ``wide_limit``.
    """
    x, y = check_data(x, y)
    columns = wide_columns(x, activation, initialization, _limit_potential(potential))
    times = check_points("times", times)
    dual = dual_flow(columns, y, times, rate=rate, rtol=rtol)
    values, kernels = zip(*(columns.evaluate(u) for u in dual), strict=True)
    return WidePath(times, dual, y - np.array(values), np.array(kernels), columns)


def limit_kernel(
    s: Any, t: Any, *, activation: str | Activation = "relu", initialization: Initialization
) -> np.ndarray:
    r"""The limit tangent kernel :math:`K(s, t) = E[\sigma(ws - b)\,\sigma(wt - b)]`, shape (len(s), len(t)).

    Closed for the uniform law on [-a, a] and :math:`|s|,|t| \le a`; the integral is exact to rounding for every
    other symmetric law. Source: theory of Jin and Montúfar (2023); closed forms in the chapters on ReLU networks.
    """
    s, t = np.atleast_1d(check_points("s", s)), np.atleast_1d(check_points("t", t))
    points, inverse = np.unique(np.concatenate([s, t]), return_inverse=True)
    columns = wide_columns(points, activation, initialization, QuadraticPotential(0.5))
    kernel = columns.evaluate(np.zeros(points.size))[1]
    return kernel[np.ix_(inverse[: s.size], inverse[s.size :])]
