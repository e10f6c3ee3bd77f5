"""Potentials: inverse maps, convex duality, Bregman identities, and agreement of NumPy and torch."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ibtext as ib
from ibtext.potentials.base import Potential

EVERYWHERE = [
    ib.QuadraticPotential(),
    ib.QuadraticPotential(scale=0.5),
    ib.PowerPotential(p=2, omega=0.7),
    ib.PowerPotential(p=2.05, omega=0.1),
    ib.PowerPotential(p=2.5, omega=1.0),
    ib.PowerPotential(p=3, omega=1.0),
    ib.PowerPotential(p=4, omega=0.3),
    ib.PowerPotential(p=6, omega=0.1),
    ib.PowerPotential(p=1.3, omega=0.5),
    ib.CoshPotential(),
    ib.HypentropyPotential(beta=0.5),
    ib.PNormPotential(p=1.5),
    ib.PNormPotential(p=3),
]
ALL = [*EVERYWHERE, ib.EntropyPotential()]
ids = [repr(phi) for phi in ALL]

points = st.floats(-8, 8).filter(lambda v: abs(v) > 1e-3)


def to_domain(phi, v):
    return abs(v) if phi.domain[0] == 0 else v


@pytest.mark.parametrize("phi", EVERYWHERE, ids=repr)
def test_inverse_gradient_inverts_over_twenty_decades(phi):
    top = 5 if isinstance(phi, ib.HypentropyPotential) else 1e8  # sinh overflows beyond
    z = np.concatenate([[0.0], *(s * np.geomspace(1e-12, top, 60) for s in (-1, 1))])
    x = phi.inverse_gradient(z)
    # 1e-14: a few units in the last place of z, magnified by the condition |x phi''/phi'| <= 5 of the inverse
    np.testing.assert_allclose(phi.gradient(x), z, rtol=1e-14, atol=0)


def test_power_inverse_against_fifty_digits():
    mpmath.mp.dps = 50
    for p, omega, z in [(2.5, 1.0, 3.0), (3.7, 0.1, 1e6), (5.0, 10.0, 1e-8), (1.2, 0.3, 40.0)]:
        guess = float(ib.PowerPotential(p, omega).inverse_gradient(z))
        p_, w_, z_ = mpmath.mpf(p), mpmath.mpf(omega), mpmath.mpf(z)
        exact = mpmath.findroot(lambda x, p=p_, w=w_, z=z_: p * x ** (p - 1) + 2 * w * x - z, guess)
        assert abs(guess - exact) <= 4e-16 * abs(exact)


@pytest.mark.parametrize("phi", ALL, ids=ids)
@settings(max_examples=60, deadline=None)
@given(a=points, b=points, c=points)
def test_bregman_divergence_is_positive_and_obeys_three_points(phi, a, b, c):
    a, b, c = (to_domain(phi, v) for v in (a, b, c))
    size = 1 + abs(phi(a)) + abs(phi(b)) + abs(phi(c)) + abs(phi.gradient(c) * a) + abs(phi.gradient(b) * a)
    size += abs(phi.gradient(c) * b) + abs(phi.gradient(b) * b) + abs(phi.gradient(c) * c)
    assert phi.divergence(a, b) >= -4e-16 * size
    assert phi.divergence(a, a) == pytest.approx(0, abs=1e-15 * size)
    three = phi.divergence(a, c) - phi.divergence(a, b) - phi.divergence(b, c)
    assert three == pytest.approx((phi.gradient(b) - phi.gradient(c)) * (a - b), abs=1e-13 * size)


@pytest.mark.parametrize("phi", ALL, ids=ids)
@settings(max_examples=60, deadline=None)
@given(a=points, z=st.floats(-3, 3))
def test_fenchel_young(phi, a, z):
    a = to_domain(phi, a)
    gap = phi(a) + phi.conjugate(z) - a * z
    size = 1 + abs(phi(a)) + abs(phi.conjugate(z)) + abs(a * z)
    assert gap >= -1e-14 * size
    attained = phi.inverse_gradient(z)
    size = 1 + abs(phi(attained)) + abs(attained * z)
    assert phi(attained) + phi.conjugate(z) - attained * z == pytest.approx(0, abs=1e-14 * size)


@pytest.mark.parametrize("phi", ALL, ids=ids)
def test_derivatives_against_complex_free_differences(phi):
    x = np.array([0.07, 0.4, 1.3, 2.9])
    h = 1e-5
    # centred differences: truncation h^2 phi'''/6 and rounding 1e-16/h both stay below 1e-8 here
    np.testing.assert_allclose((phi(x + h) - phi(x - h)) / (2 * h), phi.gradient(x), rtol=2e-7)
    np.testing.assert_allclose((phi.gradient(x + h) - phi.gradient(x - h)) / (2 * h), phi.hessian(x), rtol=2e-7)


@pytest.mark.parametrize("phi", ALL, ids=ids)
def test_torch_tensors_give_the_same_numbers(phi):
    torch = pytest.importorskip("torch")
    x = np.linspace(0.1, 3, 7)
    t = torch.tensor(x)
    for name in ("__call__", "gradient", "hessian", "inverse_gradient", "conjugate"):
        want, got = getattr(phi, name)(x), getattr(phi, name)(t)
        assert isinstance(got, torch.Tensor)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-14)


def test_scaled_potential_is_the_potential_of_n_times_the_displacement():
    phi, n = ib.PowerPotential(p=3, omega=1.0), 50
    scaled = ib.Scaled(phi).at_width(n)
    d = np.linspace(-0.1, 0.1, 5)
    np.testing.assert_allclose(scaled(d), phi(n * d) / n**2, rtol=1e-15)
    np.testing.assert_allclose(scaled.inverse_gradient(scaled.gradient(d)), d, rtol=1e-14, atol=1e-18)
    np.testing.assert_allclose(scaled.hessian(d), phi.hessian(n * d), rtol=1e-15)


class SoftPotential(Potential):
    """sqrt(1 + x^2) + x^2/10: a user's potential with no closed inverse."""

    def __call__(self, x):
        return np.sqrt(1 + np.asarray(x) ** 2) + np.asarray(x) ** 2 / 10

    def gradient(self, x):
        return x / np.sqrt(1 + x**2) + x / 5

    def hessian(self, x):
        return (1 + x**2) ** -1.5 + 0.2


def test_user_defined_potential_gets_an_inverse():
    phi = SoftPotential()
    z = np.concatenate([[0.0], -np.geomspace(1e-6, 1e6, 40), np.geomspace(1e-6, 1e6, 40)])
    np.testing.assert_allclose(phi.gradient(phi.inverse_gradient(z)), z, rtol=1e-14, atol=0)


def test_bounded_gradient_is_refused():
    class Bounded(SoftPotential):
        def gradient(self, x):
            return x / np.sqrt(1 + x**2)

        def hessian(self, x):
            return (1 + x**2) ** -1.5

    with np.errstate(all="ignore"), pytest.raises(ib.ConvergenceError, match="grows faster than linearly"):
        Bounded().inverse_gradient(np.array([2.0]))
