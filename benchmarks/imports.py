"""What ``import ibtext`` costs beyond the libraries that it stands on."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from .timing import Table, seconds

BASE = "import numpy, scipy.integrate, scipy.optimize, scipy.stats"


def _run(code: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


def table() -> Table:
    """Interpreter start, the libraries, and ibtext on top."""
    out = Table(
        "Import",
        "Fresh interpreters that take turns, warm disk.",
        ("", "time", "beyond NumPy and SciPy"),
    )
    codes = {
        "NumPy, scipy.integrate, optimize, stats": BASE,
        "the same and `import ibtext`": BASE + "; import ibtext",
    }
    times: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(7):
        for name, code in codes.items():
            times[name].append(_run(code))
    middle = {name: statistics.median(v[1:]) for name, v in times.items()}
    first = next(iter(middle.values()))
    for name, value in middle.items():
        out.add(name, seconds(value), "" if value == first else seconds(max(value - first, 0.0)))
    return out
