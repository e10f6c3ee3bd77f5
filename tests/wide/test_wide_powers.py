"""Powers of relu: splines of degree 2k + 1, their kernels, and scaled potentials."""

from __future__ import annotations

import itertools
from math import factorial

import mpmath
import numpy as np
import pytest
from scipy import integrate, stats

import ibtext as ib
from ibtext.activations import ReLUPower, get_activation
from ibtext.demonstration import X, Y

UNIFORM = ib.Initialization(bias=stats.uniform(-1, 2))
GAUSS = ib.Initialization(weight=stats.norm(0, 0.8), bias=stats.norm(0, 0.5))


def test_names_and_values():
    assert get_activation("relu^3") == ReLUPower(3) and get_activation("relu^1") == get_activation("relu")
    assert get_activation(ReLUPower(1)).name == "relu"
    u = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(ReLUPower(2).value(u), [0, 0, 9])
    np.testing.assert_array_equal(ReLUPower(3).slope(u), [0, 0, 27])
    for bad in ("relu^0", "relu^-1", "relu^", "relu^1.5", "gelu", 2, None):
        with pytest.raises(ValueError, match="activation must be one of"):
            get_activation(bad)
    for bad in (0, 1.5, "2", True):
        with pytest.raises(ValueError, match="positive integer"):
            ReLUPower(bad)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_kernel_of_the_uniform_law(k):
    def integrand(c, s, t):
        right, left = max(s - c, 0) * max(t - c, 0), max(c - s, 0) * max(c - t, 0)
        return (right**k + left**k) / 4  # two signs, density one half

    for s, t in ((-0.4, 0.4), (0.1, 0.1), (0.9, -1.0)):
        cuts = np.unique([-1, s, t, 1])
        exact = sum(integrate.quad(integrand, a, b, args=(s, t), epsabs=1e-15)[0] for a, b in itertools.pairwise(cuts))
        assert ib.limit_kernel([s], [t], activation=f"relu^{k}", initialization=UNIFORM)[0, 0] == pytest.approx(exact, rel=1e-13)


@pytest.mark.parametrize(("k", "size"), [(2, 12), (3, 12), (2, 30), (3, 30)])
def test_limit_against_sixty_digits(k, size):
    """Alternating labels, uniform law: the kernel is a polynomial spline, solved in 60 digits. Condition up to 8e11."""
    mpmath.mp.dps = 60
    x, y = np.linspace(-0.95, 0.95, size), (-1.0) ** np.arange(size)
    exact_x = [mpmath.mpf(float(v)) for v in x]

    def power(s, t, low, high):  # a quarter of int (s - c)^k (t - c)^k dc, by parts
        def antiderivative(c):
            terms = (
                factorial(k) ** 2 * (s - c) ** (k - j) * (t - c) ** (k + j + 1) / factorial(k - j) / factorial(k + j + 1)
                for j in range(k + 1)
            )
            return -sum((-1) ** j * v for j, v in enumerate(terms))

        return (antiderivative(high) - antiderivative(low)) / 4

    def kernel(s, t):
        return power(s, t, -1, min(s, t)) + power(s, t, max(s, t), 1)

    matrix = mpmath.matrix(size, size)
    for i in range(size):
        for j in range(i, size):
            matrix[i, j] = matrix[j, i] = kernel(exact_x[i], exact_x[j])
    multiplier = mpmath.lu_solve(matrix, mpmath.matrix([int(v) for v in y]))
    limit = ib.wide_limit(x, y, activation=f"relu^{k}", initialization=UNIFORM)
    assert limit.residual < 1e-12
    exact = [
        float(sum(a * kernel(mpmath.mpf(t), s) for a, s in zip(multiplier, exact_x, strict=True)))
        for t in (-0.93, -0.21, 0.5, 0.92)
    ]
    np.testing.assert_allclose(limit([-0.93, -0.21, 0.5, 0.92]), exact, rtol=0, atol=1e-12 * max(1, *np.abs(exact)))


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("init", [UNIFORM, GAUSS], ids=["uniform", "gauss"])
def test_limit_is_the_kernel_interpolant(k, init):
    name, t = f"relu^{k}", np.linspace(-1, 1, 41)
    limit = ib.wide_limit(X, Y, activation=name, initialization=init)
    kernel = ib.limit_kernel(X, X, activation=name, initialization=init)
    interpolant = ib.limit_kernel(t, X, activation=name, initialization=init) @ np.linalg.solve(kernel, Y)
    np.testing.assert_allclose(limit(t), interpolant, atol=1e-11)  # condition 2e4
    np.testing.assert_array_equal(limit(X), Y)
    assert limit.penalty == pytest.approx(Y @ np.linalg.solve(kernel, Y), rel=1e-12)
    assert limit.condition == pytest.approx(np.linalg.cond(kernel), rel=1e-9)
    e = 1e-5
    np.testing.assert_allclose((limit(t + e) - limit(t - e)) / (2 * e), limit.derivative(t), atol=1e-7)
    path = ib.wide_flow(X, Y, [0.5, 1e9], activation=name, initialization=init)
    np.testing.assert_allclose(path(t)[-1], limit(t), atol=1e-8)


