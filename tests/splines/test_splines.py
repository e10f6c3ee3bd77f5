"""Splines against independent solutions: 60-digit elimination, SciPy, the wide limit, and the optimality conditions."""

from __future__ import annotations

import itertools
import re
import tracemalloc

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.interpolate import CubicSpline, make_smoothing_spline

import ibtext as ib
from ibtext.splines import adaptive_spline, natural_spline, smoothing_from_time
from ibtext.splines.weighted import SMALLEST_GAP


def relative(a, b):
    return float(np.max(np.abs(np.asarray(a) - b)) / np.max(np.abs(b)))


def sample(m, seed=0, low=-1.0, high=1.0):
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(low, high, m))
    return x, np.sin(5 * x) + 0.3 * rng.normal(size=m)


def reference(x, y, *, poly=(1.0,), smoothing=0.0, weights=None, digits=60):
    """Fit and penalty by elimination with many digits; zeta is the polynomial with coefficients ``poly``.

    The five-band normal equations (R + s Q W^-1 Q^T) gamma = Q y, which the package avoids.
    """
    with mp.workdps(digits):
        x, y = [mp.mpf(float(v)) for v in x], [mp.mpf(float(v)) for v in y]
        m = len(x)
        w = [mp.mpf(1)] * m if weights is None else [mp.mpf(float(v)) for v in weights]
        s = mp.mpf(smoothing)
        h = [b - a for a, b in itertools.pairwise(x)]

        def moment(i, p, q):  # integral of zeta (1-u)^p u^q over interval i, exactly
            total = mp.mpf(0)
            for k, c in enumerate(poly):
                for j in range(k + 1):
                    term = mp.binomial(k, j) * x[i] ** (k - j) * h[i] ** j * mp.beta(j + q + 1, p + 1)
                    total += mp.mpf(c) * term * h[i]
            return total

        n = m - 2
        q = [{j: 1 / h[j], j + 1: -1 / h[j] - 1 / h[j + 1], j + 2: 1 / h[j + 1]} for j in range(n)]
        a = [[mp.mpf(0)] * 3 for _ in range(n)]  # a[j][d] = A[j, j+d]
        for j in range(n):
            a[j][0] += moment(j, 0, 2) + moment(j + 1, 2, 0)
            if j + 1 < n:
                a[j][1] += moment(j + 1, 1, 1)
            for d in range(min(3, n - j)):
                a[j][d] += s * sum(q[j][i] * q[j + d].get(i, 0) / w[i] for i in q[j])
        original = [row[:] for row in a]
        b = [sum(v * y[i] for i, v in row.items()) for row in q]
        for j in range(n):
            for d in range(1, min(3, n - j)):
                factor = a[j][d] / a[j][0]
                for k in range(d, min(3, n - j)):
                    a[j + d][k - d] -= factor * a[j][k]
                b[j + d] -= factor * b[j]
        gamma = [mp.mpf(0)] * n
        for j in reversed(range(n)):
            gamma[j] = (b[j] - sum(a[j][d] * gamma[j + d] for d in range(1, min(3, n - j)))) / a[j][0]
        residual = [s * sum(q[j][i] * gamma[j] for j in range(max(0, i - 2), min(n, i + 1))) / w[i] for i in range(m)]
        penalty = sum(gamma[j] * gamma[j] * (moment(j, 0, 2) + moment(j + 1, 2, 0)) for j in range(n))
        penalty += 2 * sum(gamma[j] * gamma[j + 1] * moment(j + 1, 1, 1) for j in range(n - 1))
        assert original[0][0] > 0
        return (
            np.array([float(v - e) for v, e in zip(y, residual, strict=True)]),
            np.array([float(e) for e in residual]),
            np.array([float(g) for g in gamma]),
            float(penalty),
        )


