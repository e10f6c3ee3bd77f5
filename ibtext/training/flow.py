r"""Training a shallow network by mirror flow, all parameters moving, to any residual.

Mirror flow is :math:`\frac{d}{dt}\nabla\Phi(\theta) = -\frac1n\nabla L(\theta)` with
:math:`L = \frac12\sum_i(f(x_i)-y_i)^2`; mirror descent (``ibtext.training.descent``) takes explicit steps of it. The
potential acts on the displacement from the start. Here the lengths of the steps are chosen;
``ibtext.training.implicit`` takes them, and ``ibtext.training.contacts`` treats breakpoints that meet data points.
"""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import is_torch_array
from numpy.typing import ArrayLike

from ..errors import ConvergenceError, check_count, check_points, check_positive, check_times
from ..potentials import Potential, Scaled
from .assembly import Assembly
from .implicit import ImplicitMethod
from .network import ShallowNetwork
from .setting import TrainingSetting

__all__ = ["TrainingRun", "mirror_flow", "to_numpy"]

STATIONARY = 1e6
"""A residual that has hardly moved while the flow time grew by this factor will not move again."""


def to_numpy(a: Any) -> np.ndarray:
    """A NumPy array or torch tensor, as a NumPy array."""
    return np.asarray(a.detach().cpu() if is_torch_array(a) else a)


@dataclass(frozen=True)
class TrainingRun:
    """A finished training run.

    Attributes
    ----------
    network : ShallowNetwork
        The trained network.
    times : array (T,)
        Flow time of every step, the start included.
    residuals : array (T, M)
        y - f(x) at those times.
    snapshots : tuple of ShallowNetwork
        The networks at the flow times that were asked for, and at these only.
    steps, rejected : int
        Accepted and rejected steps.
    passes : int
        Sweeps over all neurons.
    kernel_start, kernel_end : array (M, M)
        The mirror kernel H at both ends.
    error : float
        Sum of the estimates of the local errors of all steps, relative as ``rtol`` is: an upper estimate of the error along
        the path, some ten times too large, because the flow contracts. NaN for mirror descent, whose steps are exact.
    """

    network: ShallowNetwork
    times: np.ndarray
    residuals: np.ndarray
    snapshots: tuple[ShallowNetwork, ...]
    steps: int
    rejected: int
    passes: int
    kernel_start: np.ndarray
    kernel_end: np.ndarray
    error: float = float("nan")


