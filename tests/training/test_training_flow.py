"""Training: the full nonlinear flow against general-purpose integration, its limit, its order, its corner cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import ibtext as ib

POTENTIALS = {
    "gradient flow": None,
    "x^2": ib.QuadraticPotential(),
    "|x|^3+x^2, unscaled": ib.PowerPotential(3, 1.0),
    "|x|^3+x^2": ib.Scaled(ib.PowerPotential(3, 1.0)),
    "x^4+x^2": ib.Scaled(ib.PowerPotential(4, 1.0)),
    "cosh": ib.Scaled(ib.CoshPotential()),
    "|x|^2.5+x^2": ib.Scaled(ib.PowerPotential(2.5, 1.0)),
}
SLOPES = {"abs": np.sign, "relu": lambda u: 1.0 * (u > 0)}
VALUES = {"abs": np.abs, "relu": lambda u: np.maximum(u, 0)}


def full_field(theta: np.ndarray, n: int, x: np.ndarray, y: np.ndarray, activation: str) -> np.ndarray:
    """J^T r / n of the whole network, written out without the package."""
    w, b, a, d = theta[:n], theta[n : 2 * n], theta[2 * n : 3 * n], theta[3 * n]
    u = np.outer(x, w) - b
    r = y - (VALUES[activation](u) @ a + d)
    slope = SLOPES[activation](u)
    return np.concatenate([a * ((r * x) @ slope), -a * (r @ slope), r @ VALUES[activation](u), [r.sum()]]) / n


@pytest.mark.parametrize("activation", ["abs", "relu"])
@pytest.mark.parametrize("name", POTENTIALS)
def test_flow_of_all_parameters_against_a_general_purpose_integrator(name, activation, x, y, clear_network):
    """Along the path: 1e-6 in f and in every parameter (relative to the largest displacement)."""
    n = 200
    net = clear_network(n, x, activation)
    potential = POTENTIALS[name]
    phi = potential.at_width(n) if isinstance(potential, ib.Scaled) else potential or ib.QuadraticPotential(0.5)
    start, times = net.flat, np.array([0.1, 1.0, 10.0, 100.0])
    reference = solve_ivp(
        lambda t, z: full_field(start + phi.inverse_gradient(z), n, x, y, activation),
        (0, times[-1]),
        np.zeros(3 * n + 1),
        method="LSODA",
        t_eval=times,
        rtol=1e-10,
        atol=1e-13,
    )
    run = ib.mirror_flow(net, x, y, potential=POTENTIALS[name], times=times, rtol=3e-8, tol=1.0)
    t = np.linspace(-1, 1, 101)
    assert len(run.snapshots) == len(times)
    for snapshot, z in zip(run.snapshots, reference.y.T, strict=True):
        theta = start + phi.inverse_gradient(z)
        assert np.max(np.abs(snapshot(t) - net.with_flat(theta)(t))) < 1e-6
        assert np.max(np.abs(snapshot.flat - theta)) < 1e-6 * np.max(np.abs(theta - start))


def test_first_layer_really_moves(x, y, clear_network):
    """Against the linearised network, whose first layer stands still: the two differ far beyond the tolerance."""
    net = clear_network(200, x, "abs")
    run = ib.mirror_flow(net, x, y, potential=POTENTIALS["|x|^3+x^2"])
    frozen = ib.mirror_flow(net, x, y, potential=POTENTIALS["|x|^3+x^2"], layers="output")
    assert np.max(np.abs(run.network.weight - net.weight)) > 1e-4
    np.testing.assert_array_equal(frozen.network.weight, net.weight)
    assert np.max(np.abs(run.network(x) - frozen.network(x))) < 2e-8  # both fit
    t = np.linspace(-1, 1, 101)
    assert np.max(np.abs(run.network(t) - frozen.network(t))) > 1e-3


@pytest.mark.parametrize("name", ["x^2", "|x|^3+x^2", "x^4+x^2", "cosh"])
@pytest.mark.parametrize("width", [60, 200, 1620])
def test_residual_is_reached_at_every_width_with_breakpoints_crossing_data(name, width, x, y, init):
    net = ib.ShallowNetwork.sample(width=width, activation="abs", initialization=init, rng=0)
    run = ib.mirror_flow(net, x, y, potential=POTENTIALS[name] or None, tol=1e-8)
    assert np.max(np.abs(run.network(x) - y)) <= 1e-8
    assert np.max(np.abs(run.residuals[-1])) <= 1e-8
    before, after = (np.sign(np.outer(x, m.weight) - m.bias) for m in (net, run.network))
    if width == 60:
        assert np.any(before != after)  # the case is the hard one


def test_sticking_breakpoints_follow_filippov(y, x, init):
    """Against explicit steps so small that their chatter around a data point averages out (error of order h)."""
    n = 30
    net = ib.ShallowNetwork.sample(width=n, activation="abs", initialization=init, rng=0)
    run = ib.mirror_flow(net, x, y, times=[8.0], tol=1.0, rtol=1e-6)

    def euler(h):
        theta = net.flat.copy()
        for _ in range(round(8.0 / h)):
            theta = theta + h * full_field(theta, n, x, y, "abs")
        return theta

    coarse, fine = euler(4e-4), euler(2e-4)
    stuck = np.sum(np.abs(np.outer(x, fine[:n]) - fine[n : 2 * n]) < 1e-4)
    assert stuck >= 1  # some breakpoint does sit on a data point
    distance = np.max(np.abs(run.snapshots[0].flat - fine))
    assert distance < 3 * np.max(np.abs(coarse - fine)) + 1e-5


def test_centre_elsewhere_than_the_start(x, y, clear_network):
    """The potential may be centred off the start: the dual variable then starts at phi'(start - centre)."""
    net = clear_network(50, x, "abs")
    center = {**net.parameters, "output": net.output + 0.01}
    potential = ib.Scaled(ib.PowerPotential(3, 1.0))
    run = ib.mirror_flow(net, x, y, potential=potential, layers="output", center=center, tol=1e-11)
    phi = potential.at_width(50)
    dual = phi.gradient(run.network.output - center["output"]) - phi.gradient(net.output - center["output"])
    features = np.abs(np.outer(x, net.weight) - net.bias)
    fit = np.linalg.lstsq(features.T, dual, rcond=None)
    assert np.max(np.abs(features.T @ fit[0] - dual)) < 1e-9 * np.max(np.abs(dual))


