"""Implicit bias of training, solved exactly: potentials, dual equations, wide networks and their limits.

The core needs NumPy and SciPy only; torch, matplotlib and the widgets load when they are used. To read it in an
afternoon: ``potentials``, ``dual``, ``laws``, ``wide``, ``training``, each beginning with its ``__init__``.
"""

import importlib
import sys

from . import activations, dual, experiments, factorized, linear, potentials, splines, training, wide
from .dual import DualSolution, FiniteColumns, dual_flow, solve_dual
from .errors import ConvergenceError
from .experiments import SweepError, SweepTable, rates, report, sweep
from .laws import Initialization, initialization
from .potentials import (
    CoshPotential,
    CustomPotential,
    EntropyPotential,
    HypentropyPotential,
    PNormPotential,
    Potential,
    PowerPotential,
    QuadraticPotential,
    Scaled,
)
from .training import LinearizedLimit, ShallowNetwork, TrainingRun, mirror_descent, mirror_flow, training_limit
from .training import network as networks
from .wide import WideLimit, WidePath, limit_kernel, wide_flow, wide_limit

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
    "activations",
    "dual",
    "dual_flow",
    "experiments",
    "factorized",
    "limit_kernel",
    "linear",
    "mirror_descent",
    "mirror_flow",
    "potentials",
    "rates",
    "report",
    "solve_dual",
    "splines",
    "sweep",
    "training",
    "training_limit",
    "wide",
    "wide_flow",
    "wide_limit",
]

_LATE = ("demos", "plotting", "torch")
"""What needs matplotlib, widgets or torch, loaded when it is first used."""

# Places from which these could be imported before they moved.
sys.modules |= {
    f"{__name__}.initialization": initialization,
    f"{__name__}.networks": networks,
    f"{__name__}.rates": rates,
    f"{__name__}.sweep": sys.modules[f"{__name__}.experiments.sweep"],
}


def __getattr__(name: str) -> object:
    if name in _LATE:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *_LATE, "__version__"])
