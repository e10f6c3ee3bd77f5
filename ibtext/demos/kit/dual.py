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

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .engines import Dual
from .layers import Panel


def resolve(problem: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem with the names of parameters replaced by their values."""
    return {k: parameters[v] if isinstance(v, str) else v for k, v in problem.items()}


def limit(problem: Mapping[str, Any]) -> Any:
    """Return the infinite-width limit that a resolved problem describes, by :func:`ibtext.wide_limit`."""
    from scipy import stats

    import ibtext as ib

    a, p, omega = float(problem["half_width"]), float(problem["p"]), float(problem["omega"])
    # at p = 2 the potential is (1 + omega) x^2; a factor of the potential changes lambda, not the limit
    phi = ib.QuadraticPotential() if p == 2 else ib.PowerPotential(p=p, omega=omega)
    return ib.wide_limit(
        np.asarray(problem["x"], dtype=float), np.asarray(problem["y"], dtype=float), activation="abs",
        initialization=ib.Initialization(weight="signs", bias=stats.uniform(-a, 2 * a)), potential=ib.Scaled(phi),
    )  # fmt: skip


def compute(engine: Dual, panels: Sequence[Panel], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return every quantity that the panels draw and every number of every solution."""
    out: dict[str, Any] = {}
    for prefix, declared in engine.solutions.items():
        problem = resolve(declared, parameters)
        solution = limit(problem)
        for panel in panels:
            for curve in panel.curves:
                if curve.key == f"{prefix}_value":
                    out[curve.key] = np.asarray(solution(np.asarray(panel.x, dtype=float)))
                elif curve.key == f"{prefix}_curvature":
                    h2 = np.asarray(solution.derivative(np.asarray(panel.x, dtype=float), order=2))
                    out[curve.key] = np.abs(h2) if engine.magnitudes else h2
        for name, value in solution.curvature_statistics().items():
            out[f"{prefix}_{name}"] = value
    return out
