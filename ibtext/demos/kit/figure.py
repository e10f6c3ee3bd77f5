"""Still pictures of a demo, for print, PDF and readers without scripts, drawn by Matplotlib from the declaration."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
from matplotlib import patheffects
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from .controls import Labels, Points
from .layers import Panel
from .palette import COLORS, DASHES, MARKERS

#: Fixed, so that the same view gives the same bytes.
_STYLE: Any = {
    "svg.hashsalt": "ibtext", "svg.fonttype": "path", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": "#5b6470", "axes.labelcolor": COLORS["ink"], "xtick.color": COLORS["ink"], "ytick.color": COLORS["ink"],
    "figure.facecolor": "white", "axes.facecolor": "white", "path.simplify_threshold": 0.5,
}  # fmt: skip


def draw(
    panels: Sequence[Panel],
    points: Mapping[str, Labels | Points],
    result: Mapping[str, Any],
    parameters: Mapping[str, Any],
    words: Mapping[str, Any],
) -> Figure:
    """Return a figure with the panels side by side; ``words`` fills the fields of the labels."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.7 * max(len(panels), 1), 3.1), layout="constrained")
        FigureCanvasAgg(figure)
        for axes, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
            _panel(axes, panel, points, result, parameters, words)
    return figure


def _panel(
    axes: Any,
    panel: Panel,
    points: Mapping[str, Labels | Points],
    result: Mapping[str, Any],
    parameters: Mapping[str, Any],
    words: Mapping[str, Any],
) -> None:
    x = np.asarray(panel.x, dtype=float)
    axes.set(xlim=(x[0], x[-1]), ylim=panel.y_limits, xlabel=panel.x_label, ylabel=panel.y_label)
    axes.set_title(panel.title, fontsize=9, loc="left", color=COLORS["ink"])
    if panel.aspect == "equal":
        axes.set_aspect("equal", adjustable="box")
    for mark in panel.marks:
        axes.axvline(mark, color="#d5dae0", linewidth=0.8, zorder=0)
    _areas(axes, panel, x, result, words)
    lines = {c: np.asarray(result[c.key], dtype=float) for c in panel.curves}
    for curve, y in lines.items():
        axes.plot(x, y, color=COLORS[curve.color], linewidth=curve.width * 0.75, linestyle=_dash(curve.dash))
    for curve, y in lines.items():
        if not np.any(np.isfinite(y)):
            continue
        k = _label_place(x, y, [v for c, v in lines.items() if c is not curve], panel.y_limits)
        _note(axes, curve.label.format(**words), (x[k], y[k]), curve.color)
    _marks(axes, panel, result, words)
    if panel.data is not None:
        axes.plot(*panel.data, "o", color=COLORS["ink"], markersize=5, zorder=5)
    if panel.points is not None:
        control, at = points[panel.points], parameters[panel.points]
        where = (control.x, at) if isinstance(control, Labels) else tuple(zip(*at, strict=True))
        edge = {"markeredgecolor": "white", "markeredgewidth": 1.0} if panel.image is not None else {}
        axes.plot(*where, "o", color=COLORS["ink"], markersize=5, zorder=5, clip_on=False, **edge)
    if panel.cursor is not None:
        now = parameters[panel.cursor]
        axes.axvline(np.log10(now) if panel.x_log else now, color=COLORS["ink"], linewidth=0.8)
    for log, axis in ((panel.x_log, axes.xaxis), (panel.y_log, axes.yaxis)):
        low, high = axis.get_view_interval()
        if log and high - low < 2:  # powers of ten alone would be too few
            at = [k + np.log10(m) for k in range(int(np.floor(low)), int(np.ceil(high)) + 1) for m in (1, 2, 5)]
            axis.set_ticks([v for v in at if low <= v <= high])
            axis.set_major_formatter(lambda v, _: f"{10.0**v:.2g}")
        elif log:
            axis.set_major_locator(mpl.ticker.MultipleLocator(1))
            axis.set_major_formatter(lambda v, _: f"$10^{{{v:.0f}}}$")


