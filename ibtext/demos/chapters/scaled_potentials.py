"""Chapter 11: where the curvature goes when the potential makes large curvature expensive."""

from typing import ClassVar

import numpy as np

from ...demonstration import X, Y
from ..kit import Control, Curve, Demo, Dual, Labels, Panel, Sketch


class CurvatureDemo(Demo):
    """The infinite-width limit under |x|^p + omega x^2, beside that of x^2, for labels that the reader drags."""

    title = "Where does the curvature go?"
    question = Sketch(
        text="The grey curve shows where the function bends that a wide network learns with the potential x². Now the potential "
        "is |x|³ + x², which makes large curvature expensive. Sketch where the curvature goes.",
        panel=1, curve="limit_curvature", start="quadratic_curvature", hide=("limit_value",),
        at=(-0.8, -0.6, -0.4, -0.2, 0.0, 0.2, 0.4, 0.6, 0.8),
        because="The peaks sink, and the curvature they lose is spread to places that had little: the maximum of |h″| "
        "falls, the mean rises. The data still have to be met, so the bending cannot shrink everywhere.",
    )  # fmt: skip
    controls = (
        Control(name="p", symbol="q", label="exponent", minimum=2.0, maximum=6.0, default=3.0, steps=160),
        Control(name="omega", symbol="ω", label="weight of x²", minimum=0.1, maximum=100.0, default=1.0, log=True, steps=300),
        Control(name="a", symbol="R", label="biases in [−R, R]", minimum=0.85, maximum=2.0, default=1.0, steps=115),
        Labels(name="labels", symbol="y", label="label", x=X, default=Y),
    )
    panels = (
        Panel(
            title="The network's function", x=np.linspace(-1.0, 1.0, 401), x_label="input x", y_label="output h(x)",
            y_limits=(-1.1, 1.25), y_steps=((-2.0, 2.0), (-4.0, 4.0)), points="labels", marks=X,
            curves=(
                Curve(key="quadratic_value", label="x²", color="grey", dash="dashed", width=1.75),
                Curve(key="limit_value", label="q = {p:.2f}", color="blue", width=2.5),
            ),
        ),
        Panel(
            title="How much it bends", x=np.linspace(-1.0, 1.0, 801), x_label="input x", y_label="curvature |h″(x)|",
            y_limits=(0.0, 30.0), y_steps=((0.0, 50.0), (0.0, 100.0)), marks=X,
            curves=(
                Curve(key="quadratic_curvature", label="x²", color="grey", dash="dashed", width=1.75),
                Curve(key="limit_curvature", label="q = {p:.2f}", color="blue", width=2.5),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Demonstration set": {},
        "Fourth power": {"p": 4.0},
        "One spike": {"p": 4.0, "labels": [0.0, 0.0, 0.6, 0.0, 0.0]},
        "Zigzag": {"p": 4.0, "labels": [0.4, -0.4, 0.4, -0.4, 0.4]},
        "Step": {"p": 4.0, "labels": [-0.5, -0.5, 0.0, 0.5, 0.5]},
        "Nearly straight": {"p": 4.0, "labels": [-0.6, -0.3, 0.05, 0.3, 0.6]},
        "Wide biases": {"p": 4.0, "a": 2.0},
    }
    summary = (
        "With q = {p:.2f}, ω = {omega:.2f} and biases on [−{a:.2f}, {a:.2f}], the largest curvature is {limit_max:.1f} "
        "(x²: {quadratic_max:.1f}) and the mean curvature {limit_mean:.1f} (x²: {quadratic_mean:.1f})."
    )
    engine = Dual(
        solutions={
            "limit": {"x": X, "y": "labels", "p": "p", "omega": "omega", "half_width": "a"},
            "quadratic": {"x": X, "y": "labels", "p": 2.0, "omega": 1.0, "half_width": "a"},
        },
        magnitudes=True,
    )
