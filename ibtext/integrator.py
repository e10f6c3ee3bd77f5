r"""The flow of all parameters in dual coordinates, and a stiff integrator that exploits its structure.

In the dual variable :math:`z = \nabla\Phi(\theta)`, coordinatewise :math:`z = \varphi_n'(\theta - \theta_0)`,
mirror flow reads

.. math:: z' = \tfrac1n J(\theta)^T r, \qquad r = y - f(x, \theta), \qquad \theta = \theta_0 + (\varphi_n')^{-1}(z).

For a scaled potential the book writes the dual variable as n z.

The flow is stiff: the kernel :math:`H = \frac1n J D J^T`, :math:`D = 1/\varphi_n''`, has eigenvalues that spread over many
orders of magnitude and shrink along the way, so explicit steps of the size that is stable at the start, gradient
descent included, need up to millions of passes. But the stiffness lives in M dimensions: the Jacobian of the right side is
:math:`-\frac1n J^T J D` plus a small non-stiff part (the first layer's motion). A linearly implicit Runge-Kutta
method that tolerates an inexact Jacobian (a W-method) needs M x M systems only.

The method is ROS34PW2 of Rang and Angermann (2005): four stages, order three for every approximation of the
Jacobian, L-stable and stiffly accurate, with an embedded method of order two for the step size.

The activation has a kink, so the right side jumps when a breakpoint crosses a data point; solutions are
understood in the sense of Filippov (differential inclusion).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from array_api_compat import array_namespace

from .errors import check_choice
from .networks import ShallowNetwork, TangentMap
from .potentials import Potential, QuadraticPotential, Scaled
from .sliding import Contacts

__all__ = ["LAYERS", "MirrorProblem", "Step", "check_network", "potential_at"]

LAYERS = ("all", "output")

# ROS34PW2 (Rang and Angermann 2005, BIT 45, 761-787): stage points ALPHA, coupling GAMMA, weights B, embedded B_HAT
_DIAGONAL = 4.3586652150845900e-01
_ALPHA = np.array(
    [
        [0.0, 0.0, 0.0],
        [8.7173304301691801e-01, 0.0, 0.0],
        [8.4457060015369423e-01, -1.1299064236484185e-01, 0.0],
        [0.0, 0.0, 1.0],
    ]
)
_GAMMA = np.array(
    [
        [0.0, 0.0, 0.0],
        [-8.7173304301691801e-01, 0.0, 0.0],
        [-9.0338057013044082e-01, 5.4180672388095326e-02, 0.0],
        [2.4212380706095346e-01, -1.2232505839045147e00, 5.4526025533510214e-01],
    ]
)
_B = np.array([2.4212380706095346e-01, -1.2232505839045147e00, 1.5452602553351020e00, 4.3586652150845900e-01])
_B_HAT = np.array([3.7810903145819369e-01, -9.6042292212423178e-02, 0.5, 2.1793326075422950e-01])


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
            self.center = ShallowNetwork(**center, activation=net.activation).flat
        displacement = theta - self.center
        self.start = self.phi.gradient(displacement)
        hessian = self.phi.hessian(displacement)
        if not bool(self.xp.all(self.xp.isfinite(hessian) & (hessian > 0))):
            raise ValueError(
                f"mirror flow needs a potential whose second derivative at the start is positive and finite, but "
                f"{potential} has none there, probably because phi''(0) is 0 or infinite; add a quadratic term, as in "
                f"PowerPotential(p, omega)."
            )

        self.contacts = Contacts(self.tangent, self._inverse_hessian_at)

    def theta(self, z: Any) -> Any:
        return self.center + self.phi.inverse_gradient(z)

    def _inverse_hessian_at(self, theta: Any, indices: Any) -> Any:
        return 1 / self.phi.hessian(theta[indices] - self.center[indices])

    def metric(self, theta: Any) -> Any:
        """D = 1/phi'' of every parameter, 0 for the frozen ones."""
        metric = 1 / self.phi.hessian(theta - self.center)
        if self.layers == "output":
            metric[: 2 * self.n] = 0.0
            metric[3 * self.n] = 0.0
        return metric

    def field(self, theta: Any, r: Any) -> Any:
        """The right side of the flow, z' = J^T r / n."""
        return self.contacts.pull(theta, r) / self.n


