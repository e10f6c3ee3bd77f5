r"""Deep linear networks: gradient flow of a product of matrices, and the law that the product obeys.

For :math:`W = W_D \cdots W_1` and :math:`L(W) = \frac12\|WX - Y\|_F^2` gradient flow in the factors is

.. math:: \dot W_j = -W_{j+1}^T \cdots W_D^T\, \nabla L(W)\, W_1^T \cdots W_{j-1}^T .

It conserves :math:`W_{j+1}^TW_{j+1} - W_jW_j^T`. If these differences vanish at the start (a balanced start), the product obeys

.. math:: \dot W = -\sum_{j=1}^D (WW^T)^{(D-j)/D}\, \nabla L(W)\, (W^TW)^{(j-1)/D} .

Source: Arora, Cohen and Hazan (2018), On the optimization of deep networks, theorem 1.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import check_count, check_points, check_rng, check_size, check_times
from ..numerics.arrays import Array
from .integrate import integrate

__all__ = ["DeepLinearPath", "balanced_start", "deep_linear_flow", "end_to_end_flow"]


@dataclass(frozen=True)
class DeepLinearPath:
    """Gradient flow of a deep linear network at chosen times.

    Attributes
    ----------
    times : array (T,)
    products : array (T, d_out, d_in)
        W_D ... W_1.
    losses : array (T,)
    factors : tuple of arrays (T, d_j, d_{j-1})
        W_1, ..., W_D; empty for ``end_to_end_flow``.
    imbalance : array (T, D - 1)
        Frobenius norm of W_{j+1}^T W_{j+1} - W_j W_j^T; it is zero along the flow of a balanced start.
    """

    times: Array
    products: Array
    losses: Array
    factors: tuple[Array, ...]
    imbalance: Array


def deep_linear_flow(
    X: ArrayLike, Y: ArrayLike, times: ArrayLike, *, factors: Sequence[ArrayLike], rtol: float = 1e-10
) -> DeepLinearPath:
    r"""Gradient flow in the factors of a deep linear network for :math:`\frac12\|W_D\cdots W_1X - Y\|_F^2`.

    Parameters
    ----------
    X : array (d_in, M)
    Y : array (d_out, M)
    times : array (T,)
        Increasing flow times, none negative.
    factors : sequence of arrays
        The start W_1, ..., W_D, for instance from ``balanced_start``.
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


def end_to_end_flow(
    X: ArrayLike, Y: ArrayLike, times: ArrayLike, *, product: ArrayLike, depth: int, rtol: float = 1e-10
) -> DeepLinearPath:
    r"""The flow of the product alone, :math:`\dot W = -\sum_j (WW^T)^{(D-j)/D}\,\nabla L(W)\,(W^TW)^{(j-1)/D}`.

    Parameters
    ----------
    X, Y, times, rtol : as in ``deep_linear_flow``
    product : array (d_out, d_in)
        The product at the start.
    depth : int
        D; 1 is gradient flow in W.

    Returns
    -------
    DeepLinearPath
        Without factors; the same products as ``deep_linear_flow`` from ``balanced_start(product, depth=D)``.

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
            f"product must have shape ({len(Y)}, {len(X)}), outputs by inputs, but shape {product.shape} was given; if it is "
            f"transposed, pass product.T."
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


def balanced_start(product: ArrayLike, *, depth: int, width: int | None = None, rng: Any = None) -> list[Array]:
    r"""Factors W_1, ..., W_D of a given product with :math:`W_{j+1}^TW_{j+1} = W_jW_j^T`.

    Parameters
    ----------
    product : array (d_out, d_in)
        The product W at the start, for instance a small random matrix.
    depth : int
        D.
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
            f"product must be a matrix, but shape {product.shape} was given; pass w[None, :] for the weights w of one output."
        )
    left, values, right = np.linalg.svd(product, full_matrices=False)
    rank = int(np.sum(values > 1e-15 * max(values[0], np.finfo(float).tiny)))
    width = min(product.shape) if width is None else check_count("width", width)
    if width < rank:
        raise ValueError(
            f"width must be at least the rank of the product, but width={width} was given for rank {rank}; pass a product of "
            f"lower rank or width={rank}."
        )
    rank = min(width, len(values))
    left, values, right = left[:, :rank], values[:rank], right[:rank]
    root = values ** (1 / depth)
    generator = None if rng is None else check_rng(rng)
    bases = [right.T]
    for _ in range(depth - 1):
        bases.append(np.eye(width, rank) if generator is None else np.linalg.qr(generator.standard_normal((width, rank)))[0])
    return [(out * root) @ into.T for into, out in itertools.pairwise([*bases, left])]


def _check_data(X: ArrayLike, Y: ArrayLike) -> tuple[Array, Array]:
    X, Y = check_points("X", X), check_points("Y", Y)
    if X.ndim != 2 or Y.ndim != 2 or X.shape[1] != Y.shape[1]:
        raise ValueError(
            f"X and Y must hold one column for each data point, shapes (d_in, M) and (d_out, M), but shapes {X.shape} and "
            f"{Y.shape} were given; if they hold one row for each, pass X.T and Y.T."
        )
    for name, values in (("X", X), ("Y", Y)):
        check_size(name, values, f"rescale {name}")
    return X, Y


def _check_factors(factors: Sequence[ArrayLike], d_in: int, d_out: int) -> list[Array]:
    layers: list[Array] = [check_points(f"factors[{j}]", w) for j, w in enumerate(factors)]
    sizes = [w.shape for w in layers]
    chain = len(sizes) > 0 and all(len(size) == 2 for size in sizes) and (sizes[0][1], sizes[-1][0]) == (d_in, d_out)
    if not (chain and all(low[0] == high[1] for low, high in itertools.pairwise(sizes))):
        raise ValueError(
            f"factors must be matrices W_1, ..., W_D whose product takes {d_in} inputs to {d_out} outputs, but shapes {sizes} "
            f"were given; begin with the layer next to the input."
        )
    return layers


def _losses(products: Array, X: Array, Y: Array) -> Array:
    return np.asarray(0.5 * np.sum((products @ X - Y) ** 2, axis=(1, 2)))


def _power(left: Array, values: Array, exponent: float) -> Array:
    return (left * values**exponent) @ left.T
