r"""Train relu networks of several widths and scales, from lazy to rich, for the chapter on the kernel regime.

    .venv/bin/python scripts/training/kernel_laziness.py            # all runs, about 12 minutes on one core
    .venv/bin/python scripts/training/kernel_laziness.py --keep runs.jsonl  # resumable: finished runs are kept there

The model is alpha n^{-1/2} sum_j A_j sigma(w_j x - b_j) + d with an antisymmetric start of n units, signs w_j, b_j
uniform on (-1, 1) and A_j uniform of variance one. By homogeneity it is the standard network with all of w, b, A
multiplied by sqrt(alpha) n^{-1/4}; that network is trained by gradient flow, all layers, in float64, to a residual of 1e-6.
Breakpoints may come to rest at a data point. There the tangent kernel is a set: any slope between 0 and 1 is admissible. The
tables take 1/2, the convention of the whole text, for every unit that ends within NEAR of a data point, so that rounding does
not decide; with it the numbers no longer depend on the integrator's tolerance (a test trains a row at RTOL / 100).
Two tables: book/data/kernel_laziness.csv with the numbers of every run, and ibtext/demos/data/kernel_regime.csv with
functions and breakpoints of the runs of seed 0, which the chapter's first demo shows.
"""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

import numpy as np
import provenance
from ibtext.sweep import sweep
from scipy import stats

import ibtext as ib
from ibtext.demonstration import X, Y

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "book" / "data" / "kernel_laziness.csv"
VIEWS = ROOT / "ibtext" / "demos" / "data" / "kernel_regime.csv"

ROOT3 = np.sqrt(3.0)
INIT = ib.Initialization(weight="signs", bias=stats.uniform(-1, 2), output=stats.uniform(-ROOT3, 2 * ROOT3))
WIDTHS = (64, 256, 1024)
SCALES = {f"4^{k}": 4.0**k for k in range(-3, 3)}
SEEDS = tuple(range(6))
TOL = 1e-6
RTOL = 1e-5
#: A unit with |w x - b| below this multiple of |w| + |b| counts as resting at x: the integrator's error, with a margin.
NEAR = 1e-5
GRID = np.linspace(-1, 1, 201)
SHOWN = 32
FIELDS = ("alpha", "width", "seed", "kernel_change", "function_change", "median_move", "residual")
NOTES = (
    "data x = 0.8*(-1,-.5,0,.5,1), y = (.5,-.3,.4,-.2,.6); relu, antisymmetric start, scale alpha",
    "all layers, gradient flow in float64, residual <= 1e-6; rng = seed; slope 1/2 for units at a data point",
)


def start(width: int, alpha: float, seed: int) -> ib.ShallowNetwork:
    """A network of ``width`` units in all, zero at the start, of scale alpha."""
    net = ib.ShallowNetwork.sample(width=width // 2, activation="relu", initialization=INIT, rng=seed, antisymmetric=True)
    q = np.sqrt(alpha) * width**-0.25
    return ib.ShallowNetwork(q * net.weight, q * net.bias, q * np.sqrt(width) * net.output, 0.0, "relu")


def breakpoints(net: ib.ShallowNetwork) -> np.ndarray:
    """Breakpoints b/w of SHOWN units, evenly chosen from both copies."""
    c = net.bias / net.weight
    half = SHOWN // 2
    rows = np.concatenate([np.arange(half), net.width // 2 + np.arange(half)])
    return np.asarray(c[rows])


def tangent_kernel(net: ib.ShallowNetwork) -> np.ndarray:
    """H on the data; slope 1/2 for units that rest at a data point."""
    u = np.outer(X, net.weight) - net.bias
    rests = np.abs(u) <= NEAR * (np.abs(net.weight) + np.abs(net.bias))
    slope, value = np.where(rests, 0.5, (u > 0) * 1.0), np.maximum(u, 0)
    first = (1 + np.outer(X, X)) * ((slope * net.output**2) @ slope.T)
    return np.asarray((value @ value.T + first + 1) / net.width)


def kernel_change(net: ib.ShallowNetwork, end: ib.ShallowNetwork) -> float:
    """Frobenius norm of H(end) - H(start), relative to that of H(start)."""
    before = tangent_kernel(net)
    return float(np.linalg.norm(tangent_kernel(end) - before) / np.linalg.norm(before))


def movement(net: ib.ShallowNetwork, end: ib.ShallowNetwork) -> float:
    """Median, over all units, of the distance that a breakpoint moved."""
    return float(np.median(np.abs(end.bias / end.weight - net.bias / net.weight)))


def train(width: int, seed: int, potential: float, rtol: float = RTOL) -> dict[str, Any]:
    """One run (the sweep calls the scale ``potential``): the numbers of a row."""
    net = start(width, potential, seed)
    run = ib.mirror_flow(net, X, Y, tol=TOL, rtol=rtol)
    lazy = ib.training_limit(net, X, Y)
    return {
        "kernel_change": kernel_change(net, run.network),
        "function_change": float(np.max(np.abs(run.network(GRID) - lazy(GRID)))),
        "median_move": movement(net, run.network),
        "residual": float(np.max(np.abs(run.residuals[-1]))),
    }


def view(width: int, alpha: float) -> dict[str, Any]:
    """What the demo shows of seed 0: both functions on GRID, breakpoints before and after, the kernel's change."""
    net = start(width, alpha, 0)
    run = ib.mirror_flow(net, X, Y, tol=TOL, rtol=RTOL)
    return {
        "width": width, "alpha": alpha, "kernel_change": kernel_change(net, run.network), "trained": run.network(GRID),
        "median_move": movement(net, run.network),
        "lazy": ib.training_limit(net, X, Y)(GRID), "before": breakpoints(net), "after": breakpoints(run.network),
    }  # fmt: skip


def read(path: pathlib.Path = TABLE) -> list[dict[str, str]]:
    """The rows of a committed table."""
    return provenance.read(path)


def write(rows: list[dict[str, Any]]) -> None:
    """Write the table of all runs."""
    provenance.write(TABLE, __file__, NOTES, FIELDS, rows, 6)


def write_views() -> None:
    """Write what the demo shows: one row for each width, scale and quantity, values separated by spaces."""
    note = "trained, lazy: f on 201 points of [-1, 1]; before, after: breakpoints of 32 units; median_move: of all units"
    rows = []
    for width in WIDTHS:
        for alpha in SCALES.values():
            shown = view(width, alpha)
            for name in ("kernel_change", "median_move", "trained", "lazy", "before", "after"):
                values = " ".join(f"{v:.5g}" for v in np.atleast_1d(shown[name]))
                rows.append({"width": width, "alpha": f"{alpha:g}", "quantity": name, "values": values})
    VIEWS.parent.mkdir(exist_ok=True)
    provenance.write(VIEWS, __file__, (*NOTES, note), ("width", "alpha", "quantity", "values"), rows, 5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", metavar="FILE", help="keep finished runs in FILE, and resume from it")
    options = parser.parse_args()
    write_views()
    table = sweep(train, widths=WIDTHS, seeds=SEEDS, potentials=SCALES, results=options.keep, n_jobs=options.jobs)
    rows = [{**row, "alpha": SCALES[str(row["potential"])]} for row in table]
    write(sorted(rows, key=lambda row: (row["width"], row["alpha"], row["seed"])))


if __name__ == "__main__":
    main()
