"""Types of the arrays that go between modules: float64 numbers, and places."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
