"""The potential of n times the displacement, over n squared."""

from __future__ import annotations

import numpy as np
import pytest

import ibtext as ib


def test_scaled_potential_is_the_potential_of_n_times_the_displacement():
    phi, n = ib.PowerPotential(p=3, omega=1.0), 50
    scaled = ib.Scaled(phi).at_width(n)
    d = np.linspace(-0.1, 0.1, 5)
    np.testing.assert_allclose(scaled(d), phi(n * d) / n**2, rtol=1e-15)
    np.testing.assert_allclose(scaled.inverse_gradient(scaled.gradient(d)), d, rtol=1e-14, atol=1e-18)
    np.testing.assert_allclose(scaled.hessian(d), phi.hessian(n * d), rtol=1e-15)


def test_scaled_conjugate_and_divergence_follow_the_scaling():
    phi, n = ib.CoshPotential(), 200
    at = ib.Scaled(phi).at_width(n)
    assert at.conjugate(0.3) == pytest.approx(0.3 * at.inverse_gradient(0.3) - at(at.inverse_gradient(0.3)), rel=1e-13)
    assert at.divergence(0.01, 0.02) == pytest.approx(phi.divergence(2.0, 4.0) / n**2, rel=1e-15)
    assert ib.Scaled(ib.EntropyPotential()).at_width(10).domain == (0.0, np.inf)
