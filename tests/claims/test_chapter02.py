"""Checks of the chapter on mirror descent: other data, sizes and seeds than on its page, and other routes."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from scipy import integrate, optimize

import ibtext as ib

POTENTIALS = {
    "quadratic": ib.QuadraticPotential(scale=0.5),
    "power": ib.PowerPotential(p=3),
    "cosh": ib.CoshPotential(),
    "hypentropy": ib.HypentropyPotential(beta=0.1),
    "entropy": ib.EntropyPotential(),
    "p-norm": ib.PNormPotential(p=1.5),
}
each_potential = pytest.mark.parametrize("name", POTENTIALS)
each_problem = pytest.mark.parametrize(("seed", "rows", "columns"), [(0, 1, 3), (1, 3, 10), (2, 8, 60)])


def problem(seed: int, rows: int, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
    """Features, labels that positive weights fit, a positive start, and the generator for more."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(rows, columns)) / np.sqrt(columns)
    return A, A @ rng.uniform(0.3, 1.7, columns), rng.uniform(0.5, 1.5, columns), rng


def total(phi: ib.Potential, u: np.ndarray, v: np.ndarray) -> float:
    return float(np.sum(phi.divergence(u, v)))


def kernel(A: np.ndarray, phi: ib.Potential, w: np.ndarray) -> np.ndarray:
    return (A / phi.hessian(w)) @ A.T


@each_potential
@each_problem
def test_identities_of_divergences(name: str, seed: int, rows: int, columns: int) -> None:
    # claim: lem-mirror-bregman
    phi, (A, _, start, rng) = POTENTIALS[name], problem(seed, rows, columns)
    for _ in range(20):
        u, v, w = rng.uniform(0.2, 2.0, (3, columns))
        three = total(phi, u, w) + total(phi, w, v) + (phi.gradient(w) - phi.gradient(v)) @ (u - w)
        # all terms are of order one for each column; 1e-13 is a few hundred roundings
        assert three == pytest.approx(total(phi, u, v), abs=1e-13 * columns)
        assert total(phi, u, v) > 0
        foot = phi.inverse_gradient(phi.gradient(w) - 0.1 * rng.normal(size=rows) @ A)
        level = w + 0.05 * (u - np.linalg.pinv(A) @ (A @ u))
        assert total(phi, level, foot) == pytest.approx(total(phi, level, w) + total(phi, w, foot), abs=1e-13 * columns)
    # balls are convex in the dual variable: D is a convex function of it, from any fixed first argument
    s, t = phi.gradient(rng.uniform(0.05, 4.0, (2, 200, columns)))
    ball_s, ball_t, middle = (np.sum(phi.divergence(start, phi.inverse_gradient(z)), axis=1) for z in (s, t, (s + t) / 2))
    assert np.all(middle < np.maximum(ball_s, ball_t)) and np.all(middle < (ball_s + ball_t) / 2)
    # compact balls: the divergence from u grows without bound towards both ends of the dual line
    ends = phi.divergence(start, phi.inverse_gradient(phi.gradient(start) + 25.0))
    assert np.all(ends > 1.0) and np.all(phi.divergence(start, phi.inverse_gradient(phi.gradient(start) - 25.0)) > 1.0)


