"""A progress line for long runs. tqdm would save twenty lines, and cost a dependency for a line that cannot fail."""

import sys
import time

__all__ = ["ProgressBar"]


class ProgressBar:
    """Cells done, time spent and time left, on one line of the standard error stream."""

    def __init__(self, total: int, done: int, shown: bool) -> None:
        self.total, self.done, self.first, self.shown = total, done, done, shown
        self.start, self.last = time.monotonic(), float("-inf")
        self.draw()

    def step(self) -> None:
        self.done += 1
        self.draw()

    def draw(self, last: bool = False) -> None:
        now = time.monotonic()
        if not self.shown or (now - self.last < 0.2 and not last):
            return
        self.last, spent, new = now, now - self.start, self.done - self.first
        left = f", about {_clock(spent / new * (self.total - self.done))} left" if new and self.done < self.total else ""
        bar = ("#" * (30 * self.done // max(self.total, 1))).ljust(30, ".")
        text = f"\r[{bar}] {self.done}/{self.total} cells, {_clock(spent)}{left}"
        print(text.ljust(90), end="\n" if last else "", file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
