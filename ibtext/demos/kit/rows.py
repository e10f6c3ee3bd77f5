"""The rows of a table: which settings are tabulated, and with which weights they answer for another setting.

The rows are a tensor product of axes, from the slowest to the fastest:

* one axis for each :class:`~ibtext.demos.Choice`, a row for every option, weight one for the chosen and zero for the rest;
* one for each continuous parameter, sampled at the Chebyshev points of the second kind and kept as the coefficients of the
  interpolating polynomial, with weights :math:`T_0(z), T_1(z), \\dots`;
* with ``linear=``, one for the labels :math:`y = \\bar y + \\rho u`: a row for the middle :math:`\\bar y` and one for the
  difference that each label makes, weights :math:`(1, u_1, \\dots, u_m)`.  An affine result needs no more.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from .controls import AnyControl, Choice, Control, Labels, Points
from .engines import Table
from .palette import DeclarationError

Setting = dict[str, Any]


def chebyshev(n: int, low: float, high: float) -> np.ndarray:
    """Return the n Chebyshev points of the second kind on [low, high]."""
    return (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * np.arange(n) / (n - 1))


def polynomials(n: int, z: float) -> np.ndarray:
    """Return the Chebyshev polynomials T_0 ... T_{n-1} at z in [-1, 1]."""
    values: np.ndarray = np.cos(np.arange(n) * np.arccos(min(max(z, -1.0), 1.0)))
    return values


def coefficients(n: int) -> np.ndarray:
    """Return the matrix that turns samples at the n Chebyshev points into Chebyshev coefficients."""
    at_nodes = np.cos(np.pi * np.outer(np.arange(n), np.arange(n)) / (n - 1))
    inverse: np.ndarray = np.linalg.inv(at_nodes)
    return inverse


@dataclass(frozen=True)
class Dimension:
    """One continuous parameter: a slider, or one coordinate ``at`` = (point, 0 or 1) of draggable points."""

    name: str
    low: float
    high: float
    log: bool
    at: tuple[int, int] | None

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


def dimensions(controls: Sequence[AnyControl]) -> list[Dimension]:
    """Return the continuous parameters in the order of their declaration."""
    out: list[Dimension] = []
    for c in controls:
        if isinstance(c, Control):
            out.append(Dimension(c.name, c.minimum, c.maximum, c.log, None))
        elif isinstance(c, Points):
            for i in range(len(c.default)):
                for k, (low, high) in enumerate((c.x_limits, c.y_limits)):
                    out.append(Dimension(c.name, float(low), float(high), False, (i, k)))
    return out


class Rows:
    """The tensor product of axes that a table tabulates."""

    def __init__(self, controls: Sequence[AnyControl], spec: Table, *, demo: str) -> None:
        self.dimensions = dimensions(controls)
        self.choices = [c for c in controls if isinstance(c, Choice)]
        self.labels = next((c for c in controls if isinstance(c, Labels) and c.name == spec.linear), None)
        missing = [d.name for d in self.dimensions if d.name not in spec.nodes]
        if missing:
            raise DeclarationError(
                f"A table has a number of nodes for every control, but {demo} gives none for "
                f"{', '.join(dict.fromkeys(missing))}; a control was probably added later; add it to Table(nodes=...)."
            )
        counts = []
        for d in self.dimensions:
            given = spec.nodes[d.name]
            counts.append(given if isinstance(given, int) else given[2 * d.at[0] + d.at[1] if d.at else 0])
        if any(n < 2 for n in counts):
            raise DeclarationError(
                f"A table has at least two nodes for every control, but {demo} gives {counts}; a fixed parameter is probably "
                "declared as a control; give two or more, or drop the control."
            )
        self.counts = counts
        self.nodes = [chebyshev(n, *d.ends) for d, n in zip(self.dimensions, counts, strict=True)]
        self.combinations = [
            dict(zip([c.name for c in self.choices], v, strict=True))
            for v in itertools.product(*[c.options for c in self.choices])
        ]

    def setting(self, point: Sequence[float], combination: Mapping[str, Any], u: np.ndarray | None = None) -> Setting:
        """Return the parameters at a point of the continuous box, a combination of choices and labels ``u`` in [-1, 1]."""
        out: Setting = dict(combination)
        for d, v in zip(self.dimensions, point, strict=True):
            if d.at is None:
                out[d.name] = d.value(v)
            else:
                handles = out.setdefault(d.name, [])
                if d.at[1] == 0:
                    handles.append([])
                handles[d.at[0]].append(d.value(v))
        if self.labels is not None:
            y = self.middle + self.half * (np.zeros(len(self.labels.x)) if u is None else u)
            out[self.labels.name] = [float(v) for v in y]
        return out

    @property
    def middle(self) -> float:
        """The middle of the labels' range."""
        assert self.labels is not None
        return (self.labels.minimum + self.labels.maximum) / 2

    @property
    def half(self) -> float:
        """Half the length of the labels' range."""
        assert self.labels is not None
        return (self.labels.maximum - self.labels.minimum) / 2

    @property
    def directions(self) -> int:
        """Rows for each node: one, and one more for each label."""
        return 1 if self.labels is None else 1 + len(self.labels.x)

    def settings(self) -> list[Setting]:
        """Return the settings to compute, in the order of the rows."""
        unit = np.eye(self.directions)[:, 1:]
        return [
            self.setting(v, c, u if self.labels is not None else None)
            for c in self.combinations
            for v in itertools.product(*self.nodes)
            for u in unit
        ]

    def random(self, spec: Table) -> list[Setting]:
        """Return random settings off the nodes; every combination of choices gets its share."""
        rng = np.random.default_rng(spec.seed)
        low, high = np.array([d.ends for d in self.dimensions]).reshape(-1, 2).T
        unit = rng.random((spec.checks, len(self.dimensions)))
        for k, d in enumerate(self.dimensions):
            times = spec.repeat.get(d.name, 1)
            unit[:, k] = np.repeat(unit[: -(-spec.checks // times), k], times)[: spec.checks]
        labels = rng.uniform(-1, 1, (spec.checks, self.directions - 1))
        points = low + (high - low) * unit
        return [
            self.setting(q, self.combinations[k % len(self.combinations)], labels[k] if self.labels is not None else None)
            for k, q in enumerate(points)
        ]

    def transform(self, samples: np.ndarray) -> np.ndarray:
        """Return samples (rows first) with the continuous axes turned into Chebyshev coefficients."""
        cube = samples.reshape(-1, *self.counts, self.directions, samples.shape[1])
        for axis, n in enumerate(self.counts, start=1):
            cube = np.moveaxis(np.tensordot(coefficients(n), cube, axes=(1, axis)), 0, axis)
        return cube.reshape(samples.shape)

    def meta(self) -> dict[str, Any]:
        """Return what a reader of the table needs to find the weights."""
        linear = None
        if self.labels is not None:
            linear = {"name": self.labels.name, "middle": self.middle, "half": self.half}
        return {
            "choices": [{"name": c.name, "values": list(c.options)} for c in self.choices],
            "dimensions": [
                {"name": d.name, "log": d.log, "at": d.at and list(d.at), "ends": list(d.ends), "count": n}
                for d, n in zip(self.dimensions, self.counts, strict=True)
            ],
            "linear": linear,
        }


def weights(meta: Mapping[str, Any], parameters: Mapping[str, Any]) -> np.ndarray:
    """Return the weight of every row at a setting, as the browser computes it."""
    factors = [np.array([float(v == parameters[c["name"]]) for v in c["values"]]) for c in meta["choices"]]
    for d in meta["dimensions"]:
        at = Dimension(d["name"], 0.0, 0.0, d["log"], d["at"] and (d["at"][0], d["at"][1]))
        low, high = d["ends"]
        factors.append(polynomials(d["count"], (2 * at.coordinate(parameters) - low - high) / (high - low)))
    if meta["linear"]:
        linear = meta["linear"]
        factors.append(np.concatenate([[1.0], (np.asarray(parameters[linear["name"]]) - linear["middle"]) / linear["half"]]))
    return reduce(lambda a, b: np.outer(a, b).ravel(), factors, np.ones(1))
