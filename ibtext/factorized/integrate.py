"""Integration of the flows that have no smaller equation: all factors at once, by SciPy's LSODA."""

import warnings
from collections.abc import Callable

import numpy as np
from scipy.integrate import solve_ivp

from ..errors import ConvergenceError, check_tolerance
from ..numerics.arrays import Array

__all__ = ["integrate"]


MOST_EVALUATIONS = 50_000
"""Evaluations of the velocity after which an integration is given up; the hardest that finish need some ten thousand."""


MOST_STIFF = 500
"""Unknowns up to which a stiff method, whose Jacobian costs that many evaluations, may be of use."""


def integrate(velocity: Callable[[Array], Array], first: Array, times: Array, rtol: float) -> Array:
    """States (T, n) of an autonomous flow, by SciPy's LSODA, which changes to a stiff method where it must, or by DOP853."""
    rtol = check_tolerance("rtol", rtol)
    if times[-1] == 0:
        return first[None].copy()
    evaluations = 0

    def field(t: float, state: Array) -> Array:
        nonlocal evaluations
        evaluations += 1
        change = np.asarray(velocity(state), dtype=np.float64)
        if evaluations > MOST_EVALUATIONS or not np.all(np.isfinite(change)):
            raise ConvergenceError(
                f"the flow must be integrated to time {times[-1]:g}, but at time {t:g} its velocity is no finite number or "
                f"{evaluations} evaluations were not enough; rescale the data and the start, or ask for an earlier last time."
            )
        return change

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # LSODA says in a warning what is raised below
        solution = solve_ivp(
            field,
            (0.0, float(times[-1])),
            first,
            method="LSODA" if first.size <= MOST_STIFF else "DOP853",
            t_eval=times,
            rtol=max(rtol, 1e-13),
            atol=1e-3 * rtol * max(float(np.max(np.abs(first))), 1e-6),
        )
    states = np.asarray(solution.y, dtype=np.float64).T
    if not solution.success or len(states) != len(times) or not np.all(np.isfinite(states)):
        raise ConvergenceError(
            f"the flow must be integrated to time {times[-1]:g}, but the integrator stopped early ({solution.message}); "
            f"ask for an earlier last time or a larger rtol."
        )
    return states