@each_potential
def test_duality_of_divergences_in_high_precision(name: str) -> None:
    # claim: lem-mirror-bregman
    phi = POTENTIALS[name]
    exact = {
        "quadratic": lambda x: x**2 / 2,
        "power": lambda x: abs(x) ** 3 + x**2,
        "cosh": mpmath.cosh,
        "hypentropy": lambda x: x * mpmath.asinh(x / mpmath.mpf(0.1)) - mpmath.sqrt(x**2 + mpmath.mpf(0.1) ** 2),
        "entropy": lambda x: x * mpmath.log(x) - x,
        "p-norm": lambda x: abs(x) ** mpmath.mpf(1.5) / mpmath.mpf(1.5),
    }[name]
    with mpmath.workdps(40):
        for u, v in ((0.3, 1.9), (1.2, 0.4), (0.7, 0.71)):
            slope = mpmath.diff(exact, mpmath.mpf(v))
            by_hand = exact(mpmath.mpf(u)) - exact(mpmath.mpf(v)) - slope * (mpmath.mpf(u) - mpmath.mpf(v))
            s, t = float(phi.gradient(v)), float(phi.gradient(u))
            # the conjugate's divergence with the supremum found by a root finder of its own
            conjugate = {}
            for z in (s, t):
                x = mpmath.findroot(lambda x, z=z: mpmath.diff(exact, x) - z, mpmath.mpf(v if z == s else u))
                conjugate[z] = z * x - exact(x)
            dual = conjugate[s] - conjugate[t] - mpmath.mpf(u) * (mpmath.mpf(s) - mpmath.mpf(t))
            # the dual variables s and t are rounded to double precision
            assert float(dual) == pytest.approx(float(by_hand), rel=1e-10, abs=1e-14)
            assert float(phi.divergence(u, v)) == pytest.approx(float(by_hand), rel=1e-10)


@each_potential
@each_problem
def test_the_proximal_step_is_the_mirror_step(name: str, seed: int, rows: int, columns: int) -> None:
    # claim: thm-mirror-forms
    phi, (A, y, w, _) = POTENTIALS[name], problem(seed, rows, columns)
    eta = 0.5 / np.linalg.eigvalsh(kernel(A, phi, w))[-1]
    run = ib.linear.mirror_descent(A, y, potential=phi, start=w, step_size=eta, n_steps=5, keep_iterates=True)
    summed = np.zeros(columns)
    for k in range(5):
        pull = A.T @ (A @ run.iterates[k] - y)
        summed += pull
        for centre, gradient in ((run.iterates[k], pull), (w, summed)):
            for j in range(columns):  # each coordinate is minimised on its own, by a method that knows no derivative
                cost = lambda x, g=gradient[j], c=centre[j]: eta * g * x + float(phi.divergence(x, c))  # noqa: E731
                near = run.iterates[k + 1][j]
                found = optimize.minimize_scalar(cost, bounds=(0.2 * near, 5 * near) if near > 0 else (-5, 5), method="bounded",
                                                 options={"xatol": 1e-11})  # fmt: skip
                # a minimum is known to the square root of the rounding of the cost
                assert found.x == pytest.approx(near, abs=2e-6)


@each_potential
@each_problem
def test_the_limit_is_the_projection_for_random_steps_and_other_losses(name: str, seed: int, rows: int, columns: int) -> None:
    # claim: thm-mirror-projection
    phi, (A, y, start, rng) = POTENTIALS[name], problem(seed, rows, columns)
    found = ib.linear.bregman_projection(A, y, potential=phi, start=start)
    largest = np.linalg.eigvalsh(kernel(A, phi, np.maximum(start, found.weights)))[-1]
    largest = max(largest, np.linalg.eigvalsh(kernel(A, phi, np.minimum(start, found.weights)))[-1])
    for loss in (lambda r: r, np.tanh, lambda r: r / np.sqrt(1 + r**2)):  # squares, log cosh, pseudo-Huber
        z = phi.gradient(start)
        for _ in range(200_000):
            r = y - A @ phi.inverse_gradient(z)
            if np.max(np.abs(r)) < 1e-12:
                break
            z = z + rng.uniform(0.2, 0.9) / largest * loss(r) @ A  # a new step size every time
        assert np.max(np.abs(r)) < 1e-12
        # the residual over the smallest singular value of A
        assert phi.inverse_gradient(z) == pytest.approx(found.weights, abs=1e-9)


