"""Still pictures of a demo, for print, PDF and readers without scripts, drawn by Matplotlib from the declaration."""

import base64
import html
import io
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
from matplotlib import patheffects
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .declaration import COLORS

#: Fixed, so that the same view gives the same bytes.
STYLE: Any = {
    "svg.hashsalt": "ibtext", "svg.fonttype": "path", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": "#5b6470", "axes.labelcolor": COLORS["ink"], "xtick.color": COLORS["ink"], "ytick.color": COLORS["ink"],
    "figure.facecolor": "white", "axes.facecolor": "white", "path.simplify_threshold": 0.5,
}  # fmt: skip


def sheet(panels: int) -> Figure:
    """Return a figure with empty axes side by side, one for each panel."""
    figure = Figure(figsize=(3.7 * max(panels, 1), 3.1), layout="constrained")
    FigureCanvasAgg(figure)
    figure.subplots(1, panels)
    return figure


class Canvas:
    """The axes of one panel while its layers draw themselves, with the result and the words for their labels."""

    def __init__(
        self, axes: Any, x: np.ndarray, y_limits: tuple[float, float], result: Mapping[str, Any], words: Mapping[str, Any]
    ) -> None:
        self.axes, self.x, self.y_limits, self._result, self._words = axes, x, y_limits, result, words
        self.curves: dict[str, np.ndarray] = {}

    def array(self, key: str) -> np.ndarray:
        """Return what the result holds under a key, as an array."""
        return np.atleast_1d(np.asarray(self._result[key], dtype=float))

    def note(self, label: str, at: tuple[float, float], color: str, *, offset: float = 5) -> None:
        """Write a label, its fields filled, above a place."""
        self.axes.annotate(
            label.format(**self._words), at, xytext=(0, offset), textcoords="offset points", color=COLORS[color], fontsize=8.5,
            ha="center", path_effects=[patheffects.withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip

    def top_note(self, label: str, x: np.ndarray, y: np.ndarray, color: str) -> None:
        """Write a label at the highest of some places that is clear of other labels and of the edges."""
        left, right = float(np.min(self.x)), float(np.max(self.x))
        low, high = self.y_limits
        width, height = right - left, high - low
        seen = (x >= left + 0.08 * width) & (x <= right - 0.08 * width) & (y >= low) & (y <= high - 0.06 * height)
        if not label or not np.any(seen):
            return
        away = np.full(x.size, 0.3)  # from other labels, whose width counts a third
        for other in self.axes.texts:
            away = np.minimum(away, np.hypot((x - other.xy[0]) / (3 * width), (y - other.xy[1]) / height))
        k = int(np.argmax(np.where(seen, 10 * away + (y - low) / height, -np.inf)))
        self.note(label, (x[k], y[k]), color)

    def curve_note(self, label: str, key: str, color: str) -> None:
        """Write the label of a curve where it stands farthest below everything else."""
        x, y, (low, high) = self.x, self.curves[key], self.y_limits
        if not np.any(np.isfinite(y)):
            return
        span = high - low
        candidates = np.arange(int(0.12 * x.size), max(int(0.88 * x.size), 1))
        above = np.full(x.size, np.inf)
        for other in (v for k, v in self.curves.items() if k != key):
            gap = other - y
            above = np.minimum(above, np.where(gap < 0, np.abs(gap) + 0.05 * span, gap))
        room = np.minimum(np.minimum(above, high - y), 0.25 * span)
        steep = np.abs(np.gradient(y, x)) * (x[-1] - x[0]) / span
        inside = np.where((y > low) & (y < high - 0.08 * span), 0.0, -10.0)
        score = np.nan_to_num(room / span - 0.02 * steep + inside, nan=-np.inf)
        k = int(candidates[np.argmax(score[candidates])])
        self.note(label, (x[k], y[k]), color)

    def powers_of_ten(self, axis: Any) -> None:
        """Let the ticks of a logarithmic axis, whose values are logarithms, read as what they stand for."""
        low, high = axis.get_view_interval()
        if high - low < 2:  # powers of ten alone would be too few
            at = [k + np.log10(m) for k in range(int(np.floor(low)), int(np.ceil(high)) + 1) for m in (1, 2, 5)]
            axis.set_ticks([v for v in at if low <= v <= high])
            axis.set_major_formatter(lambda v, _: f"{10.0**v:.2g}")
        else:
            axis.set_major_locator(mpl.ticker.MultipleLocator(1))
            axis.set_major_formatter(lambda v, _: f"$10^{{{v:.0f}}}$")


def png(figure: Figure) -> str:
    """Return a figure as base64 PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode()


def noscript(figure: Figure, alt: str) -> str:
    """Return HTML that shows a figure only where scripts do not run."""
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    source = quote(_slim(buffer.getvalue().decode()), safe=" ~()*!.'/:;,=@+$")
    return (
        f'<noscript class="ib-still"><figure><img alt="{html.escape(alt, quote=True)}" style="max-width:100%;background:#fff" '
        f'src="data:image/svg+xml,{source}"></figure></noscript>'
    )


def _slim(svg: str) -> str:
    """Return an SVG picture in a third of its size: to a hundredth of a point, without what nobody sees.

    As text, not base64, it is compressed four times better on its way to the reader.
    """
    svg = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(
        r"scale\([^)]*\)|\d+\.\d{4,}", lambda m: m[0] if m[0][0] == "s" else f"{float(m[0]):.2f}".rstrip("0").rstrip("."), svg
    )
    svg = re.sub(r"\s+", " ", re.sub(r' id="[a-z][\w.]*_\d+"', "", svg)).replace("> <", "><").strip()
    return svg if "'" in svg else svg.replace('"', "'")
