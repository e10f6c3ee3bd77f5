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
from scipy.sparse import block_array, csr_array, eye_array

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
        If primal and dual values do not agree after polishing, to 1e-11 relative or to the rounding of the terms that
        cancel in them, where columns of A differ by many orders of magnitude.

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
    if not gamma > 0:
        raise ValueError(
            "the data must be separable by a hyperplane through the origin, but no w makes every y <x, w> positive; append a "
            "column of ones if the hyperplane need not pass through the origin, or remove the points that overlap."
        )
    Z, scale = Z / gamma, scale * gamma  # margins of size 1 from here on
    if norm == 2:
        w, alpha = _euclidean(Z)
        unique = True
    else:
        w, alpha = _polish(Z, first, alpha, norm)
        w, unique = _least_norm(Z, w, _value(Z, w, norm), alpha, norm)
    value, bound, size = _value(Z, w, norm), _bound(Z, alpha, norm), float(np.linalg.norm(w, norm))
    terms = max(float(np.max(np.abs(Z) @ np.abs(w))) / size, _bound(np.abs(Z), alpha, norm))  # which cancel in both values
    rounding = 16 * np.finfo(float).eps * terms
    if not bound - value <= max(LARGEST_GAP * bound, rounding):
        raise ConvergenceError(
            f"the margin must be found to {LARGEST_GAP:g}, but it lies between {value * scale:.12g} and {bound * scale:.12g}, "
            f"where terms {terms:.0e} times as large cancel; rescale the columns of A or drop one of two nearly parallel points."
        )
    support = np.flatnonzero(Z @ w / size <= value * (1 + max(_TIGHT, rounding)))
    return MaxMargin(w / size, value * scale, support, alpha, unique, norm)


def _value(Z: Array, w: Array, norm: float) -> float:
    """The margin of a direction."""
    return float(np.min(Z @ w)) / float(np.linalg.norm(w, norm))


def _bound(Z: Array, alpha: Array, norm: float) -> float:
    """What no margin exceeds: the dual norm of a combination of the data."""
    return float(np.linalg.norm(alpha @ Z, DUAL_NORM[norm]))


def _euclidean(Z: Array) -> tuple[Array, Array]:
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
    return np.asarray(w), beta / beta.sum()


def _linear_program(Z: Array, norm: float) -> tuple[Array, float, Array]:
    """Vertex solution (w, margin, dual weights) for norm 1 or infinity: the smallest w with Z w >= 1.

    Columns are scaled to 1, so that their units do not matter: u = c w with c the largest entries of the columns. A margin that
    is not beyond rounding is 0 or negative.
    """
    m, k = Z.shape
    c = np.max(np.abs(Z), axis=0)
    c[c == 0] = 1.0
    S = Z / c
    if norm == 1:  # u = p - q with the least sum of (p + q) / c
        cost = np.concatenate([1 / c, 1 / c]) * np.min(c)
        upper, right = np.hstack([-S, S]), -np.ones(m)
        bounds: list[tuple[float | None, float | None]] = [(0, None)] * (2 * k)
    else:  # |u| <= c t with the least t
        wide, box = c[:, None] / np.min(c), eye_array(k)
        cost = np.append(np.zeros(k), 1.0)
        upper = block_array([[csr_array(-S), None], [box, csr_array(-wide)], [-box, csr_array(-wide)]])
        right = np.concatenate([-np.ones(m), np.zeros(2 * k)])
        bounds = [(None, None)] * k + [(0, None)]
    result = linprog(cost, A_ub=upper, b_ub=right, bounds=bounds, method="highs-ds")
    if result.status == 0:
        u = result.x[:k] - result.x[k:] if norm == 1 else result.x[:k]
        alpha = np.maximum(-result.ineqlin.marginals[:m], 0.0)
    else:  # infeasible, or so it seems: the shortest u decides
        alpha = _multipliers(S, np.ones(m))
        u = alpha @ S
    w = u / c
    size = float(np.linalg.norm(w, norm)) or 1.0
    margins, terms = Z @ w, np.abs(Z) @ np.abs(w)
    certain = bool(np.all(margins > 4 * k * np.finfo(float).eps * terms))
    value = float(np.min(margins)) / size
    return w / size, value if certain else min(value, 0.0), alpha / max(float(alpha.sum()), np.finfo(float).tiny)


def _polish(Z: Array, w: Array, alpha: Array, norm: float) -> tuple[Array, Array]:
    """Primal and dual solved again on the active set of a vertex of norm one: the equations that are tight, and no others.

    Each is kept only where it is better than before.
    """
    c = np.max(np.abs(Z), axis=0)
    c[c == 0] = 1.0
    S, u = Z / c, w * c
    margins = S @ u
    active = margins <= np.min(margins) * (1 + 1e-7)
    used = (alpha > _TIGHT * np.max(alpha)) & active
    free = np.abs(u) > _TIGHT * np.max(np.abs(u)) if norm == 1 else np.abs(w) < 1 - 1e-7
    sign = np.sign(w)
    held = S[:, ~free] @ (sign * c)[~free]  # margins of the coordinates at the ends of the box, whose size is one unknown
    if norm == 1:
        primal, dual, right = S[active][:, free], S[used][:, free].T, sign[free] / c[free]
    else:
        primal = np.column_stack([S[active][:, free], held[active]])
        dual, right = np.vstack([S[used][:, free].T, held[used]]), np.append(np.zeros(free.sum()), 1.0)
    guess = np.linalg.lstsq(primal, np.ones(active.sum()), rcond=1e-13)[0]
    new = np.zeros(len(w)) if norm == 1 else sign * (guess[-1] if guess.size else 0.0)
    new[free] = guess[: free.sum()] / c[free]
    weights = np.zeros(len(Z))
    weights[used] = np.maximum(np.linalg.lstsq(dual, right, rcond=1e-13)[0], 0.0)
    if np.any(new) and _value(Z, new, norm) > _value(Z, w, norm):
        w = new / np.linalg.norm(new, norm)
    if weights.sum() > 0 and _bound(Z, weights / weights.sum(), norm) < _bound(Z, alpha, norm):
        alpha = weights / weights.sum()
    return w, alpha


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
