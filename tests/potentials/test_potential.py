"""What follows from three methods: the inverse of a potential that has none of its own, and how methods read their arguments."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib


class SoftPotential(ib.Potential):
    """sqrt(1 + x^2) + x^2/10: a user's potential with no closed inverse."""

    def __call__(self, x):
        return np.sqrt(1 + np.asarray(x) ** 2) + np.asarray(x) ** 2 / 10

    def gradient(self, x):
        return x / np.sqrt(1 + x**2) + x / 5

    def hessian(self, x):
        return (1 + x**2) ** -1.5 + 0.2


def test_user_defined_potential_gets_an_inverse():
    phi = SoftPotential()
    z = np.concatenate([[0.0], -np.geomspace(1e-6, 1e6, 40), np.geomspace(1e-6, 1e6, 40)])
    np.testing.assert_allclose(phi.gradient(phi.inverse_gradient(z)), z, rtol=1e-14, atol=0)


def test_bounded_gradient_is_refused():
    class Bounded(SoftPotential):
        def gradient(self, x):
            return x / np.sqrt(1 + x**2)

        def hessian(self, x):
            return (1 + x**2) ** -1.5

    with np.errstate(all="ignore"), pytest.raises(ib.ConvergenceError, match="grows faster than linearly"):
        Bounded().inverse_gradient(np.array([2.0]))


def test_methods_take_lists_numbers_and_keywords_and_refuse_shapes_that_do_not_fit():
    phi = SoftPotential()
    np.testing.assert_array_equal(phi.gradient([1, 2]), phi.gradient(np.array([1.0, 2.0])))
    np.testing.assert_array_equal(phi.divergence(y=0.5, x=[1.0, 2.0]), phi.divergence([1.0, 2.0], 0.5))
    x, inverse_hessian = phi.mirror(np.float32(0.5))
    assert float(phi.gradient(x)) == pytest.approx(0.5, rel=1e-15)
    assert float(inverse_hessian) == pytest.approx(1 / float(phi.hessian(x)), rel=1e-15)
    with pytest.raises(ValueError, match="shapes that broadcast"):
        phi.divergence([1.0, 2.0], [1.0, 2.0, 3.0])
