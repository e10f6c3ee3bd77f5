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

Anything with a method ``evaluate(multiplier) -> (F, H)`` can be solved: ``FiniteColumns`` sums over
finitely many columns; the infinite-width columns of ``ibtext.wide`` integrate over the law of the neurons.
"""

from collections.abc import Callable

import numpy as np

from ..errors import check_count, check_tolerance
from ..numerics.arrays import Array
from .columns import Columns, check_equation
from .robust import STALLED, DualSolution, at_the_floor, is_nearer, newton_step, refuse, rounding_floor

Retraction = Callable[[Array, Array], Array]

__all__ = ["nearest", "newton", "solve_dual"]


def newton(
    columns: Columns, y: Array, start: Array, goal: float, max_iterations: int = 200, retract: Retraction | None = None
) -> DualSolution:
    """Damped Newton steps for F = y, and the best point on their way, whether or not it reaches the goal."""
    retract = retract or columns.retract

    def at(multiplier: Array, iterations: int) -> DualSolution:
        value, kernel = columns.evaluate(multiplier)
        return DualSolution(multiplier, columns.measure(y - value), iterations, kernel, y - value)

    here = best = at(start, 0)
    near, since = 1e-6 * columns.measure(y), 0
    with np.errstate(all="ignore"):  # what overflows is no nearer
        while here.residual > goal and here.iterations < max_iterations:
            step = newton_step(here.kernel, here.difference)
            if not np.isfinite(step).all():
                break
            for damping in 0.5 ** np.arange(35):
                trial = at(retract(here.multiplier, damping * step), here.iterations + 1)
                if is_nearer(trial, here, damping):
                    break
            else:  # no descent left: rounding error, or a singular kernel
                break
            since = 0 if trial.residual < 0.5 * best.residual else since + 1  # steps that have not halved the residual
            best, before, here = min(best, trial, key=lambda point: point.residual), here, trial
            if at_the_floor(here, before, columns.measure) or (since >= STALLED and best.residual < near):
                break  # F is known no better than that
    return best


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
    size = max(columns.measure(y) if size is None else size, np.finfo(float).tiny)
    goal = tol * size
    found = nearest(columns, y, first, goal, max_iterations)
    refuse(found, tol, size, rounding_floor(found, columns.measure))
    return found


def nearest(columns: Columns, y: Array, first: Array, goal: float, max_iterations: int = 200) -> DualSolution:
    """The best point of Newton's method, along curves and, if these end above the rounding error, along straight lines."""
    found = newton(columns, y, first, goal, max_iterations)
    curved = type(columns).retract is not Columns.retract
    if curved and found.residual > max(goal, rounding_floor(found, columns.measure)):
        # a curve can lead astray where a straight line, slower, cannot
        again = newton(columns, y, first, goal, max_iterations, lambda multiplier, step: multiplier + step)
        found = min(found, again, key=lambda point: point.residual)
    return found