@pytest.mark.parametrize("phi", [ib.PowerPotential(3), ib.PowerPotential(4), ib.CoshPotential()], ids=repr)
def test_scaled_potentials_by_adaptive_integrals(phi):
    """F(lambda) = y with E by adaptive quadrature from the multiplier alone."""
    x, y = np.array([-0.6, 0.1, 0.7]), np.array([0.05, -0.03, 0.04])
    limit = ib.wide_limit(x, y, activation="relu^2", initialization=UNIFORM, potential=ib.Scaled(phi))
    assert limit.residual < 1e-12
    for at, label in zip(x, y, strict=True):
        total = 0.0
        for sign in (1, -1):

            def integrand(c, at=at, sign=sign):
                g = limit.dual @ np.clip(sign * (x - c), 0, None) ** 2
                return max(sign * (at - c), 0) ** 2 * float(phi.inverse_gradient(g)) / 4

            cuts = np.unique([-1, *x, 1])
            fine = np.unique(np.concatenate([np.linspace(a, b, 12) for a, b in itertools.pairwise(cuts)]))
            total += sum(integrate.quad(integrand, a, b, epsabs=1e-14, limit=200)[0] for a, b in itertools.pairwise(fine))
        assert total == pytest.approx(label, abs=1e-11)


def test_no_free_affine_part_and_no_terms():
    with pytest.raises(ValueError, match="two slopes"):
        ib.wide_limit(X, Y, activation="relu^2", initialization=UNIFORM, free_affine=True)
    limit = ib.wide_limit(X, Y, activation="relu^2", initialization=UNIFORM)
    with pytest.raises(ValueError, match="relu network"):
        limit.penalty_terms()
    with pytest.raises(ValueError, match="absolute value only"):
        limit.output_weight(0.0)


def test_rough_labels_that_rounding_blurs():
    """Splines of degree 7 through 60 alternating labels, condition 1e17: solved. Of degree 11: refused, not wrong."""
    x, y = np.linspace(-0.95, 0.95, 60), (-1.0) ** np.arange(60)
    limit = ib.wide_limit(x, y, activation="relu^3", initialization=UNIFORM)
    t = np.linspace(-0.95, 0.95, 777)
    assert limit.residual < 1e-12
    np.testing.assert_allclose(limit(-t), -limit(t), atol=1e-12)  # rounding does not know the symmetry
    with pytest.raises(ib.ConvergenceError, match="; "):
        ib.wide_limit(x, y, activation="relu^5", initialization=ib.Initialization(bias=stats.laplace()))


@pytest.mark.parametrize("law, count, k", [("laplace", 6, 3), ("laplace", 5, 5), ("laplace", 9, 4), ("uniform", 5, 5)])
def test_powers_reach_their_rounding_floor(law, count, k):
    init = ib.Initialization(bias={"laplace": stats.laplace(), "uniform": stats.uniform(-1, 2)}[law])
    x = np.linspace(-0.8, 0.9, count)
    y = np.array([0.5, -0.3, 0.4, -0.2, 0.6, 0.1, 0.3, -0.5, 0.2])[:count]
    limit = ib.wide_limit(x, y, activation=f"relu^{k}", initialization=init)
    assert limit.residual < 1e-10
    # the multiplier against a kernel that is computed on its own, in a norm that its rounding leaves alone
    kernel = ib.limit_kernel(x, x, activation=f"relu^{k}", initialization=init)
    noise = 1e-14 * np.abs(kernel) @ np.abs(limit.dual) + 1e-9
    assert np.all(np.abs(kernel @ limit.dual - y) < noise)


def test_powers_that_double_precision_cannot_solve_advise_a_tolerance():
    init = ib.Initialization(bias=stats.laplace())
    x = np.linspace(-0.8, 0.9, 15)
    y = np.random.default_rng(0).normal(size=15)
    with pytest.raises(ib.ConvergenceError, match=r"raise tol to 1e-0\d"):
        ib.wide_limit(x, y, activation="relu^5", initialization=init)
