"""The infinite-width limit: closed forms, an oracle in 30 digits, symmetries, splines, and the training path."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.interpolate import CubicSpline

import ibtext as ib
from ibtext.demonstration import X, Y

UNIFORM = ib.Initialization(bias=stats.uniform(-1, 2))
POTENTIALS = {
    "x^2": ib.QuadraticPotential(),
    "|x|^3+x^2": ib.PowerPotential(3, 1.0),
    "x^4+x^2": ib.PowerPotential(4, 1.0),
    "|x|^2.5+x^2": ib.PowerPotential(2.5, 1.0),
    "x^6+x^2/10": ib.PowerPotential(6, 0.1),
    "cosh": ib.CoshPotential(),
    "hypentropy": ib.HypentropyPotential(beta=2.0),
}
GRID = np.linspace(-1.4, 1.4, 401)


def scaled_limit(name, x=X, y=Y, init=UNIFORM, **options):
    return ib.wide_limit(x, y, activation="abs", initialization=init, potential=ib.Scaled(POTENTIALS[name]), **options)


def closed_abs(s, t, a):
    """E|s - B||t - B| for B uniform on [-a, a], |s|, |t| <= a (theory: chapter on ReLU networks)."""
    return s * t + a**2 / 3 + np.abs(s - t) ** 3 / (6 * a)


@pytest.mark.parametrize("a", [0.8, 1.0, 2.5])
def test_kernels_of_the_uniform_law_are_cubic(a):
    init = ib.Initialization(bias=stats.uniform(-a, 2 * a))
    s, t = np.meshgrid(X, np.linspace(-0.8, 0.8, 9), indexing="ij")
    absolute = closed_abs(s, t, a)
    np.testing.assert_allclose(ib.limit_kernel(X, t[0], activation="abs", initialization=init), absolute, rtol=1e-14, atol=1e-15)
    relu = (absolute + s * t + a**2 / 3) / 4
    np.testing.assert_allclose(ib.limit_kernel(X, t[0], activation="relu", initialization=init), relu, atol=1e-15)
    leak = 0.1  # sigma = (1 - leak) relu + leak u, and E[relu(u) v] = E[u v]/2 by symmetry
    leaky = (1 - leak) ** 2 * relu + ((1 - leak) * leak + leak**2) * (s * t + a**2 / 3)
    np.testing.assert_allclose(ib.limit_kernel(X, t[0], activation="leaky_relu", initialization=init), leaky, atol=1e-15)


@pytest.mark.parametrize("law", [stats.norm(0, 1), stats.laplace(0, 0.6), stats.triang(0.5, -2, 4)], ids=lambda v: v.dist.name)
def test_kernels_of_other_laws_against_adaptive_quadrature(law):
    init = ib.Initialization(bias=law)
    kernel = ib.limit_kernel([-0.5], [0.7], activation="abs", initialization=init)[0, 0]
    edges = [law.ppf(1e-18), -0.5, 0.0, 0.7, law.isf(1e-18)]
    exact = sum(
        integrate.quad(lambda c: abs(-0.5 - c) * abs(0.7 - c) * law.pdf(c), p, q, epsabs=1e-15, epsrel=1e-13)[0]
        for p, q in itertools.pairwise(edges)
    )
    assert kernel == pytest.approx(exact, rel=1e-12)


def test_unscaled_limit_is_the_kernel_interpolant():
    for activation in ("abs", "relu", "leaky_relu"):
        kernel = ib.limit_kernel(X, X, activation=activation, initialization=UNIFORM)
        inside = np.linspace(-1, 1, 101)
        want = ib.limit_kernel(inside, X, activation=activation, initialization=UNIFORM) @ np.linalg.solve(kernel, Y)
        for potential in (None, ib.PowerPotential(3, 1.0), ib.CoshPotential(), ib.HypentropyPotential(2.0)):
            limit = ib.wide_limit(X, Y, activation=activation, initialization=UNIFORM, potential=potential)
            np.testing.assert_allclose(limit(inside), want, atol=3e-13)  # condition number 600 times eps
            assert limit.penalty == pytest.approx(Y @ np.linalg.solve(kernel, Y), rel=1e-12)


def test_scaled_quadratic_is_gradient_flow():
    plain = ib.wide_limit(X, Y, activation="abs", initialization=UNIFORM)
    np.testing.assert_allclose(scaled_limit("x^2")(GRID), plain(GRID), atol=1e-13)


def oracle(limit, inverse, t):
    """h(t) in 30 digits from the multiplier alone, by mpmath's quadrature split at the zeros of g."""
    mpmath.mp.dps = 30
    lam, xs = [mpmath.mpf(float(v)) for v in limit.dual], [mpmath.mpf(float(v)) for v in limit.x]

    def g(c):
        return sum(a * abs(x - c) for a, x in zip(lam, xs, strict=True))

    cuts = sorted({mpmath.mpf(-1), mpmath.mpf(1), *xs} | ({mpmath.mpf(t)} if abs(t) < 1 else set()))
    zeros = [p + (q - p) * g(p) / (g(p) - g(q)) for p, q in itertools.pairwise(cuts) if g(p) * g(q) < 0]
    cuts = sorted({*cuts, *zeros})
    return sum(mpmath.quad(lambda c: inverse(g(c)) * abs(t - c) / 2, [p, q], maxdegree=10) for p, q in itertools.pairwise(cuts))


