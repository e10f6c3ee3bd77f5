r"""Implicit steps of mirror flow: a stiff flow of n parameters whose stiffness lives in M dimensions.

Mirror flow :math:`z' = \frac1n J(\theta)^T r` is stiff: the kernel :math:`H = \frac1n J D J^T`, :math:`D = 1/\varphi_n''`, has
eigenvalues that spread over many orders of magnitude and shrink along the way, so explicit steps of the size that is
stable at the start, gradient descent included, need up to millions of passes. But an implicit stage

.. math:: z = b + \tfrac{h\gamma}{n} J(\theta)^T \rho, \qquad \rho = y - f(x, \theta)

has the M unknowns :math:`\rho`, and is the dual equation of ``ibtext.dual`` with a ridge :math:`1/(h\gamma)`. Newton's
method for it needs one sweep over the neurons, which follows J and evaluates f and H, and the M x M system

.. math:: (I + h\gamma H)\, \rho_{\text{new}} = y - f(x, \theta) + J D (z - b).

The method is ESDIRK3(2)4L[2]SA of Kennedy and Carpenter (2003): one explicit and three implicit stages, order three,
L-stable and stiffly accurate, with an embedded method of order two for the step size.

The activation has a kink, so the right side jumps when a breakpoint crosses a data point; solutions are
understood in the sense of Filippov (differential inclusion). Within a step each neuron keeps its activation pattern
(``activation_pattern``); the error that this makes where a breakpoint crosses is measured and kept within the tolerance.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .assembly import Assembly, Point

__all__ = ["ImplicitMethod", "Trial"]

# ESDIRK3(2)4L[2]SA (Kennedy and Carpenter 2003, Applied Numerical Mathematics 44, 139-181)
DIAGONAL = 1767732205903 / 4055673282236
STAGES = np.array(
    [
        [0.0, 0.0, 0.0],
        [DIAGONAL, 0.0, 0.0],
        [2746238789719 / 10658868560708, -640167445237 / 6845629431997, 0.0],
        [1471266399579 / 7840856788654, -4482444167858 / 7529755066697, 11266239266428 / 11593286722821],
    ]
)
WEIGHTS = np.array([*STAGES[3], DIAGONAL])
EMBEDDED_WEIGHTS = np.array(
    [
        2756255671327 / 12835298489170,
        -10771552573575 / 22201958757719,
        9247589265047 / 10645013368117,
        2193209047091 / 5459859503100,
    ]
)
NEWTON_TOLERANCE = 1e-1
"""Accuracy of a stage, relative to the local tolerance."""
NEWTON_SWEEPS = 12


@dataclass
class Trial:
    """A trial step: the point reached, the largest error estimate relative to the tolerance, and who crossed.

    ``point`` is None where Newton's method did not find a stage.
    """

    point: Point | None
    ratio: float
    crossed: Any = None


class ImplicitMethod:
    """Trial steps to a local error ``rtol``, relative to ``size`` in f, from the point where ``begin`` was called last."""

    def __init__(self, assembly: Assembly, y: Any, rtol: float, size: float) -> None:
        self.assembly, self.y, self.rtol, self.size, self.xp = assembly, y, rtol, size, assembly.xp
        self.tol = max(NEWTON_TOLERANCE * rtol, 1e-14) * size
        # how fast Newton's method converged last: twice the second change over the square of the first
        self.contraction = float("inf")
        like = assembly.first[assembly.moving]
        self.rows, self.base = [self.xp.empty_like(like) for _ in range(3)], self.xp.empty_like(like)

    def begin(self, point: Point) -> None:
        """Start steps from here; their explicit first stage is the same for all lengths."""
        self.point = self.assembly.held = point
        self.residual = self.y - point.value
        _, self.shift = self.assembly.pull(point.theta, self.residual, self.rows[0])

    def attempt(self, h: float) -> Trial:
        """Try a step of length h."""
        xp, first, assembly = self.xp, self.point, self.assembly
        n, rate, gain = assembly.n, assembly.rate, h * DIAGONAL
        shifts, residuals = [self.shift], [self.residual]
        for i in range(1, 4):
            weights = (h * STAGES[i, :i]).tolist()
            base = assembly.combine(first.dual, [rate * w for w in weights], self.rows[:i], self.base)
            shift = first.dual_shift + rate * sum(w * s for w, s in zip(weights, shifts, strict=True))
            # J hardly moves within a step, so the linear prediction needs M dimensions only
            known = _combination(weights, residuals)
            guess = self._ridge(gain, first.kernel, self.residual - (first.kernel @ known) / n)
            found = self._stage(base, shift, gain, guess)
            if found is None:
                return Trial(None, float("inf"))
            point, rho, change = found
            if i < 3:
                shifts.append(assembly.pull(point.theta, rho, self.rows[i])[1])
            else:
                point, rho = self._finish(point, rho, base, shift, gain, change)
            residuals.append(rho)
        if not bool(xp.all(xp.isfinite(point.value)) & xp.all(xp.isfinite(point.kernel))):
            return Trial(None, float("inf"))
        difference = WEIGHTS - EMBEDDED_WEIGHTS
        q = _combination(difference.tolist(), residuals)
        filtered = self._ridge(gain, point.kernel, q)  # the estimate of a stiff equation, damped as its solution is
        in_f = (h / n) * (point.kernel @ filtered)
        crossed = self._crossed(point)
        jump = self._jump(point.theta, crossed)
        in_theta = self._parameter_error(point, h * rate * difference, h * rate * (q - filtered), gain * rate, crossed)
        in_f = max(float(xp.max(xp.abs(in_f))), float(xp.max(xp.abs(jump)))) / self.size
        ratio = max(in_f, in_theta) / self.rtol
        return Trial(point, ratio if np.isfinite(ratio) else float("inf"), crossed)

    def _ridge(self, gain: float, kernel: Any, right: Any) -> Any:
        """(I + gain H)^{-1} right, with H = J D J^T / n; also where the identity is lost in rounding."""
        values, vectors = self.xp.linalg.eigh((gain / self.assembly.n) * kernel)
        return vectors @ ((vectors.T @ right) / (1 + self.xp.clip(values, 0.0, None)))

    def _stage(self, base: Any, shift: float, gain: float, rho: Any) -> tuple[Point, Any, float] | None:
        """Damped Newton: the last point evaluated, the multiplier that solves the stage from there, and the size of
        the only change if there was one, else 0."""
        xp, assembly, factor = self.xp, self.assembly, gain * self.assembly.rate
        point, step, defect, last = self.point, None, float("inf"), 0.0
        for _ in range(NEWTON_SWEEPS):
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                trial = assembly.advance(point, rho, base, shift, factor, keep=False)
                found = float(xp.linalg.vector_norm(self.y - trial.value - rho))
            if step is not None and not found < (1 - 1e-4) * defect:
                step, last = step / 2, 0.0
                rho = rho - step
                continue
            if not np.isfinite(found):
                break
            point = trial
            new = self._ridge(gain, point.kernel, self.y - point.value + point.pushed)
            step, rho, defect = new - rho, new, found
            change = float(xp.max(xp.abs(step)))
            # what the next change would be: quadratic convergence as in the step before, or no better than so far
            ahead = self.contraction * change**2 if last == 0 else change * change / last
            if last > 0:
                self.contraction = 2 * change / last**2
            if min(change, ahead) <= self.tol:
                return point, rho, change if last == 0 else 0.0
            last = change
        return None

    def _finish(self, point: Point, rho: Any, base: Any, shift: float, gain: float, change: float) -> tuple[Point, Any]:
        """The end of the step, assembled in full; Newton goes on there if it was stopped too early."""
        for _ in range(NEWTON_SWEEPS):
            point = self.assembly.advance(point, rho, base, shift, gain * self.assembly.rate)
            new = self._ridge(gain, point.kernel, self.y - point.value + point.pushed)
            ahead = float(self.xp.max(self.xp.abs(new - rho)))
            if change > 0:  # the first change of this stage
                self.contraction = 2 * ahead / change**2
            if not ahead > 3 * self.tol:
                break
            rho, change = new, 0.0
        return point, rho

    def _crossed(self, point: Point) -> Any:
        """Mask of the neurons that crossed a data point and are not stuck on one; None where breakpoints do not move."""
        if not self.assembly.all_layers:
            return None
        crossed = self.assembly.pattern.crossed(point.theta[0], point.theta[1])
        if len(self.assembly.contacts):
            crossed[self.assembly.contacts.neurons] = False
        return crossed

    def _jump(self, theta: Any, crossed: Any) -> Any:
        """What the crossing changes in f(x): its value with the patterns of now, minus that with those before."""
        pattern = self.assembly.pattern
        if crossed is None or not bool(self.xp.any(crossed)):
            return 0.0 * pattern.x
        where = self.xp.nonzero(crossed)[0]
        w, b, a = theta[0, where], theta[1, where], theta[2, where]
        change = pattern.slopes[pattern.of(w, b)] - pattern.slopes[pattern.number[where]]
        return pattern.x * ((a * w) @ change) - (a * b) @ change

    def _parameter_error(self, point: Point, weights: np.ndarray, stiff: Any, gain: float, crossed: Any) -> float:
        """Error in the parameters, the root mean square over neurons relative to the displacement.

        The weights and biases of neurons that crossed are left out: their rates jump, no order of accuracy can be
        measured there, and their effect on f is measured as such.
        """
        assembly, xp = self.assembly, self.xp
        assembly.pull(point.theta, stiff, self.base)
        rows, factors = [*self.rows, point.step], [*weights[:3].tolist(), float(weights[3]) / gain]  # step = gain * row
        wrong, moved = 0.0 * point.dual[:, 0], 0.0 * point.dual[:, 0]
        for block, _ in assembly.pattern.blocks:
            error = factors[0] * rows[0][:, block]
            error -= self.base[:, block]
            for w, row in zip(factors[1:], rows[1:], strict=True):
                error += w * row[:, block]
            error *= point.inverse_hessian[:, block]
            if crossed is not None and bool(xp.any(crossed[block])):
                error[:2] *= xp.astype(~crossed[block], xp.float64)
            displacement = point.theta[assembly.moving, block] - assembly.center[assembly.moving, block]
            wrong, moved = wrong + xp.vecdot(error, error), moved + xp.vecdot(displacement, displacement)
        wrong, moved = xp.sqrt(assembly.unit**2 * wrong), xp.sqrt(moved)
        # a first layer that hardly moves need not be resolved relative to itself
        scale = xp.maximum(moved, 1e-3 * moved[-1])
        return float(xp.max(xp.where(scale > 0, wrong / xp.where(scale > 0, scale, scale + 1.0), wrong)))


def _combination(weights: list[float], vectors: list[Any]) -> Any:
    total = weights[0] * vectors[0]
    for w, vector in zip(weights[1:], vectors[1:], strict=True):
        total = total + w * vector
    return total
