"""What the reader predicts before moving anything: a choice, a curve or a point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .declaration import demand, demand_known, plain
from .layers import Panel


@dataclass(frozen=True, kw_only=True)
class AnyQuestion:
    """What all questions have in common; ``because`` explains the answer.

    Until the reader answers or skips, no layer that draws a key in ``hide`` is shown, nor is the summary: a question asks about
    something, and what it asks about waits.
    """

    text: str
    because: str
    hide: Sequence[str] = ()

    kind: ClassVar[str]

    @property
    def veil(self) -> set[str]:
        """The keys of the result that wait for the answer."""
        return set(self.hide)

    def check(self, panels: Sequence[Panel], demo: str) -> None:
        """Refuse a question that does not fit the panels."""
        drawn = sorted({k for p in panels for k in p.shapes()})
        demand_known(self.hide, drawn, f"A question hides keys that a panel draws, but {demo} hides")

    def json(self) -> dict[str, Any]:
        """Return the declaration for the front end."""
        return {**plain(vars(self)), "kind": self.kind, "veil": sorted(self.veil)}


@dataclass(frozen=True, kw_only=True)
class Question(AnyQuestion):
    """A question with two to four choices; ``answer`` counts them from 0."""

    choices: Sequence[str]
    answer: int

    kind = "choice"

    def __post_init__(self) -> None:
        n, k = len(self.choices), self.answer
        rule = "A question has two to four choices and one of them is right"
        demand(2 <= n <= 4 and 0 <= k < n, f"{rule}, but {n} choices and answer {k} were given; count the answer from 0.")


@dataclass(frozen=True, kw_only=True)
class _Drawn(AnyQuestion):
    """A question answered in panel number ``panel``, counted from 0."""

    panel: int = 0

    def check(self, panels: Sequence[Panel], demo: str) -> None:
        n, k = len(panels), self.panel
        rule = "A prediction is drawn in a panel counted from 0"
        demand(0 <= k < n, f"{rule}, but {demo} has {n} and the question names {k}; give at most {n - 1}.")
        super().check(panels, demo)


@dataclass(frozen=True, kw_only=True)
class Sketch(_Drawn):
    """A question answered by drawing: the reader sets the height of a curve at the places ``at``.

    Until the reader checks or skips, the curve ``curve`` of panel number ``panel`` (counted from 0) waits, too.  The sketch
    begins on the curve ``start``, if one is named, and stays afterwards, dotted, beside the answer.
    """

    curve: str
    at: Sequence[float]
    start: str | None = None

    kind = "sketch"

    @property
    def veil(self) -> set[str]:
        return {self.curve, *self.hide}

    def __post_init__(self) -> None:
        fits, rule = (
            2 <= len(self.at) <= 9 and np.all(np.diff(self.at) > 0),
            "A sketch has two to nine handles from left to right",
        )
        demand(bool(fits), f"{rule}, but {list(self.at)} was given; give increasing numbers.")

    def check(self, panels: Sequence[Panel], demo: str) -> None:
        super().check(panels, demo)
        panel = panels[self.panel]
        keys, low, high = [c.key for c in panel.curves], float(panel.x[0]), float(panel.x[-1])
        named = [self.curve] if self.start is None else [self.curve, self.start]
        demand_known(named, keys, f"A sketch is compared with a curve of its panel, but {demo} names")
        inside, rule = low <= self.at[0] and self.at[-1] <= high, "The handles of a sketch stand on the panel"
        demand(inside, f"{rule}, but {demo} has {list(self.at)} on [{low}, {high}]; move them inside.")


@dataclass(frozen=True, kw_only=True)
class Mark(_Drawn):
    """A question answered by placing one point; ``x`` and ``y`` name the numbers of the result that are right, and wait.

    ``on`` names a curve of the panel on which the answer must lie: the mark keeps to it.
    """

    x: str
    y: str
    on: str | None = None

    kind = "mark"

    @property
    def veil(self) -> set[str]:
        return {self.x, self.y, *self.hide}

    def check(self, panels: Sequence[Panel], demo: str) -> None:
        super().check(panels, demo)
        keys = [c.key for c in panels[self.panel].curves]
        demand_known([self.on] if self.on else [], keys, f"A mark keeps to a curve of its panel, but {demo} names")