def _areas(axes: Any, panel: Panel, x: np.ndarray, result: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    """Draw what lies below the lines: the image with its colour bar, bands and bars."""
    if panel.image is not None:
        y, (low, high) = np.asarray(panel.image.y, dtype=float), panel.image.limits
        dx, dy = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
        drawn = axes.imshow(
            np.asarray(result[panel.image.key], dtype=float), extent=(x[0] - dx, x[-1] + dx, y[0] - dy, y[-1] + dy),
            origin="lower", aspect=axes.get_aspect(), cmap="viridis", vmin=low, vmax=high, interpolation="nearest",
        )  # fmt: skip
        axes.set(xlim=(x[0], x[-1]), ylim=panel.y_limits)
        axes.figure.colorbar(drawn, ax=axes, label=panel.image.label)
    for band in panel.bands:
        lower, upper = (np.asarray(result[k], dtype=float) for k in (band.lower, band.upper))
        axes.fill_between(x, lower, upper, color=COLORS[band.color], alpha=0.18, linewidth=0)
        if band.label and np.any(np.isfinite(upper - lower)):
            k = int(np.nanargmax((upper - lower) * (np.abs(np.linspace(-1, 1, x.size)) < 0.8)))
            _note(axes, band.label.format(**words), (x[k], (lower[k] + upper[k]) / 2), band.color, offset=-3)
    if panel.bars is not None:
        bars = panel.bars
        values, base = np.asarray(result[bars.key], dtype=float), max(min(0.0, panel.y_limits[1]), panel.y_limits[0])
        axes.bar(np.arange(values.size), values - base, bottom=base, width=0.64, color=COLORS[bars.color])
        axes.set_xticks(np.arange(values.size), bars.names)


def _marks(axes: Any, panel: Panel, result: Mapping[str, Any], words: Mapping[str, Any]) -> None:
    """Draw paths and scattered markers with their labels."""
    for path in panel.paths:
        x, y = (np.atleast_1d(np.asarray(result[k], dtype=float)) for k in (path.x, path.y))
        axes.plot(x, y, color=COLORS[path.color], linewidth=path.width * 0.75, linestyle=_dash(path.dash))
        _top_note(axes, panel, path.label.format(**words), x, y, path.color)
    for s in panel.scatter:
        x, y = (np.atleast_1d(np.asarray(result[k], dtype=float)) for k in (s.x, s.y))
        axes.plot(x, y, linestyle="none", marker=MARKERS[s.marker], color=COLORS[s.color], markersize=6, zorder=4, mec="white")
        _top_note(axes, panel, s.label.format(**words), x, y, s.color)


def _top_note(axes: Any, panel: Panel, text: str, x: np.ndarray, y: np.ndarray, color: str) -> None:
    """Write a label at the highest place that is clear of other labels and of the edges."""
    left, right = float(np.min(panel.x)), float(np.max(panel.x))
    low, high = panel.y_limits
    width, height = right - left, high - low
    seen = (x >= left + 0.08 * width) & (x <= right - 0.08 * width) & (y >= low) & (y <= high - 0.06 * height)
    if not text or not np.any(seen):
        return
    away = np.full(x.size, 0.3)  # from other labels, whose width counts a third
    for other in axes.texts:
        away = np.minimum(away, np.hypot((x - other.xy[0]) / (3 * width), (y - other.xy[1]) / height))
    k = int(np.argmax(np.where(seen, 10 * away + (y - low) / height, -np.inf)))
    _note(axes, text, (x[k], y[k]), color)


def _note(axes: Any, text: str, at: tuple[float, float], color: str, *, offset: float = 5) -> None:
    axes.annotate(
        text, at, xytext=(0, offset), textcoords="offset points", color=COLORS[color], fontsize=8.5, ha="center",
        path_effects=[patheffects.withStroke(linewidth=2.5, foreground="white")],
    )  # fmt: skip


def _dash(name: str) -> Any:
    dash = DASHES[name]
    return (0, dash) if dash else "-"


def _label_place(x: np.ndarray, y: np.ndarray, others: Sequence[np.ndarray], limits: tuple[float, float]) -> int:
    """Return the index at which a label stands farthest above everything else."""
    span = limits[1] - limits[0]
    candidates = np.arange(int(0.12 * x.size), max(int(0.88 * x.size), 1))
    above = np.full(x.size, np.inf)
    for other in others:
        gap = other - y
        above = np.minimum(above, np.where(gap < 0, np.abs(gap) + 0.05 * span, gap))
    room = np.minimum(np.minimum(above, limits[1] - y), 0.25 * span)
    steep = np.abs(np.gradient(y, x)) * (x[-1] - x[0]) / span
    inside = np.where((y > limits[0]) & (y < limits[1] - 0.08 * span), 0.0, -10.0)
    score = np.nan_to_num(room / span - 0.02 * steep + inside, nan=-np.inf)
    return int(candidates[np.argmax(score[candidates])])


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
