"""Weight and bias with densities: radial moments and absolute moments against adaptive quadrature."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import integrate, stats

from ibtext.laws import JointLaw
from ibtext.laws.joint import law_moment

LAWS = {
    "norm": stats.norm(0, 0.8),
    "uniform": stats.uniform(-1.5, 3),
    "laplace": stats.laplace(0, 0.4),
    "student": stats.t(6),
    "triangle": stats.triang(0.5, -1, 2),
    "beta": stats.beta(3, 3, -1, 2),
}
PAIRS = [
    *itertools.product(["norm", "uniform", "laplace"], repeat=2),
    ("student", "norm"),
    ("triangle", "uniform"),
    ("beta", "laplace"),
]


def integral(f, pieces):
    return sum(integrate.quad(f, a, b, epsabs=0, epsrel=1e-12)[0] for a, b in pieces)


def radial(weight, bias, theta, m):
    """2 int r^m p(r cos) q(r sin) dr with laws of unit variance, by adaptive quadrature on decades."""
    sw, sb, cos, sin = weight.std(), bias.std(), np.cos(theta), abs(np.sin(theta))

    def integrand(r):
        return 2 * r**m * sw * weight.pdf(sw * r * cos) * sb * bias.pdf(sb * r * sin)

    ends = [law.support()[1] / s / side for law, s, side in ((weight, sw, cos), (bias, sb, sin)) if side > 0]
    stops = np.unique([0.0, *(v for v in (*np.geomspace(0.1, 1e5, 13), *ends) if v <= min([*ends, 1e5]))])
    return integral(integrand, [(a, b) for a, b in itertools.pairwise(stops) if integrand((a + b) / 2) > 0])


@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_moments_of_a_direction(pair, m):
    weight, bias = (LAWS[name] for name in pair)
    theta = np.array([-1.3, 0.0, 1e-3, 1.5])
    joint = JointLaw(weight, bias)
    found = joint.moment(theta, m)
    for angle, value in zip(theta, found, strict=True):
        assert value == pytest.approx(radial(weight, bias, angle, m), rel=1e-11)
    r, mass = joint.radial(theta, deep=m < 3)  # what scaled potentials integrate with
    np.testing.assert_allclose((r ** (m - 1) * mass).sum(axis=1), found, rtol=1e-11)


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if "uniform" in pair], ids="-".join)
def test_closed_forms_on_the_axes(pair):
    """At angles 0 and pi/2 one density is a constant; beside them the closed form goes on smoothly."""
    joint = JointLaw(*(LAWS[name] for name in pair))
    for near in ([0.0, 1e-9, -1e-9, 1e-160], [np.pi / 2, np.pi / 2 - 1e-9]):
        found = joint.moment(np.array(near), 3)
        assert found == pytest.approx(found[0], rel=1e-7)


@pytest.mark.parametrize("name", LAWS)
def test_absolute_moments(name):
    law = LAWS[name]
    for m in (1, 2, 3, 4):
        end = min(law.support()[1], 1e6)
        stops = np.unique([0.0, *np.minimum(np.geomspace(0.1, 1e6, 22), end)])
        exact = integral(lambda u, m=m: 2 * u**m * law.pdf(u), itertools.pairwise(stops))
        assert law_moment(law, m) == pytest.approx(exact, rel=1e-10)  # Student's tail beyond 1e6 holds 1e-11 of the fourth


def test_scales_cancel():
    """zeta of (w, b) in other units: |w|^3 dw against the density of the bias."""
    c = np.array([-2.0, 0.3])
    one = JointLaw(stats.norm(0, 1), stats.norm(0, 1))
    two = JointLaw(stats.norm(0, 2), stats.norm(0, 3))
    closed = 2 * 2**3 * 3**3 / (np.pi * (3**2 + c**2 * 2**2) ** 2)
    np.testing.assert_allclose(two.zeta(c), closed, rtol=1e-14)
    np.testing.assert_allclose(one.breakpoint_density(c), 1 / (np.pi * (1 + c**2)), rtol=1e-14)
