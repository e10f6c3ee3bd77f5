"""The interface of columns is all that a new kind needs: inputs in the plane, which the package does not have yet.

A neuron with direction v on the unit circle and breakpoint c responds with abs(v.x - c); along a direction its profile is
affine between the projected inputs, so that the nodes of a piece are those of the line. Reference values: another program.
"""

from __future__ import annotations

import itertools
from functools import cached_property

import numpy as np
import pytest

import ibtext as ib
from ibtext.activations import ACTIVATIONS
from ibtext.dual import solve_dual
from ibtext.wide.columns import WideColumns
from ibtext.wide.sign_rule import piece_nodes

X = np.array([(-0.7, -0.4), (0.5, 0.9), (0.1, -0.2), (-0.6, 0.8), (0.9, -0.5)])
Y = np.array([0.5, -0.3, 0.4, -0.2, 0.6])
T = np.array([(0.2, 0.3), (-0.3, -0.6), (0.6, 0.1)])
REACH = 1.2


class PlaneColumns(WideColumns):
    """Directions uniform on the circle, breakpoints uniform on [-1.2, 1.2], absolute values."""

    def __init__(self, x, potential, extra=()):
        super().__init__(ACTIVATIONS["abs"], potential, scaled=True)
        self.x = x
        angles = [np.arctan2(*(x[i] - x[j])[::-1]) + np.pi / 2 for i, j in itertools.combinations(range(len(x)), 2)]
        edges = np.unique(np.concatenate([[0.0, np.pi], np.mod(angles, np.pi)]))
        edges = edges[np.diff(edges, prepend=-1) > 1e-12]
        s, w = np.polynomial.legendre.leggauss(16)
        half = np.diff(edges)[:, None] / 2
        theta, weight = (edges[:-1, None] + half * (1 + s)).ravel(), (half * w).ravel() / np.pi
        v = np.stack([np.cos(theta), np.sin(theta)], axis=1)
        knots = np.sort(np.clip(v @ np.concatenate([x, *extra]).T, -REACH, REACH), axis=1)
        knots = np.pad(knots, ((0, 0), (1, 1)), constant_values=REACH)
        knots[:, 0] = -REACH
        self.low, self.high = knots[:, :-1].ravel(), knots[:, 1:].ravel()
        direction = np.repeat(np.arange(theta.size), knots.shape[1] - 1)
        self.v, self.weight = v[direction], weight[direction] / (2 * REACH)

    def nodes(self, multiplier):
        ends = [np.abs(self.v @ self.x.T - c[:, None]) @ multiplier for c in (self.low, self.high)]
        low, high, (gl, gr), which = self.low, self.high, ends, np.arange(self.low.size)
        (cross,) = np.nonzero(gl * gr < 0)
        zero = low[cross] + (high[cross] - low[cross]) * gl[cross] / (gl[cross] - gr[cross])
        low, gl, which = (np.concatenate([u, e]) for u, e in ((low, zero), (gl, 0 * zero), (which, cross)))
        high, gr = np.concatenate([high, high[cross]]), np.concatenate([gr, gr[cross]])
        high[cross], gr[cross] = zero, 0.0
        keep = high > low
        low, high, gl, gr, which = (u[keep] for u in (low, high, gl, gr, which))
        c, alpha, mass, over = piece_nodes(np.stack([low, high - low, high - low, gl, gr]), self.potential)
        response = np.abs((self.v[which] @ self.x.T)[:, :, None] - c[:, None])
        weight = self.weight[which][:, None]
        return response.transpose(1, 0, 2).reshape(len(self.x), -1), alpha.ravel(), *((u * weight).ravel() for u in (mass, over))

    @cached_property
    def matrix(self):
        return self.integrals(np.full(len(self.x), 1e-9))[1]

    def integrals(self, values):
        response, alpha, mass, over = self.nodes(values)
        return response @ (alpha * mass), (response * over) @ response.T

    def expectation(self, values, function):
        _, alpha, mass, _ = self.nodes(values)
        return float(mass @ function(alpha))

    def function(self, values, labels, t, order):
        """By definition: F at the points t, taken in with a multiplier of zero."""
        both = PlaneColumns(np.concatenate([self.x, t]), self.potential)
        return both.integrals(np.concatenate([values, np.zeros(len(t))]))[0][len(self.x) :]


CASES = [
    (ib.QuadraticPotential(), (0.03696044, 0.61679648, 0.20374386), 1e-8),
    (ib.PowerPotential(3), (0.02641943, 0.61226737, 0.20506378), 1e-5),  # without panels cut where zeros pass a knot
    (ib.CoshPotential(), (0.02708971, 0.61343615, 0.20350592), 1e-8),
]


@pytest.mark.parametrize(("phi", "values", "tol"), CASES, ids=lambda v: repr(v)[:18])
def test_inputs_in_the_plane(phi, values, tol):
    columns = PlaneColumns(X, phi)
    found = columns.solve(Y, 1e-12)
    assert found.residual < 1e-12
    np.testing.assert_allclose(columns.function(found.values, Y, T, 0), values, rtol=0, atol=tol)
    # the penalty grows by the multiplier where labels grow: dE D_phi = lambda . dy
    step = 1e-5 * np.ones(5)
    rise = columns.penalty(columns.solve(Y + step, 1e-12).values) - columns.penalty(columns.solve(Y - step, 1e-12).values)
    assert rise == pytest.approx(2 * found.values @ step, rel=1e-6)
    assert columns.condition(found.values) == pytest.approx(np.linalg.cond(columns.evaluate(found.values)[1]), rel=1e-6)


def test_what_a_kind_does_not_have_is_refused():
    columns = PlaneColumns(X, ib.QuadraticPotential())
    for ask in (columns.penalty_terms, columns.curvature_statistics, columns.output_weight):
        with pytest.raises(ValueError, match="'abs'"):
            ask(np.zeros(5), np.zeros(5))


def test_the_root_of_a_linear_kernel():
    columns = PlaneColumns(X, ib.QuadraticPotential())
    root = columns.root()
    np.testing.assert_allclose(root.T @ root, columns.matrix, rtol=1e-12)
    assert solve_dual(columns, Y).residual < 1e-12
