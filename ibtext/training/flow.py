r"""Training a shallow network by mirror flow, all parameters moving, to any residual.

Mirror flow is :math:`\frac{d}{dt}\nabla\Phi(\theta) = -\frac1n\nabla L(\theta)` with
:math:`L = \frac12\sum_i(f(x_i)-y_i)^2`; mirror descent takes explicit steps of it. The potential acts on the
displacement from the start. ``ibtext.training.implicit`` holds the method for stiff flows, ``ibtext.training.contacts`` the
treatment of breakpoints that meet data points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ConvergenceError, check_count, check_data, check_points, check_positive, check_times
from ..potentials import Potential, Scaled
from .implicit import ImplicitStep, MirrorProblem
from .network import ShallowNetwork

__all__ = ["TrainingRun", "mirror_descent", "mirror_flow"]

STATIONARY = 300
"""A residual that has not moved for so many steps, whose lengths grow as they can, will not move again."""


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


def mirror_flow(
    net: ShallowNetwork,
    x: Any,
    y: Any,
    *,
    potential: Potential | Scaled | None = None,
    tol: float = 1e-8,
    layers: str = "all",
    times: Any = None,
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
    Order three in time. About ten sweeps over the neurons a step, each O(n + M^3); tens of steps. Memory O(n),
    about 500 bytes a neuron.
    """
    x, y = check_data(x, y)
    tol = check_positive("tol", tol)
    if tol < 1e-200:
        raise ValueError(
            f"tol must be at least 1e-200, but {tol:g} was given, probably to ask for rounding error; pass tol=1e-14 times the "
            f"size of the labels."
        )
    rtol = check_positive("rtol", rtol)
    max_steps = check_count("max_steps", max_steps)
    problem = MirrorProblem(net, x, potential, layers, center)
    stops = [] if times is None else list(check_times(np.ravel(check_points("times", times))))
    xp, y = problem.xp, net.inputs(y)
    assembly = problem.assembly()
    point = assembly.start()
    kernel_start = point.kernel / net.width
    residual = y - point.value
    size = float(xp.max(xp.abs(residual))) or 1.0
    clock, history, records, snapshots = 0.0, [0.0], [residual], []
    steps = rejected = 0
    h = 1e-2 / float(xp.max(xp.linalg.eigvalsh(kernel_start)))
    while stops and stops[0] <= 0.0:
        snapshots.append(net)
        stops.pop(0)
    step: ImplicitStep | None = None
    before: tuple[float, float] | None = None  # length and error of the last step
    while float(xp.max(xp.abs(residual))) > tol or stops:
        stuck = steps > STATIONARY and float(xp.max(xp.abs(residual - records[-STATIONARY]))) < 1e-10 * size
        stuck = stuck and float(xp.max(xp.abs(residual))) > tol
        if steps + rejected >= max_steps or stuck:
            raise ConvergenceError(
                f"the residual must fall to {tol:g}, but it is {float(xp.max(xp.abs(residual))):.2e} after "
                f"{steps + rejected} steps (flow time {clock:.3g}), probably because labels are out of reach at this width "
                f"or tol is below rounding; widen the network, raise tol or raise max_steps."
            )
        step = step or ImplicitStep(assembly, point, y)
        landing = bool(stops) and clock + h >= stops[0] * (1 - 1e-12)
        length = stops[0] - clock if landing else h
        trial = step.attempt(length, rtol, size)
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
        steps, step, before = steps + 1, None, (length, ratio)
        clock = stops[0] if landing else clock + length
        assembly.release(point)
        point = assembly.settle(trial.point, y, trial.crossed)
        residual = y - point.value
        history.append(clock)
        records.append(residual)
        if landing:
            stops.pop(0)
            snapshots.append(net.with_flat(assembly.flat(point)))
        h = max(h, length * factor) if landing else length * factor
    return TrainingRun(
        net.with_flat(assembly.flat(point)),
        np.array(history),
        np.array([_to_numpy(r) for r in records]),
        tuple(snapshots),
        steps,
        rejected,
        assembly.sweeps,
        _to_numpy(kernel_start),
        _to_numpy(point.kernel / net.width),
    )


def _to_numpy(a: Any) -> np.ndarray:
    out: np.ndarray = np.asarray(a.detach().cpu() if hasattr(a, "detach") else a)
    return out


def mirror_descent(
    net: ShallowNetwork,
    x: Any,
    y: Any,
    *,
    potential: Potential | Scaled | None = None,
    step_size: float,
    n_steps: int,
    layers: str = "all",
    center: dict[str, Any] | None = None,
    callback: Callable[[int, Any], None] | None = None,
) -> TrainingRun:
    r"""Full-batch mirror descent: :math:`\nabla\Phi(\theta_{k+1}) = \nabla\Phi(\theta_k) - \frac{\eta}{n}\nabla L`.

    Parameters
    ----------
    net, x, y, potential, layers, center : as in ``mirror_flow``
    step_size : float
        :math:`\eta`, in units of flow time: n_steps steps cover the flow time ``step_size * n_steps``.
    n_steps : int
    callback : function(step, theta), optional

    Returns
    -------
    TrainingRun
        With one record per step; ``kernel_start`` and ``kernel_end`` as in the flow.

    Raises
    ------
    ConvergenceError
        If the residual grows beyond a thousand times its start: the step size is above
        :math:`2/\lambda_{\max}(H)`.

    Notes
    -----
    Two sweeps over the neurons a step.
    """
    x, y = check_data(x, y)
    step_size = check_positive("step_size", step_size)
    n_steps = check_count("n_steps", n_steps)
    problem = MirrorProblem(net, x, potential, layers, center)
    xp, tangent, n = problem.xp, problem.tangent, problem.n
    y = net.inputs(y)
    z, theta = problem.start, net.flat
    residual = y - tangent.value(theta)
    kernel_start = tangent.kernel(theta, problem.metric(theta)) / n
    limit = 1e3 * max(float(xp.max(xp.abs(residual))), float(xp.max(xp.abs(y))))
    records = [residual]
    for k in range(n_steps):
        z = z + step_size / n * tangent.pull(theta, residual)
        with np.errstate(over="ignore", invalid="ignore"):
            theta = problem.theta(z)
            residual = y - tangent.value(theta)
        records.append(residual)
        largest = float(xp.max(xp.abs(residual)))
        if not largest <= limit:
            top = float(xp.max(xp.linalg.eigvalsh(kernel_start)))
            raise ConvergenceError(
                f"the step size must keep the iteration stable, but with step_size={step_size:g} the residual is "
                f"{largest:.1e} after {k + 1} steps, probably because it exceeds 2/lambda_max = {2 / top:.3g} of the "
                f"kernel; use a smaller step_size or mirror_flow."
            )
        if callback is not None:
            callback(k + 1, theta)
    return TrainingRun(
        net.with_flat(theta),
        step_size * np.arange(n_steps + 1),
        np.array([_to_numpy(r) for r in records]),
        (),
        n_steps,
        0,
        tangent.passes,
        _to_numpy(kernel_start),
        _to_numpy(tangent.kernel(theta, problem.metric(theta)) / n),
    )
