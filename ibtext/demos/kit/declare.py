"""What an author declares about a demo: controls, panels and their layers, the question, the engine of the static page.

Everything here is plain data.  The front end and the static figure are drawn from the same declarations, so the
two cannot disagree about an axis, a label or a dash pattern.  The parts live in modules of their own:
``controls``, ``layers``, ``questions`` and ``engines``.
"""

from __future__ import annotations

from .controls import AnyControl, Choice, Control, Labels, Points
from .engines import Dual, Kernel, Table
from .layers import Band, Bars, Curve, Image, Panel, Path, Scatter
from .palette import COLORS, DASHES, MARKERS, DeclarationError
from .questions import AnyQuestion, Mark, Question, Sketch

__all__ = [
    "COLORS", "DASHES", "MARKERS", "AnyControl", "AnyQuestion", "Band", "Bars", "Choice", "Control", "Curve",
    "DeclarationError", "Dual", "Image", "Kernel", "Labels", "Mark", "Panel", "Path", "Points", "Question", "Scatter", "Sketch",
    "Table",
]  # fmt: skip
