"""What the reader moves: sliders, data points, choices and free points.

A control knows everything about its kind: which values it takes, how the front end hears of it, what it contributes to a
sentence, to a still picture and to the rows of a table.  A new kind is one class here, and one in ``frontend/src/view``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import traitlets as T

from .declaration import Numbers, demand, plain
from .number_text import number


@dataclass(frozen=True)
class Dimension:
    """A continuous parameter: a slider, or one coordinate ``at`` = (point, 0 or 1) of draggable points."""

    name: str
    low: float
    high: float
    log: bool = False
    at: tuple[int, int] | None = None

    def coordinate(self, parameters: Mapping[str, Any]) -> float:
        """Return the coordinate in which the parameter is interpolated: its logarithm for a logarithmic slider."""
        value = parameters[self.name]
        v = float(value if self.at is None else value[self.at[0]][self.at[1]])
        return float(np.log(v)) if self.log else v

    @property
    def ends(self) -> tuple[float, float]:
        """The range of the coordinate."""
        return (float(np.log(self.low)), float(np.log(self.high))) if self.log else (self.low, self.high)

    def value(self, coordinate: float) -> float:
        """Return the parameter at a coordinate; exp(log(x)) may leave the range by one rounding."""
        v = float(np.exp(coordinate)) if self.log else float(coordinate)
        return min(max(v, self.low), self.high)


@dataclass(frozen=True)
class Box:
    """A vector parameter ``middle + half * u`` with u in [-1, 1]^count, in which results may be affine."""

    name: str
    middle: float
    half: float
    count: int


@dataclass(frozen=True, kw_only=True)
class AnyControl:
    """A parameter of a demo: what the kinds of controls have in common."""

    name: str
    symbol: str
    label: str
    default: Any

    kind: ClassVar[str]
    #: Takes one number: may be the cursor of a panel, and counts as a slider.
    is_slider: ClassVar[bool] = False
    #: Is drawn in a panel, at its ``places``, and dragged there.
    is_dragged: ClassVar[bool] = False

    def start(self) -> Any:
        """Return the value at the start."""
        return np.asarray(self.default, dtype=float).tolist()

    def trait(self) -> T.TraitType[Any, Any]:
        """Return the trait that holds the value and refuses others."""
        raise NotImplementedError

    def declared(self, value: Any) -> Any:
        """Return a value in the type that the author declared."""
        return value

    def json(self) -> dict[str, Any]:
        """Return the declaration for the front end."""
        return {"name": self.name, "symbol": self.symbol, "label": self.label, "kind": self.kind, "default": self.start()}

    def words(self, value: Any) -> dict[str, Any]:
        """Return the fields that a value gives to sentences and to the labels of curves."""
        return {}

    def places(self, value: Any) -> tuple[Numbers, Numbers]:
        """Return x and y of the points that a value means."""
        raise NotImplementedError

    def options_of_rows(self) -> Sequence[Any]:
        """Return the values for each of which a table has rows of its own."""
        return ()

    def dimensions(self) -> list[Dimension]:
        """Return the continuous parameters in which a table interpolates."""
        return []

    def assembled(self, values: Sequence[float]) -> Any:
        """Return the value made of a number for each dimension."""
        return np.reshape(values, np.shape(self.default)).tolist()

    def box(self) -> Box | None:
        """Return the box over which a table may be linear."""
        return None


@dataclass(frozen=True, kw_only=True)
class Control(AnyControl):
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
    plays
        A control of time: it gets buttons to play, pause and step.
    """

    minimum: float
    maximum: float
    default: float
    log: bool = False
    steps: int = 200
    plays: bool = False

    kind = "slider"
    is_slider = True

    def __post_init__(self) -> None:
        low, high = self.minimum, self.maximum
        rule = f"A control runs from a minimum up to a maximum, but {self.name!r}"
        demand(low < high, f"{rule} from {low} to {high}; swap them.")
        _demand_inside(low <= self.default <= high, self, (low, high))
        rule = f"A logarithmic control is positive, but {self.name!r} starts at"
        demand(not self.log or low > 0, f"{rule} {low}; raise the minimum or drop log=True.")

    def trait(self) -> T.TraitType[Any, Any]:
        return T.Float(self.start(), min=self.minimum, max=self.maximum)

    def json(self) -> dict[str, Any]:
        more = {"min": self.minimum, "max": self.maximum, "log": self.log, "steps": self.steps, "plays": self.plays}
        return super().json() | more

    def words(self, value: Any) -> dict[str, Any]:
        return {self.name: float(value)}

    def dimensions(self) -> list[Dimension]:
        return [Dimension(self.name, self.minimum, self.maximum, self.log)]


