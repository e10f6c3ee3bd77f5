r"""Linear models: where mirror flow and mirror descent end, and how they get there.

For the loss :math:`L(w) = \frac12\|Aw - b\|^2` mirror flow with potential :math:`\varphi` obeys
:math:`\frac{d}{dt}\varphi'(w) = -A^T(Aw - b)`. The dual variable never leaves :math:`\varphi'(w_0) + \operatorname{row}(A)`,
so the limit is the Bregman projection of the start onto the solutions of :math:`Aw = b`, and the whole path has as many
unknowns as there are data points. Both are found through ``ibtext.dual``.

Classification, ``max_margin`` and ``steepest_descent``, is in the modules ``margins`` and ``steepest``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from ..dual import LARGEST_LOSS, FiniteColumns, dual_flow
from ..errors import ConvergenceError, check_count, check_flag, check_points, check_positive, check_tolerance
from ..potentials import Potential, QuadraticPotential
from .problem import check_potential, check_problem, dual_start, independent_rows
from .projection import project

__all__ = ["LinearDescent", "LinearPath", "Projection", "bregman_projection", "mirror_descent", "mirror_flow"]

Array = npt.NDArray[np.float64]


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


@dataclass(frozen=True)
class LinearPath:
    """Mirror flow of a linear model at chosen times.

    Attributes
    ----------
    times : array (T,)
    weights : array (T, K)
    residuals : array (T, M)
        b - Aw.
    duals : array (T, M)
        phi'(w(t)) = phi'(w(0)) + A^T dual(t).
    """

    times: Array
    weights: Array
    residuals: Array
    duals: Array

    @property
    def losses(self) -> Array:
        """Half the squared norm of the residuals, shape (T,)."""
        return np.asarray(0.5 * np.sum(self.residuals**2, axis=1))


@dataclass(frozen=True)
class LinearDescent:
    """A run of mirror descent.

    Attributes
    ----------
    weights : array (K,)
        After the last step.
    losses : array (n_steps + 1,)
        Half the squared norm of Aw - b, the start included.
    iterates : array (n_steps + 1, K) or None
        All weights, if they were asked for.
    """

    weights: Array
    losses: Array
    iterates: Array | None


def bregman_projection(
    A: Any, b: Any, *, potential: Potential | None = None, start: Any = None, tol: float = 1e-13
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


def _check_reachable(A: Array, b: Array, potential: Potential) -> None:
    """Refuse labels that no weights inside the domain of the potential fit, by a linear program."""
    low, high = potential.domain
    if not (np.isfinite(low) or np.isfinite(high)):
        return
    columns = A.shape[1]
    depth = np.zeros(columns + 1)
    depth[-1] = -1.0  # maximise the distance of w from the ends of the domain
    upper, right = [], []
    for sign, end in ((-1.0, low), (1.0, high)):
        if np.isfinite(end):
            upper.append(np.hstack([sign * np.eye(columns), np.ones((columns, 1))]))
            right.append(np.full(columns, sign * end))
    result = linprog(
        depth,
        A_ub=np.vstack(upper),
        b_ub=np.concatenate(right),
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


def mirror_flow(
    A: Any, b: Any, times: Any, *, potential: Potential | None = None, start: Any = None, rtol: float = 1e-10
) -> LinearPath:
    r"""Mirror flow of a linear model: :math:`\frac{d}{dt}\varphi'(w) = -A^T(Aw - b)`.

    Parameters
    ----------
    A, b, potential, start : as in ``bregman_projection``
    times : array (T,)
        Increasing flow times, none negative.
    rtol : float
        Local tolerance relative to the dual variable.

    Returns
    -------
    LinearPath

    Raises
    ------
    ConvergenceError
        If the integrator stops before the last time.

    Notes
    -----
    Exact reduction to the M equations :math:`\lambda' = b - Aw(\lambda)`, integrated by ``dual_flow``; a few hundred
    evaluations of O(M^2 K) whatever the last time.

    Examples
    --------
    >>> import numpy as np
    >>> path = mirror_flow([[1.0, 0.0]], [2.0], [0.0, 1.0, 40.0])
    >>> bool(np.allclose(path.weights[:, 0], 2 * (1 - np.exp([0.0, -1.0, -40.0])), atol=1e-9))
    True
    """
    A, b = check_problem(A, b)
    potential = check_potential(potential)
    rtol = check_tolerance("rtol", rtol)
    z = dual_start(potential, start, A.shape[1])
    columns = FiniteColumns(A, 1.0, potential, z)
    times = check_points("times", times)
    with np.errstate(all="ignore"):  # a trial step may leave the range of floats; the integrator then shortens it
        duals = dual_flow(columns, b, times, rtol=rtol)
    weights = np.array([columns.primal(dual) for dual in duals])
    return LinearPath(times, weights, b - weights @ A.T, duals)


def mirror_descent(
    A: Any,
    b: Any,
    *,
    potential: Potential | None = None,
    start: Any = None,
    step_size: float,
    n_steps: int,
    keep_iterates: bool = False,
) -> LinearDescent:
    r"""Mirror descent: :math:`\varphi'(w_{k+1}) = \varphi'(w_k) - \eta A^T(Aw_k - b)`.

    Parameters
    ----------
    A, b, potential, start : as in ``bregman_projection``
    step_size : float
        :math:`\eta`, in units of flow time. Stable near the limit while
        :math:`\eta < 2/\lambda_{\max}(A \operatorname{diag}(1/\varphi''(w)) A^T)`.
    n_steps : int
    keep_iterates : bool
        Keep all weights, O(n_steps K) of memory.

    Returns
    -------
    LinearDescent

    Raises
    ------
    ConvergenceError
        If the loss overflows or grows a millionfold: the step size is too large.

    Notes
    -----
    Two products with A a step.

    Examples
    --------
    >>> run = mirror_descent([[1.0, 2.0]], [5.0], step_size=0.1, n_steps=200)
    >>> [round(float(v), 12) for v in run.weights]
    [1.0, 2.0]
    """
    A, b = check_problem(A, b)
    potential = check_potential(potential)
    step_size = check_positive("step_size", step_size)
    n_steps = check_count("n_steps", n_steps)
    keep_iterates = check_flag("keep_iterates", keep_iterates)
    z = dual_start(potential, start, A.shape[1])
    w = np.asarray(potential.inverse_gradient(z), dtype=np.float64)
    first = w
    with np.errstate(all="ignore"):
        residual = b - A @ w
        losses = [0.5 * float(residual @ residual)]
    if not np.isfinite(losses[0]):
        raise ValueError(
            f"the loss at the start must be finite, but it is {losses[0]}, probably because of labels or a start in the wrong "
            f"unit; rescale A, b and start."
        )
    iterates = [w]
    limit = 1e6 * max(losses[0], 0.5 * float(b @ b))
    for k in range(n_steps):
        z = z + step_size * (residual @ A)
        with np.errstate(all="ignore"):
            w = np.asarray(potential.inverse_gradient(z), dtype=np.float64)
            residual = b - A @ w
            loss = 0.5 * float(residual @ residual)
        if not loss <= limit:
            raise ConvergenceError(_too_large(A, potential, first, step_size, loss, k + 1))
        losses.append(loss)
        if keep_iterates:
            iterates.append(w)
    return LinearDescent(w, np.array(losses), np.array(iterates) if keep_iterates else None)


def _too_large(A: Array, potential: Potential, w: Array, step_size: float, loss: float, steps: int) -> str:
    with np.errstate(all="ignore"):
        kernel = (A / np.asarray(potential.hessian(w))) @ A.T
    bound = 2 / float(np.linalg.eigvalsh(kernel)[-1]) if np.all(np.isfinite(kernel)) else float("nan")
    where = "" if isinstance(potential, QuadraticPotential) else " at the start"
    return (
        f"the step size must keep the iteration stable, but with step_size={step_size:g} the loss is {loss:.1e} after {steps} "
        f"steps, probably because it exceeds 2/lambda_max = {bound:.3g} of the kernel{where}; use a smaller step_size or "
        f"mirror_flow."
    )
