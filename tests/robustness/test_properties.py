"""Properties that hold for every problem: derivatives against differences, least divergence, symmetries, limits, orders."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

import ibtext as ib
from ibtext.torch import MirrorDescent

STEPS = np.array([4e-3, 2e-3, 1e-3])
INIT = ib.Initialization(bias=stats.uniform(-1, 2), output=stats.norm())


def order(function, derivative, at, direction):
    """Fitted order of the error of central differences."""
    errors = [np.max(np.abs((function(at + h * direction) - function(at - h * direction)) / (2 * h) - derivative)) for h in STEPS]
    return ib.rates.fit_rate(STEPS, errors).slope


@pytest.mark.parametrize("seed", range(3))
def test_jacobian_of_a_network(seed):
    rng = np.random.default_rng(seed)
    net = ib.ShallowNetwork.sample(width=20, activation="relu^3", initialization=INIT, rng=seed)
    x, v = np.array([-0.5, 0.1, 0.7]), rng.standard_normal(61)
    assert order(lambda theta: net.with_flat(theta)(x), net.jacobian(x) @ v, net.flat, v) == pytest.approx(2, abs=0.1)
    tangent, r = net.tangent(x), rng.standard_normal(3)
    assert tangent.pull(net.flat, r) @ v == pytest.approx(r @ tangent.push(net.flat, v), rel=1e-12)
    jacobian = net.jacobian(x)
    np.testing.assert_allclose(net.kernel(x), jacobian @ jacobian.T / 20, rtol=1e-12)


@pytest.mark.parametrize("potential", [ib.CoshPotential(), ib.HypentropyPotential(0.3), ib.EntropyPotential()])
def test_kernel_of_the_dual_equation(potential):
    rng = np.random.default_rng(0)
    columns = ib.FiniteColumns(rng.standard_normal((3, 7)), rng.uniform(0.5, 1, 7), potential, 0.1)
    at, v = rng.standard_normal(3), rng.standard_normal(3)
    assert order(lambda u: columns.evaluate(u)[0], columns.evaluate(at)[1] @ v, at, v) == pytest.approx(2, abs=0.1)


# ---- Any problem: data, potentials, laws and activations drawn by hypothesis

GRID = np.linspace(-1, 1, 101)
ACTIVATIONS = st.sampled_from(["relu", "abs", "leaky_relu"])
LAWS = {
    "uniform": ib.Initialization(bias=stats.uniform(-1, 2)),
    "normal": ib.Initialization(bias=stats.norm()),
    "laplace": ib.Initialization(bias=stats.laplace(0, 0.6)),
    "triangular": ib.Initialization(bias=stats.triang(0.5, -1, 2)),
    "normal x normal": ib.Initialization(weight=stats.norm(), bias=stats.norm()),
}
LAW_NAMES = st.sampled_from(sorted(LAWS))
POTENTIALS = st.one_of(
    st.builds(ib.QuadraticPotential, st.floats(0.2, 2)),
    st.builds(ib.PowerPotential, st.sampled_from([2.5, 3.0, 4.0]), st.floats(0.2, 2)),
    st.just(ib.CoshPotential()),
    st.builds(ib.HypentropyPotential, st.floats(0.5, 2)),
)
SCALED = POTENTIALS.map(ib.Scaled)
BOUNDED = ["triangular", "uniform"]
# With hypentropy the output weights grow exponentially with the bias, so their mean exists for bounded laws only
# (or for small labels); Gaussian weights and biases with a curved potential take seconds.
WIDE_SETTINGS = st.one_of(
    st.tuples(LAW_NAMES, st.one_of(st.none(), st.builds(ib.QuadraticPotential, st.floats(0.2, 2)).map(ib.Scaled))),
    st.tuples(st.sampled_from(BOUNDED), SCALED),
    st.tuples(
        st.sampled_from(["laplace", "normal"]),
        st.builds(ib.PowerPotential, st.sampled_from([2.5, 3.0, 4.0]), st.floats(0.2, 2)).map(ib.Scaled),
    ),
)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def data_sets(draw, most=6):
    """2 to ``most`` points in [-0.9, 0.9], at least 0.05 apart, in any order, and labels in [-1, 1]."""
    count = draw(st.integers(2, most))
    places = np.sort(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count)))
    x = -0.9 + 0.05 * np.arange(count) + (1.8 - 0.05 * (count - 1)) * places
    y = np.array(draw(st.lists(st.integers(-1000, 1000), min_size=count, max_size=count))) / 1000
    return draw(st.permutations(list(x))), y


def some(count):
    """The settings of every property here: the same examples in each run, no clock."""
    return settings(max_examples=count, deadline=None, derandomize=True)


def least(potential, width):
    """The potential of one displacement at this width; gradient flow is half the square."""
    if potential is None:
        return ib.QuadraticPotential(0.5)
    return potential.at_width(width) if isinstance(potential, ib.Scaled) else potential


def features(net, x, layers):
    """Derivatives with respect to the free parameters, and the mask of these."""
    free = np.ones(3 * net.width + 1, dtype=bool)
    if layers == "output":
        free[: 2 * net.width] = False
        free[-1] = False
    return net.jacobian(x)[:, free], free


@some(20)
@given(
    problem=data_sets(),
    law=LAW_NAMES,
    activation=ACTIVATIONS,
    potential=st.one_of(st.none(), POTENTIALS, SCALED),
    layers=st.sampled_from(["all", "output"]),
    width=st.integers(60, 200),
    seed=SEEDS,
)
def test_training_limit_interpolates_with_least_divergence(problem, law, activation, potential, layers, width, seed):
    """No displacement that fits the data has a smaller potential."""
    # cosh may need multipliers beyond 1e10, with fewer digits than this asks for; it has tests of its own
    assume(not isinstance(getattr(potential, "phi", potential), ib.CoshPotential))
    x, y = problem
    rng = np.random.default_rng(seed)
    start = ib.Initialization(weight=LAWS[law].weight, bias=LAWS[law].bias, output=stats.norm())
    net = ib.ShallowNetwork.sample(width=width, activation=activation, initialization=start, rng=rng)
    rows, free = features(net, x, layers)
    assume(np.linalg.cond(rows) < 1e3)  # the network can fit any labels
    limit = ib.training_limit(net, x, y, potential=potential, layers=layers)
    d = limit.displacement[free]
    np.testing.assert_array_equal(limit.displacement[~free], 0.0)
    size = np.max(np.abs(y - net(x)))
    assert np.max(np.abs(limit(x) - y)) <= 1e-10 * size
    assert np.max(np.abs(net(x) + rows @ d - y)) <= 1e-10 * size

    phi = least(potential, width)
    basis = np.linalg.qr(rows.T)[0]
    directions = rng.standard_normal((20, d.size))
    # the most dangerous direction: down the slope of the potential, as far as that keeps the data fitted
    directions[0] = -phi.gradient(d) + 1e-9 * np.max(np.abs(phi.gradient(d))) * directions[0]
    directions -= (directions @ basis) @ basis.T
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    length = np.linalg.norm(d)
    for step in (1e-3, 1e-2, 1.0):
        for sign in (-1, 1):
            moved = d + sign * step * length * directions
            assert np.all(np.sum(phi(moved), axis=1) > np.sum(phi(d)))


@some(10)
@given(problem=data_sets(), activation=ACTIVATIONS, setting=WIDE_SETTINGS, data=st.data())
def test_wide_limit_interpolates_whatever_the_order_and_the_orientation(problem, setting, activation, data):
    law, potential = setting
    # cosh on relu may need multipliers that double precision cannot hold, and is refused then
    assume(activation == "abs" or not isinstance(getattr(potential, "phi", potential), ib.CoshPotential))
    x, y = np.asarray(problem[0]), problem[1]
    options = {"activation": activation, "initialization": LAWS[law], "potential": potential}
    limit = ib.wide_limit(x, y, **options)
    value = limit(GRID)
    close = {"rtol": 0, "atol": 1e-9 * (1e-300 + np.max(np.abs(value)))}
    np.testing.assert_allclose(limit(x), y, **close)
    assert limit.residual <= 1e-12 * np.max(np.abs(y))
    order = data.draw(st.permutations(range(x.size)))
    np.testing.assert_allclose(ib.wide_limit(x[order], y[order], **options)(GRID), value, **close)
    np.testing.assert_allclose(ib.wide_limit(-x, y, **options)(-GRID), value, **close)
    np.testing.assert_allclose(ib.wide_limit(x, -y, **options)(GRID), -value, **close)  # the potentials are even


@some(12)
@given(problem=data_sets(), law=LAW_NAMES, activation=ACTIVATIONS, c=st.floats(-2, 2), seed=SEEDS)
def test_wide_limit_is_linear_for_gradient_flow(problem, law, activation, c, seed):
    x, y = problem
    z = np.random.default_rng(seed).uniform(-1, 1, y.size)
    options = {"activation": activation, "initialization": LAWS[law]}
    first, second, both = (ib.wide_limit(x, labels, **options)(GRID) for labels in (y, z, y + c * z))
    size = np.max(np.abs(first)) + np.max(np.abs(second))
    np.testing.assert_allclose(both, first + c * second, rtol=0, atol=1e-10 * size)


@some(10)
@given(problem=data_sets(), law=LAW_NAMES, activation=ACTIVATIONS, c=st.floats(0.01, 100), scale=st.floats(0.2, 2))
def test_wide_limit_scales_with_the_labels_for_the_square_alone(problem, law, activation, c, scale):
    x, y = problem
    options = {"activation": activation, "initialization": LAWS[law]}
    square = ib.Scaled(ib.QuadraticPotential(scale))
    value = ib.wide_limit(x, y, potential=square, **options)(GRID)
    size = np.max(np.abs(value))
    np.testing.assert_allclose(
        ib.wide_limit(x, c * y, potential=square, **options)(GRID), c * value, rtol=0, atol=1e-10 * c * size
    )
    np.testing.assert_allclose(ib.wide_limit(x, y, **options)(GRID), value, rtol=0, atol=1e-10 * size)


@some(8)
@given(problem=data_sets(), activation=ACTIVATIONS, setting=WIDE_SETTINGS)
def test_penalty_grows_with_the_labels(problem, setting, activation):
    """And at least linearly: a convex potential, zero at the start, of displacements that scaled labels can reach."""
    law, potential = setting
    x, y = problem
    assume(np.any(y))
    options = {"activation": activation, "initialization": LAWS[law], "potential": potential}
    half, whole, twice = (ib.wide_limit(x, c * y, **options).penalty for c in (0.5, 1.0, 2.0))
    assert 0 < 2 * half < whole < twice / 2
    assert ib.wide_limit(x, -y, **options).penalty == pytest.approx(whole, rel=1e-9)


@some(15)
@given(points=data_sets(), law=LAW_NAMES, activation=ACTIVATIONS)
def test_limit_kernel_is_symmetric_and_positive(points, law, activation):
    x = np.array(points[0])
    kernel = ib.limit_kernel(x, x, activation=activation, initialization=LAWS[law])
    np.testing.assert_allclose(kernel, kernel.T, rtol=1e-13)
    values = np.linalg.eigvalsh(kernel)
    assert values[0] > 1e-8 * values[-1]  # points at least 0.05 apart have independent features
    one = ib.limit_kernel(x[:1], x[1:], activation=activation, initialization=LAWS[law])
    np.testing.assert_allclose(one, kernel[:1, 1:], rtol=1e-11)  # no entry knows of the other points


@some(15)
@given(points=data_sets(), activation=st.sampled_from(["relu", "abs", "leaky_relu"]), a=st.floats(0.9, 3))
def test_limit_kernel_of_a_uniform_law_is_an_integral_of_quadratics(points, activation, a):
    """Two Gauss points on each piece integrate it exactly."""
    x = np.array(points[0])
    value = {"relu": lambda u: np.maximum(u, 0), "abs": np.abs, "leaky_relu": lambda u: np.where(u > 0, u, 0.1 * u)}[activation]
    edges = np.unique(np.concatenate([x, -x, [-a, a]]))
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    b = np.concatenate([middle - half / np.sqrt(3), middle + half / np.sqrt(3)])
    mass = np.tile(half, 2) / (2 * a)
    exact = sum((value(w * x[:, None] - b) * mass) @ value(w * x[:, None] - b).T for w in (-1, 1)) / 2
    kernel = ib.limit_kernel(x, x, activation=activation, initialization=ib.Initialization(bias=stats.uniform(-a, 2 * a)))
    np.testing.assert_allclose(kernel, exact, rtol=0, atol=1e-14 * a**2)


@some(4)
@given(problem=data_sets(4), law=LAW_NAMES, activation=ACTIVATIONS, potential=st.one_of(st.none(), SCALED), seed=SEEDS)
def test_flow_of_the_output_weights_falls_to_its_limit(problem, law, activation, potential, seed):
    """The divergence of the limit from the path is a Lyapunov function: its derivative is minus |residual|^2 / n."""
    x, y = problem
    assume(np.any(y))
    assume(activation == "abs" or not isinstance(getattr(potential, "phi", potential), ib.CoshPotential))
    net = ib.ShallowNetwork.sample(width=80, activation=activation, initialization=LAWS[law], rng=seed)
    assume(np.linalg.cond(features(net, x, "output")[0]) < 50)
    limit = ib.training_limit(net, x, y, potential=potential, layers="output")
    times = np.geomspace(1e-2, 1e2, 13)
    run = ib.mirror_flow(net, x, y, potential=potential, layers="output", tol=1e-9, times=times)
    size = np.max(np.abs(limit(GRID)))
    np.testing.assert_allclose(run.network(GRID), limit(GRID), rtol=0, atol=1e-6 * size)
    moved = run.network.flat - net.flat
    np.testing.assert_allclose(moved, limit.displacement, rtol=0, atol=1e-6 * np.max(np.abs(moved)))

    phi = least(potential, net.width)
    path = [np.zeros_like(moved)] + [snapshot.flat - net.flat for snapshot in run.snapshots]
    divergence = np.array([np.sum(phi.divergence(limit.displacement, d)) for d in path])
    assert len(divergence) == 14
    losses = np.array([np.sum((y - snapshot(x)) ** 2) for snapshot in (net, *run.snapshots)])
    # |residual|^2 falls along the flow, so its integral lies between the sums of the left and of the right ends
    spent = np.diff(np.concatenate([[0.0], times])) / net.width
    slack = 1e-12 * divergence[0]
    fall = -np.diff(divergence)
    assert np.all(fall > -slack)
    assert np.all(fall[spent * losses[1:] > slack] > 0)
    assert np.all(fall <= 1.001 * spent * losses[:-1] + slack)
    assert np.all(fall >= 0.999 * spent * losses[1:] - slack)


@pytest.mark.parametrize("layers", ["all", "output"])
@pytest.mark.parametrize("activation", ["relu", "abs"])
@pytest.mark.parametrize("potential", [None, ib.Scaled(ib.PowerPotential(3, 1.0))], ids=["gradient flow", "cubic"])
def test_networks_approach_the_wide_limit(layers, activation, potential, x, y):
    """At the rate of a mean over the units: n^(-1/2)."""
    setting = {"activation": activation, "initialization": LAWS["uniform"]}
    h = ib.wide_limit(x, y, potential=potential, **setting)(GRID)
    widths, seeds = np.array([250, 1000, 4000, 16000]), range(3)
    errors = np.empty((len(widths), len(seeds)))
    for i, width in enumerate(widths):
        for seed in seeds:
            net = ib.ShallowNetwork.sample(width=int(width), rng=seed, **setting)
            f = ib.training_limit(net, x, y, potential=potential, layers=layers)(GRID)
            errors[i, seed] = np.sqrt(np.mean((f - h) ** 2))
    assert np.all(np.diff(errors.mean(axis=1)) < 0)
    assert -0.8 < ib.rates.fit_rate(widths, errors.mean(axis=1)).slope < -0.2


STEP_SIZES = 1 / np.array([32, 64, 128, 256])


@some(5)
@given(problem=data_sets(4), activation=ACTIVATIONS, potential=SCALED, seed=SEEDS)
def test_mirror_descent_of_a_network_follows_the_flow_to_first_order(problem, activation, potential, seed):
    x, y = problem
    assume(np.max(np.abs(y)) > 0.1)
    net = ib.ShallowNetwork.sample(width=60, activation=activation, initialization=LAWS["uniform"], rng=seed)
    top = np.linalg.eigvalsh(net.kernel(x, layers="output") / float(potential.phi.hessian(0.0)))[-1]
    end = 2 / top  # two time constants of the fastest mode
    options = {"potential": potential, "layers": "output"}
    flow = ib.mirror_flow(net, x, y, times=[end], rtol=1e-8, tol=1e3, **options).snapshots[0].flat
    errors = []
    for h in STEP_SIZES:
        run = ib.mirror_descent(net, x, y, step_size=end * h, n_steps=round(1 / h), **options)
        assert run.times[-1] == pytest.approx(end)
        errors.append(np.linalg.norm(run.network.flat - flow))
    assert ib.rates.fit_rate(STEP_SIZES, errors).slope == pytest.approx(1, abs=0.1)


@some(15)
@given(potential=st.one_of(st.none(), POTENTIALS, st.just(ib.EntropyPotential())), seed=SEEDS)
def test_mirror_descent_of_a_linear_model_follows_the_flow_to_first_order(potential, seed):
    rng = np.random.default_rng(seed)
    A, b = rng.standard_normal((3, 7)), rng.uniform(-1, 1, 3)
    phi = least(potential, 1)
    start = phi.inverse_gradient(np.zeros(7))
    end = 2 / np.linalg.eigvalsh((A / phi.hessian(start)) @ A.T)[-1]
    flow = ib.linear.mirror_flow(A, b, [end], potential=potential, rtol=1e-11).weights[-1]
    errors = []
    for h in STEP_SIZES:
        run = ib.linear.mirror_descent(A, b, potential=potential, step_size=end * h, n_steps=round(1 / h))
        errors.append(np.linalg.norm(run.weights - flow))
    assert ib.rates.fit_rate(STEP_SIZES, errors).slope == pytest.approx(1, abs=0.1)


# The gradients of the potentials, written out once more
GRADIENTS = {
    ib.QuadraticPotential: lambda phi, x: 2 * phi.scale * x,
    ib.PowerPotential: lambda phi, x: phi.p * np.abs(x) ** (phi.p - 1) * np.sign(x) + 2 * phi.omega * x,
    ib.CoshPotential: lambda phi, x: np.sinh(x),
    ib.HypentropyPotential: lambda phi, x: np.arcsinh(x / phi.beta),
    ib.EntropyPotential: lambda phi, x: np.log(x),
    ib.PNormPotential: lambda phi, x: np.abs(x) ** (phi.p - 1) * np.sign(x),
}


@some(20)
@given(
    potential=st.one_of(
        st.none(),
        POTENTIALS,
        SCALED,
        st.just(ib.EntropyPotential()),
        st.builds(ib.PNormPotential, st.sampled_from([1.5, 2.0, 3.0])),
    ),
    lr=st.floats(1e-3, 0.02),
    moved=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_step_of_the_optimiser_in_every_coordinate(potential, lr, moved, seed):
    generator = torch.Generator().manual_seed(seed)
    module = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()
    entropy, width = isinstance(potential, ib.EntropyPotential), 5
    with torch.no_grad():
        for p in module.parameters():
            draw = torch.rand(p.shape, generator=generator, dtype=torch.float64)
            p.copy_(0.1 + draw if entropy else 2 * draw - 1)
    before = [p.detach().numpy().copy() for p in module.parameters()]
    centers = [np.zeros_like(v) if entropy or moved else v for v in before]
    center = 0.0 if entropy or moved else "start"
    optimizer = MirrorDescent(module.parameters(), lr=lr, potential=potential, width=width, center=center)
    inputs, labels = (torch.randn((8, k), generator=generator, dtype=torch.float64) for k in (2, 1))
    phi = potential.phi if isinstance(potential, ib.Scaled) else least(potential, width)
    unit = width if isinstance(potential, ib.Scaled) else 1
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(module(inputs), labels).backward()
        gradients = [p.grad.numpy().copy() for p in module.parameters()]
        try:
            optimizer.step()
        except ib.ConvergenceError:  # a steep gradient, exponentials: the step is refused, and nothing has changed
            for old, p in zip(before, module.parameters(), strict=True):
                np.testing.assert_array_equal(p.detach().numpy(), old)
            return
        after = [p.detach().numpy().copy() for p in module.parameters()]
        for old, new, c, g in zip(before, after, centers, gradients, strict=True):
            written = [GRADIENTS[type(phi)](phi, unit * (v - c)) / unit for v in (old, new)]
            np.testing.assert_allclose(written[1], written[0] - lr * g, rtol=1e-9, atol=1e-10)
            assert np.all(new != old)
        before = after
