"""Conjugates and divergences against fifty digits, potentials of the reader's own, pickling."""

from __future__ import annotations

import math
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ibtext as ib
from ibtext.potentials.custom import CustomPotential
from ibtext.potentials.inverse import invert_increasing

mp = mpmath.mp.clone()
mp.dps = 60


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
BOUNDED = CustomPotential(
    lambda x: -np.sqrt(1 - x**2), lambda x: x / np.sqrt(1 - x**2), lambda x: (1 - x**2) ** -1.5, domain=(-1.0, 1.0), name="circle"
)
CUSTOM = {
    "logcosh": CustomPotential(
        lambda x: np.logaddexp(x, -x) + x**2 / 4, lambda x: np.tanh(x) + x / 2, lambda x: 1 - np.tanh(x) ** 2 + 0.5
    ),
    "differences": CustomPotential(lambda x: np.exp(x) + x**4, lambda x: np.exp(x) + 4 * x**3),
    "burg": CustomPotential(lambda x: -np.log(x) + x**2, lambda x: -1 / x + 2 * x, lambda x: x**-2 + 2, domain=(0.0, np.inf)),
    "mirrored entropy": CustomPotential(
        lambda x: (2 - x) * np.log(2 - x) + x, lambda x: -np.log(2 - x), lambda x: 1 / (2 - x), domain=(-np.inf, 2.0)
    ),
    "logistic": CustomPotential(
        lambda x: x * np.log(x) + (1 - x) * np.log(1 - x),
        lambda x: np.log(x) - np.log1p(-x),
        lambda x: 1 / (x * (1 - x)),
        domain=(0.0, 1.0),
    ),
    "circle": BOUNDED,
}
customs = pytest.mark.parametrize("name", CUSTOM)


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


def test_scaled_conjugate_and_divergence_follow_the_scaling():
    phi, n = ib.CoshPotential(), 200
    at = ib.Scaled(phi).at_width(n)
    assert at.conjugate(0.3) == pytest.approx(0.3 * at.inverse_gradient(0.3) - at(at.inverse_gradient(0.3)), rel=1e-13)
    assert at.divergence(0.01, 0.02) == pytest.approx(phi.divergence(2.0, 4.0) / n**2, rel=1e-15)
    assert ib.Scaled(ib.EntropyPotential()).at_width(10).domain == (0.0, np.inf)


@pytest.mark.parametrize("p", [1.001, 1.05, 1.5, 1.99, 2.001, 2.5, 3.7, 6, 20, 100])
def test_power_inverse_is_right_to_rounding_over_four_hundred_decades(p):
    z = np.concatenate([np.geomspace(1e-200, 1e200, 41), np.geomspace(1e-3, 1e3, 41)])
    got = ib.PowerPotential(p, 0.3).inverse_gradient(z)
    p_, two_omega = mp.mpf(p), 2 * mp.mpf(0.3)
    for x, target in zip(got, z, strict=True):
        if x < 1e-290:  # p close to 1: the root is below the range of floating-point numbers
            assert p_ * mp.mpf(1e-289) ** (p_ - 1) > target
            continue
        exact = mp.mpf(float(x))
        for _ in range(3):
            exact -= (p_ * exact ** (p_ - 1) + two_omega * exact - mp.mpf(float(target))) / (
                p_ * (p_ - 1) * exact ** (p_ - 2) + two_omega
            )
        # pow is good to one unit in the last place of x^(p-2), and the inverse has condition at most 1/(p-1)
        assert abs(x - exact) <= (8e-16 + 4e-16 / min(1, p - 1)) * exact


@customs
@settings(max_examples=80, deadline=None)
@given(u=st.floats(0.001, 0.999), v=st.floats(0.001, 0.999), w=st.floats(0.001, 0.999))
def test_custom_potentials_obey_the_laws_of_bregman(name, u, v, w):
    phi = CUSTOM[name]
    low, high = phi.domain

    def place(t):
        if np.isfinite(low) and np.isfinite(high):
            return low + (high - low) * t
        if np.isfinite(low):
            return low + 10 * t
        return high - 10 * t if np.isfinite(high) else 8 * t - 4

    a, b, c = place(u), place(v), place(w)
    z = phi.gradient(a)
    slope = float(phi.hessian(a))
    # inverse: the rounding of z, at most 4 units in the last place of its terms, over the slope
    assert float(phi.inverse_gradient(z)) == pytest.approx(a, abs=1e-14 * (abs(a) + (1 + abs(z)) / slope))
    # Young's equality at (a, phi'(a)), Young's inequality elsewhere
    size = 1 + abs(float(phi(a))) + abs(float(a * z)) + abs(float(phi(b))) + abs(float(b * z))
    assert float(phi(a) + phi.conjugate(z) - a * z) == pytest.approx(0, abs=3e-14 * size)
    assert float(phi(b) + phi.conjugate(z) - b * z) >= -3e-14 * size
    three = phi.divergence(a, c) - phi.divergence(a, b) - phi.divergence(b, c)
    right = (phi.gradient(b) - phi.gradient(c)) * (a - b)
    size = 1 + sum(abs(float(v)) for v in (phi(a), phi(b), phi(c), phi.gradient(b) * 8, phi.gradient(c) * 8))
    assert float(three) == pytest.approx(float(right), abs=1e-12 * size)
    assert phi.divergence(a, b) >= 0
    if abs(a - b) > 1e-6:
        assert phi.divergence(a, b) > 0


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


