"""The closed potentials: inverse maps, convex duality, Bregman identities, sixty digits, agreement of NumPy and torch."""

from __future__ import annotations

import math
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ibtext as ib

mp = mpmath.mp.clone()
mp.dps = 60
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
    np.testing.assert_allclose(phi.divergence(t, t + 0.2).numpy(), phi.divergence(x, x + 0.2), rtol=1e-13)


def power(p, omega):
    return lambda x: abs(x) ** mp.mpf(p) + mp.mpf(omega) * x**2


# phi as a formula in 60 digits, and its derivative, independent of the package
ORACLES = {
    "quadratic": (ib.QuadraticPotential(0.7), lambda x: mp.mpf(0.7) * x**2, lambda x: 2 * mp.mpf(0.7) * x),
    "cosh": (ib.CoshPotential(), mp.cosh, mp.sinh),
    "hypentropy": (
        ib.HypentropyPotential(0.3),
        lambda x: x * mp.asinh(x / mp.mpf(0.3)) - mp.sqrt(x**2 + mp.mpf(0.3) ** 2),
        lambda x: mp.asinh(x / mp.mpf(0.3)),
    ),
    "sharp hypentropy": (
        ib.HypentropyPotential(1e-9),
        lambda x: x * mp.asinh(x / mp.mpf(1e-9)) - mp.sqrt(x**2 + mp.mpf(1e-9) ** 2),
        lambda x: mp.asinh(x / mp.mpf(1e-9)),
    ),
    "entropy": (ib.EntropyPotential(), lambda x: x * mp.log(x) - x, mp.log),
    **{
        f"power {p}": (
            ib.PowerPotential(p, 0.4),
            power(p, 0.4),
            lambda x, p=p: mp.mpf(p) * mp.sign(x) * abs(x) ** (mp.mpf(p) - 1) + 2 * mp.mpf(0.4) * x,
        )
        for p in (1.05, 1.5, 2, 3, 4, 7.5, 20)
    },
    **{
        f"p-norm {p}": (
            ib.PNormPotential(p),
            lambda x, p=p: abs(x) ** mp.mpf(p) / mp.mpf(p),
            lambda x, p=p: mp.sign(x) * abs(x) ** (mp.mpf(p) - 1),
        )
        for p in (1.05, 1.5, 2, 3, 20)
    },
}
names = pytest.mark.parametrize("name", ORACLES)


def exact_divergence(phi, dphi, x, y):
    x, y = mp.mpf(x), mp.mpf(y)
    value = phi(x) - phi(y) - (dphi(y) * (x - y) if y != 0 or x == y else -dphi(y) * y + dphi(y) * x)
    return float(value)


def pairs(positive, largest):
    rng = np.random.default_rng(0)
    out = []
    for size in (1e-9, 1e-3, 0.3, 1.0, 5.0, largest):
        for gap in (1e-12, 1e-8, 1e-4, 0.05, 0.3, 0.6, 0.99, 1.5, 40.0):
            x = size * rng.uniform(0.5, 1)
            out += [(x, x * (1 + gap)), (x * (1 + gap), x)]
            if not positive:
                out += [(-x, -x * (1 + gap)), (-x, x * gap), (x, -x)]
    return out if positive else [*out, (0.0, 0.7), (0.7, 0.0)]


@names
def test_divergence_keeps_ten_digits_for_neighbours_and_for_far_points(name):
    phi, value, slope = ORACLES[name]
    largest = 15.0 if name == "cosh" else 1e6
    for x, y in pairs(phi.domain[0] == 0, largest):
        want = exact_divergence(value, slope, x, y)
        got = float(phi.divergence(x, y))
        if 0 < abs(want) < 1e-290:
            continue
        # the remainder of each form is a handful of roundings; |x| up to 600 in an exponent costs three digits
        assert got == pytest.approx(want, rel=3e-13 if name != "cosh" else 1e-12, abs=0), (x, y)


@names
def test_conjugate_against_sixty_digits(name):
    phi, value, slope = ORACLES[name]
    for z in (-30.0, -2.0, -1e-3, 1e-9, 0.4, 3.0, 50.0):
        x = mp.mpf(float(phi.inverse_gradient(z)))
        if abs(x) < mp.mpf(10) ** -280 or abs(x) > mp.mpf(10) ** 280:
            continue
        for _ in range(4):  # Newton in 60 digits, with a difference for the second derivative
            h = abs(x) * mp.mpf(10) ** -20
            x -= (slope(x) - z) / ((slope(x + h) - slope(x - h)) / (2 * h))
        want = mp.mpf(z) * x - value(x)
        size = abs(z * x) if name in {"cosh"} else abs(want)  # cosh: the conjugate changes sign
        assert abs(float(phi.conjugate(z) - want)) <= 1e-14 * float(size) + 3e-16 * float(abs(want)) * (1 + abs(z))


def test_nothing_overflows_before_the_result_does():
    assert ib.CoshPotential().divergence(0.0, 700.0) == pytest.approx(699 * math.exp(699) * math.e / 2, rel=1e-12)
    assert ib.CoshPotential().divergence(700.0, -700.0) == pytest.approx(math.exp(700) / 2 * 1400, rel=1e-11)
    assert ib.CoshPotential().conjugate(1e200) == pytest.approx(1e200 * (math.log(2e200) - 1), rel=1e-14)
    hyp = ib.HypentropyPotential(1.0)
    assert hyp(1e200) == pytest.approx(1e200 * (math.log(2e200) - 1), rel=1e-14)
    assert hyp.hessian(1e200) == pytest.approx(1e-200, rel=1e-14)
    assert hyp.divergence(2e200, 1e200) == pytest.approx(1e200 * (2 * math.log(2) - 1), rel=1e-12)
    assert ib.EntropyPotential().divergence(1e200, 1e-200) == pytest.approx(1e200 * (math.log(1e200) * 2 - 1), rel=1e-13)
    assert ib.PNormPotential(1.5).divergence(1e-200, 1e200) == pytest.approx(1e300 / 3, rel=1e-13)


@names
@settings(max_examples=50, deadline=None)
@given(a=st.floats(-9, 9), b=st.floats(-9, 9))
def test_divergences_are_never_negative_and_vanish_only_on_the_diagonal(name, a, b):
    phi = ORACLES[name][0]
    if phi.domain[0] == 0:
        a, b = abs(a) + 1e-3, abs(b) + 1e-3
    assert phi.divergence(a, b) >= 0
    assert phi.divergence(a, a) == 0
    if abs(a - b) > 1e-3 and max(abs(a), abs(b)) > 0.5:
        assert phi.divergence(a, b) > 0


def own_phi(x):
    return np.cosh(x) + x**2


def own_gradient(x):
    return np.sinh(x) + 2 * x


def test_every_potential_survives_pickling():
    custom = ib.CustomPotential(own_phi, own_gradient)
    for phi in [*(oracle[0] for oracle in ORACLES.values()), custom, ib.Scaled(ib.CoshPotential()), ib.Scaled(custom)]:
        again = pickle.loads(pickle.dumps(phi))
        assert again == phi
        assert hash(again) == hash(phi)
        assert repr(again) == repr(phi)
    assert pickle.loads(pickle.dumps(custom)).inverse_gradient(0.7) == custom.inverse_gradient(0.7)