def _rms(v: Any, xp: Any) -> float:
    return float(xp.sqrt(xp.mean(v * v)))


class Step:
    """Steps of the W-method from one state (z, theta), with the kernel factorised once."""

    def __init__(self, problem: MirrorProblem, z: Any, theta: Any, residual: Any) -> None:
        self.problem, self.z, self.theta, self.residual = problem, z, theta, residual
        self.metric = problem.metric(theta)
        self.kernel = problem.contacts.kernel(theta, self.metric) / problem.n
        self.slope = problem.field(theta, residual)
        self.values, self.vectors = problem.xp.linalg.eigh(self.kernel)

    def attempt(self, h: float, y: Any) -> tuple[Any, Any, float]:
        """Return the new z, the error estimate in z, and the largest error estimate in f(x)."""
        problem, tangent, xp = self.problem, self.problem.tangent, self.problem.xp
        shrink = 1 / (1 + h * _DIAGONAL * xp.clip(self.values, 0.0, None))
        slopes, corrections, pushed = [], [], []
        for i in range(4):
            if i == 0:
                slope = self.slope
            else:
                point = problem.theta(self.z + h * self._combine(_ALPHA[i, :i], slopes, corrections))
                slope = problem.field(point, y - tangent.value(point))
            image = problem.contacts.push(self.theta, self.metric * slope)
            coupling = sum((float(_GAMMA[i, j]) * pushed[j] for j in range(i)), 0.0 * self.residual)
            right = image - h * (self.kernel @ coupling)
            q = self.vectors @ (shrink * (self.vectors.T @ right))
            slopes.append(slope)
            pushed.append(q)
            corrections.append(h * (coupling + _DIAGONAL * q))
        new = self.z + h * self._combine(_B, slopes, corrections)
        difference = _B - _B_HAT
        error = h * self._combine(difference, slopes, corrections)
        image = h * sum(float(difference[j]) * pushed[j] for j in range(4))
        return new, error, float(xp.max(xp.abs(image)))

    def _combine(self, weights: np.ndarray, slopes: list, corrections: list) -> Any:
        """Sum of weights * k with k_j = slope_j - J^T correction_j / n, by a single pull."""
        terms = [(float(w), s, c) for w, s, c in zip(weights, slopes, corrections, strict=True) if w]
        total = sum((w * c for w, _, c in terms), 0.0 * self.residual)
        out = self.problem.contacts.pull(self.theta, total) * (-1 / self.problem.n)
        for w, s, _ in terms:
            out = out + w * s
        return out

    def parameter_error(self, error: Any, displacement: Any, crossed: Any) -> float:
        """Error in the parameters, root mean square over neurons, relative to their displacement.

        The weights and biases of neurons that crossed a data point are left out: their rates jump, no order of
        accuracy can be measured there, and their effect on f is part of the error in f.
        """
        problem, xp, n = self.problem, self.problem.xp, self.problem.n
        error = self.metric * error
        output = _rms(displacement[2 * n : 3 * n], xp)
        worst = _rms(error[2 * n : 3 * n], xp) / output if output > 0 else 0.0
        if problem.layers == "all":
            smooth = xp.astype(~crossed, xp.float64)
            for k in (0, n):
                # a first layer that hardly moves need not be resolved relative to itself
                scale = max(_rms(displacement[k : k + n], xp), 1e-3 * output)
                worst = max(worst, _rms(smooth * error[k : k + n], xp) / scale if scale > 0 else 0.0)
        return worst
