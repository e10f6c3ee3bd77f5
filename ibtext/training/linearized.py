r"""The linearised network, and where training takes it.

Around its start a network is :math:`f_0(x) + J(x)(\theta - \theta_0)`, linear in its 3n + 1 parameters, so the limit
of training is a Bregman projection with M unknowns.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from ..dual import LARGEST_LOSS, FiniteColumns, refine
from ..errors import ConvergenceError, check_choice, check_data, check_tolerance
from ..linear.projection import project
from ..potentials import Potential, Scaled
from .network import ShallowNetwork
from .setting import LAYERS, check_displaceable, check_network, coordinate_potential

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

    Raises
    ------
    ConvergenceError
        If the network is too narrow to fit the data, or rounding leaves fewer than nine digits of the labels.
    ValueError, TypeError
        As ``mirror_flow``.

    Notes
    -----
    Cost O(n M^2) a Newton step, memory O(n M). The residual is near 1e-15 of the labels, also where the multiplier is huge
    (cosh on a relu network with labels that alternate: 1e12): the last steps are taken in the parameters, not in it.
    """
    x, y = check_data(x, y)
    check_choice("layers", layers, LAYERS)
    tol = check_tolerance("tol", tol)
    check_network(net)
    features = net.jacobian(x)
    n = net.width
    phi, unit = coordinate_potential(potential, n)
    check_displaceable(phi, 0.0, 0.0)
    if layers == "output":
        features[:, : 2 * n] = 0.0
        features[:, 3 * n] = 0.0
    # In orthonormal features the profile A^T lambda does not cancel, and H is far better conditioned: with A^T = Q R the
    # equations are combined by R^{-T}. A scaled potential acts on n times the displacement.
    q, r = np.linalg.qr(features.T)
    q[~np.any(features, axis=0)] = 0.0  # parameters without effect stay where they are, to the last digit
    size = np.abs(np.diag(r))
    if features.shape[1] < x.size or size.min() < 1e-12 * size.max():
        raise ConvergenceError(
            f"the tangent features of the {x.size} points must be independent, but their triangular factor has a diagonal "
            f"from {size.min():.1e} to {size.max():.1e}, probably because the network is narrower than the data; widen it."
        )
    target = y - net(x)

    def combined(theta: np.ndarray) -> np.ndarray:
        return np.asarray(solve_triangular(r, target - features @ (unit * theta), trans="T") / unit)

    start = np.zeros(features.shape[1])
    theta, _ = project(q.T, combined(start), phi, start, tol)
    theta, _ = refine(FiniteColumns(q.T, 1.0, phi), theta, combined)  # combined equations round like the largest of them
    displacement = unit * theta
    missing = target - features @ displacement
    residual, scale = float(np.max(np.abs(missing))), float(np.max(np.abs(target)))
    if residual > max(tol, LARGEST_LOSS) * scale:
        raise ConvergenceError(
            f"the labels must be met to {max(tol, LARGEST_LOSS) * scale:.1e}, but rounding stops at {residual:.1e}; "
            f"drop or average the closest inputs, or raise tol."
        )
    dual = n * unit * solve_triangular(r, q.T @ np.asarray(phi.gradient(theta)))
    return LinearizedLimit(net, displacement, dual, residual, layers)
