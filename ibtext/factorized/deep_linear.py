r"""Deep linear networks: gradient flow of a product of matrices, and the law that the product obeys.

For :math:`W = W_L \cdots W_1` and :math:`L(W) = \frac12\|WX - Y\|_F^2` gradient flow in the factors is

.. math:: \dot W_j = -W_{j+1}^T \cdots W_L^T\, \nabla L(W)\, W_1^T \cdots W_{j-1}^T .

It conserves :math:`W_{j+1}^TW_{j+1} - W_jW_j^T`. If these differences vanish at the start (a balanced start), the product obeys

.. math:: \dot W = -\sum_{j=1}^L (WW^T)^{(L-j)/L}\, \nabla L(W)\, (W^TW)^{(j-1)/L} .

Source: Arora, Cohen and Hazan (2018), On the optimization of deep networks, theorem 1.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

from ..errors import LARGEST_ARGUMENT, ConvergenceError, check_count, check_points, check_rng, check_times, check_tolerance

__all__ = ["DeepLinearPath", "balanced_start", "deep_linear_flow", "end_to_end_flow", "integrate"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DeepLinearPath:
    """Gradient flow of a deep linear network at chosen times.

    Attributes
    ----------
    times : array (T,)
    products : array (T, d_out, d_in)
        W_L ... W_1.
    losses : array (T,)
    factors : tuple of arrays (T, d_j, d_{j-1})
        W_1, ..., W_L; empty for ``end_to_end_flow``.
    imbalance : array (T, L - 1)
        Frobenius norm of W_{j+1}^T W_{j+1} - W_j W_j^T; it is zero along the flow of a balanced start.
    """

    times: Array
    products: Array
    losses: Array
    factors: tuple[Array, ...]
    imbalance: Array


MOST_EVALUATIONS = 50_000
"""Evaluations of the velocity after which an integration is given up; the hardest that finish need some ten thousand."""


def integrate(velocity: Any, first: Array, times: Array, rtol: float) -> Array:
    """States (T, n) of an autonomous flow, by SciPy's LSODA, which changes to a stiff method where it must."""
    rtol = check_tolerance("rtol", rtol)
    if times[-1] == 0:
        return first[None].copy()
    evaluations = 0

    def field(t: float, state: Array) -> Array:
        nonlocal evaluations
        evaluations += 1
        change = np.asarray(velocity(state), dtype=np.float64)
        if evaluations > MOST_EVALUATIONS or not np.all(np.isfinite(change)):
            raise ConvergenceError(
                f"the flow must be integrated to time {times[-1]:g}, but at time {t:g} its velocity is no finite number or "
                f"{evaluations} evaluations were not enough, probably because of a start or data in the wrong unit; rescale "
                f"them, or ask for an earlier last time."
            )
        return change

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # LSODA says in a warning what is raised below
        solution = solve_ivp(
            field,
            (0.0, float(times[-1])),
            first,
            method="LSODA",
            t_eval=times,
            rtol=max(rtol, 1e-13),
            atol=1e-3 * rtol * max(float(np.max(np.abs(first))), 1e-6),
        )
    states = np.asarray(solution.y, dtype=np.float64).T
    if not solution.success or len(states) != len(times) or not np.all(np.isfinite(states)):
        raise ConvergenceError(
            f"the flow must be integrated to time {times[-1]:g}, but the integrator stopped early ({solution.message}), probably "
            f"because of a large start or large labels; ask for an earlier last time or a larger rtol."
        )
    return states


def _check_data(X: Any, Y: Any) -> tuple[Array, Array]:
    X, Y = check_points("X", X), check_points("Y", Y)
    if X.ndim != 2 or Y.ndim != 2 or X.shape[1] != Y.shape[1]:
        raise ValueError(
            f"X and Y must hold one column for each data point, shapes (d_in, M) and (d_out, M), but shapes {X.shape} "
            f"and {Y.shape} "
            f"were given, probably one row for each; pass X.T and Y.T."
        )
    for name, values in (("X", X), ("Y", Y)):
        if np.max(np.abs(values)) > LARGEST_ARGUMENT:
            raise ValueError(
                f"{name} must lie between {-LARGEST_ARGUMENT:g} and {LARGEST_ARGUMENT:g}, but "
                f"{np.max(np.abs(values)):g} was given, "
                f"probably an overflow upstream or a wrong unit; rescale {name}."
            )
    return X, Y


