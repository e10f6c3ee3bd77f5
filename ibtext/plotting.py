"""The book's figure style: one palette, markers and dashes that read without colour, labels on the lines.

matplotlib loads here only. Figures have an opaque white card as background, so that they stay readable when the
page around them is dark, and lines are written as SVG.
"""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation

from .errors import check_choice, check_number
from .palette import HUES

__all__ = ["COLORS", "DASHES", "MARKERS", "label_line", "use_style"]

COLORS = {
    "x^2": "#4d4d4d",
    "|x|^3+x^2": HUES["blue"],
    "x^4+x^2": HUES["orange"],
    "cosh": HUES["purple"],
    "data": "#111111",
    "network": HUES["green"],
    "limit": "#111111",
    "accent": HUES["orange"],
    "muted": "#767676",
}
"""Colour of each object, the same in every chapter."""

DASHES: dict[str, Any] = {
    "x^2": (0, (6, 2)),
    "|x|^3+x^2": "-",
    "x^4+x^2": (0, (1.2, 1.2)),
    "cosh": (0, (5, 1.5, 1, 1.5)),
    "network": "-",
    "limit": (0, (4, 2)),
}
"""Line style of each object, so that no figure depends on colour."""

MARKERS = {"x^2": "s", "|x|^3+x^2": "o", "x^4+x^2": "^", "cosh": "D", "data": "o"}
"""Marker of each object."""


def use_style(*, notebook: bool = True) -> None:
    """Set matplotlib to the book's style; in a notebook, also ask for SVG output that repeats exactly."""
    mpl.rcParams.update(
        {
            "figure.figsize": (7.0, 3.6),
            "figure.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": "#595959",
            "axes.labelcolor": "#262626",
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.labelsize": 10.5,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": "#e4e4e4",
            "grid.linewidth": 0.7,
            "xtick.color": "#595959",
            "ytick.color": "#595959",
            "xtick.labelsize": 9.5,
            "ytick.labelsize": 9.5,
            "lines.linewidth": 1.9,
            "lines.markersize": 5.5,
            "lines.solid_capstyle": "round",
            "font.size": 10.5,
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "legend.frameon": False,
            "svg.hashsalt": "ibtext",
            "svg.fonttype": "path",
        }
    )
    if notebook:
        try:
            from matplotlib_inline.backend_inline import set_matplotlib_formats
        except ImportError:  # outside Jupyter there is nothing to set
            return
        set_matplotlib_formats("svg", metadata={"Date": None})


def label_line(
    ax: Axes,
    line: Any,
    text: str | None = None,
    *,
    at: float | None = None,
    offset: tuple[float, float] = (0.0, 7.0),
    ha: str = "center",
) -> Annotation:
    """Write a label beside a line, in the line's colour.

    Parameters
    ----------
    ax : Axes
    line : Line2D
    text : str, optional
        The line's own label by default.
    at : float, optional
        Abscissa of the labelled point; the line's last point by default.
    offset : (dx, dy)
        Shift in points.
    ha : str
        Horizontal alignment.
    """
    ha = check_choice("ha", ha, ("center", "right", "left"))
    at = None if at is None else check_number("at", at)
    x, y = (np.asarray(v, dtype=float) for v in line.get_data())
    if at is None:
        where = (x[-1], y[-1])
    else:
        order = np.argsort(x)
        where = (at, float(np.interp(at, x[order], y[order])))
    return ax.annotate(
        line.get_label() if text is None else text,
        where,
        xytext=offset,
        textcoords="offset points",
        ha=ha,
        va="center",
        color=line.get_color(),
        fontsize=9.5,
        annotation_clip=False,
    )
