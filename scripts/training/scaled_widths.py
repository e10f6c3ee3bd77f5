r"""Train |.| networks of many widths under scaled potentials, for the chapter on scaled potentials.

    .venv/bin/python scripts/training/scaled_widths.py            # all runs, about 10 minutes on two cores
    .venv/bin/python scripts/training/scaled_widths.py --check 3  # retrain 3 random rows and compare
    .venv/bin/python scripts/training/scaled_widths.py --keep runs.jsonl  # resumable: finished runs are kept there

Every run trains all parameters of a really sampled network by mirror flow in float64 to a local error of 1e-5,
until the largest residual is at most 1e-8, and compares it with the exact infinite-width limit in the sup norm
over 2001 points of [-1, 1].
The table goes to book/data/scaled_widths.csv; its first lines record the command, versions and settings.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

import numpy as np
import provenance
from ibtext.sweep import sweep
from scipy import stats

import ibtext as ib
from ibtext.demonstration import X, Y

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "book" / "data" / "scaled_widths.csv"

INIT = ib.Initialization(weight="signs", bias=stats.uniform(-1, 2))
POTENTIALS = {
    "x^2": ib.QuadraticPotential(),
    "|x|^3+x^2": ib.PowerPotential(p=3, omega=1.0),
    "x^4+x^2": ib.PowerPotential(p=4, omega=1.0),
}
WIDTHS = (60, 180, 540, 1620, 4860, 14580, 43740)
SEEDS = tuple(range(12))
TOL = 1e-8
RTOL = 1e-5
GRID = np.linspace(-1, 1, 2001)
FIELDS = (
    "potential", "width", "seed", "sup_error", "sup_error_linearised", "max_move", "kernel_change", "residual",
    "steps", "passes",
)  # fmt: skip
NOTES = (
    "data x = 0.8*(-1,-.5,0,.5,1), y = (.5,-.3,.4,-.2,.6); bias uniform on (-1,1); |.| activation",
    "all layers, float64, residual <= 1e-8; errors: sup norm over 2001 points of [-1,1]; rng = seed",
)


def train(width: int, seed: int, potential: ib.Potential) -> dict[str, float | int]:
    """One run: the numbers of a row of the table."""
    scaled = ib.Scaled(potential)
    limit = ib.wide_limit(X, Y, activation="abs", initialization=INIT, potential=scaled)
    net = ib.ShallowNetwork.sample(width=width, activation="abs", initialization=INIT, rng=seed)
    run = ib.mirror_flow(net, X, Y, potential=scaled, tol=TOL, rtol=RTOL)
    linear = ib.training_limit(net, X, Y, potential=scaled, layers="output")
    target = limit(GRID)
    change = np.linalg.norm(run.kernel_end - run.kernel_start) / np.linalg.norm(run.kernel_start)
    return {
        "sup_error": float(np.max(np.abs(run.network(GRID) - target))),
        "sup_error_linearised": float(np.max(np.abs(linear(GRID) - target))),
        "max_move": float(np.max(np.abs(run.network.flat - net.flat))),
        "kernel_change": float(change),
        "residual": float(np.max(np.abs(run.residuals[-1]))),
        "steps": run.steps,
        "passes": run.passes,
    }


def read() -> list[dict[str, str]]:
    """The rows of the committed table."""
    return provenance.read(TABLE)


def write(rows: list[dict]) -> None:
    """Write the table with its provenance."""
    provenance.write(TABLE, __file__, NOTES, FIELDS, rows, 10)


def tolerance(name: str, width: int, value: float) -> float:
    """How well a number of the table is reproduced where roundings differ.

    Roundings decide which steps are accepted, and so move the path within its tolerance. From one integrator at
    1e-4 to another at 1e-5 the errors moved by up to 2.7e-3 of their size at width 60, 9e-4 at 180, 3e-4 at 540 and
    5e-5 from 1620 on, and the kernel change by up to 11 / width^2: a breakpoint on a data point counts with the slope
    of one side or of the other.
    """
    relative = 3e-3 if width < 540 else 1e-3
    return relative * abs(value) + (20 / width**2 if name == "kernel_change" else 0.0)


def check(count: int, seed: int, largest: int) -> None:
    """Retrain random rows (width at most ``largest``) and compare with the table."""
    rows = [row for row in read() if int(row["width"]) <= largest]
    for k in np.random.default_rng(seed).choice(len(rows), size=count, replace=False):
        row = rows[k]
        new = train(int(row["width"]), int(row["seed"]), POTENTIALS[row["potential"]])
        for name in ("sup_error", "sup_error_linearised", "max_move", "kernel_change"):
            old = float(row[name])
            if not abs(new[name] - old) <= tolerance(name, int(row["width"]), old):
                sys.exit(f"{row['potential']}, width {row['width']}, seed {row['seed']}: {name} was {old}, is {new[name]}")
        print(f"{row['potential']}, width {row['width']}, seed {row['seed']}: reproduced")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", type=int, metavar="N", help="retrain N random rows and compare")
    parser.add_argument("--seed", type=int, default=None, help="seed of that choice")
    parser.add_argument("--largest", type=int, default=4860, help="largest width to retrain")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", metavar="FILE", help="keep finished runs in FILE, and resume from it")
    options = parser.parse_args()
    if options.check:
        check(options.check, options.seed, options.largest)
        return
    # the longest runs first, so that no process is left with one of them at the end
    widths = tuple(reversed(WIDTHS))
    table = sweep(train, widths=widths, seeds=SEEDS, potentials=POTENTIALS, results=options.keep, n_jobs=options.jobs)
    order = {name: k for k, name in enumerate(POTENTIALS)}
    rows = sorted(table, key=lambda row: (order[row["potential"]], row["width"], row["seed"]))
    write(rows)


if __name__ == "__main__":
    main()
