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
ANGLES = np.linspace(0.0, 2.0 * np.pi, 91)


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


def level_sets(phi: Potential, start: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Return the points w with D(w, start) = level, one in each direction, one level after another with a hole between."""
    rays = np.tile(np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1), (len(levels), 1))
    wanted = np.repeat(levels, len(ANGLES))
    reach = bisect(lambda t: phi.divergence(start + t[:, None] * rays, start).sum(axis=1) - wanted, len(rays))
    rings = (start + reach[:, None] * rays).reshape(len(levels), len(ANGLES), 2)
    holes = np.full((len(levels), 1, 2), np.nan)
    return np.concatenate([rings, holes], axis=1).reshape(-1, 2)[:-1]


class GeometryDemo(Demo):
    """Path, dual path and level sets of the divergence for one data point, three potentials and a start to drag."""

    title = "One gradient, three geometries"
    question = Mark(
        text="Gradient descent from the start w₀ would end at the grey square. The hypentropy lets large weights move fast and "
        "small ones slowly; x⁴/4 does the reverse. Where on the line of solutions will training with the chosen potential end?",
        x="end_x", y="end_y", on="solutions",
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
                Path(x="ball_x", y="ball_y", color="green", width=1.5, grows=True),
                Path(x="path_x", y="path_y", color="blue", width=2.5, grows=True),
            ),
            scatter=(
                Scatter(x="nearest_x", y="nearest_y", label="x²/2", color="grey", marker="square"),
                Scatter(x="end_x", y="end_y", label="end", color="orange", marker="diamond", grows=True),
            ),
        ),
        Panel(
            title="Dual variables", x=np.linspace(-2.3, 3.6, 60), x_label="dual variable z₁ = φ′(w₁)",
            y_label="dual variable z₂ = φ′(w₂)", y_limits=(-2.3, 3.2), aspect="equal",
            paths=(
                Path(x="line_x", y="line_y", color="grey", dash="dashed", goes_on=True),
                Path(x="dual_ball_x", y="dual_ball_y", color="green", width=1.5, grows=True),
                Path(x="dual_x", y="dual_y", color="blue", width=2.5, grows=True),
            ),
            scatter=(
                Scatter(x="dual_start_x", y="dual_start_y", label="z₀", color="ink"),
                Scatter(x="dual_end_x", y="dual_end_y", label="end", color="orange", marker="diamond", grows=True),
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
        w = phi.inverse_gradient(z)
        # the level sets through points of the path, one after another; the last one touches the line
        rings = level_sets(phi, w0, [*(float(np.sum(phi.divergence(w[k], w0))) for k in (20, 40)), level])
        t = np.linspace(-0.4, 2.2, 81)
        line = np.stack([t, (LABEL - t) / 2.0])
        drawn = {
            "path": w, "dual": z, "ball": rings,
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
#: The steps that are drawn: all of the first 20, then fewer and fewer, to the end.
DRAWN = np.unique(np.concatenate([np.arange(20), np.round(np.geomspace(20, LONG, 21))]).astype(int))
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
        text="Mirror descent takes its steps in the dual variable φ′(w), natural gradient descent takes them in w. With small "
        "steps both follow the same flow, and end where it ends, at w*. Where do they end with larger steps?",
        choices=(
            "Both at w*",
            "Mirror descent at w*, natural gradient descent elsewhere",
            "Both elsewhere: the ends move with the step size",
        ),
        answer=1,
        hide=("mirror_x", "natural_x", "natural_end_x", "mirror_miss", "natural_miss"),
        because="Every mirror step adds a multiple of (1, 2) to the dual variable, so no step can leave the line that holds the "
        "projection w*. A natural gradient step follows the flow only to first order, and the error stays.",
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
                Path(x="natural_x", y="natural_y", label="natural gradient", color="orange", dash="dashed", grows=True),
                Path(x="mirror_x", y="mirror_y", label="mirror", color="blue", width=2.5, grows=True),
            ),
            scatter=(
                Scatter(x="projection_x", y="projection_y", label="w*", color="green", marker="square"),
                Scatter(x="natural_end_x", y="natural_end_y", color="orange", marker="triangle", grows=True),
            ),
        ),
        Panel(
            title="Mirror descent: divergence from u", x=STEPS, x_label="step t", y_label="D(u, wₜ)",
            y_limits=(0.0, 2.0),
            curves=(
                Curve(key="fall_0", label="u = w*", color="green"),
                Curve(key="fall_1", label="u = (0.4, 0.8)", color="blue", dash="dashed"),
                Curve(key="fall_2", label="u = (0.1, 0.95)", color="purple", dash="dotted"),
            ),
        ),
        Panel(
            title="Where they end", x=LOG_ETAS, x_label="step size η", y_label="distance of the end from w*",
            y_limits=(-0.004, 0.08), x_log=True, cursor="eta",
            curves=(
                Curve(key="natural_miss", label="natural gradient", color="orange", dash="dashed"),
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
        "from w*, and mirror descent at w*; in the first 40 steps of mirror descent the divergences from all three u fall by the "
        "same {fallen:.3f}."
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
            paths = run(phi, etas, LONG, natural=False), run(phi, etas, LONG, natural=True)
            for i, mirror, natural in zip(rows, *(p.transpose(1, 0, 2) for p in paths), strict=True):
                falls = [np.sum(phi.divergence(u, mirror[:41]), axis=1) for u in (target, *OTHERS)]
                drawn = {"mirror": mirror[DRAWN], "natural": natural[DRAWN], "natural_end": natural[-1], "projection": target}
                results[i] = {f"{key}_{axis}": v[..., j] for key, v in drawn.items() for j, axis in enumerate("xy")}
                results[i] |= {f"fall_{j}": fall for j, fall in enumerate(falls)} | {
                    "solutions": (LABEL - grid) / 2.0, "mirror_miss": mirror_miss, "natural_miss": natural_miss,
                    "miss": float(np.linalg.norm(natural[-1] - target)), "fallen": float(falls[0][0] - falls[0][-1]),
                }  # fmt: skip
        return results
