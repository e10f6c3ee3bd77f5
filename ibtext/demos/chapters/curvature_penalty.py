"""Chapter 7: where the start of training lets a network bend, and what a label shift costs."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy import stats

from ...demonstration import ZIGZAG_X as X
from ...demonstration import ZIGZAG_Y as Y
from ...laws import Initialization
from ...splines import adaptive_spline, natural_spline
from ...training import ShallowNetwork, training_limit
from ...wide import wide_limit
from ..kit import Bars, Choice, Control, Curve, Demo, Labels, Panel, Question, Scatter, Table

T = np.linspace(-2.0, 2.0, 201)
#: Symmetric laws of the bias by name, of width a.
FAMILIES: dict[str, Callable[[float], Any]] = {
    "uniform": lambda a: stats.uniform(-a, 2 * a),
    "triangular": lambda a: stats.triang(0.5, -a, 2 * a),
    "normal": lambda a: stats.norm(0, a / 3),
    "Laplace": lambda a: stats.laplace(0, a / 4),
}


def start(family: str, a: float) -> Initialization:
    """Weights ±1 and a bias law of a family."""
    return Initialization(weight="signs", bias=FAMILIES[family](a))


@cache
def units(family: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw signs and biases for a = 1, always the same ones."""
    rng = np.random.default_rng(1)
    return rng.choice([-1.0, 1.0], count), FAMILIES[family](1.0).ppf(rng.uniform(size=count))


@cache
def spline_columns() -> tuple[np.ndarray, np.ndarray]:
    """Return the natural splines of the unit labels and their second derivatives on the grid, one column a data point."""
    columns = [natural_spline(X, unit) for unit in np.eye(len(X))]
    return np.column_stack([g(T) for g in columns]), np.column_stack([g.derivative(T, order=2) for g in columns])


@lru_cache(maxsize=64)
def columns_of(family: str, a: float) -> dict[str, np.ndarray]:
    """Return what multiplies the labels for a law (everything here is linear in them), and its weight on the grid."""
    law, (weight, bias) = start(family, a), units(family, 500)
    net = ShallowNetwork(weight, a * bias, np.zeros(500), 0.0)
    limits = [wide_limit(X, unit, initialization=law) for unit in np.eye(len(X))]
    return {
        "limit": np.column_stack([h(T) for h in limits]),
        "bend": np.column_stack([h.derivative(T, order=2) for h in limits]),
        "network": np.column_stack([training_limit(net, X, unit, layers="output")(T) for unit in np.eye(len(X))]),
        "zeta": law.zeta(T),
    }


