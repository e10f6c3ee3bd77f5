"""What the reader moves: sliders, data points, choices and free points."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .palette import DeclarationError


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
class Choice:
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

    name: str
    symbol: str
    label: str
    options: Mapping[str | int | float, str]
    default: str | int | float

    def __post_init__(self) -> None:
        if not 2 <= len(self.options) <= 6:
            raise DeclarationError(
                f"A choice has two to six options, but {self.name!r} has {len(self.options)}; more are probably values of "
                "one quantity; use a slider (Control) for those."
            )
        if self.default not in self.options:
            raise DeclarationError(
                f"The default of a choice is one of its options, but {self.name!r} has {self.default!r}; the text was "
                f"probably given instead of the value; use one of {', '.join(map(repr, self.options))}."
            )
        for value in self.options:
            if isinstance(value, str) and not re.fullmatch(r"[\w.-]+", value, re.ASCII):
                raise DeclarationError(
                    f"An option's value is a number or a word of letters, digits, '_', '.' and '-', but {self.name!r} has "
                    f"{value!r}; it is probably the text for the reader; put that on the right of the colon."
                )

    def value(self, given: str | int | float) -> str | int | float:
        """Return the declared option that equals ``given`` (a browser sends 1 for 1.0)."""
        return next((v for v in self.options if v == given), given)


@dataclass(frozen=True, kw_only=True)
class Points:
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

    name: str
    symbol: str
    label: str
    default: Sequence[tuple[float, float]]
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    step: float | tuple[float, float] = 0.05

    def __post_init__(self) -> None:
        if not (self.x_limits[0] < self.x_limits[1] and self.y_limits[0] < self.y_limits[1]):
            raise DeclarationError(
                f"The limits of points increase, but {self.name!r} has x in {self.x_limits} and y in {self.y_limits}; they "
                "were probably swapped; give (low, high)."
            )
        if not self.default or any(len(p) != 2 for p in self.default):
            raise DeclarationError(
                f"Every point has two coordinates, but {self.name!r} starts at {self.default}; one pair was probably not "
                "wrapped in a list; give ((x, y), ...)."
            )
        if not all(self.holds(p) for p in self.default):
            raise DeclarationError(
                f"The default of a point lies in its box, but {self.name!r} starts at {self.default} outside "
                f"{self.x_limits} x {self.y_limits}; a limit was probably changed alone; widen the box."
            )

    def holds(self, point: Sequence[float]) -> bool:
        """Tell whether a point lies in the box."""
        (x0, x1), (y0, y1) = self.x_limits, self.y_limits
        return bool(x0 <= point[0] <= x1 and y0 <= point[1] <= y1)

    @property
    def steps(self) -> tuple[float, float]:
        """What an arrow key adds in either direction."""
        return self.step if isinstance(self.step, tuple) else (self.step, self.step)


AnyControl = Control | Labels | Choice | Points