@each_potential
def test_the_projection_has_the_smallest_divergence_by_a_general_solver(name: str) -> None:
    # claim: thm-mirror-projection
    phi, (A, y, start, _) = POTENTIALS[name], problem(3, 2, 6)
    found = ib.linear.bregman_projection(A, y, potential=phi, start=start).weights
    guess = found + 0.1 * (np.eye(6) - np.linalg.pinv(A) @ A) @ np.ones(6)
    low = 1e-6 if name == "entropy" else -10.0
    other = optimize.minimize(lambda w: total(phi, w, start), guess, method="SLSQP", bounds=[(low, 10.0)] * 6,
                              jac=lambda w: phi.gradient(w) - phi.gradient(start),
                              constraints={"type": "eq", "fun": lambda w: A @ w - y, "jac": lambda w: A},
                              options={"ftol": 1e-15, "maxiter": 500})  # fmt: skip
    # SLSQP stops when the cost no longer changes in its last digits: the root of that in w
    assert other.x == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_closed_forms(seed: int) -> None:
    # claim: prop-mirror-closed
    rng = np.random.default_rng(seed)
    size, row = int(rng.integers(2, 20)), rng.normal(size=20)
    start, y = rng.uniform(0.01, 3.0, size), float(rng.uniform(0.1, 50))
    found = ib.linear.bregman_projection(np.ones((1, size)), [y], potential=ib.EntropyPotential(), start=start)
    assert found.weights == pytest.approx(y * start / start.sum(), rel=1e-12)
    for p in (1.1, 1.7, 2.5, 9.0):
        w = ib.linear.bregman_projection(row[None], [y], potential=ib.PNormPotential(p=p)).weights
        by_hand = np.sign(row) * np.abs(row) ** (1 / (p - 1))
        assert w == pytest.approx(y * by_hand / (row @ by_hand), rel=1e-10, abs=1e-12)
    for beta in (0.01, 0.3, 5.0):
        mixed = rng.normal(size=size)
        w = ib.linear.bregman_projection(
            np.ones((1, size)), [y], start=mixed, potential=ib.HypentropyPotential(beta=beta)
        ).weights
        S, C = np.sum(mixed / beta), np.sum(np.hypot(1, mixed / beta))
        lam = np.arcsinh(y / (beta * np.sqrt((C - S) * (C + S)))) - np.arctanh(S / C)
        assert w == pytest.approx(beta * np.sinh(np.arcsinh(mixed / beta) + lam), rel=1e-9, abs=1e-10)


@each_potential
@each_problem
def test_every_interpolant_sees_the_same_fall(name: str, seed: int, rows: int, columns: int) -> None:
    # claim: thm-mirror-lyapunov
    phi, (A, y, start, rng) = POTENTIALS[name], problem(seed, rows, columns)
    w = ib.linear.bregman_projection(A, y, potential=phi, start=start).weights
    free = np.eye(columns) - np.linalg.pinv(A) @ A
    others = [w]
    for _ in range(5):
        shift = free @ rng.normal(size=columns)
        others.append(w + (0.9 * np.min(np.abs(w) / np.abs(shift)) if name == "entropy" else 1.0) * shift)
    eta = 0.3 / np.linalg.eigvalsh(kernel(A, phi, np.maximum(np.abs(start), np.abs(w))))[-1]
    run = ib.linear.mirror_descent(A, y, potential=phi, start=start, step_size=eta, n_steps=60, keep_iterates=True)
    fall = eta * 2 * run.losses[:-1] - np.sum(phi.divergence(run.iterates[:-1], run.iterates[1:]), axis=1)
    seen = np.array([np.diff(-np.sum(phi.divergence(u, run.iterates), axis=1)) for u in others])
    size = max(total(phi, u, start) for u in others)
    assert np.max(np.abs(seen - fall)) <= 1e-13 * size * columns
    # the largest kernel on the dual segments, sampled: the bound of the theorem with it
    z = phi.gradient(run.iterates)
    points = phi.inverse_gradient(np.concatenate([z[:-1] + s * np.diff(z, axis=0) for s in np.linspace(0, 1, 9)]))
    largest = max(np.linalg.eigvalsh(kernel(A, phi, v))[-1] for v in points)
    assert np.all(fall >= 2 * eta * (1 - 0.5 * eta * largest * (1 + 1e-3)) * run.losses[:-1] - 1e-13 * size)
    assert np.all(np.diff(run.losses) <= 1e-15)
    rate = total(phi, w, start) / (eta * (1 - 0.5 * eta * largest))
    assert np.all(2 * run.losses <= rate / np.arange(1, 62))


