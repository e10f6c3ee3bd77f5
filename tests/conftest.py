"""Data and networks that several tests share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import ibtext as ib

X = 0.8 * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
Y = np.array([0.5, -0.3, 0.4, -0.2, 0.6])


@pytest.fixture
def x() -> np.ndarray:
    return X.copy()


@pytest.fixture
def y() -> np.ndarray:
    return Y.copy()


@pytest.fixture
def init() -> ib.Initialization:
    return ib.Initialization(weight="signs", bias=stats.uniform(-1, 2))
