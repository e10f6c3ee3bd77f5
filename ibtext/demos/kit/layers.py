"""What a panel shows: curves, paths, points, bands, bars and images over a pair of axes.

A layer knows which keys of the result it draws and in which shape, how the front end hears of it, and how it is drawn in a still
picture.  A new kind is one class here with a keyword of :class:`Panel`, and one in ``frontend/src/view/layers``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .controls import AnyControl
from .declaration import COLORS, DASHES, MARKERS, DeclarationError, Numbers, demand, demand_known, plain, plain_grid
from .figure import Canvas

Shape = tuple[int, ...] | None


#: Fields that hold a name from a list: what the name is called, and the list.
NAMED: dict[str, tuple[str, Any]] = {
    "color": ("colour", COLORS),
    "dash": ("dash", DASHES),
    "marker": ("marker", MARKERS),
}


class Layer:
    """What all layers have in common."""

    def __post_init__(self) -> None:
        owner = list(self.shapes(0))[-1]
        for field, (what, known) in NAMED.items():
            value = vars(self).get(field)
            if value is not None and value not in known:
                raise DeclarationError(
                    f"A layer has a {what} from the list {', '.join(known)}, but {owner!r} asks for {value!r}; choose one."
                )

    def shapes(self, n: int) -> dict[str, Shape]:
        """Return the keys that are drawn over a grid of n points, with their shapes; None where any list or number will do."""
        raise NotImplementedError

    def heights(self) -> Sequence[str]:
        """Return the keys whose values the y axis has to hold."""
        return ()

    def json(self) -> dict[str, Any]:
        """Return the declaration for the front end."""
        return {k: plain(v) for k, v in vars(self).items()}

    def draw(self, canvas: Canvas) -> None:
        """Draw into a still picture."""
        raise NotImplementedError

    def annotate(self, canvas: Canvas) -> None:
        """Write the label, when everything is drawn."""


@dataclass(frozen=True, kw_only=True)
class _Line(Layer):
    """A line with a colour, a dash pattern and a width.

    A line that ``grows`` is drawn step by step when the reader plays the demo.  One that ``goes_on`` has no end, and leaves the
    panel: the axes do not follow it.
    """

    color: str = "blue"
    dash: str = "solid"
    width: float = 2.0
    grows: bool = False
    goes_on: bool = False

    def json(self) -> dict[str, Any]:
        return super().json() | {"dash": list(DASHES[self.dash])}

    def line(self, canvas: Canvas, x: ArrayLike, y: ArrayLike) -> None:
        """Draw the line through points."""
        style: Any = (0, DASHES[self.dash]) if DASHES[self.dash] else "-"
        canvas.axes.plot(x, y, color=COLORS[self.color], linewidth=self.width * 0.75, linestyle=style)


@dataclass(frozen=True, kw_only=True)
class Curve(_Line):
    """One line: the array ``key`` of the result, drawn over its panel's x grid and labelled on the line itself.

    The label may have fields for the parameters, as the summary has: ``"p = {p:.2f}"``.
    """

    key: str
    label: str

    def shapes(self, n: int) -> dict[str, Shape]:
        return {self.key: (n,)}

    def heights(self) -> Sequence[str]:
        return () if self.goes_on else (self.key,)

    def draw(self, canvas: Canvas) -> None:
        y = canvas.array(self.key)
        self.line(canvas, canvas.x, y)
        canvas.curves[self.key] = y

    def annotate(self, canvas: Canvas) -> None:
        canvas.curve_note(self.label, self.key, self.color)


@dataclass(frozen=True, kw_only=True)
class _Places(Layer):
    """Points ``(x_k, y_k)`` of the result, with one label for all."""

    x: str
    y: str
    label: str = ""
    color: str

    def shapes(self, n: int) -> dict[str, Shape]:
        return {self.x: None, self.y: None}

    def heights(self) -> Sequence[str]:
        return () if getattr(self, "goes_on", False) else (self.y,)

    def annotate(self, canvas: Canvas) -> None:
        canvas.top_note(self.label, canvas.array(self.x), canvas.array(self.y), self.color)


@dataclass(frozen=True, kw_only=True)
class Path(_Places, _Line):
    """A line through the points ``(x_k, y_k)``, two arrays of the result; a NaN breaks it.  For orbits and boundaries."""

    color: str = "blue"

    def draw(self, canvas: Canvas) -> None:
        self.line(canvas, canvas.array(self.x), canvas.array(self.y))


@dataclass(frozen=True, kw_only=True)
class Scatter(_Places):
    """Markers at the points ``(x_k, y_k)``, two arrays or two numbers of the result.

    With ``grows`` they come one after another when the reader plays the demo, a single one at the end.
    """

    color: str = "ink"
    marker: str = "circle"
    grows: bool = False

    def draw(self, canvas: Canvas) -> None:
        style: Any = {"linestyle": "none", "marker": MARKERS[self.marker], "markersize": 6, "zorder": 4, "mec": "white"}
        canvas.axes.plot(canvas.array(self.x), canvas.array(self.y), color=COLORS[self.color], **style)


@dataclass(frozen=True, kw_only=True)
class Band(Layer):
    """The area between two arrays of the result over the panel's x grid."""

    lower: str
    upper: str
    label: str = ""
    color: str = "blue"

    def shapes(self, n: int) -> dict[str, Shape]:
        return {self.lower: (n,), self.upper: (n,)}

    def heights(self) -> Sequence[str]:
        return (self.lower, self.upper)

    def draw(self, canvas: Canvas) -> None:
        lower, upper = canvas.array(self.lower), canvas.array(self.upper)
        canvas.axes.fill_between(canvas.x, lower, upper, color=COLORS[self.color], alpha=0.18, linewidth=0)

    def annotate(self, canvas: Canvas) -> None:
        lower, upper = canvas.array(self.lower), canvas.array(self.upper)
        if self.label and np.any(np.isfinite(upper - lower)):
            k = int(np.nanargmax((upper - lower) * (np.abs(np.linspace(-1, 1, upper.size)) < 0.8)))
            canvas.note(self.label, (canvas.x[k], (lower[k] + upper[k]) / 2), self.color, offset=-3)


