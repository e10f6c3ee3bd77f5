r"""Train the output layer only, and all layers, for the chapter on the kernel regime: how far apart do they end?

    .venv/bin/python scripts/training/kernel_layers.py            # all runs, about 10 minutes on one core
    .venv/bin/python scripts/training/kernel_layers.py --keep runs.jsonl  # resumable: finished runs are kept there

Data and laws of Figure 6 of Jin and Montúfar (2023): five points, W uniform on (-1, 1), B on (-2, 2), output weights
uniform with standard deviation 1/sqrt(3 n), antisymmetric start. Every run trains two copies of ``width`` units,
N = 2 width in all, by gradient flow to a residual of 1e-9, once with every parameter and once with the output
weights only, and also computes both limits of the linearised network. Distances are sup norms over 401 points of [-2, 2].
The table goes to book/data/kernel_layers.csv; its first lines record the command, versions and settings.
"""

from __future__ import annotations

import argparse
import pathlib

import numpy as np
import provenance
from ibtext.sweep import sweep
from scipy import stats

import ibtext as ib
from ibtext.demonstration import ZIGZAG_X as X
from ibtext.demonstration import ZIGZAG_Y as Y

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "book" / "data" / "kernel_layers.csv"

INIT = ib.Initialization(weight=stats.uniform(-1, 2), bias=stats.uniform(-2, 4), output=stats.uniform(-1, 2))
WIDTHS = (40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 20480)
SEEDS = tuple(range(8))
TOL = 1e-9
RTOL = 1e-5
GRID = np.linspace(-2, 2, 401)
FIELDS = ("width", "seed", "full", "linearised", "full_to_limit", "linearised_to_limit", "residual")
NOTES = (
    "data x = (-2,-1,0,1,2), y = (1.5,.5,1.5,.5,1.5); relu; W ~ U(-1,1), B ~ U(-2,2), output U(-1,1)/sqrt(n)",
    "antisymmetric, N = 2 width units; gradient flow in float64 to a residual of 1e-9; rng = seed",
    "full, linearised: sup|f_all - f_output|; *_to_limit: sup|N (f_all - f_output) - first-order limit|",
)


def first_order(t: np.ndarray) -> np.ndarray:
    """The exact limit of N (f_all - f_output) at points t, by the theorem of the chapter."""

    def missing(s: np.ndarray, u: np.ndarray) -> np.ndarray:
        # E[A^2] (1 + s u) Pr(both active) + 1; E min(Ws, Wu) = -|s - u| E|W| / 2 = -|s - u| / 4
        both = 0.5 - np.abs(s[:, None] - u) / 16
        return (1 + s[:, None] * u) * both / 3 + 1

    kernel = ib.limit_kernel(X, X, initialization=INIT)
    rows = np.column_stack([ib.wide_limit(X, e, initialization=INIT)(t) for e in np.eye(X.size)])  # k(t) K^-1
    return (missing(t, X) - rows @ missing(X, X)) @ np.linalg.solve(kernel, Y)


def train(width: int, seed: int) -> dict[str, float]:
    """One run: the numbers of a row of the table."""
    net = ib.ShallowNetwork.sample(width=width, activation="relu", initialization=INIT, rng=seed, antisymmetric=True)
    runs = [ib.mirror_flow(net, X, Y, tol=TOL, rtol=RTOL, layers=layers) for layers in ("all", "output")]
    linear = [ib.training_limit(net, X, Y, layers=layers) for layers in ("all", "output")]
    full = runs[0].network(GRID) - runs[1].network(GRID)
    straight = linear[0](GRID) - linear[1](GRID)
    limit = first_order(GRID)
    return {
        "full": float(np.max(np.abs(full))),
        "linearised": float(np.max(np.abs(straight))),
        "full_to_limit": float(np.max(np.abs(net.width * full - limit))),
        "linearised_to_limit": float(np.max(np.abs(net.width * straight - limit))),
        "residual": max(float(np.max(np.abs(run.residuals[-1]))) for run in runs),
    }


def read() -> list[dict[str, str]]:
    """The rows of the committed table."""
    return provenance.read(TABLE)


def write(rows: list[dict[str, float]]) -> None:
    """Write the table with its provenance."""
    provenance.write(TABLE, __file__, NOTES, FIELDS, rows, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--keep", metavar="FILE", help="keep finished runs in FILE, and resume from it")
    options = parser.parse_args()
    table = sweep(train, widths=tuple(reversed(WIDTHS)), seeds=SEEDS, results=options.keep, n_jobs=options.jobs)
    write(sorted(table, key=lambda row: (row["width"], row["seed"])))


if __name__ == "__main__":
    main()