def quartic(g):
    t = mpmath.sqrt(mpmath.mpf(1) / 6)
    return 2 * t * mpmath.sinh(mpmath.asinh(g / (8 * t**3)) / 3)


@pytest.mark.parametrize(
    ("name", "inverse"),
    [
        ("|x|^3+x^2", lambda g: g / (1 + mpmath.sqrt(1 + 3 * abs(g)))),
        ("x^4+x^2", quartic),
        ("cosh", mpmath.asinh),
        ("hypentropy", lambda g: 2 * mpmath.sinh(g)),
    ],
)
def test_scaled_limit_against_thirty_digits(name, inverse):
    limit = scaled_limit(name)
    # the oracle takes the rounded multiplier; its cancellation |lambda|_1 eps (1e7 * 1e-16 for cosh) sets 1e-12
    for t in (-0.65, 0.1, 1.2):
        assert float(limit(t)) == pytest.approx(float(oracle(limit, inverse, t)), abs=1e-12)
    for x, y in zip(X, Y, strict=True):
        assert y == pytest.approx(float(oracle(limit, inverse, float(x))), abs=1e-12)


def test_expected_values_of_the_demonstration_set():
    """Values of h(-0.65), the largest and the mean |h''|; to the digits in which two computations agree."""
    expected = {
        "x^2": (0.087258346, 22.69689, 9.457577),
        "|x|^3+x^2": (0.043565858, 18.27208, 10.567245),
        "x^4+x^2": (0.020232395, 16.60738, 11.235207),
        "cosh": (-0.022566483, 14.09233, 12.663815),
    }
    for name, (value, largest, mean) in expected.items():
        limit = scaled_limit(name)
        statistics = limit.curvature_statistics()
        assert float(limit(-0.65)) == pytest.approx(value, abs=2e-9)
        fine = np.abs(limit.derivative(np.linspace(-1, 1, 400_001), order=2))
        assert statistics["max"] == pytest.approx(largest, abs=1e-5)
        assert statistics["max"] == pytest.approx(fine.max(), rel=1e-12)
        assert statistics["mean"] == pytest.approx(mean, abs=1e-6)
        assert statistics["mean"] == pytest.approx(np.trapezoid(fine, dx=5e-6) / 2, rel=1e-5)


def zeros_of_g(limit):
    """Zeros of the piecewise linear g in [-1, 1], from the multiplier."""
    knots = np.unique(np.concatenate([limit.x, [-1.0, 1.0]]))
    g = limit.dual @ np.abs(limit.x[:, None] - knots)
    return np.array(
        [a - ga * (b - a) / (gb - ga) for a, b, ga, gb in zip(knots, knots[1:], g, g[1:], strict=False) if ga * gb < 0]
    )