# ---- against 60 digits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 1e-12, 1e-3, 1.0, 1e6, 1e15])
@pytest.mark.parametrize("poly", [(1.0,), (0.2, 0.3, 1.0)])
def test_200_points_to_1e_12(smoothing, poly):
    """At s = 1e6 the five-band matrix has a condition number beyond 1e12; nothing is lost."""
    x, y = sample(200)
    weights = np.random.default_rng(1).uniform(0.1, 10, 200)
    g = adaptive_spline(x, y, zeta=lambda t: np.polyval(poly[::-1], t), smoothing=smoothing, weights=weights)
    values, residual, gamma, penalty = reference(x, y, poly=poly, smoothing=smoothing, weights=weights)
    assert relative(g.values, values) < 1e-14
    assert relative(g(x), values) < 1e-13
    if smoothing:
        assert relative(g.residual, residual) < 1e-13
    assert relative(g.curvature(x)[1:-1], np.polyval(poly[::-1], x[1:-1]) * gamma) < 1e-12
    assert abs(g.penalty - penalty) < 1e-12 * penalty


def test_the_naive_band_matrix_would_fail_there():
    """The claim of the previous test has content: plain elimination in double precision loses these digits."""
    x, y = sample(200)
    values = reference(x, y, smoothing=1e6)[0]
    scipy_error = relative(make_smoothing_spline(x, y, lam=1e6)(x), values)
    assert scipy_error > 1e-6
    assert relative(adaptive_spline(x, y, smoothing=1e6).values, values) < 1e-14


@pytest.mark.parametrize("smoothing", [0.0, 1e-20, 1.0, 1e20])
def test_gaps_and_weights_over_ten_decades(smoothing):
    rng = np.random.default_rng(5)
    x = np.cumsum(10.0 ** rng.uniform(-9, 0, 60))
    y, weights = rng.normal(size=60), 10.0 ** rng.uniform(-5, 5, 60)
    g = adaptive_spline(x, y, smoothing=smoothing, weights=weights)
    values, _, gamma, penalty = reference(x, y, smoothing=smoothing, weights=weights, digits=120)
    assert relative(g.values, values) < 1e-13
    assert np.all(np.abs(g.curvature(x)[1:-1] - gamma) < 1e-10 * np.abs(gamma).max())
    assert abs(g.penalty - penalty) < 1e-10 * penalty


# ---- against SciPy ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [3, 5, 40, 200])
def test_natural_spline_is_the_one_of_scipy(m):
    x, y = sample(m)
    t = np.linspace(x[0], x[-1], 2001)
    g, c = natural_spline(x, y), CubicSpline(x, y, bc_type="natural")
    assert relative(g(t), c(t)) < 1e-12
    assert relative(g.derivative(t), c(t, 1)) < 1e-12
    assert relative(g.derivative(t, order=2), c(t, 2)) < 1e-12


@pytest.mark.parametrize("lam", [1e-8, 1e-5, 1e-4])
@pytest.mark.parametrize("zeta", [1.0, 0.25])
def test_smoothing_spline_is_the_one_of_scipy(lam, zeta):
    """lam of SciPy is smoothing / zeta. Beyond lam = 1e-3 it is SciPy that loses digits: see above."""
    x, y = sample(50)
    w = np.random.default_rng(2).uniform(0.5, 2, 50)
    t = np.linspace(x[0], x[-1], 999)
    g = adaptive_spline(x, y, zeta=lambda u: zeta + 0 * u, smoothing=lam * zeta, weights=w)
    assert relative(g(t), make_smoothing_spline(x, y, lam=lam, w=w)(t)) < 1e-12
    assert relative(adaptive_spline(x, y, zeta=zeta, smoothing=lam * zeta, weights=w)(t), g(t)) < 1e-13


# ---- against the wide limit -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "law",
    [stats.uniform(-1, 2), stats.norm(0, 0.5), stats.laplace(0, 0.4), stats.triang(0.5, -1, 2)],
    ids=lambda law: law.dist.name,
)
def test_free_affine_wide_limit(law):
    """Jin and Montúfar, theorem 13, for sign weights: the interpolant with the least weighted curvature."""
    init = ib.Initialization(bias=law)
    x = 0.9 * np.array([-1.0, -0.7, -0.1, 0.2, 0.4, 1.0])
    y = np.array([1.0, -0.3, 0.5, 0.2, -1.0, 0.1])
    t = np.linspace(-0.9, 0.9, 501)
    limit = ib.wide_limit(x, y, activation="abs", initialization=init, free_affine=True)
    for zeta in (init, init.zeta):
        g = adaptive_spline(x, y, zeta=zeta)
        assert relative(g(t), limit(t)) < 1e-12
        assert relative(g.derivative(t), limit.derivative(t)) < 1e-12


