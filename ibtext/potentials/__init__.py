r"""Potentials :math:`\varphi` and everything that follows from one: gradient, inverse gradient, Hessian, conjugate, divergence.

Read ``base`` first (what a potential is, and what its derivative alone gives), then ``catalogue`` (the closed ones) and
``custom`` (the reader's own). ``inverse`` inverts increasing functions, ``power_table`` starts it for powers, and
``divergences`` holds divergences in forms that do not cancel.
"""

from .base import Potential, Scaled
from .catalogue import (
    CoshPotential,
    EntropyPotential,
    HypentropyPotential,
    PNormPotential,
    PowerPotential,
    QuadraticPotential,
)
from .custom import CustomPotential

__all__ = [
    "CoshPotential",
    "CustomPotential",
    "EntropyPotential",
    "HypentropyPotential",
    "PNormPotential",
    "Potential",
    "PowerPotential",
    "QuadraticPotential",
    "Scaled",
]
