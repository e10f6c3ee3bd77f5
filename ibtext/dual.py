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

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp
from scipy.linalg import LinAlgError, LinAlgWarning
from scipy.linalg.lapack import dpotrf, dpotrs

from .errors import ConvergenceError, check_count, check_points, check_positive, check_tolerance, shortened
from .finite_columns import Columns, FiniteColumns

Array = npt.NDArray[np.float64]

__all__ = ["Columns", "DualSolution", "FiniteColumns", "dual_flow", "linear_flow", "solve_dual"]


LARGEST_LOSS = 1e-9
"""Largest residual, relative to the labels, that rounding may excuse."""

STALLED = 8
"""Newton steps near the root that do not halve the residual, after which rounding is all that is left."""

LONGEST_FLOW = 20_000
"""Evaluations of F after which a flow counts as stuck; a well-posed one needs a few hundred."""


def _largest(residual: Array) -> float:
    return float(np.max(np.abs(residual)))


def _norm(vector: Array) -> float:
    """Euclidean norm, also of numbers whose squares are out of range."""
    size = _largest(vector)
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


def _check_equation(columns: Any, y: Any, start: Any) -> tuple[Array, Array]:
    """Right-hand side and first multiplier, both of shape (M,)."""
    if not callable(getattr(columns, "evaluate", None)):
        raise TypeError(
            f"columns must have a method evaluate(multiplier), but {shortened(columns)} was given, probably a matrix; pass for "
            f"instance FiniteColumns(features, 1.0, CoshPotential())."
        )
    y = check_points("y", y)
    first = np.zeros_like(y) if start is None else check_points("start", start).copy()
    size = columns.features.shape[0] if isinstance(columns, FiniteColumns) else y.size
    if y.shape != (size,) or first.shape != (size,):
        raise ValueError(
            f"y and start must hold one number for each of the {size} equations, but shapes {y.shape} and {first.shape} were "
            f"given, probably one for each column or a column vector; pass y.ravel()."
        )
    return y, first


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
    columns : object with ``evaluate``
        The problem; F must be the gradient of a strictly convex function.
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
    y, first = _check_equation(columns, y, start)
    tol = check_tolerance("tol", tol)
    max_iterations = check_count("max_iterations", max_iterations)
    measure = getattr(columns, "measure", _largest)
    retract = getattr(columns, "retract", _straight)
    size = max(measure(y) if size is None else size, np.finfo(float).tiny)
    goal = tol * size
    found = _newton(columns, y, first, goal, max_iterations, retract, measure)
    if retract is not _straight and found.residual > max(goal, _rounding_floor(found.multiplier, found.kernel, measure)):
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


def _check_times(times: Any) -> Array:
    times = check_points("times", times)
    if times.ndim != 1 or np.any(times < 0) or np.any(np.diff(times) <= 0):
        if times.ndim == 0:
            cause, remedy = "a single time", f"pass a list, [{float(times)}]"
        elif times.ndim > 1:
            cause, remedy = "a column", "pass times.ravel()"
        elif np.any(times < 0):
            cause, remedy = "logarithms of times or times counted from another event", "drop negative times"
        else:
            cause, remedy = "unsorted or repeated values", "pass np.unique(times)"
        raise ValueError(
            f"times must be a one-dimensional increasing list of flow times, none negative, but "
            f"{np.array2string(times, threshold=6)} was given, probably {cause}; {remedy}."
        )
    return np.asarray(times, dtype=np.float64)


