r"""Maximum-margin directions in the norms 1, 2 and infinity, to rounding, with a certificate.

For data :math:`(x_i, y_i)`, :math:`y_i = \pm 1`, and :math:`z_i = y_i x_i` the margin problem and its dual are

.. math::

    \gamma = \max_{\|w\| \le 1} \min_i \langle z_i, w \rangle
           = \min_{\alpha \ge 0,\ \sum_i \alpha_i = 1} \Big\| \sum_i \alpha_i z_i \Big\|_*.

Norms 1 and infinity are linear programs (HiGHS); norm 2 is a least-distance problem (non-negative least squares). Each
answer is solved again on its active set and returned only if primal and dual values agree.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog, nnls

from ..errors import ConvergenceError, check_points
from ..numerics.arrays import Array, Indices

__all__ = ["DUAL_NORM", "MaxMargin", "check_labels", "check_norm", "max_margin"]


LARGEST_GAP = 1e-11
"""Largest relative gap between the primal and the dual value of a margin that is returned."""
DUAL_NORM = {1.0: np.inf, 2.0: 2.0, np.inf: 1.0}
_TIGHT = 1e-9  # relative slack below which a constraint counts as active


@dataclass(frozen=True)
class MaxMargin:
    """A maximum-margin direction.

    Attributes
    ----------
    direction : array (K,)
        A maximiser of norm one; if there are several, the one of least Euclidean norm.
    margin : float
        The margin, in the units of the data.
    support : array of int
        Data points that attain the margin.
    dual : array (M,)
        Weights of the data points, non-negative, of sum one; their combination of ``labels * A`` has dual norm ``margin``.
    unique : bool
        Whether the direction is the only maximiser. Steepest descent is sure to find the margin, but the direction only
        if it is unique.
    norm : float
        1, 2 or inf.
    """

    direction: Array
    margin: float
    support: Indices
    dual: Array
    unique: bool
    norm: float


def check_labels(A: ArrayLike, labels: ArrayLike) -> tuple[Array, Array]:
    """Features (M, K) and labels of +1 and -1, as float arrays, or a refusal."""
    A, labels = check_points("A", A), check_points("labels", labels)
    if A.ndim != 2 or labels.shape != A.shape[:1]:
        raise ValueError(
            f"A must have one row for each label, shapes (M, K) and (M,), but shapes {A.shape} and {labels.shape} were given; "
            f"if A is transposed or labels a column, pass A.T or labels.ravel()."
        )
    scale = float(np.max(np.abs(A)))
    if not (scale == 0 or 1e-150 < scale < 1e150):
        raise ValueError(
            f"the entries of A must lie within the range of double precision, 1e-150 to 1e150, but the largest is {scale:g}; "
            f"rescale A."
        )
    if not np.all(np.abs(labels) == 1):
        bad = labels[np.abs(labels) != 1][0]
        raise ValueError(f"labels must be +1 or -1, but {bad:g} was given; if classes are numbered 0 and 1, pass 2 * labels - 1.")
    return A, labels


def check_norm(norm: Any) -> float:
    """1, 2 or infinity as a float, or a refusal."""
    if isinstance(norm, (int, float, np.number)) and not isinstance(norm, bool) and norm in (1, 2, np.inf):
        return float(norm)
    raise ValueError(f"norm must be 1, 2 or np.inf, but {norm!r} was given; write norm=1, norm=2 or norm=np.inf.")


def max_margin(A: ArrayLike, labels: ArrayLike, *, norm: float = 2) -> MaxMargin:
    r"""The direction of norm one that separates the data by the largest margin.

    Solves :math:`\max_{\|w\| \le 1} \min_i y_i \langle x_i, w \rangle`.

    Parameters
    ----------
    A : array (M, K)
        Rows :math:`x_i`.
    labels : array (M,)
        +1 or -1.
    norm : 1, 2 or np.inf
        Norm of w: 1 is the limit of coordinate descent (boosting), 2 of gradient descent, infinity of sign descent.

    Returns
    -------
    MaxMargin

    Raises
    ------
    ValueError
        If no w through the origin separates the data.
    ConvergenceError
        If primal and dual values do not agree to 1e-11 relative after polishing.

    Notes
    -----
    Cost: one linear program, or one non-negative least squares problem, of size M times K; for norms 1 and infinity two
    more linear programs decide uniqueness.

    Source: Gunasekar, Lee, Soudry and Srebro (2018), Characterizing implicit bias in terms of optimization geometry;
    Lawson and Hanson (1974), chapter 23, for the least-distance problem.

    Examples
    --------
    >>> import numpy as np
    >>> best = max_margin([[3.0, 1.0], [-1.0, -3.0]], [1, -1], norm=2)
    >>> best.direction.round(12), round(best.margin, 12)
    (array([0.70710678, 0.70710678]), 2.828427124746)
    >>> max_margin([[3.0, 1.0], [3.0, -1.0]], [1, 1], norm=np.inf).unique
    True
    """
    A, labels = check_labels(A, labels)
    norm = check_norm(norm)
    scale = float(np.max(np.abs(A)))
    Z = labels[:, None] * A / (scale or 1.0)
    first, gamma, alpha = _linear_program(Z, 1.0 if norm == 1 else np.inf)
    if gamma <= 1e-10:
        raise ValueError(
            f"the data must be separable by a hyperplane through the origin, but the best margin is {max(gamma, 0) * scale:.1e}; "
            f"append a column of ones if the hyperplane need not pass through the origin, or remove the points that overlap."
        )
    if norm == 2:
        w, gamma, alpha = _euclidean(Z)
        unique = True
    else:
        w, gamma, alpha = _polish(Z, first, gamma, alpha, norm)
        w, unique = _least_norm(Z, w, gamma, alpha, norm)
    size = float(np.linalg.norm(w, norm))
    margins = Z @ w / size
    value = float(np.min(margins))
    bound = float(np.linalg.norm(alpha @ Z, DUAL_NORM[norm]))
    if not bound - value <= LARGEST_GAP * bound:
        raise ConvergenceError(
            f"the margin must be found to {LARGEST_GAP:g}, but it lies between {value * scale:.12g} and {bound * scale:.12g}, "
            f"probably because nearly parallel data points make the problem ill-conditioned; rescale the columns of A."
        )
    support = np.flatnonzero(margins <= value * (1 + _TIGHT))
    return MaxMargin(w / size, value * scale, support, alpha, unique, norm)


def _euclidean(Z: Array) -> tuple[Array, float, Array]:
    """Shortest w with Z w >= 1: w = sum of beta_i z_i over the support vectors."""
    active = _multipliers(Z, np.ones(len(Z))) > 0
    for _ in range(20):  # the least-squares solution on the right set of support vectors has every digit
        w = np.linalg.lstsq(Z[active], np.ones(active.sum()), rcond=1e-13)[0]
        beta = np.zeros(len(Z))
        beta[active] = np.linalg.lstsq(Z[active].T, w, rcond=1e-13)[0]
        drop, add = beta < -1e-10 * np.max(beta), Z @ w < 1 - 1e-10
        if not (drop.any() or add.any()):
            break
        active = (active & ~drop) | add
    beta = np.maximum(beta, 0.0)
    return np.asarray(w), 1 / float(np.linalg.norm(w)), beta / beta.sum()


def _linear_program(Z: Array, norm: float) -> tuple[Array, float, Array]:
    """Vertex solution (w, margin, dual weights) for norm 1 or infinity."""
    m, k = Z.shape
    if norm == 1:  # w = p - q, sum of p + q at most one
        cost = np.concatenate([np.zeros(2 * k), [-1.0]])
        upper = np.vstack([np.hstack([-Z, Z, np.ones((m, 1))]), np.concatenate([np.ones(2 * k), [0.0]])])
        right = np.concatenate([np.zeros(m), [1.0]])
        bounds: list[tuple[float | None, float | None]] = [(0, None)] * (2 * k) + [(None, None)]
    else:
        cost = np.concatenate([np.zeros(k), [-1.0]])
        upper = np.hstack([-Z, np.ones((m, 1))])
        right = np.zeros(m)
        bounds = [(-1.0, 1.0)] * k + [(None, None)]
    result = linprog(cost, A_ub=upper, b_ub=right, bounds=bounds, method="highs-ds")
    if result.status != 0:
        raise ConvergenceError(
            f"the margin problem must be solved, but the linear program stopped with '{result.message}', probably because the "
            f"entries of A differ by many orders of magnitude; rescale its columns."
        )
    x = result.x
    w = x[:k] - x[k : 2 * k] if norm == 1 else x[:k]
    alpha = np.maximum(-result.ineqlin.marginals[:m], 0.0)
    return w, float(x[-1]), alpha / max(float(alpha.sum()), np.finfo(float).tiny)


def _polish(Z: Array, w: Array, gamma: float, alpha: Array, norm: float) -> tuple[Array, float, Array]:
    """Solve primal and dual again on the active set of the vertex: the equations that are tight, and no others."""
    m, k = Z.shape
    margins = Z @ w
    active = margins <= gamma + _TIGHT
    used = (alpha > _TIGHT) & active
    combination = alpha @ Z
    if norm == 1:
        free = np.abs(w) > _TIGHT  # coordinates of the vertex that are not zero
        sign = np.sign(w[free])
        last = np.concatenate([sign, [0.0]])
        primal = np.vstack([np.column_stack([Z[active][:, free], -np.ones(active.sum())]), last])
        right = np.concatenate([np.zeros(active.sum()), [1.0]])
        dual = np.vstack([np.column_stack([sign[:, None] * Z[used][:, free].T, -np.ones(free.sum())]), np.ones(used.sum() + 1)])
        dual[-1, -1] = 0.0
        dual_right = np.concatenate([np.zeros(free.sum()), [1.0]])
        fixed = np.zeros(k)
    else:
        free = np.abs(w) < 1 - _TIGHT
        fixed = np.where(free, 0.0, np.sign(w))
        primal = np.column_stack([Z[active][:, free], -np.ones(active.sum())])
        right = -Z[active] @ fixed
        sign = np.sign(combination[~free])
        # coordinates inside the box have no combination; the value is the l1 norm of the rest
        dual = np.vstack([np.column_stack([Z[used][:, free].T, np.zeros(free.sum())]), np.ones(used.sum() + 1)])
        dual[-1, -1] = 0.0
        dual = np.vstack([dual, np.concatenate([Z[used][:, ~free] @ sign, [-1.0]])])
        dual_right = np.concatenate([np.zeros(free.sum()), [1.0, 0.0]])
    guess = np.concatenate([w[free], [gamma]])
    guess = guess + np.linalg.lstsq(primal, right - primal @ guess, rcond=1e-12)[0]
    new = fixed.copy()
    new[free] = guess[:-1]
    dual_guess = np.concatenate([alpha[used], [gamma]])
    dual_guess = dual_guess + np.linalg.lstsq(dual, dual_right - dual @ dual_guess, rcond=1e-12)[0]
    weights = np.zeros(m)
    weights[used] = np.maximum(dual_guess[:-1], 0.0)
    return new, float(guess[-1]), weights / weights.sum()


def _least_norm(Z: Array, w: Array, gamma: float, alpha: Array, norm: float) -> tuple[Array, bool]:
    """The maximiser of least Euclidean norm, and whether it is the only one.

    By complementary slackness with one optimal dual point, the maximisers are the w that keep the constraints with positive
    dual tight and all others valid: a polytope around the vertex, cut out of an affine space.
    """
    combination = alpha @ Z
    if norm == 1:
        free = np.abs(combination) >= gamma * (1 - _TIGHT)
        sign = np.sign(combination[free])
        equal = np.vstack([Z[alpha > _TIGHT][:, free], sign])
        cone, ends = np.diag(sign), np.zeros(free.sum())
    else:
        free = np.abs(combination) <= _TIGHT * gamma
        equal = Z[alpha > _TIGHT][:, free]
        cone, ends = np.vstack([np.eye(free.sum()), -np.eye(free.sum())]), -np.ones(2 * free.sum())
    fixed, moving = np.where(free, 0.0, w), w[free]  # the coordinates that cannot move are those of the vertex
    inequality = np.vstack([Z[:, free], cone])
    bound = np.concatenate([gamma - Z @ fixed, ends])
    _, values, right = np.linalg.svd(equal)
    space = right[np.sum(values > 1e-10 * np.max(values, initial=0.0)) :]
    if not len(space):
        return w, True
    directions = inequality @ space.T
    near = inequality @ moving - bound <= _TIGHT
    # is there a direction in the cone of the constraints that are tight at w?
    probe = np.random.default_rng(0).standard_normal(len(space))
    moves = [
        -linprog(
            s * probe,
            A_ub=-directions[near] if near.any() else None,
            b_ub=np.zeros(near.sum()) if near.any() else None,
            bounds=(-1, 1),
            method="highs",
        ).fun
        for s in (1.0, -1.0)
    ]
    if max(moves) < 1e-6:
        return w, True
    inside = space @ moving
    shortest = _least_distance(directions, bound - inequality @ (moving - inside @ space))
    best = fixed.copy()
    best[free] = moving + (shortest - inside) @ space
    return best, False


def _least_distance(G: Array, h: Array) -> Array:
    """The shortest v with G v >= h, by non-negative least squares; polished on its active set."""
    size = np.maximum(np.max(np.abs(G), axis=1), np.abs(h))
    keep = size > 1e-12
    G, h = G[keep] / size[keep, None], h[keep] / size[keep]
    if np.all(h <= 0):
        return np.zeros(G.shape[1])
    active = _multipliers(G, h) > 0
    v = np.linalg.lstsq(G[active], h[active], rcond=1e-13)[0]
    if np.min(G @ v - h) < -1e-8:
        raise ConvergenceError(
            f"the shortest maximiser must satisfy every constraint, but one is violated by {-np.min(G @ v - h):.1e}, "
            f"probably because of nearly parallel data points; remove one of them."
        )
    return np.asarray(v)


def _multipliers(G: Array, h: Array) -> Array:
    """Multipliers, up to a factor, of the least-distance problem: the shortest v with G v >= h (Lawson and Hanson)."""
    goal = np.zeros(G.shape[1] + 1)
    goal[-1] = 1.0
    return np.asarray(nnls(np.vstack([G.T, h]), goal, maxiter=30 * len(h))[0])
