"""Chapter 6: from lazy to rich training, and the modes of a linear flow."""

from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import numpy as np

from ...demonstration import X, Y
from ..kit import Choice, Control, Curve, Demo, Labels, Panel, Path, Question, Scatter, Table

T = np.linspace(-1.0, 1.0, 201)
SCALES: dict[str | int | float, str] = {0.015625: "1/64", 0.0625: "1/16", 0.25: "1/4", 1.0: "1", 4.0: "4", 16.0: "16"}
WIDTHS = (64, 256, 1024)
#: Base-10 logarithms of the times at which the modes are drawn.
LOG_TIMES = np.linspace(-1.0, 4.0, 61)
#: A breakpoint further out is drawn at the edge.
EDGE = 1.5


@cache
def training_runs() -> dict[tuple[int, float, str], np.ndarray]:
    """Return what ``scripts/training/kernel_laziness.py`` stored of its runs of seed 0, by width, scale and quantity."""
    text = files("ibtext.demos").joinpath("data", "kernel_regime.csv").read_text(encoding="utf-8")
    rows = [line.split(",") for line in text.splitlines() if line[:1].isdigit()]
    return {(int(n), float(a), name): np.array(values.split(), dtype=float) for n, a, name, values in rows}


class LazyRichDemo(Demo):
    """Trained networks of three widths and six scales: the function, the breakpoints, the change of the kernel."""

    title = "From lazy to rich"
    question = Question(
        text="The start of a network of 256 units is made smaller and smaller, and each is trained to the end. What changes?",
        choices=(
            "Nothing: it ends at the kernel prediction",
            "It fits the data by another function, with other breakpoints",
            "It fits the data by another function, with the same breakpoints",
            "It cannot fit the data any more",
        ),
        answer=1,
        hide=("trained", "after", "change_64", "change_256", "change_1024", "change_here"),
        because="A small network has to grow in order to reach the labels. On the way its layers come to balance, its "
        "breakpoints move to where they are useful, and the kernel it ends with has little to do with the one at the start.",
    )
    controls = (
        Choice(name="n", symbol="n", label="width", options={n: str(n) for n in WIDTHS}, default=256),
        Choice(name="alpha", symbol="α", label="scale of the output", options=SCALES, default=0.015625),
    )
    panels = (
        Panel(
            title="The function after training", x=T, x_label="input x", y_label="output f(x)", y_limits=(-0.5, 1.1),
            marks=X, data=(X, Y),
            curves=(
                Curve(key="lazy", label="kernel prediction", color="grey", dash="dashed", width=1.75),
                Curve(key="trained", label="trained", color="green", width=2.5),
            ),
        ),
        Panel(
            title="Where 32 of its units break (beyond ±1.5: at the edge)", x=(-1.05, 1.05), x_label="breakpoint at the start",
            y_label="breakpoint at the end", y_limits=(-EDGE, EDGE),
            curves=(Curve(key="diagonal", label="not moved", color="grey", dash="dashed", width=1.25),),
            scatter=(Scatter(x="before", y="after", color="green", marker="circle"),),
        ),
        Panel(
            title="Change of the kernel, one draw each", x=(-1.0, 2.8), x_label="α√n", x_log=True, y_log=True,
            y_label="relative change", y_limits=(-3.0, 1.0),
            paths=(
                Path(x="knob_64", y="change_64", label="n = 64", color="blue", dash="dotted"),
                Path(x="knob_256", y="change_256", label="n = 256", color="purple", dash="dashed"),
                Path(x="knob_1024", y="change_1024", label="n = 1024", color="orange"),
            ),
            scatter=(Scatter(x="here", y="change_here", color="green", marker="diamond"),),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Lazy": {"n": 1024, "alpha": 16.0},
        "Between": {"n": 256, "alpha": 1.0},
        "Rich": {"n": 256, "alpha": 0.015625},
        "Wide but small": {"n": 1024, "alpha": 0.015625},
    }
    summary = (
        "With n = {n} units and scale α = {alpha}, so α√n = {knob:.3g}, training changes the kernel by {percent:.3g} % and half "
        "of all breakpoints by at least {median:.3g}; the function differs from the kernel prediction by up to {gap:.2f}."
    )
    engine = Table()

    def compute(self, *, n: int, alpha: float) -> dict[str, Any]:
        """Return the stored run of this width and scale."""
        runs = training_runs()
        trained, lazy, before, after = (runs[n, alpha, name] for name in ("trained", "lazy", "before", "after"))
        change = {m: np.array([runs[m, float(a), "kernel_change"][0] for a in SCALES]) for m in WIDTHS}
        here = float(runs[n, alpha, "kernel_change"][0])
        return {
            "trained": trained, "lazy": lazy, "before": before, "after": np.clip(after, -EDGE, EDGE),
            "diagonal": np.array([-1.05, 1.05]), **{f"change_{m}": np.log10(v) for m, v in change.items()},
            **{f"knob_{m}": np.log10([float(a) * m**0.5 for a in SCALES]) for m in WIDTHS},
            "here": float(np.log10(alpha * n**0.5)), "change_here": float(np.log10(here)), "percent": 100 * here,
            "median": float(runs[n, alpha, "median_move"][0]), "gap": float(np.max(np.abs(trained - lazy))),
            "knob": alpha * n**0.5,
        }  # fmt: skip


def kernel(s: np.ndarray, a: float, layers: str) -> np.ndarray:
    """Return the limit kernel of relu on s x X, for signs and biases uniform on (-a, a); closed form of the chapter.

    A test compares it with ``ib.limit_kernel``, which needs an integral and would be felt when a slider moves.
    """
    product, distance = np.multiply.outer(s, X), np.abs(np.subtract.outer(s, X))
    output = product / 2 + a**2 / 6 + distance**3 / (24 * a)
    # with both layers: the first layer's part in the NTK parametrisation, output weights of variance one
    return np.asarray(output + (layers == "both") * (1 + product) * (0.5 - distance / (4 * a)))


class ModesDemo(Demo):
    """The flow of a wide network at time t, mode by mode, for two kernels and labels that the reader drags."""

    title = "Learning, mode by mode"
    question = Question(
        text="Two sets of labels: all five equal, or alternating up and down. Which one takes training longer to fit?",
        choices=("The equal labels", "The alternating labels", "Both the same: it is linear"),
        answer=1,
        hide=("value", *(f"mode{k}" for k in range(1, 6))),
        because="Alternating labels lie along eigenvectors of the kernel with small eigenvalues, and each mode decays at the "
        "rate of its eigenvalue. The equal labels are mostly the mode of a large eigenvalue.",
    )
    controls = (
        Control(
            name="t", symbol="t", label="training time", minimum=0.1, maximum=1e4, default=20.0, log=True, steps=200, plays=True
        ),
        Control(name="a", symbol="R", label="biases in [−R, R]", minimum=1.0, maximum=2.0, default=1.0, steps=100),
        Choice(
            name="layers", symbol="", label="what is trained", default="output",
            options={"output": "the output layer", "both": "both layers"},
        ),
        Labels(name="labels", symbol="y", label="label", x=X, default=Y, minimum=-0.6, maximum=0.6),
    )  # fmt: skip
    panels = (
        Panel(
            title="The function at time t", x=T[::2], x_label="input x", y_label="output hₜ(x)", y_limits=(-0.75, 1.25),
            y_steps=((-1.75, 1.75),),
            points="labels", marks=X,
            curves=(
                Curve(key="limit", label="t → ∞", color="grey", dash="dashed", width=1.75),
                Curve(key="value", label="t = {t:.3g}", color="blue", width=2.5),
            ),
        ),
        Panel(
            title="What is left of each mode (μ₁: the smallest eigenvalue)", x=LOG_TIMES, x_label="training time t",
            x_log=True, cursor="t", y_label="share still to learn", y_limits=(0.0, 1.05),
            curves=tuple(
                Curve(key=f"mode{k}", label="μ₁ μ₂ μ₃ μ₄ μ₅".split()[5 - k], color=color, dash=dash, width=2)
                for k, (color, dash) in enumerate(
                    (("blue", "solid"), ("orange", "dashed"), ("green", "dashdot"), ("purple", "dotted"), ("ink", "solid")), 1
                )
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Equal labels": {"labels": [0.5, 0.5, 0.5, 0.5, 0.5]},
        "Alternating labels": {"labels": [0.5, -0.5, 0.5, -0.5, 0.5]},
        "Late": {"t": 1e4},
        "Late, both layers": {"t": 1e4, "layers": "both"},
    }
    summary = (
        "After a time t = {t:.3g} of training {layers}, with biases in [−{a:.2f}, {a:.2f}], the fastest of the five modes is "
        "learned to {fast:.1%} and the slowest to {slow:.1%}; their eigenvalues are μ₅ = {largest:.2f} and μ₁ = {smallest:.2g}."
    )
    engine = Table(nodes={"t": 27, "a": 5}, linear="labels")

    def compute(self, *, t: float, a: float, layers: str, labels: list[float]) -> dict[str, Any]:
        """Return h_t and its limit, the decay of the five modes, largest eigenvalue first, and how far two of them are."""
        columns, (mu, v) = kernel(T[::2], a, layers), np.linalg.eigh(kernel(X, a, layers))
        share = (1 - np.exp(-mu * t)) / mu
        modes = {f"mode{k}": np.exp(-m * 10.0**LOG_TIMES) for k, m in enumerate(mu[::-1], 1)}
        y = v.T @ np.asarray(labels)
        return {
            "value": columns @ (v @ (share * y)), "limit": columns @ (v @ (y / mu)), **modes,
            "fast": float(-np.expm1(-mu[-1] * t)), "slow": float(-np.expm1(-mu[0] * t)),
            "largest": float(mu[-1]), "smallest": float(mu[0]),
        }  # fmt: skip
