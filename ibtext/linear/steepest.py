r"""Steepest descent on separable data: gradient, coordinate and sign descent, and the margins that they find.

For a norm and the loss :math:`L(w) = \sum_i \ell(y_i \langle x_i, w \rangle)` steepest descent moves by

.. math:: w_{k+1} = w_k - \eta\, \|g_k\|_*\, s_k, \quad g_k = \nabla L(w_k),
    \quad s_k = \arg\max_{\|s\| \le 1} \langle g_k, s \rangle,

which is gradient descent for norm 2, coordinate descent for norm 1 and sign descent for the max norm. On separable data
:math:`\|w_k\|` grows without bound and the margin :math:`\min_i y_i\langle x_i, w_k\rangle / \|w_k\|` tends to the largest
possible. The direction itself converges only if the maximiser is unique.

The loss of well-separated points is far below the smallest floating-point number, so everything is done with logarithms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_expit

from ..errors import ConvergenceError, check_choice, check_count, check_flag, check_points, check_positive
from ..numerics.arrays import Array
from .margins import DUAL_NORM, check_labels, check_norm, max_margin

__all__ = ["LOSSES", "SteepestDescent", "log_loss", "steepest_descent"]


LOSSES = ("exponential", "logistic")


@dataclass(frozen=True)
class SteepestDescent:
    """A run of steepest descent.

    Attributes
    ----------
    weights : array (K,)
        After the last step.
    direction : array (K,)
        The weights divided by their norm.
    margin : float
        Of the direction, in the units of the data.
    margins : array (n_steps,)
        After each step.
    log_losses : array (n_steps + 1,)
        Natural logarithm of the loss, the start included.
    norms : array (n_steps,)
        Norm of the weights after each step.
    """

    weights: Array
    direction: Array
    margin: float
    margins: Array
    log_losses: Array
    norms: Array


def steepest_descent(
    A: ArrayLike,
    labels: ArrayLike,
    *,
    norm: float = 2,
    loss: str = "exponential",
    step_size: float,
    n_steps: int,
    start: ArrayLike | None = None,
    normalized: bool = False,
) -> SteepestDescent:
    r"""Steepest descent in a norm for the exponential or logistic loss on separable data.

    Parameters
    ----------
    A : array (M, K)
        Rows :math:`x_i`.
    labels : array (M,)
        +1 or -1.
    norm : 1, 2 or np.inf
        1 is coordinate descent, 2 gradient descent, infinity sign descent.
    loss : "exponential" or "logistic"
        :math:`\ell(m) = e^{-m}` or :math:`\log(1 + e^{-m})`, summed over the data.
    step_size : float
        :math:`\eta`. The loss falls at every step if :math:`\eta \le 1/(B^2 L(w_0))`, or :math:`\eta \le 1/B^2` with
        ``normalized``, where B is the largest dual norm of a row.
    n_steps : int
    start : array (K,), optional
        Zero by default.
    normalized : bool
        Divide the gradient by the loss: steepest descent for log L. The margin then closes like 1/k instead of 1/log k.

    Returns
    -------
    SteepestDescent

    Raises
    ------
    ValueError
        If no hyperplane through the origin separates the data.
    ConvergenceError
        If the loss grows by more than a factor :math:`e^{10}`: the step size is too large.

    Notes
    -----
    Cost O(M K) a step and one linear program at the start; margins of a thousand and more are no trouble.

    Source: Gunasekar, Lee, Soudry and Srebro (2018); Soudry et al. (2018) for norm 2.

    Examples
    --------
    >>> run = steepest_descent([[3.0, 1.0], [-1.0, -3.0]], [1, -1], step_size=0.1, n_steps=2000, normalized=True)
    >>> round(run.margin, 4)
    2.8284
    """
    A, labels = check_labels(A, labels)
    norm = check_norm(norm)
    check_choice("loss", loss, LOSSES)
    normalized = check_flag("normalized", normalized)
    step_size = check_positive("step_size", step_size)
    n_steps = check_count("n_steps", n_steps)
    w = np.zeros(A.shape[1]) if start is None else check_points("start", start).copy()
    if w.shape != A.shape[1:]:
        raise ValueError(
            f"start must hold one number for each of the {A.shape[1]} columns of A, but shape {w.shape} was given; "
            f"pass shape ({A.shape[1]},)."
        )
    max_margin(A, labels, norm=norm)  # refuses data that are not separable
    Z = labels[:, None] * A
    product = Z @ w
    log_losses = np.empty(n_steps + 1)
    log_losses[0] = _log_sum(log_loss(product, loss))
    if not np.isfinite(log_losses[0]):
        raise ValueError(
            f"the loss at the start must be a finite number, but its logarithm is {log_losses[0]}; rescale A and start."
        )
    margins, norms = np.empty(n_steps), np.empty(n_steps)
    for k in range(n_steps):
        slopes = _log_slope(product, loss)
        shift = log_losses[k] if normalized else 0.0
        with np.errstate(all="ignore"):
            w = w + step_size * _step(np.exp(slopes - shift) @ Z, norm)
            product = Z @ w
            log_losses[k + 1] = _log_sum(log_loss(product, loss))
            norms[k] = np.linalg.norm(w, norm)
        if not (log_losses[k + 1] <= log_losses[0] + 10 and norms[k] < np.inf and np.all(np.isfinite(product))):
            raise ConvergenceError(_too_large(Z, norm, step_size, log_losses, k + 1, normalized))
        margins[k] = np.min(product) / norms[k] if norms[k] > 0 else -np.inf
    if norms[-1] < 1e-290:
        raise ConvergenceError(
            f"the weights must move, but their norm is {norms[-1]:g} after the last step; use a larger step_size."
        )
    return SteepestDescent(w, w / norms[-1], float(margins[-1]), margins, log_losses, norms)


def _log_sum(logs: Array) -> float:
    """log of the sum of exponentials; SciPy's logsumexp costs ten times more on a few points."""
    top = float(logs.max())
    return top + float(np.log(np.exp(logs - top).sum())) if np.isfinite(top) else top


def log_loss(margins: Array, loss: str) -> Array:
    """Logarithm of the loss of each point."""
    if loss == "exponential":
        return -margins
    # log(1 + e^-m) is e^-m to rounding for large m, where e^-m itself may underflow
    return np.where(margins > 40, -margins, np.log(np.logaddexp(0.0, -np.minimum(margins, 40.0))))


def _log_slope(margins: Array, loss: str) -> Array:
    """Logarithm of minus the derivative of the loss of each point."""
    return -margins if loss == "exponential" else np.asarray(log_expit(-margins))


def _step(gradient: Array, norm: float) -> Array:
    """The dual norm of the gradient times the steepest unit vector."""
    if norm == 2:
        return gradient
    if norm == 1:
        step = np.zeros_like(gradient)
        j = int(np.argmax(np.abs(gradient)))
        step[j] = gradient[j]
        return step
    return np.asarray(np.sum(np.abs(gradient)) * np.sign(gradient))


def _too_large(Z: Array, norm: float, step_size: float, log_losses: Array, steps: int, normalized: bool) -> str:
    with np.errstate(all="ignore"):
        reach = float(np.max(np.linalg.norm(Z, DUAL_NORM[norm], axis=1)))
        bound = np.float64(reach) ** -2 * (1.0 if normalized else float(np.exp(-log_losses[0])))
    return (
        f"the step size must keep the loss from growing, but with step_size={step_size:g} its logarithm went from "
        f"{log_losses[0]:.3g} to {log_losses[steps]:.3g} in {steps} steps; step_size={bound:.3g} "
        f"is small enough."
    )