@dataclass(frozen=True, kw_only=True)
class Labels(AnyControl):
    """Data points ``(x_i, y_i)`` whose labels y the reader drags up and down."""

    x: Numbers
    default: Numbers
    minimum: float = -1.0
    maximum: float = 1.0
    step: float = 0.05

    kind = "labels"
    is_dragged = True

    def __post_init__(self) -> None:
        n, m = len(self.x), len(self.default)
        demand(n == m, f"Every data point has one label, but {self.name!r} has {n} inputs and {m} labels; give as many of both.")
        low, high = self.minimum, self.maximum
        _demand_inside(low <= min(self.default) and max(self.default) <= high, self, (low, high))

    def trait(self) -> T.TraitType[Any, Any]:
        value = T.Float(min=self.minimum, max=self.maximum)
        return T.List(value, default_value=self.start(), minlen=len(self.x), maxlen=len(self.x))

    def json(self) -> dict[str, Any]:
        return super().json() | {"min": self.minimum, "max": self.maximum, "x": plain(list(self.x)), "step": self.step}

    def places(self, value: Any) -> tuple[Numbers, Numbers]:
        return self.x, value

    def box(self) -> Box:
        return Box(self.name, (self.minimum + self.maximum) / 2, (self.maximum - self.minimum) / 2, len(self.x))


class _Chosen:
    """The value of a choice in a sentence: the reader's text, or the number if a format asks for one."""

    def __init__(self, value: Any, text: str) -> None:
        self._value, self._text = value, text

    def __format__(self, spec: str) -> str:
        return number(float(self._value), spec) if spec else self._text


@dataclass(frozen=True, kw_only=True)
class Choice(AnyControl):
    """A parameter with two to six values, shown as radio buttons: widths, potentials, optimisers, seeds.

    Parameters
    ----------
    name, symbol, label
        As for :class:`Control`; an empty symbol is left out.
    options
        The values that ``compute`` receives (numbers, or words of letters, digits, ``_``, ``.`` and ``-``), each with the
        text that the reader sees.  In a summary, ``{name}`` gives the text and ``{name:.0f}`` a number.
    default
        The value at the start.
    """

    options: Mapping[str | int | float, str]
    default: str | int | float

    kind = "choice"

    def __post_init__(self) -> None:
        n, values = len(self.options), ", ".join(map(repr, self.options))
        demand(2 <= n <= 6, f"A choice has two to six options, but {self.name!r} has {n}; for more use a slider (Control).")
        rule = f"The default of a choice is one of its options, but {self.name!r} has"
        demand(self.default in self.options, f"{rule} {self.default!r}; use one of the values {values}.")
        for value in self.options:
            demand(
                not isinstance(value, str) or re.fullmatch(r"[\w.-]+", value, re.ASCII) is not None,
                f"An option's value is a number or a word of letters, digits, '_', '.' and '-', but {self.name!r} has {value!r}; "
                "write the text for the reader on the right of the colon.",
            )

    def start(self) -> str | int | float:
        return self.declared(self.default)

    def declared(self, value: str | int | float) -> str | int | float:
        """Return the declared option that equals a value (a browser sends 1 for 1.0)."""
        return next((v for v in self.options if v == value), value)

    def trait(self) -> T.TraitType[Any, Any]:
        return T.Enum(list(self.options), default_value=self.default)

    def json(self) -> dict[str, Any]:
        # a browser has one kind of number: the Python text of each value travels along
        options = [{"value": v, "text": t, "python": repr(v)} for v, t in self.options.items()]
        return super().json() | {"options": options}

    def words(self, value: Any) -> dict[str, Any]:
        return {self.name: _Chosen(value, self.options[value])}

    def options_of_rows(self) -> Sequence[Any]:
        return list(self.options)


