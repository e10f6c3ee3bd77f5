r"""Limit tangent kernels :math:`K(s, t) = E[\sigma(Ws - B)\,\sigma(Wt - B)]`, without tails.

With :math:`\sigma(u) = p\,u_+^k + q\,(-u)_+^k`, :math:`N_k = E[((Ws - B)(Wt - B))^k]` and

.. math:: I_k(s, t) = \int_{s \wedge t}^{s \vee t} \big((c - s \wedge t)(s \vee t - c)\big)^k \zeta_k(c)\,dc,
   \qquad \zeta_k(c) = \int |w|^{2k+1} p_W(w)\, p_B(wc)\,dw,

the kernel is :math:`K = \tfrac12 (p^2 + q^2)\big(N_k - (-1)^k I_k\big) + p\,q\,I_k`: the two factors have different signs for
breakpoints between s and t only. Moments take the place of tails, and the integral runs between the points.
"""

from math import comb

import numpy as np
from numpy.typing import ArrayLike

from ..activations import AnyActivation
from ..errors import check_points
from ..laws import Initialization
from ..numerics.arrays import Array
from .setting import check_setting, make_rule

__all__ = ["limit_kernel"]


def limit_kernel(
    s: ArrayLike, t: ArrayLike, *, activation: str | AnyActivation = "relu", initialization: Initialization
) -> Array:
    r"""The limit tangent kernel :math:`K(s, t) = E[\sigma(Ws - B)\,\sigma(Wt - B)]`, shape (len(s), len(t)).

    Parameters
    ----------
    s, t : arrays
        Points; within the support of the bias for sign weights.
    activation : "relu", "abs", "leaky_relu", "relu^2", ..., Activation or ReLUPower
    initialization : Initialization
        A symmetric law of (w, b).

    Returns
    -------
    array (len(s), len(t))

    Raises
    ------
    ValueError, TypeError
        For points outside the support, laws that are not symmetric or lack the moments, an unknown activation.

    Notes
    -----
    Exact to rounding. A cubic for uniform laws; quadrature of the closed zeta for Gaussian and Laplace laws; numerical
    zeta otherwise. Cost O(T^2 N) for T points and N quadrature nodes between them. Sources: Jin and Montúfar (2023);
    closed forms in the chapters on ReLU networks.

    Examples
    --------
    >>> from scipy import stats
    >>> init = Initialization(weight="signs", bias=stats.uniform(-1, 2))
    >>> float(round(limit_kernel(0.0, 0.0, activation="abs", initialization=init)[0, 0], 12))  # E B^2
    0.333333333333
    """
    s = np.atleast_1d(check_points("s", s)).ravel()
    t = np.atleast_1d(check_points("t", t)).ravel()
    s, t = (np.where(np.abs(v) < 1e-100, 0.0, v) for v in (s, t))  # gaps between points must have a reciprocal
    points, inverse = np.unique(np.concatenate([s, t]), return_inverse=True)
    act = check_setting(points, activation, initialization)
    kernel = _kernel(points, act, initialization)
    return kernel[np.ix_(inverse[: s.size], inverse[s.size :])]


def _kernel(x: Array, act: AnyActivation, initialization: Initialization) -> Array:
    k, (front, back) = act.degree, act.sides
    moments = initialization.second_moments if k == 1 else initialization.moments(2 * k)
    product = np.zeros((x.size, x.size))  # E ((Ws - B)(Wt - B))^k
    for i in range(k + 1):
        for j in range(k + 1):
            term = comb(k, i) * comb(k, j) * (-1) ** (i + j) * moments[i + j]
            product += term * x[:, None] ** (k - i) * x ** (k - j)
    between = _between(x, k, initialization)
    share = (front**2 + back**2) / 2
    return np.asarray(share * product + (front * back - (-1) ** k * share) * between, dtype=np.float64)


def _between(x: Array, k: int, initialization: Initialization) -> Array:
    """I_k at all pairs of sorted points: sums of positive terms."""
    if x.size == 1:
        return np.zeros((1, 1))
    rule = make_rule(x, initialization, k)
    pieces, local, mass = rule.moments()
    inner = (pieces.element > 0) & (pieces.element < x.size)
    c, mass = rule.elements.points(pieces.element[inner], local[inner]).ravel(), mass[inner].ravel()
    right = np.clip(c - x[:, None], 0.0, None) ** k
    left = np.clip(x[:, None] - c, 0.0, None) ** k
    upper = np.triu((right * mass) @ left.T, 1)
    return np.asarray(upper + upper.T, dtype=np.float64)
