r"""Diagonal linear networks: gradient flow in their factors is mirror flow in their weights.

Weights :math:`w = u^D` (one sign) or :math:`w = u^D - v^D` (both), every factor started at :math:`\alpha`, and gradient flow in
(u, v) for :math:`\frac12\|Aw-b\|^2`. With :math:`\zeta' = -A^T(Aw-b)`, :math:`\zeta(0)=0`, the factors are

.. math::

    u = \alpha e^{2\zeta} \quad (D = 2), \qquad
    u = \alpha (1 - s)^{-1/(D-2)}, \quad s = D(D-2)\alpha^{D-2}\zeta \quad (D > 2),

and v has :math:`-\zeta`. So w is a function of :math:`\zeta` alone, which is the inverse gradient of a potential
(``diagonal_potential``): mirror flow in w, in the same time. The limit is therefore a Bregman projection, and the path has
one unknown for each data point.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import check_count, check_points, check_positive
from ..linear import LinearPath, Projection, bregman_projection, mirror_flow
from ..linear.descent import descend, half_square
from ..linear.problem import check_problem
from ..numerics.arrays import Array
from .diagonal_potential import DiagonalPotential

__all__ = ["DiagonalDescent", "DiagonalPath", "descent", "equivalent_potential", "flow", "limit"]


@dataclass(frozen=True)
class DiagonalPath(LinearPath):
    """Gradient flow of a diagonal network: a ``LinearPath`` with the factors.

    Attributes
    ----------
    positive : array (T, K)
        The factor u.
    negative : array (T, K) or None
        The factor v; None for one sign.
    """

    positive: Array
    negative: Array | None


@dataclass(frozen=True)
class DiagonalDescent:
    """Gradient descent in the factors of a diagonal network.

    Attributes
    ----------
    weights : array (K,)
    positive, negative : array (K,), array (K,) or None
        The factors u and v.
    losses : array (n_steps + 1,)
    """

    weights: Array
    positive: Array
    negative: Array | None
    losses: Array


def equivalent_potential(*, depth: int = 2, scale: ArrayLike = 1.0, sign: str = "difference") -> DiagonalPotential:
    r"""The potential whose mirror flow in w is gradient flow in the factors, in the same time.

    Parameters
    ----------
    depth : int
        D >= 2.
    scale : float or array (K,)
        Start :math:`\alpha` of every factor.
    sign : "difference" or "positive"
        :math:`w = u^D - v^D` or :math:`w = u^D`.

    Returns
    -------
    DiagonalPotential
        For depth 2 a quarter of the hypentropy with :math:`\beta = 2\alpha^2`, or of the entropy.

    Examples
    --------
    >>> from ibtext.potentials import HypentropyPotential
    >>> phi = equivalent_potential(depth=2, scale=0.1)
    >>> bool(abs(4 * phi.gradient(0.3) - HypentropyPotential(beta=0.02).gradient(0.3)) < 1e-15)
    True
    """
    return DiagonalPotential(depth, scale, sign)


def limit(
    A: ArrayLike, b: ArrayLike, *, depth: int = 2, scale: ArrayLike = 1.0, sign: str = "difference", tol: float = 1e-13
) -> Projection:
    r"""Where gradient flow in the factors takes a diagonal linear network, exactly.

    Solves :math:`\min_w \sum_k D_\varphi(w_k, w_{0,k})` subject to :math:`Aw = b` with the equivalent potential and
    :math:`w_0 = 0`, or :math:`w_0 = \alpha^D` for one sign: close to the least Euclidean norm for large :math:`\alpha` and to
    the least l1 norm for small :math:`\alpha`.

    Parameters
    ----------
    A : array (M, K)
    b : array (M,)
    depth, scale, sign : as in ``equivalent_potential``
    tol : float
        As in ``linear.bregman_projection``.

    Returns
    -------
    Projection

    Raises
    ------
    ValueError
        If no weights fit, or none of the sign that the network can represent.
    ConvergenceError
        If the projection cannot be certified; for depths above 2 a very small scale uses up the digits of the dual variable.

    Source: Woodworth et al. (2020).

    Examples
    --------
    >>> rich = limit([[1.0, 2.0]], [2.0], scale=1e-6)
    >>> [round(float(v), 4) for v in rich.weights]
    [0.0, 1.0]
    """
    potential = _potential(A, depth, scale, sign)
    return bregman_projection(A, b, potential=potential, tol=tol)


def flow(
    A: ArrayLike,
    b: ArrayLike,
    times: ArrayLike,
    *,
    depth: int = 2,
    scale: ArrayLike = 1.0,
    sign: str = "difference",
    rtol: float = 1e-10,
) -> DiagonalPath:
    r"""Gradient flow in the factors of a diagonal network for :math:`\frac12\|Aw-b\|^2`, at chosen times.

    Parameters
    ----------
    A, b, depth, scale, sign : as in ``limit``
    times : array (T,)
        Increasing flow times, none negative.
    rtol : float
        Local tolerance of the integrator.

    Returns
    -------
    DiagonalPath

    Raises
    ------
    ValueError
        If the flow cannot reach zero loss: no weights of the right sign fit.

    Notes
    -----
    Integrates the M equations of the equivalent mirror flow, not the factors, so small scales and long times are cheap; the
    factors follow in closed form.

    Examples
    --------
    >>> path = flow([[1.0]], [1.0], [0.0, 50.0], scale=0.1)
    >>> bool(abs(path.weights[-1, 0] - 1) < 1e-9 and abs(path.positive[-1, 0] * path.negative[-1, 0] - 0.01) < 1e-12)
    True
    """
    potential = _potential(A, depth, scale, sign)
    if sign == "positive":
        limit(A, b, depth=depth, scale=scale, sign=sign)  # refuses labels out of reach
    path = mirror_flow(A, b, times, potential=potential, rtol=rtol)
    s = path.duals @ check_points("A", A)
    negative = _factor(potential, -s) if sign == "difference" else None
    return DiagonalPath(path.times, path.weights, path.residuals, path.duals, _factor(potential, s), negative)


def descent(
    A: ArrayLike,
    b: ArrayLike,
    *,
    depth: int = 2,
    scale: ArrayLike = 1.0,
    sign: str = "difference",
    step_size: float,
    n_steps: int,
) -> DiagonalDescent:
    r"""Gradient descent in the factors of a diagonal network for :math:`\frac12\|Aw-b\|^2`.

    Parameters
    ----------
    A, b, depth, scale, sign : as in ``limit``
    step_size : float
        In units of flow time. Its limit differs from that of the flow by O(step_size).
    n_steps : int

    Returns
    -------
    DiagonalDescent

    Raises
    ------
    ConvergenceError
        If the loss overflows or grows a millionfold.

    Examples
    --------
    >>> run = descent([[1.0, 2.0]], [2.0], scale=0.3, step_size=0.01, n_steps=3000)
    >>> bool(run.losses[-1] < 1e-20)
    True
    """
    potential = _potential(A, depth, scale, sign)
    A, b = check_problem(A, b)
    step_size, n_steps = check_positive("step_size", step_size), check_count("n_steps", n_steps)
    d = potential.depth
    u = np.broadcast_to(np.asarray(potential.scale), (A.shape[1],)).astype(np.float64)
    v = u.copy() if sign == "difference" else np.zeros_like(u)

    def at(u: Array, v: Array) -> tuple[Array, Array, Array]:
        return u, v, b - A @ (u**d - v**d)

    def step(u: Array, v: Array, residual: Array) -> tuple[Array, Array, Array]:
        pull = step_size * d * (residual @ A)
        return at(u + pull * u ** (d - 1), v - pull * v ** (d - 1))

    with np.errstate(all="ignore"):
        first = at(u, v)

    def remedy() -> str:
        return "use flow or a smaller step_size: the bound is 2 over the sharpness of the loss"

    losses = []
    for point in descend(first, step, n_steps, labels=b, step_size=step_size, remedy=remedy):
        losses.append(half_square(point[-1]))
    u, v, _ = point
    return DiagonalDescent(u**d - v**d, u, v if sign == "difference" else None, np.array(losses))


def _potential(A: ArrayLike, depth: int, scale: ArrayLike, sign: str) -> DiagonalPotential:
    potential = DiagonalPotential(depth, scale, sign)
    A = check_points("A", A)
    if A.ndim == 2 and np.ndim(potential.scale) == 1 and np.shape(potential.scale) != (A.shape[1],):
        raise ValueError(
            f"scale must be one number or one for each of the {A.shape[1]} columns of A, but shape {np.shape(potential.scale)} "
            f"was given; pass shape ({A.shape[1]},)."
        )
    return potential


def _factor(potential: DiagonalPotential, dual: Array) -> Array:
    """The factor u at the dual variable zeta."""
    d, alpha = potential.depth, np.asarray(potential.scale)
    if d == 2:
        return np.asarray(alpha * np.exp(2 * dual))
    return np.asarray(alpha * (1 - d * (d - 2) * alpha ** (d - 2) * dual) ** (-1 / (d - 2)))
