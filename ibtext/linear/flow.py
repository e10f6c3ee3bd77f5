r"""Mirror flow of a linear model.

For the loss :math:`L(w) = \frac12\|Aw - b\|^2` mirror flow with potential :math:`\varphi` obeys
:math:`\frac{d}{dt}\varphi'(w) = -A^T(Aw - b)`. The dual variable never leaves :math:`\varphi'(w_0) + \operatorname{row}(A)`,
so the whole path has as many unknowns as there are data points, and its limit is the Bregman projection of the start onto
the solutions of :math:`Aw = b` (module ``projection``). The path is integrated by ``ibtext.dual``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..dual import FiniteColumns, dual_flow
from ..errors import check_points, check_tolerance
from ..numerics.arrays import Array
from ..potentials import Potential
from .problem import check_potential, check_problem, dual_start

__all__ = ["LinearPath", "mirror_flow"]


@dataclass(frozen=True)
class LinearPath:
    """Mirror flow of a linear model at chosen times.

    Attributes
    ----------
    times : array (T,)
    weights : array (T, K)
    residuals : array (T, M)
        b - Aw.
    dual : array (T, M)
        phi'(w(t)) = phi'(w(0)) + A^T dual(t); ``duals`` is another name for it.
    """

    times: Array
    weights: Array
    residuals: Array
    duals: Array

    @property
    def dual(self) -> Array:
        """The multipliers at each time, by the name that other results have for them."""
        return self.duals

    @property
    def losses(self) -> Array:
        """Half the squared norm of the residuals, shape (T,)."""
        return np.asarray(0.5 * np.sum(self.residuals**2, axis=1))


def mirror_flow(
    A: ArrayLike,
    b: ArrayLike,
    times: ArrayLike,
    *,
    potential: Potential | None = None,
    start: ArrayLike | None = None,
    rtol: float = 1e-10,
) -> LinearPath:
    r"""Mirror flow of a linear model: :math:`\frac{d}{dt}\varphi'(w) = -A^T(Aw - b)`.

    Parameters
    ----------
    A, b, potential, start : as in ``bregman_projection``
    times : array (T,)
        Increasing flow times, none negative.
    rtol : float
        Local tolerance relative to the dual variable.

    Returns
    -------
    LinearPath

    Raises
    ------
    ConvergenceError
        If the integrator stops before the last time.

    Notes
    -----
    Exact reduction to the M equations :math:`\lambda' = b - Aw(\lambda)`, integrated by ``dual_flow``; a few hundred
    evaluations of O(M^2 K) whatever the last time.

    Examples
    --------
    >>> import numpy as np
    >>> path = mirror_flow([[1.0, 0.0]], [2.0], [0.0, 1.0, 40.0])
    >>> bool(np.allclose(path.weights[:, 0], 2 * (1 - np.exp([0.0, -1.0, -40.0])), atol=1e-9))
    True
    """
    A, b = check_problem(A, b)
    potential = check_potential(potential)
    rtol = check_tolerance("rtol", rtol)
    z = dual_start(potential, start, A.shape[1])
    columns = FiniteColumns(A, 1.0, potential, z)
    times = check_points("times", times)
    with np.errstate(all="ignore"):  # a trial step may leave the range of floats; the integrator then shortens it
        duals = dual_flow(columns, b, times, rtol=rtol)
    weights = np.array([columns.primal(dual) for dual in duals])
    return LinearPath(times, weights, b - weights @ A.T, duals)
