"""The problem that all measurements share: the demonstration set of the chapter on scaled potentials."""

from __future__ import annotations

import numpy as np
from scipy import stats

import ibtext as ib

INIT = ib.Initialization(weight="signs", bias=stats.uniform(-1, 2))
POTENTIALS = {
    "x^2": ib.QuadraticPotential(),
    "\\|x\\|^3 + x^2": ib.PowerPotential(p=3, omega=1.0),
    "x^4 + x^2": ib.PowerPotential(p=4, omega=1.0),
    "cosh": ib.CoshPotential(),
}
OPTIONS = {"activation": "abs", "initialization": INIT}


def many_points(m: int) -> tuple[np.ndarray, np.ndarray]:
    """M jittered points in (-0.9, 0.9) with smooth labels."""
    rng = np.random.default_rng(0)
    x = np.linspace(-0.9, 0.9, m) + rng.uniform(-0.3, 0.3, m) * 1.8 / m
    return x, 0.5 * np.sin(5 * x) + 0.2 * x


def network(width: int, seed: int = 0) -> ib.ShallowNetwork:
    """A network of absolute values at its start."""
    return ib.ShallowNetwork.sample(width=width, rng=seed, **OPTIONS)