def test_custom_divergence_of_neighbours_keeps_ten_digits():
    phi = CUSTOM["logistic"]
    for y in (0.01, 0.4, 0.9):
        for gap in (1e-10, 1e-7, 1e-4):
            x = y * (1 + gap)
            want = exact_divergence(lambda t: t * mp.log(t) + (1 - t) * mp.log(1 - t), lambda t: mp.log(t) - mp.log(1 - t), x, y)
            assert float(phi.divergence(x, y)) == pytest.approx(want, rel=1e-10, abs=0)


def test_second_derivative_by_differences():
    phi = CustomPotential(lambda x: x * np.log(x) - x, np.log, domain=(0.0, np.inf))
    x = np.geomspace(1e-6, 1e6, 50)
    np.testing.assert_allclose(phi.hessian(x), 1 / x, rtol=1e-9)
    assert np.median(np.abs(phi.hessian(x) * x - 1)) < 1e-12
    assert phi.hessian(np.empty(0)).shape == (0,)


def test_custom_potential_solves_the_dual_equation_like_the_built_in_one():
    rng = np.random.default_rng(1)
    a, y = rng.standard_normal((3, 9)), rng.standard_normal(3)
    for own, built in [
        (CustomPotential(np.cosh, np.sinh, np.cosh), ib.CoshPotential()),
        (CustomPotential(np.cosh, np.sinh), ib.CoshPotential()),
        (CustomPotential(lambda x: abs(x) ** 3 + x**2, lambda x: 3 * x * abs(x) + 2 * x), ib.PowerPotential(3, 1.0)),
    ]:
        got = ib.solve_dual(ib.FiniteColumns(a, 1.0, own), y).multiplier
        np.testing.assert_allclose(got, ib.solve_dual(ib.FiniteColumns(a, 1.0, built), y).multiplier, rtol=1e-11, atol=1e-12)


def test_torch_tensors_written_with_operators():
    torch = pytest.importorskip("torch")
    phi = CustomPotential(lambda x: x**4 + x**2, lambda x: 4 * x**3 + 2 * x)
    t = torch.linspace(-2, 2, 7, dtype=torch.float64)
    assert isinstance(phi.inverse_gradient(t), torch.Tensor)
    np.testing.assert_allclose(phi.inverse_gradient(t).numpy(), phi.inverse_gradient(t.numpy()), rtol=1e-14)
    np.testing.assert_allclose(phi.hessian(t).numpy(), 12 * t.numpy() ** 2 + 2, rtol=1e-9)
    for built in [oracle[0] for oracle in ORACLES.values()]:
        x, y = abs(t) + 0.1, abs(t) + 0.3
        np.testing.assert_allclose(built.divergence(x, y).numpy(), built.divergence(x.numpy(), y.numpy()), rtol=1e-13)


def test_the_inverse_saturates_where_floats_end_and_keeps_nan():
    x = invert_increasing(np.log, lambda x: 1 / x, np.array([-1e9, 1e9, np.nan, -700.0]), domain=(0.0, np.inf))
    np.testing.assert_array_equal(x[:2], [0.0, np.inf])
    assert np.isnan(x[2])
    assert x[3] == pytest.approx(math.exp(-700), rel=1e-13)


def test_a_slope_that_is_wrong_or_infinite_only_slows_the_inverse_down():
    z = np.concatenate([-np.geomspace(1e-3, 1e3, 20), [0.0], np.geomspace(1e-3, 1e3, 20)])
    want = np.sign(z) * np.abs(z) ** (1 / 3)
    for slope in (
        lambda x: 0 * x + 1e-3,
        lambda x: np.inf + 0 * x,
        lambda x: 0 * x,
        lambda x: np.nan + 0 * x,
        lambda x: -1e-3 + 0 * x,
    ):
        np.testing.assert_allclose(invert_increasing(lambda x: x**3, slope, z), want, rtol=1e-15, atol=1e-300)


def own_phi(x):
    return np.cosh(x) + x**2


def own_gradient(x):
    return np.sinh(x) + 2 * x