@each_potential
@each_problem
def test_the_residual_falls_geometrically(name: str, seed: int, rows: int, columns: int) -> None:
    # claim: thm-mirror-lyapunov
    phi, (A, y, start, _) = POTENTIALS[name], problem(seed, rows, columns)
    w = ib.linear.bregman_projection(A, y, potential=phi, start=start).weights
    for share in (0.2, 1.7):
        eta = share / np.linalg.eigvalsh(kernel(A, phi, np.maximum(np.abs(start), np.abs(w)) if name != "power" else 0 * w))[-1]
        if name == "cosh":  # its slope 1/cosh is largest at 0
            eta = share / np.linalg.eigvalsh(A @ A.T)[-1]
        run = ib.linear.mirror_descent(A, y, potential=phi, start=start, step_size=eta, n_steps=40, keep_iterates=True)
        z, size = phi.gradient(run.iterates), np.sqrt(2 * run.losses)
        for k in range(40):
            seen = [np.linalg.eigvalsh(kernel(A, phi, phi.inverse_gradient(z[k] + s * (z[k + 1] - z[k]))))
                    for s in np.linspace(0, 1, 17)]  # fmt: skip
            q = max(1 - eta * min(e[0] for e in seen), eta * max(e[-1] for e in seen) - 1)
            # 1e-2 of the step's own change of the eigenvalues for the gaps between the 17 samples
            spread = max(abs(seen[i + 1] - seen[i]).max() for i in range(16))
            assert size[k + 1] <= (q + eta * spread) * size[k] + 1e-13


def test_the_bounds_are_attained_by_gradient_descent() -> None:
    # claim: thm-mirror-lyapunov
    # with x^2/2 and a residual along an eigenvector of A A^T, both inequalities are equalities
    A, _, start, _ = problem(9, 3, 7)
    values, vectors = np.linalg.eigh(A @ A.T)
    phi = ib.QuadraticPotential(scale=0.5)
    for i, share in ((0, 0.4), (2, 1.6)):
        y, eta = A @ start + vectors[:, i], share / values[-1]
        u = ib.linear.bregman_projection(A, y, start=start).weights
        run = ib.linear.mirror_descent(A, y, potential=phi, start=start, step_size=eta, n_steps=9, keep_iterates=True)
        q = 1 - eta * values[0] if i == 0 else eta * values[-1] - 1
        assert np.sqrt(2 * run.losses) == pytest.approx(q ** np.arange(10), rel=1e-11)
        if i == 2:
            fall = total(phi, u, run.iterates[0]) - total(phi, u, run.iterates[1])
            assert fall == pytest.approx(eta * (1 - eta * values[-1] / 2), rel=1e-11)


def test_a_step_beyond_the_bound_repels_the_limit() -> None:
    # claim: thm-mirror-lyapunov
    # the condition is sharp: with 1 % more than 2/lambda_max at the limit, D grows near the limit, with 1 % less it falls
    phi, (A, y, start, _) = POTENTIALS["cosh"], problem(4, 2, 8)
    w = ib.linear.bregman_projection(A, y, potential=phi, start=start).weights
    values, vectors = np.linalg.eigh(kernel(A, phi, w))
    near = phi.inverse_gradient(phi.gradient(w) + 1e-6 * vectors[:, -1] @ A)
    for share, grows in ((1.01, True), (0.99, False)):
        run = ib.linear.mirror_descent(
            A, y, potential=phi, start=near, step_size=share * 2 / values[-1], n_steps=50, keep_iterates=True
        )
        assert (total(phi, w, run.iterates[-1]) > total(phi, w, near)) is grows


@pytest.mark.parametrize("seed", range(3))
def test_what_strong_convexity_buys(seed: int) -> None:
    # claim: prop-mirror-strict
    A, y, _, rng = problem(seed, 3, 12)
    for phi, mu in ((ib.PowerPotential(p=3), 2.0), (ib.CoshPotential(), 1.0)):
        u, v = rng.normal(size=(2, 12)) * 3
        assert total(phi, u, v) >= 0.5 * mu * np.sum((u - v) ** 2)
        for scale in (1.0, 10.0):
            start = scale * rng.normal(size=12)
            eta = 1.9 * mu / np.linalg.norm(A, 2) ** 2
            w = ib.linear.bregman_projection(A, y, potential=phi, start=start).weights
            run = ib.linear.mirror_descent(A, y, potential=phi, start=start, step_size=eta, n_steps=300, keep_iterates=True)
            value = np.sum(phi.divergence(w, run.iterates), axis=1)
            assert np.all(np.diff(value) <= 1e-12 * value[0])


