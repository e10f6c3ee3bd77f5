"""Finite networks: values, Jacobian, tangent map, kernels; NumPy and torch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import ibtext as ib
from ibtext.training.network import BLOCK


@pytest.fixture
def net(init):
    rng = np.random.default_rng(7)
    n = 40
    return ib.ShallowNetwork(rng.standard_normal(n), rng.standard_normal(n), rng.standard_normal(n), 0.3, "relu")


def test_value_is_the_formula(net):
    t = np.array([[-1.0, 0.2], [0.5, 3.0]])
    direct = np.maximum(t[..., None] * net.weight - net.bias, 0) @ net.output + 0.3
    np.testing.assert_allclose(net(t), direct, rtol=1e-13)
    assert net(t).shape == (2, 2)
    assert float(net(0.2)) == pytest.approx(direct[0, 1])


@pytest.mark.parametrize("activation", ["relu", "abs", "leaky_relu"])
def test_jacobian_against_finite_differences(net, activation, x):
    net = ib.ShallowNetwork(net.weight, net.bias, net.output, net.output_bias, activation)
    jacobian, theta, h = net.jacobian(x), net.flat, 1e-6
    for k in (0, 13, 47, 79, 85, 120):
        e = np.zeros_like(theta)
        e[k] = h
        numeric = (net.with_flat(theta + e)(x) - net.with_flat(theta - e)(x)) / (2 * h)
        np.testing.assert_allclose(jacobian[:, k], numeric, atol=1e-8)


@pytest.mark.parametrize("layers", ["all", "output"])
def test_tangent_map_is_the_jacobian(net, x, layers):
    jacobian, rng = net.jacobian(x), np.random.default_rng(0)
    if layers == "output":
        jacobian[:, :80] = 0
        jacobian[:, 120] = 0
    v, r, metric = rng.standard_normal(121), rng.standard_normal(5), rng.uniform(1, 2, 121)
    tangent = net.tangent(x, layers)
    np.testing.assert_allclose(tangent.push(net.flat, v), jacobian @ v, rtol=1e-12)
    np.testing.assert_allclose(tangent.pull(net.flat, r), jacobian.T @ r, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(tangent.kernel(net.flat, metric), (jacobian * metric) @ jacobian.T, rtol=1e-12)
    assert tangent.passes == 3


def test_blocks_do_not_change_the_result(init, x):
    n = BLOCK // 5 * 3 + 17
    net = ib.ShallowNetwork.sample(width=n, activation="abs", initialization=init, rng=0)
    assert len(net.tangent(x).blocks) == 4
    np.testing.assert_allclose(net.kernel(x), net.jacobian(x) @ net.jacobian(x).T / n, rtol=1e-12)


def test_kernel_tends_to_its_limit(init, x):
    n = 400_000
    net = ib.ShallowNetwork.sample(width=n, activation="abs", initialization=init, rng=0)
    limit = ib.limit_kernel(x, x, activation="abs", initialization=init)
    # entries are means of n bounded terms (|u| < 1.8): four standard errors are 4 * 1.6 / sqrt(n) = 0.01
    assert np.max(np.abs(net.kernel(x, layers="output") - limit)) < 0.01


def test_antisymmetric_start_is_zero_with_the_kernel_of_one_copy(x):
    init = ib.Initialization(bias=stats.uniform(-1, 2), output=stats.norm(0, 1))
    one = ib.ShallowNetwork.sample(width=30, activation="relu", initialization=init, rng=2)
    two = ib.ShallowNetwork.sample(width=30, activation="relu", initialization=init, rng=2, antisymmetric=True)
    assert two.width == 60
    np.testing.assert_allclose(two(x), 0, atol=1e-15)
    ones = np.r_[np.ones(180), 0.0]
    first = np.r_[np.ones(60), np.zeros(30), 0.0]  # the first layer's share of the kernel is that of one copy
    np.testing.assert_allclose(
        two.tangent(x).kernel(two.flat, np.r_[np.ones(120), np.zeros(60), 0.0]),
        one.tangent(x).kernel(one.flat, first),
        rtol=1e-12,
    )
    assert two.kernel(x, metric=ones).shape == (5, 5)


def test_parameters_have_the_documented_names(net):
    assert set(net.parameters) == {"weight", "bias", "output", "output_bias"}
    again = ib.ShallowNetwork(**net.parameters, activation=net.activation)
    np.testing.assert_array_equal(again.flat, net.flat)


def test_torch_parameters_give_the_same_numbers(net, x):
    torch = pytest.importorskip("torch")
    other = ib.ShallowNetwork(torch.tensor(net.weight), torch.tensor(net.bias), torch.tensor(net.output), 0.3, activation="relu")
    assert isinstance(other(x), torch.Tensor)
    np.testing.assert_allclose(other(x).numpy(), net(x), rtol=1e-13)
    np.testing.assert_allclose(other.kernel(x).numpy(), net.kernel(x), rtol=1e-13)
    np.testing.assert_allclose(other.jacobian(x).numpy(), net.jacobian(x), rtol=1e-13)
