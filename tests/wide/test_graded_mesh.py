"""The graded mesh against its definition: parts tile their pieces and grow by one factor away from a small end."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib
from ibtext.wide.graded_mesh import RATIO, graded_fractions, straight_below

FLOOR = 1e-6
ENDS = np.array([[1.0, 2.0, 0.0, 1e-3, 5.0], [2.0, 1.0, 1.0, 10.0, 0.0]])


@pytest.mark.parametrize("degree", [1, 3])
def test_parts_tile_their_pieces(degree):
    piece, begin, end = graded_fractions(ENDS, FLOOR, degree)
    for number in range(ENDS.shape[1]):
        order = np.argsort(begin[piece == number])
        left, right = begin[piece == number][order], end[piece == number][order]
        assert left[0] == 0 and right[-1] == 1
        np.testing.assert_allclose(left[1:], right[:-1], atol=1e-15)
        assert np.all(right > left)


def test_a_linear_profile_rises_by_one_factor_a_part():
    piece, begin, end = graded_fractions(ENDS, FLOOR, 1)
    low, high = ENDS[0][piece], ENDS[1][piece]
    values = np.sort(np.stack([low + (high - low) * begin, low + (high - low) * end]), axis=0)
    assert np.all(values[1] <= RATIO * np.maximum(values[0], FLOOR) * (1 + 1e-9))  # reversed pieces lose digits
    assert piece.size < 40  # and no more parts than that takes


def test_parts_of_a_flat_profile_grow_in_length():
    _, begin, end = graded_fractions(ENDS[:, 2:3], FLOOR, 2)
    lengths = np.sort(end - begin)
    np.testing.assert_allclose(lengths[2:] / lengths[1:-1], RATIO, rtol=1e-9)


@pytest.mark.parametrize("phi", [ib.PowerPotential(3), ib.CoshPotential(), ib.PowerPotential(4, 0.1)], ids=repr)
def test_below_the_floor_the_inverse_gradient_is_straight(phi):
    z = straight_below(phi)
    assert float(phi.inverse_gradient(z)) == pytest.approx(z / float(phi.hessian(0.0)), rel=1e-2)
    assert abs(float(phi.hessian(phi.inverse_gradient(1000 * z))) / float(phi.hessian(0.0)) - 1) > 1e-2
