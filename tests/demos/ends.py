"""Every demo at the ends of its controls: what the tests of all chapters share."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from ibtext.demos import Choice, Control, Demo, Points
from ibtext.demos.kit.layers import check_shapes

#: A mean that is infinite where p = n, so that the curve has a gap there; and holes between pieces of a path.
GAPS = {"mean", "ball_x", "ball_y", "dual_ball_x", "dual_ball_y", "draws_x", "draws_y"}


def values_of(control: Any) -> Iterator[Any]:
    """Every option of a choice, both ends of a slider, a label or a point."""
    if isinstance(control, Choice):
        yield from control.options
    elif isinstance(control, Control):
        yield from (control.minimum, control.maximum)
    elif isinstance(control, Points):
        for i, corner in product(range(len(control.default)), product(control.x_limits, control.y_limits)):
            yield [list(corner) if k == i else list(point) for k, point in enumerate(control.default)]
    else:
        for i, value in product(range(len(control.x)), (control.minimum, control.maximum)):
            yield [value if k == i else y for k, y in enumerate(control.default)]


def settings(cls: type[Demo]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and parameters of the default, of every control at its ends, and of every preset."""
    yield "default", cls.defaults()
    for control in cls.controls:
        for value in values_of(control):
            yield f"{control.name} = {value}", cls.defaults() | {control.name: value}
    for name, chosen in cls.presets.items():
        yield f"preset {name}", cls.defaults() | dict(chosen)


def compute(cls: type[Demo], **setting: Any) -> dict[str, Any]:
    """What the demo computes; controls that are not named are at their defaults."""
    return cls.unshown().compute(**(cls.defaults() | setting))


def check(cls: type[Demo], setting: dict[str, Any], *, inside: bool = True) -> dict[str, Any]:
    """Compute: finite values of the declared shapes, drawn ``inside`` the panels, and a summary that is a sentence."""
    result = compute(cls, **setting)
    check_shapes(cls.panels, result, cls.__name__)
    for panel in cls.panels:
        for key in panel.shapes():
            assert key in GAPS or np.all(np.isfinite(np.asarray(result[key]))), key
        low, high = panel.limits(result)
        for key in [curve.key for curve in panel.curves] + [scatter.y for scatter in panel.scatter]:
            assert not inside or (low <= np.min(result[key]) and np.max(result[key]) <= high), key
    sentence = cls.describe(cls.unshown(), result, **setting)
    assert "{" not in sentence and sentence.endswith(".")
    return result
