"""Problems for ``ibtext.dual``: what the solver asks of them, and the one with finitely many columns."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import check_points, check_size, shortened
from ..numerics.arrays import Array
from ..potentials import Potential

__all__ = ["Columns", "FiniteColumns", "check_equation", "largest"]


class Columns(ABC):
    """What ``solve_dual`` and ``dual_flow`` need of a problem: F and its Jacobian.

    The other methods have a default, which columns in another basis than the data's may replace.
    """

    equations: int | None = None
    """Number M of equations, where the columns know it before they see labels."""

    @abstractmethod
    def evaluate(self, multiplier: Array) -> tuple[Array, Array]:
        """F(multiplier), shape (M,), and its Jacobian H(multiplier), shape (M, M)."""

    def retract(self, multiplier: Array, step: Array) -> Array:
        """Where a Newton step leads: a straight line, or any curve with that tangent in which F is nearer to linear."""
        return multiplier + step

    def measure(self, residual: Array) -> float:
        """Largest residual, in the units of the labels."""
        return float(np.max(np.abs(residual)))


@dataclass(frozen=True)
class FiniteColumns(Columns):
    r"""Finitely many columns: :math:`F(\lambda) = A\, \mathrm{diag}(m)\, (\varphi')^{-1}(z + A^T \lambda)`.

    Parameters
    ----------
    features : array (M, K)
        Entry ``A[i, k]``.
    masses : array (K,) or float
        Positive weights of the columns.
    potential : Potential
    start : array (K,) or float
        Dual start z.

    One evaluation costs O(M^2 K).
    """

    features: Array
    masses: Array | float
    potential: Potential
    start: Array | float = 0.0

    def __post_init__(self) -> None:
        features, masses = check_points("features", self.features), check_points("masses", self.masses)
        start = check_points("start", self.start)
        if not isinstance(self.potential, Potential):
            raise TypeError(
                f"potential must be a potential of one coordinate, but {shortened(self.potential)} was given; pass for "
                f"instance CoshPotential()."
            )
        if features.ndim != 2 or not {masses.shape, start.shape} <= {(), features.shape[1:]} or np.any(masses <= 0):
            raise ValueError(
                f"features must have shape (M, K), masses (positive) and start one number for each column or one for all, but "
                f"shapes {features.shape}, {masses.shape} and {start.shape} with a smallest mass {masses.min():g} were given; "
                f"pass features.T if they are transposed."
            )
        check_size("features", features, "rescale them")
        for name, value in (("features", features), ("masses", masses), ("start", start), ("equations", len(features))):
            object.__setattr__(self, name, value)

    def primal(self, multiplier: Array) -> Array:
        """The parameters theta, shape (K,), that belong to a multiplier."""
        return np.asarray(self.potential.inverse_gradient(self.start + multiplier @ self.features), dtype=np.float64)

    def evaluate(self, multiplier: Array) -> tuple[Array, Array]:
        """F, shape (M,), and its Jacobian H, shape (M, M)."""
        with np.errstate(all="ignore"):  # what overflows, or has no kernel, the solver refuses
            theta = self.primal(multiplier)
            value = self.features @ (self.masses * theta)
            weights = self.masses / self.potential.hessian(theta)
            return value, (self.features * weights) @ self.features.T


def check_equation(columns: Any, y: Any, start: Any) -> tuple[Columns, Array, Array]:
    """The columns, the right-hand side and the first multiplier, both of shape (M,)."""
    if not callable(getattr(columns, "evaluate", None)):
        raise TypeError(
            f"columns must have a method evaluate(multiplier), but {shortened(columns)} was given; pass for "
            f"instance FiniteColumns(features, 1.0, CoshPotential())."
        )
    if not isinstance(columns, Columns):  # a problem of the user's own, perhaps with some of the optional methods
        names = ("evaluate", "retract", "measure")
        given = {name: staticmethod(getattr(columns, name)) for name in names if hasattr(columns, name)}
        columns = type("Given", (Columns,), given)()
    y = check_points("y", y)
    first = np.zeros_like(y) if start is None else check_points("start", start).copy()
    size = y.size if columns.equations is None else columns.equations
    if y.shape != (size,) or first.shape != (size,):
        raise ValueError(
            f"y and start must hold one number for each of the {size} equations, but shapes {y.shape} and {first.shape} were "
            f"given; pass one label for each row of the features, y.ravel() if y is a column."
        )
    return columns, y, first


def largest(residual: Array) -> float:
    return float(np.max(np.abs(residual)))
