"""Chapter 7: the error of a finite width, with its predicted band."""

from functools import cache
from typing import Any, ClassVar

import numpy as np

from ...demonstration import ZIGZAG_X as X
from ...demonstration import ZIGZAG_Y as Y
from ...training import ShallowNetwork, training_limit
from ...wide import wide_limit
from ..kit import Band, Choice, Curve, Demo, Panel, Path, Question, Table
from .curvature_penalty import T, start

WIDTHS = (10, 30, 100, 300, 1000, 10_000)
LINES = {"plain": 0.0, "tilted": 10.0}


@cache
def deviation(kind: str) -> np.ndarray:
    """Return the root of v(x), the limit of n times the variance of the network at x: means over an even grid."""
    y = Y + LINES[kind] * (1 + X)
    c = np.tile((np.arange(4000) + 0.5) / 1000 - 2, 2)
    w = np.repeat([-1.0, 1.0], 4000)
    s, at = (np.maximum(np.outer(v, w) - w * c, 0) for v in (X, T))
    kernel = s @ s.T / c.size
    e = at - (at @ s.T / c.size) @ np.linalg.solve(kernel, s)
    return np.asarray(np.sqrt(np.mean((np.linalg.solve(kernel, y) @ s) ** 2 * e**2, axis=1)))


@cache
def trained(n: int, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the trained output layers of four draws, shape (4, points), and their limit."""
    y, law = Y + LINES[kind] * (1 + X), start("uniform", 2.0)
    nets = [ShallowNetwork.sample(width=n, initialization=law, rng=10 + seed) for seed in range(4)]
    networks = np.array([training_limit(net, X, y, layers="output")(T) for net in nets])
    return networks, wide_limit(X, y, initialization=law)(T)


class WidthDemo(Demo):
    """A sampled network of width 10 to 10 000 against the limit, its error multiplied by the root of the width."""

    title = "How wide is infinitely wide?"
    question = Question(
        text="The distance between the network and its limit is multiplied by √n. At a width of 10 000, will this scaled error "
        "be smaller than at 100?",
        choices=("Yes, by a factor of about 10", "No: about as large", "No: larger"),
        answer=1,
        hide=("network", "scaled", "draws_x", "high"),
        because="The network averages over its neurons, and averages of n independent terms err by 1/√n. So the error times √n, "
        "drawn on the right, mostly stays within the same band. A single draw can leave it, above all at small widths.",
    )
    controls = (
        Choice(name="n", symbol="n", label="width", options={n: f"{n:,}".replace(",", " ") for n in WIDTHS}, default=30),
        Choice(name="seed", symbol="", label="draw", options={k: str(k + 1) for k in range(4)}, default=0),
        Choice(name="kind", symbol="", label="labels", options={"plain": "y", "tilted": "y + 10x + 10"}, default="plain"),
    )
    panels = (
        Panel(
            title="The function (without 10x + 10)", x=T, x_label="input x", y_label="output", y_limits=(0.0, 2.0),
            y_steps=((-1.1, 2.1),), marks=X,
            data=(X, Y),
            curves=(
                Curve(key="limit", label="limit", color="ink", dash="dashed", width=1.5),
                Curve(key="network", label="n = {n}", color="green", width=2.5),
            ),
        ),
        Panel(
            title="The error times √n", x=T, x_label="input x", y_label="√n (network − limit)", y_limits=(-2.0, 2.0),
            y_steps=((-4.0, 4.0), (-6.25, 6.25)), marks=X,
            bands=(Band(lower="low", upper="high", label="±2 deviations", color="grey"),),
            paths=(Path(x="draws_x", y="draws_y", color="orange", width=1.0),),
            curves=(Curve(key="scaled", label="n = {n}", color="green", width=2.25),),
        ),
    )  # fmt: skip
    presets: ClassVar = {
        "Narrow": {"n": 10},
        "Wide": {"n": 10_000},
        "Wide, labels tilted": {"n": 10_000, "kind": "tilted"},
        "Another draw": {"n": 1000, "seed": 3},
    }
    summary = (
        "With n = {n} neurons the largest distance to the limit is {sup:.3f}; times √n it is {product:.2f} (all four draws: "
        "{least:.2f} to {most:.2f}), and {inside:.0%} of the curve lies within two predicted deviations."
    )
    engine = Table()

    def compute(self, *, n: int, seed: int, kind: str) -> dict[str, Any]:
        """Return the trained output layer of a sampled network, the limit, the scaled error and its predicted band."""
        networks, limit = trained(n, kind)
        network, band = networks[seed], 2 * deviation(kind)
        every = np.sqrt(n) * (networks - limit)
        scaled, sizes = every[seed], np.max(np.abs(every), axis=1)
        gap = np.full((len(every), 1), np.nan)
        return {
            "network": network - LINES[kind] * (1 + T), "limit": limit - LINES[kind] * (1 + T), "scaled": scaled,
            "draws_x": np.hstack([np.tile(T[::2], (len(every), 1)), gap]).ravel()[:-1],
            "draws_y": np.hstack([every[:, ::2], gap]).ravel()[:-1], "least": float(sizes.min()), "most": float(sizes.max()),
            "low": -band, "high": band, "sup": float(np.max(np.abs(network - limit))),
            "product": float(np.max(np.abs(scaled))), "inside": float(np.mean(np.abs(scaled) <= band + 1e-9)),
        }  # fmt: skip
