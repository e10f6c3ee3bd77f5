"""Ten thousand malformed calls to the public names: refused by a documented sentence, or answered rightly.

Each call is a valid one with one or two arguments changed (``fuzzing``). It may raise only ``ValueError``, ``TypeError``,
``ConvergenceError`` or ``SweepError``: one sentence with the rule, the value received and the remedy. An answer must be that
of the same call with plain float64 arguments; an argument that has no plain value must not be answered; and every answer is
verified by another route: the conditions that define it, closed forms, plain NumPy loops.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import warnings
from typing import Any

import numpy as np
from fuzzing import BAD, Call, Choice, clean, flatten, mutate, one_sentence, same
from scipy import stats
from scipy.linalg import expm

import ibtext as ib

X = np.array([-0.5, 0.05, 0.6])
Y = np.array([1.0, -0.5, 2.0])
A = np.array([[1.0, 0.2, -0.7, 0.4], [-0.3, 0.9, 0.5, 1.1]])
B = np.array([0.8, -0.4])
UNIFORM = ib.Initialization(bias=stats.uniform(-1, 2))
GAUSS = ib.Initialization(weight=stats.norm(), bias=stats.norm())
SKEW = ib.Initialization(bias=stats.uniform(-1, 2.5))
HEAVY = ib.Initialization(weight=stats.norm(), bias=stats.cauchy())
SHIFTED = ib.Initialization(weight=stats.norm(1), bias=stats.norm())
NET = ib.ShallowNetwork.sample(width=12, activation="abs", initialization=UNIFORM, rng=0)
RELU_NET = ib.ShallowNetwork.sample(
    width=12, activation="relu", initialization=ib.Initialization(bias=stats.uniform(-1, 2), output=stats.norm()), rng=1
)
CUBIC, QUARTIC, COSH, ENTROPY = ib.PowerPotential(3, 1.0), ib.PowerPotential(4, 1.0), ib.CoshPotential(), ib.EntropyPotential()
HALF = ib.QuadraticPotential(0.5)
WRONG_INIT: list[Any] = [None, "uniform", 1.0, stats.norm(), ib.Initialization, {"bias": stats.norm()}]
WRONG_POTENTIAL: list[Any] = ["cosh", np.cosh, ib.QuadraticPotential, 2.0, [CUBIC], {"p": 3}, object()]
WRONG_NET: list[Any] = [None, "net", X, {"weight": X}, ib.ShallowNetwork, object()]

potentials = Choice(
    [None, ib.QuadraticPotential(), CUBIC, ib.Scaled(CUBIC), ib.Scaled(COSH), ib.Scaled(HALF)],
    [
        *WRONG_POTENTIAL,
        ib.PNormPotential(3),
        ENTROPY,
        ib.Scaled(ENTROPY),
        ib.PowerPotential(1.5),
        ib.Scaled(ib.PNormPotential(4)),
    ],
)
coordinate = Choice([None, HALF, COSH, ib.HypentropyPotential(0.5)], [*WRONG_POTENTIAL, ib.Scaled(CUBIC)])
initializations = Choice([UNIFORM, GAUSS], [*WRONG_INIT, SKEW, HEAVY, SHIFTED])
sign_laws = Choice([UNIFORM], [*WRONG_INIT, SKEW])
networks = Choice([NET, RELU_NET], WRONG_NET)
activations = Choice(
    ["abs", "relu", "leaky_relu"], ["Relu", "gelu", b"relu", "", 1, None, np.abs, ["abs"], ("abs",), np.array("abs")]
)
plain_activations = Choice(["abs", "relu"], activations.invalid)
layers = Choice(["all", "output"], ["first", "ALL", "", None, 1, b"all", ["all"], np.array(["all", "output"])])


def close(a: Any, b: Any, rtol: float, size: float = 0.0) -> None:
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, (a.shape, b.shape)
    assert np.all(np.isfinite(a)), "not finite"
    scale = max(float(np.max(np.abs(b), initial=0.0)), size)
    assert np.max(np.abs(a - b), initial=0.0) <= rtol * scale + 1e-300, f"{np.max(np.abs(a - b)):.3g} of {scale:.3g}"


def coordinate_potential(potential: Any, n: int) -> ib.Potential:
    return HALF if potential is None else potential.at_width(n) if isinstance(potential, ib.Scaled) else potential


# -- infinite width ------------------------------------------------------------------------------------------------------


def at_zero(potential: Any) -> float:
    return 1.0 if potential is None else float(potential.hessian(0.0))


def verify_limit(result, *, x, y, activation, initialization, potential=None, tol=1e-13, **_):
    size = np.max(np.abs(y))
    close(result(x), y, 1e-9)
    assert np.all(np.isfinite(result(np.linspace(-1, 1, 7)))) and np.isfinite(result.penalty) and result.penalty >= 0
    order = np.argsort(x)
    swing = max(size, np.max(np.abs(result((x[order][1:] + x[order][:-1]) / 2)), initial=0.0))  # between close inputs
    assert result.residual <= max(tol, 1e-12) * swing * (1 + 1e-9)
    if not isinstance(potential, ib.Scaled):
        kernel = ib.limit_kernel(x, x, activation=activation, initialization=initialization) / at_zero(potential)
        close(kernel @ result.dual, y, 1e-9, np.max(np.abs(kernel) @ np.abs(result.dual)))
    elif initialization is UNIFORM and activation == "abs":
        # between close inputs multipliers are so large that no sum in double precision tells what they make
        rounding = np.finfo(float).eps * np.sum(np.abs(result.dual)) / float(potential.phi.hessian(0.0))
        if rounding < 1e-8 * size:
            close(uniform_average(x, result.dual, potential.phi), y, max(1e-6, 10 * tol), size)


def uniform_average(x, dual, phi):
    """F(dual) for |.| and biases uniform on [-1, 1], by Gauss nodes on 300 pieces."""
    node, weight = np.polynomial.legendre.leggauss(6)
    knots = np.unique(np.concatenate([[-1.0, 1.0], x]))
    profile = dual @ np.abs(x[:, None] - knots)
    crossing = profile[:-1] * profile[1:] < 0
    roots = (knots[:-1] - profile[:-1] * np.diff(knots) / np.where(crossing, np.diff(profile), 1.0))[crossing]
    near = np.geomspace(1e-14, 2, 60)  # a steep potential bends within a tiny distance of a change of sign
    ends = np.concatenate([np.linspace(-1, 1, 101), x, *(root + s * near for root in roots for s in (-1, 1))])
    ends = np.unique(np.clip(ends, -1, 1))
    c = (ends[:-1, None] + np.diff(ends)[:, None] * (node + 1) / 2).ravel()
    mass = (np.diff(ends)[:, None] * weight / 4).ravel()
    features = np.abs(x[:, None] - c)
    return features @ (mass * phi.inverse_gradient(dual @ features))


def verify_flow(result, *, x, y, times, activation, initialization, potential=None, rate=1.0, **_):
    assert result.residuals.shape == (len(times), len(x))
    close(result(x) + result.residuals, np.broadcast_to(y, result.residuals.shape), 1e-9)
    if not isinstance(potential, ib.Scaled):
        kernel = ib.limit_kernel(x, x, activation=activation, initialization=initialization) / at_zero(potential)
        values, vectors = np.linalg.eigh(kernel)
        for t, r in zip(times, result.residuals, strict=True):
            with np.errstate(all="ignore"):
                decay = np.exp(-np.minimum(rate * t * np.maximum(values, 0), 700))
            if rate < 1e6 / (t * values[-1] + 1e-300):  # beyond, the digits of the kernel's small eigenvalues decide
                close(vectors @ (decay * (vectors.T @ y)), r, 1e-7, np.max(np.abs(y)))
    for kernel in result.kernels:
        close(kernel, kernel.T, 1e-10)


def verify_kernel(result, *, s, t, activation, initialization):
    s, t = np.ravel(s), np.ravel(t)
    assert result.shape == (s.size, t.size)
    act = {"abs": np.abs, "relu": lambda u: np.maximum(u, 0), "leaky_relu": lambda u: np.where(u > 0, u, 0.1 * u)}[activation]
    if initialization is UNIFORM:
        c = (np.arange(4000) + 0.5) / 2000 - 1
        value = sum(act(w * s[:, None] - c) @ act(w * t[:, None] - c).T for w in (1.0, -1.0)) / 8000
    else:
        node, weight = np.polynomial.legendre.leggauss(400)
        angle = np.pi * node
        w, b = np.cos(angle), np.sin(angle)
        value = act(s[:, None] * w - b) @ (weight[:, None] * act(t[:, None] * w - b).T)  # E R^2 / 2 = 1
    close(result, value, 1e-3)


# -- finite networks -----------------------------------------------------------------------------------------------------


def verify_projected(result, *, net, x, y, potential=None, layers="all", tol=1e-13):
    jacobian = np.array(net.jacobian(x))
    if layers == "output":
        jacobian[:, : 2 * net.width] = 0.0
        jacobian[:, -1] = 0.0
    gap = y - net(x)
    close(jacobian @ result.displacement, gap, max(1e-9, 2 * tol))
    phi = coordinate_potential(potential, net.width)
    dual = phi.gradient(result.displacement)
    free = np.any(jacobian != 0, axis=0)
    assert np.max(np.abs(result.displacement[~free]), initial=0.0) <= 1e-12 * np.max(np.abs(result.displacement))
    scale = np.linalg.norm(jacobian, axis=1)
    fit = np.linalg.lstsq((jacobian / scale[:, None]).T, dual, rcond=1e-14)[0]
    close((jacobian / scale[:, None]).T @ fit, dual, 1e-6)


def verify_trained(result, *, net, x, y, tol=1e-8, layers="all", times=None, **_):
    # the residual is that of the network returned, up to the rounding of its sums
    rounding = 1e-13 * max(1.0, float(np.max(np.abs(y))))
    assert np.max(np.abs(result.network(x) - y)) <= tol + rounding
    assert np.all(np.isfinite(result.network.flat)) and np.all(np.diff(result.times) > 0)
    if layers == "output":
        assert np.array_equal(result.network.weight, net.weight) and np.array_equal(result.network.bias, net.bias)
    assert times is None or len(result.snapshots) == np.size(times)


def verify_descended(result, *, net, x, y, potential=None, step_size, n_steps, layers="all", **_):
    phi, theta, z = coordinate_potential(potential, net.width), net.flat, np.zeros(3 * net.width + 1)
    free = np.ones_like(z) if layers == "all" else np.r_[np.zeros(2 * net.width), np.ones(net.width), 0.0]
    for _ in range(n_steps):
        here = net.with_flat(theta)
        z = z + step_size / net.width * free * ((y - here(x)) @ here.jacobian(x))
        theta = net.flat + phi.inverse_gradient(z)
    close(result.network.flat, theta, 1e-6)
    assert result.residuals.shape == (n_steps + 1, len(x))


def verify_network(result, *, weight, bias, output, output_bias, activation):
    act = {"abs": np.abs, "relu": lambda u: np.maximum(u, 0), "leaky_relu": lambda u: np.where(u > 0, u, 0.1 * u)}[activation]
    t = np.array([-0.3, 0.2])
    with np.errstate(all="ignore"):
        terms = act(np.outer(t, weight) - bias)
        close(result(t), terms @ output + output_bias, 1e-9, np.max(np.abs(terms) @ np.abs(output)) + abs(output_bias))


def verify_values(result, *, t):
    t = np.asarray(t)
    plain = np.array([float(NET.output @ np.abs(NET.weight * v - NET.bias)) + NET.output_bias for v in t.ravel()])
    close(result, plain.reshape(t.shape), 1e-9, 1e-300)


def verify_jacobian(result, *, x):
    x = np.ravel(x)
    u = x[:, None] * RELU_NET.weight - RELU_NET.bias
    slope = (u > 0) * RELU_NET.output
    close(result, np.hstack([slope * x[:, None], -slope, np.maximum(u, 0), np.ones((x.size, 1))]), 1e-12)


def verify_tangent_kernel(result, *, x):
    jacobian = RELU_NET.jacobian(x)
    close(result, jacobian @ jacobian.T / RELU_NET.width, 1e-11)


def verify_sampled(result, *, width, antisymmetric=False, **_):
    assert result.width == width * (1 + antisymmetric) and np.all(np.isfinite(result.flat))
    if antisymmetric:
        assert np.max(np.abs(result([-0.4, 0.3]))) < 1e-12


# -- linear and factorised models ----------------------------------------------------------------------------------------


def row_space(A, dual):
    scale = np.max(np.abs(A), axis=1)
    rows = A[scale > 0] / scale[scale > 0, None]
    fit = np.linalg.lstsq(rows.T, dual, rcond=1e-13)[0]
    close(rows.T @ fit, dual, 1e-6, 1e-12)


def verify_projection(result, *, A, b, potential=None, start=None, tol=1e-13):
    phi = potential or HALF
    close(A @ result.weights, b, 1e-9, np.max(np.abs(A) @ np.abs(result.weights)))
    first = 0.0 if start is None else phi.gradient(np.asarray(start))
    row_space(A, phi.gradient(result.weights) - first)


def verify_linear_path(result, *, A, b, times, potential=None, **_):
    close(A @ result.weights.T + result.residuals.T, np.tile(b[:, None], len(times)), 1e-9, np.max(np.abs(A @ result.weights.T)))
    if potential in (None, HALF) and np.max(np.abs(times)) * np.linalg.norm(A, 2) ** 2 < 1e5:
        for t, r in zip(times, result.residuals, strict=True):
            close(r, expm(-t * A @ A.T) @ b if t > 0 else b, 1e-5, np.max(np.abs(b)))


def verify_linear_descent(result, *, A, b, potential=None, start=None, step_size, n_steps, **_):
    phi = potential or HALF
    z = np.zeros(A.shape[1]) if start is None else phi.gradient(np.broadcast_to(start, A.shape[1]))
    for _ in range(n_steps):
        z = z + step_size * A.T @ (b - A @ phi.inverse_gradient(z))
    close(result.weights, phi.inverse_gradient(z), 1e-7)


def verify_margin(result, *, A, labels, norm=2):
    assert np.isclose(np.linalg.norm(result.direction, norm), 1.0, rtol=1e-9)
    margin = np.min(labels * (A @ result.direction))
    bound = np.linalg.norm((result.dual * labels) @ A, {1: np.inf, 2: 2, np.inf: 1}[norm])
    assert np.isclose(margin, result.margin, rtol=1e-9, atol=0) and np.isclose(bound, margin, rtol=1e-9, atol=0)
    assert np.all(result.dual >= 0) and np.isclose(result.dual.sum(), 1.0)


def verify_steepest(result, *, A, labels, norm=2, step_size, n_steps, **_):
    assert np.isclose(np.linalg.norm(result.direction, norm), 1.0)
    assert result.log_losses.shape == (n_steps + 1,) and np.all(np.isfinite(result.log_losses))
    assert np.isclose(result.margin, np.min(labels * (A @ result.direction)), atol=1e-9 * np.max(np.abs(A)))
    assert result.margin <= ib.linear.max_margin(A, labels, norm=norm).margin * (1 + 1e-9)


def verify_diagonal_limit(result, *, A, b, depth=2, scale=1.0, sign="difference", tol=1e-13):
    close(A @ result.weights, b, 1e-9, np.max(np.abs(A) @ np.abs(result.weights)))
    if depth == 2 and sign == "difference":
        row_space(A, np.arcsinh(result.weights / (2 * np.asarray(scale) ** 2)))


def verify_diagonal_path(result, *, A, b, times, depth=2, scale=1.0, sign="difference", **_):
    close(A @ result.weights.T + result.residuals.T, np.tile(b[:, None], len(times)), 1e-9, np.max(np.abs(A @ result.weights.T)))
    weights = result.positive**depth - (0.0 if result.negative is None else result.negative**depth)
    close(result.weights, weights, 1e-8, np.max(result.positive**depth))


def verify_diagonal_descent(result, *, A, b, depth=2, scale=1.0, sign="difference", step_size, n_steps):
    u = np.broadcast_to(scale, A.shape[1]).astype(float)
    v = u if sign == "difference" else np.zeros_like(u)
    for _ in range(n_steps):
        pull = step_size * depth * (A.T @ (b - A @ (u**depth - v**depth)))
        u, v = u + pull * u ** (depth - 1), v - pull * v ** (depth - 1)
    close(result.weights, u**depth - v**depth, 1e-9, np.max(np.abs(u)) ** depth)


def verify_balanced(result, *, product, depth, width=None, rng=None):
    whole = result[0]
    for factor in result[1:]:
        whole = factor @ whole
    close(whole, product, 1e-9)
    assert len(result) == depth
    for low, up in itertools.pairwise(result):
        close(up.T @ up, low @ low.T, 1e-9)


def verify_deep_path(result, *, X, Y, times, **_):
    assert result.products.shape == (len(times), len(Y), len(X))
    size = np.max(np.abs(result.products) @ np.abs(X)) + np.max(np.abs(Y))  # of the terms that cancel in a residual
    close(result.losses, 0.5 * np.sum((result.products @ X - Y) ** 2, axis=(1, 2)), 1e-9, 1e-6 * size**2)
    assert np.all(np.diff(result.losses) <= 1e-6 * result.losses[0] + 1e-12)


def verify_factorization(result, *, measurements, b, times=None, n_steps=None, record_every=1, **_):
    close(result.matrices, result.left @ np.swapaxes(result.right, 1, 2), 1e-12)
    residual = b - np.einsum("mij,tij->tm", measurements, result.matrices)
    close(result.losses, 0.5 * np.sum(residual**2, axis=1), 1e-9, np.max(b**2))
    assert times is None or np.all(np.diff(result.losses) <= 1e-6 * result.losses[0] + 1e-12)


# -- splines, rates, sweeps, potentials ----------------------------------------------------------------------------------


def verify_spline(result, *, x, y, zeta=None, smoothing=0.0, weights=None, **_):
    assert np.all(np.isfinite(result(np.linspace(x.min(), x.max(), 9))))
    size = np.max(np.abs(y))
    steep = np.max(np.abs(result.derivative(x))) * np.max(np.abs(x))  # moving a point by its rounding moves the value
    close(result(x), result.values, 1e-8, size + 1e-7 * steep)
    close(result.values + result.residual, y, 1e-10, size)
    if smoothing == 0:
        close(result.values, y, 1e-12)
    # the optimality condition: jumps of g'''/zeta are w r / s; their sums against 1 and x vanish
    w = np.ones_like(x) if weights is None else weights
    if smoothing > 0:
        r = (w / w.max()) * result.residual.T
        close(r.sum(axis=-1), 0 * r.sum(axis=-1), 1e-9, np.max(np.abs(y)) + 1e-300)
    assert np.all(np.asarray(result.penalty) >= 0)


def verify_smoothing(result, *, t, loss="half_sum", count=None):
    kappa = {"half_sum": 1.0, "sum": 2.0, "half_mean": 1.0, "mean": 2.0}[loss] / (count if "mean" in loss else 1)
    assert np.isclose(result, 1 / (kappa * t), rtol=1e-12)


def verify_rate(result, *, n, error, level=0.95):
    u, v = np.log(n), np.log(error)
    slope = np.sum((u - u.mean()) * (v - v.mean())) / np.sum((u - u.mean()) ** 2)
    assert np.isclose(result.slope, slope, rtol=1e-6, atol=(1e-9 * np.ptp(v) + 1e-12) / np.ptp(u))
    assert result.confidence_interval[0] <= result.slope <= result.confidence_interval[1]


def cell(width, seed, potential=None):
    return {"sum": float(width + seed)}


def verify_sweep(result, *, widths, seeds, **_):
    assert len(result) == len(list(widths)) * len(list(seeds))


def verify_dual(result, *, columns, y, tol=1e-13, **_):
    close(columns.evaluate(result.multiplier)[0], y, max(1e-9, 2 * tol))


def verify_dual_path(result, *, columns, y, times, rate=1.0, rtol=1e-9, start=None):
    assert result.shape == (len(times), len(y)) and np.all(np.isfinite(result))
    start = np.zeros_like(y) if start is None else start
    if rate * np.max(times) < 1e3 and np.max(np.abs(y)) < 1e8 and np.max(np.abs(start)) < 1e8:
        end = columns.evaluate(result[-1])[0]
        kernel = columns.evaluate(start)[1]
        gap = y - columns.evaluate(start)[0]
        close(y - end, expm(-rate * times[-1] * kernel) @ gap, 1e-3 + 100 * rtol, max(np.max(np.abs(gap)), np.max(np.abs(y))))


def verify_function(plain):
    def verify(result, *, x=None, z=None):
        argument = x if z is None else z
        with np.errstate(all="ignore"):
            expected = plain(argument)
            assert np.shape(result) == np.shape(argument)
            assert np.allclose(result, expected, rtol=1e-9, atol=1e-300, equal_nan=True)

    return verify


def verify_inverse(phi):
    def verify(result, *, z):
        good = np.isfinite(z) & (np.abs(z) < 1e100)  # an infinite dual variable has no point
        with np.errstate(all="ignore"):
            assert np.allclose(phi.gradient(np.where(good, result, 0.0))[good], np.asarray(z)[good], rtol=1e-9, atol=1e-290)
            assert np.all(np.isnan(np.asarray(result)[np.isnan(z)]))

    return verify


def verify_divergence(result, *, x, y):
    assert np.shape(result) == np.broadcast_shapes(np.shape(x), np.shape(y))
    finite = np.isfinite(result)
    assert np.all(result[finite] >= 0)
    near = np.broadcast_to(np.isfinite(x) & np.isfinite(y) & (np.abs(x) < 1e3) & (np.abs(y) < 1e3), result.shape)
    plain = CUBIC(x) - CUBIC(y) - CUBIC.gradient(y) * (np.asarray(x) - y) if near.all() else None
    if plain is not None:
        close(result, plain, 1e-8, np.max(np.abs(CUBIC(x)), initial=0) + np.max(np.abs(CUBIC(y)), initial=0) + 1e-300)


def optimise(lr, potential, width, center, maximize):
    import torch

    w = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    optimizer = ib.torch.MirrorDescent([w], lr=lr, potential=potential, width=width, center=center, maximize=maximize)
    (0.5 * ((w - torch.tensor([1.0, -1.0])) ** 2).sum()).backward()
    optimizer.step()
    return w.detach().numpy().copy()


def verify_optimiser(result, *, lr, potential, width, center, maximize):
    start = np.array([0.3, 0.7])
    phi, c = coordinate_potential(potential, width), start if center == "start" else center
    sign = -1.0 if maximize else 1.0
    close(result, c + phi.inverse_gradient(phi.gradient(start - c) - sign * lr * (start - np.array([1.0, -1.0]))), 1e-9)


def label(text, at, ha):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    try:
        (line,) = axes.plot([0.0, 1.0], [0.0, 2.0], label="line")
        return ib.plotting.label_line(axes, line, text, at=at, ha=ha).xy
    finally:
        plt.close(figure)


def square_wave(c):
    return 1 + c**2


LAWS = Choice(
    [stats.uniform(-1, 2), stats.norm(0, 2), stats.laplace(), stats.expon()],
    [
        None,
        "uniform",
        1.0,
        stats.norm,
        stats.poisson(3),
        stats.uniform,
        [stats.norm()],
        stats.multivariate_normal([0, 0]),
        np.cos,
    ],
)
FUNCTIONS = Choice([np.cosh], [None, "cosh", 1.0, np.array([1.0]), lambda x: "a", lambda x: 1.0, lambda x: np.nan * x, np.sum])
SLOPES = Choice([np.sinh], [None, "sinh", 2.0, np.cosh, lambda x: -x, lambda x: x, lambda x: x[0], len, lambda x: x + 1j])
COLUMNS = ib.FiniteColumns(A, 1.0, HALF)
NORMS = Choice([1.0, 2.0, float("inf")], [3, 0, "2", None, np.nan, -1, True, 1.5, "l1", b"2", [1]])
LIMIT = ib.wide_limit(X, Y, activation="abs", initialization=UNIFORM, potential=ib.Scaled(CUBIC))
RELU_LIMIT = ib.wide_limit(X, Y, activation="relu", initialization=GAUSS)
PATH = ib.wide_flow(X, Y, [0.5, 2.0], activation="abs", initialization=UNIFORM)
SPLINE = ib.splines.adaptive_spline(X, Y, zeta=square_wave)
ORDERS = Choice([1, 2], [0, 3, -1, "1", None, 1.5, np.nan, [1], np.array([1, 2])])
SIGNS = Choice(["difference", "positive"], ["minus", "", None, 1, ["positive"]])
DATA = {"x": X, "y": Y}
DATA_KINDS = {"x": "array", "y": "array"}
LINEAR, LINEAR_KINDS = {"A": A, "b": B}, {"A": "array", "b": "array"}
SCAN = {"measurements": ib.factorized.completion_measurements([0, 0], [0, 1], (2, 2)), "b": np.array([1.0, 0.5])}
SCAN_KINDS = {"measurements": "array", "b": "array"}
WIDE = {**DATA, "activation": "abs", "initialization": UNIFORM}
WIDE_KINDS = {**DATA_KINDS, "activation": activations, "initialization": initializations}
FLAT = np.array([[0.1, 0.05]])


def smooth(function):
    """The verification of a method of a result: finite, of the shape of its points."""

    def verify(result, *, t, **_):
        assert np.shape(result)[-np.ndim(t) :] == np.shape(t) if np.ndim(t) else True
        assert np.all(np.isfinite(result))

    return verify


CALLS = [
    Call(
        "wide_limit",
        ib.wide_limit,
        {**WIDE, "potential": None, "free_affine": False, "tol": 1e-13},
        {
            **WIDE_KINDS,
            "potential": Choice([None, ib.QuadraticPotential(), CUBIC], potentials.invalid),
            "free_affine": "flag",
            "tol": "number",
        },
        lambda r, free_affine=False, **k: verify_limit(r, **k) if not free_affine else close(r(k["x"]), k["y"], 1e-9),
        lambda r: [r(np.linspace(-0.9, 0.9, 5)), r.dual, r.penalty],
        8,
        ("potential",),
    ),
    Call(
        "wide_limit scaled",
        ib.wide_limit,
        {**WIDE, "potential": ib.Scaled(CUBIC), "tol": 1e-13},
        {**WIDE_KINDS, "initialization": sign_laws, "potential": potentials, "tol": "number"},
        verify_limit,
        lambda r: [r(np.linspace(-0.9, 0.9, 5)), r.dual, r.penalty],
        6,
        ("potential",),
    ),
    Call(
        "wide_flow",
        ib.wide_flow,
        {**WIDE, "times": np.array([0.5, 2.0, 7.0]), "rate": 1.0, "potential": None},
        {**WIDE_KINDS, "times": "array", "rate": "number", "potential": Choice([None, CUBIC], potentials.invalid)},
        verify_flow,
        lambda r: [r(np.linspace(-0.9, 0.9, 5)), r.dual],
        6,
        ("potential",),
    ),
    Call(
        "wide_flow scaled",
        ib.wide_flow,
        {**WIDE, "times": np.array([0.5, 2.0]), "rtol": 1e-4, "potential": ib.Scaled(QUARTIC)},
        {
            **WIDE_KINDS,
            "initialization": sign_laws,
            "times": "array",
            "rtol": "number",
            "potential": Choice([ib.Scaled(QUARTIC)], WRONG_POTENTIAL),
        },
        verify_flow,
        lambda r: [r(np.linspace(-0.9, 0.9, 5)), r.dual],
        0.5,
    ),
    Call(
        "limit_kernel",
        ib.limit_kernel,
        {"s": X, "t": np.array([0.1, -0.2]), "activation": "relu", "initialization": UNIFORM},
        {"s": "array", "t": "array", "activation": activations, "initialization": initializations},
        verify_kernel,
        None,
        5,
    ),
    Call("WideLimit()", LIMIT, {"t": X}, {"t": "points"}, smooth(LIMIT), None, 2),
    Call(
        "WideLimit.derivative", LIMIT.derivative, {"t": X, "order": 2}, {"t": "points", "order": ORDERS}, smooth(LIMIT), None, 2
    ),
    Call(
        "WideLimit relu derivative",
        RELU_LIMIT.derivative,
        {"t": X, "order": 1},
        {"t": "points", "order": ORDERS},
        smooth(LIMIT),
        None,
        2,
    ),
    Call("WideLimit.output_weight", LIMIT.output_weight, {"c": X}, {"c": "points"}, None, None, 1),
    Call("WidePath()", PATH, {"t": X}, {"t": "points"}, smooth(PATH), None, 2),
    Call("WidePath.curvature", PATH.curvature, {"t": X}, {"t": "points"}, smooth(PATH), None, 1),
    Call(
        "Initialization",
        ib.Initialization,
        {"weight": "signs", "bias": LAWS.valid[0], "output": LAWS.valid[1]},
        {
            "weight": Choice(["signs", *LAWS.valid], [v for v in LAWS.invalid]),
            "bias": LAWS,
            "output": Choice([None, *LAWS.valid], LAWS.invalid[1:]),
        },
        None,
        lambda r: r.sample(4, rng=0),
        6,
        ("output",),
    ),
    Call(
        "Initialization.zeta",
        UNIFORM.zeta,
        {"x": X},
        {"x": "array"},
        lambda r, x: close(r, 0.5 * (np.abs(x) <= 1), 1e-12),
        None,
        2,
    ),
    Call(
        "Initialization.zeta gauss",
        GAUSS.zeta,
        {"x": X},
        {"x": "array"},
        lambda r, x: close(r, 2 / np.pi / (1 + np.minimum(np.abs(x), 1e70) ** 2) ** 2, 1e-9, 1e-250),
        None,
        2,
    ),
    Call(
        "Initialization.breakpoint_density",
        GAUSS.breakpoint_density,
        {"x": X},
        {"x": "array"},
        lambda r, x: close(r, 1 / np.pi / (1 + np.minimum(np.abs(x), 1e140) ** 2), 1e-9, 1e-250),
        None,
        2,
    ),
    Call(
        "Initialization.sample",
        UNIFORM.sample,
        {"n": 5, "rng": 0},
        {"n": "count", "rng": "rng"},
        lambda r, n, rng: close(np.abs(r["weight"]), np.ones(n), 0),
        None,
        3,
    ),
    Call(
        "Initialization.for_penalty",
        ib.Initialization.for_penalty,
        {"rho": square_wave, "support": np.array([-1.0, 1.0])},
        {
            "rho": Choice(
                [square_wave, np.cosh],
                [
                    1.0,
                    None,
                    "x",
                    lambda c: 0 * c,
                    lambda c: -1 - c**2,
                    lambda c: np.nan * c,
                    lambda c: c.sum(),
                    lambda c: "a",
                    lambda c: None,
                    lambda c: 1j * c,
                ],
            ),
            "support": "array",
        },
        lambda r, rho, support: close(r.zeta(support.mean()) * rho(support.mean()), r.zeta(support[0]) * rho(support[0]), 1e-9),
        lambda r: [r.zeta(0.3), r.sample(3, rng=0)],
        4,
    ),
    Call(
        "ShallowNetwork",
        ib.ShallowNetwork,
        {
            "weight": NET.weight[:3],
            "bias": NET.bias[:3],
            "output": np.array([0.1, -0.4, 1.0]),
            "output_bias": 0.2,
            "activation": "relu",
        },
        {"weight": "array", "bias": "array", "output": "array", "output_bias": "number", "activation": activations},
        verify_network,
        lambda r: r([-0.3, 0.2]),
        6,
    ),
    Call(
        "ShallowNetwork.sample",
        ib.ShallowNetwork.sample,
        {"width": 4, "activation": "abs", "initialization": UNIFORM, "rng": 0, "antisymmetric": True},
        {
            "width": "count",
            "activation": activations,
            "initialization": Choice([UNIFORM, GAUSS], WRONG_INIT),
            "rng": "rng",
            "antisymmetric": "flag",
        },
        verify_sampled,
        None,
        5,
        (),
    ),
    Call("ShallowNetwork()", NET, {"t": X}, {"t": "points"}, verify_values, None, 3),
    Call("ShallowNetwork.jacobian", RELU_NET.jacobian, {"x": X}, {"x": "points"}, verify_jacobian, None, 3),
    Call("ShallowNetwork.kernel", RELU_NET.kernel, {"x": X}, {"x": "points"}, verify_tangent_kernel, None, 3),
    Call(
        "training_limit",
        ib.training_limit,
        {"net": NET, **DATA, "potential": ib.Scaled(CUBIC), "layers": "all", "tol": 1e-13},
        {
            "net": networks,
            **DATA_KINDS,
            "potential": Choice(potentials.valid, [*WRONG_POTENTIAL, ENTROPY, ib.Scaled(ENTROPY)]),
            "layers": layers,
            "tol": "number",
        },
        verify_projected,
        None,
        8,
        ("potential",),
    ),
    Call(
        "mirror_flow",
        ib.mirror_flow,
        {"net": NET, **DATA, "potential": None, "tol": 1e-2, "layers": "output", "max_steps": 400},
        {"net": networks, **DATA_KINDS, "potential": potentials, "tol": "number", "layers": layers, "max_steps": "count"},
        verify_trained,
        lambda r: [r.network.flat, r.residuals],
        2,
        ("potential",),
    ),
    Call(
        "mirror_flow times",
        ib.mirror_flow,
        {"net": NET, **DATA, "times": np.array([0.01, 0.02]), "tol": 1e2, "rtol": 1e-2, "max_steps": 200},
        {"net": networks, **DATA_KINDS, "times": "array", "tol": "number", "rtol": "number", "max_steps": "count"},
        verify_trained,
        lambda r: [r.network.flat, r.residuals],
        1.5,
        ("times",),
    ),
    Call(
        "mirror_descent",
        ib.mirror_descent,
        {"net": NET, **DATA, "potential": None, "step_size": 0.05, "n_steps": 3, "layers": "all"},
        {"net": networks, **DATA_KINDS, "potential": potentials, "step_size": "number", "n_steps": "count", "layers": layers},
        verify_descended,
        lambda r: [r.network.flat, r.residuals],
        8,
        ("potential",),
    ),
    Call(
        "bregman_projection",
        ib.linear.bregman_projection,
        {**LINEAR, "potential": COSH, "start": None, "tol": 1e-13},
        {**LINEAR_KINDS, "potential": coordinate, "start": "array", "tol": "number"},
        verify_projection,
        None,
        7,
        ("potential", "start"),
    ),
    Call(
        "bregman_projection entropy",
        ib.linear.bregman_projection,
        {"A": np.abs(A), "b": np.abs(B), "potential": ENTROPY, "start": np.full(4, 0.3)},
        {**LINEAR_KINDS, "potential": Choice([ENTROPY], WRONG_POTENTIAL), "start": "array"},
        verify_projection,
        None,
        4,
        ("start", "potential"),
    ),
    Call(
        "linear.mirror_flow",
        ib.linear.mirror_flow,
        {**LINEAR, "times": np.array([0.1, 0.4]), "potential": None, "rtol": 1e-7},
        {**LINEAR_KINDS, "times": "array", "potential": coordinate, "rtol": "number"},
        verify_linear_path,
        None,
        1,
        ("potential",),
    ),
    Call(
        "linear.mirror_descent",
        ib.linear.mirror_descent,
        {**LINEAR, "potential": COSH, "start": None, "step_size": 0.1, "n_steps": 4, "keep_iterates": True},
        {
            **LINEAR_KINDS,
            "potential": coordinate,
            "start": "array",
            "step_size": "number",
            "n_steps": "count",
            "keep_iterates": "flag",
        },
        verify_linear_descent,
        None,
        7,
        ("potential", "start"),
    ),
    Call(
        "max_margin",
        ib.linear.max_margin,
        {"A": A, "labels": np.array([1.0, -1.0]), "norm": 2},
        {"A": "array", "labels": "array", "norm": NORMS},
        verify_margin,
        lambda r: [r.direction, r.margin, r.support, r.dual, r.unique],
        7,
    ),
    Call(
        "steepest_descent",
        ib.linear.steepest_descent,
        {
            "A": A,
            "labels": np.array([1.0, -1.0]),
            "norm": 2,
            "loss": "exponential",
            "step_size": 0.1,
            "n_steps": 4,
            "normalized": False,
        },
        {
            "A": "array",
            "labels": "array",
            "norm": NORMS,
            "loss": Choice(["exponential", "logistic"], ["hinge", None, 1, b"logistic"]),
            "step_size": "number",
            "n_steps": "count",
            "normalized": "flag",
        },
        verify_steepest,
        None,
        5,
    ),
    Call(
        "factorized.limit",
        ib.factorized.limit,
        {**LINEAR, "depth": 2, "scale": np.array(0.3), "sign": "difference", "tol": 1e-13},
        {**LINEAR_KINDS, "depth": "count", "scale": "array", "sign": SIGNS, "tol": "number"},
        verify_diagonal_limit,
        None,
        6,
    ),
    Call(
        "factorized.flow",
        ib.factorized.flow,
        {**LINEAR, "times": np.array([0.1, 0.3]), "depth": 2, "scale": np.array(0.5), "sign": "difference", "rtol": 1e-6},
        {**LINEAR_KINDS, "times": "array", "depth": "count", "scale": "array", "sign": SIGNS, "rtol": "number"},
        verify_diagonal_path,
        None,
        0.7,
    ),
    Call(
        "factorized.descent",
        ib.factorized.descent,
        {**LINEAR, "depth": 2, "scale": np.array(0.5), "sign": "difference", "step_size": 0.02, "n_steps": 3},
        {**LINEAR_KINDS, "depth": "count", "scale": "array", "sign": SIGNS, "step_size": "number", "n_steps": "count"},
        verify_diagonal_descent,
        None,
        6,
    ),
    Call(
        "equivalent_potential",
        ib.factorized.equivalent_potential,
        {"depth": 3, "scale": np.array(0.5), "sign": "difference"},
        {"depth": "count", "scale": "array", "sign": SIGNS},
        None,
        lambda r: r.inverse_gradient(0.0),
        3,
    ),
    Call(
        "balanced_start",
        ib.factorized.balanced_start,
        {"product": A, "depth": 3, "width": 3, "rng": 0},
        {"product": "array", "depth": "count", "width": "count", "rng": "rng"},
        verify_balanced,
        None,
        4,
        ("width", "rng"),
    ),
    Call(
        "deep_linear_flow",
        lambda X, Y, times, w1, w2, rtol: ib.factorized.deep_linear_flow(X, Y, times, factors=[w1, w2], rtol=rtol),
        {"X": A[:, :2], "Y": B[None], "times": np.array([0.1, 0.5]), "w1": 0.3 * np.eye(2), "w2": FLAT, "rtol": 1e-6},
        {"X": "array", "Y": "array", "times": "array", "w1": "array", "w2": "array", "rtol": "number"},
        verify_deep_path,
        None,
        3,
    ),
    Call(
        "end_to_end_flow",
        ib.factorized.end_to_end_flow,
        {"X": A[:, :2], "Y": B[None], "times": np.array([0.1, 0.5]), "product": FLAT, "depth": 2, "rtol": 1e-6},
        {"X": "array", "Y": "array", "times": "array", "product": "array", "depth": "count", "rtol": "number"},
        verify_deep_path,
        None,
        1,
    ),
    Call(
        "effective_rank",
        ib.factorized.effective_rank,
        {"singular_values": np.array([2.0, 1.0, 0.5])},
        {"singular_values": "array"},
        lambda r, singular_values: close(np.log(r), stats.entropy(singular_values / singular_values.max(), axis=-1), 1e-9, 1.0),
        None,
        3,
    ),
    Call(
        "completion_measurements",
        ib.factorized.completion_measurements,
        {"rows": np.array([0, 1]), "columns": np.array([1, 1]), "shape": (2, 2)},
        {
            "rows": "array",
            "columns": "array",
            "shape": Choice([(2, 2)], [(0, 2), 2, None, (2.5, 2), "22", (2,), (2, 2, 2), (10**400, 2), object()]),
        },
        lambda r, rows, columns, shape: close(r.sum(axis=(1, 2)), np.ones(len(rows)), 0),
        None,
        3,
    ),
    Call(
        "matrix_flow",
        ib.factorized.matrix_flow,
        {**SCAN, "times": np.array([0.1, 1.0]), "start": 0.1 * np.eye(2), "symmetric": True, "rtol": 1e-6},
        {**SCAN_KINDS, "times": "array", "start": "array", "symmetric": "flag", "rtol": "number"},
        verify_factorization,
        None,
        2,
    ),
    Call(
        "matrix_descent",
        ib.factorized.matrix_descent,
        {**SCAN, "start": 0.1 * np.eye(2), "step_size": 0.05, "n_steps": 4, "symmetric": True, "record_every": 2},
        {**SCAN_KINDS, "start": "array", "step_size": "number", "n_steps": "count", "symmetric": "flag", "record_every": "count"},
        verify_factorization,
        None,
        4,
    ),
    Call("natural_spline", ib.splines.natural_spline, DATA, DATA_KINDS, verify_spline, lambda r: [r(X), r.values, r.penalty], 5),
    Call(
        "adaptive_spline",
        ib.splines.adaptive_spline,
        {**DATA, "zeta": square_wave, "smoothing": 0.1, "weights": np.ones(3), "breaks": np.array([0.1])},
        {
            **DATA_KINDS,
            "zeta": Choice(
                [None, square_wave, np.cosh, 2.0, UNIFORM],
                [
                    -1.0,
                    0.0,
                    np.nan,
                    "x",
                    lambda t: -1 - t**2,
                    lambda t: np.nan * t,
                    lambda t: "a",
                    lambda t: None,
                    lambda t: 1j * t,
                    lambda t: t[0],
                    np.array([1.0, 2.0]),
                ],
                numbers=True,
            ),
            "smoothing": "number",
            "weights": "array",
            "breaks": "points",
        },
        verify_spline,
        lambda r: [r(X), r.values, r.penalty],
        6,
        ("zeta", "weights", "breaks"),
    ),
    Call("WeightedSpline()", SPLINE, {"t": X}, {"t": "points"}, smooth(SPLINE), None, 2),
    Call(
        "WeightedSpline.derivative",
        SPLINE.derivative,
        {"t": X, "order": 1},
        {"t": "points", "order": ORDERS},
        smooth(SPLINE),
        None,
        2,
    ),
    Call("WeightedSpline.curvature", SPLINE.curvature, {"t": X}, {"t": "points"}, smooth(SPLINE), None, 1),
    Call(
        "smoothing_from_time",
        ib.splines.smoothing_from_time,
        {"t": 2.0, "loss": "mean", "count": 3},
        {"t": "number", "loss": Choice(["half_sum", "sum", "half_mean", "mean"], ["mse", None, 2, b"sum"]), "count": "count"},
        verify_smoothing,
        None,
        3,
        ("count",),
    ),
    Call(
        "fit_rate",
        ib.rates.fit_rate,
        {"n": np.array([10.0, 20, 40, 80]), "error": np.array([1, 0.4, 0.3, 0.1]), "level": 0.9},
        {"n": "array", "error": "array", "level": "number"},
        verify_rate,
        None,
        5,
    ),
    Call(
        "Rate()", ib.rates.fit_rate([1.0, 2.0, 4.0], [1.0, 0.6, 0.2]), {"n": np.array([1.0, 8.0])}, {"n": "array"}, None, None, 1
    ),
    Call(
        "sweep",
        ib.sweep,
        {"function": cell, "widths": [1, 3], "seeds": [0, 2], "progress": False},
        {
            "function": Choice(
                [cell], [None, "cell", 1, len, lambda width, seed: None, lambda width, seed: {"a": "b"}, lambda **_: 1 / 0]
            ),
            "widths": Choice(
                [[1, 3], (2,), range(1, 3)],
                [[0], [1, 1], 3, "12", None, [1.5], [True], [-1], [], [10**400], [[1]], {"a": 1}, np.array([0.5])],
            ),
            "seeds": Choice([[0, 2], range(2)], [[-1], [0, 0], 0, "01", None, [0.5], [], [[0]], [True]]),
            "progress": "flag",
        },
        verify_sweep,
        lambda r: [len(r)],
        4,
    ),
    Call(
        "solve_dual",
        ib.solve_dual,
        {"columns": COLUMNS, "y": B, "start": None, "tol": 1e-13, "max_iterations": 50},
        {
            "columns": Choice([COLUMNS], [None, "columns", A, COSH]),
            "y": "array",
            "start": "array",
            "tol": "number",
            "max_iterations": "count",
        },
        verify_dual,
        lambda r: r.multiplier,
        5,
        ("start",),
    ),
    Call(
        "FiniteColumns solved",
        lambda features, masses, potential, start: ib.solve_dual(ib.FiniteColumns(features, masses, potential, start), B),
        {"features": A, "masses": np.ones(4), "potential": COSH, "start": np.zeros(4)},
        {
            "features": "array",
            "masses": "array",
            "potential": Choice([COSH, HALF, CUBIC], [*WRONG_POTENTIAL, None, ib.Scaled(CUBIC)]),
            "start": "array",
        },
        lambda r, features, masses, potential, start: close(
            features @ (masses * potential.inverse_gradient(start + r.multiplier @ features)), B, 1e-9
        ),
        lambda r: r.multiplier,
        5,
    ),
    Call(
        "dual_flow",
        ib.dual_flow,
        {"columns": COLUMNS, "y": B, "times": np.array([0.2, 0.6]), "rate": 1.0, "start": None, "rtol": 1e-6},
        {
            "columns": Choice([COLUMNS], [None, "columns", A]),
            "y": "array",
            "times": "array",
            "rate": "number",
            "start": "array",
            "rtol": "number",
        },
        verify_dual_path,
        None,
        1.5,
        ("start",),
    ),
    Call(
        "PowerPotential",
        ib.PowerPotential,
        {"p": 3.0, "omega": 1.0},
        {"p": "number", "omega": "number"},
        None,
        lambda r: [r(0.5), r.inverse_gradient(0.5)],
        3,
    ),
    Call("QuadraticPotential", ib.QuadraticPotential, {"scale": 1.0}, {"scale": "number"}, None, lambda r: [r(0.5)], 1),
    Call(
        "HypentropyPotential",
        ib.HypentropyPotential,
        {"beta": 1.0},
        {"beta": "number"},
        None,
        lambda r: [r(0.5), r.inverse_gradient(0.5)],
        1,
    ),
    Call("PNormPotential", ib.PNormPotential, {"p": 3.0}, {"p": "number"}, None, lambda r: [r(0.5)], 1),
    Call(
        "Scaled",
        ib.Scaled,
        {"phi": CUBIC},
        {"phi": Choice([CUBIC, COSH, ENTROPY], [*WRONG_POTENTIAL, None, ib.Scaled(CUBIC)])},
        None,
        lambda r: [r.at_width(3)(0.5)],
        2,
    ),
    Call("Scaled.at_width", ib.Scaled(CUBIC).at_width, {"n": 3}, {"n": "count"}, None, lambda r: [r(0.5)], 2),
    Call(
        "CustomPotential",
        ib.CustomPotential,
        {"phi": np.cosh, "gradient": np.sinh, "hessian": np.cosh, "domain": np.array([-np.inf, np.inf])},
        {
            "phi": FUNCTIONS,
            "gradient": SLOPES,
            "hessian": Choice([None, np.cosh], [1.0, "x", np.sinh, lambda x: 2 * x]),
            "domain": "loose",
        },
        None,
        lambda r: [r.inverse_gradient(0.5)],
        3,
        ("hessian",),
    ),
    *(
        Call(f"{type(phi).__name__}{name}", getattr(phi, method), {argument: X + shift}, {argument: "loose"}, check, None, 1)
        for phi, shift, name, method, argument, check in [
            (CUBIC, 0, "()", "__call__", "x", verify_function(lambda x: np.abs(x) ** 3 + np.square(x))),
            (CUBIC, 0, ".gradient", "gradient", "x", verify_function(lambda x: 3 * np.sign(x) * np.square(x) + 2 * x)),
            (CUBIC, 0, ".hessian", "hessian", "x", verify_function(lambda x: 6 * np.abs(x) + 2)),
            (CUBIC, 0, ".inverse_gradient", "inverse_gradient", "z", verify_inverse(CUBIC)),
            (QUARTIC, 0, ".inverse_gradient", "inverse_gradient", "z", verify_inverse(QUARTIC)),
            (ib.PowerPotential(2.5), 0, ".inverse_gradient", "inverse_gradient", "z", verify_inverse(ib.PowerPotential(2.5))),
            (COSH, 0, "()", "__call__", "x", verify_function(np.cosh)),
            (COSH, 0, ".inverse_gradient", "inverse_gradient", "z", verify_inverse(COSH)),
            (ib.HypentropyPotential(), 0, ".gradient", "gradient", "x", verify_function(np.arcsinh)),
            (ib.PNormPotential(3), 0, ".inverse_gradient", "inverse_gradient", "z", verify_inverse(ib.PNormPotential(3))),
            (ENTROPY, 1, ".gradient", "gradient", "x", verify_function(np.log)),
            (ENTROPY, 1, ".inverse_gradient", "inverse_gradient", "z", verify_function(np.exp)),
            (ib.CustomPotential(np.cosh, np.sinh, np.cosh), 0, ".gradient", "gradient", "x", verify_function(np.sinh)),
        ]
    ),
    Call(
        "PowerPotential.divergence",
        CUBIC.divergence,
        {"x": X, "y": X + 0.1},
        {"x": "loose", "y": "loose"},
        verify_divergence,
        None,
        3,
    ),
    Call(
        "torch.MirrorDescent",
        optimise,
        {"lr": 0.1, "potential": ib.Scaled(CUBIC), "width": 10, "center": "start", "maximize": False},
        {
            "lr": "number",
            "potential": Choice([None, COSH, ib.Scaled(CUBIC)], WRONG_POTENTIAL),
            "width": "count",
            "center": Choice(["start", 0.0, 0.25], ["end", None, np.nan, "0", 1j, [1.0], X, True, object()], numbers=True),
            "maximize": "flag",
        },
        verify_optimiser,
        None,
        5,
        ("potential", "width"),
    ),
    Call(
        "plotting.label_line",
        label,
        {"text": "a", "at": 0.5, "ha": "center"},
        {"text": Choice([None, "a", "b"], []), "at": "number", "ha": Choice(["center", "left"], ["middle", "", None, 1, []])},
        None,
        None,
        0.05,
        ("text", "at"),
    ),
]


# -- the run -------------------------------------------------------------------------------------------------------------


class Hang(BaseException):
    """A call that does not come back."""


@contextlib.contextmanager
def watchdog(seconds: int):
    def stop(*_):
        raise Hang(f"no answer after {seconds} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


DOCUMENTED = (ValueError, TypeError, ib.ConvergenceError, ib.SweepError)


def outcome(call: Call, arguments: dict[str, Any]) -> str | None:
    """None if the call is refused or answered as it must be, else what is wrong."""
    try:
        result = call.function(**arguments)
    except DOCUMENTED as error:
        return None if one_sentence(error) else f"{type(error).__name__} without rule, value and remedy in one sentence: {error}"
    except Exception as error:
        return f"{type(error).__name__}, which is not documented: {error}"
    unknown = [k for k in arguments if k not in call.kinds]
    if unknown:
        return f"answered although {unknown[0]} is no argument"
    plain = {k: clean(call.kinds[k], v, k in call.optional) for k, v in arguments.items()}
    bad = [k for k, v in plain.items() if v is BAD]
    if bad:
        return f"answered although {bad[0]} has no plain value"
    try:
        again = call.function(**plain)
    except Exception as error:
        return f"answered, but with plain arguments {type(error).__name__}: {error}"
    view = call.view or (lambda r: r)
    try:
        seen, other = view(result), view(again)
    except Exception as error:
        return f"an answer that cannot be used: {type(error).__name__}: {error}"
    if not same(seen, other):
        return "another answer than with plain arguments"
    if not all(np.all(np.isfinite(v)) for v in flatten(seen)) and "loose" not in call.kinds.values():
        return "an answer that is not finite"
    if call.verify is not None:
        try:
            call.verify(result, **plain)
        except Exception as error:
            return f"wrong: {type(error).__name__}: {str(error)[:200]}"
    return "answered"


def fuzz(seed: int, count: int, only: str | None = None) -> tuple[dict[str, int], list[str]]:
    """Counts of answered and refused calls, and a line for each call that went wrong."""
    rng = np.random.default_rng(seed)
    calls = [c for c in CALLS if only is None or only in c.name]
    share = np.array([c.weight for c in calls], dtype=float)
    picks = rng.choice(len(calls), size=count, p=share / share.sum())
    counts, wrong = {"refused": 0, "answered": 0}, []
    for number, pick in enumerate(picks):
        call = calls[pick]
        own = np.random.default_rng([seed, number])  # each case can be repeated alone
        arguments = dict(call.arguments)
        names = list(arguments)
        for name in own.choice(names, size=min(len(names), 1 + (own.random() < 0.35)), replace=False):
            arguments[name] = mutate(call.kinds[name], arguments[name], own)
        if own.random() < 0.02:
            arguments["potental"] = 1
        try:
            with watchdog(30), warnings.catch_warnings():
                warnings.simplefilter("error")
                verdict = outcome(call, arguments)
        except Hang as error:
            verdict = str(error)
        if verdict in (None, "answered"):
            counts["answered" if verdict else "refused"] += 1
            continue
        changed = {k: v for k, v in arguments.items() if v is not call.arguments.get(k)}
        shown = ", ".join(f"{k}={text(v)}" for k, v in changed.items())
        wrong.append(f"case {seed}/{number}: {call.name}({shown}): {verdict}")
    return counts, wrong


def text(value: Any) -> str:
    try:
        return " ".join(repr(value).split())[:160]
    except ValueError:
        return f"a huge {type(value).__name__}"


def test_the_unchanged_calls_are_answered():
    for call in CALLS:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert outcome(call, dict(call.arguments)) == "answered", call.name


def test_ten_thousand_malformed_calls():
    counts, wrong = fuzz(int(os.environ.get("IBTEXT_FUZZ_SEED", "0")), 10_000)
    assert not wrong, f"{len(wrong)} calls went wrong:\n" + "\n".join(wrong[:40])
    assert counts["refused"] > 4000 and counts["answered"] > 1500  # both kinds are really met