@dataclass(frozen=True, kw_only=True)
class Points(AnyControl):
    """Points that the reader drags in both directions; the parameter is a list of ``[x, y]``.

    Parameters
    ----------
    name, symbol, label
        As for :class:`Control`; the symbol gets an index if there is more than one point.
    default
        The points at the start.
    x_limits, y_limits
        The box in which they move, in the units of their panel (base-10 logarithms on a logarithmic axis).
    step
        What an arrow key adds: one number, or one for each direction.
    """

    default: Sequence[tuple[float, float]]
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    step: float | tuple[float, float] = 0.05

    kind = "points"
    is_dragged = True

    def __post_init__(self) -> None:
        x, y, start = self.x_limits, self.y_limits, self.default
        rule = f"The limits of points increase, but {self.name!r} has"
        demand(x[0] < x[1] and y[0] < y[1], f"{rule} x in {x} and y in {y}; swap them.")
        rule = f"Every point has two coordinates, but {self.name!r} starts at"
        demand(len(start) > 0 and all(len(p) == 2 for p in start), f"{rule} {start}; give ((x, y), ...).")
        _demand_inside(all(map(self.holds, self.default)), self, self.x_limits, self.y_limits)

    def holds(self, point: Sequence[float]) -> bool:
        """Tell whether a point lies in the box."""
        (x0, x1), (y0, y1) = self.x_limits, self.y_limits
        return bool(x0 <= point[0] <= x1 and y0 <= point[1] <= y1)

    def trait(self) -> T.TraitType[Any, Any]:
        return _PointsTrait(self)

    def json(self) -> dict[str, Any]:
        steps = self.step if isinstance(self.step, tuple) else (self.step, self.step)
        return super().json() | {"xLimits": plain(self.x_limits), "yLimits": plain(self.y_limits), "steps": plain(steps)}

    def places(self, value: Any) -> tuple[Numbers, Numbers]:
        x, y = np.transpose(value).tolist()
        return x, y

    def dimensions(self) -> list[Dimension]:
        (x0, x1), (y0, y1) = self.x_limits, self.y_limits
        limits = ((0, float(x0), float(x1)), (1, float(y0), float(y1)))
        return [Dimension(self.name, low, high, False, (i, k)) for i in range(len(self.default)) for k, low, high in limits]


class _PointsTrait(T.List[Any]):
    """A list of points that stay in their box."""

    def __init__(self, points: Points) -> None:
        self._points = points
        n = len(points.default)
        pair: Any = T.List(T.Float(), minlen=2, maxlen=2)
        super().__init__(pair, default_value=points.start(), minlen=n, maxlen=n)

    def validate(self, obj: Any, value: Any) -> list[Any]:
        """Refuse points outside the box, too."""
        points: list[Any] = super().validate(obj, [list(map(float, p)) for p in value]) or []
        declared = self._points
        if not all(map(declared.holds, points)):
            raise T.TraitError(
                f"Points stay in their box, but {declared.name!r} was set to {points} outside {declared.x_limits} x "
                f"{declared.y_limits}; give ((x, y), ...) inside."
            )
        return points


def _demand_inside(inside: bool, control: AnyControl, *limits: tuple[float, float]) -> None:
    """Refuse a default outside its range."""
    demand(
        inside,
        f"The default of a control lies in its range, but {control.name!r} has {control.default} outside "
        f"{' x '.join(map(str, limits))}; move the one or the other.",
    )
