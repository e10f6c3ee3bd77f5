"""Live demos.  Import a demo from here; ``import ibtext`` alone loads none of this."""

import importlib
from typing import Any

_NAMES = {
    "kit": ("Band Bars Choice Control Curve Demo Dual Image Kernel Labels Mark Panel Path Points Question Scatter Sketch Table"),
    "chapters.implicit_bias": "DoubleDescentDemo InterpolantDemo OptimiserDemo",
    "chapters.mirror_descent": "GeometryDemo StepSizeDemo",
    "chapters.kernel_regime": "LazyRichDemo ModesDemo",
    "chapters.curvature_penalty": "BiasLawDemo LabelShiftDemo PenaltyDialDemo",
    "chapters.finite_width": "WidthDemo",
    "chapters.unscaled_potentials": "DialDemo OpeningDemo UnscaledWidthDemo",
    "chapters.scaled_potentials": "CurvatureDemo",
    "chapters.training_time": "FlowDemo",
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"ibtext.demos has the names {', '.join(__all__)}, but {name!r} was asked for; choose one of those.")
    return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
