"""What an author declares about a demo: controls, curves, panels, the question, the engine of the static page.

Everything here is plain data.  The front end and the static figure are drawn from the same declarations, so the
two cannot disagree about an axis, a label or a dash pattern.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

#: Line styles by name: the dash pattern in pixels.  Colour is never the only difference between two curves.
DASHES: dict[str, tuple[float, ...]] = {"solid": (), "dashed": (7, 4), "dotted": (2, 3), "dashdot": (9, 3, 2, 3)}

#: Colours by name, as used on a light page; the style sheet holds the counterparts for a dark page.
#: They are colours of ``ibtext.plotting.COLORS``' family, each with a contrast of at least 4.5 against white.
COLORS: dict[str, str] = {
    "blue": "#0b63a5",
    "orange": "#b34700",
    "green": "#00755a",
    "purple": "#a03c7c",
    "grey": "#5b6470",
    "ink": "#1d2733",
}


class DeclarationError(ValueError):
    """A demo is declared in a way that cannot work."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """A slider for one number.

    Parameters
    ----------
    name
        The parameter's name in ``compute`` and as a trait of the widget.
    symbol
        The symbol of the text, in Unicode (``"ω"``).
    label
        What it is, in a few words (``"weight of the quadratic part"``).
    minimum, maximum, default
        The range offered and the value at the start.
    log
        Space the slider by ratios instead of differences.
    steps
        How many steps the slider has from end to end.
    """

    name: str
    symbol: str
    label: str
    minimum: float
    maximum: float
    default: float
    log: bool = False
    steps: int = 200

    def __post_init__(self) -> None:
        if not self.minimum < self.maximum:
            raise DeclarationError(
                f"A control runs from a minimum up to a maximum, but {self.name!r} runs from {self.minimum} to "
                f"{self.maximum}; the ends were probably swapped; give minimum < maximum."
            )
        if not self.minimum <= self.default <= self.maximum:
            raise DeclarationError(
                f"The default of a control lies in its range, but {self.name!r} has {self.default} outside "
                f"[{self.minimum}, {self.maximum}]; a bound was probably changed alone; move one of the three."
            )
        if self.log and self.minimum <= 0:
            raise DeclarationError(
                f"A logarithmic control is positive, but {self.name!r} starts at {self.minimum}; the scale was "
                "probably chosen by mistake; raise the minimum or drop log=True."
            )


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Data points ``(x_i, y_i)`` whose labels y the reader drags up and down."""

    name: str
    symbol: str
    label: str
    x: Sequence[float]
    default: Sequence[float]
    minimum: float = -1.0
    maximum: float = 1.0
    step: float = 0.05

    def __post_init__(self) -> None:
        if len(self.x) != len(self.default):
            raise DeclarationError(
                f"Every data point has one label, but {self.name!r} has {len(self.x)} inputs and "
                f"{len(self.default)} labels; one list was probably cut; give lists of equal length."
            )
        if min(self.default) < self.minimum or max(self.default) > self.maximum:
            raise DeclarationError(
                f"The default of a label lies in its range, but {self.name!r} has {list(self.default)} outside "
                f"[{self.minimum}, {self.maximum}]; a bound was probably changed alone; widen the range."
            )


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: the array ``key`` of the result, drawn over its panel's x grid and labelled on the line itself.

    The label may have fields for the parameters, as the summary has: ``"p = {p:.2f}"``.
    """

    key: str
    label: str
    color: str = "blue"
    dash: str = "solid"
    width: float = 2.0

    def __post_init__(self) -> None:
        for value, table, what in ((self.color, COLORS, "colour"), (self.dash, DASHES, "dash")):
            if value not in table:
                raise DeclarationError(
                    f"A curve has a {what} from the list {', '.join(table)}, but {self.key!r} asks for {value!r}; "
                    "it is probably a Matplotlib name; choose one of the list."
                )


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One plot with fixed limits.

    ``points`` names a :class:`Labels` control drawn here as draggable points, ``data`` gives fixed points ``(x, y)``,
    ``marks`` inputs to tick with faint vertical lines, ``cursor`` a control whose value is marked on the x axis.  On a
    logarithmic axis the grid, the values and the limits are base-10 logarithms; the ticks read as powers of ten.
    """

    title: str
    x: Any
    x_label: str
    y_label: str
    y_limits: tuple[float, float]
    curves: Sequence[Curve]
    points: str | None = None
    data: tuple[Sequence[float], Sequence[float]] | None = None
    marks: Sequence[float] = ()
    cursor: str | None = None
    x_log: bool = False
    y_log: bool = False

    def __post_init__(self) -> None:
        grid = np.asarray(self.x, dtype=float)
        if grid.ndim != 1 or grid.size < 2 or not np.all(np.diff(grid) > 0):
            raise DeclarationError(
                f"The x grid of a panel is an increasing list of numbers, but panel {self.title!r} has shape "
                f"{grid.shape}; it was probably not sorted; pass np.linspace(left, right, n)."
            )
        if not self.y_limits[0] < self.y_limits[1]:
            raise DeclarationError(
                f"The y limits of a panel increase, but panel {self.title!r} has {self.y_limits}; they were "
                "probably swapped; give (low, high)."
            )


@dataclass(frozen=True, kw_only=True)
class Question:
    """The question to answer before moving anything; ``answer`` counts the choices from 0."""

    text: str
    choices: Sequence[str]
    answer: int
    because: str

    def __post_init__(self) -> None:
        if not 2 <= len(self.choices) <= 4 or not 0 <= self.answer < len(self.choices):
            raise DeclarationError(
                f"A question has two to four choices and one of them is right, but {len(self.choices)} choices and "
                f"answer {self.answer} were given; the answer probably counts from 1; count it from 0."
            )


@dataclass(frozen=True, kw_only=True)
class Table:
    """Static pages answer from a table of Chebyshev nodes (see ``ibtext.demos.table``).

    ``nodes`` gives the number of nodes for each control; ``tolerance`` is the largest error accepted, as a share
    of each output's full scale, at ``checks`` random settings off the nodes.  A parameter in ``repeat`` keeps each of
    its random values for that many settings, where settings with equal values share expensive work.
    """

    nodes: Mapping[str, int]
    repeat: Mapping[str, int] = field(default_factory=dict)
    tolerance: float = 0.005
    checks: int = 200
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Dual:
    """Static pages solve the book's equation in the browser (see ``ibtext.demos.dual``).

    ``solutions`` maps a prefix to a problem, a dictionary with the keys ``x``, ``y``, ``p``, ``omega`` and
    ``half_width``; each value is a constant or the name of a parameter.  A prefix ``limit`` makes the results
    ``limit_value`` and ``limit_curvature`` (on the grid of the panel that draws them), ``limit_max`` and
    ``limit_mean`` (of |h''| over the bias range).  ``magnitudes`` asks for |h''| instead of h''.
    """

    solutions: Mapping[str, Mapping[str, Any]]
    magnitudes: bool = False

    KEYS = ("x", "y", "p", "omega", "half_width")
    QUANTITIES = ("value", "curvature", "max", "mean")

    def __post_init__(self) -> None:
        for prefix, problem in self.solutions.items():
            if set(problem) != set(self.KEYS):
                raise DeclarationError(
                    f"A problem of the dual engine has the keys {', '.join(self.KEYS)}, but {prefix!r} has "
                    f"{', '.join(problem)}; a name was probably misspelt; give exactly the five."
                )


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """No engine on static pages: the demo shows its default state and says that it needs Python."""

    reason: str = field(default="This demo needs a running Python kernel.")
