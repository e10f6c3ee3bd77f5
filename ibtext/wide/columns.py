r"""What the solver and the results need of the columns of a wide network.

The columns of a wide network are its neurons, one for each (w, b). With the output weight
:math:`\alpha(w, b) = (\varphi')^{-1}\big(\sum_j \lambda_j \sigma(w x_j - b)\big)` of a multiplier, the dual equation and the
kernel that moves along training are

.. math:: F_i(\lambda) = E\,\alpha\,\sigma(w x_i - b) = y_i, \qquad
   H_{ij} = E\,\frac{\sigma(w x_i - b)\,\sigma(w x_j - b)}{\varphi''(\alpha)}.

All that columns of some kind must be able to do is to integrate them, and to evaluate the function that they make. Here the
equations are those at the data and the unknowns are :math:`\lambda`; kinds that take them in a better basis say how to change
to it and back (``target`` to ``root``).
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigh

from ..activations import AnyActivation
from ..dual import LARGEST_LOSS, Columns
from ..dual.robust import rounding_floor
from ..dual.solve import nearest
from ..errors import ConvergenceError
from ..numerics.arrays import Array
from ..potentials import Potential, QuadraticPotential
from .rule import Rule

__all__ = ["WideColumns", "WideSolution"]


SMALLEST_PIVOT = 1e-13
"""Part of a diagonal entry that elimination must leave, so that three digits of the pivot are not rounding."""


@dataclass(frozen=True)
class WideSolution:
    """The root of the dual equation of a wide network.

    ``values``: all unknowns, in the basis of the columns. ``residual``: largest distance from the labels. ``affine``: slope
    and constant of the free part. ``excused``: a residual that rounding explains.
    """

    values: Array
    residual: float
    iterations: int
    affine: tuple[float, float] = (0.0, 0.0)
    excused: float = 0.0


class WideColumns(Columns):
    """The columns of a wide network.

    Parameters
    ----------
    activation : Activation or ReLUPower
    potential : Potential
        Acts on the output weight of a neuron, alpha.
    scaled : bool
        Whether the shape of the potential counts: then its divergence is the penalty, and not E alpha^2.
    """

    rule: Rule | None = None
    """The quadrature over the law, where there is one that can be made finer."""

    def __init__(self, activation: AnyActivation, potential: Potential, *, scaled: bool) -> None:
        self.activation, self.potential, self.scaled = activation, potential, scaled
        self.second = float(potential.hessian(0.0))
        self.linear = isinstance(potential, QuadraticPotential)

    # -- what each kind must have --------------------------------------------------------------------------------

    @cached_property
    @abstractmethod
    def matrix(self) -> Array:
        """H where all output weights are 0: for a quadratic potential, H everywhere."""

    @abstractmethod
    def integrals(self, values: Array) -> tuple[Array, Array]:
        """F and H for a potential that is not quadratic, of all unknowns."""

    def predicted(self, values: Array) -> Array:
        """F alone, of all unknowns, by the rule of now."""
        return self.integrals(values)[0]

    @abstractmethod
    def expectation(self, values: Array, function: Callable[[Array], Array]) -> float:
        """E function(alpha), for a potential that is not quadratic."""

    @abstractmethod
    def function(self, values: Array, labels: Array, t: Array, order: int) -> Array:
        """The function with values ``labels`` at the inputs (order 0), its slope (1) or curvature (2) at t."""

    # -- the basis of the equations, which is that of the data unless a kind says otherwise ------------------------

    def target(self, labels: Array) -> Array:
        """Right-hand sides for labels, along the last axis."""
        return labels

    def to_data(self, residuals: Array) -> Array:
        """From residuals of the equations, all of them, to residuals at the data, along the last axis."""
        return residuals

    def multiplier(self, values: Array) -> Array:
        """The multiplier lambda."""
        return values

    def from_multiplier(self, multiplier: Array) -> Array:
        """All unknowns of a multiplier."""
        return multiplier

    def unknowns(self, values: Array) -> Array:
        """Those of all unknowns, along the last axis, that the solver looks for."""
        return values

    def extended(self, unknowns: Array) -> Array:
        """All unknowns from those that the solver looks for."""
        return unknowns

    def misfit(self, residual: Array) -> float:
        """How far a solution is from the labels, given the residual of its equations: what the user is told."""
        return self.measure(residual)

    def root(self) -> Array:
        """For a linear problem: a matrix G with kernel G^T G, so that no digit of small eigenvalues is squared away."""
        try:
            root = cholesky(self.matrix)
            lost = float(np.min(root.diagonal() ** 2 / self.matrix.diagonal())) < SMALLEST_PIVOT
        except LinAlgError:  # whether a lost pivot comes out positive is up to the order of a sum
            lost = True
        if lost:
            raise ConvergenceError(
                "the kernel on the inputs must be positive definite, but rounding makes it singular, because inputs are "
                "many or close together compared with the breakpoints; choose units in which inputs and breakpoints are "
                "of one size, or drop or average the closest points."
            )
        return self.to_data(np.asarray(root, dtype=np.float64))

    # -- the equation ----------------------------------------------------------------------------------------------

    def system(self, values: Array) -> tuple[Array, Array]:
        """F and H, of all unknowns."""
        if self.linear or not values.any():  # zero is where Newton's method starts
            return self.matrix @ values, self.matrix
        return self.integrals(values)

    def evaluate(self, multiplier: Array) -> tuple[Array, Array]:
        """F and H, of the unknowns that the solver looks for."""
        value, matrix = self.system(self.extended(multiplier))
        return self.unknowns(value), self.unknowns(self.unknowns(matrix).T)

    def solve(self, labels: Array, tol: float) -> WideSolution:
        """The solution for labels; ``ConvergenceError`` where it misses them by more than ``max(tol, 1e-12)``, relatively.

        The residual is measured by a finer rule than the one that solved the equations. Where the two differ by more than
        the tolerance, the equations are solved again with the finer one.
        """
        for _ in range(3):  # with ever finer rules
            found, own = self.find(labels, tol), self.rule
            solved = found.residual
            if own is not None and np.isfinite(found.residual):
                self.rule = own.finer()
                found = replace(found, residual=max(found.residual, self.missed(found.values, labels)))
            size = float(np.max(np.abs(labels)))
            if own is not None and 1e-12 * size < found.residual < np.inf:  # h may swing far between close inputs
                middle = own.elements.x[:-1] + own.elements.gaps / 2
                size = float(np.max(np.abs(self.function(found.values, labels, middle, 0)), initial=size))
            goal = max(tol, 1e-12, min(found.excused / size, LARGEST_LOSS)) * size if size else 0.0
            if found.residual <= goal:
                self.rule = own
                return found
            self.__dict__.pop("matrix", None)  # the next attempt is with the finer rule
            if own is None or not solved <= goal or found.residual <= 100 * found.excused:
                break  # more nodes help neither where Newton's method found nothing nor against rounding
        near = found.residual < 0.1 * size
        advice = f", or raise tol to {10 ** np.ceil(np.log10(found.residual / size)):.0e}" if near else ""
        raise ConvergenceError(
            f"the limit must meet the labels to {goal:.1e}, but {found.residual:.1e} is reached after {found.iterations} Newton "
            f"steps, {self._cause(found)}{advice}."
        )

    def _cause(self, found: WideSolution) -> str:
        """Why a solution misses the labels, and a remedy."""
        if self.rule is not None and self.rule.elements.x.size > 1:
            x, (w2, _, b2) = self.rule.elements.x, self.rule.law.second_moments
            span, scale, gaps = float(np.ptp(x)), float(np.sqrt(b2 / w2)), np.diff(x)
            if not 1e-3 < span / scale < 30:
                return (
                    f"because the inputs span {span:.1g} and the breakpoints some {scale:.1g}; choose a law of the breakpoints, "
                    f"or units of the inputs, that makes both of one size"
                )
            if found.residual <= 100 * found.excused:
                k = int(np.argmin(gaps))
                return (
                    f"because of rounding where labels differ and inputs hardly do (x = {x[k]:.6g} and {x[k + 1]:.6g} differ by "
                    f"{gaps[k]:.1e}); average the closest points"
                )
        return (
            f"because {self.potential} or the law is too steep for labels this rough; take smaller labels or a milder potential"
        )

    def missed(self, values: Array, labels: Array) -> float:
        """How far a solution is from the labels by the rule of now, whatever the rule by which it was found."""
        with np.errstate(all="ignore"):  # of values that are no solution
            missed = self.misfit(self.target(labels) - self.unknowns(self.predicted(values)))
        return missed if np.isfinite(missed) else np.inf

    def find(self, labels: Array, tol: float) -> WideSolution:
        """The solution, as good as it gets."""
        target, size = self.target(labels), float(np.max(np.abs(labels)))
        found = nearest(self, target, np.zeros_like(target), tol * max(size, np.finfo(float).tiny))
        excused = rounding_floor(found, self.misfit)
        return WideSolution(self.extended(found.multiplier), self.misfit(found.difference), found.iterations, excused=excused)

    # -- what a result tells -----------------------------------------------------------------------------------------

    def condition(self, values: Array) -> float:
        """Condition number of the kernel in the data, infinite where rounding makes it singular. O(M^3)."""
        matrix = self.evaluate(self.unknowns(values))[1]
        if matrix.shape[0] <= 1:
            return 1.0
        change = self.target(np.eye(self.matrix.shape[0]))
        square = change.T @ change
        try:
            top = [float(eigh(p, q, eigvals_only=True)[-1]) for p, q in ((matrix, square), (square, matrix))]
        except LinAlgError:
            return float(np.inf)
        return top[0] * top[1]

    def penalty(self, values: Array) -> float:
        """E D_phi(alpha, 0) for a scaled potential, E alpha^2 otherwise."""
        if self.linear:
            return float(values @ self.matrix @ values) / self.second * (self.second / 2 if self.scaled else 1.0)
        return self.expectation(values, lambda alpha: np.asarray(self.potential.divergence(alpha, 0 * alpha)))

    def output_weight(self, values: Array, c: Array) -> Array:
        """The output weight (times n) of a neuron with breakpoint c."""
        raise ValueError(
            f"output_weight is a function of the breakpoint alone for the absolute value only, but "
            f"activation={self.activation.name!r} has two branches, one for each sign of the weight; use "
            f"derivative(t, order=2)."
        )

    def curvature_statistics(self, values: Array, labels: Array) -> dict[str, float]:
        """Largest and mean curvature."""
        raise ValueError(
            f"curvature_statistics is exact for the absolute value and a uniform bias law only, but "
            f"activation={self.activation.name!r} was given; evaluate derivative(t, order=2) on a grid."
        )

    def penalty_terms(self, values: Array, labels: Array) -> dict[str, float]:
        """The terms G1, G2 and G3 of the penalty."""
        raise ValueError(
            f"the terms G1, G2, G3 belong to a relu network, but activation={self.activation.name!r} was given, whose terms "
            f"have not been worked out; read limit.penalty instead."
        )