def test_every_potential_survives_pickling():
    custom = CustomPotential(own_phi, own_gradient)
    for phi in [*(oracle[0] for oracle in ORACLES.values()), custom, ib.Scaled(ib.CoshPotential()), ib.Scaled(custom)]:
        again = pickle.loads(pickle.dumps(phi))
        assert again == phi
        assert hash(again) == hash(phi)
        assert repr(again) == repr(phi)
    assert pickle.loads(pickle.dumps(custom)).inverse_gradient(0.7) == custom.inverse_gradient(0.7)


REFUSED = {
    "value for a function": (TypeError, "must be a function", (3.0, np.sinh), {}),
    "value for a second derivative": (TypeError, "must be a function", (np.cosh, np.sinh, 2.0), {}),
    "not convex": (ValueError, "increase strictly", (np.sin, np.cos), {}),
    "concave": (ValueError, "increase strictly", (lambda x: -np.cosh(x), lambda x: -np.sinh(x)), {}),
    "linear": (ValueError, "increase strictly", (lambda x: x, np.ones_like), {}),
    "factor": (ValueError, "derivative of phi", (np.cosh, lambda x: 2 * np.sinh(x)), {}),
    "second factor": (ValueError, "derivative of gradient", (np.cosh, np.sinh, lambda x: 2 * np.cosh(x)), {}),
    "domain missing": (ValueError, "finite inside the domain", (np.log, lambda x: 1 / x), {}),
    "domain swapped": (ValueError, "open interval", (np.cosh, np.sinh), {"domain": (1.0, 0.0)}),
    "domain a number": (ValueError, "open interval", (np.cosh, np.sinh), {"domain": 1.0}),
    "domain text": (ValueError, "open interval", (np.cosh, np.sinh), {"domain": "01"[::-1]}),
    "domain nan": (ValueError, "open interval", (np.cosh, np.sinh), {"domain": (0.0, np.nan)}),
    "sum": (ValueError, "elementwise", (lambda x: np.sum(x**2), lambda x: 2 * x), {}),
    "complex": (ValueError, "elementwise", (lambda x: x**2 + 0j, lambda x: 2 * x), {}),
    "scalar function": (ValueError, "act on arrays", (math.cosh, math.sinh), {}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_potential_is_refused(case):
    kind, message, args, options = REFUSED[case]
    with pytest.raises(kind, match=message) as caught:
        CustomPotential(*args, **options)
    assert ";" in str(caught.value)


def test_points_outside_the_domain_are_refused():
    for method in (BOUNDED, BOUNDED.gradient, BOUNDED.hessian):
        with pytest.raises(ValueError, match=r"-1\.0 < x < 1\.0"):
            method(np.array([0.0, 1.5]))
    soft = CustomPotential(lambda x: np.sqrt(1 + x**2), lambda x: x / np.sqrt(1 + x**2))
    with pytest.raises(ib.ConvergenceError, match="gradient is bounded"):
        soft.inverse_gradient(2.0)


ROUGH = {
    "analytic": (lambda x: np.cosh(x) + x**4, lambda x: np.sinh(x) + 4 * x**3, lambda x: np.cosh(x) + 12 * x**2, 1e-15),
    "modulus": (lambda x: np.abs(x) ** 3 + x**2, lambda x: 3 * x * np.abs(x) + 2 * x, lambda x: 6 * np.abs(x) + 2, 2e-13),
    "kink": (
        lambda x: np.where(np.abs(x) < 1, x**2, x**2 / 2 + np.abs(x) - 0.5),
        lambda x: np.where(np.abs(x) < 1, 2 * x, x + np.sign(x)),
        lambda x: np.where(np.abs(x) < 1, 2.0, 1.0),
        2e-13,
    ),
    "complex lies": (  # agrees with complex steps at the points of the check, not far out
        lambda x: np.cosh(x / 4),
        lambda x: np.where(np.abs(x) < 20, np.sinh(x / 4), np.sinh(x.real / 4)) / 4,
        lambda x: np.cosh(x / 4) / 16,
        2e-13,
    ),
}


@pytest.mark.parametrize("name", ROUGH)
def test_hessian_without_a_hessian(name):
    phi, gradient, hessian, digits = ROUGH[name]
    size = np.geomspace(1e-6, 30, 401)
    x = np.concatenate([-size, [0.0], size])
    calls = []

    def counted(v):
        calls.append(np.size(v))
        return gradient(v)

    potential = CustomPotential(phi, counted)
    potential.hessian(1.0)
    calls.clear()
    room = np.minimum(1, np.abs(np.abs(x) - 1)) if name == "kink" else 1.0  # differences need room
    assert np.max(np.abs(potential.hessian(x) / hessian(x) - 1) * room) < digits
    assert sum(calls) < 200 * x.size
