r"""Training paths of the multiplier: :math:`\lambda' = \text{rate}\,(y - F(\lambda))`, integrated or in closed form."""

import warnings

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import LinAlgError, LinAlgWarning

from ..errors import ConvergenceError, check_points, check_positive, check_times, check_tolerance
from ..numerics.arrays import Array
from .columns import Columns, check_equation, largest

__all__ = ["dual_flow", "linear_flow"]


LONGEST_FLOW = 20_000
"""Evaluations of F after which a flow counts as stuck; a well-posed one needs a few hundred."""


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
    (columns, y, first), times = check_equation(columns, y, start), check_times(times)
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
            loss = max(largest(y), largest(y - value))
            # of a multiplier that moves F, or of the largest there can be: from a tiny start F moves later, and much faster
            scale = min(loss / (np.max(kernel.diagonal()) or 1.0), rate * times[-1] * loss)
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
    times = check_times(times)
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
