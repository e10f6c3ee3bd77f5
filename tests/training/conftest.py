"""A network for tests of training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import ibtext as ib


def _clear_network(n: int, x: np.ndarray, activation: str, gap: float = 0.03) -> ib.ShallowNetwork:
    """A network whose breakpoints keep away from the data, where the flow is a smooth differential equation."""
    rng = np.random.default_rng(1)
    units: list[tuple[float, float]] = []
    while len(units) < n:
        w, b = rng.choice([-1.0, 1.0]), rng.uniform(-1, 1)
        if np.min(np.abs(w * x - b)) > gap:
            units.append((w, b))
    weight, bias = np.array(units).T
    return ib.ShallowNetwork(weight, bias, np.zeros(n), 0.0, activation)


@pytest.fixture
def clear_network() -> Callable[..., ib.ShallowNetwork]:
    return _clear_network
