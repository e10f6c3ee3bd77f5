"""The hat basis is a change of basis: what it computes on elements is what the responses give one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ibtext.wide.elements import Elements
from ibtext.wide.hat_basis import HatBasis


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-1, 1), min_size=1, max_size=8, unique=True).filter(lambda x: min(np.diff(sorted(x)), default=1) > 0.01),
    st.sampled_from([(1.0, 0.0), (0.5, 0.5), (0.55, -0.45)]),
    st.integers(0, 2**32 - 1),
)
def test_hats_are_a_change_of_basis(x, parts, seed):
    """Profiles, loads and masses in hats are those of the responses sigma(x_i - c), for random masses on a line."""
    x, (even, odd), rng = np.sort(x), parts, np.random.default_rng(seed)
    elements, c = Elements(x), rng.uniform(-3, 3, 60)
    hats = HatBasis(elements)
    responses = hats.responses(even, odd)
    change = hats.distance if x.size > 1 else np.eye(1)
    multiplier, mass = rng.standard_normal(x.size), rng.uniform(size=60)
    u = x[:, None] - c
    response = even * np.abs(u) + odd * u
    element, s = elements.locate(c)
    local = elements.functions(element, s[:, None])[:, :, 0]
    v = change @ multiplier
    profile = (hats.profile(v, responses)[element] * local).sum(1)
    np.testing.assert_allclose(profile, multiplier @ response, atol=1e-11)
    np.testing.assert_allclose(hats.to_hats(v), multiplier, atol=1e-9)  # gaps of 0.01 cost two digits twice
    squares, loads = np.zeros((x.size + 1, 2, 2)), np.zeros((x.size + 1, 2))
    np.add.at(squares, element, mass[:, None, None] * local[:, :, None] * local[:, None])
    np.add.at(loads, element, mass[:, None] * local)
    # hats on an interval far from all nodes have huge slopes: the tolerance follows the largest integral
    size = max(1.0, float(np.max(np.abs(squares))))
    np.testing.assert_allclose(change @ hats.mass(squares, responses) @ change, (response * mass) @ response.T, atol=1e-11 * size)
    np.testing.assert_allclose(change @ hats.load(loads, responses), response @ mass, atol=1e-11 * size)
