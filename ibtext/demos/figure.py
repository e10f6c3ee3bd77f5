"""Still pictures of a demo, for print, PDF and readers without scripts, drawn by Matplotlib from the declaration."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .declare import COLORS, DASHES, Labels, Panel

#: Fixed, so that the same view gives the same bytes.
_STYLE: Any = {
    "svg.hashsalt": "ibtext", "svg.fonttype": "path", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": "#5b6470", "axes.labelcolor": COLORS["ink"], "xtick.color": COLORS["ink"], "ytick.color": COLORS["ink"],
    "figure.facecolor": "white", "axes.facecolor": "white", "path.simplify_threshold": 0.5,
}  # fmt: skip


def draw(
    panels: Sequence[Panel], points: Mapping[str, Labels], result: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Figure:
    """Return a figure with the panels side by side."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.7 * max(len(panels), 1), 3.1), layout="constrained")
        FigureCanvasAgg(figure)
        for axes, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
            _panel(axes, panel, points, result, parameters)
    return figure


def _panel(
    axes: Any, panel: Panel, points: Mapping[str, Labels], result: Mapping[str, Any], parameters: Mapping[str, Any]
) -> None:
    x = np.asarray(panel.x, dtype=float)
    axes.set(xlim=(x[0], x[-1]), ylim=panel.y_limits, xlabel=panel.x_label, ylabel=panel.y_label)
    axes.set_title(panel.title, fontsize=9, loc="left", color=COLORS["ink"])
    for mark in panel.marks:
        axes.axvline(mark, color="#d5dae0", linewidth=0.8, zorder=0)
    lines = {c: np.asarray(result[c.key], dtype=float) for c in panel.curves}
    for curve, y in lines.items():
        dash = DASHES[curve.dash]
        axes.plot(x, y, color=COLORS[curve.color], linewidth=curve.width * 0.75, linestyle=(0, dash) if dash else "-")
    for curve, y in lines.items():
        k = _label_place(x, y, [v for c, v in lines.items() if c is not curve], panel.y_limits)
        axes.annotate(
            _fill(curve.label, parameters),
            (x[k], y[k]),
            xytext=(0, 5),
            textcoords="offset points",
            color=COLORS[curve.color],
            fontsize=8.5,
            ha="center",
        )
    if panel.data is not None:
        axes.plot(*panel.data, "o", color=COLORS["ink"], markersize=5, zorder=5)
    if panel.points is not None:
        axes.plot(
            points[panel.points].x, parameters[panel.points], "o", color=COLORS["ink"], markersize=5, zorder=5, clip_on=False
        )
    if panel.cursor is not None:
        at = parameters[panel.cursor]
        axes.axvline(np.log10(at) if panel.x_log else at, color=COLORS["ink"], linewidth=0.8)
    for log, axis in ((panel.x_log, axes.xaxis), (panel.y_log, axes.yaxis)):
        if log:
            axis.set_major_locator(mpl.ticker.MultipleLocator(1))
            axis.set_major_formatter(lambda v, _: f"$10^{{{v:.0f}}}$")


def _fill(template: str, parameters: Mapping[str, Any]) -> str:
    return template.format(**{k: v for k, v in parameters.items() if np.ndim(v) == 0})


def _label_place(x: np.ndarray, y: np.ndarray, others: Sequence[np.ndarray], limits: tuple[float, float]) -> int:
    """Return the index at which a label stands farthest above everything else."""
    span = limits[1] - limits[0]
    candidates = np.arange(int(0.12 * x.size), int(0.88 * x.size))
    above = np.full(x.size, np.inf)
    for other in others:
        gap = other - y
        above = np.minimum(above, np.where(gap < 0, np.abs(gap) + 0.05 * span, gap))
    room = np.minimum(np.minimum(above, limits[1] - y), 0.25 * span)
    steep = np.abs(np.gradient(y, x)) * (x[-1] - x[0]) / span
    inside = np.where((y > limits[0]) & (y < limits[1] - 0.08 * span), 0.0, -10.0)
    return int(candidates[np.argmax((room / span - 0.02 * steep + inside)[candidates])])


def png(figure: Figure) -> str:
    """Return a figure as base64 PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode()


def noscript(figure: Figure, alt: str) -> str:
    """Return HTML that shows a figure only where scripts do not run."""
    buffer = io.BytesIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    source = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<noscript class="ib-still"><figure><img alt="{html.escape(alt, quote=True)}" style="max-width:100%;background:#fff" '
        f'src="data:image/svg+xml;base64,{source}"></figure></noscript>'
    )
