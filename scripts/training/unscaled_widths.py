r"""Train ReLU networks of many widths under unscaled potentials, for the chapter on unscaled potentials.

    .venv/bin/python scripts/training/unscaled_widths.py            # all runs, about 5 minutes on two free cores
    .venv/bin/python scripts/training/unscaled_widths.py --check 3  # retrain 3 random starts and compare
    .venv/bin/python scripts/training/unscaled_widths.py --keep runs.jsonl  # resumable: finished runs are kept there
    .venv/bin/python scripts/training/unscaled_widths.py --views  # only the functions that the demo draws

Every run trains all parameters of a really sampled network by mirror flow in float64 to a local error of 1e-4, until
the largest residual is at most 1e-10. The three potentials start from the same network. ``sup_error`` is the distance
to the exact infinite-width limit, ``distance`` that to the network trained by gradient flow (the row of x^2),
``linearised_gap`` that to the exact limit of the linearised network, all in the sup norm over 1001 points of [-1, 1].
The table goes to book/data/unscaled_widths.csv; its first lines record the command, versions and settings. The demo
``UnscaledWidthDemo`` draws networks of seed 0 from ibtext/demos/data/unscaled_potentials.csv.
"""

from __future__ import annotations

import argparse
import pathlib
import sys

import numpy as np
import provenance
from ibtext.sweep import sweep
from scaled_widths import INIT, POTENTIALS, X, Y

import ibtext as ib
from ibtext.demos.chapters import unscaled_potentials as demo

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "book" / "data" / "unscaled_widths.csv"
VIEWS = ROOT / "ibtext" / "demos" / "data" / "unscaled_potentials.csv"
#: The demo's names for the potentials.
SHOWN = {
    "square": ib.QuadraticPotential(),
    "cube": ib.PowerPotential(p=3, omega=1.0),
    "fourth": ib.PowerPotential(p=4, omega=1.0),
    "cosh": ib.CoshPotential(),
}

WIDTHS = (20, 60, 180, 540, 1620, 4860, 14580, 43740)
SEEDS = tuple(range(10))
TOL = 1e-10
RTOL = 1e-4
GRID = np.linspace(-1, 1, 1001)
MEASURED = ("sup_error", "distance", "linearised_gap", "max_move", "first_layer_move", "kernel_change")
FIELDS = ("potential", "width", "seed", *MEASURED, "residual", "steps", "passes")
NOTES = (
    "data x = 0.8*(-1,-.5,0,.5,1), y = (.5,-.3,.4,-.2,.6); bias uniform on (-1,1); relu; a = d = 0 at the start",
    "all layers, float64, residual <= 1e-10; distances: sup norm over 1001 points of [-1,1]; rng = seed",
)


def train(width: int, seed: int) -> dict[str, float | int]:
    """One start under all three potentials: the numbers of three rows, under names such as ``distance of x^4+x^2``."""
    target = ib.wide_limit(X, Y, activation="relu", initialization=INIT)(GRID)
    net = ib.ShallowNetwork.sample(width=width, activation="relu", initialization=INIT, rng=seed)
    values: dict[str, float | int] = {}
    reference = np.zeros_like(GRID)
    for name, phi in POTENTIALS.items():
        run = ib.mirror_flow(net, X, Y, potential=phi, tol=TOL, rtol=RTOL)
        linear = ib.training_limit(net, X, Y, potential=phi)
        found, move = run.network(GRID), np.abs(run.network.flat - net.flat)
        reference = found if name == "x^2" else reference
        row = {
            "sup_error": float(np.max(np.abs(found - target))),
            "distance": float(np.max(np.abs(found - reference))),
            "linearised_gap": float(np.max(np.abs(found - linear(GRID)))),
            "max_move": float(np.max(move)),
            "first_layer_move": float(np.max(move[: 2 * width])),
            "kernel_change": float(np.linalg.norm(run.kernel_end - run.kernel_start) / np.linalg.norm(run.kernel_start)),
            "residual": float(np.max(np.abs(run.residuals[-1]))),
            "steps": run.steps,
            "passes": run.passes,
        }
        values |= {f"{key} of {name}": value for key, value in row.items()}
    return values


