"""Implicit bias of training, solved exactly: potentials, dual equations, wide networks and their limits.

The core needs NumPy and SciPy only; torch, matplotlib and the widgets load when they are used.
"""

from __future__ import annotations

import importlib

from . import factorized, linear, rates, splines
from .custom_potential import CustomPotential
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
from .sweep import SweepError, SweepTable, sweep
from .training import TrainingRun, mirror_descent, mirror_flow
from .wide import WideLimit, limit_kernel, wide_limit
from .wide_path import WidePath, wide_flow

__version__ = "0.1.0"

__all__ = [
    "ConvergenceError",
    "CoshPotential",
    "CustomPotential",
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
    "SweepError",
    "SweepTable",
    "TrainingRun",
    "WideLimit",
    "WidePath",
    "dual_flow",
    "factorized",
    "limit_kernel",
    "linear",
    "mirror_descent",
    "mirror_flow",
    "rates",
    "solve_dual",
    "splines",
    "sweep",
    "training_limit",
    "wide_flow",
    "wide_limit",
]


def __getattr__(name: str) -> object:
    """Load what needs matplotlib, widgets or torch when it is first used."""
    if name in {"plotting", "demos", "torch"}:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
