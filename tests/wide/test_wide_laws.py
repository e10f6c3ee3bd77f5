"""Infinite width for every symmetric law of (w, b): kernels, limits and penalties against independent integrals."""

# ruff: noqa: B023
from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

import ibtext as ib
from ibtext.demonstration import X, Y

LAWS = {
    "signs, uniform": ib.Initialization(bias=stats.uniform(-1, 2)),
    "signs, laplace": ib.Initialization(bias=stats.laplace(0, 0.6)),
    "signs, student": ib.Initialization(bias=stats.t(4)),
    "gauss": ib.Initialization(weight=stats.norm(0, 0.8), bias=stats.norm(0, 0.5)),
    "uniform": ib.Initialization(weight=stats.uniform(-1, 2), bias=stats.uniform(-2, 4)),
    "laplace": ib.Initialization(weight=stats.laplace(0, 0.7), bias=stats.laplace(0, 0.4)),
    "gauss, uniform": ib.Initialization(weight=stats.norm(0, 1.2), bias=stats.uniform(-1, 2)),
    "laplace, uniform": ib.Initialization(weight=stats.laplace(0, 0.5), bias=stats.uniform(-1, 2)),
    "gauss, laplace": ib.Initialization(weight=stats.norm(0, 0.8), bias=stats.laplace(0, 0.5)),
    "logistic, triangle": ib.Initialization(weight=stats.logistic(0, 0.4), bias=stats.triang(0.5, -1, 2)),
    "trapezoids": ib.Initialization(weight=stats.trapezoid(0.2, 0.8, -1, 2), bias=stats.trapezoid(0.3, 0.7, -1, 2)),
    "student": ib.Initialization(weight=stats.t(7), bias=stats.t(6)),
    "penalty": ib.Initialization.for_penalty(lambda c: np.exp(c) * (1 + c**2), support=(-1.0, 1.5)),
}
CONTINUOUS = [name for name, init in LAWS.items() if not init.signs]


def activation(name, u):
    positive = np.maximum(u, 0.0)
    return {"abs": np.abs(u), "relu": positive, "leaky_relu": np.maximum(u, 0.1 * u), "relu^2": positive**2}[name]


@pytest.mark.parametrize("law", CONTINUOUS)
def test_zeta_and_breakpoint_density_against_adaptive_quadrature(law):
    init = LAWS[law]
    c = np.array([-3.0, -0.4, 0.0, 0.3, 1.7])
    for values, power in ((init.zeta(c), 3), (init.breakpoint_density(c), 1)):
        for at, value in zip(c, values, strict=True):
            w_end, b_end = init.weight.support()[1], init.bias.support()[1]
            cuts = {0.0, *np.geomspace(0.01, 4000, 24), w_end, b_end / abs(at) if at else np.inf}
            corner = [f for law_ in (init.weight, init.bias) for f in ((0.3, 0.4, 0.6) if law_.dist.name == "trapezoid" else ())]
            cuts = np.unique([v for v in (*cuts, *corner, *(f / abs(at) for f in corner if at)) if v <= min(w_end, 4000)])
            exact = sum(
                integrate.quad(lambda w: 2 * w**power * init.weight.pdf(w) * init.bias.pdf(w * at), p, q, epsabs=0, epsrel=1e-13)[
                    0
                ]
                for p, q in itertools.pairwise(cuts)
                if init.weight.pdf((p + q) / 2) * init.bias.pdf((p + q) / 2 * at) > 0
            )
            # Student's tail beyond 4000 holds 1e-12 of the integral at c = 0
            assert value == pytest.approx(exact, rel=1e-11)


