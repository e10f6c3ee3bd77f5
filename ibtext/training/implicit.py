r"""The flow of all parameters in dual coordinates, and a stiff integrator that exploits its structure.

In the dual variable :math:`z = \nabla\Phi(\theta)`, coordinatewise :math:`z = \varphi_n'(\theta - \theta_0)`,
mirror flow reads

.. math:: z' = \tfrac1n J(\theta)^T r, \qquad r = y - f(x, \theta), \qquad \theta = \theta_0 + (\varphi_n')^{-1}(z).

For a scaled potential the book writes the dual variable as n z.

The flow is stiff: the kernel :math:`H = \frac1n J D J^T`, :math:`D = 1/\varphi_n''`, has eigenvalues that spread over many
orders of magnitude and shrink along the way, so explicit steps of the size that is stable at the start, gradient
descent included, need up to millions of passes. But the stiffness lives in M dimensions: an implicit stage

.. math:: z = b + \tfrac{h\gamma}{n} J(\theta)^T \rho, \qquad \rho = y - f(x, \theta)

has the M unknowns :math:`\rho`, and Newton's method for it needs the M x M system :math:`I + h\gamma H` only (the dual
equation of ``ibtext.dual`` again, with a ridge :math:`1/(h\gamma)`, while J stands still). One sweep over the neurons
follows J, evaluates f, H and what the linearisation needs.

The method is ESDIRK3(2)4L[2]SA of Kennedy and Carpenter (2003): one explicit and three implicit stages, order three,
L-stable and stiffly accurate, with an embedded method of order two for the step size.

The activation has a kink, so the right side jumps when a breakpoint crosses a data point; solutions are
understood in the sense of Filippov (differential inclusion). Within a step each neuron keeps its activation pattern
(``activation_pattern``); the error that this makes where a breakpoint crosses is measured and kept within the tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from ..activations import Activation, get_activation
from ..errors import check_choice
from ..potentials import Potential, QuadraticPotential, Scaled
from .assembly import Assembly, Point
from .network import ShallowNetwork, TangentMap

__all__ = ["LAYERS", "ImplicitStep", "MirrorProblem", "check_displaceable", "check_network", "potential_at"]

LAYERS = ("all", "output")

# ESDIRK3(2)4L[2]SA (Kennedy and Carpenter 2003, Applied Numerical Mathematics 44, 139-181)
_DIAGONAL = 1767732205903 / 4055673282236
_STAGES = np.array(
    [
        [0.0, 0.0, 0.0],
        [_DIAGONAL, 0.0, 0.0],
        [2746238789719 / 10658868560708, -640167445237 / 6845629431997, 0.0],
        [1471266399579 / 7840856788654, -4482444167858 / 7529755066697, 11266239266428 / 11593286722821],
    ]
)
_B = np.array([*_STAGES[3], _DIAGONAL])
_B_HAT = np.array(
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


def check_network(net: Any) -> None:
    """Refuse anything but a ``ShallowNetwork``."""
    if not isinstance(net, ShallowNetwork):
        raise TypeError(
            f"net must be a ShallowNetwork, but {type(net).__name__} was given, probably a torch module; use "
            f"ShallowNetwork.sample or build one from its parameter arrays."
        )


def potential_at(potential: Potential | Scaled | None, n: int) -> Potential:
    if potential is None:
        return QuadraticPotential(0.5)
    if isinstance(potential, Scaled):
        return potential.at_width(n)
    if isinstance(potential, Potential):
        return potential
    raise TypeError(
        f"potential must be a potential or Scaled(potential), but {type(potential).__name__} was given, probably a plain "
        f"function; pass for instance potential=PowerPotential(p=3)."
    )


def check_displaceable(potential: Any, phi: Potential, lowest: float, highest: float) -> None:
    """Refuse a potential whose domain does not hold the displacements at the start."""
    low, high = (potential.phi if isinstance(potential, Scaled) else phi).domain
    if not low < lowest <= highest < high:
        raise ValueError(
            f"a potential acts on displacements from its centre, but {potential} lives on ({low:g}, {high:g}) and a "
            f"displacement at the start is {lowest if lowest <= low else highest:g}, probably because it was meant for "
            f"positive parameters; use HypentropyPotential, or pass center= to mirror_flow."
        )


class MirrorProblem:
    """The flow in dual coordinates: theta(z), its metric, and where it starts."""

    def __init__(self, net: ShallowNetwork, x: Any, potential: Any, layers: str, center: Any) -> None:
        check_network(net)
        self.n, self.layers = net.width, check_choice("layers", layers, LAYERS)
        self.xp = array_namespace(net.weight)
        self.tangent: TangentMap = net.tangent(x, layers)
        self.phi = potential_at(potential, net.width)
        theta = net.flat
        if center is None:
            self.center = theta
        else:
            if not isinstance(center, dict) or set(center) != set(net.parameters):
                names = sorted(center) if isinstance(center, dict) else type(center).__name__
                raise ValueError(
                    f"center must hold the parameters {', '.join(net.parameters)}, but {names} was given, probably a "
                    f"misspelt name or a network; pass for instance center=other.parameters."
                )
            self.center = ShallowNetwork(**center, activation=net.activation).flat
        displacement = theta - self.center
        check_displaceable(potential, self.phi, float(self.xp.min(displacement)), float(self.xp.max(displacement)))
        self.start = self.phi.gradient(displacement)
        hessian = self.phi.hessian(displacement)
        if not bool(self.xp.all(self.xp.isfinite(hessian) & (hessian > 0))):
            raise ValueError(
                f"mirror flow needs a potential whose second derivative at the start is positive and finite, but "
                f"{potential} has none there, probably because phi''(0) is 0 or infinite; add a quadratic term, as in "
                f"PowerPotential(p, omega)."
            )

        self.activation, self.potential = get_activation(net.activation), potential
        self.first = theta

    def assembly(self) -> Assembly:
        """The sweeps of this problem."""
        if not isinstance(self.activation, Activation):
            raise ValueError(
                f"mirror_flow trains networks whose activation has two slopes, but {self.activation.name!r} was given, "
                f"probably because wide_limit takes it; use mirror_descent, or activation='relu'."
            )
        phi, unit = (self.potential.phi, 1 / self.n) if isinstance(self.potential, Scaled) else (self.phi, 1.0)
        everything = self.layers == "all"
        return Assembly(self.tangent.x, self.activation, phi, unit, self.first, self.center, all_layers=everything)

    def theta(self, z: Any) -> Any:
        """Parameters of a dual state."""
        return self.center + self.phi.inverse_gradient(z)

    def metric(self, theta: Any) -> Any:
        """D = 1/phi'' of every parameter, 0 for the frozen ones."""
        metric = 1 / self.phi.hessian(theta - self.center)
        if self.layers == "output":
            metric[: 2 * self.n] = 0.0
            metric[3 * self.n] = 0.0
        return metric


@dataclass
class Trial:
    """A trial step: the point reached, the largest error estimate relative to the tolerance, and who crossed.

    ``point`` is None where Newton's method did not find a stage.
    """

    point: Point | None
    ratio: float
    crossed: Any = None


class ImplicitStep:
    """Steps from one point; the explicit first stage is shared by all trials."""

    def __init__(self, assembly: Assembly, point: Point, y: Any) -> None:
        self.assembly, self.point, self.y, self.xp = assembly, point, y, assembly.xp
        self.residual = y - point.value
        self.tangents, self.base = assembly.stages, assembly.base
        _, self.shift = assembly.pull(point.theta, self.residual, self.tangents[0])

    def _solve(self, gain: float, kernel: Any, right: Any) -> Any:
        """(I + gain H)^{-1} right, with H = J D J^T / n; also where the identity is lost in rounding."""
        values, vectors = self.xp.linalg.eigh((gain / self.assembly.n) * kernel)
        return vectors @ ((vectors.T @ right) / (1 + self.xp.clip(values, 0.0, None)))

    def attempt(self, h: float, rtol: float, size: float) -> Trial:
        """Try a step of length h with local error ``rtol``, relative to ``size`` in f."""
        xp, first, assembly = self.xp, self.point, self.assembly
        n, rate = assembly.n, assembly.rate
        shifts, residuals = [self.shift], [self.residual]
        gain = h * _DIAGONAL
        tol = max(NEWTON_TOLERANCE * rtol, 1e-14) * size
        point = None
        for i in range(1, 4):
            weights = [h * float(w) for w in _STAGES[i, :i]]
            base = assembly.combine(first.dual, [rate * w for w in weights], self.tangents[:i], self.base)
            shift = first.dual_shift + rate * sum(w * s for w, s in zip(weights, shifts, strict=True))
            # J hardly moves within a step, so the linear prediction needs M dimensions only
            known = sum((w * r for w, r in zip(weights, residuals, strict=True)), 0.0 * self.residual)
            guess = self._solve(gain, first.kernel, self.residual - (first.kernel @ known) / n)
            found = self._stage(base, shift, gain, guess, tol)
            if found is None:
                return Trial(None, float("inf"))
            point, rho, change = found
            if i < 3:
                shifts.append(assembly.pull(point.theta, rho, self.tangents[i])[1])
                assembly.release(point)
            else:
                point, rho = self._finish(point, rho, base, shift, gain, change, tol)
            residuals.append(rho)
        assert point is not None
        if not bool(xp.all(xp.isfinite(point.value)) & xp.all(xp.isfinite(point.kernel))):
            assembly.release(point)
            return Trial(None, float("inf"))
        difference = _B - _B_HAT
        q = sum((float(d) * r for d, r in zip(difference, residuals, strict=True)), 0.0 * self.residual)
        filtered = self._solve(gain, point.kernel, q)
        in_f = (h / n) * (point.kernel @ filtered)
        in_theta, crossed, jump = self._parameter_error(point, h * rate * difference, h * rate * (q - filtered), gain * rate)
        ratio = max(float(xp.max(xp.abs(in_f))) / size, float(xp.max(xp.abs(jump))) / size, in_theta) / rtol
        if not ratio <= 1:
            assembly.release(point)
        return Trial(point, ratio if np.isfinite(ratio) else float("inf"), crossed)

    def _stage(self, base: Any, shift: float, gain: float, rho: Any, tol: float) -> tuple[Point, Any, float] | None:
        """Damped Newton: the last point evaluated, the multiplier that solves the stage from there, and the size of
        the only change if there was one, else 0."""
        xp, c, assembly = self.xp, gain * self.assembly.rate, self.assembly
        point, step, defect, last = self.point, None, float("inf"), 0.0
        for _ in range(NEWTON_SWEEPS):
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                trial = assembly.advance(point, rho, base, shift, c, keep=False)
                found = float(xp.linalg.vector_norm(self.y - trial.value - rho))
            if step is not None and not found < (1 - 1e-4) * defect:
                assembly.release(trial)
                step, last = step / 2, 0.0
                rho = rho - step
                continue
            if point is not self.point:
                assembly.release(point)
            point = trial
            if not np.isfinite(found):
                break
            new = self._solve(gain, point.kernel, self.y - point.value + point.pushed)
            step, rho, defect = new - rho, new, found
            change = float(xp.max(xp.abs(step)))
            # what the next change would be: quadratic convergence as in the step before, or no better than so far
            ahead = assembly.curvature * change**2 if last == 0 else change * change / last
            if last > 0:
                assembly.curvature = 2 * change / last**2
            if min(change, ahead) <= tol:
                return point, rho, change if last == 0 else 0.0
            last = change
        if point is not self.point:
            assembly.release(point)
        return None

    def _finish(
        self, point: Point, rho: Any, base: Any, shift: float, gain: float, change: float, tol: float
    ) -> tuple[Point, Any]:
        """The end of the step, assembled in full; Newton goes on there if it was stopped too early."""
        xp, assembly = self.xp, self.assembly
        for _ in range(NEWTON_SWEEPS):
            final = assembly.advance(point, rho, base, shift, gain * assembly.rate)
            assembly.release(point)
            point, defect = final, self.y - final.value - rho
            new = self._solve(gain, point.kernel, defect + rho + point.pushed)
            ahead = float(xp.max(xp.abs(new - rho)))
            if change > 0:  # the first change of this stage
                assembly.curvature = 2 * ahead / change**2
            if not ahead > 3 * tol:
                break
            rho, change = new, 0.0
        return point, rho

    def _parameter_error(self, point: Point, weights: np.ndarray, multiplier: Any, c: float) -> tuple[float, Any, Any]:
        """Error in the parameters; the neurons that crossed a data point; what their crossing changes in f(x).

        The error is the root mean square over neurons, relative to the displacement. The weights and biases of
        neurons that crossed are left out: their rates jump, no order of accuracy can be measured there, and their
        effect on f is measured as such.
        """
        assembly, xp = self.assembly, self.xp
        pattern, theta = assembly.pattern, point.theta
        stiff, _ = assembly.pull(theta, multiplier, self.base)
        crossed, jump = None, 0.0 * pattern.x
        if assembly.all_layers:
            crossed = pattern.crossed(theta[0], theta[1])
            if len(assembly.contacts):
                crossed[assembly.contacts.neurons] = False
            jump = self._jump(theta, crossed)
        wrong, moved = 0.0 * point.dual[:, 0], 0.0 * point.dual[:, 0]
        stages = [*self.tangents[:3], point.tangent]
        factors = [*weights[:3].tolist(), float(weights[3]) / c]  # the last stage is kept as its step c J^T rho
        for block, _ in pattern.blocks:
            error = factors[0] * stages[0][:, block]
            error -= stiff[:, block]
            for w, rows in zip(factors[1:], stages[1:], strict=True):
                error += w * rows[:, block]
            error *= point.metric[:, block]
            if crossed is not None and bool(xp.any(crossed[block])):
                error[:2] *= xp.astype(~crossed[block], xp.float64)
            displacement = theta[assembly.moving, block] - assembly.center[assembly.moving, block]
            wrong = wrong + xp.vecdot(error, error)
            moved = moved + xp.vecdot(displacement, displacement)
        wrong = assembly.unit**2 * wrong
        wrong, moved = (xp.sqrt(v) for v in (wrong, moved))
        # a first layer that hardly moves need not be resolved relative to itself
        scale = xp.maximum(moved, 1e-3 * moved[-1])
        return float(xp.max(xp.where(scale > 0, wrong / xp.where(scale > 0, scale, scale + 1.0), wrong))), crossed, jump

    def _jump(self, theta: Any, crossed: Any) -> Any:
        """f with the patterns that neurons have now, minus f with those they had."""
        pattern, where = self.assembly.pattern, self.xp.nonzero(crossed)[0]
        if not where.shape[0]:
            return 0.0 * pattern.x
        w, b, a = theta[0, where], theta[1, where], theta[2, where]
        change = pattern.slopes[pattern.of(w, b)] - pattern.slopes[pattern.number[where]]
        return pattern.x * ((a * w) @ change) - (a * b) @ change