def mirror_flow(
    net: ShallowNetwork,
    x: ArrayLike,
    y: ArrayLike,
    *,
    potential: Potential | Scaled | None = None,
    tol: float = 1e-8,
    layers: str = "all",
    times: ArrayLike | None = None,
    center: dict[str, Any] | None = None,
    rtol: float = 1e-3,
    max_steps: int = 20_000,
) -> TrainingRun:
    r"""Train a network by mirror flow until every residual is at most ``tol``.

    Integrates :math:`\frac{d}{dt}\nabla\Phi(\theta) = -\frac1n\nabla L(\theta)`,
    :math:`L = \frac12\sum_i(f(x_i)-y_i)^2`, for the full nonlinear network, to a local error of ``rtol``.

    Parameters
    ----------
    net : ShallowNetwork
        The start; NumPy or torch parameters; an activation with two slopes (for relu^k use ``mirror_descent``).
    x, y : arrays (M,)
        Distinct inputs and labels.
    potential : None, Potential or Scaled
        None is gradient flow, :math:`\varphi = x^2/2`; it acts on the displacement from the start.
    tol : float
        Largest residual :math:`\max_i|y_i - f(x_i)|` at the end, in the units of y.
    layers : "all" or "output"
        Which parameters move; "output" freezes all but the output weights.
    times : array, optional
        Flow times at which to keep the network; the last residual may be reached later. The flow has the rate 1/n
        in front of the gradient (``ibtext.linear.mirror_flow`` has not: its model has no width).
    center : dict, optional
        Parameters (by the names of ``net.parameters``) around which the potential is centred; the start by default.
    rtol : float
        Local error per step, relative to the labels for f and to the displacements (root mean square) for the
        parameters.
    max_steps : int

    Returns
    -------
    TrainingRun

    Raises
    ------
    ConvergenceError
        If ``tol`` is not reached in ``max_steps`` steps, or the flow comes to rest before; with the residual reached.
    ValueError, TypeError
        For bad data, an unknown ``layers``, or a potential with :math:`\varphi''` zero or infinite at the start.

    Notes
    -----
    Error along the path: about 2 ``rtol``, in f relative to the labels and in the parameters relative to their displacement
    (measured: 1.5e-3 and 1e-3 at the default); ``error`` of the result is an upper estimate. It falls in proportion to
    ``rtol`` while the steps grow like ``rtol`` to the power -1/3, since the method has order three. Parameters of neurons
    whose breakpoints meet data points may be off by ten times as much. About ten sweeps over the neurons a step, each
    O(n + M^3); tens of steps. Memory O(n), about 500 bytes a neuron.
    """
    setting = TrainingSetting.checked(net, x, y, potential, layers, center)
    tol, rtol, max_steps = check_positive("tol", tol), check_positive("rtol", rtol), check_count("max_steps", max_steps)
    if tol < 1e-200:
        raise ValueError(
            f"tol must be at least 1e-200, but {tol:g} was given; pass 1e-14 times the size of the labels for rounding error."
        )
    stops = [] if times is None else check_times(np.ravel(check_points("times", times))).tolist()
    activation = net.tangent(setting.x).activation
    if activation.degree > 1:
        raise ValueError(
            f"mirror_flow trains networks whose activation has two slopes, but {activation.name!r} was given; use "
            f"mirror_descent, or activation='relu'."
        )
    assembly, y = Assembly(setting), setting.y
    xp, point = assembly.xp, assembly.start()
    kernel_start, residual = point.kernel / net.width, y - point.value
    largest = float(xp.max(xp.abs(residual)))
    size = largest or 1.0
    method = ImplicitMethod(assembly, y, rtol, size)
    clock, history, records, snapshots = 0.0, [0.0], [residual], []
    if stops and stops[0] == 0:
        snapshots.append(net)
        stops.pop(0)
    steps, rejected, error = 0, 0, 0.0
    h, begun = 1e-2 / float(xp.max(xp.linalg.eigvalsh(kernel_start))), False
    before: tuple[float, float] | None = None  # length and error of the last step
    while largest > tol or stops:
        since = bisect_right(history, clock / STATIONARY) - 1
        still = since > 0 and float(xp.max(xp.abs(residual - records[since]))) < 1e-2 * rtol * size
        if steps + rejected >= max_steps or (still and largest > tol):
            raise ConvergenceError(
                f"the residual must fall to {tol:g}, but it is {largest:.2e} after {steps + rejected} steps (flow time "
                f"{clock:.3g}), {_cause(still, largest, float(xp.max(xp.abs(y))), to_numpy(setting.x))}."
            )
        if not begun:
            method.begin(point)
            begun = True
        landing = bool(stops) and clock + h >= stops[0] * (1 - 1e-12)
        length = stops[0] - clock if landing else h
        trial = method.attempt(length)
        ratio = max(trial.ratio, 1e-9)
        factor = 0.9 * ratio ** (-1 / 3)
        if ratio <= 1 and before is not None:
            # steps grow in proportion to time over many decades: expect the error to go on as it went (Gustafsson)
            factor = max(factor, factor * length / before[0] * (before[1] / ratio) ** (1 / 3))
        factor = min(8.0, max(0.1, factor))
        if trial.point is None or trial.ratio > 1:
            rejected += 1
            h, before = length * factor, None
            continue
        steps, begun, before, error = steps + 1, False, (length, ratio), error + ratio * rtol
        h = max(h, length * factor) if landing else length * factor
        clock = stops.pop(0) if landing else clock + length
        point = assembly.settle(trial.point, y, trial.crossed)
        residual = y - point.value
        largest = float(xp.max(xp.abs(residual)))
        history.append(clock)
        records.append(residual)
        if landing:
            snapshots.append(net.with_flat(assembly.flat(point)))
    return TrainingRun(
        network=net.with_flat(assembly.flat(point)),
        times=np.array(history),
        residuals=np.array([to_numpy(r) for r in records]),
        snapshots=tuple(snapshots),
        steps=steps,
        rejected=rejected,
        passes=assembly.sweeps,
        kernel_start=to_numpy(kernel_start),
        kernel_end=to_numpy(point.kernel / net.width),
        error=error,
    )


def _cause(still: bool, largest: float, size: float, x: np.ndarray) -> str:
    """Why a flow did not reach its residual, and the remedy."""
    if not still:
        return "and still moves; raise max_steps, or raise tol"
    if largest < 1e-12 * size:
        return f"which is rounding for labels of size {size:.2g}; raise tol"
    inputs = np.sort(x)
    gaps = np.diff(inputs)
    if gaps.size and (gap := gaps.min()) < 1e-6 * np.ptp(x):
        k = int(np.argmin(gaps))
        pair = f"x = {inputs[k]:.12g} and {inputs[k + 1]:.12g} differ by {gap:.1e}"
        return f"and hardly moves, because {pair}; average the closest points"
    return (
        "and no longer moves: this is a stationary point of the loss, and from this start the labels are out of reach at this "
        "width; widen the network, or draw another start"
    )
