"""Data and networks that several tests share."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import ibtext as ib
from ibtext.demonstration import X, Y


@pytest.fixture
def x() -> np.ndarray:
    return X.copy()


@pytest.fixture
def y() -> np.ndarray:
    return Y.copy()


@pytest.fixture
def init() -> ib.Initialization:
    return ib.Initialization(weight="signs", bias=stats.uniform(-1, 2))
