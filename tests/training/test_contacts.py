"""Breakpoints that meet data points: who sticks, with which derivative, and who leaves on which side."""

from __future__ import annotations

import numpy as np
import pytest

from ibtext.training.activation_pattern import ActivationPattern
from ibtext.training.contacts import Contacts

X = np.array([-0.6, 0.1, 0.8])
THETA = np.array([[1.0, -2.0, 1.5], [0.15, 0.9, -0.2], [0.7, 0.4, -1.1]])  # breakpoints .15, -.45, -.133
D = np.array([[1.0, 0.5, 2.0], [0.3, 1.0, 0.8]])


def before_and_after() -> tuple[Contacts, np.ndarray, np.ndarray]:
    """The first neuron's breakpoint moves over the data point 0.1, to 0.05."""
    pattern = ActivationPattern(X, 0.0, 1.0, THETA[0], THETA[1])
    theta = THETA.copy()
    theta[1, 0] = 0.05
    return Contacts(pattern), theta, pattern.crossed(theta[0], theta[1])


def velocity(r: np.ndarray, slope: float) -> float:
    """d/dt (w x - b) of the first neuron at the point 0.1, if its derivative there is ``slope``."""
    s = np.array([0.0, slope, 1.0])
    return float(THETA[2, 0] * (D[0, 0] * X[1] * (r * s) @ X + D[1, 0] * r @ s))


def test_a_breakpoint_goes_on_where_the_flow_pushes_it_over():
    r = np.array([0.0, 1.0, 1.0])
    assert velocity(r, 0.0) > 0 and velocity(r, 1.0) > 0
    contacts, theta, crossed = before_and_after()
    assert crossed.tolist() == [True, False, False]
    assert not contacts.update(theta, D, r, crossed) and len(contacts) == 0
    np.testing.assert_array_equal(contacts.pattern.number, contacts.pattern.of(theta[0], theta[1]))


def test_a_breakpoint_sticks_where_the_flow_pushes_from_both_sides_and_leaves_when_it_no_longer_does():
    r = np.array([0.0, -3.0, 1.0])
    assert velocity(r, 0.0) > 0 > velocity(r, 1.0)
    contacts, theta, crossed = before_and_after()
    assert contacts.update(theta, D, r, crossed)
    assert contacts.neurons.tolist() == [0] and contacts.points.tolist() == [1]
    assert theta[1, 0] == theta[0, 0] * X[1]  # exactly on the point
    # the one derivative that keeps it there
    s = velocity(r, 0.0) / (velocity(r, 0.0) - velocity(r, 1.0))
    assert velocity(r, s) == pytest.approx(0, abs=1e-15)
    rows_w, rows_b = contacts.rows(theta[2, :1], D[:, :1])
    full = theta[2, 0] * np.array([0.0, s, 1.0])
    assert r @ rows_w[:, 0] == pytest.approx(r @ (full * X), abs=1e-14)
    assert r @ rows_b[:, 0] == pytest.approx(-r @ full, abs=1e-14)
    # the rows hold whatever r is: motions along them keep w x_1 = b
    np.testing.assert_allclose(D[0, 0] * rows_w * X[1], D[1, 0] * rows_b, atol=1e-15)
    assert contacts.within(slice(0, 2))[1].tolist() == [0] and contacts.within(slice(1, 3))[1].tolist() == []
    # it leaves to the side to which both derivatives push
    for r, slope in ((np.array([0.0, 1.0, 1.0]), 1.0), (np.array([0.0, -1.0, -1.0]), 0.0)):
        contacts, theta, crossed = before_and_after()
        contacts.update(theta, D, np.array([0.0, -3.0, 1.0]), crossed)
        assert not contacts.update(theta, D, r, np.zeros(3, dtype=bool)) and len(contacts) == 0
        assert contacts.pattern.slopes[contacts.pattern.number[0]].tolist() == [0.0, slope, 1.0]
