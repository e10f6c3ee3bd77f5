"""Deep linear networks: balance, the law of the product, the gradient by differences."""

from __future__ import annotations

import numpy as np
import pytest

from ibtext import factorized


def deep_problem(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((4, 12))
    return X, rng.standard_normal((3, 4)) @ X, 0.3 * rng.standard_normal((3, 4))


@pytest.mark.parametrize(("depth", "width"), [(1, None), (2, 3), (3, 5), (4, 3)])
def test_balanced_deep_network_follows_the_end_to_end_flow(depth, width):
    X, Y, W = deep_problem()
    times = np.array([0.0, 0.05, 0.3, 1.0, 40.0])
    start = factorized.balanced_start(W, depth=depth, width=width, rng=1)
    product = start[0]
    for w in start[1:]:
        product = w @ product
    np.testing.assert_allclose(product, W, atol=1e-14)
    deep = factorized.deep_linear_flow(X, Y, times, factors=start, rtol=1e-11)
    end = factorized.end_to_end_flow(X, Y, times, product=W, depth=depth, rtol=1e-11)
    np.testing.assert_allclose(deep.products, end.products, atol=1e-8)
    assert deep.imbalance.shape == (5, depth - 1)
    assert np.all(deep.imbalance < 1e-8)
    assert np.all(np.diff(deep.losses) < 0)
    assert deep.losses[-1] < 1e-3 * deep.losses[0]
    np.testing.assert_allclose(deep.losses, end.losses, atol=1e-7)


def test_deep_flow_against_differences_of_the_loss_and_conservation_off_balance():
    X, Y, _ = deep_problem(2)
    rng = np.random.default_rng(3)
    start = [0.5 * rng.standard_normal(s) for s in ((5, 4), (2, 5), (3, 2))]
    path = factorized.deep_linear_flow(X, Y, [0.0, 1e-4, 0.5], factors=start, rtol=1e-12)

    def loss(ws):
        return 0.5 * np.sum((ws[2] @ ws[1] @ ws[0] @ X - Y) ** 2)

    for j in range(3):
        direction = rng.standard_normal(start[j].shape)
        up = [w + 1e-5 * direction if i == j else w for i, w in enumerate(start)]
        down = [w - 1e-5 * direction if i == j else w for i, w in enumerate(start)]
        slope = (loss(up) - loss(down)) / 2e-5
        moved = np.sum((path.factors[j][1] - path.factors[j][0]) * direction) / 1e-4
        assert moved == pytest.approx(-slope, rel=2e-2, abs=0.05)  # first order in the time 1e-4
    for low, up in ((0, 1), (1, 2)):
        kept = [path.factors[up][t].T @ path.factors[up][t] - path.factors[low][t] @ path.factors[low][t].T for t in (0, 2)]
        np.testing.assert_allclose(kept[1], kept[0], atol=1e-9)
    assert np.min(path.imbalance) > 0.1


X, Y, W = deep_problem()
CASES = {
    "data rows": ("one column for each", lambda: factorized.deep_linear_flow(X.T, Y, [1.0], factors=[W])),
    "factor order": (
        "next to the input",
        lambda: factorized.deep_linear_flow(X, Y, [1.0], factors=[np.ones((3, 2)), np.ones((2, 4))]),
    ),
    "no factors": ("next to the input", lambda: factorized.deep_linear_flow(X, Y, [1.0], factors=[])),
    "nan factor": ("finite", lambda: factorized.deep_linear_flow(X, Y, [1.0], factors=[W * np.nan])),
    "deep times": ("increasing", lambda: factorized.deep_linear_flow(X, Y, [2.0, 1.0], factors=[W])),
    "deep rtol": ("rtol", lambda: factorized.deep_linear_flow(X, Y, [1.0], factors=[W], rtol=0)),
    "product shape": ("transposed", lambda: factorized.end_to_end_flow(X, Y, [1.0], product=W.T, depth=2)),
    "product vector": ("must be a matrix", lambda: factorized.balanced_start([1.0, 2.0], depth=2)),
    "width": ("at least the rank", lambda: factorized.balanced_start(W, depth=2, width=1)),
    "end depth": ("depth", lambda: factorized.end_to_end_flow(X, Y, [1.0], product=W, depth=0)),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_refused(case):
    message, call = CASES[case]
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "; " in str(caught.value)
