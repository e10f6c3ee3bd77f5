r"""A function as a polynomial on each of many panels: those on which it is not one, to rounding, are halved.

On a panel the function is replaced by its polynomial of degree n - 1 through the n Gauss nodes. That is right once the last
Legendre coefficients have died out, beside the integral of the function over the group of panels to which this one belongs.
Smooth functions need few panels; a kink or a jump costs some 45 halvings, and none if it is named as an edge.

A peak between the nodes leaves no trace in the coefficients. So the polynomial is compared with the function at many probes in
between, too, whose spacing is a fixed fraction of the whole whatever the panels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from ..errors import ConvergenceError
from .arrays import Array, Indices
from .gauss import gauss_legendre

__all__ = ["Panels", "legendre_transform", "refine"]


TOLERANCE = 2e-14
PROBE_TOLERANCE = 1e-12
MAX_DEPTH = 60
MAX_EXTRA_PANELS = 50_000
PROBES = 1 << 14


@cache
def legendre_transform(order: int) -> Array:
    """Matrix (order, order): ``values @ matrix`` are Legendre coefficients of the polynomial with these values at Gauss nodes."""
    nodes, weights = gauss_legendre(order)
    basis = np.polynomial.legendre.legvander(2 * nodes - 1, order - 1)
    return np.asarray(basis * weights[:, None] * (2 * np.arange(order) + 1), dtype=np.float64)


@dataclass(frozen=True)
class Panels:
    """A function on P panels, in increasing order.

    Attributes
    ----------
    left, width : arrays (P,)
    group : int array (P,)
        As given to ``refine``, inherited by both halves of a panel.
    values : array (P, n)
        At the Gauss nodes.
    rough : bool array (P,)
        Panels so narrow that no double lies between their ends, with a jump or a pole inside.
    """

    left: Array
    width: Array
    group: Indices
    values: Array
    rough: npt.NDArray[np.bool_]

    @property
    def nodes(self) -> Array:
        """The Gauss nodes, shape (P, n)."""
        return np.asarray(self.left[:, None] + self.width[:, None] * gauss_legendre(self.values.shape[1])[0])

    @property
    def masses(self) -> Array:
        """Values times quadrature weights, shape (P, n): their sum is the integral."""
        return np.asarray(self.values * gauss_legendre(self.values.shape[1])[1] * self.width[:, None])


def refine(
    function: Callable[[Array], Array],
    edges: Array,
    *,
    group: Indices | None = None,
    order: int = 16,
    probes: int = PROBES,
    name: str = "the function",
    remedy: str = "smooth it",
) -> Panels:
    """Panels on which ``function`` is a polynomial of degree ``order - 1``, to rounding.

    Parameters
    ----------
    function : callable
        Maps arrays to arrays of the same shape.
    edges : array
        Increasing; the panels to begin with.
    group : int array, optional
        For each panel the group with whose integral errors are compared; one for all when omitted.
    order : int
        Gauss nodes a panel.
    probes : int
        Points, on all panels to begin with together, at which the polynomials are compared with the function.
    name, remedy : str
        For the refusal.

    Raises
    ------
    ConvergenceError
        If halving does not end: the function is noisy, has a singularity or very many kinks.
    """
    transform, nodes = legendre_transform(order), gauss_legendre(order)[0]
    left, right = edges[:-1], edges[1:]
    group = np.zeros(left.size, dtype=np.intp) if group is None else group
    most = 50 * left.size + MAX_EXTRA_PANELS
    scale: Array = np.zeros(0)
    done: list[tuple[Array, Array, Indices, Array, npt.NDArray[np.bool_]]] = []
    for depth in range(MAX_DEPTH + 1):
        width = right - left
        values = function(left[:, None] + width[:, None] * nodes)
        with np.errstate(over="ignore", invalid="ignore"):  # an infinite value is refused in the end
            series = values @ transform
            coefficients = np.abs(series)
            size = width * coefficients[:, 0]
            if depth == 0:  # the yardstick; a spike found later only raises its own
                scale = np.asarray(np.bincount(group, weights=size), dtype=np.float64)
            scale_here = np.maximum(scale[group], size)
            rough = ~(width * np.max(coefficients[:, -2:], axis=1) <= TOLERANCE * scale_here)
            probed = probes // (edges.size - 1) >> depth
            if probed >= order // 2:
                at = (np.arange(probed) + 0.5) / probed
                found = function(left[~rough, None] + width[~rough, None] * at)
                foretold = series[~rough] @ np.polynomial.legendre.legvander(2 * at - 1, order - 1).T
                wrong = width[~rough] * np.mean(np.abs(found - foretold), axis=1)
                rough[~rough] = ~(wrong <= PROBE_TOLERANCE * scale_here[~rough])
        good = ~rough | (width <= 8 * np.spacing(np.maximum(np.abs(left), np.abs(right))))
        done.append((left[good], width[good], group[good], values[good], rough[good]))
        if good.all():
            parts = [np.concatenate(part) for part in zip(*done, strict=True)]
            increasing = np.argsort(parts[0])
            return Panels(*(part[increasing] for part in parts))
        left, right, group = left[~good], right[~good], group[~good]
        middle = left + (right - left) / 2
        left, right, group = np.concatenate([left, middle]), np.concatenate([middle, right]), np.tile(group, 2)
        most -= left.size
        if most < 0:
            break
    raise ConvergenceError(
        f"{name} must be smooth to 14 digits between finitely many jumps, but near {left[0]:.6g} halving the interval {depth} "
        f"times did not reach that; {remedy}."
    )