def test_inputs_outside_the_support_are_refused():
    init = ib.Initialization(bias=stats.uniform(-1, 2))
    with pytest.raises(ValueError, match=r"support \[-1, 1\] .* but 1\.5 was given.*; rescale"):
        adaptive_spline([0.0, 1.0, 1.5], [0.0, 1.0, 0.0], zeta=init)


# ---- optimality, whatever the weight ----------------------------------------------------------------------------

WEIGHTS = {
    "gaussian": lambda t: np.exp(-8 * t**2),
    "steep": lambda t: np.exp(12 * t),
    "rational": lambda t: 1 / (0.01 + t**2),
    "kink": lambda t: 0.1 + np.abs(t - 0.123),
    "jump": lambda t: np.where(t > 0.123, 5.0, 0.5),
    "root": lambda t: np.sqrt(np.abs(t - 0.123)),
    "zero at a point": lambda t: (t - 0.123) ** 2,
    "zero on a stretch": lambda t: np.maximum(t**2 - 0.01, 0.0),
}


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("smoothing", [0.0, 1e-3])
def test_stationarity_by_independent_quadrature(name, smoothing):
    r"""For every direction v: sum w (g - y) v(x) + s int g'' v'' / zeta = 0, and g is the integral of its curvature.

    With v'' = zeta times a hat function the integral is that of g'' times the hat; scipy.integrate.quad computes it.
    """
    zeta = WEIGHTS[name]
    x = np.array([-0.8, -0.55, -0.2, 0.05, 0.4, 0.7, 0.9])
    y = np.array([0.3, -0.2, 0.9, -0.4, 0.1, 0.8, -0.3])
    w = np.array([1.0, 2.0, 0.5, 1.0, 3.0, 1.0, 0.7])
    g = adaptive_spline(x, y, zeta=zeta, smoothing=smoothing, weights=w)
    cuts = np.unique(np.concatenate([x, [0.123, -0.1, 0.1]]))

    def integral(f, low, high):
        edges = [low, *cuts[(cuts > low) & (cuts < high)], high]
        return sum(integrate.quad(f, a, b, epsabs=1e-13, epsrel=1e-13, limit=400)[0] for a, b in itertools.pairwise(edges))

    # g'' / zeta is continuous and piecewise linear, zero at both ends: read it off at the data, not from internals
    gamma = np.array([float(g.curvature(v) / zeta(v)) if zeta(v) > 0 else np.nan for v in x])
    assert gamma[0] == gamma[-1] == 0
    known = np.isfinite(gamma)
    if smoothing:  # residual = s W^-1 Q^T gamma
        slope = np.diff(gamma) / np.diff(x)
        pull = smoothing * np.diff(slope, prepend=0, append=0) / w
        keep = np.isfinite(pull)
        assert keep.sum() >= 3
        assert np.max(np.abs(g.residual - pull)[keep]) < 1e-12
        assert np.max(np.abs(g.residual + g.values - y)) < 1e-15
    else:
        assert np.max(np.abs(g(x) - y)) < 1e-14
    for low, high in itertools.pairwise(x):
        for t in np.linspace(low, high, 5)[1:]:
            rise = integral(g.curvature, low, t)
            scale = integral(lambda u: abs(g.curvature(u)), low, t)
            assert abs(g.derivative(t) - g.derivative(low) - rise) < 1e-11 * max(scale, 1.0)
            double = integral(lambda u, t=t: (t - u) * g.curvature(u), low, t)
            assert abs(g(t) - g(low) - g.derivative(low) * (t - low) - double) < 1e-11 * max(scale, 1.0)
    if known.all():
        cost = integral(lambda u: g.curvature(u) ** 2 / max(zeta(u), 1e-300), x[0], x[-1])
        assert abs(g.penalty - cost) < 1e-9 * cost


