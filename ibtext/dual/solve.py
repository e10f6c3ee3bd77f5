r"""The M-dimensional equation behind every chapter, and its flow.

Training picks, among all parameters that fit M data points, the one that minimises a Bregman divergence from
the start. Its optimality condition has M unknowns, one multiplier per data point:

.. math::

    F_i(\lambda) = \sum_k m_k A_{ik}\, (\varphi')^{-1}\Big(z_k + \sum_j \lambda_j A_{jk}\Big) = y_i,
    \qquad i = 1, \dots, M,

with features :math:`A_{ik}`, masses :math:`m_k > 0` and dual start :math:`z_k` (zero when training starts at the
centre of the potential). :math:`F` is the gradient of the convex function
:math:`\sum_k m_k \varphi^*(z_k + (A^T\lambda)_k)`, so its Jacobian

.. math:: H_{ij}(\lambda) = \sum_k m_k \frac{A_{ik} A_{jk}}{\varphi''(\theta_k)}

is symmetric and positive semi-definite: it is the kernel that moves along training. ``solve_dual`` finds the
root by damped Newton steps; ``dual_flow`` integrates the training path :math:`\lambda' = y - F(\lambda)`.

Anything with a method ``evaluate(multiplier) -> (F, H)`` can be solved: ``FiniteColumns`` below sums over
finitely many columns; the infinite-width columns of ``ibtext.wide`` integrate over the law of the neurons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg.lapack import dpotrf, dpotrs

from ..errors import ConvergenceError, check_count, check_tolerance
from .columns import Columns, check_equation, largest

Array = npt.NDArray[np.float64]

__all__ = ["LARGEST_LOSS", "DualSolution", "solve_dual"]


LARGEST_LOSS = 1e-9
"""Largest residual, relative to the labels, that rounding may excuse."""

STALLED = 8
"""Newton steps near the root that do not halve the residual, after which rounding is all that is left."""

def _norm(vector: Array) -> float:
    """Euclidean norm, also of numbers whose squares are out of range."""
    size = largest(vector)
    return size * float(np.linalg.norm(vector / size)) if 0 < size < np.inf else size


def _straight(multiplier: Array, step: Array) -> Array:
    return multiplier + step


@dataclass(frozen=True)
class DualSolution:
    """The root of the dual equation.

    Attributes
    ----------
    multiplier : array (M,)
        The root lambda.
    residual : float
        Largest |F_i(lambda) - y_i|, in the units of y.
    iterations : int
        Newton steps taken.
    kernel : array (M, M)
        The kernel H at the root.
    difference : array (M,)
        y - F at the root.
    """

    multiplier: Array
    residual: float
    iterations: int
    kernel: Array
    difference: Array

    @cached_property
    def condition(self) -> float:
        """Condition number of the kernel at the root. O(M^3)."""
        return float(np.linalg.cond(self.kernel))


def _newton_step(kernel: Array, residual: Array) -> Array:
    """Solve H step = residual after scaling H to unit diagonal, with one refinement."""
    scale = 1 / np.sqrt(kernel.diagonal())
    scaled, right = kernel * scale[:, None] * scale, residual * scale
    if not (np.isfinite(scaled).all() and np.isfinite(right).all()):
        return np.full_like(residual, np.nan)
    factor, failed = dpotrf(scaled)  # LAPACK itself: for a few unknowns its wrappers cost more than the work
    if failed:
        step = np.linalg.lstsq(scaled, right, rcond=None)[0]
    else:
        step = dpotrs(factor, right)[0]
        step += dpotrs(factor, right - scaled @ step)[0]
    return np.asarray(scale * step, dtype=np.float64)


def _rounding_floor(multiplier: Array, kernel: Array, measure: Callable[[Array], float]) -> float:
    """Size of the rounding error in F: the dual profile A^T lambda cancels, and F is linear in it locally."""
    return 16 * np.finfo(float).eps * measure(np.abs(kernel) @ np.abs(multiplier))


def _newton(
    columns: Columns,
    y: Array,
    multiplier: Array,
    goal: float,
    max_iterations: int,
    retract: Callable[[Array, Array], Array],
    measure: Callable[[Array], float],
) -> DualSolution:
    """Damped Newton steps along ``retract``, and where they end."""
    value, kernel = columns.evaluate(multiplier)
    residual = y - value
    reached = measure(residual)
    iterations, accepted = 0, True
    best, since = (reached, multiplier, residual, kernel), 0
    scale = measure(y)
    while reached > goal and accepted and iterations < max_iterations:
        # the size of a residual is judged in the scale of each equation, so that a change of units changes nothing
        with np.errstate(all="ignore"):
            weight = 1 / np.sqrt(kernel.diagonal())
            norm = _norm(weight * residual)
            step = _newton_step(kernel, residual)
        if not (np.isfinite(step).all() and 0 < norm < np.inf):
            break
        damping = 1.0
        while True:
            with np.errstate(all="ignore"):  # what overflows is refused below
                trial = retract(multiplier, damping * step)
                value, trial_kernel = columns.evaluate(trial)
                new = y - value
                gain = _norm(weight * new) / norm
                moved = trial - multiplier
                # F is the gradient of a convex function: it falls up to the point where moved @ new changes sign
                before = moved @ residual
                falls = bool(moved @ new >= -0.5 * before and before > 0)
                usable = np.isfinite(new).all() and np.isfinite(trial_kernel).all() and (trial_kernel.diagonal() > 0).all()
            accepted = bool(usable and (gain <= 1 - 1e-4 * damping or (falls and gain > 1 + 1e-6)))
            if accepted or damping < 1e-10:  # no descent left: rounding error, or a singular kernel
                break
            damping /= 2
        iterations += 1
        if accepted:
            multiplier, residual, kernel = trial, new, trial_kernel
            reached = measure(residual)
            if gain > 0.5 and reached < _rounding_floor(multiplier, kernel, measure):
                break
            since = 0 if reached < 0.5 * best[0] else since + 1
            if reached < best[0]:
                best = (reached, multiplier, residual, kernel)
            if since >= STALLED and best[0] < 1e-6 * scale:  # F is known no better than that
                reached, multiplier, residual, kernel = best
                break
    return DualSolution(multiplier, reached, iterations, kernel, residual)


def solve_dual(
    columns: Columns,
    y: Array,
    *,
    start: Array | None = None,
    tol: float = 1e-13,
    size: float | None = None,
    max_iterations: int = 200,
) -> DualSolution:
    r"""Solve :math:`F(\lambda) = y` by Newton's method, damped by a line search on the residual.

    Parameters
    ----------
    columns : Columns
        The problem, or any object with a method ``evaluate(multiplier) -> (F, H)``; F must be the gradient of a strictly
        convex function.
    y : array (M,)
        Right-hand side.
    start : array (M,), optional
        First multiplier, zero by default.
    tol : float
        Bound on max |F - y| relative to max |y|. Rounding sets a floor of a few units in the last place of the
        terms that cancel in F, ``max(H |lambda|)``; an iteration that stalls below this floor is accepted up to
        1e-9 of the labels, and ``residual`` says what was reached.
    size : float, optional
        The size of the labels to which ``tol`` is relative, ``max |y|`` by default.
    max_iterations : int

    Returns
    -------
    DualSolution

    Raises
    ------
    ConvergenceError
        If the residual stays above the tolerance; the likely cause is that no solution exists (the features do
        not span y) or that the kernel is singular to working precision.

    Notes
    -----
    Cost: one evaluation (O(M^2 K) for K columns) and one O(M^3) solve per step, usually 1 to 20 steps.
    """
    columns, y, first = check_equation(columns, y, start)
    tol = check_tolerance("tol", tol)
    max_iterations = check_count("max_iterations", max_iterations)
    measure, retract = columns.measure, columns.retract
    size = max(measure(y) if size is None else size, np.finfo(float).tiny)
    goal = tol * size
    found = _newton(columns, y, first, goal, max_iterations, retract, measure)
    curved = type(columns).retract is not Columns.retract
    if curved and found.residual > max(goal, _rounding_floor(found.multiplier, found.kernel, measure)):
        # a curve can lead astray where a straight line, slower, cannot
        again = _newton(columns, y, first, goal, max_iterations, _straight, measure)
        if again.residual < found.residual:
            found = again
    reached, kernel = found.residual, found.kernel
    if not reached <= max(goal, _rounding_floor(found.multiplier, kernel, measure)):
        condition = float(np.linalg.cond(kernel)) if np.all(np.isfinite(kernel)) else np.inf
        cause, remedy = "the features do not span the labels, or the start is far off", "check the inputs for near coincidence"
        if condition > 1e12:
            cause = f"the kernel has condition number {condition:.1e}"
        elif reached < 1e-6 * size:
            cause = "F or its derivative is computed less exactly, as with a CustomPotential without its hessian"
            remedy = "give the hessian"
        raise ConvergenceError(
            f"the dual equation must be solved to {goal:.1e}, but the residual is {reached:.1e} after {found.iterations} "
            f"Newton steps, probably because {cause}; {remedy}, or raise tol."
        )
    if reached > max(tol, LARGEST_LOSS) * size:
        raise ConvergenceError(
            f"the dual equation must be solved to {max(tol, LARGEST_LOSS) * size:.1e}, but rounding stops at "
            f"{reached:.1e}, a loss "
            f"of {16 + np.log10(reached / size):.0f} of 16 digits, probably because terms much larger than the labels cancel; "
            f"choose comparable units for the columns, or raise tol."
        )
    return found
