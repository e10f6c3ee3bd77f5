r"""Potentials :math:`\varphi` and everything that follows from one: gradient, inverse gradient, Hessian, conjugate, divergence.

Read ``base`` first (what a potential is, and what follows from three methods), then ``catalogue`` (the closed ones),
``custom`` (the reader's own) and ``scaled`` (scaled with the width of a network). What makes them exact stands beside:
``inverse`` inverts increasing functions, ``power_table`` starts it for powers, ``divergences`` has forms that do not cancel,
``derivative`` differentiates functions, ``arrays`` reads NumPy's and torch's arrays.
"""

from .base import Potential
from .catalogue import (
    CoshPotential,
    EntropyPotential,
    HypentropyPotential,
    PNormPotential,
    PowerPotential,
    QuadraticPotential,
)
from .custom import CustomPotential
from .scaled import Scaled

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
