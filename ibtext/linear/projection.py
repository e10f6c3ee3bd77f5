r"""The Bregman projection: where mirror flow and mirror descent of a linear model end.

The projection w of a start onto :math:`Aw = b` is determined by two conditions: :math:`Aw = b`, and
:math:`\varphi'(w) - \varphi'(w_0) \in \operatorname{row}(A)`. The second says that
:math:`w = (\varphi')^{-1}(\varphi'(w_0) + A^T\lambda)`, the first is then an equation for the multiplier
:math:`\lambda`, one unknown for each data point, which ``ibtext.dual`` solves. An answer is returned only if both hold.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import LinAlgError, LinAlgWarning, null_space, solve
from scipy.optimize import linprog

from ..dual import LARGEST_LOSS, FiniteColumns, newton, refine
from ..errors import ConvergenceError, check_tolerance
from ..numerics.arrays import Array
from ..potentials import Potential
from .problem import check_potential, check_problem, dual_start, independent_rows

__all__ = ["Projection", "bregman_projection", "project"]


MOST_PRIMAL_UNKNOWNS = 2000
"""Weights up to which the primal problem, whose matrices grow with their square, is tried."""


@dataclass(frozen=True)
class Projection:
    """A Bregman projection.

    Attributes
    ----------
    weights : array (K,)
        The projection w.
    dual : array (M,)
        A multiplier: phi'(w) = phi'(start) + A^T dual; the shortest one if the rows of A are dependent.
    residual : float
        Largest entry of Aw - b, in the units of b.
    condition : float
        Condition number of A on its row space: w has about ``16 - log10(condition)`` digits.
    rank : int
        Rank of A.
    """

    weights: Array
    dual: Array
    residual: float
    condition: float
    rank: int

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.weights, dtype=dtype)


def bregman_projection(
    A: ArrayLike, b: ArrayLike, *, potential: Potential | None = None, start: ArrayLike | None = None, tol: float = 1e-13
) -> Projection:
    r"""The limit of mirror flow: the interpolator nearest to the start in Bregman divergence.

    Solves

    .. math:: \min_w \sum_k D_\varphi(w_k, w_{0,k}) \quad \text{subject to} \quad Aw = b.

    Parameters
    ----------
    A : array (M, K)
        Features; the rows may be dependent as long as b is consistent.
    b : array (M,)
        Labels.
    potential : Potential, optional
        None is :math:`x^2/2`: the projection is then Euclidean and mirror flow is gradient flow.
    start : array (K,) or float, optional
        The start :math:`w_0` in the domain of the potential. None is its centre, where :math:`\varphi' = 0`: 0 for even
        potentials, 1 for the entropy.
    tol : float
        Residual of the dual equation relative to the labels.

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        If no w, or no w in the domain of the potential, solves Aw = b.
    ConvergenceError
        If Newton's method does not reach ``tol``, or the condition of A leaves no digit.

    Notes
    -----
    One singular value decomposition of A makes the rows orthonormal (O(M^2 K)); then a few Newton steps of O(M^2 K) in the
    dual equation with M unknowns. Every step size of mirror descent below the stability limit ends at the same point.

    Source: Gunasekar, Lee, Soudry and Srebro (2018), Characterizing implicit bias in terms of optimization geometry.

    Examples
    --------
    >>> import numpy as np
    >>> from ibtext.potentials import EntropyPotential
    >>> bregman_projection([[1.0, 1.0, 2.0]], [3.0]).weights
    array([0.5, 0.5, 1. ])
    >>> bregman_projection([[1.0, 1.0]], [3.0], potential=EntropyPotential(), start=[2.0, 4.0]).weights
    array([1., 2.])
    """
    A, b = check_problem(A, b)
    potential = check_potential(potential)
    tol = check_tolerance("tol", tol)
    z = dual_start(potential, start, A.shape[1])
    rows, target, back, condition = independent_rows(A, b)
    if condition > 1e13:
        raise ConvergenceError(
            f"A must be conditioned well enough for one digit, but its condition number is {condition:.1e}, probably because two "
            f"data points nearly coincide; remove one of them."
        )
    if len(rows) == 0:
        return Projection(potential.inverse_gradient(z), np.zeros_like(b), 0.0, 1.0, 0)
    try:
        weights, multiplier = project(rows, target, potential, z, tol)
    except ConvergenceError:
        _check_reachable(A, b, potential)
        raise
    with np.errstate(all="ignore"):
        misfit, terms = np.abs(A @ weights - b), np.abs(A) @ np.abs(weights) + np.abs(b)
    if not np.all(misfit <= LARGEST_LOSS * terms):
        i = int(np.argmin(misfit <= LARGEST_LOSS * terms))
        raise ConvergenceError(
            f"the projection must satisfy A w = b to {LARGEST_LOSS:g} of the terms in each row, but row {i} is missed by "
            f"{misfit[i]:.1e}, probably because the columns of A differ by many orders of magnitude; rescale them."
        )
    return Projection(weights, back @ multiplier, float(np.max(misfit)), condition, len(rows))


def project(rows: Array, target: Array, potential: Potential, z: Array, tol: float) -> tuple[Array, Array]:
    """Weights and multiplier of the projection onto ``rows @ w = target``, orthonormal rows, from the dual start ``z``.

    The dual equation is solved first. Where the second derivative of the potential vanishes at 0, as for |x|^8, its slope is
    infinite at every change of sign and Newton's method can fail; there the primal problem is smooth and solved instead.
    Returned are only weights that satisfy both conditions.
    """
    columns = FiniteColumns(rows, 1.0, potential, z)
    best = np.inf
    with np.errstate(all="ignore"):
        for start in _starts(columns, target):
            # where Newton's method ends is judged by the two conditions, not by its own residual
            multiplier = newton(columns, target, start, tol * columns.measure(target)).multiplier
            weights, _ = refine(columns, columns.primal(multiplier), lambda w: target - rows @ w)
            error = _defect(rows, target, weights, multiplier, potential, z)
            best = min(best, error)
            if error <= 1e-12:
                return weights, multiplier
        if potential.domain == (-np.inf, np.inf) and rows.shape[1] <= MOST_PRIMAL_UNKNOWNS:
            weights = _primal(rows, target, potential, z)
            multiplier = rows @ (np.asarray(potential.gradient(weights)) - z)
            error = _defect(rows, target, weights, multiplier, potential, z)
            best = min(best, error)
            if error <= 1e-11:
                return weights, multiplier
    raise ConvergenceError(
        f"the projection must satisfy both its conditions to 1e-11, but {best:.1e} was reached, probably because the potential "
        f"is very flat or very steep at the solution; start nearer to it or use a milder potential."
    )


def _starts(columns: FiniteColumns, target: Array) -> list[Array]:
    """Multipliers to begin with: zero, and the dual of the shortest solution where zero is useless."""
    starts = []
    slopes = 1 / np.asarray(columns.potential.hessian(columns.primal(np.zeros_like(target))))
    if np.all(np.isfinite(slopes)) and np.all(slopes > 0):
        starts.append(np.zeros_like(target))
    low, high = columns.potential.domain
    shortest = target @ columns.features
    if np.all((shortest > low) & (shortest < high) & (shortest != 0)):
        starts.append(columns.features @ (np.asarray(columns.potential.gradient(shortest)) - columns.start))
    return starts


def _defect(rows: Array, target: Array, w: Array, multiplier: Array, potential: Potential, z: Array) -> float:
    """How far both conditions fail, relative to the terms in them; infinite for weights outside the domain."""
    low, high = potential.domain
    if not np.all((w > low) & (w < high)):
        return float(np.inf)
    dual = np.asarray(potential.gradient(w))
    profile = z + multiplier @ rows
    size = np.max(np.abs(dual)) + np.max(np.abs(z)) + np.max(np.abs(rows).T @ np.abs(multiplier))
    tiny = np.finfo(float).tiny
    # moving w by one rounding moves phi'(w) by phi''(w) |w| eps: that much no weights can avoid
    allowance = np.abs(np.asarray(potential.hessian(w)) * w)
    dual_defect = np.max(np.abs(dual - profile) / (size + allowance + tiny))
    primal_defect = np.max(np.abs(rows @ w - target)) / (np.max(np.abs(w)) + np.max(np.abs(target)) + tiny)
    defect = float(max(dual_defect, primal_defect))
    return defect if np.isfinite(defect) else np.inf


def _primal(rows: Array, target: Array, potential: Potential, z: Array) -> Array:
    """Minimise sum phi(w) - z w over w = w_0 + N v, N a basis of the null space, by damped Newton steps."""
    basis = null_space(rows)
    shortest = target @ rows
    w = shortest.copy()
    if not basis.shape[1]:
        return w

    def value(w: Array) -> float:
        return float(np.sum(np.asarray(potential(w)) - z * w))

    for _ in range(300):
        slope = basis.T @ (np.asarray(potential.gradient(w)) - z)
        curvature = (basis.T * np.asarray(potential.hessian(w))) @ basis
        try:
            with warnings.catch_warnings():  # an ill-conditioned step is judged by what it reaches
                warnings.simplefilter("ignore", LinAlgWarning)
                step = -solve(curvature, slope, assume_a="pos")
        except (LinAlgError, ValueError):
            break
        damping = 1.0
        while damping > 1e-12 and not value(w + damping * basis @ step) <= value(w) + 1e-4 * damping * float(step @ slope):
            damping /= 2
        small = np.linalg.norm(step) <= 1e-9 * np.linalg.norm(w)
        w = w + (1.0 if small else damping) * basis @ step
        w = w + (target - rows @ w) @ rows
        if np.linalg.norm(step) <= 1e-15 * np.linalg.norm(w) or (damping <= 1e-12 and not small):
            break
    return w


def _check_reachable(A: Array, b: Array, potential: Potential) -> None:
    """Refuse labels that no weights inside the domain of the potential fit, by a linear program."""
    low, high = potential.domain
    ends = [(sign, sign * end) for sign, end in ((-1.0, low), (1.0, high)) if np.isfinite(end)]
    if not ends:
        return
    columns = A.shape[1]
    result = linprog(
        np.append(np.zeros(columns), -1.0),  # maximise the distance of w from the ends of the domain
        A_ub=np.vstack([np.hstack([sign * np.eye(columns), np.ones((columns, 1))]) for sign, _ in ends]),
        b_ub=np.repeat([end for _, end in ends], columns),
        A_eq=np.hstack([A, np.zeros((len(b), 1))]),
        b_eq=b,
        bounds=[(None, None)] * columns + [(None, 1.0)],
        method="highs",
    )
    if result.status != 0 or -result.fun <= 1e-9 * min(1.0, float(np.max(np.abs(b), initial=0.0))):
        raise ValueError(
            f"A w = b must have a solution with {low:g} < w < {high:g}, the domain of {potential!r}, but there is none, probably "
            f"because of negative labels; use a potential on the whole line, such as HypentropyPotential(), or other labels."
        )