@pytest.mark.parametrize("eta", [3.0, 0.2, 0.01])
def test_a_quartic_never_arrives(eta: float) -> None:
    # claim: prop-mirror-strict
    for first in (0.01, 0.7, 5.0):
        run = ib.linear.mirror_descent(
            [[1.0]], [0.0], potential=ib.PNormPotential(p=4), start=[first], step_size=eta, n_steps=int(300 / eta) + 300
        )
        assert abs(run.weights[0]) == pytest.approx(np.sqrt(eta / 2), rel=1e-9)
    # the flow does arrive: 3 w^2 w' = -w, so w^2 falls linearly to zero
    flow = ib.linear.mirror_flow([[1.0]], [0.0], [0.3], potential=ib.PNormPotential(p=4), start=[1.0])
    assert flow.weights[0, 0] ** 2 == pytest.approx(1 - 2 * 0.3 / 3, rel=1e-8)


@each_potential
def test_the_flow_by_an_integrator_in_the_weights(name: str) -> None:
    # claim: thm-mirror-flow
    phi, (A, y, start, _) = POTENTIALS[name], problem(5, 2, 7)
    times = np.array([0.1, 1.0, 5.0])
    flow = ib.linear.mirror_flow(A, y, times, potential=phi, start=start)
    direct = integrate.solve_ivp(lambda t, w: (y - A @ w) @ A / phi.hessian(w), (0, 5), start, method="DOP853",
                                 t_eval=times, rtol=1e-11, atol=1e-13)  # fmt: skip
    assert flow.weights == pytest.approx(direct.y.T, abs=1e-7)  # both integrators
    assert flow.dual is flow.duals  # two names for the multipliers
    assert phi.gradient(flow.weights) == pytest.approx(phi.gradient(start) + flow.dual @ A, abs=1e-7)
    orders = []
    for natural in (False, True):
        errors, counts = [], np.array([20, 40, 80, 160])
        for count in counts:
            w, z = start.copy(), phi.gradient(start)
            for _ in range(count):
                pull = (y - A @ w) @ A / count
                z = z + pull
                w = w + pull / phi.hessian(w) if natural else phi.inverse_gradient(z)
            errors.append(np.max(np.abs(w - direct.y[:, 1])))
        orders.append(-ib.rates.fit_rate(counts, errors).slope)
    assert orders == pytest.approx([1, 1], abs=0.1)  # the second order at 1/20 is a few per cent


@pytest.mark.parametrize("rho", [-2.4, -0.5, 0.1, 2.0])
def test_one_natural_step_of_the_entropy(rho: float) -> None:
    # claim: thm-mirror-flow
    w, row = np.ones(2), np.array([1.0, 2.0])
    w = w + 0.2 * w * row * (3 + rho - row @ w)
    assert row @ w == pytest.approx(3 + rho, abs=1e-14)
    assert w[1] - w[0] ** 2 == pytest.approx(-(rho**2) / 25, abs=1e-14)
    found = ib.linear.bregman_projection(row[None], [3 + rho], potential=ib.EntropyPotential(), start=[1.0, 1.0]).weights
    assert found[1] == pytest.approx(found[0] ** 2, rel=1e-11)


