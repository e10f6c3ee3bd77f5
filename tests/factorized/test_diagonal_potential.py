"""The potential of a diagonal network: against its definition in fifty digits, laws of potentials, pickling."""

from __future__ import annotations

import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ibtext as ib
from ibtext import factorized, linear


@pytest.mark.parametrize("sign", ["difference", "positive"])
@pytest.mark.parametrize("depth", [2, 3, 5])
def test_equivalent_potential_against_its_definition_in_fifty_digits(sign, depth):
    """w(zeta) from the closed factors, with mpmath; phi' as its inverse; phi as the integral of phi'."""
    alpha = 0.4
    phi = factorized.equivalent_potential(depth=depth, scale=alpha, sign=sign)
    with mpmath.workdps(50):

        def factor(zeta):
            if depth == 2:
                return alpha * mpmath.exp(2 * zeta)
            return (mpmath.mpf(alpha) ** (2 - depth) - depth * (depth - 2) * zeta) ** (mpmath.mpf(-1) / (depth - 2))

        def weight(zeta):
            return factor(zeta) ** depth - (factor(-zeta) ** depth if sign == "difference" else 0)

        edge = 1 / (depth * max(depth - 2, 0.25) * alpha ** (depth - 2))
        for part in (-0.9, -0.3, -1e-9, 1e-6, 0.5, 0.95):
            zeta = mpmath.mpf(part * edge)
            w = float(phi.inverse_gradient(float(zeta)))
            assert abs(w - weight(zeta)) <= 2e-14 * abs(weight(zeta)) + (1e-16 if sign == "positive" else 0)
            assert float(phi.gradient(w)) == pytest.approx(float(zeta), rel=1e-12, abs=1e-16)
            slope = float(1 / mpmath.diff(weight, zeta))
            assert float(phi.hessian(w)) == pytest.approx(slope, rel=1e-12)
            integral = mpmath.quad(weight, [0, zeta])  # conjugate, from the dual of the start
            first = float(phi.conjugate(0.0))
            assert float(phi.conjugate(float(zeta))) - first == pytest.approx(float(integral), rel=1e-9, abs=1e-15)
            assert float(phi(w)) == pytest.approx(float(zeta) * w - float(phi.conjugate(float(zeta))), rel=1e-9, abs=1e-15)


def test_depth_two_is_a_quarter_of_the_hypentropy_and_of_the_entropy():
    x = np.array([-3.0, -1e-8, 0.2, 40.0])
    ours, hyp = factorized.equivalent_potential(depth=2, scale=0.1), ib.HypentropyPotential(beta=2 * 0.1**2)
    np.testing.assert_allclose(ours.gradient(x), hyp.gradient(x) / 4, rtol=1e-14)
    np.testing.assert_allclose(ours.hessian(x), hyp.hessian(x) / 4, rtol=1e-14)
    np.testing.assert_allclose(ours.divergence(x, x + 1), hyp.divergence(x, x + 1) / 4, rtol=1e-10)
    positive = factorized.equivalent_potential(depth=2, scale=0.1, sign="positive")
    x = np.abs(x)
    np.testing.assert_allclose(positive.gradient(x), np.log(x / 0.01) / 4, rtol=1e-14)
    np.testing.assert_allclose(positive.divergence(x, x + 1), ib.EntropyPotential().divergence(x, x + 1) / 4, rtol=1e-8)
    assert positive.gradient(0.01) == pytest.approx(0, abs=1e-16)
    A = np.random.default_rng(3).standard_normal((2, 5))
    b = A @ np.array([1.0, -0.5, 0.2, 0.0, -2.0])
    np.testing.assert_allclose(
        factorized.limit(A, b, scale=0.1).weights,
        linear.bregman_projection(A, b, potential=hyp).weights,
        rtol=1e-12,
        atol=1e-13,
    )


@settings(max_examples=60, deadline=None)
@given(
    depth=st.integers(2, 7),
    scale=st.floats(0.05, 2.0),
    sign=st.sampled_from(["difference", "positive"]),
    x=st.floats(-5, 5),
    y=st.floats(-5, 5),
)
def test_equivalent_potentials_obey_the_laws_of_potentials(depth, scale, sign, x, y):
    phi = factorized.equivalent_potential(depth=depth, scale=scale, sign=sign)
    if sign == "positive":
        x, y = abs(x) + 1e-2, abs(y) + 1e-2
    # the dual variable carries 1e-16 of its range; its slope carries it back
    z = float(phi.gradient(x))
    allowance = 1e-13 * abs(x) + 1e-15 * (abs(z) + 1 / (depth * max(depth - 2, 1) * scale ** (depth - 2))) / float(phi.hessian(x))
    assert float(phi.inverse_gradient(z)) == pytest.approx(x, abs=allowance + 1e-300)
    assert phi.divergence(x, y) >= 0
    assert phi.divergence(x, x) == 0
    size = 1 + abs(float(phi(x))) + abs(x * z)
    assert float(phi(x) + phi.conjugate(z) - x * z) == pytest.approx(0, abs=1e-12 * size)
    assert float(phi(y) + phi.conjugate(z) - y * z) >= -1e-12 * (size + abs(float(phi(y))) + abs(y * z))


def test_potentials_of_networks_survive_pickling():
    for phi in (factorized.equivalent_potential(depth=3), factorized.equivalent_potential(scale=[0.2, 0.5, 0.8])):
        again = pickle.loads(pickle.dumps(phi))
        assert again == phi
        assert hash(again) == hash(phi)
    assert factorized.equivalent_potential(depth=3) != factorized.equivalent_potential(depth=4)
