"""Mirror descent of a shallow network: explicit steps, each at the cost of two sweeps over the neurons."""

from collections.abc import Callable
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import ArrayLike

from ..errors import ConvergenceError, check_count, check_positive
from ..potentials import Potential, Scaled
from .flow import TrainingRun, to_numpy
from .network import ShallowNetwork
from .setting import TrainingSetting

__all__ = ["mirror_descent"]


def mirror_descent(
    net: ShallowNetwork,
    x: ArrayLike,
    y: ArrayLike,
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
    setting = TrainingSetting.checked(net, x, y, potential, layers, center)
    step_size, n_steps = check_positive("step_size", step_size), check_count("n_steps", n_steps)
    tangent, y, theta = net.tangent(setting.x, layers), setting.y, net.flat
    xp, z, residual = array_namespace(theta), setting.dual(theta), y - tangent.value(theta)
    kernel_start = tangent.kernel(theta, setting.inverse_hessian(theta)) / net.width
    limit = 1e3 * float(xp.max(xp.abs(xp.stack([residual, y]))))
    records = [residual]
    for k in range(1, n_steps + 1):
        z = z + step_size * setting.rate * tangent.pull(theta, residual)
        with np.errstate(over="ignore", invalid="ignore"):
            theta = setting.primal(z)
            residual = y - tangent.value(theta)
        records.append(residual)
        largest = float(xp.max(xp.abs(residual)))
        if not largest <= limit:
            stable = 2 / float(xp.max(xp.linalg.eigvalsh(kernel_start)))
            raise ConvergenceError(
                f"step_size must keep the iteration stable, at the start below 2/lambda_max = {stable:.3g} of the kernel, but "
                f"with step_size={step_size:g} the residual is {largest:.1e} after {k} steps; use a smaller one, or mirror_flow."
            )
        if callback is not None:
            callback(k, theta)
    return TrainingRun(
        network=net.with_flat(theta),
        times=step_size * np.arange(n_steps + 1),
        residuals=np.array([to_numpy(r) for r in records]),
        snapshots=(),
        steps=n_steps,
        rejected=0,
        passes=tangent.passes,
        kernel_start=to_numpy(kernel_start),
        kernel_end=to_numpy(tangent.kernel(theta, setting.inverse_hessian(theta)) / net.width),
    )