def test_limits_of_natural_gradient_descent_move_with_the_step() -> None:
    # claim: thm-mirror-flow
    row, rho, seen = np.array([1.0, 2.0]), 2.0, []
    for eta in (0.2, 0.1, 0.05, 0.01):
        w = np.ones(2)
        for _ in range(int(20 / eta)):
            w = w * (1 + eta * row * (3 + rho - row @ w))
        seen.append(w[1] - w[0] ** 2)
        drift = abs(w[1] / w[0] ** 2 - 1)
        assert row @ w == pytest.approx(5, abs=1e-12)
        if eta < 1 / 11:
            assert drift <= eta * rho**2 / 3  # the sum of the p^2 in the proof
    assert np.all(np.diff(seen) > 0) and seen[-1] < -1e-3
    assert seen == pytest.approx([-0.1600, -0.0693, -0.0323, -0.0061], abs=6e-5)
    # without the hypothesis on the second derivative: |x|^1.5 from 0 never starts, but its mirror flow does
    phi, w0 = POTENTIALS["p-norm"], np.zeros(1)
    with np.errstate(divide="ignore"):
        assert 0.1 / phi.hessian(w0) == 0.0
    flow = ib.linear.mirror_flow([[1.0]], [1.0], [30.0], potential=phi, start=w0)
    assert flow.weights[-1] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("c", [0.05, 1.0, 20.0])
def test_not_every_metric_without_a_potential_does_harm(c: float) -> None:
    # claim: prop-mirror-nohessian
    A, y, start, _ = problem(7, 2, 5)
    importance = np.array([c, 1.0])

    def rates(t: float, w: np.ndarray) -> np.ndarray:
        return (importance * (y - A @ w)) @ A / (1 + w @ w)

    end = integrate.solve_ivp(rates, (0, 4000 / min(c, 1)), start, method="Radau", rtol=1e-10, atol=1e-12).y[:, -1]
    assert end == pytest.approx(ib.linear.bregman_projection(A, y, start=start).weights, abs=1e-7)


def test_without_a_hessian_metric_the_limit_depends_on_weights_and_steps() -> None:
    # claim: prop-mirror-nohessian
    A, y = np.array([[1.0, 0, 0], [0, 1, 1]]), np.ones(2)

    def flow(c: float) -> np.ndarray:
        def rates(t: float, w: np.ndarray) -> np.ndarray:
            return np.array([1, 1, 1 + w[0] ** 2]) * ((np.array([c, 1.0]) * (y - A @ w)) @ A)

        return integrate.solve_ivp(rates, (0, 40 / min(c, 1)), np.zeros(3), method="Radau", rtol=1e-10, atol=1e-12).y[:, -1]

    def integrand(t: float, c: float) -> float:
        w1, rho = -np.expm1(-c * t), np.exp(-3 * t + 2 * (-np.expm1(-c * t)) / c + np.expm1(-2 * c * t) / (2 * c))
        return float(w1**2 * rho)

    delta = []
    for c in (0.02, 0.2, 1.0, 20.0, 2000.0):
        end = flow(c)
        assert A @ end == pytest.approx(y, abs=1e-8)
        delta.append(end[2] - end[1])
        # the integral of the proof, with rho = exp(-int 2 + w1^2) in closed form
        pieces = np.concatenate([[0.0], np.geomspace(1e-4, 40, 15)])
        exact = sum(integrate.quad(integrand, *ends, args=(c,))[0] for ends in itertools.pairwise(pieces))
        assert delta[-1] == pytest.approx(exact, abs=1e-7)
        assert 0 < delta[-1] <= min(c**2 / 4, 1 / 3)
    assert np.all(np.diff(delta) > 0)
    assert delta[-1] == pytest.approx(1 / 3, abs=3e-3)  # O(1/c)
    w = np.zeros(3)
    for _ in range(60):
        w = w + 0.5 * np.array([1, 1, 1 + w[0] ** 2]) * ((y - A @ w) @ A)
    assert w == pytest.approx([1, 0.5, 0.5], abs=1e-15)


