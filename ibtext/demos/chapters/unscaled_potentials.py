"""Chapter 10: what is left of an unscaled potential in a wide network, shifted labels, and the dial between two worlds."""

from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import numpy as np

from ...demonstration import X, Y
from ...potentials import PowerPotential, Scaled
from ...splines import natural_spline
from ...wide import wide_limit
from ..kit import Choice, Control, Curve, Demo, Labels, Panel, Question, Scatter, Table
from .curvature_penalty import start

GRID = np.linspace(-1.0, 1.0, 201)
WIDTHS = (20, 60, 180, 540, 1620, 4860)
#: Exponent of the order and the factor beta / mu of the leading term, for each potential of the first demo.
ORDERS = {"cube": (3, 1.5), "fourth": (4, 2.0), "cosh": (4, 1 / 6)}
LOG_WIDTHS = np.linspace(0.0, 4.0, 41)
#: Three gentle data points, so that what a shift does can be seen beside what the data do.
X_THREE = (-0.5, 0.0, 0.5)
Y_THREE = (0.1, -0.1, 0.15)


@cache
def trained() -> dict[tuple[str, int], np.ndarray]:
    """Return what ``scripts/training/unscaled_widths.py`` stored of its networks of seed 0 on ``GRID``, by potential and width.

    Of x^2 it is the function, of each other potential the difference from it.
    """
    text = files("ibtext.demos").joinpath("data", "unscaled_potentials.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if not line.startswith(("#", "potential,"))]
    return {(name, int(width)): np.array(values.split(), dtype=float) for name, width, values in rows}


@cache
def _limit() -> np.ndarray:
    return wide_limit(X, Y, activation="relu", initialization=start("uniform", 1.0))(GRID)


@cache
def _leading(name: str) -> np.ndarray:
    """Return the leading term e of the theorem on the distance to gradient flow, by an even grid of neurons."""
    q, factor = ORDERS[name]
    b = (np.arange(4000) + 0.5) / 2000 - 1
    s, at = (np.concatenate([np.maximum(w * np.asarray(x)[:, None] - b, 0.0) for w in (1, -1)], axis=1) for x in (X, GRID))
    alpha = np.linalg.solve(s @ s.T / b.size / 2, Y) @ s
    left = at - at @ s.T @ np.linalg.solve(s @ s.T, s)
    e: np.ndarray = -factor * left @ (np.abs(alpha) ** (q - 2) * alpha) / alpha.size
    return e


class UnscaledWidthDemo(Demo):
    """Really trained networks: gradient flow and another unscaled potential from one start, and the difference magnified."""

    title = "What is left of the potential?"
    question = Question(
        text="Two networks are trained from one start, with the potentials x⁴ + x² and x². From width 540 to width 4860, nine "
        "times as many neurons, the distance between them falls. By which factor: which of the three is nearest?",
        choices=("3, like one over the square root of n", "9, like 1/n", "81, like 1/n²"),
        answer=2,
        hide=("difference", "line", "log_distances", "log_distance"),
        because="Output weights move by 1/n, and at displacement u the second derivative of x⁴ + x² differs from its value at 0 "
        "by 12u². So the distance falls like 1/n². Measured is a factor of 65 and not yet 81: at width 540 the distance is "
        "still smaller than the leading term says. For |x|³ + x² it is 6|u|, hence 1/n, and the measured factor is 7.",
    )
    controls = (
        Choice(name="potential", symbol="φ", label="potential", default="fourth",
               options={"cube": "|x|³ + x²", "fourth": "x⁴ + x²", "cosh": "cosh x"}),
        Choice(name="width", symbol="n", label="width", options={n: str(n) for n in WIDTHS}, default=540),
    )  # fmt: skip
    panels = (
        Panel(
            title="Two trained networks", x=GRID, x_label="input x", y_label="output f(x)", y_limits=(-0.5, 1.4), marks=X,
            data=(X, Y),
            curves=(
                Curve(key="flow", label="x²: gradient flow", color="grey", dash="dashed", width=2.5),
                Curve(key="mirror", label="{potential}", color="blue", width=1.75),
            ),
        ),
        Panel(
            title="Their difference, as a share of the size predicted", x=GRID, x_label="input x",
            y_label="difference / predicted size", y_limits=(-1.5, 1.5), marks=X,
            curves=(
                Curve(key="predicted", label="predicted at large n", color="grey", dash="dashed", width=2.5),
                Curve(key="difference", label="measured", color="blue", width=1.75),
            ),
        ),
        Panel(
            title="Distance against width", x=np.log10([10.0, 10_000.0]), x_label="width n", y_label="largest difference",
            y_limits=(-7.0, 1.0), x_log=True, y_log=True,
            curves=(Curve(key="line", label="prediction", color="grey", dash="dashed"),),
            scatter=(
                Scatter(x="log_widths", y="log_distances", label="networks", color="blue", marker="circle"),
                Scatter(x="log_width", y="log_distance", label="this one", color="orange", marker="diamond"),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Wide": {"potential": "cube", "width": 4860},
        "Narrow": {"potential": "cube", "width": 20},
        "Fourth power, 540": {},
        "Fourth power, 4860": {"width": 4860},
    }
    summary = (
        "At width {width}, {potential} and gradient flow give networks that differ by up to {distance:.2g} on [−1, 1]; "
        "that of gradient flow is up to {error:.2g} from the limit of infinite width."
    )
    engine = Table()

    def compute(self, *, potential: str, width: int) -> dict[str, Any]:
        """Compare two trained networks with each other and with the prediction."""
        q, _ = ORDERS[potential]
        e = _leading(potential)
        size = float(np.max(np.abs(e)))
        flow, difference = trained()["square", int(width)], trained()[potential, int(width)]
        distances = [float(np.max(np.abs(trained()[potential, n]))) for n in WIDTHS]
        distance = distances[WIDTHS.index(int(width))]
        return {
            "flow": flow, "mirror": flow + difference, "predicted": e / size, "difference": difference * width ** (q - 2) / size,
            "line": np.log10(size) + (2 - q) * np.asarray(self.panels[2].x), "log_widths": np.log10(WIDTHS),
            "log_distances": np.log10(distances), "log_width": float(np.log10(width)), "log_distance": float(np.log10(distance)),
            "distance": distance, "error": float(np.max(np.abs(flow - _limit()))),
        }  # fmt: skip


class OpeningDemo(Demo):
    """The limit of every unscaled potential beside the natural spline, for labels that are dragged and shifted."""

    title = "Shifted labels bend the function"
    question = Question(
        text="The same constant c is added to all three labels. For which c is the network's function flattest at its two ends, "
        "so that the slopes there differ least?",
        choices=("c = −2", "c = −1", "c = 0", "c = 1"),
        answer=1,
        hide=("limit", "limit_bend"),
        because="A constant is not free for the network. The third term of the penalty is small if a high function opens "
        "upwards, like a U, and a low one downwards. Its weight falls with the width of the law of the biases: for [−3, 3] a "
        "shift of −2 is not enough to close the U that the labels ask for. Here the ends are flattest near c = −0.8. The "
        "natural spline keeps its shape.",
    )
    controls = (
        Control(name="shift", symbol="c", label="added to all labels", minimum=-2.0, maximum=2.0, default=0.0, steps=80),
        Choice(name="a", symbol="R", label="biases in [−R, R]", default=1.0,
               options={1.0: "1", 1.5: "1.5", 3.0: "3"}),
        Labels(name="labels", symbol="y", label="label before the shift", x=X_THREE, default=Y_THREE, minimum=-0.4, maximum=0.4),
    )  # fmt: skip
    panels = (
        Panel(
            title="The function, labels shifted back to where they were", x=np.linspace(-1.6, 1.6, 321), x_label="input x",
            y_label="output h̄(x) − c", y_limits=(-1.0, 2.0), y_steps=((-4.0, 4.0),), points="labels", marks=X_THREE,
            curves=(
                Curve(key="spline", label="natural spline", color="grey", dash="dashed", width=1.75),
                Curve(key="limit", label="network", color="blue", width=2.5),
            ),
        ),
        Panel(
            title="How much it bends", x=np.linspace(-1.6, 1.6, 321), x_label="input x", y_label="curvature h̄″(x)",
            y_limits=(-4.0, 4.0), y_steps=((-12.0, 12.0),), marks=X_THREE,
            curves=(
                Curve(key="spline_bend", label="natural spline", color="grey", dash="dashed", width=1.75),
                Curve(key="limit_bend", label="network", color="blue", width=2.5),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Up by 2": {"shift": 2.0},
        "Down by 2": {"shift": -2.0},
        "Constant labels": {"labels": [0.0] * 3, "shift": 1.0},
        "Wide biases": {"shift": 2.0, "a": 3.0},
    }
    summary = (
        "With labels shifted by {shift:.2f} and biases in [−{a:.2f}, {a:.2f}], the network's slopes at the two ends add up to "
        "{sum:.2f} and differ by {opening:.2f} (natural spline: {spline_opening:.2f})."
    )
    engine = Table(nodes={"shift": 2}, linear="labels")

    def compute(self, *, shift: float, a: float, labels: list[float]) -> dict[str, Any]:
        """Return both interpolants of the shifted labels, less the shift, with their curvature and end slopes."""
        x, y = np.asarray(self.panels[0].x), np.asarray(labels, dtype=float) + shift
        spline = natural_spline(X_THREE, y)
        limit = wide_limit(X_THREE, y, activation="relu", initialization=start("uniform", a))
        left, right = limit.derivative(np.array([-a - 1.0, a + 1.0]))
        first, last = spline.derivative(np.array([X_THREE[0], X_THREE[-1]]))
        return {
            "limit": limit(x) - shift, "spline": spline(x) - shift, "limit_bend": limit.derivative(x, order=2),
            "spline_bend": spline.derivative(x, order=2), "sum": float(left + right), "opening": float(right - left),
            "spline_opening": float(last - first),
        }  # fmt: skip


class DialDemo(Demo):
    """One dial: the unscaled potential |x|^q + x^2 at width n is the scaled potential |x|^q + n^(q-2) x^2."""

    title = "Width is a dial"
    question = Question(
        text="An unscaled potential |x|^q + x² is used in wider and wider networks. For which exponent does the width need to be "
        "largest before the function is within a thousandth of that of gradient flow?",
        choices=("q = 3", "q = 4", "q = 6"),
        answer=0,
        hide=("difference", "sizes", "sizes_3", "sizes_4", "sizes_6"),
        because="At width n the potential acts like |x|^q + n^(q−2) x². The factor of x² grows fastest for large q, so a large "
        "exponent gives in first: what it adds to x² near 0 is flattest. A thousandth is reached at width 2100 for q = 3, at "
        "390 for q = 4 and at about 140 for q = 6.",
    )
    controls = (
        Control(name="n", symbol="n", label="width", minimum=1.0, maximum=1e4, default=10.0, log=True),
        Choice(name="q", symbol="q", label="exponent", options={3: "3", 4: "4", 6: "6"}, default=4),
    )
    panels = (
        Panel(
            title="The function learned, less that of gradient flow", x=GRID, x_label="input x", y_label="difference",
            y_limits=(-0.012, 0.012), y_steps=((-0.12, 0.12),), marks=X,
            curves=(
                Curve(key="zero", label="gradient flow", color="grey", dash="dashed", width=1.75),
                Curve(key="difference", label="q = {q}, n = {n:.0f}", color="blue", width=2.5),
            ),
        ),
        Panel(
            title="Its size at every width", x=LOG_WIDTHS, x_label="width n", y_label="largest difference", y_limits=(-11.0, 0.0),
            x_log=True, y_log=True, cursor="n",
            curves=(
                Curve(key="sizes_3", label="q = 3", color="blue"),
                Curve(key="sizes_4", label="q = 4", color="orange", dash="dashed"),
                Curve(key="sizes_6", label="q = 6", color="green", dash="dashdot"),
                Curve(key="sizes", label="", color="ink", width=4.0),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "The scaled potential of the next chapter": {"n": 1.0},
        "Halfway": {"n": 30.0},
        "Wide, q = 3": {"n": 5000.0, "q": 3},
    }
    summary = (
        "At width {n:.0f} the unscaled potential with exponent {q:.0f} acts like the scaled one with n^(q−2) before x², and "
        "the function differs from that of gradient flow by up to {sizes_here:.1g}."
    )
    engine = Table(nodes={"n": 33})

    def compute(self, *, n: float, q: int) -> dict[str, Any]:
        """Return the mean behaviour at width n (the sampling error left out), less the limit of gradient flow."""
        return {"zero": np.zeros_like(GRID), "difference": _dial(q, float(n)), "sizes": _sizes(q)} | {
            f"sizes_{k}": _sizes(k) for k in (3, 4, 6)
        }


def _dial(q: int, n: float) -> np.ndarray:
    scaled = Scaled(PowerPotential(p=q, omega=n ** (q - 2)))
    limit = wide_limit(X, Y, potential=scaled, activation="relu", initialization=start("uniform", 1.0))
    return np.asarray(limit(GRID) - _limit())


@cache
def _sizes(q: int) -> np.ndarray:
    """Return base-10 logarithms of the largest difference at all ``LOG_WIDTHS``."""
    return np.log10([float(np.max(np.abs(_dial(q, 10.0**v)))) for v in LOG_WIDTHS])