@pytest.mark.parametrize("name", POTENTIALS)
def test_limit_interpolates_and_obeys_the_hidden_constraints(name):
    limit = scaled_limit(name)
    assert np.max(np.abs(limit(X) - Y)) < 1e-12
    assert np.sum(limit.derivative(np.array([-3.0, 3.0]))) == pytest.approx(0, abs=1e-12)
    zeros = zeros_of_g(limit)
    knots = np.unique(np.concatenate([X, [-1.0, 0.0, 1.0], zeros]))
    fine = {"atol": 1e-15, "rtol": 1e-14, "maxlevel": 12}
    # double exponential quadrature resolves fronts at the ends of the pieces down to widths of 1e-8 (cosh: 1e-7)
    pieces = integrate.tanhsinh(lambda c: limit.derivative(c, order=2) * np.abs(c), knots[:-1], knots[1:], **fine)
    assert pieces.integral.sum() == pytest.approx(2 * float(limit(0.0)), abs=1e-8)


@pytest.mark.parametrize("name", POTENTIALS)
def test_optimality_no_admissible_change_lowers_the_cost(name):
    """Perturb alpha by functions that keep h(x_i): the cost E phi(alpha) must rise (convexity: sign suffices)."""
    limit, phi = scaled_limit(name), POTENTIALS[name]
    cuts = np.unique(np.concatenate([X, [-1.0, 1.0], zeros_of_g(limit)]))
    s, w = np.polynomial.legendre.leggauss(60)
    half = np.diff(cuts)[:, None] / 2
    c, mass = (cuts[:-1, None] + half * (1 + s)).ravel(), (half * w).ravel() / 2  # density 1/2
    alpha = limit.output_weight(c)
    response = np.abs(X[:, None] - c)
    rng = np.random.default_rng(0)
    gram = (response * mass) @ response.T
    base = mass @ phi(alpha)
    for _ in range(5):
        v = np.cos(rng.uniform(1, 9) * c + rng.uniform(0, 6))
        v = v - np.linalg.solve(gram, response @ (mass * v)) @ response
        for eps in (0.1, -0.1):
            assert mass @ phi(alpha + eps * v) > base


def test_derivatives_are_those_of_the_function():
    for activation in ("abs", "relu"):
        limit = ib.wide_limit(X, Y, activation=activation, initialization=UNIFORM, potential=ib.Scaled(ib.PowerPotential(3, 1.0)))
        t = np.linspace(-1.3, 1.3, 57) + 0.001
        h = 1e-5
        np.testing.assert_allclose((limit(t + h) - limit(t - h)) / (2 * h), limit.derivative(t), atol=1e-6)
        slope = (limit.derivative(t + h) - limit.derivative(t - h)) / (2 * h)
        np.testing.assert_allclose(slope, limit.derivative(t, order=2), atol=2e-3)


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.2, 5),
    st.sampled_from([2.5, 3.0, 4.0]),
    st.lists(st.floats(-1, 1), min_size=5, max_size=5).filter(lambda v: max(map(abs, v)) > 0.1),
)
def test_reflection_and_label_scaling(s, p, labels):
    """h of reflected data is h reflected; labels s*y with omega equal s times labels y with omega s^(2-p)."""
    labels = np.array(labels)
    limit = ib.wide_limit(X, labels, activation="abs", initialization=UNIFORM, potential=ib.Scaled(ib.PowerPotential(p, 1.0)))
    mirror = ib.wide_limit(-X, labels, activation="abs", initialization=UNIFORM, potential=ib.Scaled(ib.PowerPotential(p, 1.0)))
    np.testing.assert_allclose(mirror(-GRID), limit(GRID), atol=1e-11)
    scaled = ib.wide_limit(
        X, s * labels, activation="abs", initialization=UNIFORM, potential=ib.Scaled(ib.PowerPotential(p, s ** (p - 2)))
    )
    np.testing.assert_allclose(scaled(GRID), s * limit(GRID), atol=1e-10)


def test_order_of_the_data_does_not_matter():
    order = np.array([3, 0, 4, 1, 2])
    a, b = scaled_limit("x^4+x^2"), scaled_limit("x^4+x^2", X[order], Y[order])
    np.testing.assert_allclose(a(GRID), b(GRID), atol=1e-12)


