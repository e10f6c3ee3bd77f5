"""The rows of a table: which settings are tabulated, and with which weights they answer for another setting.

The rows are a tensor product of axes, from the slowest to the fastest:

* one axis for each control with options, a row for every option, weight one for the chosen and zero for the rest;
* one for each continuous dimension, sampled at the Chebyshev points of the second kind and kept as the coefficients of the
  interpolating polynomial, with weights :math:`T_0(z), T_1(z), \\dots`;
* with ``linear=``, one for the box of labels :math:`y = \\bar y + \\rho u`: a row for the middle :math:`\\bar y` and one for the
  difference that each label makes, weights :math:`(1, u_1, \\dots, u_m)`.  An affine result needs no more.
"""

import itertools
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.polynomial.chebyshev import chebpts2, chebvander

from .controls import AnyControl, Dimension
from .declaration import demand

Setting = dict[str, Any]


def coefficients(n: int) -> np.ndarray:
    """Return the matrix that turns samples at the n Chebyshev points into Chebyshev coefficients."""
    inverse: np.ndarray = np.linalg.inv(chebvander(chebpts2(n), n - 1))
    return inverse


class Rows:
    """The tensor product of axes that a table tabulates: ``nodes`` and ``linear`` are those of :class:`~ibtext.demos.Table`."""

    def __init__(
        self, controls: Sequence[AnyControl], nodes: Mapping[str, int | Sequence[int]], linear: str | None, *, demo: str
    ) -> None:
        self.continuous = [(c, dimensions) for c in controls if (dimensions := c.dimensions())]
        self.dimensions = [d for _, dimensions in self.continuous for d in dimensions]
        self.choices = {c.name: options for c in controls if (options := c.options_of_rows())}
        self.box = next((box for c in controls if (box := c.box()) and box.name == linear), None)
        missing = [c.name for c, _ in self.continuous if c.name not in nodes]
        demand(
            not missing,
            f"A table has a number of nodes for every control, but {demo} gives none for {', '.join(missing)}; add it to "
            "Table(nodes=...).",
        )
        self.counts: list[int] = []
        for c, dimensions in self.continuous:
            given = nodes[c.name]
            self.counts += [given] * len(dimensions) if isinstance(given, int) else list(given)
        demand(
            all(n > 1 for n in self.counts),
            f"A table has at least two nodes for every control, but {demo} gives {self.counts}; give two or more, or drop the "
            "control.",
        )
        self.nodes = [
            (low + high) / 2 + (high - low) / 2 * chebpts2(n)
            for n, (low, high) in zip(self.counts, (d.ends for d in self.dimensions), strict=True)
        ]
        self.combinations = [dict(zip(self.choices, v, strict=True)) for v in itertools.product(*self.choices.values())]

    def setting(self, point: Sequence[float], combination: Mapping[str, Any], u: np.ndarray) -> Setting:
        """Return the parameters at a point of the continuous box, a combination of choices and labels ``u`` in [-1, 1]."""
        out: Setting = dict(combination)
        at = iter(point)
        for c, dimensions in self.continuous:
            out[c.name] = c.assembled([d.value(next(at)) for d in dimensions])
        if self.box is not None:
            out[self.box.name] = [float(v) for v in self.box.middle + self.box.half * u]
        return out

    @property
    def directions(self) -> int:
        """Rows for each node: one, and one more for each label."""
        return 1 if self.box is None else 1 + self.box.count

    def settings(self) -> list[Setting]:
        """Return the settings to compute, in the order of the rows."""
        unit = np.eye(self.directions)[:, 1:]
        return [self.setting(v, c, u) for c in self.combinations for v in itertools.product(*self.nodes) for u in unit]

    def random(self, checks: int, seed: int, repeat: Mapping[str, int]) -> list[Setting]:
        """Return random settings off the nodes; every combination of choices gets its share."""
        rng = np.random.default_rng(seed)
        low, high = np.array([d.ends for d in self.dimensions]).reshape(-1, 2).T
        unit = rng.random((checks, len(self.dimensions)))
        for k, d in enumerate(self.dimensions):
            times = repeat.get(d.name, 1)
            unit[:, k] = np.repeat(unit[: -(-checks // times), k], times)[:checks]
        labels = rng.uniform(-1, 1, (checks, self.directions - 1))
        points, combinations = low + (high - low) * unit, itertools.cycle(self.combinations)
        return [self.setting(q, c, u) for q, c, u in zip(points, combinations, labels, strict=False)]

    def transform(self, samples: np.ndarray) -> np.ndarray:
        """Return samples (rows first) with the continuous axes turned into Chebyshev coefficients."""
        cube = samples.reshape(-1, *self.counts, self.directions, samples.shape[1])
        for axis, n in enumerate(self.counts, start=1):
            cube = np.moveaxis(np.tensordot(coefficients(n), cube, axes=(1, axis)), 0, axis)
        return cube.reshape(samples.shape)

    def meta(self) -> dict[str, Any]:
        """Return what a reader of the table needs to find the weights."""
        box = self.box
        return {
            "choices": [{"name": name, "values": list(options)} for name, options in self.choices.items()],
            "dimensions": [
                {"name": d.name, "log": d.log, "at": d.at and list(d.at), "ends": list(d.ends), "count": n}
                for d, n in zip(self.dimensions, self.counts, strict=True)
            ],
            "linear": box and {"name": box.name, "middle": box.middle, "half": box.half},
        }


def weights(meta: Mapping[str, Any], parameters: Mapping[str, Any]) -> np.ndarray:
    """Return the weight of every row at a setting, as the browser computes it."""
    factors = [np.array([float(v == parameters[c["name"]]) for v in c["values"]]) for c in meta["choices"]]
    for d in meta["dimensions"]:
        at = Dimension(d["name"], 0.0, 0.0, d["log"], d["at"] and (d["at"][0], d["at"][1]))
        low, high = d["ends"]
        z = (2 * at.coordinate(parameters) - low - high) / (high - low)
        factors.append(chebvander(min(max(z, -1.0), 1.0), d["count"] - 1))
    if meta["linear"]:
        linear = meta["linear"]
        factors.append(np.concatenate([[1.0], (np.asarray(parameters[linear["name"]]) - linear["middle"]) / linear["half"]]))
    return reduce(lambda a, b: np.outer(a, b).ravel(), factors, np.ones(1))