class BiasLawDemo(Demo):
    """A sampled network, the limit of infinite width and the natural spline, for a law of the biases."""

    title = "The start decides where it bends"
    question = Question(
        text="The biases crowd around 0 instead of being spread evenly. How does the size of the second derivative "
        "change, at 0 and at ±1.5?",
        choices=("Larger at 0, smaller at ±1.5", "Smaller at 0, larger at ±1.5", "The same: the data decide"),
        answer=0,
        hide=("network", "limit", "zeta", "bend"),
        because="A unit bends the function at its own breakpoint. Where breakpoints are dense, many units share the work and "
        "each of them has to move little: curvature has become cheap at 0, and dear at ±1.5. The data force a peak at 0 under "
        "every law; how sharp it is, the law decides.",
    )
    controls = (
        Choice(name="family", symbol="", label="law of the biases", options={f: f for f in FAMILIES}, default="Laplace"),
        Control(name="a", symbol="R", label="half-width of the law", minimum=2.1, maximum=6.0, default=2.5, steps=78),
        Labels(name="labels", symbol="y", label="label", x=X, default=Y, minimum=0.25, maximum=1.75),
    )
    panels = (
        Panel(
            title="The function", x=T, x_label="input x", y_label="output", y_limits=(-0.25, 2.25), points="labels", marks=X,
            curves=(
                Curve(key="spline", label="natural spline", color="orange", dash="dotted", width=2.25),
                Curve(key="network", label="network, n = 500", color="green", width=3.0),
                Curve(key="limit", label="limit", color="ink", dash="dashed", width=1.5),
            ),
        ),
        Panel(
            title="Weight of curvature", x=T, x_label="input x", y_label="ζ(x)", y_limits=(0.0, 0.5),
            y_steps=((0.0, 1.0),), marks=X,
            curves=(Curve(key="zeta", label="ζ", color="purple", width=2.5),),
        ),
        Panel(
            title="Where it bends", x=T, x_label="input x", y_label="second derivative", y_limits=(-6.0, 6.0),
            y_steps=((-12.0, 12.0), (-20.0, 20.0)), marks=X,
            curves=(
                Curve(key="spline_bend", label="natural spline", color="orange", dash="dotted", width=2.25),
                Curve(key="bend", label="limit", color="ink", dash="dashed", width=1.75),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Evenly spread": {"family": "uniform"},
        "Crowded at 0": {"family": "Laplace", "a": 2.1},
        "Hardly any room": {"family": "triangular", "a": 2.1},
        "Wide": {"family": "uniform", "a": 6.0},
        "Constant labels": {"family": "normal", "labels": [1.5, 1.5, 1.5, 1.5, 1.5]},
    }
    summary = (
        "With {family} biases of half-width R = {a:.2f}, the weight of curvature at the outer data points is {share:.1%} of "
        "that at the centre."
    )
    engine = Table(nodes={"a": 21}, repeat={"family": 10, "a": 10}, linear="labels")

    def compute(self, *, family: str, a: float, labels: list[float]) -> dict[str, Any]:
        """Return the three functions, the weight and the two second derivatives."""
        columns, spline = columns_of(family, a), spline_columns()
        shown = {name: columns[name] @ labels for name in ("limit", "bend", "network")}
        zeta = columns["zeta"]
        return shown | {
            "spline": spline[0] @ labels, "spline_bend": spline[1] @ labels, "zeta": zeta,
            "share": float(zeta[0] / zeta[T.size // 2]),
        }  # fmt: skip


class PenaltyDialDemo(Demo):
    """The adaptive spline for the weight 1/(s + x^2)^2, from nearly constant to a peak."""

    title = "From a constant to a peaked weight"
    question = Question(
        text="The weight ζ is turned into a sharp peak at 0. What will the curve do between x = 1 and x = 2?",
        choices=("Bend more", "Become straighter", "Stay as it is: the data are the same"),
        answer=1,
        hide=("adaptive", "bend"),
        because="Curvature far from the peak has become expensive. The curve does its bending near 0, where it is cheap, "
        "and goes straighter elsewhere.",
    )
    controls = (
        Control(name="s", symbol="s", label="spread of ζ = 1/(s + x²)²", minimum=0.1, maximum=20.0, default=0.1, log=True),
        Labels(name="labels", symbol="y", label="label", x=X, default=Y, minimum=0.5, maximum=1.5),
    )
    panels = (
        Panel(
            title="The interpolant", x=T, x_label="input x", y_label="g(x)", y_limits=(0.0, 2.0), points="labels", marks=X,
            curves=(
                Curve(key="natural", label="natural spline", color="orange", dash="dotted", width=2.25),
                Curve(key="adaptive", label="s = {s:.2f}", color="blue", width=2.5),
            ),
        ),
        Panel(
            title="Weight, relative to its peak", x=T, x_label="input x", y_label="ζ(x)/ζ(0)", y_limits=(0.0, 1.05), marks=X,
            curves=(Curve(key="zeta", label="s = {s:.2f}", color="purple", width=2.5),),
        ),
        Panel(
            title="Where it bends", x=T, x_label="input x", y_label="g″(x)", y_limits=(-8.0, 8.0),
            y_steps=((-20.0, 20.0), (-40.0, 40.0)), marks=X,
            curves=(
                Curve(key="natural_bend", label="natural spline", color="orange", dash="dotted", width=2.25),
                Curve(key="bend", label="s = {s:.2f}", color="blue", width=2.25),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Nearly constant": {"s": 20.0},
        "Standard Gaussian start": {"s": 1.0},
        "Biases of variance 0.1": {"s": 0.1},
        "A bump off the centre": {"s": 0.1, "labels": [0.5, 0.5, 0.5, 1.5, 0.5]},
    }
    summary = (
        "With spread s = {s:.2f}, the second derivative between x = 1 and 2 is {outer_rms:.2f} on root mean square (natural "
        "spline: {natural_outer_rms:.2f}); the weight of curvature at x = 1 is {share:.1%} of that at 0."
    )
    engine = Table(nodes={"s": 21}, linear="labels")

    def compute(self, *, s: float, labels: list[float]) -> dict[str, Any]:
        """Return both splines, their second derivatives, the weight, and its value at 1."""

        def zeta(x: np.ndarray) -> np.ndarray:
            return (1 + x**2 / s) ** -2.0

        natural, adaptive = natural_spline(X, labels), adaptive_spline(X, labels, zeta=zeta)
        natural_bend, bend = natural.derivative(T, order=2), adaptive.derivative(T, order=2)
        return {
            "natural": natural(T), "adaptive": adaptive(T), "zeta": zeta(T), "natural_bend": natural_bend, "bend": bend,
            "outer": bend[T >= 1], "natural_outer": natural_bend[T >= 1], "share": (1 + 1 / s) ** -2,
        }  # fmt: skip


class LabelShiftDemo(Demo):
    """A line is added to the labels and taken off the result: what is left, and the three terms of the bill."""

    title = "The bill for a line"
    question = Question(
        text="Biases on [−2, 2]. The labels are raised by 10: which of the three terms of the bill grows most? And which if "
        "10x is added instead?",
        choices=("G₁, both times", "G₃, then G₂", "G₂, then G₃", "G₃, both times"),
        answer=1,
        hide=("terms", "left"),
        because="A constant has no curvature and no tilt. It needs height at 0, and that is what G₃ charges for: it grows by 90. "
        "By bending, the network saves a part of that; for this G₁ grows by 39. G₂ stays 0. A slope is charged as tilt.",
    )
    controls = (
        Control(name="c", symbol="c", label="constant added", minimum=-10.0, maximum=10.0, default=10.0, steps=80),
        Control(name="u", symbol="u", label="slope added", minimum=-10.0, maximum=10.0, default=0.0, steps=80),
        Control(name="a", symbol="R", label="biases in [−R, R]", minimum=2.0, maximum=6.0, default=2.0, steps=80),
    )
    panels = (
        Panel(
            title="The function, the line taken off again", x=T, x_label="input x", y_label="output − c − ux",
            y_limits=(0.2, 1.8), marks=X, data=(X, Y),
            curves=(
                Curve(key="spline", label="natural spline", color="orange", dash="dotted", width=2.25),
                Curve(key="left", label="limit of the network", color="ink", width=2.25),
            ),
        ),
        Panel(
            title="What it pays", y_label="term of the cost", y_limits=(0.0, 175.0), y_steps=((0.0, 500.0),),
            bars=Bars(key="terms", names=("G₁ curvature", "G₂ tilt", "G₃ height"), color="blue"),
            scatter=(Scatter(x="places", y="before", label="without the line", color="orange", marker="diamond"),),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "As they are": {"c": 0.0},
        "Raised": {},
        "Tilted": {"c": 0.0, "u": 10.0},
        "10x + 10": {"c": 10.0, "u": 10.0},
        "10x + 10, more room": {"c": 10.0, "u": 10.0, "a": 6.0},
    }
    summary = (
        "With c = {c:.2f}, u = {u:.2f} and biases on [−{a:.2f}, {a:.2f}], curvature costs {G1:.1f}, tilt {G2:.1f} and height "
        "{G3:.1f}."
    )
    engine = Table(nodes={"c": 3, "u": 3, "a": 13})

    def compute(self, *, c: float, u: float, a: float) -> dict[str, Any]:
        """Return what is left when the line is taken off, and the three terms."""
        limit, without = (wide_limit(X, y, initialization=start("uniform", a)) for y in (Y + c + u * X, Y))
        terms, before = limit.penalty_terms(), without.penalty_terms()
        return {
            "places": np.array([0.0, 1.0, 2.0]), "before": np.array([before[k] for k in ("G1", "G2", "G3")]),
            "left": limit(T) - c - u * T, "spline": natural_spline(X, Y)(T),
            "terms": np.array([terms[k] for k in ("G1", "G2", "G3")]), **terms,
        }  # fmt: skip