def test_free_affine_part_gives_the_natural_spline():
    limit = ib.wide_limit(X, Y, activation="abs", initialization=UNIFORM, free_affine=True)
    t = np.linspace(-0.8, 0.8, 201)
    np.testing.assert_allclose(limit(t), CubicSpline(X, Y, bc_type="natural")(t), atol=1e-12)
    line = ib.wide_limit(X, 2 * X - 1, activation="abs", initialization=UNIFORM, free_affine=True)
    np.testing.assert_allclose(line(GRID), 2 * GRID - 1, atol=1e-13)
    assert line.affine == pytest.approx((2.0, -1.0))


def test_penalty_of_relu_splits_into_three_terms():
    for law in (stats.uniform(-1, 2), stats.norm(0, 0.8), stats.triang(0.5, -2, 4)):
        init = ib.Initialization(bias=law)
        x, y = np.array([-0.3, 0.1, 0.7]), np.array([1.0, -0.5, 2.0])
        limit = ib.wide_limit(x, y, activation="relu", initialization=init)
        terms = limit.penalty_terms()
        assert sum(terms.values()) == pytest.approx(limit.penalty, rel=1e-11)
        assert set(terms) == {"G1", "G2", "G3"}


def test_one_point_and_two_hundred_points():
    one = scaled_limit("x^4+x^2", np.array([0.3]), np.array([1.0]))
    assert float(one(0.3)) == pytest.approx(1, abs=1e-14)
    x = np.linspace(-0.95, 0.95, 200)
    many = scaled_limit("|x|^3+x^2", x, np.sin(5 * x))
    assert many.residual < 1e-12
    assert np.max(np.abs(many(x) - np.sin(5 * x))) < 1e-12


def test_flow_starts_at_zero_ends_at_the_limit_and_moves_the_kernel():
    for name, moves in (("x^2", False), ("x^4+x^2", True)):
        limit = scaled_limit(name)
        path = ib.wide_flow(
            X,
            Y,
            [0.0, 1.0, 1e3, 1e10],
            activation="abs",
            initialization=UNIFORM,
            potential=ib.Scaled(POTENTIALS[name]),
        )
        assert np.max(np.abs(path(GRID)[0])) == 0
        np.testing.assert_allclose(path(GRID)[-1], limit(GRID), atol=1e-8)
        np.testing.assert_allclose(path.residuals, Y - path(X), atol=1e-12)
        change = np.linalg.norm(path.kernels[-1] - path.kernels[0]) / np.linalg.norm(path.kernels[0])
        assert (change > 0.9) if moves else (change < 1e-12)


def test_flow_of_the_quadratic_potential_is_an_exponential():
    times = np.array([0.01, 0.3, 5.0])
    path = ib.wide_flow(X, Y, times, activation="abs", initialization=UNIFORM)
    kernel = ib.limit_kernel(X, X, activation="abs", initialization=UNIFORM)
    values, vectors = np.linalg.eigh(kernel)
    exact = (vectors * np.exp(-np.outer(times, values))[:, None, :]) @ (vectors.T @ Y)
    np.testing.assert_allclose(path.residuals, exact, atol=2e-9)


@pytest.mark.parametrize("name", ["|x|^3+x^2", "x^4+x^2", "cosh"])
def test_flow_against_tight_integrations(name):
    """To time 30 against DOP853 at 1e-13; to 1e6 against Radau at 3e-11; 1e-8 along the path."""
    options = {"activation": "abs", "initialization": UNIFORM, "potential": ib.Scaled(POTENTIALS[name])}
    times = np.array([0.1, 1.0, 30.0, 1e3, 1e6])
    path, fine = (ib.wide_flow(X, Y, times, rtol=r, **options) for r in (1e-9, 3e-11))
    np.testing.assert_allclose(path(GRID), fine(GRID), atol=1e-8)
    phi = POTENTIALS[name]
    cuts = np.unique([-1.0, *X, 1.0])
    s, w = np.polynomial.legendre.leggauss(60)

    def right(t, lam):
        g = lam @ np.abs(X[:, None] - cuts)
        zeros = [a - u * (b - a) / (v - u) for a, b, u, v in zip(cuts, cuts[1:], g, g[1:], strict=False) if u * v < 0]
        edges = np.unique([*cuts, *zeros])
        half = np.diff(edges)[:, None] / 2
        c, mass = (edges[:-1, None] + half * (1 + s)).ravel(), (half * w).ravel() / 2
        response = np.abs(X[:, None] - c)
        return Y - response @ (mass * phi.inverse_gradient(lam @ response))

    reference = integrate.solve_ivp(right, (0, 30.0), np.zeros(5), method="DOP853", rtol=1e-12, atol=1e-13, t_eval=times[:3])
    np.testing.assert_allclose(path.dual[:3], reference.y.T, atol=1e-8)


