r"""Mirror descent of a linear model, and what every descent with a fixed step size shares.

Mirror descent moves the dual variable, :math:`\varphi'(w_{k+1}) = \varphi'(w_k) - \eta A^T(Aw_k - b)`. At every step size
below the stability limit it ends where mirror flow ends, at the Bregman projection (module ``projection``).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from ..errors import ConvergenceError, check_count, check_flag, check_positive
from ..numerics.arrays import Array
from ..potentials import Potential
from .problem import check_potential, check_problem, dual_start

__all__ = ["LinearDescent", "descend", "half_square", "mirror_descent"]

Point = TypeVar("Point", bound=tuple[Array, ...])


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


def mirror_descent(
    A: ArrayLike,
    b: ArrayLike,
    *,
    potential: Potential | None = None,
    start: ArrayLike | None = None,
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

    def at(z: Array) -> tuple[Array, Array, Array]:
        w = np.asarray(potential.inverse_gradient(z), dtype=np.float64)
        return z, w, b - A @ w

    with np.errstate(all="ignore"):
        first = at(dual_start(potential, start, A.shape[1]))

    def remedy() -> str:
        with np.errstate(all="ignore"):
            kernel = (A / np.asarray(potential.hessian(first[1]))) @ A.T
            bound = 2 / np.linalg.eigvalsh(kernel)[-1] if np.all(np.isfinite(kernel)) else np.nan
        return f"use mirror_flow or a smaller step_size: at the start the bound is 2/lambda_max = {bound:.3g} of the kernel"

    run = descend(first, lambda z, w, r: at(z + step_size * (r @ A)), n_steps, labels=b, step_size=step_size, remedy=remedy)
    losses, iterates = [], []
    for _, w, residual in run:
        losses.append(half_square(residual))
        if keep_iterates:
            iterates.append(w)
    return LinearDescent(w, np.array(losses), np.array(iterates) if keep_iterates else None)


def half_square(v: Array) -> float:
    return 0.5 * float(v @ v)


def descend(
    point: Point, step: Callable[..., Point], n_steps: int, *, labels: Array, step_size: float, remedy: Callable[[], str]
) -> Iterator[Point]:
    """The points of an iteration, tuples that end with the residual, the first one included.

    Raises
    ------
    ValueError
        If the loss, half the squared residual, is not finite at the first point.
    ConvergenceError
        If it becomes more than a million times the first one, or that of zero weights.
    """
    with np.errstate(all="ignore"):
        loss = half_square(point[-1])
        limit = min(1e6 * max(loss, half_square(labels)), float(np.finfo(float).max))
    if not np.isfinite(loss):
        raise ValueError(f"the loss at the start must be finite, but it is {loss}; rescale the data, the labels and the start.")
    yield point
    for k in range(1, n_steps + 1):
        with np.errstate(all="ignore"):
            point = step(*point)
            loss = half_square(point[-1])
        if not loss <= limit:
            raise ConvergenceError(
                f"the step size must keep the iteration stable, but with step_size={step_size:g} the loss is {loss:.1e} after "
                f"{k} steps; {remedy()}."
            )
        yield point
