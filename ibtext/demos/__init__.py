"""Live demos.  Import a demo from here; ``import ibtext`` alone loads none of this."""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "Demo": "kit.base",
    **dict.fromkeys(("Choice", "Control", "Labels", "Points"), "kit.controls"),
    **dict.fromkeys(("Band", "Bars", "Curve", "Image", "Panel", "Path", "Scatter"), "kit.layers"),
    **dict.fromkeys(("Mark", "Question", "Sketch"), "kit.questions"),
    **dict.fromkeys(("Dual", "Kernel", "Table"), "kit.engines"),
    **dict.fromkeys(("BiasLawDemo", "LabelShiftDemo", "PenaltyDialDemo"), "chapters.curvature_penalty"),
    "WidthDemo": "chapters.finite_width",
    "CurvatureDemo": "chapters.scaled_potentials",
    "FlowDemo": "chapters.training_time",
    **dict.fromkeys(("LazyRichDemo", "ModesDemo"), "chapters.kernel_regime"),
    **dict.fromkeys(("GeometryDemo", "StepSizeDemo"), "chapters.mirror_descent"),
    **dict.fromkeys(("DialDemo", "OpeningDemo", "UnscaledWidthDemo"), "chapters.unscaled_potentials"),
    **dict.fromkeys(("DoubleDescentDemo", "InterpolantDemo", "OptimiserDemo"), "chapters.implicit_bias"),
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"ibtext.demos has the names {', '.join(__all__)}, but {name!r} was asked for; choose one of those.")
    return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
