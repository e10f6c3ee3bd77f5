"""Chapter 1: which interpolant an optimiser reaches, and what that does to the error on new data."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np

from ..kit import Choice, Control, Curve, Demo, Mark, Panel, Path, Points, Question, Scatter, Sketch, Table

#: The optimisers of the demos: the name in ``torch.optim`` and its options; the step size is applied outside.
OPTIMISERS: dict[str, tuple[str, dict[str, float]]] = {
    "gd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.5}),
    "adagrad": ("Adagrad", {}),
    "adam": ("Adam", {}),
}
#: The steps that are drawn: all of the first ones, then fewer and fewer.
STEPS = np.unique(np.round(np.geomspace(1.0, 1280.0, 120)))
#: The steps that are marked on the path.
DOTS = [0, 1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 256]
ROW = np.array([[1.0, 2.0]])
LABEL = np.array([2.0])

X = np.array([-0.9, -0.65, -0.3, 0.05, 0.3, 0.6, 0.92])
Y = np.sin(2.5 * X) + 0.3
INPUTS = np.linspace(-1.0, 1.0, 201)


def train(
    A: np.ndarray, y: np.ndarray, starts: np.ndarray, steps: np.ndarray, optimiser: str, n: int, *, tol: float | None = None
) -> np.ndarray:
    """Train least squares from several starts with several step sizes at once, by ``torch.optim``.

    Every optimiser here moves by its step size times a rule that does not know the step size, so ``w = start + step * u`` turns
    the runs into rows of one variable u that is trained with step size one.  Without ``tol`` all iterates are returned, shape
    (n + 1, runs, parameters); with it, each run stops where its residual falls below ``tol``, and the ends are returned.
    """
    import torch

    name, options = OPTIMISERS[optimiser]
    u = torch.zeros(starts.shape, dtype=torch.float64, requires_grad=True)
    rule = getattr(torch.optim, name)([u], lr=1.0, **options)
    start, step, matrix, labels = (torch.as_tensor(v) for v in (starts, steps[:, None], A, y))
    path, end, running = [], start.clone(), torch.ones(len(starts), dtype=torch.bool)
    for _ in range(n + 1):
        w = start + step * u.detach()
        residual = w @ matrix.T - labels
        if tol is None:
            path.append(w.numpy())
        else:
            end[running] = w[running]
            running &= residual.abs().amax(1) >= tol
            if not running.any():
                return np.asarray(end.numpy())
        u.grad = residual @ matrix
        rule.step()
    if tol is not None:
        raise RuntimeError(
            f"Every run reaches a residual below {tol:g}, but {int(running.sum())} did not in {n} steps; a step size is probably "
            "too small or unstable; narrow its range or allow more steps."
        )
    return np.array(path)


def features(x: np.ndarray, count: int = 60) -> np.ndarray:
    """Return cosines with amplitudes 1/k, scaled so that the largest singular value at the data points is one."""
    k = np.arange(count)

    def waves(at: np.ndarray) -> np.ndarray:
        return np.asarray(np.cos(0.5 * np.pi * k * (at[:, None] + 1.0)) / np.maximum(k, 1))

    return np.asarray(waves(x) / np.linalg.norm(waves(X), 2))


class InterpolantDemo(Demo):
    """Paths of three optimisers in the plane of two parameters, with one data point."""

    title = "Two parameters, one data point"
    question = Mark(
        text="Gradient descent starts at the point that you see. Where on the line of solutions will it end?",
        x="end_x", y="end_y", on="solutions",
        hide=("path_x", "dots_x", "across", "along", "nearest_x", "nearest_y"),
        because="It ends at the solution nearest to the start: every gradient is a multiple of the data vector (1, 2), so "
        "the path meets the line at a right angle. Adagrad divides each coordinate by the size of its gradients and moves along "
        "(1, 1).",
    )  # fmt: skip
    controls = (
        Choice(
            name="optimiser", symbol="", label="optimiser", default="gd",
            options={"gd": "gradient descent", "momentum": "gradient descent with momentum", "adagrad": "Adagrad"},
        ),
        Control(name="eta", symbol="η", label="step size", minimum=0.1, maximum=0.3, default=0.15, log=True),
        Points(name="start", symbol="w₀", label="start", default=((0.4, -0.8),), x_limits=(-1.0, 0.6), y_limits=(-1.0, 0.4)),
    )  # fmt: skip
    panels = (
        Panel(
            title="The path", x=np.linspace(-1.2, 2.2, 35), x_label="parameter w₁", y_label="parameter w₂",
            y_limits=(-1.2, 2.1), aspect="equal", points="start",
            curves=(Curve(key="solutions", label="w₁ + 2w₂ = 2", color="grey", dash="dashed"),),
            paths=(Path(x="path_x", y="path_y", color="blue", grows=True),),
            scatter=(
                Scatter(x="dots_x", y="dots_y", color="blue", grows=True),
                Scatter(x="nearest_x", y="nearest_y", label="nearest", color="grey", marker="square"),
                Scatter(x="end_x", y="end_y", label="end", color="orange", marker="diamond", grows=True),
            ),
        ),
        Panel(
            title="What the data see, and what they do not", x=np.log10(STEPS), x_label="step t", y_label="distance",
            y_limits=(-0.5, 0.5), y_steps=((-1.25, 1.25), (-2.5, 2.5)), x_log=True,
            curves=(
                Curve(key="across", label="to the line", color="blue", grows=True),
                Curve(key="along", label="along the line", color="orange", dash="dashed", grows=True),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Larger steps": {"eta": 0.3},
        "Adagrad": {"optimiser": "adagrad", "eta": 0.2},
        "Adagrad from the far corner": {"optimiser": "adagrad", "eta": 0.2, "start": [[-1.0, -1.0]]},
    }
    summary = (
        "With {optimiser} and step size η = {eta:.2f}, training ends {drift:.3f} along the line of solutions away from the "
        "solution nearest to the start."
    )
    engine = Table(nodes={"eta": 25, "start": (7, 7)})

    def compute_many(self, settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return paths and their two parts, across the line of solutions and along it; each optimiser trains all of its own."""
        grid = np.asarray(self.panels[0].x)
        normal = ROW[0] / np.linalg.norm(ROW[0])
        tangent, inverse = np.array([normal[1], -normal[0]]), np.linalg.pinv(ROW)
        results: list[dict[str, Any]] = [{} for _ in settings]
        for name in {s["optimiser"] for s in settings}:
            rows = [i for i, s in enumerate(settings) if s["optimiser"] == name]
            starts = np.array([settings[i]["start"][0] for i in rows], dtype=float)
            steps = np.array([settings[i]["eta"] for i in rows], dtype=float)
            paths = train(ROW, LABEL, starts, steps, name, int(STEPS[-1]))
            for i, path in zip(rows, paths.transpose(1, 0, 2), strict=True):
                nearest = path[0] + inverse @ (LABEL - ROW @ path[0])
                along = np.round((path - path[0]) @ tangent, 9) + 0.0  # rounding errors would read as "-0.000"
                drawn, dots = path[np.append(0, STEPS.astype(int))], path[DOTS]
                results[i] = {
                    "path_x": drawn[:, 0], "path_y": drawn[:, 1], "dots_x": dots[:, 0], "dots_y": dots[:, 1],
                    "end_x": path[-1, 0], "end_y": path[-1, 1],
                    "nearest_x": nearest[0], "nearest_y": nearest[1], "solutions": 1.0 - grid / 2.0,
                    "across": drawn[1:] @ normal - LABEL[0] / np.linalg.norm(ROW), "along": along[STEPS.astype(int)],
                    "drift": along[-1],
                }  # fmt: skip
        return results