def test_breaks_change_nothing_but_the_work():
    x, y = sample(8)
    jump = WEIGHTS["jump"]
    plain, told = adaptive_spline(x, y, zeta=jump), adaptive_spline(x, y, zeta=jump, breaks=[0.123])
    t = np.linspace(-1.2, 1.2, 777)
    assert relative(told(t), plain(t)) < 1e-12
    assert told._cells.left.size < plain._cells.left.size


def test_constraint_where_zeta_vanishes_between_two_neighbours():
    """A straight piece between two data points, curvature on both sides."""
    zeta = lambda t: np.where((t > 0) & (t < 1), 0.0, 1.0)  # noqa: E731
    g = adaptive_spline([-1.0, 0.0, 1.0, 2.0], [1.0, 0.0, 1.0, 0.0], zeta=zeta)
    t = np.linspace(0, 1, 11)
    assert np.max(np.abs(g(t) - t)) < 1e-15
    assert np.max(np.abs(g.curvature(t[1:-1]))) == 0
    flat = adaptive_spline([-1.0, 0.0, 0.5, 1.0, 2.0], [1.0, 0.0, 1.0, 1.0, 0.0], zeta=zeta, smoothing=0.1)
    assert np.max(np.abs(flat.curvature(t[1:-1]))) == 0
    assert np.ptp(flat.derivative(t)) < 1e-14


# ---- limits of the smoothing ------------------------------------------------------------------------------------


@pytest.mark.parametrize("m", [3, 30, 200, 5000])
def test_huge_smoothing_is_the_line(m):
    x, y = sample(m)
    w = np.random.default_rng(3).uniform(0.2, 3, m)
    g = adaptive_spline(x, y, smoothing=1e25, weights=w)
    a = np.stack([np.ones(m), x], axis=1) * np.sqrt(w)[:, None]
    line = np.linalg.lstsq(a, y * np.sqrt(w), rcond=None)[0]
    assert relative(g(x), line[0] + line[1] * x) < 1e-12


def test_the_approach_to_the_line_has_the_right_order():
    x, y = sample(100)
    line = adaptive_spline(x, y, smoothing=1e30).values
    gap = [np.max(np.abs(adaptive_spline(x, y, smoothing=s).values - line)) for s in (1e6, 1e8, 1e10)]
    assert np.allclose(np.diff(np.log10(gap)), -2, atol=1e-3)


@pytest.mark.parametrize("m", [3, 30, 200])
def test_tiny_smoothing_is_the_interpolant(m):
    x, y = sample(m)
    t = np.linspace(-1.3, 1.3, 301)
    assert relative(adaptive_spline(x, y, smoothing=1e-40)(t), natural_spline(x, y)(t)) < 1e-12


# ---- the object -------------------------------------------------------------------------------------------------


def test_affine_outside_the_hull():
    x, y = sample(12)
    g = adaptive_spline(x, y, zeta=WEIGHTS["gaussian"], smoothing=1e-4)
    for end, t in ((x[0], x[0] - np.array([0.1, 1.0, 50.0])), (x[-1], x[-1] + np.array([0.1, 1.0, 50.0]))):
        assert np.all(g.derivative(t) == g.derivative(t[0]))
        assert abs(g.derivative(t[0]) - g.derivative(end)) < 1e-12
        assert relative(g(t), g(end) + g.derivative(end) * (t - end)) < 1e-13
        assert np.all(g.curvature(t) == 0)


def test_order_and_shapes():
    x, y = sample(20)
    p = np.random.default_rng(0).permutation(20)
    w = np.linspace(1, 2, 20)
    g, q = adaptive_spline(x, y, smoothing=0.1, weights=w), adaptive_spline(x[p], y[p], smoothing=0.1, weights=w[p])
    assert np.array_equal(q.values, g.values[p]) and np.array_equal(q.residual, g.residual[p])
    t = np.linspace(-1, 1, 12).reshape(3, 4)
    assert q(t).shape == q.derivative(t).shape == q.curvature(t).shape == (3, 4)
    assert np.array_equal(q(t), g(t))
    assert q([]).shape == (0,) and q(0.1).shape == ()


