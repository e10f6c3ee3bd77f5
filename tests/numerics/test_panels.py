"""Adaptive panels, against closed integrals and the function itself between its nodes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ibtext import ConvergenceError
from ibtext.numerics.panels import legendre_transform, refine

FUNCTIONS = {  # the function, its integral over [-1, 2], where it is rough
    "exponential": (np.exp, math.exp(2) - math.exp(-1), None),
    "peak": (lambda t: 1e-3 / (1e-6 + (t - 0.1) ** 2), math.atan(1900) + math.atan(1100), None),
    "kink": (lambda t: np.abs(t - 1 / 7), ((8 / 7) ** 2 + (13 / 7) ** 2) / 2, 1 / 7),
    "jump": (lambda t: np.where(t > 1 / 7, 5.0, 1.0), 8 / 7 + 5 * 13 / 7, 1 / 7),
    "root": (lambda t: np.sqrt(np.abs(t)), 2 / 3 * (1 + 2**1.5), 0.0),
}


@pytest.mark.parametrize("order", [8, 16])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_integral_and_interpolant(name, order):
    function, integral, rough = FUNCTIONS[name]
    panels = refine(function, np.linspace(-1, 2, 4), order=order)
    assert panels.masses.sum() == pytest.approx(integral, rel=1e-13)
    right = panels.left + panels.width
    np.testing.assert_allclose(right[:-1], panels.left[1:], rtol=0, atol=1e-15)
    assert panels.left[0] == -1
    assert right[-1] == 2
    series = panels.values @ legendre_transform(order)
    v = np.linspace(-1, 1, 7)
    t = panels.left[:, None] + panels.width[:, None] * (1 + v) / 2
    found = np.polynomial.legendre.legval(v, series.T)
    # errors count by the width of their panel
    assert np.max(np.abs(found - function(t)) * panels.width[:, None]) < 1e-12 * integral
    assert panels.rough.sum() <= 1
    assert rough is None or np.min(np.abs(panels.left - rough)) < 1e-6


def test_a_named_edge_costs_nothing():
    function = FUNCTIONS["jump"][0]
    assert refine(function, np.array([-1, 1 / 7, 2])).left.size == 2 < refine(function, np.array([-1.0, 2.0])).left.size


def test_groups_have_their_own_yardstick():
    """A small group beside a large one: accurate to its own size, and the group is inherited."""

    def function(t):
        return np.where(t < 1, 1e8, 1e-8 * np.abs(t - 1.3))

    panels = refine(function, np.array([0.0, 1.0, 2.0]), group=np.array([0, 1]))
    assert set(panels.group[panels.left >= 1]) == {1}
    small = panels.masses[panels.group == 1].sum()
    assert small == pytest.approx(1e-8 * (0.3**2 + 0.7**2) / 2, rel=1e-13)


def test_a_jump_between_two_neighbouring_doubles_is_rough_and_small():
    panels = refine(FUNCTIONS["jump"][0], np.array([1 / 7 - 1e-9, 1 / 7 + 1.7e-9]))
    assert panels.rough.sum() == 1
    assert panels.masses.sum() == pytest.approx(9.5e-9, rel=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        lambda t: np.random.default_rng(0).uniform(1, 2, t.shape),
        lambda t: np.sin(1e7 * t),
        lambda t: np.abs(t) ** -0.5,
        lambda t: np.where(t > 0.3, np.nan, 1.0),
        lambda t: np.where(t > 0.3, np.inf, 1.0),
    ],
    ids=["noise", "waves", "pole", "nan", "infinite"],
)
def test_what_is_not_smooth_is_refused(function):
    with pytest.raises(ConvergenceError, match=r"f must be smooth to 14 digits .*; take another"), np.errstate(divide="ignore"):
        refine(function, np.linspace(-1, 1, 4), name="f", remedy="take another")


def test_a_peak_between_the_nodes_is_found_if_there_are_probes():
    peak = lambda t: 1 + 1e3 * np.exp(-(((t - 0.4123) / 3e-4) ** 2))  # noqa: E731
    exact = 1 + 1e3 * 3e-4 * math.sqrt(math.pi)
    assert refine(peak, np.linspace(0, 1, 3)).masses.sum() == pytest.approx(exact, rel=1e-13)
    assert refine(peak, np.linspace(0, 1, 3), probes=0).masses.sum() == pytest.approx(1, rel=1e-13)
