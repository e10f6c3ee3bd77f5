"""A graded mesh: pieces shrink toward a place where a dual profile is small, for inverse gradients that are curved there."""

import numpy as np

from ..numerics.arrays import Array, Indices
from ..potentials import Potential

__all__ = ["GRADED_ORDER", "graded_fractions", "straight_below"]


RATIO = 4.0
"""Factor between neighbouring pieces."""
GRADED_ORDER = 16
"""Gauss-Legendre nodes a piece: with this factor they see a function that is singular at the origin to 1e-15."""


def straight_below(potential: Potential) -> float:
    """A dual value below which the inverse gradient is a straight line to a hundredth."""
    z = 10.0 ** np.arange(2, -13, -1)
    curved = np.abs(potential.hessian(potential.inverse_gradient(z)) / float(potential.hessian(0.0)) - 1) > 1e-2
    return float(z[np.flatnonzero(curved)[-1]] / 10) if curved.any() else 1e2


def graded_fractions(
    ends: Array, floor: Array | float, degree: int, ratio: float = RATIO
) -> tuple[Indices, Array, Array]:
    """Cut pieces on which the profile is monotone, given its absolute values at the ends, shape (2, P).

    Returns, for each part, the number of its piece and the fractions of the piece at which it begins and ends. The
    profile rises by ``ratio`` from part to part if it is linear; where it may start flat (``degree`` above 1) the parts
    grow by ``ratio`` in length.
    """
    small, big = ends.min(0), ends.max(0)
    base = np.maximum(small, floor)
    levels = np.ceil(np.log(np.maximum(big / base, 1.0)) / np.log(ratio)).astype(np.intp).clip(1, 60)
    piece = np.repeat(np.arange(levels.size), levels)
    step = np.arange(piece.size) - np.repeat(np.cumsum(levels) - levels, levels)
    rise = np.maximum(big - small, np.finfo(float).tiny)[piece]

    def fraction(j: Indices) -> Array:
        power = ratio ** (j if degree == 1 else j - levels[piece]).astype(np.float64)
        with np.errstate(over="ignore"):  # a profile that hardly rises has one part, whose ends are set below
            inner = (base[piece] * power - small[piece]) / rise if degree == 1 else power
        return np.where(j == 0, 0.0, np.where(j == levels[piece], 1.0, np.clip(inner, 0.0, 1.0)))

    begin, end = fraction(step), fraction(step + 1)
    reverse = (ends[1] < ends[0])[piece]
    return piece, np.where(reverse, 1 - end, begin), np.where(reverse, 1 - begin, end)