WITHOUT_HESSIAN = {
    "quadratic": (lambda x: x**2 / 2, lambda x: x, lambda x: 1.0 + 0 * x),
    "quartic": (lambda x: x**4 / 4 + x**2 / 2, lambda x: x**3 + x, lambda x: 3 * x**2 + 1),
    "modulus": (lambda x: np.abs(x) ** 3 + x**2, lambda x: 3 * x * np.abs(x) + 2 * x, lambda x: 6 * np.abs(x) + 2),
}


@pytest.mark.parametrize("name", WITHOUT_HESSIAN)
def test_custom_potential_without_hessian_reaches_the_same_limit(name):
    x, y = X, Y
    phi, gradient, hessian = WITHOUT_HESSIAN[name]
    calls = 0

    def counted(v):
        nonlocal calls
        calls += 1
        return gradient(v)

    limits = [
        ib.wide_limit(x, y, initialization=UNIFORM, potential=ib.Scaled(potential))
        for potential in (ib.CustomPotential(phi, counted), ib.CustomPotential(phi, gradient, hessian))
    ]
    t = np.linspace(-1, 1, 101)
    np.testing.assert_allclose(limits[0](t), limits[1](t), rtol=0, atol=1e-12)
    assert limits[0].residual < 1e-13
    # a hundred calls an evaluation would need more than ten times as many; the residual, measured by a second rule, costs one
    assert calls < 4000


def test_terms_say_what_was_given():
    x, y = [-0.5, 0.0, 0.6], [0.2, 0.5, -0.1]
    for options, words in (
        ({"activation": "relu", "free_affine": True}, "free_affine=True"),
        ({"activation": "abs"}, "'abs'.*one term"),
        ({"activation": "relu^2"}, r"'relu\^2'.*worked out"),
    ):
        limit = ib.wide_limit(x, y, initialization=UNIFORM, **options)
        with pytest.raises(ValueError, match=words):
            limit.penalty_terms()
    leaky = ib.wide_limit(x, y, activation="leaky_relu", initialization=UNIFORM)
    assert sum(leaky.penalty_terms().values()) == pytest.approx(leaky.penalty, rel=1e-12)


@pytest.mark.parametrize("potential", [ib.PowerPotential, "power", np.cosh], ids=repr)
def test_what_is_no_potential_is_named(potential):
    with pytest.raises(TypeError, match="a name, a plain function or a class without its brackets") as caught:
        ib.wide_limit([0.0, 0.5], [1.0, 2.0], initialization=UNIFORM, potential=potential)
    assert repr(potential)[:40] in str(caught.value)


@pytest.mark.parametrize(
    "times, remedy", [(10.0, r"pass a list, \[10.0\]"), ([-1.0, 2.0], "drop negative times"), ([2.0, 1.0], r"np.unique\(times\)")]
)
def test_times_come_with_the_right_remedy(times, remedy):
    for potential in (None, ib.Scaled(ib.CoshPotential())):
        with pytest.raises(ValueError, match=remedy):
            ib.wide_flow([0.0, 0.5], [1.0, 2.0], times, initialization=UNIFORM, potential=potential)


def test_part_of_a_path_is_the_path_at_those_times():
    init = ib.Initialization(bias=stats.uniform(-1, 2))
    path = ib.wide_flow([-0.5, 0.1, 0.5], [1.0, 0.0, 0.5], [0.1, 1.0, 10.0, 20.0], initialization=init)
    some, t = path[[1, 3]], np.linspace(-1, 1, 5)
    assert some.times.tolist() == [1.0, 20.0]
    np.testing.assert_array_equal(some(t), path(t)[[1, 3]])
    np.testing.assert_array_equal(some.curvature(t), path.curvature(t)[[1, 3]])
    for name in ("dual", "residuals", "kernels"):
        np.testing.assert_array_equal(getattr(path[1:], name), getattr(path, name)[1:])
