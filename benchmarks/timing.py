"""Medians of repeated runs, and the tables in which they are printed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


def median(run: Callable[[], Any], *, repeats: int = 7, warm_up: bool = True) -> float:
    """Median wall time of ``run`` in seconds; one run first is not counted, so that caches are warm."""
    if warm_up:
        run()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def alternate(runs: dict[str, Callable[[], Any]], *, repeats: int = 5) -> dict[str, float]:
    """Median wall times of several runs that take turns, so that a busy moment of the machine hits them all."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(repeats):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begin)
    return {name: statistics.median(values) for name, values in times.items()}


def seconds(value: float) -> str:
    """A time in a unit that fits, three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.2g} s"


@dataclass
class Table:
    """A titled table with a paragraph that says what was measured."""

    title: str
    text: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Append a row."""
        if len(cells) != len(self.head):
            raise ValueError(f"a row needs {len(self.head)} cells, but {len(cells)} were given")
        self.rows.append(cells)

    def markdown(self) -> str:
        """The table in Markdown."""
        lines = [f"## {self.title}", "", self.text, "", "| " + " | ".join(self.head) + " |"]
        lines.append("|" + "---|" * len(self.head))
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return "\n".join(lines) + "\n"