@pytest.mark.parametrize("law", CONTINUOUS)
def test_kernels_against_an_integral_over_the_circle(law):
    """E sigma(Ws - B) sigma(Wt - B) in polar coordinates of the plane, by Gauss-Legendre rules on graded panels in each."""
    init, s, t = LAWS[law], -0.7, 0.4
    ends = [init.weight.support()[1], init.bias.support()[1]]
    corners = [np.arctan2(ends[1], ends[0])] if np.all(np.isfinite(ends)) else []
    if law == "trapezoids":
        corners = list(np.arctan2([1, 1, 0.4, 0.4], [1, 0.6, 1, 0.6]))
    edges = np.unique([-np.pi / 2, 0.0, np.pi / 2, *np.arctan([s, t]), *corners, *(-np.array(corners))])
    # eighths toward both ends, where a heavy tail leaves powers of the angle
    grades = np.concatenate([8.0 ** -np.arange(6, 0, -1), 1 - 8.0 ** -np.arange(1, 7), [1]])
    edges = np.concatenate([edges[:1], (edges[:-1, None] + np.diff(edges)[:, None] * grades).ravel()])
    x, w = np.polynomial.legendre.leggauss(30)
    half = np.diff(edges)[:, None] / 2
    theta, mass = (edges[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()
    cos, sin = np.cos(theta), np.sin(theta)
    moments = {degree: circle_moment(init, 2 * degree + 1, cos, np.abs(sin)) for degree in (1, 2)}
    for name, degree in (("abs", 1), ("relu", 1), ("leaky_relu", 1), ("relu^2", 2)):
        if (name, law) == ("relu^2", "student"):
            continue  # fourth and fifth moments are wanted of both laws
        both = sum(activation(name, g * (s * cos - sin)) * activation(name, g * (t * cos - sin)) for g in (1, -1))
        kernel = ib.limit_kernel([s], [t], activation=name, initialization=init)[0, 0]
        assert kernel == pytest.approx(np.sum(mass * both * moments[degree]), rel=1e-11), name


def circle_moment(init, power, cos, sin):
    """int r^power p_W(r cos) p_B(r sin) dr for each angle, by Gauss-Legendre in panels of width one third in log r."""
    with np.errstate(divide="ignore"):
        reach = np.minimum(np.minimum(init.weight.support()[1] / cos, init.bias.support()[1] / sin), 1e6)
        bends = [f / of for f, law, of in ((0.6, init.weight, cos), (0.4, init.bias, sin)) if law.dist.name == "trapezoid"]
    panels = reach[:, None] * np.exp(-np.arange(72) / 3)
    edges = np.sort(np.column_stack([panels, *(np.minimum(bend, reach) for bend in bends)]), axis=1)
    x, w = np.polynomial.legendre.leggauss(16)
    half = np.diff(edges)[..., None] / 2
    r = edges[:, :-1, None] + half * (1 + x)
    density = init.weight.pdf(r * cos[:, None, None]) * init.bias.pdf(r * sin[:, None, None])
    return np.sum(half * w * r**power * density, axis=(1, 2))


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("data", ["demonstration", "asymmetric"])
def test_the_penalty_is_the_sum_of_its_three_terms(law, data):
    """G1 + G2 / E W^2 + G3 / E B^2 = y^T K^-1 y, and the kernel interpolant is the limit."""
    init = LAWS[law]
    x, y = (X, Y) if data == "demonstration" else (np.array([-0.3, 0.1, 0.7]), np.array([1.0, -0.5, 2.0]))
    for name in ("relu", "leaky_relu"):
        limit = ib.wide_limit(x, y, activation=name, initialization=init)
        kernel = ib.limit_kernel(x, x, activation=name, initialization=init)
        # the solution of the small system loses log10(cond) digits; cond is below 2000
        expected = y @ np.linalg.solve(kernel, y)
        assert limit.penalty == pytest.approx(expected, rel=1e-12)
        terms = limit.penalty_terms()
        assert sum(terms.values()) == pytest.approx(expected, rel=1e-12)
        t = np.linspace(-0.95, 0.95, 41)
        interpolant = ib.limit_kernel(t, x, activation=name, initialization=init) @ np.linalg.solve(kernel, y)
        np.testing.assert_allclose(limit(t), interpolant, atol=1e-11)


def test_terms_by_their_definition():
    """G1, G2, G3 of Gaussian weights from the function alone: adaptive integrals of h'' and slopes far away."""
    init = LAWS["gauss"]
    limit = ib.wide_limit(X, Y, activation="relu", initialization=init)
    terms = limit.penalty_terms()
    cuts = [-4000.0, -40.0, -4.0, *X, 4.0, 40.0, 4000.0]

    def integral(f):
        return sum(integrate.quad(f, a, b, epsabs=1e-12, epsrel=1e-11, limit=200)[0] for a, b in itertools.pairwise(cuts))

    first = integral(lambda c: float(limit.derivative(c, order=2)) ** 2 / float(init.zeta(c)))
    assert terms["G1"] == pytest.approx(first, rel=1e-3)  # (h'')^2/zeta falls like c^-2: 4000 leaves 2.5e-4
    slopes = float(limit.derivative(np.array([-1e9, 1e9])).sum())
    assert terms["G2"] == pytest.approx(slopes**2 / 0.8**2, rel=1e-9)
    height = integral(lambda c: float(limit.derivative(c, order=2)) * abs(c)) - 2 * float(limit(0.0))
    assert terms["G3"] == pytest.approx(height**2 / 0.5**2, rel=1e-2)


@pytest.mark.parametrize("law", ["gauss", "uniform", "laplace, uniform"])
@pytest.mark.parametrize("name", ["abs", "relu"])
def test_scaled_potential_with_random_weights_by_a_double_integral(law, name):
    """F(lambda) = y, with E over (w, b) by a plain product rule that knows none of the solver's coordinates."""
    init, phi = LAWS[law], ib.PowerPotential(3)
    x, y = np.array([-0.5, 0.6]), np.array([1.0, -0.4])
    limit = ib.wide_limit(x, y, activation=name, initialization=init, potential=ib.Scaled(phi))
    assert limit.residual < 1e-12
    w_end = min(float(init.weight.support()[1]), 40 * init.weight.std())
    b_end = min(float(init.bias.support()[1]), 40 * init.bias.std())
    u, m = np.polynomial.legendre.leggauss(20)

    def panels(edges):
        half = np.diff(edges)[:, None] / 2
        return (edges[:-1, None] + half * (1 + u)).ravel(), (half * m).ravel()

    grades = np.concatenate([[0], 6.0 ** -np.arange(8, 0, -1), 1 - 6.0 ** -np.arange(1, 9), [1]])
    value = np.zeros(2)
    for sign in (1, -1):

        def sigma(v, sign=sign):
            return np.abs(v) if name == "abs" else np.clip(sign * v, 0, None)

        def g(c, sigma=sigma):
            return limit.dual @ sigma(x[:, None] - c)

        # breakpoints by their angle, cut at inputs, at the corner of the supports and at zeros of g
        corner = np.arctan(b_end / w_end)
        cuts = np.unique(np.concatenate([np.linspace(-np.pi / 2, np.pi / 2, 201), np.arctan(x), [corner, -corner]]))
        ends = g(np.tan(cuts)) * np.cos(cuts)
        zeros = [
            optimize.brentq(lambda a: g(np.tan(a))[0] * np.cos(a), p, q, xtol=1e-15)
            for p, q, i, j in zip(cuts, cuts[1:], ends, ends[1:], strict=False)
            if i * j < 0 and min(abs(i), abs(j)) > 1e-9
        ]
        stops = np.unique([-np.pi / 2, 0.0, np.pi / 2, *np.arctan(x), corner, -corner, *zeros])
        angles = np.concatenate([p + (q - p) * grades for p, q in itertools.pairwise(stops)])
        theta, mass = panels(np.unique(angles))
        for c, weight in zip(np.tan(theta), mass / np.cos(theta) ** 2, strict=True):
            top = min(w_end, b_end / abs(c))
            w, inner = panels(top * np.concatenate([[0], 4.0 ** -np.arange(14, -1, -1.0)]))
            law = init.weight.pdf(w) * init.bias.pdf(w * c) * w**2
            value += weight * sigma(x - c) * (inner @ (law * phi.inverse_gradient(w * g(c))))
    np.testing.assert_allclose(value, y, atol=1e-9)


def test_a_common_scale_changes_the_penalty_only():
    """A common factor of weight and bias leaves h as it is and divides the penalty by its square."""
    init = LAWS["gauss"]
    double = ib.Initialization(weight=stats.norm(0, 1.6), bias=stats.norm(0, 1.0))
    a, b = (ib.wide_limit(X, Y, activation="relu", initialization=i) for i in (init, double))
    t = np.linspace(-2, 2, 41)
    np.testing.assert_allclose(a(t), b(t), atol=1e-12)  # h depends on the ratio of scales only
    assert b.penalty == pytest.approx(a.penalty / 4, rel=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([name for name in LAWS if name != "penalty"]),
    st.sampled_from(["abs", "relu", "leaky_relu"]),
    st.lists(st.floats(-0.9, 0.9), min_size=2, max_size=6, unique=True).filter(lambda x: min(np.diff(sorted(x))) > 0.02),
    st.integers(0, 2**32 - 1),
)
@example("logistic, triangle", "abs", [0.5, 3.94117095026974e-310], 0)  # an angle whose reciprocal overflows
def test_limits_of_random_data_are_symmetric_and_interpolate(law, name, x, seed):
    x, y = np.array(x), np.random.default_rng(seed).standard_normal(len(x))
    limit = ib.wide_limit(x, y, activation=name, initialization=LAWS[law])
    mirror = ib.wide_limit(-x, y, activation=name, initialization=LAWS[law])
    t = np.linspace(-1.5, 1.5, 31)
    size = max(1.0, float(np.max(np.abs(limit(t)))))
    np.testing.assert_allclose(mirror(-t), limit(t), atol=1e-10 * size)
    np.testing.assert_allclose(limit(x), y, atol=1e-14 * size)
    e = 1e-5
    slope = (limit(t + e) - limit(t - e)) / (2 * e)
    assert np.max(np.abs(slope - limit.derivative(t))) < 1e-4 * max(1.0, float(np.max(np.abs(limit.derivative(t, order=2)))))


def test_flow_of_a_linear_problem_with_random_weights():
    times = np.array([0.0, 0.3, 5.0, 1e7])
    path = ib.wide_flow(X, Y, times, activation="relu", initialization=LAWS["gauss"])
    kernel = ib.limit_kernel(X, X, activation="relu", initialization=LAWS["gauss"])
    values, vectors = np.linalg.eigh(kernel)
    exact = (vectors * np.exp(-np.outer(times, values))[:, None, :]) @ (vectors.T @ Y)
    np.testing.assert_allclose(path.residuals, exact, atol=1e-12)
    limit = ib.wide_limit(X, Y, activation="relu", initialization=LAWS["gauss"])
    np.testing.assert_allclose(path(X * 1.7)[-1], limit(X * 1.7), atol=1e-10)


@pytest.mark.parametrize("beta", [0.1, 2.0])
def test_exponential_inverse_gradients_need_light_tails(beta):
    """The mean of sinh(w g) is infinite for a Laplace weight: refused; a bounded law is fine."""
    potential = ib.Scaled(ib.HypentropyPotential(beta))
    with pytest.raises(ib.ConvergenceError, match="choose laws with bounded"):
        ib.wide_limit(X, Y, activation="abs", initialization=LAWS["laplace"], potential=potential)
    limit = ib.wide_limit(X, 0.01 * Y, activation="abs", initialization=LAWS["uniform"], potential=potential)
    assert limit.residual < 1e-14
