"""Random problems that the tests of linear models share."""

from __future__ import annotations

import numpy as np

DUAL = {1: np.inf, 2: 2, np.inf: 1}


def problem(seed=0, m=6, k=20, positive=True):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, k))
    w = rng.uniform(0.2, 2, k)
    return A, A @ (w if positive else rng.standard_normal(k)), rng.uniform(0.3, 1.5, k)


def separable(seed, m, k):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, k))
    return A, np.sign(A @ rng.standard_normal(k))