def test_label_sets_at_once():
    x, y = sample(20)
    ys = np.stack([y, x, y**2], axis=1)
    t = np.linspace(-1.2, 1.2, 10).reshape(2, 5)
    for s in (0.0, 0.3):
        many = adaptive_spline(x, ys, zeta=WEIGHTS["gaussian"], smoothing=s)
        assert many(t).shape == many.derivative(t).shape == many.derivative(t, order=2).shape == (2, 5, 3)
        assert many.values.shape == many.residual.shape == (20, 3) and many.penalty.shape == (3,)
        for k in range(3):
            one = adaptive_spline(x, ys[:, k], zeta=WEIGHTS["gaussian"], smoothing=s)
            assert np.max(np.abs(many(t)[..., k] - one(t))) < 1e-13
            assert abs(many.penalty[k] - one.penalty) <= 1e-12 * many.penalty[0]


def test_two_points_and_zero_labels():
    g = adaptive_spline([1.0, 0.0], [2.0, 1.0], zeta=WEIGHTS["kink"], smoothing=2.0)
    assert g(3.0) == 4.0 and g.penalty == 0 and g.derivative(-5.0) == 1.0 and g.curvature(0.5) == 0
    for s in (0.0, 1.0):
        flat = adaptive_spline([0.0, 1.0, 2.0, 3.0], np.zeros(4), smoothing=s)
        assert np.all(flat(np.linspace(-1, 4, 9)) == 0) and flat.penalty == 0


def test_hidden_state_is_not_shared_with_the_caller():
    x, y = sample(10)
    g = natural_spline(x, y)
    before = g(0.3)
    x[:], y[:] = 0, 0
    assert g(0.3) == before and g.x[0] != 0


# ---- properties -------------------------------------------------------------------------------------------------

DATA = st.lists(st.tuples(st.integers(-1000, 1000), st.integers(-50, 50)), min_size=3, max_size=25, unique_by=lambda p: p[0])
SMOOTHING = st.one_of(st.just(0.0), st.floats(-12, 8).map(lambda e: 10.0**e))


@settings(max_examples=60, deadline=None)
@given(DATA, SMOOTHING, st.floats(-3, 3), st.floats(0.1, 10))
def test_symmetries(points, s, shift, factor):
    """Shifts and stretches of the input, affine changes of the label, reflection."""
    x, y = np.array(points, dtype=float).T / 10
    zeta = lambda t: 1 / (1 + (t / 30) ** 2)  # noqa: E731
    g = adaptive_spline(x, y, zeta=zeta, smoothing=s)
    t = np.linspace(x.min() - 1, x.max() + 1, 41)
    size = np.max(np.abs(g(t))) + np.max(np.abs(y)) + 1
    mirrored = adaptive_spline(-x, y, zeta=zeta, smoothing=s)
    assert np.max(np.abs(mirrored(-t) - g(t))) < 1e-11 * size
    tilted = adaptive_spline(x, 2 * y + shift * x - 1, zeta=zeta, smoothing=s)
    assert np.max(np.abs(tilted(t) - (2 * g(t) + shift * t - 1))) < 1e-11 * (size + 3 * np.max(np.abs(t)))
    stretched = adaptive_spline(factor * x, y, zeta=lambda u: zeta(u / factor), smoothing=s * factor**3)
    assert np.max(np.abs(stretched(factor * t) - g(t))) < 1e-10 * size
    heavier = adaptive_spline(x, y, zeta=lambda u: factor * zeta(u), smoothing=s * factor)
    assert np.max(np.abs(heavier(t) - g(t))) < 1e-11 * size


