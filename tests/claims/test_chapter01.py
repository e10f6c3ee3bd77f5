"""Checks of the first chapter that are too long for its page, or take another route than the page does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import optimize, stats

import ibtext as ib

SHAPES = [(1, 4), (3, 8), (6, 6), (5, 20)]
WAVES = 40


def problem(rows: int, columns: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A random matrix, labels that can be met, and a start."""
    rng = np.random.default_rng([rows, columns, seed])
    A = rng.normal(size=(rows, columns))
    return A, A @ rng.normal(size=columns), rng.normal(size=columns)


def nearest(A: np.ndarray, y: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The interpolant nearest to the start from its optimality system, without a pseudo-inverse."""
    rows, columns = A.shape
    system = np.block([[np.eye(columns), A.T], [A, np.zeros((rows, rows))]])
    return np.linalg.lstsq(system, np.concatenate([start, y]), rcond=None)[0][:columns]


def steps_of(A: np.ndarray, rule: Callable[[np.ndarray], np.ndarray], start: np.ndarray, n: int) -> np.ndarray:
    w = start.copy()
    for _ in range(n):
        w = w - rule(w)
    return w


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_whatever_moves_along_the_rows_and_fits_ends_at_the_nearest_interpolant(shape: tuple[int, int], seed: int) -> None:
    # claim: lem-bias-rows
    A, y, start = problem(*shape, seed)
    target = nearest(A, y, start)
    rng, low = np.random.default_rng(seed), np.linalg.svd(A, compute_uv=False)[-1]
    w = start.copy()
    for _ in range(4):  # random directions in the row space; the bound of part 2 holds at each
        w = w + A.T @ rng.normal(size=shape[0])
        assert low * np.linalg.norm(w - target) <= np.linalg.norm(A @ w - y) * (1 + 1e-9)
    # one last combination of rows that meets the data, found by least squares
    w = w + A.T @ np.linalg.lstsq(A @ A.T, y - A @ w, rcond=None)[0]
    # the conditioning of A A^T, at most 1e4 on these problems, times rounding
    assert np.linalg.norm(w - target) < 1e-9


@pytest.mark.parametrize("rank", [2, 4])
@pytest.mark.parametrize("seed", range(3))
def test_gradient_descent_projects_at_the_stated_rate_even_with_dependent_rows(rank: int, seed: int) -> None:
    # claim: thm-bias-projection
    rng = np.random.default_rng([rank, seed])
    A = rng.normal(size=(4, rank)) @ rng.normal(size=(rank, 9))
    y, start = A @ rng.normal(size=9), rng.normal(size=9)
    sigma = np.linalg.svd(A, compute_uv=False)[:rank]
    target = nearest(A, y, start)
    for share in (0.3, 0.5, 0.99):
        eta = share * 2 / sigma[0] ** 2
        run = ib.linear.mirror_descent(A, y, start=start, step_size=eta, n_steps=400, keep_iterates=True)
        assert run.iterates is not None
        gap = np.linalg.norm(run.iterates - target, axis=1)
        bound = np.max(np.abs(1 - eta * sigma**2)) ** np.arange(401) * gap[0]
        assert np.all(gap <= bound + 1e-10)  # 1e-10: rounding in the reference
    # at the largest step the first coefficient keeps its size, above it it grows
    first = np.linalg.svd(A)[2][0]
    for share, growth in ((1.0, 1.0), (1.05, 1.1**20)):
        eta = share * 2 / sigma[0] ** 2
        w = steps_of(A, lambda w, eta=eta: eta * A.T @ (A @ w - y), start, 20)
        assert abs(first @ (w - target)) == pytest.approx(growth * abs(first @ (start - target)), rel=1e-6)


def test_the_pseudo_inverse_by_three_roads() -> None:
    # claim: prop-bias-pinv
    for seed in range(4):
        A, y, _ = problem(4, 11, seed)
        shortest = np.linalg.pinv(A) @ y
        search = optimize.minimize(
            lambda w: w @ w, np.zeros(11), jac=lambda w: 2 * w, method="SLSQP", options={"ftol": 1e-14},
            constraints={"type": "eq", "fun": lambda w, A=A, y=y: A @ w - y, "jac": lambda w, A=A: A},
        )  # fmt: skip
        assert search.x == pytest.approx(shortest, abs=1e-6)  # the accuracy of the general solver
        low = np.linalg.svd(A, compute_uv=False)[-1]
        gaps = []
        for tau in (1e-3, 1e-5):
            # ridge as ordinary least squares with extra rows
            rows = np.vstack([A, np.sqrt(tau) * np.eye(11)])
            ridge = np.linalg.lstsq(rows, np.concatenate([y, np.zeros(11)]), rcond=None)[0]
            gaps.append(np.linalg.norm(ridge - shortest))
            assert gaps[-1] <= tau / low**2 * np.linalg.norm(shortest) + 1e-12
        assert gaps[1] / gaps[0] == pytest.approx(1e-2, rel=0.1)  # linear in tau, up to its next order
        tall, labels, start = A.T, np.random.default_rng(seed).normal(size=11), np.ones(4)
        step = 1.5 / np.linalg.norm(tall, 2) ** 2
        end = steps_of(tall, lambda w, t=tall, b=labels, s=step: s * t.T @ (t @ w - b), start, 20_000)
        assert end == pytest.approx(np.linalg.lstsq(tall, labels, rcond=None)[0], abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_the_length_is_the_slope_energy(seed: int) -> None:
    # claim: prop-bias-energy
    rng = np.random.default_rng(seed)
    w, scale = rng.normal(size=WAVES), rng.uniform(0.5, 3.0)
    nodes, weights = np.polynomial.legendre.leggauss(4 * WAVES)  # exact enough for waves of frequency 2 * WAVES
    k = np.arange(WAVES)
    h = 1e-5
    value = lambda x: np.cos(np.pi / 2 * k * (x[:, None] + 1)) / np.maximum(k, 1) / scale @ w  # noqa: E731
    slope = (value(nodes + h) - value(nodes - h)) / (2 * h)
    energy = weights @ slope**2
    # difference quotients lose (k h)^2 and 1e-16 / h
    assert w[0] ** 2 + 4 * scale**2 / np.pi**2 * energy == pytest.approx(w @ w, rel=1e-6)


LOSSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "square": lambda r: r,
    "Huber": lambda r: np.clip(r, -0.3, 0.3),
    "log cosh": np.tanh,
    "root": lambda r: r / np.sqrt(1 + r**2),
    "not convex": lambda r: r / (1 + r**2) ** 2,
    "not symmetric": lambda r: np.where(r > 0, r, 0.2 * r),
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("seed", range(3))
def test_every_loss_with_a_finite_root_ends_at_the_nearest_interpolant(name: str, seed: int) -> None:
    # claim: thm-bias-loss
    slope = LOSSES[name]
    r = np.linspace(-20, 20, 4001)
    assert np.all(np.abs(slope(r)) <= np.abs(r) + 1e-15) and np.all(slope(r)[r != 0] * r[r != 0] > 0)
    A, y, start = problem(3, 8, seed)
    target, top = nearest(A, y, start), np.linalg.norm(A, 2) ** 2
    rng = np.random.default_rng(seed)
    w, before = start.copy(), np.inf
    for _ in range(20_000):
        w = w - rng.uniform(0.5, 1.95) / top * A.T @ slope(A @ w - y)
        distance = np.linalg.norm(w - target)
        assert distance <= before + 1e-12  # the proof's inequality: the distance never grows
        before = distance
    assert distance < 1e-9


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_ends_at_the_same_point(seed: int, nesterov: bool) -> None:
    # claim: thm-bias-same
    A, y, start = problem(3, 8, seed)
    target, top = nearest(A, y, start), np.linalg.norm(A, 2) ** 2
    features, labels = torch.tensor(A), torch.tensor(y)
    for b, share in ((0.3, 0.4), (0.9, 0.3), (0.9, 0.95)):
        if nesterov and share > 0.5:
            continue  # Nesterov's variant has a smaller range of stable steps; only its row space is used here
        w = torch.tensor(start, requires_grad=True)
        step = share * 2 * (1 + (0 if nesterov else b)) / top
        rule = torch.optim.SGD([w], lr=step, momentum=b, nesterov=nesterov)
        for _ in range(1500):
            w.grad = features.T @ (features @ w.detach() - labels)
            rule.step()
        assert np.linalg.norm(w.detach().numpy() - target) < 1e-9


@pytest.mark.parametrize("b", [0.0, 0.5, 0.9])
def test_the_range_of_stable_steps_with_momentum_is_sharp(b: float) -> None:
    # claim: thm-bias-same
    for mu, stable in ((1.999 * (1 + b), True), (2.001 * (1 + b), False), (1e-3, True)):
        modulus = np.max(np.abs(np.roots([1.0, -(1 + b - mu), b])))
        assert (modulus < 1) == stable


@pytest.mark.parametrize("seed", range(3))
def test_batches_and_single_rows_end_at_the_same_point(seed: int) -> None:
    # claim: thm-bias-same
    A, y, start = problem(6, 15, seed)
    target, top = nearest(A, y, start), np.linalg.norm(A, 2) ** 2
    rng = np.random.default_rng(seed)
    orders = {
        "pairs in turn": [[0, 1], [2, 3], [4, 5]] * 4000,
        "random triples": [rng.choice(6, 3, replace=False) for _ in range(12_000)],
        "rows at random": [[i] for i in rng.integers(6, size=12_000)],
    }
    for name, batches in orders.items():
        w = start.copy()
        for rows in batches:
            a = A[rows]
            step = 1 / np.sum(a**2) if name == "rows at random" else 1.8 / top  # the former is Kaczmarz' method
            w = w - step * a.T @ (a @ w - y[rows])
        assert np.linalg.norm(w - target) < 1e-9


def test_random_batches_contract_as_fast_as_stated() -> None:
    # claim: thm-bias-same
    A, y, start = problem(4, 7, 0)
    target, size = nearest(A, y, start), np.max(np.sum(A**2, axis=1))
    eta, low = 1 / size, np.linalg.svd(A, compute_uv=False)[-1]
    gamma = 1 - eta * (2 - eta * size) * 0.25 * low**2
    # the exact mean square, by the linear map that one step applies to the matrix E z z^T
    second = np.outer(start - target, start - target)
    first = np.trace(second)
    for t in range(1, 60):
        second = np.mean([(P := np.eye(7) - eta * np.outer(a, a)) @ second @ P for a in A], axis=0)
        assert np.trace(second) <= gamma**t * first * (1 + 1e-12)


@pytest.mark.parametrize("eta", [0.4, 1.0, 1.7])
def test_the_rate_of_random_batches_is_attained(eta: float) -> None:
    # claim: thm-bias-same
    # for A = I each step multiplies one entry by 1 - eta, so the mean square falls by gamma exactly
    second, eye = np.diag(np.arange(1.0, 6.0)), np.eye(5)
    first, gamma = np.trace(second), 1 - eta * (2 - eta) / 5
    for t in range(1, 30):
        second = np.mean([(P := eye - eta * np.outer(a, a)) @ second @ P for a in eye], axis=0)
        assert np.trace(second) == pytest.approx(gamma**t * first, rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_adaptive_methods_end_at_the_corner_of_least_largest_entry(seed: int) -> None:
    # claim: thm-bias-adaptive
    rng = np.random.default_rng(seed)
    if seed % 2:  # one data point
        A, start = rng.uniform(0.3, 2, size=(1, 5)) * rng.choice([-1, 1], size=(1, 5)), rng.normal(size=5)
        y = rng.normal(size=1) * 3
        d = y - A @ start
        s, c = np.sign(d) * np.sign(A[0]), np.sum(np.abs(A)) / abs(d[0])
    else:
        while True:
            A, s = rng.normal(size=(3, 7)), rng.choice([-1.0, 1.0], size=7)
            if np.all(s * (A.T @ (A @ s)) > 0.2):
                break
        start, c = rng.normal(size=7), 1.7
        y = A @ start + A @ s / c
    corner = start + s / c
    assert A @ corner == pytest.approx(y)
    # the smallest largest entry, by a linear program: minimise v with -v <= u_k <= v and A u = d
    n = A.shape[1]
    bounds = np.vstack([np.hstack([sign * np.eye(n), -np.ones((n, 1))]) for sign in (1, -1)])
    program = optimize.linprog(
        np.r_[np.zeros(n), 1.0], A_ub=bounds, b_ub=np.zeros(2 * n), A_eq=np.hstack([A, np.zeros((len(A), 1))]),
        b_eq=y - A @ start, bounds=[(None, None)] * n + [(0, None)],
    )  # fmt: skip
    assert program.fun == pytest.approx(1 / c, rel=1e-7)
    features, labels = torch.tensor(A), torch.tensor(y)
    for rule, lr in ((torch.optim.Adagrad, 0.2), (torch.optim.Adagrad, 5.0), (torch.optim.Adam, 0.02)):
        w = torch.tensor(start, requires_grad=True)
        optimiser = rule([w], lr=lr, eps=0.0)
        for _ in range(20_000):
            residual = features @ w.detach() - labels
            if residual.abs().max() < 1e-8:
                break
            w.grad = features.T @ residual
            optimiser.step()
            moved = w.detach().numpy() - start
            # every iterate is on the line: all entries have moved equally far; a residual of 1e-8 is known to seven digits
            assert np.ptp(moved * s) < 1e-7
        assert w.detach().numpy() == pytest.approx(corner, abs=1e-7)


def adagrad(A: np.ndarray, y: np.ndarray, eta: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    w, sums = np.zeros(A.shape[1]), np.zeros(A.shape[1])
    for _ in range(steps):
        g = A.T @ (A @ w - y)
        sums = sums + g**2
        w = w - eta * g / np.sqrt(sums)
    return w, sums + (A.T @ (A @ w - y)) ** 2


def certified(A: np.ndarray, y: np.ndarray, w: np.ndarray, sums: np.ndarray, eta: float) -> float:
    """The radius of the certificate, or infinity where it does not apply."""
    r, D = A @ w - y, eta / np.sqrt(sums)
    low, high = np.linalg.eigvalsh(A * D @ A.T)[[0, -1]]
    rho = max(1 - low / 2, high - 1)
    if rho >= 1 or np.any(rho**2 / (1 - rho**2) * (r @ r) * np.sum(A**2, axis=0) > 3 * sums):
        return np.inf
    return float(np.linalg.norm(D[:, None] * A.T, 2) * np.linalg.norm(r) / (1 - rho))


@pytest.mark.parametrize("seed", range(8))
def test_the_certificate_of_adagrad_holds_on_random_problems(seed: int) -> None:
    # claim: lem-bias-certificate
    A, y, _ = problem(3, 7, seed)
    eta, applied = 0.5, 0
    far, _ = adagrad(A, y, eta, 4000)
    assert np.max(np.abs(A @ far - y)) < 1e-12
    for steps in range(1, 80):
        w, sums = adagrad(A, y, eta, steps)
        radius = certified(A, y, w, sums, eta)
        if np.isfinite(radius) and radius > 1e-13:
            applied += 1
            assert np.linalg.norm(far - w) <= radius + 1e-13
    assert applied >= 5


@pytest.mark.parametrize("seed", range(8))
def test_what_the_certificate_promises_of_every_later_step(seed: int) -> None:
    # claim: lem-bias-certificate
    # the two inequalities of the proof, from the first step at which the hypotheses hold, where they are tightest
    A, y, _ = problem(3, 7, seed)
    eta = 0.5
    first = next(t for t in range(1, 400) if np.isfinite(certified(A, y, *adagrad(A, y, eta, t), eta)))
    w, sums = adagrad(A, y, eta, first)
    D, r = eta / np.sqrt(sums), np.linalg.norm(A @ w - y)
    low, high = np.linalg.eigvalsh(A * D @ A.T)[[0, -1]]
    rho = max(1 - low / 2, high - 1)
    for t in range(1, 200):
        later, more = adagrad(A, y, eta, first + t)
        assert np.linalg.norm(A @ later - y) <= rho**t * r + 1e-13
        assert np.all(more >= sums) and np.all(more <= 4 * sums)


def test_where_adam_first_fits_depends_on_the_step() -> None:
    # claim: prop-bias-steps
    # what the page measures for Adam, on the matrix of the proposition
    features, labels, ends = torch.tensor([[1.0, 2, 0], [0, 1, 1]]).double(), torch.tensor([1.0, 2.0]).double(), []
    for lr in (0.02, 0.2):
        w = torch.zeros(3, dtype=torch.float64)
        optimiser = torch.optim.Adam([w], lr=lr)
        for _ in range(20_000):
            residual = features @ w - labels
            if residual.abs().max() < 1e-9:
                break
            w.grad = features.T @ residual
            optimiser.step()
        assert residual.abs().max() < 1e-9
        ends.append(w.numpy().copy())
    nearest_point = np.array([-1, 2, 4]) / 3
    assert np.linalg.norm(ends[0] - ends[1]) > 0.01
    assert min(np.linalg.norm(e - nearest_point) for e in ends) > 0.01


def test_the_limit_of_adagrad_depends_on_the_step_in_extended_precision() -> None:
    # claim: prop-bias-steps
    # the iterates of the page again, in extended precision, so that rounding can be judged
    mpmath = pytest.importorskip("mpmath")
    A, y = np.array([[1.0, 2, 0], [0, 1, 1]]), np.array([1.0, 2.0])
    limits = [np.array([-1, 2, 4]) / 3]
    with mpmath.workdps(50):
        for eta, steps in (("0.2", 300), ("1", 20)):
            w, sums = mpmath.matrix(3, 1), [mpmath.mpf(0)] * 3
            B, z = mpmath.matrix(A.tolist()), mpmath.matrix(y.tolist())
            for _ in range(steps):
                g = B.T * (B * w - z)
                sums = [a + v**2 for a, v in zip(sums, g, strict=True)]
                w = mpmath.matrix([v - mpmath.mpf(eta) * q / mpmath.sqrt(a) for v, q, a in zip(w, g, sums, strict=True)])
            plain, plain_sums = adagrad(A, y, float(eta), steps)
            assert np.max(np.abs(plain - np.array([float(v) for v in w]))) < 1e-13
            assert certified(A, y, plain, plain_sums, float(eta)) < 1e-4
            limits.append(plain)
    assert A @ limits[0] == pytest.approx(y)
    assert min(np.linalg.norm(limits[i] - limits[j]) for i, j in ((0, 1), (0, 2), (1, 2))) > 0.07 + 2e-4


def test_an_entry_of_the_inverse_has_the_stated_law() -> None:
    # claim: thm-bias-descent
    rng = np.random.default_rng(0)
    for rows, columns in ((5, 5), (5, 6), (5, 9), (20, 31)):
        A = rng.normal(size=(4000, rows, columns))
        entry = np.linalg.inv(A @ A.transpose(0, 2, 1))[:, 0, 0]
        # a Kolmogorov-Smirnov test; 1e-3 is the chance of a false alarm with a fixed seed
        assert stats.kstest(1 / entry, stats.chi2(columns - rows + 1).cdf).pvalue > 1e-3


@pytest.mark.parametrize(("data", "features"), [(12, 3), (12, 7), (12, 19), (12, 40), (30, 60)])
def test_bias_and_variance_of_the_shortest_solution(data: int, features: int) -> None:
    # claim: thm-bias-descent
    total, noise = features + 5, 0.4
    rng = np.random.default_rng([data, features])
    beta = rng.normal(size=total)
    b, v = np.sum(beta[:features] ** 2), noise**2 + np.sum(beta[features:] ** 2)
    if features <= data - 2:
        predicted = v * (1 + features / (data - features - 1))
    else:
        predicted = b * (1 - data / features) + v * (1 + data / (features - data - 1))
    measured = []
    for _ in range(3000):
        Z, new = rng.normal(size=(data, total)), rng.normal(size=(20, total))
        y = Z @ beta + noise * rng.normal(size=data)
        w = np.linalg.lstsq(Z[:, :features], y, rcond=None)[0]
        # on new pairs, noise included, as the theorem defines the error
        measured.append(np.mean((new @ beta + noise * rng.normal(size=20) - new[:, :features] @ w) ** 2))
    # four standard errors
    assert abs(np.mean(measured) - predicted) < 4 * np.std(measured) / np.sqrt(len(measured))


def test_the_peak_is_at_as_many_parameters_as_data() -> None:
    # claim: thm-bias-descent
    rng = np.random.default_rng(1)
    for data in (6, 12):
        medians = {}
        for features in range(data - 3, data + 4):
            A, e = rng.normal(size=(2000, data, features)), rng.normal(size=(2000, data, 1))
            medians[features] = np.median(np.sum((np.linalg.pinv(A) @ e) ** 2, axis=(1, 2)))
        assert max(medians, key=medians.__getitem__) == data
        # twice as high as beside the peak
        assert medians[data] > 2 * max(medians[data - 1], medians[data + 1])


@pytest.mark.parametrize("seed", range(4))
def test_any_interpolant_is_the_limit_of_some_preconditioned_descent(seed: int) -> None:
    # claim: prop-bias-every
    A, _, aim = problem(4, 9, seed)
    y = A @ aim
    q = A.T @ y
    D = np.outer(aim, aim) / (q @ aim) + np.eye(9) - np.outer(q, q) / (q @ q)
    assert np.linalg.eigvalsh(D)[0] > 0
    # part 1: the minimiser of w D^-1 w on the interpolants, by its optimality system
    system = np.block([[np.linalg.inv(D), A.T], [A, np.zeros((4, 4))]])
    assert np.linalg.solve(system, np.r_[np.zeros(9), y])[:9] == pytest.approx(aim, abs=1e-7)
    # part 2: the iteration, here as a limit of powers so that slow directions cost nothing
    step = 1.0 / np.linalg.norm(A @ D @ A.T, 2) * D @ A.T
    power, drift = np.eye(9) - step @ A, step @ y
    for _ in range(22):  # doubles the number of steps each time; rounding grows with it, to 4e6 * 1e-16
        drift, power = drift + power @ drift, power @ power
    assert drift == pytest.approx(aim, abs=1e-7)
