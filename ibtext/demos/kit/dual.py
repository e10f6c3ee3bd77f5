"""The dual engine: the book's equation solved in the browser.

Why a second engine exists.  The curvature profile of an infinitely wide network under |x|^p + omega x^2 rises from each of
its zeros like |c - c_0|^(1/(p-1)), and the zeros move with p, omega, the bias range and every label.  Between the nodes of
a table such a front is smeared over the distance it travels: ``tests/demos/test_dual_engine.py`` measures the error of a
17 x 17 table of the curvature over p and omega alone, with nothing else moving, and records that it misses the 0.5 % that
a table must reach.  Draggable labels would add five more dimensions.  The equation itself has five unknowns, and Newton's
method solves it in the browser to rounding error in about a millisecond; so there it is solved.

This module is the Python side: what the engine is asked for, computed by :func:`ibtext.wide_limit`.  The browser's side is
``frontend/src/engines/dual.js``, written independently; the tests compare the two on the built page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from ...laws import Initialization
from ...potentials import PowerPotential, QuadraticPotential, Scaled
from ...wide import WideLimit, wide_limit
from .declaration import demand
from .engines import Engine
from .layers import Panel


def limit(problem: Mapping[str, Any], parameters: Mapping[str, Any]) -> WideLimit:
    """Return the infinite-width limit that a problem describes at a setting, by :func:`ibtext.wide_limit`."""
    known = {k: parameters[v] if isinstance(v, str) else v for k, v in problem.items()}
    a, p, omega = float(known["half_width"]), float(known["p"]), float(known["omega"])
    # at p = 2 the potential is (1 + omega) x^2; a factor of the potential changes lambda, not the limit
    phi = QuadraticPotential() if p == 2 else PowerPotential(p=p, omega=omega)
    return wide_limit(
        known["x"], known["y"], activation="abs", potential=Scaled(phi),
        initialization=Initialization(weight="signs", bias=stats.uniform(-a, 2 * a)),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Dual(Engine):
    """Static pages solve the book's equation in the browser (see ``ibtext.demos.kit.dual``).

    ``solutions`` maps a prefix to a problem, a dictionary with the keys ``x``, ``y``, ``p``, ``omega`` and
    ``half_width``; each value is a constant or the name of a parameter.  A prefix ``limit`` makes the results
    ``limit_value`` and ``limit_curvature`` (on the grid of the panel that draws them), ``limit_max`` and
    ``limit_mean`` (of |h''| over the bias range).  ``magnitudes`` asks for |h''| instead of h''.
    """

    solutions: Mapping[str, Mapping[str, Any]]
    magnitudes: bool = False

    kind = "dual"

    def __post_init__(self) -> None:
        keys = {"x", "y", "p", "omega", "half_width"}
        for prefix, problem in self.solutions.items():
            rule = f"A problem of the dual engine has the keys {', '.join(sorted(keys))}"
            demand(set(problem) == keys, f"{rule}, but {prefix!r} has {', '.join(problem)}; give exactly the five.")

    def compute(self, panels: Sequence[Panel], parameters: Mapping[str, Any], demo: str) -> dict[str, Any]:
        """Return every quantity that the panels draw and every number of every solution."""
        out: dict[str, Any] = {}
        for prefix, problem in self.solutions.items():
            solution = limit(problem, parameters)
            for panel in panels:
                for curve in panel.curves:
                    if curve.key == f"{prefix}_value":
                        out[curve.key] = np.asarray(solution(panel.x))
                    elif curve.key == f"{prefix}_curvature":
                        h2 = np.asarray(solution.derivative(panel.x, order=2))
                        out[curve.key] = np.abs(h2) if self.magnitudes else h2
            out |= {f"{prefix}_{name}": value for name, value in solution.curvature_statistics().items()}
        return out
