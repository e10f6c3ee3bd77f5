"""Write reference.json: what Python says of what the front end computes by itself.  Run it after a change of either side."""

from __future__ import annotations

import base64
import json
import pathlib
from typing import Any

import numpy as np

from ibtext.demonstration import X, Y
from ibtext.demos import Choice, Control, Curve, Dual, Labels, Panel, Points, Table
from ibtext.demos.kit import table
from ibtext.demos.kit.declaration import plain, plain_grid
from ibtext.demos.kit.summary import sentence

FILE = pathlib.Path(__file__).with_name("reference.json")
GRID = np.linspace(-1.2, 1.2, 25)
ENDS = ((0.0, 1.0, 11), (-1.0, 1.0, 401), (0.1, 0.7, 7), (-2.3, 3.6, 60))


def grids() -> list[dict[str, Any]]:
    """Grids as they travel, and all of their numbers."""
    return [{"grid": plain_grid(x), "values": x.tolist()} for x in (*(np.linspace(*e) for e in ENDS), np.geomspace(1, 9, 5))]


def sentences() -> list[dict[str, Any]]:
    """A template for each format, filled."""
    numbers = {"p": 3.0, "small": 0.000123456, "large": 12345.678, "negative": -0.5, "huge": 1e5, "none": -1e-9, "half": -2.5}
    result = {"y": np.array([3.0, -4.0, np.nan, 1.5])}
    controls = [
        Control(name="p", symbol="p", label="p", minimum=1.0, maximum=5.0, default=3.0),
        Choice(name="kind", symbol="", label="kind", options={2: "two", 3: "three"}, default=2),
    ]
    templates = (
        "{p:.2f} {small:.3g} {large:.0f} {negative:.1%}", "{large:.6g} {negative:.3g} {p:.3g}",
        "{y_max:.1f} {y_min:.1f} {y_rms:.2f}", "{kind} is {kind:.0f}", "{huge:.3g} {none:.3f} {none:.0%} {half:.0f} {none:.1g}",
        "{large:.2g} {p:.4g} {half:.1g} {small:.1f}",
    )  # fmt: skip
    say = {"controls": controls, "panels": (), "result": {**numbers, **result}, "parameters": {"p": 3.0, "kind": 3}}
    return [
        {
            "template": t,
            "numbers": numbers | {"kind": 3},
            "words": {"kind": "three"},
            "y": [3, -4, None, 1.5],
            "text": sentence(t, **say),
        }
        for t in templates
    ]


def tables() -> dict[str, Any]:
    """A small table with a choice, a logarithmic slider, a point and labels, and what it answers."""
    controls = (
        Choice(name="kind", symbol="", label="kind", options={"even": "even", "odd": "odd"}, default="even"),
        Control(name="w", symbol="w", label="width", minimum=0.5, maximum=2.0, default=1.0, log=True),
        Points(name="c", symbol="c", label="centre", default=((0.1, 0.2),), x_limits=(-1, 1), y_limits=(-1, 1)),
        Labels(name="y", symbol="y", label="label", x=[0.0, 1.0], default=[0.1, -0.2], minimum=-2.0, maximum=1.0),
    )

    def compute(settings: Any) -> list[dict[str, Any]]:
        wave = {"even": np.cos, "odd": np.sin}
        hole = np.where(np.arange(GRID.size) == 3, np.nan, 0.0)
        return [
            {
                "v": wave[s["kind"]](s["w"] * GRID) * s["y"][0] + s["c"][0][0] * s["c"][0][1] * s["y"][1] * GRID + hole,
                "n": s["w"] * s["y"][1],
            }
            for s in settings
        ]

    built = table.build(compute, controls, Table(nodes={"w": 9, "c": 2}, linear="y"), demo="Reference")
    settings = [
        {"kind": "even", "w": 0.5, "c": [[0.3, -0.4]], "y": [0.5, -1.0]},
        {"kind": "odd", "w": 1.234, "c": [[-1.0, 0.7]], "y": [-2.0, 1.0]},
    ]
    read = [{k: v.tolist() for k, v in table.evaluate(built.data, built.meta, s).items()} for s in settings]
    read = [{k: [None if u != u else u for u in v] for k, v in r.items()} for r in read]
    return {
        "data": base64.b64encode(built.data).decode(),
        "engine": {"kind": "table", **built.meta},
        "settings": settings,
        "read": read,
    }


def limits() -> list[dict[str, Any]]:
    """Infinite-width limits of the dual engine, by :func:`ibtext.wide_limit`."""
    engine = Dual(solutions={"limit": {"x": X, "y": "y", "p": "p", "omega": "omega", "half_width": "a"}})
    curves = [Curve(key=f"limit_{k}", label=k) for k in ("value", "curvature")]
    panel = Panel(title="t", x=GRID, y_label="h", y_limits=(-9, 9), curves=curves)
    spike = [0.0, 0.0, 0.6, 0.0, 0.0]
    cases = ((Y, 2.0, 1.0, 1.0), (Y, 3.0, 1.0, 0.85), (-Y, 6.0, 0.1, 2.0), (spike, 4.0, 10.0, 1.0), ([0.0] * 5, 2.5, 1.0, 1.0))
    settings = [dict(zip(("y", "p", "omega", "a"), case, strict=True)) for case in cases]
    return [
        {"engine": engine.json(None), "parameters": plain(s), "result": plain(engine.compute([panel], s, ""))} for s in settings
    ]


def reference() -> dict[str, Any]:
    """All of it."""
    return {"grids": grids(), "sentences": sentences(), "table": tables(), "grid": GRID.tolist(), "limits": limits()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(reference(), ensure_ascii=False) + "\n", encoding="utf-8")
