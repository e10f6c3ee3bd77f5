"""Run every measurement and write benchmarks/README.md.

``python -m benchmarks [name ...]`` runs only the named ones and prints them.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy

from . import flows, imports, limits, pages, splines
from .timing import Table

MEASUREMENTS: dict[str, Callable[[], Table]] = {
    "limits": limits.small,
    "many-points": limits.large,
    "training": flows.wide,
    "widths": flows.widths,
    "loop": flows.loop,
    "splines": splines.large,
    "import": imports.table,
    "redraw": pages.redraw,
    "kernel": pages.kernel,
    "navigation": pages.navigation,
}

HEAD = """# Measurements

`make bench` runs these measurements and writes this page. Times are medians of repeated runs on one machine, in one run;
trust the ratios rather than the seconds. Nothing here is a test: a slow machine fails nothing. The tables of the demos and
pages need the built site and Chromium.

{machine}

On a machine with a CUDA device, `python -m benchmarks.gpu` measures the same training calls on torch tensors there.
"""


def machine() -> str:
    """What it ran on."""
    return (
        f"Measured on {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}."
    )


def main(names: list[str]) -> int:
    """Run the measurements; all of them write the page."""
    unknown = set(names) - set(MEASUREMENTS)
    if unknown:
        print(f"unknown measurement {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}", file=sys.stderr)
        return 2
    parts = []
    for name in names or MEASUREMENTS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        parts.append(MEASUREMENTS[name]().markdown())
        print(parts[-1], flush=True)
    if not names:
        page = HEAD.format(machine=machine()) + "\n" + "\n".join(parts)
        (Path(__file__).parent / "README.md").write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
