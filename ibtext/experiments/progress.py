"""A progress line for long runs, without a dependency."""

from __future__ import annotations

import sys
import time

__all__ = ["ProgressBar"]


class ProgressBar:
    """Cells done, time spent and time left, on one line of the standard error stream."""

    def __init__(self, total: int, done: int, shown: bool) -> None:
        self.total, self.done, self.first, self.shown = total, done, done, shown
        self.start = time.monotonic()
        self.last = float("-inf")
        self.draw()

    def step(self) -> None:
        self.done += 1
        self.draw()

    def draw(self, last: bool = False) -> None:
        now = time.monotonic()
        if not self.shown or (now - self.last < 0.2 and not last):
            return
        self.last = now
        spent, new = now - self.start, self.done - self.first
        left = f", about {_clock(spent / new * (self.total - self.done))} left" if new and self.done < self.total else ""
        filled = 30 * self.done // max(self.total, 1)
        text = f"\r[{'#' * filled}{'.' * (30 - filled)}] {self.done}/{self.total} cells, {_clock(spent)}{left}"
        sys.stderr.write(text.ljust(90) + ("\n" if last else ""))
        sys.stderr.flush()


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