@each_potential
@each_problem
def test_duality_and_newton(name: str, seed: int, rows: int, columns: int) -> None:
    # claim: thm-mirror-dual, prop-mirror-newton
    phi, (A, y, start, rng) = POTENTIALS[name], problem(seed, rows, columns)
    z0 = phi.gradient(start)
    columns_ = ib.FiniteColumns(A, 1.0, phi, z0)

    def dual(lam: np.ndarray) -> float:
        return float(lam @ y - np.sum(phi.conjugate(z0 + lam @ A) - phi.conjugate(z0)))

    solved = ib.solve_dual(columns_, y)
    best, w = dual(solved.multiplier), columns_.primal(solved.multiplier)
    assert solved.residual <= 1e-12 * np.max(np.abs(y))
    assert best == pytest.approx(total(phi, w, start), rel=1e-9, abs=1e-12)
    for _ in range(10):
        assert dual(solved.multiplier + 0.1 * rng.normal(size=rows)) < best
    # a quasi-Newton method on Q, which knows nothing of H, finds the same multiplier
    other = optimize.minimize(lambda lam: -dual(lam), np.zeros(rows), jac=lambda lam: columns_.evaluate(lam)[0] - y,
                              method="BFGS", options={"gtol": 1e-9})  # fmt: skip
    assert other.x == pytest.approx(solved.multiplier, rel=1e-5, abs=1e-6 * np.max(np.abs(solved.multiplier)))
    # damped Newton on Q from random multipliers
    for _ in range(3):
        lam, errors = solved.multiplier + rng.normal(size=rows), []
        for _ in range(60):
            F, H = columns_.evaluate(lam)
            errors.append(float(np.linalg.norm(lam - solved.multiplier)))
            step, tau = np.linalg.solve(H, y - F), 1.0
            while dual(lam + tau * step) < dual(lam) + 1e-4 * tau * step @ (y - F) - 1e-13 * (1 + abs(dual(lam))):
                tau /= 2
            lam = lam + tau * step
        assert errors[-1] <= 1e-8 * max(1, float(np.linalg.norm(solved.multiplier)))


