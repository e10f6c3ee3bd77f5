r"""The Gauss-Legendre rule, once: :math:`\int_0^1 f \approx \sum_i w_i f(s_i)`.

On an interval [a, b] of width h the nodes are ``a + h * nodes`` and the weights ``h * weights``; n of them integrate
polynomials up to degree 2n - 1 exactly.
"""

from functools import cache

import numpy as np

from .arrays import Array

__all__ = ["gauss_legendre"]


@cache
def gauss_legendre(order: int) -> tuple[Array, Array]:
    """Nodes and weights on [0, 1], read-only arrays of length ``order``.

    Examples
    --------
    >>> nodes, weights = gauss_legendre(3)
    >>> round(float(weights @ nodes**5), 15) == round(1 / 6, 15)
    True
    """
    x, w = np.polynomial.legendre.leggauss(order)
    nodes, weights = (1 + x) / 2, w / 2
    nodes.setflags(write=False)
    weights.setflags(write=False)
    return nodes, weights