class OptimiserDemo(Demo):
    """One data set, one model with 60 parameters, three optimisers: the functions at which training ends."""

    title = "Same data, same model, three functions"
    question = Question(
        text="All three optimisers fit the seven points. For which of them does the function depend on the step size?",
        choices=("For none: the data decide", "For gradient descent", "For Adagrad and Adam", "For all three"),
        answer=2,
        hide=("value", "weight"),
        because="Gradient descent ends at the interpolant nearest to its start, whatever the step size. Adagrad and Adam rescale "
        "each coordinate by the gradients they have met, and which gradients they meet depends on the step size.",
    )
    controls = (
        Choice(
            name="optimiser", symbol="", label="optimiser", default="adagrad",
            options={"gd": "gradient descent", "adagrad": "Adagrad", "adam": "Adam"},
        ),
        Control(name="eta", symbol="η", label="step size", minimum=0.1, maximum=1.6, default=0.4, log=True),
    )  # fmt: skip
    panels = (
        Panel(
            title="The function after training", x=INPUTS, x_label="input x", y_label="output f(x)", y_limits=(-1.0, 1.6),
            data=(X.tolist(), Y.tolist()),
            curves=(
                Curve(key="reference", label="gradient descent", color="grey", dash="dashed", width=1.75),
                Curve(key="value", label="{optimiser}", color="blue", width=2.5),
            ),
        ),
        Panel(
            title="The first 16 parameters", x=np.arange(16.0), x_label="frequency k", y_label="parameter wₖ",
            y_limits=(-3.25, 3.25),
            curves=(
                Curve(key="reference_weight", label="gradient descent", color="grey", dash="dashed", width=1.75),
                Curve(key="weight", label="{optimiser}", color="blue", width=2.5),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Adagrad, small steps": {"optimiser": "adagrad", "eta": 0.1},
        "Adagrad, large steps": {"optimiser": "adagrad", "eta": 1.6},
        "Adam, small steps": {"optimiser": "adam", "eta": 0.1},
        "Adam, large steps": {"optimiser": "adam", "eta": 1.6},
    }
    summary = (
        "With {optimiser} and step size η = {eta:.2f}, the trained parameters have length {length:.2f}; the shortest "
        "interpolant has length {shortest:.2f}."
    )
    engine = Table(nodes={"eta": 33})

    def compute_many(self, settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return trained functions and parameters beside those of gradient descent; each optimiser trains all of its own."""
        A, everywhere = features(X), features(INPUTS)
        nearest = np.linalg.pinv(A) @ Y
        results: list[dict[str, Any]] = [{} for _ in settings]
        for name in {s["optimiser"] for s in settings}:
            rows = [i for i, s in enumerate(settings) if s["optimiser"] == name]
            steps = np.array([settings[i]["eta"] for i in rows], dtype=float)
            ends = train(A, Y, np.zeros((len(rows), A.shape[1])), steps, name, 20_000, tol=1e-5)
            for i, w in zip(rows, ends, strict=True):
                value, reference = everywhere @ w, everywhere @ nearest
                results[i] = {
                    "value": value, "reference": reference, "weight": w[:16], "reference_weight": nearest[:16],
                    "length": float(np.linalg.norm(w)), "shortest": float(np.linalg.norm(nearest)),
                }  # fmt: skip
        return results


DATA, TOTAL = 20, 80
COUNTS = np.arange(1.0, TOTAL + 1.0)
TRUTH = COUNTS**-0.5 / np.linalg.norm(COUNTS**-0.5)


@cache
def one_sample() -> tuple[np.ndarray, np.ndarray]:
    """Return the fitted coefficients of one draw for every N as a pair: without noise, and per unit of noise."""
    rng = np.random.default_rng(3)
    A, noise = rng.normal(size=(DATA, TOTAL)), rng.normal(size=DATA)
    clean, noisy = np.zeros((TOTAL, TOTAL)), np.zeros((TOTAL, TOTAL))
    for n in range(1, TOTAL + 1):
        inverse = np.linalg.pinv(A[:, :n])
        clean[n - 1, :n], noisy[n - 1, :n] = inverse @ A @ TRUTH, inverse @ noise
    return clean, noisy


def expected_error(noise: float) -> np.ndarray:
    """Return the mean squared error on new data for N = 1..TOTAL, NaN where it is infinite (theorem thm-bias-descent)."""
    seen = np.cumsum(TRUTH**2)
    unseen = noise**2 + 1.0 - seen
    with np.errstate(divide="ignore", invalid="ignore"):
        few = unseen * (1.0 + COUNTS / (DATA - COUNTS - 1.0))
        many = seen * (1.0 - DATA / COUNTS) + unseen * (1.0 + DATA / (COUNTS - DATA - 1.0))
    return np.where(COUNTS <= DATA - 2, few, np.where(COUNTS >= DATA + 2, many, np.nan))


class DoubleDescentDemo(Demo):
    """The error of the shortest solution against the number of features, and the coefficients it fits."""

    title = "Double descent"
    question = Sketch(
        text="There are 20 data points, with a little noise. Sketch the error on new data against the number of features, from 2 "
        "to all 80.",
        curve="one", at=(2.0, 10.0, 16.0, 20.0, 26.0, 40.0, 60.0, 80.0), hide=("mean", "error_here", "fitted"),
        because="With N = 20 = M the model has to follow every bit of the noise, and the error has a peak. Beyond it the error "
        "falls again: the shortest interpolant spreads the noise over many features, where it does little harm. By the formula, "
        "5 features and all 80 have nearly the same error, at every size of the noise that the slider offers.",
    )
    controls = (
        Choice(
            name="count", symbol="N", label="features", default=40,
            options={5: "5", 15: "15", 20: "20 = M", 25: "25", 40: "40", 80: "80"},
        ),
        Control(name="noise", symbol="δ", label="size of the noise", minimum=0.1, maximum=1.0, default=0.3),
    )  # fmt: skip
    panels = (
        Panel(
            title="The error on new data", x=COUNTS, x_label="number of features N", y_label="mean squared error",
            y_limits=(-0.5, 2.0), y_log=True, marks=(20.0,),
            curves=(
                Curve(key="one", label="this sample", color="grey", dash="dotted", width=1.75),
                Curve(key="mean", label="mean", color="blue", width=2.5),
            ),
            scatter=(Scatter(x="count_here", y="error_here", label="N = {count:.0f}", color="orange", marker="diamond"),),
        ),
        Panel(
            title="The coefficients", x=COUNTS, x_label="feature k", y_label="coefficient", y_limits=(-0.5, 0.75),
            y_steps=((-1.5, 1.5), (-3.0, 3.5), (-4.0, 6.0)),
            curves=(
                Curve(key="fitted", label="fitted", color="orange", width=1.75),
                Curve(key="truth", label="true", color="grey", dash="dashed", width=2.5),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "At the peak": {"count": 20},
        "All features": {"count": 80},
        "Much noise": {"count": 80, "noise": 1.0},
    }
    summary = (
        "With N = {count:.0f} features, M = 20 data points and noise δ = {noise:.2f}, the squared error of this sample on new "
        "data is {error:.3g}; predicting zero would give {zero:.2f}."
    )
    engine = Table(nodes={"noise": 25})

    def compute(self, *, count: int, noise: float) -> dict[str, Any]:
        """Return the expected and the measured error for every N, and the coefficients for one."""
        clean, noisy = one_sample()
        fitted = clean + noise * noisy
        errors = np.sum((fitted - TRUTH) ** 2, axis=1) + noise**2
        k = int(count) - 1
        return {
            "one": np.log10(errors), "mean": np.log10(expected_error(noise)), "count_here": float(count),
            "error_here": float(np.log10(errors[k])), "fitted": fitted[k], "truth": TRUTH, "error": float(errors[k]),
            "zero": 1.0 + noise**2,
        }  # fmt: skip
