"""Activation patterns, and sums over the neurons that share one, against the plain sums over neurons."""

from __future__ import annotations

import numpy as np
import pytest

from ibtext.training import activation_pattern
from ibtext.training.activation_pattern import ActivationPattern

LEFT, RIGHT = -0.25, 1.5
X = np.array([0.4, -0.7, 0.1, 0.9])


@pytest.fixture
def neurons() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    weight, bias = rng.standard_normal((2, 500))
    weight[:3] = 0.0  # no breakpoint
    return weight, bias


def slopes(weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.where(np.outer(weight, X) - bias[:, None] > 0, RIGHT, LEFT)


def test_the_slopes_of_a_pattern_are_those_of_its_neurons(neurons):
    pattern = ActivationPattern(X, LEFT, RIGHT, *neurons)
    np.testing.assert_array_equal(pattern.slopes[pattern.number], slopes(*neurons))
    assert len(np.unique(pattern.number)) == 2 * (X.size + 1)
    assert len(np.unique(pattern.slopes, axis=0)) == 2 * X.size  # all on or all off come twice


@pytest.mark.parametrize("block", [1, 8, 40, 10_000])
def test_blocks_cover_all_neurons_and_name_their_pattern(neurons, block, monkeypatch):
    monkeypatch.setattr(activation_pattern, "BLOCK", block)
    order = np.argsort(ActivationPattern(X, LEFT, RIGHT, *neurons).number, kind="stable")
    for weight, bias in (neurons, tuple(v[order] for v in neurons)):
        pattern = ActivationPattern(X, LEFT, RIGHT, weight, bias)
        covered = np.concatenate([np.arange(500)[part] for part, _ in pattern.blocks])
        np.testing.assert_array_equal(covered, np.arange(500))
        assert pattern.longest == max(part.stop - part.start for part, _ in pattern.blocks) <= block
        for part, single in pattern.blocks:
            assert (single is not None) == (len(np.unique(pattern.number[part])) == 1)
            assert single is None or single == pattern.number[part][0]


@pytest.mark.parametrize("block", [8, 10_000])
def test_sums_over_patterns_are_sums_over_neurons(neurons, block, monkeypatch):
    monkeypatch.setattr(activation_pattern, "BLOCK", block)
    weight, bias = neurons
    pattern = ActivationPattern(X, LEFT, RIGHT, weight, bias)
    a, b, c, r = *np.random.default_rng(1).standard_normal((3, 500)), np.array([0.3, -2.0, 1.0, 0.7])
    parts = [
        pattern.partial_sums([[(a[p], b[p])], [(a[p], c[p]), (b[p], b[p])], [(c[p], c[p])]], i)
        for i, (p, _) in enumerate(pattern.blocks)
    ]
    sums = pattern.collect(parts)
    s, columns = slopes(weight, bias), (a * b, a * c + b * b, c * c)
    np.testing.assert_allclose(pattern.linear(sums), (columns[0] @ s) * X - columns[1] @ s, rtol=1e-12)
    quadratic = sum(
        k0 * np.outer(row * X, row * X) - k1 * np.outer(row, row) * np.add.outer(X, X) + k2 * np.outer(row, row)
        for k0, k1, k2, row in zip(*columns, s, strict=True)
    )
    np.testing.assert_allclose(pattern.quadratic(sums), quadratic, rtol=1e-11)
    table = np.hstack(
        [
            np.broadcast_to(pattern.spread(pattern.pull_table(r), i), (2, p.stop - p.start))
            for i, (p, _) in enumerate(pattern.blocks)
        ]
    )
    np.testing.assert_allclose(table, [s @ (r * X), -(s @ r)], rtol=1e-12, atol=1e-14)


def test_a_neuron_has_crossed_if_its_pattern_is_another_one(neurons):
    weight, bias = neurons
    pattern = ActivationPattern(X, LEFT, RIGHT, weight, bias)
    assert not pattern.crossed(weight, bias).any()
    for scale in (0.05, 3.0):
        moved = weight + scale * np.sin(np.arange(500)), bias + scale * np.cos(np.arange(500))
        changed = np.any(slopes(*moved) != slopes(weight, bias), axis=1)
        np.testing.assert_array_equal(pattern.crossed(*moved), changed)
    where = np.flatnonzero(changed)
    pattern.update(where, pattern.of(moved[0][where], moved[1][where]))
    np.testing.assert_array_equal(pattern.slopes[pattern.number], slopes(*moved))
    assert not pattern.crossed(*moved).any()
