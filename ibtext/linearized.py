r"""The linearised network, and where training takes it.

Around its start a network is :math:`f_0(x) + J(x)(\theta - \theta_0)`, linear in its 3n + 1 parameters, so the limit
of training is a Bregman projection with M unknowns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .dual import FiniteColumns, solve_dual
from .errors import check_choice, check_data, check_tolerance
from .integrator import LAYERS, check_network, potential_at
from .networks import ShallowNetwork
from .potentials import Potential, Scaled

__all__ = ["LinearizedLimit", "training_limit"]


@dataclass(frozen=True)
class LinearizedLimit:
    """The limit of training the linearised network; call it on points.

    Attributes
    ----------
    network : ShallowNetwork
        The start, around which the model is linear.
    displacement : array (3n + 1,)
        Parameters minus start, in the order weight, bias, output, output bias.
    dual : array (M,)
        The multiplier.
    residual : float
        Largest |f(x_i) - y_i| left by the solver, in the units of y.
    layers : "all" or "output"
        Which parameters were free.
    """

    network: ShallowNetwork
    displacement: np.ndarray
    dual: np.ndarray
    residual: float
    layers: str

    def __call__(self, t: Any) -> np.ndarray:
        """f at the start plus J(t) displacement, of the shape of ``t``."""
        tangent = self.network.tangent(t, self.layers)
        shape = np.shape(t)
        theta = self.network.flat
        return np.reshape(tangent.value(theta) + tangent.push(theta, self.displacement), shape)


def training_limit(
    net: ShallowNetwork,
    x: Any,
    y: Any,
    *,
    potential: Potential | Scaled | None = None,
    layers: str = "all",
    tol: float = 1e-13,
) -> LinearizedLimit:
    r"""Where mirror flow (or descent, at any stable step size) takes the *linearised* network, exactly.

    Solves: minimise :math:`\Phi(\theta)` centred at the start subject to
    :math:`f_0(x_i) + J_i(\theta - \theta_0) = y_i`, through the dual equation with M unknowns.

    Parameters
    ----------
    net, x, y, potential, layers : as in ``mirror_flow``; NumPy parameters
    tol : float
        Residual relative to max |y - f_0(x)|.

    Returns
    -------
    LinearizedLimit

    Notes
    -----
    Cost O(n M^2) a Newton step, memory O(n M).
    """
    x, y = check_data(x, y)
    check_choice("layers", layers, LAYERS)
    tol = check_tolerance("tol", tol)
    check_network(net)
    features = net.jacobian(x)
    n = net.width
    if layers == "output":
        features[:, : 2 * n] = 0.0
        features[:, 3 * n] = 0.0
    if isinstance(potential, Scaled):
        columns = FiniteColumns(features, 1 / n, potential.phi)
        unit = 1 / n
    else:
        columns = FiniteColumns(features / n, float(n), potential_at(potential, n))
        unit = 1.0
    solution = solve_dual(columns, y - net(x), tol=tol)
    return LinearizedLimit(net, unit * columns.primal(solution.multiplier), solution.multiplier, solution.residual, layers)