def read() -> list[dict[str, str]]:
    """The rows of the committed table."""
    return provenance.read(TABLE)


def write(rows: list[dict]) -> None:
    """Write the table with its provenance."""
    provenance.write(TABLE, __file__, NOTES, FIELDS, rows, 10)


def shown(width: int) -> dict[str, np.ndarray]:
    """What the demo draws of a width: the function of gradient flow, and for each other potential the difference from it."""
    net = ib.ShallowNetwork.sample(width=width, activation="relu", initialization=INIT, rng=0)
    runs = {name: ib.mirror_flow(net, X, Y, potential=phi, tol=1e-9).network(demo.GRID) for name, phi in SHOWN.items()}
    return {name: f - (name != "square") * runs["square"] for name, f in runs.items()}


def write_views() -> None:
    """Write what the demo draws."""
    rows = [
        {"potential": name, "width": width, "values": " ".join(f"{v:.6g}" for v in values)}
        for width in demo.WIDTHS
        for name, values in shown(width).items()
    ]
    note = "all layers, float64, residual <= 1e-9; f on 201 points of [-1, 1], or its difference from that of x^2; rng = 0"
    provenance.write(VIEWS, __file__, (NOTES[0], note), ("potential", "width", "values"), rows, 6)


def tolerance(name: str, width: int, value: float) -> float:
    """How well a number of the table is reproduced where roundings differ.

    Roundings decide which steps are accepted, and so move the path within its tolerance. From a local error of 1e-4 to
    one of 1e-6 the functions moved by 1e-4 at width 20, 6e-6 at 540 and 2e-7 at 4860, like 2e-3 / width; distances
    between two networks trained alike moved by 2e-4 of their size. The kernel counts a breakpoint on a data point
    with the slope of one side or of the other, one unit of ``width`` that carries up to a tenth of it at width 20.
    """
    if name == "kernel_change":
        return 2e-3 * abs(value) + 80 / width**2
    return 2e-3 * abs(value) + (0.0 if name.endswith("move") else 2e-3 / width if name != "distance" else 1e-9)


def compare(row: dict[str, str], new: dict[str, float | int]) -> str:
    """What differs between a row of the table and a new run, in words; empty if nothing does."""
    for name in MEASURED:
        old, value = float(row[name]), float(new[f"{name} of {row['potential']}"])
        if not abs(value - old) <= tolerance(name, int(row["width"]), old):
            return f"{row['potential']}, width {row['width']}, seed {row['seed']}: {name} was {old}, is {value}"
    return ""


def check(count: int, seed: int | None, largest: int) -> None:
    """Retrain random starts (width at most ``largest``) and compare their rows with the table."""
    starts = sorted({(int(row["width"]), int(row["seed"])) for row in read() if int(row["width"]) <= largest})
    for k in np.random.default_rng(seed).choice(len(starts), size=count, replace=False):
        new = train(*starts[k])
        for row in read():
            if (int(row["width"]), int(row["seed"])) == starts[k] and (fault := compare(row, new)):
                sys.exit(fault)
        print(f"width {starts[k][0]}, seed {starts[k][1]}: reproduced")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", type=int, metavar="N", help="retrain N random starts and compare")
    parser.add_argument("--seed", type=int, default=None, help="seed of that choice")
    parser.add_argument("--largest", type=int, default=4860, help="largest width to retrain")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", metavar="FILE", help="keep finished runs in FILE, and resume from it")
    parser.add_argument("--views", action="store_true", help="write only what the demo draws")
    options = parser.parse_args()
    if options.views:
        write_views()
        return
    if options.check:
        check(options.check, options.seed, options.largest)
        return
    write_views()
    # the longest runs first, so that no process is left with one of them at the end
    widths = tuple(reversed(WIDTHS))
    table = sweep(train, widths=widths, seeds=SEEDS, results=options.keep, n_jobs=options.jobs)
    rows = [
        {"potential": name, "width": row["width"], "seed": row["seed"], **{key: row[f"{key} of {name}"] for key in FIELDS[3:]}}
        for name in POTENTIALS
        for row in sorted(table, key=lambda row: (row["width"], row["seed"]))
    ]
    write(rows)


if __name__ == "__main__":
    main()
