"""From a user's setting to the columns of an infinitely wide network: what the theory covers, and what it does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..activations import Activation, AnyActivation, get_activation
from ..errors import shortened
from ..laws import Initialization
from ..laws.joint import check_law
from ..potentials import Potential, QuadraticPotential, Scaled
from .hat_basis import HatBasis
from .polar_rule import PolarRule
from .relu_powers import PowerColumns
from .sign_rule import SignRule
from .two_slopes import WideColumns

__all__ = ["check_setting", "limit_potential", "make_rule", "wide_columns"]

Array = npt.NDArray[np.float64]


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


def check_setting(x: Array, activation: Any, initialization: Any) -> AnyActivation:
    """Check activation, law and inputs; ``ValueError`` or ``TypeError`` for what the theory does not cover."""
    act = get_activation(activation)
    if not isinstance(initialization, Initialization):
        raise TypeError(
            f"initialization must be an Initialization, but {initialization!r} was given, probably a name, a bare law or "
            f"a forgotten argument; pass Initialization(bias=stats.uniform(-1, 2))."
        )
    if act.degree not in initialization._approved:  # the checks of a law cost more than a small problem
        check_law(initialization, act.degree)
        initialization._approved.add(act.degree)
    if initialization.signs:
        low, high = initialization.support
        outside = (x < low) | (x > high)
        if outside.any():
            bad = float(x[outside][0])
            raise ValueError(
                f"inputs must lie in the support [{low:g}, {high:g}] of the bias law, but x = {bad:g} does not, probably "
                f"because the data were not rescaled; widen the law of the bias or shrink the inputs."
            )
    return act


def make_rule(hats: HatBasis, initialization: Initialization, degree: int = 1) -> SignRule | PolarRule:
    """The quadrature over the law of (w, b), for activations of a degree."""
    if initialization.signs:
        return SignRule(hats, initialization.density, initialization.knots(degree), constant=initialization._uniform_density)
    return PolarRule(hats, initialization.joint, degree)


def wide_columns(
    x: Array,
    activation: str | AnyActivation,
    initialization: Initialization,
    potential: Potential,
    *,
    free_affine: bool = False,
) -> WideColumns | PowerColumns:
    """The columns of a problem with sorted inputs x."""
    act = check_setting(x, activation, initialization)
    if free_affine and x.size < 2:
        raise ValueError(
            "free_affine needs at least two data points, but one was given, probably a test case; add a point or "
            "leave free_affine=False."
        )
    hats = HatBasis(x)
    if not isinstance(act, Activation):
        if free_affine:
            raise ValueError(
                f"free_affine belongs to activations with two slopes, but {act.name!r} was given, probably to remove a "
                f"polynomial; leave free_affine=False, since a power of relu has a free part of higher degree."
            )
        return PowerColumns(hats, act, make_rule(hats, initialization, act.degree), potential)
    return WideColumns(hats, act, make_rule(hats, initialization), potential, free_affine=free_affine)
