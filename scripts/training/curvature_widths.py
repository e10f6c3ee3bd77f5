r"""Train rectifier networks of many widths in the set-ups of five published figures, for the chapter on the curvature penalty.

    .venv/bin/python scripts/training/curvature_widths.py            # all runs, about 15 minutes on one core
    .venv/bin/python scripts/training/curvature_widths.py --figures fig1 fig3 --keep runs.jsonl  # a part; resumable

The set-ups are those of Figures 1, 3, 4, 5 and 7 of Jin and Montúfar (2023): antisymmetric starts of two copies of
``width`` units, every parameter trained by gradient flow in float64 until the largest residual is at most 1e-8 of the
largest label.  Each trained network is compared with the exact limit of infinite width and with the spline of the
paper, which has a free affine part, in the sup norm and in the root mean square over 401 points of [-2, 2].
The table goes to book/data/curvature_widths.csv; its first lines record the command, versions and settings.
"""

from __future__ import annotations

import argparse
import functools
import pathlib
from dataclasses import dataclass

import numpy as np
import provenance
from ibtext.sweep import sweep
from scipy import stats

import ibtext as ib
from ibtext.demonstration import ZIGZAG_X as X
from ibtext.demonstration import ZIGZAG_Y as Y

ROOT = pathlib.Path(__file__).resolve().parents[2]
TABLE = ROOT / "book" / "data" / "curvature_widths.csv"
TOL = 1e-8
RTOL = 1e-4
GRID = np.linspace(-2, 2, 401)
FIELDS = ("figure", "width", "seed", "sup_limit", "rms_limit", "sup_spline", "rms_spline", "residual")
NOTES = (
    "set-ups of Figures 1, 3, 4, 5, 7 of Jin and Montufar (2023); antisymmetric start, 2 width units; all layers",
    "gradient flow in float64 to a residual of 1e-8 of the largest label; rng = seed; 401 points of [-2, 2]",
    "*_limit: distance to the exact limit of infinite width; *_spline: to the spline with free affine part",
)

X10 = (np.array([-2, -1.5, -0.5, 0, 0.3, 1.3, 1.8, 2.3, 3.3, 3.6]) + 2) / 5.6 * 4 - 2
Y10 = np.array([3, 1.2, 2.2, 1, 1.3, 3.1, 1.3, 2.5, 1.1, 0.3])


@dataclass(frozen=True)
class Setup:
    """Data, law of the start and widths of one figure."""

    x: np.ndarray
    y: np.ndarray
    init: ib.Initialization
    widths: tuple[int, ...]
    seeds: int


def law(weight: object, bias: object) -> ib.Initialization:
    """A start with the output weights of the paper, uniform on (-1, 1) over the square root of the width."""
    return ib.Initialization(weight=weight, bias=bias, output=stats.uniform(-1, 2))


def doubled(first: int, last: int) -> tuple[int, ...]:
    """first, 2 first, 4 first, ... up to last."""
    return tuple(first * 2**k for k in range(int(np.log2(last / first)) + 1))


UNIFORM = law(stats.uniform(-1, 2), stats.uniform(-2, 4))
SETUPS = {
    "fig1": Setup(X, Y, UNIFORM, doubled(20, 40960), 10),
    "fig3": Setup(X, Y, law(stats.norm(), stats.norm()), doubled(40, 10240), 5),
    "fig4": Setup(X, Y, law(stats.norm(), stats.norm(0, np.sqrt(0.1))), doubled(20, 20480), 5),
    "fig5": Setup(X10, Y10, UNIFORM, doubled(320, 20480), 5),
    "fig7": Setup(X, Y + 10 * X + 10, UNIFORM, doubled(40, 10240), 5),
}


@functools.cache
def targets(figure: str) -> tuple[np.ndarray, np.ndarray]:
    """The exact limit of infinite width and the spline with a free affine part, on the grid."""
    s = SETUPS[figure]
    spline = ib.splines.adaptive_spline(s.x, s.y, zeta=s.init)
    return ib.wide_limit(s.x, s.y, initialization=s.init)(GRID), spline(GRID)


def train(width: int, seed: int, figure: str) -> dict[str, float]:
    """One run: the numbers of a row of the table."""
    s = SETUPS[figure]
    net = ib.ShallowNetwork.sample(width=width, initialization=s.init, rng=seed, antisymmetric=True)
    run = ib.mirror_flow(net, s.x, s.y, tol=TOL * float(np.max(np.abs(s.y))), rtol=RTOL)
    values = run.network(GRID)
    row = {}
    for name, target in zip(("limit", "spline"), targets(figure), strict=True):
        row[f"sup_{name}"] = float(np.max(np.abs(values - target)))
        row[f"rms_{name}"] = float(np.sqrt(np.mean((values - target) ** 2)))
    return row | {"residual": float(np.max(np.abs(run.residuals[-1])) / np.max(np.abs(s.y)))}


def read() -> list[dict[str, str]]:
    """The rows of the committed table."""
    return provenance.read(TABLE)


def write(rows: list[dict]) -> None:
    """Write the table with its provenance."""
    provenance.write(TABLE, __file__, NOTES, FIELDS, rows, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figures", nargs="+", default=list(SETUPS), choices=list(SETUPS))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--largest", type=int, default=10**6, help="largest width of this part")
    parser.add_argument("--keep", metavar="FILE", help="keep finished runs in FILE_figure, and resume from there")
    options = parser.parse_args()
    rows: list[dict] = []
    for figure in options.figures:
        s = SETUPS[figure]
        widths = tuple(n for n in reversed(s.widths) if n <= options.largest)
        keep = None if options.keep is None else f"{options.keep}_{figure}"
        runs = sweep(
            functools.partial(train, figure=figure), widths=widths, seeds=range(s.seeds), results=keep, n_jobs=options.jobs
        )
        rows += [{"figure": figure} | dict(run) for run in sorted(runs, key=lambda run: (run["width"], run["seed"]))]
    if set(options.figures) == set(SETUPS) and options.largest >= 10**6:
        write(rows)


if __name__ == "__main__":
    main()
