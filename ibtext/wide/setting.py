"""From a user's setting to the columns of an infinitely wide network: what the theory covers, and what it does not.

The initialization becomes the ``law`` of a ``SignRule`` or a ``PolarRule``, and the columns ask that rule for its nodes at every
step of Newton's method. To see the nodes, read on in ``sign_rule.py``: the solver between adds nothing to them.
"""

import numpy as np

from ..activations import AnyActivation, get_activation
from ..errors import shortened
from ..laws import Initialization
from ..numerics.arrays import Array
from ..potentials import Potential, QuadraticPotential, Scaled
from .columns import WideColumns
from .elements import Elements
from .polar_rule import PolarRule
from .relu_powers import ReluPowers
from .rule import Rule
from .sign_rule import SignRule
from .two_slopes import TwoSlopes

__all__ = ["check_setting", "limit_potential", "make_rule", "wide_columns"]


def limit_potential(potential: Potential | Scaled | None) -> Potential:
    """The potential that acts on alpha in the limit."""
    if potential is None:
        return QuadraticPotential(0.5)  # gradient flow
    if isinstance(potential, Scaled):
        phi = potential.phi
        if not phi.domain[0] < 0 < phi.domain[1]:
            raise ValueError(
                f"a scaled potential acts on displacements around 0, but {phi} lives on {phi.domain}, probably because "
                f"it was meant for positive parameters; use HypentropyPotential instead."
            )
    elif isinstance(potential, Potential):
        phi = potential
    else:
        raise TypeError(
            f"potential must be a potential or Scaled(potential), but {shortened(potential)} was given, probably a name, a "
            f"plain function or a class without its brackets; pass for instance potential=Scaled(PowerPotential(p=3))."
        )
    low, high = phi.domain
    at_zero = float(phi.hessian(0.0)) if low < 0 < high else float("nan")
    if not (np.isfinite(at_zero) and at_zero > 0):
        raise ValueError(
            f"the limit of wide networks needs a potential with 0 < phi''(0) < infinity, but {phi} has phi''(0) = "
            f"{at_zero:g}, probably because it is a pure power or an entropy; add a quadratic term, as in "
            f"PowerPotential(p, omega) with p of at least 2."
        )
    return phi if isinstance(potential, Scaled) else QuadraticPotential(at_zero / 2)


def check_setting(x: Array, activation: str | AnyActivation, initialization: Initialization) -> AnyActivation:
    """Check activation, law and inputs; ``ValueError`` or ``TypeError`` for what the theory does not cover."""
    act = get_activation(activation)
    if not isinstance(initialization, Initialization):
        raise TypeError(
            f"initialization must be an Initialization, but {initialization!r} was given; pass for instance "
            f"Initialization(bias=stats.uniform(-1, 2))."
        )
    initialization.check(act.degree)
    if initialization.signs:
        low, high = initialization.support
        outside = (x < low) | (x > high)
        if outside.any():
            raise ValueError(
                f"inputs must lie in the support [{low:g}, {high:g}] of the bias law, but x = {float(x[outside][0]):g} does not, "
                f"probably because the data were not rescaled; widen the law of the bias or shrink the inputs."
            )
    return act


def make_rule(x: Array, initialization: Initialization, degree: int) -> Rule:
    """The quadrature over the law of (w, b) on the elements of sorted inputs x, for activations of a degree."""
    elements = Elements(x)
    if initialization.signs:
        return SignRule(elements, law=initialization, degree=degree)
    return PolarRule(elements, law=initialization, degree=degree)


def wide_columns(
    x: Array,
    activation: str | AnyActivation,
    initialization: Initialization,
    potential: Potential | Scaled | None,
    *,
    free_affine: bool = False,
) -> WideColumns:
    """The columns of a problem with sorted inputs x."""
    phi = limit_potential(potential)
    act = check_setting(x, activation, initialization)
    rule, scaled = make_rule(x, initialization, act.degree), isinstance(potential, Scaled)
    if act.degree == 1:
        return TwoSlopes(act, rule, phi, scaled=scaled, free_affine=free_affine)
    return ReluPowers(act, rule, phi, scaled=scaled, free_affine=free_affine)
