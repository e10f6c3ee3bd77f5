"""Chapter 11: how far training has come at time t, and what the kernel does meanwhile."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from ...demonstration import X, Y
from ...potentials import PowerPotential, QuadraticPotential, Scaled
from ...wide import WidePath, wide_flow
from ..kit import Control, Curve, Demo, Panel, Question, Table
from .curvature_penalty import start

#: Base-10 logarithms of the times at which the kernel's eigenvalues are drawn.
LOG_TIMES = np.linspace(-1.0, 4.0, 51)
#: Integration error far below the 0.5 % that the table may lose; the default tolerance would take several times as long.
RTOL = 1e-5
#: The times at which the slider stops.
SLIDER_TIMES = tuple(np.geomspace(0.1, 1e4, 201).tolist())


class FlowDemo(Demo):
    """The exact training path at infinite width under |x|^p + x^2, beside that of x^2, with the kernels' eigenvalues."""

    title = "Training time and the kernel"
    question = Question(
        text="One network is trained with the potential x², the other with |x|³ + x². Both start with the same kernel H(0). What "
        "does training do to it?",
        choices=(
            "Nothing: both train lazily, so both kernels stay",
            "That of x² stays, that of |x|³ + x² sinks",
            "Both sink as the data are fitted",
        ),
        answer=1,
        hide=("value", "quadratic_value", "quadratic_eigenvalue", "largest", "smallest"),
        because="Both networks are lazy: each parameter moves by an amount of order 1/n. But the scaled potential sees n "
        "times that movement, its second derivative grows, and the kernel H(t) shrinks. For x² the second derivative is "
        "constant.",
    )
    controls = (
        Control(
            name="t", symbol="t", label="training time", minimum=0.1, maximum=1e4, default=100.0, log=True, steps=200, plays=True
        ),
        Control(name="p", symbol="q", label="exponent of the potential", minimum=2.5, maximum=5.0, default=3.0, steps=100),
    )
    panels = (
        Panel(
            title="The function at time t", x=np.linspace(-1.0, 1.0, 201), x_label="input x", y_label="output hₜ(x)",
            y_limits=(-0.5, 1.1), marks=X, data=(X, Y),
            curves=(
                Curve(key="quadratic_value", label="x²", color="grey", dash="dashed", width=1.75),
                Curve(key="value", label="q = {p:.2f}", color="blue", width=2.5),
            ),
        ),
        Panel(
            title="The kernel on the way", x=LOG_TIMES, x_label="training time t",
            y_label="eigenvalues of H(t), relative to the start", y_limits=(-2.75, 0.5), x_log=True, y_log=True, cursor="t",
            curves=(
                Curve(key="quadratic_eigenvalue", label="x²: all stay", color="grey", dash="dashed", width=1.75),
                Curve(key="largest", label="largest", color="blue", dash="dotted", width=2.5),
                Curve(key="smallest", label="smallest", color="blue", width=2.5),
            ),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Early": {"t": 1.0},
        "Late": {"t": 1e4},
        "Late, fourth power": {"t": 1e4, "p": 4.0},
    }
    summary = (
        "At time t = {t:.4g} with q = {p:.2f}, the function misses the data by {miss:.3f} on root mean square (x²: "
        "{quadratic_miss:.3f}); the smallest eigenvalue of its kernel is {smallest_here:.2g} times what it was "
        "at the start (x²: unchanged)."
    )
    engine = Table(nodes={"t": 33, "p": 9}, repeat={"p": 20})

    def compute(self, *, t: float, p: float) -> dict[str, Any]:
        """Return both functions at time t and the extreme eigenvalues of the kernel over all times."""
        near = min(SLIDER_TIMES, key=lambda v: abs(v / t - 1))
        # the browser sends the slider's times with twelve digits
        return self.compute_many([{"t": near if abs(near / t - 1) < 1e-9 else t, "p": p}])[0]

    def compute_many(self, settings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return results for several settings; those that share an exponent share one integration."""
        x = np.asarray(self.panels[0].x)
        times = sorted({float(s["t"]) for s in settings})
        _, still, still_residual = _path(2.0, times, x)
        out: dict[tuple[float, float], dict[str, Any]] = {}
        for p in sorted({float(s["p"]) for s in settings}):
            mine = sorted({float(s["t"]) for s in settings if s["p"] == p})
            spectrum, values, residuals = _path(p, mine, x)
            curve = np.log10(spectrum)
            for k, t in enumerate(mine):
                j = times.index(t)
                out[t, p] = {
                    "value": values[k], "quadratic_value": still[j], "smallest": curve[:, 0], "largest": curve[:, 1],
                    "quadratic_eigenvalue": np.zeros_like(LOG_TIMES), "miss": _rms(residuals[k]),
                    "quadratic_miss": _rms(still_residual[j]),
                }  # fmt: skip
        return [out[float(s["t"]), float(s["p"])] for s in settings]


def _path(p: float, times: Sequence[float], x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what a path shows: the kernel's extreme eigenvalues at ``10**LOG_TIMES``, h_t(x) and the residuals.

    Eigenvalues are relative to the start, shape (51, 2); functions and residuals are those at ``times``.  The kernel has
    spikes in t, where an interval of breakpoints passes through alpha = 0 together, so a table over t would miss them;
    at fixed times it depends smoothly enough on p.
    """
    wanted = tuple(map(float, times))
    path = _integrated(p, SLIDER_TIMES if set(wanted) <= set(SLIDER_TIMES) else wanted)
    eigenvalues = np.linalg.eigvalsh(path.kernels)
    extremes = eigenvalues[:, [0, -1]] / eigenvalues[0, [0, -1]]
    at = {float(t): k for k, t in enumerate(path.times)}
    rows, drawn = [at[t] for t in wanted], [at[float(t)] for t in 10.0**LOG_TIMES]
    return extremes[drawn], path[rows](x), path.residuals[rows]


@lru_cache(maxsize=32)  # a reader who moves t alone waits for one integration
def _integrated(p: float, times: tuple[float, ...]) -> WidePath:
    phi = QuadraticPotential() if p == 2 else PowerPotential(p=p, omega=1.0)
    every = np.unique(np.concatenate([[0.0], 10.0**LOG_TIMES, times]))
    return wide_flow(
        X, Y, every, activation="abs", potential=Scaled(phi), rtol=RTOL,
        initialization=start("uniform", 1.0),
    )  # fmt: skip


def _rms(v: np.ndarray) -> float:
    return float(np.sqrt(np.mean(v**2)))
