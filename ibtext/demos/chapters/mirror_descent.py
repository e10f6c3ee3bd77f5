"""Chapter 2: one gradient, several geometries; and what the step size can and cannot change."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np

from ...linear import bregman_projection
from ...potentials import (
    CoshPotential,
    EntropyPotential,
    HypentropyPotential,
    PNormPotential,
    Potential,
    PowerPotential,
    QuadraticPotential,
)
from ..kit import Choice, Control, Curve, Demo, Mark, Panel, Path, Points, Question, Scatter, Table

#: One data point: w1 + 2 w2 = 2.
ROW = np.array([1.0, 2.0])
LABEL = 2.0
ANGLES = np.linspace(0.0, 2.0 * np.pi, 121)


#: Potentials by the names that the demos' choices give them.
POTENTIALS: dict[str, Potential] = {
    "quadratic": QuadraticPotential(scale=0.5),
    "p4": PNormPotential(p=4),
    "hypentropy": HypentropyPotential(beta=0.1),
    "cubic": PowerPotential(p=3),
    "cosh": CoshPotential(),
    "entropy": EntropyPotential(),
}


def bisect(function: Callable[[np.ndarray], np.ndarray], size: int) -> np.ndarray:
    """Return the roots of functions that increase from a negative value at 0, all at once."""
    low, high = np.zeros(size), np.ones(size)
    while np.any(function(high) < 0.0):
        high = np.where(function(high) < 0.0, 2.0 * high, high)
    for _ in range(34):  # to 1e-10, far below a pixel
        middle = 0.5 * (low + high)
        below = function(middle) < 0.0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return 0.5 * (low + high)


def level_set(phi: Potential, start: np.ndarray, level: float) -> np.ndarray:
    """Return the points w with D(w, start) = level, one in each direction, shape (121, 2)."""
    rays = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    reach = bisect(lambda t: phi.divergence(start + t[:, None] * rays, start).sum(axis=1) - level, len(ANGLES))
    return np.asarray(start + reach[:, None] * rays)


class GeometryDemo(Demo):
    """Path, dual path and level sets of the divergence for one data point, three potentials and a start to drag."""

    title = "One gradient, three geometries"
    question = Mark(
        text="Gradient descent from the start w₀ would end at the grey square. The hypentropy lets large weights move fast and "
        "small ones slowly; x⁴/4 does the reverse. Where on the line of solutions will training with the chosen potential end?",
        x="end_x", y="end_y",
        hide=("path_x", "path_y", "ball_x", "ball_y", "dual_x", "dual_y", "dual_ball_x", "dual_ball_y",
              "dual_end_x", "dual_end_y"),
        because="It ends where the smallest level set of the divergence around the start touches the line. In the dual plane "
        "the path is straight, along (1, 2), for every potential: only the map between the two planes differs.",
    )  # fmt: skip
    controls = (
        Choice(
            name="potential", symbol="φ", label="potential", default="hypentropy",
            options={"quadratic": "x²/2", "p4": "x⁴/4", "hypentropy": "hypentropy, β = 0.1"},
        ),
        Points(name="start", symbol="w₀", label="start", default=((0.5, 0.1),), x_limits=(0.1, 0.8), y_limits=(0.1, 0.5)),
    )  # fmt: skip
    panels = (
        Panel(
            title="Weights", x=np.linspace(-0.8, 2.2, 61), x_label="weight w₁", y_label="weight w₂", y_limits=(-0.8, 1.4),
            aspect="equal", points="start",
            curves=(Curve(key="solutions", label="w₁ + 2w₂ = 2", color="grey", dash="dashed"),),
            paths=(
                Path(x="ball_x", y="ball_y", color="green", width=1.5),
                Path(x="path_x", y="path_y", color="blue", width=2.5),
            ),
            scatter=(
                Scatter(x="nearest_x", y="nearest_y", label="x²/2", color="grey", marker="square"),
                Scatter(x="end_x", y="end_y", label="end", color="orange", marker="diamond"),
            ),
        ),
        Panel(
            title="Dual variables", x=np.linspace(-2.3, 3.6, 60), x_label="dual variable z₁ = φ′(w₁)",
            y_label="dual variable z₂ = φ′(w₂)", y_limits=(-2.3, 3.2), aspect="equal",
            paths=(
                Path(x="line_x", y="line_y", color="grey", dash="dashed"),
                Path(x="dual_ball_x", y="dual_ball_y", color="green", width=1.5),
                Path(x="dual_x", y="dual_y", color="blue", width=2.5),
            ),
            scatter=(
                Scatter(x="dual_start_x", y="dual_start_y", label="z₀", color="ink"),
                Scatter(x="dual_end_x", y="dual_end_y", label="end", color="orange", marker="diamond"),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Gradient descent": {"potential": "quadratic"},
        "Large weights are stiff": {"potential": "p4"},
        "Start nearly balanced": {"start": [[0.3, 0.3]]},
        "The small weight": {"start": [[0.1, 0.5]]},
    }
    summary = (
        "With the potential {potential} and the start ({w1:.2f}, {w2:.2f}), training ends at ({end_x:.3f}, {end_y:.3f}), at a "
        "divergence of {level:.3f} from the start; x²/2 would end at ({nearest_x:.3f}, {nearest_y:.3f})."
    )
    engine = Table(nodes={"start": (15, 15)})

    def compute(self, *, potential: str, start: Sequence[Sequence[float]]) -> dict[str, Any]:
        """Return both paths, the level set through the end, and the line of solutions in both planes."""
        phi, w0, grid = POTENTIALS[potential], np.asarray(start[0], dtype=float), np.asarray(self.panels[0].x)
        found = bregman_projection(ROW[None], [LABEL], potential=phi, start=w0)
        end, level = found.weights, float(np.sum(phi.divergence(found.weights, w0)))
        z = phi.gradient(w0) + np.linspace(0.0, 1.0, 61)[:, None] * found.dual * ROW
        nearest = w0 + (LABEL - ROW @ w0) / (ROW @ ROW) * ROW
        t = np.linspace(-0.4, 2.2, 81)
        line = np.stack([t, (LABEL - t) / 2.0])
        drawn = {
            "path": phi.inverse_gradient(z), "dual": z, "ball": level_set(phi, w0, level),
            "line": phi.gradient(line).T, "nearest": nearest, "end": end,
            "dual_start": z[0], "dual_end": z[-1],
        }  # fmt: skip
        drawn["dual_ball"] = phi.gradient(drawn["ball"])
        result = {f"{key}_{axis}": v[..., i] for key, v in drawn.items() for i, axis in enumerate("xy")}
        return result | {"solutions": (LABEL - grid) / 2.0, "level": level, "w1": w0[0], "w2": w0[1]}


START = np.array([0.5, 0.1])
STEPS = np.arange(41.0)
#: Steps after which every run has ended: residuals are below 1e-9.
LONG = 1500
LOG_ETAS = np.linspace(np.log10(0.02), np.log10(0.38), 41)
#: Other interpolants, to measure the divergence from.
OTHERS = np.array([[0.4, 0.8], [0.1, 0.95]])


def run(phi: Potential, etas: np.ndarray, n: int, *, natural: bool) -> np.ndarray:
    """Return n steps for several step sizes at once, (n + 1, runs, 2): in the dual variable, or in w (natural gradient)."""
    w = np.tile(START, (len(etas), 1))
    path, z = [w], phi.gradient(w)
    for _ in range(n):
        pull = (etas * (LABEL - w @ ROW))[:, None] * ROW
        z = z + pull
        w = w + pull / phi.hessian(w) if natural else phi.inverse_gradient(z)
        path.append(w)
    return np.array(path)


@cache
def ends(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the distances of both methods' ends from the projection at the step sizes of the third panel."""
    phi = POTENTIALS[name]
    target = bregman_projection(ROW[None], [LABEL], potential=phi, start=START).weights
    last = [run(phi, 10.0**LOG_ETAS, LONG, natural=natural)[-1] for natural in (False, True)]
    mirror, other = (np.linalg.norm(end - target, axis=1) for end in last)
    return mirror, other