def _check_factors(factors: Any, d_in: int, d_out: int) -> list[Array]:
    layers: list[Array] = [check_points(f"factors[{j}]", w) for j, w in enumerate(factors)]
    factors = layers
    sizes = [w.shape for w in factors]
    chain = all(w.ndim == 2 for w in factors) and len(factors) > 0
    if chain:
        inner = all(low.shape[0] == high.shape[1] for low, high in itertools.pairwise(factors))
        chain = inner and factors[0].shape[1] == d_in and factors[-1].shape[0] == d_out
    if not chain:
        raise ValueError(
            f"factors must be matrices W_1, ..., W_L whose product takes {d_in} inputs to {d_out} outputs, but shapes "
            f"{sizes} were "
            f"given, probably in reverse order or transposed; begin with the layer next to the input."
        )
    return layers


def balanced_start(product: Any, *, depth: int, width: int | None = None, rng: Any = None) -> list[Array]:
    r"""Factors W_1, ..., W_L of a given product with :math:`W_{j+1}^TW_{j+1} = W_jW_j^T`.

    Parameters
    ----------
    product : array (d_out, d_in)
        The product W at the start, for instance a small random matrix.
    depth : int
        L.
    width : int, optional
        Size of every hidden layer, at least the rank of the product; ``min(d_out, d_in)`` by default.
    rng : seed or Generator, optional
        For the random orthonormal bases of the hidden layers; None takes coordinate bases.

    Returns
    -------
    list of arrays

    Examples
    --------
    >>> import numpy as np
    >>> w1, w2 = balanced_start([[2.0, 0.0], [0.0, 0.5]], depth=2)
    >>> bool(np.allclose(w2 @ w1, [[2.0, 0.0], [0.0, 0.5]]) and np.allclose(w2.T @ w2, w1 @ w1.T))
    True
    """
    product = check_points("product", product)
    depth = check_count("depth", depth)
    if product.ndim != 2:
        raise ValueError(
            f"product must be a matrix, but shape {product.shape} was given, probably a vector of weights; pass w[None, "
            f":] for one "
            f"output."
        )
    left, values, right = np.linalg.svd(product, full_matrices=False)
    rank = int(np.sum(values > 1e-15 * max(values[0], np.finfo(float).tiny)))
    width = min(product.shape) if width is None else check_count("width", width)
    if width < rank:
        raise ValueError(
            f"width must be at least the rank of the product, but width={width} was given for rank {rank}, probably "
            f"because the product "
            f"is noisy; pass a product of lower rank or width={rank}."
        )
    rank = min(width, len(values))
    left, values, right = left[:, :rank], values[:rank], right[:rank]
    root = values ** (1 / depth)
    generator = None if rng is None else check_rng(rng)
    bases = []
    for _ in range(depth - 1):
        basis = np.eye(width, rank) if generator is None else np.linalg.qr(generator.standard_normal((width, rank)))[0]
        bases.append(basis)
    inputs = [right.T, *bases]
    outputs = [*bases, left]
    return [(out * root) @ into.T for into, out in zip(inputs, outputs, strict=True)]


