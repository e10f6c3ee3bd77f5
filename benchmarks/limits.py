"""The infinite-width limit: ``wide_limit`` beside a general convex solver on a grid."""

from __future__ import annotations

import warnings
from typing import Any

import cvxpy as cp
import numpy as np

import ibtext as ib
from ibtext.demonstration import X, Y

from .problem import OPTIONS, POTENTIALS, many_points
from .timing import Table, median, seconds

ACCURACY = 1e-8
POINTS = np.linspace(-0.8, 0.8, 161)


def convex(name: str, alpha: Any) -> Any:
    """The potential as a cvxpy expression."""
    return {
        "x^2": lambda: cp.square(alpha),
        "\\|x\\|^3 + x^2": lambda: cp.power(cp.abs(alpha), 3) + cp.square(alpha),
        "x^4 + x^2": lambda: cp.power(alpha, 4) + cp.square(alpha),
        "cosh": lambda: (cp.exp(alpha) + cp.exp(-alpha)) / 2,
    }[name]()


def on_a_grid(name: str, cells: int) -> tuple[np.ndarray, float]:
    """The same problem on ``cells`` equal cells (midpoint rule), by cvxpy with Clarabel: values, solver's own time."""
    c = -1 + 2 * (np.arange(cells) + 0.5) / cells
    features = np.abs(X[:, None] - c)
    alpha = cp.Variable(cells)
    problem = cp.Problem(cp.Minimize(cp.sum(convex(name, alpha)) / cells), [features @ alpha / cells == Y])
    tight = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Clarabel says when it stops short; the error is measured below
        problem.solve(solver=cp.CLARABEL, **tight)
    values = np.abs(POINTS[:, None] - c) @ alpha.value / cells
    return values, float(problem.solver_stats.solve_time)


def small() -> Table:
    """M = 5, each scaled potential, beside the grid at the size where it is as accurate as 1e-8."""
    table = Table(
        "Infinite width, M = 5: `wide_limit` beside cvxpy with Clarabel on a grid",
        "The grid is refined, from 6000 cells on by factors of 1.5 up to 13 500, until its function is within 1e-8 of the "
        "exact one on 161 points (where Clarabel stops short of that, the table says how close it came). The "
        "time of cvxpy is that of the whole call, which a user waits for; Clarabel's own part is given too.",
        ("potential", "`wide_limit`", "cells", "grid error", "cvxpy", "ratio", "Clarabel alone", "ratio"),
    )
    for name, phi in POTENTIALS.items():

        def solve(phi: ib.Potential = phi) -> ib.WideLimit:
            return ib.wide_limit(X, Y, potential=ib.Scaled(phi), **OPTIONS)

        ours, exact, cells = median(solve, repeats=25), solve()(POINTS), 6000
        while True:
            values, _ = on_a_grid(name, cells)
            error = float(np.max(np.abs(values - exact)))
            if error <= ACCURACY or cells > 13_000:
                break
            cells = int(1.5 * cells)
        alone = on_a_grid(name, cells)[1]
        theirs = median(lambda name=name, cells=cells: on_a_grid(name, cells), repeats=3, warm_up=False)
        cells_text = f"{cells}" if error <= ACCURACY else f"{cells} (not enough)"
        table.add(
            name, seconds(ours), cells_text, f"{error:.1e}", seconds(theirs), f"{theirs / ours:.0f}",
            seconds(alone), f"{alone / ours:.0f}",
        )  # fmt: skip
    return table


def large() -> Table:
    """M = 100 and 200."""
    table = Table(
        "Infinite width, many points",
        "Jittered points, smooth labels. The residual is relative to the largest label.",
        ("potential", "M = 100", "residual", "M = 200", "residual"),
    )
    for name, phi in POTENTIALS.items():
        cells = []
        for m in (100, 200):
            x, y = many_points(m)

            def solve(x: np.ndarray = x, y: np.ndarray = y, phi: ib.Potential = phi) -> ib.WideLimit:
                return ib.wide_limit(x, y, potential=ib.Scaled(phi), **OPTIONS)

            residual = float(np.max(np.abs(solve()(x) - y)) / np.max(np.abs(y)))
            cells += [seconds(median(solve, repeats=5)), f"{residual:.1e}"]
        table.add(name, *cells)
    return table
