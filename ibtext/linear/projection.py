r"""The equation of a Bregman projection with orthonormal rows, solved from every side until the answer is certified.

The projection w of a start onto :math:`Vw = c` is determined by two conditions: :math:`Vw = c`, and
:math:`\varphi'(w) - z_0 \in \operatorname{row}(V)`. ``project`` returns w only if both hold to 1e-11. The dual equation is
solved first. Where :math:`\varphi''` vanishes at 0, as for :math:`|x|^8`, its slope is infinite at every change of sign and
Newton's method can fail; there the primal problem is smooth and solved instead.
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, LinAlgWarning, null_space, solve

from ..dual import FiniteColumns, newton, refine
from ..errors import ConvergenceError
from ..potentials import Potential

__all__ = ["project"]

Array = npt.NDArray[np.float64]


MOST_PRIMAL_UNKNOWNS = 2000
"""Weights up to which the primal problem, whose matrices grow with their square, is tried."""


def project(rows: Array, target: Array, potential: Potential, z: Array, tol: float) -> tuple[Array, Array]:
    """Weights and multiplier of the projection onto ``rows @ w = target`` from the dual start ``z``.

    Parameters
    ----------
    rows : array (r, K)
        Orthonormal.
    target : array (r,)
    potential : Potential
    z : array (K,)
    tol : float
        For the dual equation.

    Raises
    ------
    ConvergenceError
        If neither route ends in weights that satisfy both conditions.
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
        f"is too flat or too steep at the solution; start nearer to it or use a milder potential."
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
