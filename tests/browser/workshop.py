"""Demos that are on no page: one that was written from the guide alone, and two that use every other declaration."""

from typing import ClassVar

import numpy as np

from ibtext.demos import (
    Band,
    Bars,
    Choice,
    Control,
    Curve,
    Demo,
    Image,
    Labels,
    Mark,
    Panel,
    Path,
    Points,
    Scatter,
    Sketch,
    Table,
)  # fmt: skip

GRID = np.linspace(-1.5, 1.5, 25)
TURN = np.linspace(0.0, 2 * np.pi, 61)


class BasinDemo(Demo):
    """Two minima on a plane, a start that the reader drags, and the path downhill (54 lines with all declarations)."""

    title = "Which valley?"
    question = Mark(
        text="The ball rolls downhill from the start that you see. Where will it rest?",
        x="rest_x", y="rest_y", hide=("path_x", "path_y", "rest"),
        because="Each start has its valley: the sign of x decides.",
    )  # fmt: skip
    controls = (
        Points(
            name="start", symbol="s", label="start", default=((0.6, 0.9),), x_limits=(0.5, 1.4), y_limits=(-1.2, 1.2), step=0.1
        ),
        Control(name="k", symbol="k", label="stiffness in y", minimum=0.5, maximum=2.0, default=1.0),
        Choice(name="side", symbol="", label="valleys", options={1: "right", -1: "left"}, default=1),
    )
    panels = (
        Panel(
            title="Height of the ground", x=GRID, x_label="x", y_label="y", y_limits=(-1.5, 1.5), aspect="equal", points="start",
            image=Image(key="height", y=GRID, limits=(0.0, 5.0), label="height"),
            paths=(Path(x="path_x", y="path_y", label="path", color="orange"),),
            scatter=(Scatter(x="rest_x", y="rest_y", label="rest", marker="diamond"),),
        ),
        Panel(
            title="On the way to rest", x=np.linspace(0.0, 4.0, 81), x_label="time t", y_label="0.3 + squared distance",
            y_limits=(-0.8, 0.6), y_log=True, curves=(Curve(key="rest", label="k = {k:.1f}, {side}"),),
        ),
    )  # fmt: skip
    presets: ClassVar = {"Far": {"start": [[1.4, -1.2]]}, "Left": {"side": -1}}
    summary = "On the {side} the ball rests at ({rest_x:.0f}, {rest_y:.0f}); the ground rises to {height_max:.2f}."
    engine = Table(nodes={"start": (9, 15), "k": 9})

    def compute(self, *, start, k, side):
        (a, b), t = start[0], self.panels[1].x
        x = a / np.sqrt(a**2 + (1 - a**2) * np.exp(-2 * t))  # solves x' = x - x^3
        y = b * np.exp(-k * t)
        height = (GRID[None, :] ** 2 - 1) ** 2 + k * GRID[:, None] ** 2
        distance = (x - 1) ** 2 + y**2
        return {
            "height": height, "path_x": side * x, "path_y": y, "rest": np.log10(0.3 + distance),
            "rest_x": float(side), "rest_y": 0.0,
        }  # fmt: skip


class SmootherDemo(Demo):
    """Affine in its labels: an exact matrix over the width, with a sketch to draw first."""

    title = "A smoother"
    question = Sketch(
        text="Draw the average of the three points with weights that fall with the distance.",
        curve="mean", at=(-1.0, -0.5, 0.0, 0.5, 1.0), hide=("low", "high"), because="Far away it is near the plain mean.",
    )  # fmt: skip
    X = (-0.6, 0.1, 0.7)
    controls = (
        Labels(name="y", symbol="y", label="label", x=X, default=(0.5, -0.2, 0.4)),
        Control(name="w", symbol="w", label="width", minimum=0.3, maximum=1.0, default=0.4, log=True),
    )
    panels = (
        Panel(
            title="Average", x=np.linspace(-1.0, 1.0, 101), x_label="x", y_label="mean", y_limits=(-1.2, 1.2), points="y",
            curves=(Curve(key="mean", label="w = {w:.2f}"),),
            bands=(Band(lower="low", upper="high", label="± 0.2", color="grey"),),
        ),
        Panel(title="Weights at 0", y_label="weight", y_limits=(0.0, 1.0), bars=Bars(key="weights", names=("x₁", "x₂", "x₃"))),
    )  # fmt: skip
    summary = "The average at w = {w:.2f} goes from {mean_min:.2f} to {mean_max:.2f}, {mean_rms:.2f} on root mean square."
    engine = Table(nodes={"w": 13}, linear="y")

    def compute(self, *, y, w):
        weights = np.exp(-((self.panels[0].x[:, None] - np.array(self.X)) ** 2) / (2 * w**2))
        weights /= weights.sum(axis=1, keepdims=True)
        mean = weights @ np.array(y)
        return {"mean": mean, "low": mean - 0.2, "high": mean + 0.2, "weights": weights[50]}


class BrokenRingDemo(Demo):
    """A path with a hole, and no question."""

    title = "A ring with a gap"
    controls = (Control(name="r", symbol="r", label="radius", minimum=0.2, maximum=1.0, default=0.6),)
    panels = (
        Panel(
            title="Ring", x=(-1.2, 1.2), x_label="x", y_label="y", y_limits=(-1.2, 1.2), aspect="equal",
            paths=(Path(x="x", y="y", label="r = {r:.2f}", color="green", dash="dashed"),),
            scatter=(Scatter(x="sx", y="sy", color="purple", marker="square"),),
        ),
    )  # fmt: skip
    summary = "The ring has radius {r:.2f}."
    engine = Table(nodes={"r": 5})

    def compute(self, *, r):
        x, y = r * np.cos(TURN), r * np.sin(TURN)
        y[10:14] = np.nan
        return {"x": x, "y": y, "sx": x[::20], "sy": r * np.sin(TURN)[::20]}


DEMOS = (BasinDemo, SmootherDemo, BrokenRingDemo)