class StepSizeDemo(Demo):
    """Mirror descent beside natural gradient descent, with the divergence from three interpolants."""

    title = "Two ways to take the same step"
    question = Question(
        text="Both methods follow the same flow when steps are small. Now make the steps larger. Where do they end?",
        choices=(
            "Both end where the flow ends",
            "Mirror descent ends where the flow ends, the other method elsewhere",
            "Both ends move with the step size",
        ),
        answer=1,
        because="Every mirror step adds a multiple of (1, 2) to the dual variable, so no step can leave the line that holds the "
        "projection. A step in w follows the curve only to first order, and the error stays.",
    )
    controls = (
        Control(name="eta", symbol="η", label="step size", minimum=0.02, maximum=0.38, default=0.2, log=True),
        Choice(
            name="potential", symbol="φ", label="potential", default="entropy",
            options={"entropy": "entropy", "cosh": "cosh", "cubic": "|x|³ + x²"},
        ),
    )  # fmt: skip
    panels = (
        Panel(
            title="Two paths", x=np.linspace(0.4, 1.4, 21), x_label="weight w₁", y_label="weight w₂", y_limits=(0.0, 1.15),
            curves=(Curve(key="solutions", label="solutions", color="grey", dash="dashed"),),
            paths=(
                Path(x="natural_x", y="natural_y", color="orange", dash="dashed"),
                Path(x="mirror_x", y="mirror_y", label="mirror", color="blue", width=2.5),
            ),
            scatter=(
                Scatter(x="projection_x", y="projection_y", label="w*", color="green", marker="square"),
                Scatter(x="natural_end_x", y="natural_end_y", color="orange", marker="triangle"),
                Scatter(x="mirror_x", y="mirror_y", color="blue"),
            ),
        ),
        Panel(
            title="Mirror: divergence from u", x=STEPS, x_label="step t", y_label="D(u, w_t)",
            y_limits=(0.0, 2.0),
            curves=(
                Curve(key="fall_0", label="u = projection", color="green"),
                Curve(key="fall_1", label="u = (0.4, 0.8)", color="blue", dash="dashed"),
                Curve(key="fall_2", label="u = (0.1, 0.95)", color="purple", dash="dotted"),
            ),
        ),
        Panel(
            title="Where they end", x=LOG_ETAS, x_label="step size η", y_label="distance from the projection",
            y_limits=(-0.005, 0.12), x_log=True, cursor="eta",
            curves=(
                Curve(key="natural_miss", label="step in w", color="orange", dash="dashed"),
                Curve(key="mirror_miss", label="mirror", color="blue", width=2.5),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Small steps": {"eta": 0.02},
        "Large steps": {"eta": 0.38},
        "Large steps, |x|³ + x²": {"eta": 0.38, "potential": "cubic"},
    }
    summary = (
        "With step size η = {eta:.2f} and the potential {potential}, natural gradient descent ends at a distance of {miss:.2g} "
        "from the projection w*, and mirror descent at w*; after 40 steps the divergences from all three u have fallen by "
        "{fallen:.3f}."
    )
    engine = Table(nodes={"eta": 49})

    def compute_many(self, settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return both paths, the divergence from three interpolants and both ends; each potential runs all of its step sizes."""
        grid = np.asarray(self.panels[0].x)
        results: list[dict[str, Any]] = [{} for _ in settings]
        for name in {s["potential"] for s in settings}:
            rows = [i for i, s in enumerate(settings) if s["potential"] == name]
            phi, etas = POTENTIALS[name], np.array([settings[i]["eta"] for i in rows], dtype=float)
            target = bregman_projection(ROW[None], [LABEL], potential=phi, start=START).weights
            mirror_miss, natural_miss = ends(name)
            paths = run(phi, etas, 40, natural=False), run(phi, etas, LONG, natural=True)
            for i, mirror, natural in zip(rows, *(p.transpose(1, 0, 2) for p in paths), strict=True):
                falls = [np.sum(phi.divergence(u, mirror), axis=1) for u in (target, *OTHERS)]
                drawn = {"mirror": mirror, "natural": natural[:41], "natural_end": natural[-1], "projection": target}
                results[i] = {f"{key}_{axis}": v[..., j] for key, v in drawn.items() for j, axis in enumerate("xy")}
                results[i] |= {f"fall_{j}": fall for j, fall in enumerate(falls)} | {
                    "solutions": (LABEL - grid) / 2.0, "mirror_miss": mirror_miss, "natural_miss": natural_miss,
                    "miss": float(np.linalg.norm(natural[-1] - target)), "fallen": float(falls[0][0] - falls[0][-1]),
                }  # fmt: skip
        return results
