"""What makes the Newton iteration of ``solve`` robust: scaling, which steps to take, and where rounding ends it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs

from ..errors import ConvergenceError
from ..numerics.arrays import Array
from .columns import FiniteColumns, largest

__all__ = ["LARGEST_LOSS", "STALLED", "DualSolution", "at_the_floor", "is_nearer", "newton_step", "refine", "refuse"]
__all__ += ["rounding_floor"]

Measure = Callable[[Array], float]

LARGEST_LOSS = 1e-9
"""Largest residual, relative to the labels, that rounding may excuse."""

STALLED = 8
"""Newton steps near the root that do not halve the residual, after which rounding is all that is left."""


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

    @property
    def condition(self) -> float:
        """Condition number of the kernel at the root. O(M^3)."""
        return float(np.linalg.cond(self.kernel))


def newton_step(kernel: Array, residual: Array) -> Array:
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


def _gain(trial: DualSolution, here: DualSolution) -> float:
    """Ratio of the residuals, each equation in its own scale, so that a change of units changes nothing."""
    weight = 1 / np.sqrt(here.kernel.diagonal())
    new, old = weight * trial.difference, weight * here.difference
    size = largest(old)  # the squares of both may be out of range
    return float(np.linalg.norm(new / size) / np.linalg.norm(old / size))


def is_nearer(trial: DualSolution, here: DualSolution, damping: float) -> bool:
    """Whether a damped step is one to take."""
    if not (np.isfinite(trial.difference).all() and np.isfinite(trial.kernel).all() and (trial.kernel.diagonal() > 0).all()):
        return False
    gain, moved = _gain(trial, here), trial.multiplier - here.multiplier
    # F is the gradient of a convex function: it falls up to the point where moved @ difference changes sign
    before = moved @ here.difference
    falls = moved @ trial.difference >= -0.5 * before and before > 0
    return bool(gain <= 1 - 1e-4 * damping or (falls and gain > 1 + 1e-6))


def rounding_floor(point: DualSolution, measure: Measure) -> float:
    """Size of the rounding error in F: the dual profile A^T lambda cancels, and F is linear in it locally."""
    return 16 * np.finfo(float).eps * measure(np.abs(point.kernel) @ np.abs(point.multiplier))


def at_the_floor(trial: DualSolution, here: DualSolution, measure: Measure) -> bool:
    """Whether a step that helped little ends where rounding begins."""
    return _gain(trial, here) > 0.5 and trial.residual < rounding_floor(trial, measure)


def refuse(found: DualSolution, tol: float, size: float, floor: float) -> None:
    """Refuse a point that is not the root, or known to too few digits."""
    reached, kernel, goal = found.residual, found.kernel, tol * size
    if not reached <= max(goal, floor):
        condition = float(np.linalg.cond(kernel)) if np.all(np.isfinite(kernel)) else np.inf
        remedy = "check whether the features span the labels and the start is near"
        if reached < 1e-6 * size and not condition > 1e12:  # F or its derivative is computed less exactly
            remedy = "give a CustomPotential its hessian"
        raise ConvergenceError(
            f"the dual equation must be solved to {goal:.1e}, but the residual is {reached:.1e} after {found.iterations} "
            f"Newton steps, with a kernel of condition number {condition:.1e}; {remedy}, or raise tol."
        )
    if reached > max(tol, LARGEST_LOSS) * size:
        raise ConvergenceError(
            f"the dual equation must be solved to {max(tol, LARGEST_LOSS) * size:.1e}, but rounding stops at {reached:.1e}, a "
            f"loss of {16 + np.log10(reached / size):.0f} of 16 digits, because terms much larger than the labels cancel; "
            f"choose comparable units for the columns, or raise tol."
        )


def refine(columns: FiniteColumns, theta: Array, missing: Callable[[Array], Array]) -> tuple[Array, Array]:
    """The parameters after Newton steps in the parameters themselves, and what they miss of the labels.

    A multiplier of size 1e12 has a unit in the last place of 1e-4. It cannot meet the labels better than that unit moves
    them, and what it happens to reach depends on the order in which a processor adds. Parameters have no such limit,
    since the labels are linear in them. The step D A^T s, D the inverse Hessian, leaves phi'(theta) in the row space.

    ``theta`` is ``columns.primal`` of a multiplier near the root, ``missing`` the labels minus the predictions of parameters.
    """
    left = missing(theta)
    low, high = columns.potential.domain
    for _ in range(3):
        with np.errstate(all="ignore"):
            inverse_hessian = 1 / np.asarray(columns.potential.hessian(theta))
            inverse_hessian = np.where(np.isfinite(inverse_hessian), inverse_hessian, 0.0)  # the others carry the step
            kernel = (columns.features * (columns.masses * inverse_hessian)) @ columns.features.T
            trial = theta + inverse_hessian * (newton_step(kernel, left) @ columns.features)
            new = missing(trial)
        if not (np.all((trial > low) & (trial < high)) and largest(new) < 0.5 * largest(left)):
            break
        theta, left = trial, new
    return theta, left
