"""The limit of the linearised network: exact where the multiplier is huge, refused where there is none."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib


@pytest.mark.kernels
@pytest.mark.parametrize("width", [300, 4000])
def test_limit_with_multipliers_beyond_1e10(width, x, y, init):
    """cosh on relu: the multiplier is near 1e12, so its profile must be formed without cancellation."""
    net = ib.ShallowNetwork.sample(width=width, activation="relu", initialization=init, rng=1)
    limit = ib.training_limit(net, x, y, potential=ib.Scaled(ib.CoshPotential()), layers="output")
    assert np.max(np.abs(limit.dual)) > 1e10
    assert limit.residual < 1e-8
    np.testing.assert_allclose(limit(x), y, atol=1e-8)
    # optimal: the dual variable of the output weights lies in the span of the features
    features = net.jacobian(x)[:, 2 * width : 3 * width]
    dual = np.sinh(width * limit.displacement[2 * width : 3 * width])
    outside = dual - features.T @ np.linalg.lstsq(features.T, dual, rcond=None)[0]
    assert np.linalg.norm(outside) < 1e-12 * np.linalg.norm(dual)


@pytest.mark.kernels
@pytest.mark.parametrize("seed", range(4, 10))
def test_limit_meets_the_labels_to_rounding_whatever_the_multiplier(seed, x, y, init):
    """Networks whose multiplier, 1e10 to 1e12, cannot meet the labels to 1e-9: the displacement can, to the last digit."""
    net = ib.ShallowNetwork.sample(width=300, activation="relu", initialization=init, rng=seed)
    limit = ib.training_limit(net, x, y, potential=ib.Scaled(ib.CoshPotential()), layers="output")
    assert limit.residual < 1e-14
    features, dual = net.jacobian(x)[:, 600:900], np.sinh(300 * limit.displacement[600:900])
    np.testing.assert_allclose(features.T @ limit.dual, dual, atol=1e-10 * np.max(np.abs(dual)))


def test_limit_of_a_network_narrower_than_the_data(x, y, init):
    net = ib.ShallowNetwork.sample(width=3, activation="abs", initialization=init, rng=0)
    with pytest.raises(ib.ConvergenceError, match="narrower than the data"):
        ib.training_limit(net, x, y, layers="output")
