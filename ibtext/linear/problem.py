"""What a linear problem A w = b must satisfy before it is solved, and its equations made independent."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import check_points
from ..numerics.arrays import Array
from ..potentials import Potential, QuadraticPotential

__all__ = ["check_potential", "check_problem", "dual_start", "independent_rows"]


def check_problem(A: ArrayLike, b: ArrayLike) -> tuple[Array, Array]:
    """Features (M, K) and labels (M,) as finite float arrays, or a refusal."""
    A, b = check_points("A", A), check_points("b", b)
    if A.ndim != 2 or b.shape != A.shape[:1]:
        raise ValueError(
            f"A must have one row for each entry of b, shapes (M, K) and (M,), but shapes {A.shape} and {b.shape} were given; "
            f"if A is transposed or b a column, pass A.T or b.ravel()."
        )
    return A, b


def check_potential(potential: Any) -> Potential:
    """A potential of one coordinate, x^2/2 for None, or a refusal."""
    if potential is None:
        return QuadraticPotential(scale=0.5)
    if not isinstance(potential, Potential):
        raise TypeError(
            f"potential must be a potential of one coordinate, but {potential!r} was given; pass for instance "
            f"EntropyPotential() or CustomPotential(phi, gradient)."
        )
    return potential


def dual_start(potential: Potential, start: ArrayLike | None, columns: int) -> Array:
    """The dual variable phi'(start), shape (K,); zero, the centre of the potential, for None."""
    if start is None:
        return np.zeros(columns)
    start = check_points("start", start)
    if start.shape not in ((), (columns,)):
        raise ValueError(
            f"start must be one number or one for each of the {columns} columns of A, but shape {start.shape} was given; "
            f"pass shape ({columns},)."
        )
    return np.broadcast_to(np.asarray(potential.gradient(start)), (columns,)).astype(np.float64)


def independent_rows(A: Array, b: Array) -> tuple[Array, Array, Array, float]:
    """Orthonormal rows V with the same solutions: (V, right-hand side, map to the multiplier of A, condition)."""
    scale = np.max(np.abs(A), axis=1)
    if np.any(scale == 0):
        i = int(np.argmin(scale))
        if b[i] != 0:
            raise ValueError(f"A w = b must have a solution, but row {i} of A is zero and b[{i}] = {b[i]:.6g}; remove the row.")
    scale[scale == 0] = 1.0
    if not (np.all(scale > 1e-150) and np.all(scale < 1e150) and np.all(np.abs(b) < 1e150)):
        raise ValueError(
            f"the rows of A must have entries between 1e-150 and 1e150 and b none beyond, but the largest of a row are between "
            f"{scale.min():g} and {scale.max():g} and that of b is {np.max(np.abs(b)):g}; rescale them."
        )
    left, values, right = np.linalg.svd(A / scale[:, None], full_matrices=False)
    keep = values > max(A.shape) * np.finfo(float).eps * max(values[0], np.finfo(float).tiny)
    left, values, right = left[:, keep], values[keep], right[keep]
    scaled = b / scale
    coefficients = left.T @ scaled
    missed = float(np.max(np.abs(scaled - left @ coefficients), initial=0.0))
    if missed > 1e-10 * max(float(np.max(np.abs(scaled))), np.finfo(float).tiny):
        raise ValueError(
            f"A w = b must have a solution, but the nearest A w misses b by {missed:.2g} (rows scaled to 1), probably because "
            f"there are more data points than weights or repeated inputs; add weights or average their labels."
        )
    condition = float(values[0] / values[-1]) if values.size else 1.0
    return right, coefficients / values, (left / values) / scale[:, None], condition