@settings(max_examples=40, deadline=None)
@given(DATA, st.floats(-10, 6))
def test_it_is_a_minimum(points, exponent):
    """No other spline of the same family does better; the gap to each is the quadratic form of the difference."""
    x, y = np.array(points, dtype=float).T / 100
    s, w = 10.0**exponent, 1 + np.arange(x.size) % 3
    g = adaptive_spline(x, y, smoothing=s, weights=w)
    other = natural_spline(x, g.values + np.sin(7 * x))
    bend = natural_spline(x, np.sin(7 * x))
    value = w @ g.residual**2 + s * g.penalty
    gap = w @ np.sin(7 * x) ** 2 + s * bend.penalty
    assert abs(w @ (other.values - y) ** 2 + s * other.penalty - value - gap) < 1e-9 * (value + gap)


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 25), st.integers(0, 10**6), st.floats(0, 11), st.floats(-30, 30))
def test_uneven_grids_against_60_digits(m, seed, decades, exponent):
    rng = np.random.default_rng(seed)
    x = np.cumsum(10.0 ** rng.uniform(-decades / 2, decades / 2, m))
    x, y = x / x[-1], rng.normal(size=m)
    if np.min(np.diff(x)) <= SMALLEST_GAP:
        return
    weights = 10.0 ** rng.uniform(-3, 3, m)
    g = adaptive_spline(x, y, smoothing=10.0**exponent, weights=weights)
    values = reference(x, y, smoothing=10.0**exponent, weights=weights, digits=150)[0]
    assert relative(g.values, values) < 1e-12


# ---- speed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
def test_cost_is_linear_in_the_number_of_points(smoothing):
    """What makes it fast, in place of a clock: 8 evaluations of zeta an interval, and memory of some hundred numbers a point.

    A dense matrix of 100 000 points would hold 80 GB, of 25 000 points 5 GB.
    """
    peaks, evaluations = [], []
    for m in (25_000, 100_000):
        x = np.sort(np.random.default_rng(0).uniform(0, 1, m))
        y, seen = np.sin(9 * x), [0]

        def zeta(t, seen=seen):
            seen[0] += t.size
            return np.exp(-(t**2))

        tracemalloc.start()
        g = adaptive_spline(x, y, zeta=zeta, smoothing=smoothing)
        peaks.append(tracemalloc.get_traced_memory()[1] / m)
        tracemalloc.stop()
        evaluations.append(seen[0] / m)
    assert max(evaluations) < 10
    assert max(peaks) < 2000  # bytes a point
    assert peaks[1] < 1.1 * peaks[0]
    assert np.max(np.abs(g(x) - g.values)) < 1e-14


# ---- time and smoothing -----------------------------------------------------------------------------------------


def test_smoothing_from_time_follows_gradient_flow():
    """The factors of four losses, from the damping of a mode at short time: 1 - kappa t mu = 1 - mu / s."""
    residual, mu, m, t = 1.0, 0.7, 10, 1e-6
    for loss, gradient in {"half_sum": 1, "sum": 2, "half_mean": 1 / m, "mean": 2 / m}.items():
        after = residual - t * gradient * mu * residual
        s = smoothing_from_time(t, loss=loss, count=m)
        assert abs(1 / (1 + mu / s) - after) < 2 * (gradient * mu * t) ** 2


# ---- bad input --------------------------------------------------------------------------------------------------

X, Y = [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 2.0]


def fit(x=X, y=Y, **options):
    return adaptive_spline(x, y, **options)