@pytest.mark.parametrize("first", [1e-3, 1e-5])
def test_newton_needs_its_damping(first: float) -> None:
    # claim: prop-mirror-newton
    # entropy, one weight, label 1: the first full step is (1 - w_0)/w_0, and exp of it overflows
    phi, one = ib.EntropyPotential(), np.ones(1)
    columns_ = ib.FiniteColumns(one[None], 1.0, phi, np.log([first]))

    def Q(lam: np.ndarray) -> float:
        return float(phi.conjugate(np.log([first]) + lam)[0] - lam[0])

    ends, halved = {}, 0
    for damped in (True, False):
        lam, errors = np.zeros(1), []
        for _ in range(40):
            with np.errstate(all="ignore"):
                F, H = columns_.evaluate(lam)
                step, tau = (one - F) / H[0], 1.0
                while damped and not Q(lam + tau * step) <= Q(lam) - 1e-4 * tau * step @ (one - F) + 1e-13:
                    tau, halved = tau / 2, halved + 1
                lam = lam + tau * step
            errors.append(abs(lam[0] + np.log(first)))
        ends[damped] = errors
    assert halved >= 5 and ends[True][-1] < 1e-12
    assert not ends[False][-1] < 1.0
    late = [e for e in ends[True] if 1e-10 < e < 0.1]  # the error is squared, with the factor psi''/(2 psi') = 1/2
    assert all(b == pytest.approx(a**2 / 2, rel=0.1) for a, b in itertools.pairwise(late))
    assert ib.solve_dual(columns_, one).multiplier == pytest.approx(-np.log([first]), rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_start_and_centre(seed: int) -> None:
    # claim: prop-mirror-centre
    A, y, start, rng = problem(seed, 3, 9)
    start = start - 1.0
    for phi in (ib.CoshPotential(), ib.PowerPotential(p=4, omega=0.5), ib.HypentropyPotential(beta=0.5)):
        ends = []
        for centre in (start, np.zeros(9), rng.normal(size=9)):
            end = centre + ib.linear.bregman_projection(A, y - A @ centre, potential=phi, start=start - centre).weights
            z = phi.gradient(end - centre) - phi.gradient(start - centre)
            assert A @ end == pytest.approx(y, abs=1e-11)
            assert A.T @ np.linalg.lstsq(A.T, z, rcond=None)[0] == pytest.approx(z, abs=1e-10)
            ends.append(end)
        centred = [np.sum(phi(end - start)) for end in ends]
        assert centred[0] < min(centred[1:])
    quadratic = ib.QuadraticPotential(scale=0.5)
    ends = [
        c + ib.linear.bregman_projection(A, y - A @ c, potential=quadratic, start=start - c).weights for c in (0 * start, start)
    ]
    assert ends[0] == pytest.approx(ends[1], abs=1e-12)
    phi, s, t, eps = ib.CoshPotential(), 0.3, 1.4, 1e-5
    split = ib.linear.bregman_projection([[1.0, 1.0]], [eps + s + t], potential=phi, start=[s, t]).weights[0] - s
    assert split / eps == pytest.approx(np.cosh(t) / (np.cosh(s) + np.cosh(t)), rel=1e-4)  # first order in eps


@each_potential
def test_solutions_of_the_exercises(name: str) -> None:
    """Stochastic steps reach the projection; penalised problems are solved by the same Newton method."""
    phi, (A, y, start, rng) = POTENTIALS[name], problem(6, 3, 12)
    w = ib.linear.bregman_projection(A, y, potential=phi, start=start).weights
    eta = 0.5 / np.max(np.diag(kernel(A, phi, 2 * np.maximum(start, np.abs(w)) if name != "power" else 0 * w)))
    z = phi.gradient(start)
    for _ in range(4000):
        for i in rng.permutation(3):
            z = z + eta * (y[i] - A[i] @ phi.inverse_gradient(z)) * A[i]
    assert phi.inverse_gradient(z) == pytest.approx(w, abs=1e-9)


def test_early_stopping_is_no_penalty() -> None:
    """The last exercise: the bound of the quadratic holds for it and fails for the entropy, by closed forms."""
    s = np.linspace(0, 20, 200_001)
    bound = np.max(np.abs(np.exp(-s) - 1 / (1 + s)))
    rng = np.random.default_rng(2)  # the data of the page
    A, start = rng.normal(size=(4, 30)), rng.uniform(0.5, 1.5, 30)
    y = A @ rng.uniform(0.2, 2.0, 30)
    for psi, z0, t, exceeds in ((np.exp, np.log(start), 0.0794, True), (lambda z: z, start, 0.0858, False)):
        lam = integrate.solve_ivp(lambda _, v, psi=psi, z0=z0: y - A @ psi(z0 + v @ A), (0, t), np.zeros(4), method="DOP853",
                                  rtol=1e-11, atol=1e-13).y[:, -1]  # fmt: skip
        root = optimize.root(lambda v, psi=psi, z0=z0, t=t: A @ psi(z0 + v @ A) + v / t - y, lam / 2, tol=1e-12)
        gap = np.linalg.norm(y - A @ psi(z0 + lam @ A) - root.x / t) / np.linalg.norm(y - A @ start)
        assert root.success and bool(gap > bound) is exceeds
    # one weight, entropy: the flow is the logistic curve
    small, t = 1e-3, 9.8
    lam = optimize.brentq(lambda v: small * np.exp(v) + v / t - 1, 0, 20)
    gap = abs(1 - 1 / (1 + (1 / small - 1) * np.exp(-t)) - lam / t) / (1 - small)
    assert gap == pytest.approx(0.557, abs=1e-3)


def test_hypentropy_near_the_smallest_sum_of_sizes() -> None:
    """The exercise on two norms: the excess lies below the bound of its proof, and is a power of beta in the end."""
    A, y, _, _ = problem(8, 4, 30)
    program = optimize.linprog(np.ones(60), A_eq=np.hstack([A, -A]), b_eq=y, bounds=(0, None))
    sparse = program.x[:30] - program.x[30:]
    assert np.sum(np.abs(sparse) > 1e-9) == 4
    exponents = 1 - np.abs(program.eqlin.marginals @ A)[np.abs(sparse) < 1e-9]
    betas, excess = np.array([1e-4, 1e-8, 1e-16, 1e-24]), []
    for beta in betas:
        phi = ib.HypentropyPotential(beta=float(beta))
        w = ib.linear.bregman_projection(A, y, potential=phi).weights
        excess.append(np.abs(w).sum() - program.fun)
        bound = (total(phi, sparse, np.zeros(30)) + 15) / np.log(1 / beta) - program.fun
        assert 0 < excess[-1] <= bound
    slope = np.log(excess[2] / excess[3]) / np.log(betas[2] / betas[3])
    assert slope == pytest.approx(np.min(exponents), rel=0.05)