def deep_linear_flow(X: Any, Y: Any, times: Any, *, factors: Sequence[Any], rtol: float = 1e-10) -> DeepLinearPath:
    r"""Gradient flow in the factors of a deep linear network for :math:`\frac12\|W_L\cdots W_1X - Y\|_F^2`.

    Parameters
    ----------
    X : array (d_in, M)
    Y : array (d_out, M)
    times : array (T,)
        Increasing flow times, none negative.
    factors : sequence of arrays
        The start W_1, ..., W_L, for instance from ``balanced_start``.
    rtol : float
        Local tolerance of the integrator.

    Returns
    -------
    DeepLinearPath

    Raises
    ------
    ConvergenceError
        If the integrator stops before the last time.

    Notes
    -----
    Cost: O(sum of d_j d_{j-1} (d_out + d_in)) an evaluation; a few hundred to a few thousand evaluations.

    Examples
    --------
    >>> import numpy as np
    >>> path = deep_linear_flow([[1.0]], [[2.0]], [0.0, 30.0], factors=balanced_start([[0.1]], depth=3))
    >>> bool(abs(path.products[-1, 0, 0] - 2) < 1e-8)
    True
    """
    X, Y = _check_data(X, Y)
    times = check_times(times)
    start = _check_factors(factors, len(X), len(Y))
    shapes = [w.shape for w in start]
    cuts = np.cumsum([w.size for w in start])[:-1]
    gram, cross = X @ X.T, Y @ X.T

    def split(state: Array) -> list[Array]:
        return [part.reshape(shape) for part, shape in zip(np.split(state, cuts), shapes, strict=True)]

    def velocity(state: Array) -> Array:
        layers = split(state)
        below = [np.eye(len(X))]
        for w in layers:
            below.append(w @ below[-1])
        back = below[-1] @ gram - cross  # gradient in the product, pulled back through the upper layers
        parts = []
        for w, under in zip(layers[::-1], below[-2::-1], strict=True):
            parts.append(-(back @ under.T).ravel())
            back = w.T @ back
        return np.concatenate(parts[::-1])

    states = integrate(velocity, np.concatenate([w.ravel() for w in start]), times, rtol)
    stacks = [split(state) for state in states]
    factors_out = tuple(np.array([s[j] for s in stacks]) for j in range(len(shapes)))
    products = factors_out[0]
    for w in factors_out[1:]:
        products = w @ products
    imbalance = np.array(
        [
            np.linalg.norm(np.swapaxes(up, 1, 2) @ up - low @ np.swapaxes(low, 1, 2), axis=(1, 2))
            for low, up in itertools.pairwise(factors_out)
        ]
    ).reshape(len(shapes) - 1, len(times))
    return DeepLinearPath(times, products, _losses(products, X, Y), factors_out, imbalance.T)


def _losses(products: Array, X: Array, Y: Array) -> Array:
    return np.asarray(0.5 * np.sum((products @ X - Y) ** 2, axis=(1, 2)))


def _power(left: Array, values: Array, exponent: float) -> Array:
    return (left * values**exponent) @ left.T


def end_to_end_flow(X: Any, Y: Any, times: Any, *, product: Any, depth: int, rtol: float = 1e-10) -> DeepLinearPath:
    r"""The flow of the product alone, :math:`\dot W = -\sum_j (WW^T)^{(L-j)/L}\,\nabla L(W)\,(W^TW)^{(j-1)/L}`.

    Parameters
    ----------
    X, Y, times, rtol : as in ``deep_linear_flow``
    product : array (d_out, d_in)
        The product at the start.
    depth : int
        L; 1 is gradient flow in W.

    Returns
    -------
    DeepLinearPath
        Without factors; the same products as ``deep_linear_flow`` from ``balanced_start(product, depth=L)``.

    Notes
    -----
    One singular value decomposition of W an evaluation.

    Examples
    --------
    >>> path = end_to_end_flow([[1.0]], [[2.0]], [0.0, 30.0], product=[[0.1]], depth=3)
    >>> bool(abs(path.products[-1, 0, 0] - 2) < 1e-8)
    True
    """
    X, Y = _check_data(X, Y)
    times = check_times(times)
    depth = check_count("depth", depth)
    product = check_points("product", product)
    if product.shape != (len(Y), len(X)):
        raise ValueError(
            f"product must have shape ({len(Y)}, {len(X)}), outputs by inputs, but shape {product.shape} was given, probably "
            f"transposed; pass product.T."
        )
    gram, cross = X @ X.T, Y @ X.T

    def velocity(state: Array) -> Array:
        w = state.reshape(product.shape)
        gradient = w @ gram - cross
        left, values, right = np.linalg.svd(w)
        rows, cols = np.zeros(len(left)), np.zeros(len(right))
        rows[: len(values)] = cols[: len(values)] = values
        # zero to the power zero is one: the outermost powers are identities
        total = sum(
            _power(left, rows, 2 * (depth - j) / depth) @ gradient @ _power(right.T, cols, 2 * (j - 1) / depth)
            for j in range(1, depth + 1)
        )
        return -np.asarray(total).ravel()

    products = integrate(velocity, product.ravel(), times, rtol).reshape(len(times), *product.shape)
    return DeepLinearPath(times, products, _losses(products, X, Y), (), np.zeros((len(times), 0)))