@dataclass(frozen=True, kw_only=True)
class Bars(Layer):
    """One bar for each entry of the array ``key``, from zero (or the lower edge), with its name below."""

    key: str
    names: Sequence[str]
    color: str = "blue"

    def shapes(self, n: int) -> dict[str, Shape]:
        return {self.key: (len(self.names),)}

    def heights(self) -> Sequence[str]:
        return (self.key,)

    def draw(self, canvas: Canvas) -> None:
        values, base = canvas.array(self.key), max(min(0.0, canvas.y_limits[1]), canvas.y_limits[0])
        canvas.axes.bar(np.arange(values.size), values - base, bottom=base, width=0.64, color=COLORS[self.color])
        canvas.axes.set_xticks(np.arange(values.size), self.names)


@dataclass(frozen=True, kw_only=True)
class Image(Layer):
    """A field as an image: the array ``key`` of shape (len(y), len(x)) on the panel's x grid times ``y``, with a colour bar.

    The colours are those of viridis, which is perceptually uniform and readable in every kind of colour vision; ``limits`` are
    the values at its ends.  Both grids are equally spaced.
    """

    key: str
    y: ArrayLike
    limits: tuple[float, float]
    label: str

    def __post_init__(self) -> None:
        low, high = self.limits
        demand(low < high, f"The limits of an image increase, but {self.key!r} has {self.limits}; give (low, high).")
        _demand_spaced(self.y, f"the y grid of image {self.key!r}")

    def shapes(self, n: int) -> dict[str, Shape]:
        return {self.key: (np.size(self.y), n)}

    def json(self) -> dict[str, Any]:
        return super().json() | {"y": plain_grid(self.y)}

    def draw(self, canvas: Canvas) -> None:
        axes, x, y, (low, high) = canvas.axes, canvas.x, np.asarray(self.y, dtype=float), self.limits
        dx, dy = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
        drawn = axes.imshow(
            canvas.array(self.key), extent=(x[0] - dx, x[-1] + dx, y[0] - dy, y[-1] + dy), origin="lower",
            aspect=axes.get_aspect(), cmap="viridis", vmin=low, vmax=high, interpolation="nearest",
        )  # fmt: skip
        axes.set(xlim=(x[0], x[-1]), ylim=canvas.y_limits)
        axes.figure.colorbar(drawn, ax=axes, label=self.label)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One plot.

    The y axis runs over ``y_limits``.  Where what is drawn does not fit, it runs over the first of ``y_steps`` that holds all of
    it: fixed steps, so that pictures can be compared, and nothing is cut off.  ``points`` names a :class:`Labels` or
    :class:`Points` control drawn here as draggable points, ``data`` gives fixed points ``(x, y)``, ``marks`` inputs to tick with
    faint vertical lines, ``cursor`` a control whose value is marked on the x axis.  On a logarithmic axis the grid, the values
    and the limits are base-10 logarithms; the ticks read as powers of ten.  ``aspect="equal"`` gives both axes the same unit.
    A panel of :class:`Bars` needs no ``x``: bar k stands at k.
    """

    title: str
    x: Any = None
    x_label: str = ""
    y_label: str
    y_limits: tuple[float, float]
    y_steps: Sequence[tuple[float, float]] = ()
    curves: Sequence[Curve] = ()
    paths: Sequence[Path] = ()
    scatter: Sequence[Scatter] = ()
    bands: Sequence[Band] = ()
    bars: Bars | None = None
    image: Image | None = None
    points: str | None = None
    data: tuple[Numbers, Numbers] | None = None
    marks: Numbers = ()
    cursor: str | None = None
    x_log: bool = False
    y_log: bool = False
    aspect: str = "auto"

    def __post_init__(self) -> None:
        if self.x is None and self.bars is not None:
            object.__setattr__(self, "x", (-0.6, len(self.bars.names) - 0.4))
        grid = np.asarray(self.x, dtype=float)
        increasing, has = grid.ndim == 1 and grid.size > 1 and np.all(np.diff(grid) > 0), f"but panel {self.title!r} has"
        rule = "The x grid of a panel is an increasing list of numbers"
        demand(bool(increasing), f"{rule}, {has} {self.x!r}; pass np.linspace(left, right, n).")
        demand(self.y_limits[0] < self.y_limits[1], f"The y limits of a panel increase, {has} {self.y_limits}; give (low, high).")
        windows = (self.y_limits, *self.y_steps)
        nested = all(b[0] <= a[0] and a[1] <= b[1] for a, b in pairwise(windows))
        demand(nested, f"Each step of a y axis holds the one before, {has} {windows}; give them from small to large.")
        rule = f"The aspect of a panel is 'auto' or 'equal', {has} {self.aspect!r}"
        demand(self.aspect in ("auto", "equal"), f"{rule}; for a ratio choose the limits.")
        if self.image is not None:
            _demand_spaced(grid, f"the x grid of panel {self.title!r}, which has an image,")

    @property
    def layers(self) -> Iterator[Layer]:
        """What is drawn, from back to front."""
        for layer in (self.image, *self.bands, self.bars, *self.curves, *self.paths, *self.scatter):
            if layer is not None:
                yield layer

    def shapes(self) -> dict[str, Shape]:
        """Return the keys that this panel draws with their shapes; None where any list or number will do."""
        return {key: shape for layer in self.layers for key, shape in layer.shapes(np.size(self.x)).items()}

    def limits(self, result: Mapping[str, Any]) -> tuple[float, float]:
        """Return the limits of the y axis for a result."""
        keys = [key for layer in self.layers for key in layer.heights()]
        drawn = np.concatenate([np.ravel(np.asarray(result[key], dtype=float)) for key in keys] or [np.array([])])
        drawn = drawn[np.isfinite(drawn)]
        windows = (self.y_limits, *self.y_steps)
        return next((w for w in windows if not drawn.size or (w[0] <= drawn.min() and drawn.max() <= w[1])), windows[-1])

    def check(self, controls: Sequence[AnyControl], demo: str) -> None:
        """Refuse references to anything but controls that can be drawn here."""
        for reference, fit in (
            (self.points, [c.name for c in controls if c.is_dragged]), (self.cursor, [c.name for c in controls if c.is_slider]),
        ):  # fmt: skip
            if reference is not None:
                demand_known([reference], fit, f"A panel refers to controls of its demo, but {self.title!r} of {demo} refers to")

    def json(self) -> dict[str, Any]:
        """Return the declaration for the front end."""
        return {
            "title": self.title, "xLabel": self.x_label, "yLabel": self.y_label, "yLimits": plain(self.y_limits),
            "ySteps": plain(list(self.y_steps)), "heights": [key for layer in self.layers for key in layer.heights()],
            "xLog": self.x_log, "yLog": self.y_log, "equal": self.aspect == "equal", "x": plain_grid(self.x),
            "points": self.points, "data": plain(self.data), "marks": plain(list(self.marks)), "cursor": self.cursor,
            **{k: [layer.json() for layer in getattr(self, k)] for k in ("curves", "paths", "scatter", "bands")},
            "bars": self.bars and self.bars.json(), "image": self.image and self.image.json(),
        }  # fmt: skip

    def draw(
        self, axes: Any, controls: Mapping[str, AnyControl], result: Mapping[str, Any], parameters: Mapping[str, Any],
        words: Mapping[str, Any],
    ) -> None:  # fmt: skip
        """Draw into the axes of a still picture; ``words`` fills the fields of the labels."""
        x, ink, limits = np.asarray(self.x, dtype=float), COLORS["ink"], self.limits(result)
        canvas = Canvas(axes, x, limits, result, words)
        axes.set(xlim=(x[0], x[-1]), ylim=limits, xlabel=self.x_label, ylabel=self.y_label)
        axes.set_title(self.title, fontsize=9, loc="left", color=ink)
        if self.aspect == "equal":
            axes.set_aspect("equal", adjustable="box")
        for mark in self.marks:
            axes.axvline(mark, color="#d5dae0", linewidth=0.8, zorder=0)
        for layer in self.layers:
            layer.draw(canvas)
        for layer in self.layers:
            layer.annotate(canvas)
        if self.data is not None:
            axes.plot(*self.data, "o", color=ink, markersize=5, zorder=5)
        if self.points is not None:
            edge = {"markeredgecolor": "white", "markeredgewidth": 1.0} if self.image is not None else {}
            places = controls[self.points].places(parameters[self.points])
            axes.plot(*places, "o", color=ink, markersize=5, zorder=5, clip_on=False, **edge)
        if self.cursor is not None:
            now = parameters[self.cursor]
            axes.axvline(np.log10(now) if self.x_log else now, color=ink, linewidth=0.8)
        for log, axis in ((self.x_log, axes.xaxis), (self.y_log, axes.yaxis)):
            if log:
                canvas.powers_of_ten(axis)


def _demand_spaced(grid: ArrayLike, what: str) -> None:
    steps = np.diff(np.asarray(grid, dtype=float))
    demand(
        steps.size > 0 and bool(np.all(steps > 0) and np.ptp(steps) <= 1e-6 * steps[0]),
        f"An image stands on equally spaced increasing grids, but {what} is not one; pass np.linspace(low, high, n).",
    )


def check_shapes(panels: Sequence[Panel], result: Mapping[str, Any], demo: str) -> None:
    """Refuse a result that misses an array that a panel draws, or has it in another shape."""
    for panel in panels:
        for key, shape in panel.shapes().items():
            if key not in result:
                raise DeclarationError(
                    f"A result has every key that the panels draw, but that of {demo} has no {key!r} for panel "
                    f"{panel.title!r}; return one of that name, or draw one of {', '.join(result)}."
                )
            if shape is not None and np.shape(result[key]) != shape:
                raise DeclarationError(
                    f"An array has the shape that its layer draws, but {key!r} of {demo} has {np.shape(result[key])} where "
                    f"panel {panel.title!r} needs {shape}; compute it on the grid of the panel."
                )
        places: list[_Places] = [*panel.paths, *panel.scatter]
        for q in places:
            x, y = np.size(result[q.x]), np.size(result[q.y])
            if x != y:
                raise DeclarationError(
                    f"A path or scatter has as many x as y, but {q.x!r} and {q.y!r} of {demo} have {x} and {y}; return as many."
                )
