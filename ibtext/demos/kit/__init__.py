"""How a demo works: what an author declares, how it answers, how it is drawn.

Read ``demo`` first, the one class behind every demo.  What its author declares comes next: ``controls``, ``layers`` (with the
panel that holds them) and ``questions``, which share ``declaration``, the names and the refusals.  ``summary`` fills the sentence
and ``figure`` helps the layers with the still picture.  ``engines`` says what may answer where no Python runs: ``table``, with
``table_rows`` and ``table_cache``, and ``dual``, the book's equation solved in the browser.
"""

from .controls import Choice, Control, Labels, Points
from .declaration import DeclarationError
from .demo import Demo
from .dual import Dual
from .engines import Kernel
from .layers import Band, Bars, Curve, Image, Panel, Path, Scatter
from .questions import Mark, Question, Sketch
from .table import Table

__all__ = [
    "Band", "Bars", "Choice", "Control", "Curve", "DeclarationError", "Demo", "Dual", "Image", "Kernel", "Labels", "Mark",
    "Panel", "Path", "Points", "Question", "Scatter", "Sketch", "Table",
]  # fmt: skip
