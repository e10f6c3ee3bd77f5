"""Declarations as the plain JSON that the front end reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .controls import AnyControl, Choice, Labels, Points
from .layers import Panel
from .palette import DASHES
from .questions import AnyQuestion, Mark, Sketch


def plain(value: Any) -> Any:
    """Return JSON-ready data: arrays and tuples become lists, NumPy numbers become Python's."""
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def control(c: AnyControl) -> dict[str, Any]:
    """Return a control for the front end."""
    shared: dict[str, Any] = {"name": c.name, "symbol": c.symbol, "label": c.label}
    if isinstance(c, Choice):
        # a browser has one kind of number: the Python text of each value travels along
        options = [{"value": v, "text": t, "python": repr(v)} for v, t in c.options.items()]
        return shared | {"kind": "choice", "default": c.default, "options": options}
    if isinstance(c, Points):
        box = {"xLimits": plain(c.x_limits), "yLimits": plain(c.y_limits), "steps": plain(c.steps)}
        return shared | {"kind": "points", "default": default(c)} | box
    shared |= {"min": c.minimum, "max": c.maximum}
    if isinstance(c, Labels):
        return shared | {"kind": "labels", "x": plain(list(c.x)), "default": plain(list(c.default)), "step": c.step}
    return shared | {"kind": "slider", "default": float(c.default), "log": c.log, "steps": c.steps}


def default(c: AnyControl) -> Any:
    """Return the value of a control at the start."""
    if isinstance(c, Labels):
        return [float(v) for v in c.default]
    if isinstance(c, Points):
        return [[float(v) for v in p] for p in c.default]
    return c.value(c.default) if isinstance(c, Choice) else float(c.default)


def panel(p: Panel) -> dict[str, Any]:
    """Return a panel for the front end."""
    return {
        "title": p.title, "xLabel": p.x_label, "yLabel": p.y_label, "yLimits": plain(p.y_limits),
        "xLog": p.x_log, "yLog": p.y_log, "equal": p.aspect == "equal", "x": _grid(p.x),
        "points": p.points, "data": plain(p.data), "marks": plain(list(p.marks)), "cursor": p.cursor,
        "curves": [
            {"key": c.key, "label": c.label, "color": c.color, "dash": list(DASHES[c.dash]), "width": c.width} for c in p.curves
        ],
        "paths": [vars(q) | {"dash": list(DASHES[q.dash])} for q in p.paths],
        "scatter": [dict(vars(s)) for s in p.scatter],
        "bands": [dict(vars(b)) for b in p.bands],
        "bars": None if p.bars is None else plain(vars(p.bars)),
        "image": None if p.image is None else plain(vars(p.image)) | {"y": _grid(p.image.y)},
    }  # fmt: skip


def question(q: AnyQuestion | None) -> dict[str, Any] | None:
    """Return a question for the front end."""
    if q is None:
        return None
    kind = "sketch" if isinstance(q, Sketch) else "mark" if isinstance(q, Mark) else "choice"
    out: dict[str, Any] = plain(vars(q)) | {"kind": kind}
    return out


def _grid(x: Any) -> dict[str, Any]:
    grid = np.asarray(x, dtype=float)
    if np.array_equal(grid, np.linspace(grid[0], grid[-1], grid.size)):
        return {"start": float(grid[0]), "stop": float(grid[-1]), "n": int(grid.size)}
    return {"values": grid.tolist()}
