"""Many points, rough labels, kernels that double precision cannot invert: the hat basis against 40 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy import stats

import ibtext as ib

UNIFORM = ib.Initialization(bias=stats.uniform(-1, 2))
POTENTIALS = [
    ib.QuadraticPotential(),
    ib.PowerPotential(3),
    ib.PowerPotential(4),
    ib.PowerPotential(2.5),
    ib.HypentropyPotential(2.0),
]


def points(kind, size):
    if kind == "equispaced":
        return np.linspace(-0.95, 0.95, size)
    if kind == "jittered":  # random, with gaps of at least 0.4 of the mean: conditions up to 1e12 and beyond
        return np.linspace(-0.95, 0.95, size) + np.random.default_rng(1).uniform(-0.3, 0.3, size) * 1.9 / (size - 1)
    return np.sort(np.random.default_rng(1).uniform(-0.99, 0.99, size))


@pytest.mark.parametrize("kind", ["equispaced", "jittered"])
@pytest.mark.parametrize("activation", ["abs", "relu", "leaky_relu"])
@pytest.mark.parametrize("phi", POTENTIALS, ids=repr)
def test_two_hundred_points_with_alternating_labels(kind, activation, phi):
    x = points(kind, 200)
    y = (-1.0) ** np.arange(200)
    limit = ib.wide_limit(x, y, activation=activation, initialization=UNIFORM, potential=ib.Scaled(phi))
    assert limit.residual < 1e-12
    np.testing.assert_array_equal(limit(x), y)
    # the first and second derivative belong to the function: h' rises by the integral of h''
    s, w = np.polynomial.legendre.leggauss(60)
    a, b = x[100], x[101]
    g = limit.dual @ np.abs(x[:, None] - np.array([a, b])) if activation == "abs" else np.array([1.0, 1.0])
    if np.prod(g) > 0 and activation == "abs":
        c = (a + b) / 2 + (b - a) / 2 * s
        rise = (b - a) / 2 * w @ limit.derivative(c, order=2)
        assert np.diff(limit.derivative(np.array([a, b])))[0] == pytest.approx(rise, rel=1e-6)


def test_cosh_goes_as_far_as_the_range_of_numbers():
    """Smooth labels are solved at condition 1e15 and above; labels that need sinh(10^4) are refused."""
    x = points("equispaced", 100)
    options = {"activation": "abs", "initialization": UNIFORM, "potential": ib.Scaled(ib.CoshPotential())}
    limit = ib.wide_limit(x, np.sin(5 * x), **options)
    assert limit.residual < 1e-12 and limit.condition > 1e15
    with pytest.raises(ib.ConvergenceError, match="too steep for labels this rough"):
        ib.wide_limit(x, (-1.0) ** np.arange(100), **options)


@pytest.mark.parametrize("activation", ["abs", "relu"])
def test_function_against_forty_digits(activation):
    """60 random points, alternating labels: the kernel interpolant by LU decomposition in 40 digits."""
    mpmath.mp.dps = 40
    x, y = points("random", 60), (-1.0) ** np.arange(60)
    exact_x = [mpmath.mpf(float(v)) for v in x]

    def kernel(s, t):
        absolute = s * t + mpmath.mpf(1) / 3 + abs(s - t) ** 3 / 6
        return absolute if activation == "abs" else (absolute + s * t + mpmath.mpf(1) / 3) / 4

    matrix = mpmath.matrix([[kernel(s, t) for t in exact_x] for s in exact_x])
    multiplier = mpmath.lu_solve(matrix, mpmath.matrix([int(v) for v in y]))
    limit = ib.wide_limit(x, y, activation=activation, initialization=UNIFORM)
    for t in np.linspace(-1, 1, 15):
        exact = float(sum(a * kernel(mpmath.mpf(float(t)), s) for a, s in zip(multiplier, exact_x, strict=True)))
        assert float(limit(t)) == pytest.approx(exact, abs=1e-12 * max(1, abs(exact)))
    np.testing.assert_allclose(limit.dual, [float(a) for a in multiplier], rtol=0, atol=1e-10 * np.max(np.abs(limit.dual)))
    size = mpmath.mnorm(matrix, 1) * mpmath.mnorm(matrix**-1, 1)  # between cond / 60 and 60 cond
    assert float(size) / 60 < limit.condition < 60 * float(size)


def test_shifted_and_scaled_labels_of_a_linear_limit():
    """h is linear in y, to rounding, at 200 points."""
    x, rng = points("random", 200), np.random.default_rng(3)
    y, z = rng.standard_normal((2, 200))
    t = np.linspace(-1, 1, 333)
    a, b, c = (ib.wide_limit(x, v, activation="relu", initialization=UNIFORM)(t) for v in (y, z, 2 * y - z))
    np.testing.assert_allclose(2 * a - b, c, atol=1e-10 * np.max(np.abs(c)))


@pytest.mark.parametrize("potential", [None, ib.Scaled(ib.PowerPotential(4))], ids=["linear", "scaled"])
def test_one_point_all_activations(potential):
    for activation in ("abs", "relu", "leaky_relu", "relu^2"):
        options = {"activation": activation, "initialization": UNIFORM, "potential": potential}
        limit = ib.wide_limit([0.3], [2.0], **options)
        assert float(limit(0.3)) == pytest.approx(2, abs=1e-12)
        t, e = np.array([-0.6, 0.1, 0.7]), 1e-6
        np.testing.assert_allclose((limit(t + e) - limit(t - e)) / (2 * e), limit.derivative(t), atol=1e-7)
        path = ib.wide_flow([0.3], [2.0], [1e9], rtol=1e-6, **options)  # at the end nothing is left of its error
        np.testing.assert_allclose(path(t)[0], limit(t), atol=1e-8)
