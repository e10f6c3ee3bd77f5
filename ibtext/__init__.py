"""Implicit bias of training, solved exactly: potentials, dual equations, wide networks and their limits.

The core needs NumPy and SciPy only; torch, matplotlib and the widgets load when they are used.
"""

from __future__ import annotations

import importlib

from . import rates
from .dual import DualSolution, FiniteColumns, dual_flow, solve_dual
from .errors import ConvergenceError
from .initialization import Initialization
from .linearized import LinearizedLimit, training_limit
from .networks import ShallowNetwork
from .potentials import (
    CoshPotential,
    EntropyPotential,
    HypentropyPotential,
    PNormPotential,
    Potential,
    PowerPotential,
    QuadraticPotential,
    Scaled,
)
from .training import TrainingRun, mirror_descent, mirror_flow
from .wide import WideLimit, WidePath, limit_kernel, wide_flow, wide_limit

__version__ = "0.1.0"

__all__ = [
    "ConvergenceError",
    "CoshPotential",
    "DualSolution",
    "EntropyPotential",
    "FiniteColumns",
    "HypentropyPotential",
    "Initialization",
    "LinearizedLimit",
    "PNormPotential",
    "Potential",
    "PowerPotential",
    "QuadraticPotential",
    "Scaled",
    "ShallowNetwork",
    "TrainingRun",
    "WideLimit",
    "WidePath",
    "dual_flow",
    "limit_kernel",
    "mirror_descent",
    "mirror_flow",
    "rates",
    "solve_dual",
    "training_limit",
    "wide_flow",
    "wide_limit",
]


def __getattr__(name: str) -> object:
    """Load the figure style and the demos when they are first used: they alone need matplotlib and widgets."""
    if name in {"plotting", "demos"}:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