def dual_flow(
    columns: Columns,
    y: Array,
    times: Array,
    *,
    rate: float = 1.0,
    start: Array | None = None,
    rtol: float = 1e-9,
) -> Array:
    r"""Multipliers along the training path :math:`\lambda' = \text{rate} \cdot (y - F(\lambda))`.

    Parameters
    ----------
    columns, y : as in ``solve_dual``
    times : array (T,)
        Flow times, non-negative and increasing.
    rate : float
        Factor in front (loss normalisation times learning rate).
    start : array (M,), optional
        Multiplier at time 0, zero by default.
    rtol : float
        Local tolerance relative to the multiplier's size.

    Returns
    -------
    array (T, M)

    Notes
    -----
    The flow contracts but is stiff (kernel eigenvalues spread over many orders of magnitude), so SciPy's
    Radau method of order five is used with the exact Jacobian -H. Cost: a few hundred evaluations; a flow that needs
    20 000 is stopped with a ``ConvergenceError``.
    """
    (y, first), times = _check_equation(columns, y, start), _check_times(times)
    rate, rtol = check_positive("rate", rate), check_tolerance("rtol", rtol)
    if times[-1] == 0:
        return np.array([first])
    reason, states, left = "", np.empty((0, y.size)), LONGEST_FLOW

    def velocity(t: float, multiplier: Array) -> Array:
        nonlocal left
        if (left := left - 1) < 0:
            raise ValueError(f"{LONGEST_FLOW} evaluations")
        return rate * (y - columns.evaluate(multiplier)[0])

    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():  # what overflows is refused below
            warnings.simplefilter("ignore", LinAlgWarning)
            value, kernel = columns.evaluate(first)
            scale = max(_largest(y), _largest(y - value)) / (np.max(kernel.diagonal()) or 1.0)  # of a multiplier that moves F
            solution = solve_ivp(
                velocity,
                (0.0, float(times[-1])),
                first,
                method="Radau",
                t_eval=times,
                jac=lambda t, u: -rate * columns.evaluate(u)[1],
                rtol=max(rtol, 1e-13),
                atol=rtol * 1e-3 * max(float(scale), np.finfo(float).tiny),
            )
        states, reason = np.asarray(solution.y, dtype=np.float64).T, str(solution.message)
    except (ValueError, LinAlgError) as error:  # a Jacobian that is infinite or singular
        reason = str(error)
    if states.shape != (times.size, y.size) or not np.all(np.isfinite(states)):
        reached = times[len(states) - 1] if 0 < len(states) <= times.size else 0.0
        raise ConvergenceError(
            f"the flow must be integrated to time {times[-1]:g}, but the integrator stopped after {reached:g} "
            f"({reason.rstrip('.')}), probably because of rounding at a late time or of labels that are too large; ask for an "
            f"earlier last time or a larger rtol."
        )
    return states


def linear_flow(root: Array, y: Array, times: Array, *, rate: float = 1.0) -> Array:
    r"""Multipliers of the linear flow :math:`\lambda' = \text{rate}\,(y - G^T G \lambda)`, in closed form.

    Parameters
    ----------
    root : array (K, M)
        G, a square root of the kernel. Small eigenvalues of the kernel are squares of singular values of G, and
        keep twice the digits that they have in the kernel.
    y, times, rate : as in ``dual_flow``

    Returns
    -------
    array (T, M)

    Notes
    -----
    :math:`\lambda(t) = V \frac{1 - e^{-s^2 t}}{s^2} V^T y` with :math:`G = U s V^T`. Cost O(M^3 + T M^2).

    Examples
    --------
    >>> import numpy as np
    >>> linear_flow(np.array([[2.0]]), np.array([4.0]), np.array([0.0, 1e9])).round(12).tolist()
    [[0.0], [1.0]]
    """
    y = check_points("y", y)
    times = _check_times(times)
    rate = check_positive("rate", rate)
    _, singular, right = np.linalg.svd(root, full_matrices=False)
    with np.errstate(all="ignore"):
        time, squares = rate * times[:, None], singular**2
        decay = time * squares
        # (1 - e^-z)/s^2, in the form that serves where z underflows, and in that where the time overflows
        early = time * np.where(decay > 0, -np.expm1(-decay) / decay, 1.0)
        factor = np.where(decay > 1, -np.expm1(-decay) / squares, early)
    if not np.all(np.isfinite(factor)):
        raise ConvergenceError(
            f"the flow must be followed to time {times[-1]:g}, but its multiplier is no finite number there, probably because "
            f"inputs nearly coincide; ask for an earlier last time."
        )
    return np.asarray((factor * (right @ y)) @ right, dtype=np.float64)
