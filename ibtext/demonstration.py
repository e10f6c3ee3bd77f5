"""The data that the book comes back to, for demos, tests, benchmarks and training runs; its pages write them out."""

import numpy as np

#: Five points that go up and down, of most chapters.
X = 0.8 * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
Y = np.array([0.5, -0.3, 0.4, -0.2, 0.6])

#: Five points between two heights, of the chapter on the curvature penalty.
ZIGZAG_X = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
ZIGZAG_Y = np.array([1.5, 0.5, 1.5, 0.5, 1.5])

for _shared in (X, Y, ZIGZAG_X, ZIGZAG_Y):
    _shared.flags.writeable = False
