"""Refusals say what was received and what to do about that, not about something else."""

from __future__ import annotations

import decimal

import numpy as np
import pytest
from scipy import sparse

from ibtext import errors

DATES = np.array(["2026-01-01", "2026-01-02"], "datetime64[D]")
REFUSED = {
    "dates": (DATES, "convert the dates"),
    "durations": (np.diff(DATES), "convert the durations"),
    "decimals": ([decimal.Decimal("0.1"), decimal.Decimal("0.2")], "convert its entries to floats"),
    "mixed column": (np.array([1.0, None]), "convert its entries to floats"),
    "sparse": (sparse.eye_array(2), r"x\.toarray\(\)"),
    "ragged": ([[1.0], [1.0, 2.0]], "one length"),
    "text": (["1.0"], "convert the text"),
    "complex": ([1j], "real part"),
    "masked": (np.ma.array([1.0, 2.0], mask=[0, 1]), "leave them out, here and in the arrays that belong to x"),
    "a number too large for a double": ([10**400], "convert its entries to floats"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_remedy_is_that_of_what_was_received(case):
    value, remedy = REFUSED[case]
    with pytest.raises(ValueError, match=rf"^x must be an array .*, but .*; .*{remedy}"):
        errors.real_array("x", value)


@pytest.mark.parametrize(
    ("x", "y", "remedy"),
    [
        (np.zeros((10, 2)), np.zeros(10), "choose one column"),
        (np.zeros((10, 1)), np.zeros((10, 1)), r"pass x\.ravel\(\)"),
        (np.arange(3), np.arange(2), "one label for every input"),
        (0.0, 1.0, "pass lists"),
    ],
)
def test_shapes_that_do_not_fit(x, y, remedy):
    with pytest.raises(ValueError, match=remedy):
        errors.check_data(x, y)
