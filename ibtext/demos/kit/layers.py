"""What a panel shows: curves, paths, points, bands, bars and images over a pair of axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .palette import COLORS, DASHES, MARKERS, DeclarationError, listed


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
        listed(self.color, COLORS, "colour", self.key)
        listed(self.dash, DASHES, "dash", self.key)


@dataclass(frozen=True, kw_only=True)
class Path:
    """A line through the points ``(x_k, y_k)``, two arrays of the result; a NaN breaks it.  For orbits and boundaries."""

    x: str
    y: str
    label: str = ""
    color: str = "blue"
    dash: str = "solid"
    width: float = 2.0

    def __post_init__(self) -> None:
        listed(self.color, COLORS, "colour", self.y)
        listed(self.dash, DASHES, "dash", self.y)


@dataclass(frozen=True, kw_only=True)
class Scatter:
    """Markers at the points ``(x_k, y_k)``, two arrays or two numbers of the result."""

    x: str
    y: str
    label: str = ""
    color: str = "ink"
    marker: str = "circle"

    def __post_init__(self) -> None:
        listed(self.color, COLORS, "colour", self.y)
        listed(self.marker, MARKERS, "marker", self.y)


@dataclass(frozen=True, kw_only=True)
class Band:
    """The area between two arrays of the result over the panel's x grid."""

    lower: str
    upper: str
    label: str = ""
    color: str = "blue"

    def __post_init__(self) -> None:
        listed(self.color, COLORS, "colour", self.upper)


@dataclass(frozen=True, kw_only=True)
class Bars:
    """One bar for each entry of the array ``key``, from zero (or the lower edge), with its name below."""

    key: str
    names: Sequence[str]
    color: str = "blue"

    def __post_init__(self) -> None:
        listed(self.color, COLORS, "colour", self.key)


@dataclass(frozen=True, kw_only=True)
class Image:
    """A field as an image: the array ``key`` of shape (len(y), len(x)) on the panel's x grid times ``y``, with a colour bar.

    The colours are those of viridis, which is perceptually uniform and readable in every kind of colour vision; ``limits`` are
    the values at its ends.  Both grids are equally spaced.
    """

    key: str
    y: Any
    limits: tuple[float, float]
    label: str

    def __post_init__(self) -> None:
        if not self.limits[0] < self.limits[1]:
            raise DeclarationError(
                f"The limits of an image increase, but {self.key!r} has {self.limits}; they were probably swapped; "
                "give (low, high)."
            )
        _spaced(self.y, f"the y grid of image {self.key!r}")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One plot with fixed limits.

    ``points`` names a :class:`Labels` or :class:`Points` control drawn here as draggable points, ``data`` gives fixed points
    ``(x, y)``, ``marks`` inputs to tick with faint vertical lines, ``cursor`` a control whose value is marked on the x axis.
    On a logarithmic axis the grid, the values and the limits are base-10 logarithms; the ticks read as powers of ten.
    ``aspect="equal"`` gives both axes the same unit.  A panel of :class:`Bars` needs no ``x``: bar k stands at k.
    """

    title: str
    x: Any = None
    x_label: str = ""
    y_label: str
    y_limits: tuple[float, float]
    curves: Sequence[Curve] = ()
    paths: Sequence[Path] = ()
    scatter: Sequence[Scatter] = ()
    bands: Sequence[Band] = ()
    bars: Bars | None = None
    image: Image | None = None
    points: str | None = None
    data: tuple[Sequence[float], Sequence[float]] | None = None
    marks: Sequence[float] = ()
    cursor: str | None = None
    x_log: bool = False
    y_log: bool = False
    aspect: str = "auto"

    def __post_init__(self) -> None:
        if self.x is None and self.bars is not None:
            object.__setattr__(self, "x", (-0.6, len(self.bars.names) - 0.4))
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
        if self.aspect not in ("auto", "equal"):
            raise DeclarationError(
                f"The aspect of a panel is 'auto' or 'equal', but panel {self.title!r} has {self.aspect!r}; a ratio was "
                "probably meant; choose the limits for that."
            )
        if self.image is not None:
            _spaced(grid, f"the x grid of panel {self.title!r}, which has an image,")

    def pairs(self) -> list[tuple[str, str]]:
        """Return the keys of x and y of paths and scattered points."""
        return [(q.x, q.y) for q in self.paths] + [(q.x, q.y) for q in self.scatter]

    def shapes(self) -> dict[str, tuple[int, ...] | None]:
        """Return the keys that this panel draws with their shapes; None where any list or number will do."""
        n = (np.size(self.x),)
        out: dict[str, tuple[int, ...] | None] = {c.key: n for c in self.curves}
        out |= {k: n for b in self.bands for k in (b.lower, b.upper)}
        out |= {k: None for pair in self.pairs() for k in pair}
        if self.bars is not None:
            out[self.bars.key] = (len(self.bars.names),)
        if self.image is not None:
            out[self.image.key] = (np.size(self.image.y), *n)
        return out


def _spaced(grid: Any, what: str) -> None:
    steps = np.diff(np.asarray(grid, dtype=float))
    if steps.size == 0 or not np.all(steps > 0) or np.ptp(steps) > 1e-6 * abs(steps[0]):
        raise DeclarationError(
            f"An image stands on equally spaced increasing grids, but {what} is not one; it was probably made of logarithms or "
            "of data; pass np.linspace(low, high, n)."
        )


def check_shapes(panels: Sequence[Panel], result: Any, demo: str) -> None:
    """Refuse a result that misses an array that a panel draws, or has it in another shape."""
    for panel in panels:
        for key, shape in panel.shapes().items():
            if key not in result:
                raise DeclarationError(
                    f"A result has every key that the panels draw, but that of {demo} has no {key!r} for panel "
                    f"{panel.title!r}; a name was probably misspelt; return one of that name, or draw one of "
                    f"{', '.join(result)}."
                )
            if shape is not None and np.shape(result[key]) != shape:
                raise DeclarationError(
                    f"An array has the shape that its layer draws, but {key!r} of {demo} has {np.shape(result[key])} where "
                    f"panel {panel.title!r} needs {shape}; it was probably computed on another grid; use that of the panel."
                )
        for x, y in panel.pairs():
            if np.size(result[x]) != np.size(result[y]):
                raise DeclarationError(
                    f"A path or scatter has as many x as y, but {x!r} and {y!r} of {demo} have "
                    f"{np.size(result[x])} and {np.size(result[y])}; one was probably cut; return equal lengths."
                )