REFUSED = {
    "nan label": (lambda: fit(y=[0, np.nan, 1, 2]), "entry .* is nan"),
    "infinite input": (lambda: natural_spline([0, np.inf, 1], [1, 2, 3]), "entry .* is inf"),
    "text": (lambda: fit(x=["a", "b", "c", "d"]), "array of real numbers"),
    "complex": (lambda: fit(y=[1j, 0, 0, 0]), "array of real numbers"),
    "none": (lambda: natural_spline(None, None), "array of real numbers"),
    "empty": (lambda: fit([], []), "at least one number"),
    "one point": (lambda: fit([1.0], [2.0]), "at least two data points"),
    "scalars": (lambda: fit(1.0, 2.0), r"shape \(M,\)"),
    "column": (lambda: fit(np.zeros((4, 1)), Y), r"x\.ravel\(\)"),
    "label missing": (lambda: fit(y=[1.0, 2.0]), r"shapes \(4,\) and \(2,\)"),
    "three axes": (lambda: fit(y=np.zeros((4, 1, 1))), r"\(4, 1, 1\)"),
    "same input": (lambda: fit([0, 1, 1, 2]), r"x\[1\] and x\[2\] are both 1\.0"),
    "almost the same input": (lambda: fit([0, 1, 1 + 1e-15, 2]), "differ by only 1.1e-15"),
    "negative smoothing": (lambda: fit(smoothing=-1), "smoothing must be a finite number"),
    "nan smoothing": (lambda: fit(smoothing=np.nan), "smoothing must be"),
    "infinite smoothing": (lambda: fit(smoothing=np.inf), "smoothing must be"),
    "text smoothing": (lambda: fit(smoothing="large"), "smoothing must be"),
    "zero weight": (lambda: fit(weights=[1, 0, 1, 1]), "weights must be positive.*smallest 0"),
    "negative weight": (lambda: fit(weights=[1, -2, 1, 1]), "weights must be positive.*smallest -2"),
    "weights too short": (lambda: fit(weights=[1, 1]), r"weights must be positive.*shape \(2,\)"),
    "nan weight": (lambda: fit(weights=[1, 1, np.nan, 1]), "weights must be finite"),
    "zeta zero": (lambda: fit(zeta=0.0), "zeta must be a finite positive"),
    "zeta negative": (lambda: fit(zeta=lambda t: -1 - t), "at least 0 between the data, but zeta"),
    "zeta nan": (lambda: fit(zeta=lambda t: t * np.nan), "at least 0 between the data, but zeta"),
    "zeta huge": (lambda: fit(zeta=lambda t: 1e308 + 0 * t), "at least 0 between the data, but zeta"),
    "zeta infinite": (lambda: fit(zeta=lambda t: np.full_like(t, np.inf)), "at least 0 between the data, but zeta"),
    "zeta vanishes": (lambda: fit(zeta=lambda t: 0 * t), "forces three data points onto one line"),
    "zeta vanishes in a part": (lambda: fit(zeta=lambda t: 1.0 * (t < 1)), "between 1 and 3"),
    "zeta complex": (lambda: fit(zeta=lambda t: t + 1j), "zeta must map an array of points"),
    "zeta text": (lambda: fit(zeta="uniform"), "None, a positive number, a function"),
    "zeta values": (lambda: fit(zeta=np.ones(4)), "but ndarray was given"),
    "zeta not vectorised": (lambda: fit(zeta=lambda t: 1.0 if t > 0 else 2.0), "numpy.vectorize"),
    "zeta wrong shape": (lambda: fit(zeta=lambda t: np.ones(7)), "same shape"),
    "zeta without argument": (lambda: fit(zeta=lambda: 1.0), "zeta must map"),
    "breaks text": (lambda: fit(zeta=np.exp, breaks="abc"), "breaks must be an array"),
    "breaks nan": (lambda: fit(zeta=np.exp, breaks=[np.nan]), "breaks must be finite"),
    "labels out of range": (lambda: fit(y=np.array(Y) * 1e200), "the largest label is 2e\\+200.*; rescale it"),
    "inputs out of range": (lambda: fit(x=np.array(X) * 1e-80), "the largest input is 3e-80"),
    "zeta out of range": (lambda: fit(zeta=1e100), "the integral of zeta is 1e\\+100"),
    "smoothing out of range": (lambda: fit(smoothing=1e300), "smoothing is 1e\\+300"),
    "weights out of range": (lambda: fit(weights=np.full(4, 1e-90)), "the smallest weight is 1e-90"),
    "inputs beyond all range": (lambda: fit(x=[-1e308, 0, 1, 1e308]), "the largest input is 1e\\+308"),
    "point beyond all range": (lambda: natural_spline(X, Y)(1e300), "t must lie between"),
    "point nan": (lambda: natural_spline(X, Y)(np.nan), "t must be finite"),
    "point text": (lambda: natural_spline(X, Y)("a"), "t must be an array"),
    "curvature nan": (lambda: natural_spline(X, Y).curvature([np.nan]), "t must be finite"),
    "order 3": (lambda: natural_spline(X, Y).derivative(0.0, order=3), "order must be 1 or 2"),
    "order text": (lambda: natural_spline(X, Y).derivative(0.0, order="two"), "order must be 1 or 2"),
    "time zero": (lambda: smoothing_from_time(0), "t must be a finite positive"),
    "time text": (lambda: smoothing_from_time("long"), "t must be a finite positive"),
    "loss": (lambda: smoothing_from_time(1.0, loss="average"), "loss must be one of 'half_sum'"),
    "loss unhashable": (lambda: smoothing_from_time(1.0, loss=["sum"]), "loss must be one of"),
    "count missing": (lambda: smoothing_from_time(1.0, loss="mean"), "count must be given"),
    "count zero": (lambda: smoothing_from_time(1.0, loss="mean", count=0), "count must be a positive integer"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_by_a_sentence(name):
    call, pattern = REFUSED[name]
    with pytest.raises(ValueError, match=pattern) as caught:
        call()
    text = str(caught.value)
    assert text.endswith(".") and ("; " in text) and re.search(r"\bbut\b", text), text


@pytest.mark.parametrize(
    "zeta",
    [
        lambda t: np.random.default_rng(0).uniform(1, 2, t.shape),
        lambda t: 2 + np.sign(np.sin(1e7 * t)),
    ],
    ids=["noise", "millions of jumps"],
)
def test_a_weight_without_smoothness_is_refused_soon(zeta):
    seen = [0]

    def counted(t):
        seen[0] += np.size(t)
        return zeta(t)

    with pytest.raises(ib.ConvergenceError, match=r"zeta must be smooth .*breaks="):
        fit(zeta=counted)
    assert seen[0] < 5_000_000


@pytest.mark.parametrize("scale", [1e-50, 1e-20, 1e20, 1e50])
def test_extreme_units(scale):
    """Labels and zeta in absurd units: the answer scales."""
    x, y = sample(12)
    for s in (0.0, 0.01):
        plain = adaptive_spline(x, y, smoothing=s)
        light = adaptive_spline(x, y, zeta=scale, smoothing=s * scale)
        small = adaptive_spline(x, y * scale, smoothing=s)
        assert relative(light.values, plain.values) < 1e-14 and relative(small.values / scale, plain.values) < 1e-14
        assert abs(light.penalty * scale - plain.penalty) < 1e-12 * plain.penalty
        assert abs(small.penalty / scale**2 - plain.penalty) < 1e-12 * plain.penalty


def test_curvature_where_zeta_is_hardly_there():
    """Tails of 1e-195 in zeta: against a dense solution with 400 digits."""
    x = np.linspace(-3, 3, 7)
    y = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 0.0, 1.0])
    g = adaptive_spline(x, y, zeta=lambda t: np.exp(-50 * t**2))
    with mp.workdps(400):
        # integrals of exp(-50 t^2) t^k over [a, b] through erf
        def moments(a, b):
            e = [mp.e ** (-50 * v * v) for v in (a, b)]
            zero = mp.sqrt(mp.pi / 50) / 2 * (mp.erf(mp.sqrt(50) * b) - mp.erf(mp.sqrt(50) * a))
            return zero, (e[0] - e[1]) / 100, (a * e[0] - b * e[1]) / 100 + zero / 100

        r = mp.zeros(5)
        for i in range(6):  # hats on [a, a + 1]: left b - t, right t - a
            a, b = mp.mpf(i - 3), mp.mpf(i - 2)
            m0, m1, m2 = moments(a, b)
            block = {(0, 0): b * b * m0 - 2 * b * m1 + m2, (1, 1): m2 - 2 * a * m1 + a * a * m0}
            block[0, 1] = block[1, 0] = -m2 + (a + b) * m1 - a * b * m0
            for (p, q), v in block.items():
                if 0 <= i - 1 + p < 5 and 0 <= i - 1 + q < 5:
                    r[i - 1 + p, i - 1 + q] += v
        right = mp.matrix([mp.mpf(float(y[i] - 2 * y[i + 1] + y[i + 2])) for i in range(5)])
        gamma = mp.lu_solve(r, right)
        penalty = (right.T * gamma)[0]
        curvature = np.array([float(gamma[i] * mp.e ** (-50 * (mp.mpf(i - 2)) ** 2)) for i in range(5)])
        assert abs(g.penalty - penalty) < 1e-10 * penalty
    assert relative(g.curvature(x)[1:-1], curvature) < 1e-10
    assert np.max(np.abs(g(x) - y)) < 1e-12
