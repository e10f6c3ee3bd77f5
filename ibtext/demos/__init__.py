"""Live demos.  Import a demo from here; ``import ibtext`` alone loads none of this."""

from __future__ import annotations

import importlib
from typing import Any

_WHERE = {
    "Demo": "base",
    "Control": "declare",
    "Curve": "declare",
    "Dual": "declare",
    "Kernel": "declare",
    "Labels": "declare",
    "Panel": "declare",
    "Question": "declare",
    "Table": "declare",
    "CurvatureDemo": "scaled_potentials",
    "FlowDemo": "training_time",
}

__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"ibtext.demos has the names {', '.join(__all__)}, but {name!r} was asked for; choose one of those.")
    return getattr(importlib.import_module(f".{_WHERE[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