def test_too_few_steps_raise_with_the_residual(x, y, init):
    net = ib.ShallowNetwork.sample(width=50, activation="abs", initialization=init, rng=0)
    with pytest.raises(ib.ConvergenceError, match=r"residual must fall to 1e-08, but it is"):
        ib.mirror_flow(net, x, y, max_steps=5)


def test_torch_network_trains_to_the_same_function(x, y, init):
    torch = pytest.importorskip("torch")
    net = ib.ShallowNetwork.sample(width=300, activation="abs", initialization=init, rng=1)
    other = ib.ShallowNetwork(torch.tensor(net.weight), torch.tensor(net.bias), torch.tensor(net.output), 0.0, activation="abs")
    potential = ib.Scaled(ib.PowerPotential(3, 1.0))
    a = ib.mirror_flow(net, x, y, potential=potential)
    b = ib.mirror_flow(other, x, y, potential=potential)
    t = np.linspace(-1, 1, 51)
    assert isinstance(b.network.weight, torch.Tensor)
    # both follow the same flow within rtol = 1e-3; the end points agree much better
    np.testing.assert_allclose(b.network(t), a.network(t), atol=1e-6)


def test_smooth_powers_of_relu_are_left_to_mirror_descent(x, y, init):
    net = ib.ShallowNetwork.sample(width=50, activation="relu^2", initialization=init, rng=0)
    with pytest.raises(ValueError, match=r"two slopes, but 'relu\^2' was given"):
        ib.mirror_flow(net, x, y)
    run = ib.mirror_descent(net, x, y, step_size=0.5, n_steps=200)
    assert np.linalg.norm(run.residuals[-1]) < 0.9 * np.linalg.norm(run.residuals[0])


@pytest.mark.parametrize("width", [1, 3])
def test_labels_out_of_reach_are_said_to_be(width, x, y, init):
    """The flow comes to rest where the gradient vanishes and the residual does not."""
    net = ib.ShallowNetwork.sample(width=width, activation="relu", initialization=init, rng=0)
    with pytest.raises(ib.ConvergenceError, match="labels are out of reach at this width"):
        ib.mirror_flow(net, x, y, max_steps=400)


def test_a_potential_of_positive_numbers_is_refused_for_displacements(x, y, clear_network):
    net = clear_network(20, x, "abs")
    with pytest.raises(ValueError, match=r"acts on displacements .* use HypentropyPotential"):
        ib.mirror_flow(net, x, y, potential=ib.EntropyPotential())


def test_a_centre_with_a_misspelt_name_is_refused(x, y, clear_network):
    net = clear_network(20, x, "abs")
    with pytest.raises(ValueError, match=r"center must hold the parameters weight, bias"):
        ib.mirror_flow(net, x, y, center={"weights": 0})


@pytest.mark.parametrize("layers", ["output", "all"])
def test_the_error_along_the_path_is_the_one_that_is_stated(layers, x, y, init):
    """Some twice rtol, in f and in the parameters, falling with rtol; ``error`` bounds it."""
    net = ib.ShallowNetwork.sample(width=40, activation="relu", initialization=init, rng=0)
    times, t = [0.5, 2.0, 8.0], np.linspace(-1, 1, 41)

    def path(rtol):
        run = ib.mirror_flow(net, x, y, times=times, tol=1.0, rtol=rtol, layers=layers)
        return np.array([s(t) for s in run.snapshots]), run.error

    exact, _ = path(1e-6)
    for rtol in (1e-3, 1e-4):
        found, error = path(rtol)
        wrong = np.max(np.abs(found - exact)) / np.max(np.abs(y))
        assert wrong < 5 * rtol and wrong < error < 100 * rtol


def test_a_flow_that_only_needs_more_steps_is_told_so(x, y, init):
    net = ib.ShallowNetwork.sample(width=50, activation="abs", initialization=init, rng=0)
    with pytest.raises(ib.ConvergenceError, match="still moves; raise max_steps"):
        ib.mirror_flow(net, x, y, max_steps=5)


def test_close_inputs_with_different_labels_are_named(init):
    """They are not out of reach of the width: the loss falls along them at a rate of the square of their distance."""
    net = ib.ShallowNetwork.sample(width=200, initialization=init, activation="relu", rng=0)
    with pytest.raises(ib.ConvergenceError, match=r"x = 0\.1 and 0\.100000001 differ by 1\.0e-09; average the closest"):
        ib.mirror_flow(net, [0.1, 0.1 + 1e-9, 0.5], [1.0, 2.0, 0.5])
