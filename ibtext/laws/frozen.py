"""What is asked of a frozen law of ``scipy.stats``: a density, where that is rough, and how fast its tails fall.

SciPy's laws do not say where their densities have kinks, or which moments exist; these few functions find out.
"""

import math
from typing import Any

import numpy as np

from ..numerics.arrays import Array

__all__ = ["check_density", "finite_moments", "is_discrete", "is_law", "kinks", "law_name", "quadrature_knots"]


def is_law(value: Any) -> bool:
    """Whether ``value`` has the methods of a frozen continuous law."""
    frozen = not hasattr(value, "freeze") and not isinstance(value, type)
    return frozen and all(hasattr(value, name) for name in ("pdf", "cdf", "ppf", "rvs", "support"))


def is_discrete(value: Any) -> bool:
    """Whether ``value`` is a frozen discrete law."""
    return hasattr(value, "pmf") and hasattr(value, "rvs")


def law_name(law: Any) -> str:
    """SciPy's name of a frozen law, empty for others."""
    return str(getattr(getattr(law, "dist", None), "name", ""))


def kinks(law: Any) -> Array:
    """Positive points where the density of a symmetric law has a kink or ends."""
    low, high = law.support()
    points = [float(high)] if np.isfinite(high) else []
    bins = getattr(law, "_hbins", getattr(getattr(law, "dist", None), "_hbins", None))
    if bins is not None:
        points.extend(float(b) for b in bins)
    if law_name(law) == "trapezoid":  # corners lie at fractions c and d of the support
        shapes, _, _ = law.dist._parse_args(*law.args, **law.kwds)
        points.extend(float(low + (high - low) * s) for s in shapes)
    return np.unique([p for p in points if p > 0])


def quadrature_knots(law: Any, degree: int = 1) -> Array:
    """Points between which the density is like a polynomial: ends, 0, kinks, quantiles a few decades apart.

    A tail beyond 1e-22 cannot be seen in double precision. Tails that fall like powers are cut by factors of ten until the
    moment of order ``2 * degree`` cannot see the rest.
    """
    tail = np.array([1e-22, 1e-17, 1e-13, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 0.05, 0.15, 0.3])
    points = np.concatenate([law.ppf(tail), law.isf(tail), [0.0], kinks(law), -kinks(law), law.support()])
    if not np.isfinite(law.support()[1]):
        order = 2 * degree
        far = float(np.max(np.abs(law.ppf([0.01, 0.99])))) * 10.0 ** np.arange(1, 300 // (order + 1))
        far = far[far ** (order + 1) * law.pdf(far) > 1e-18 * float(law.std()) ** order]
        points = np.concatenate([points, far, -far])
    points = np.unique(points[np.isfinite(points)])
    # points that coincide up to rounding, seen from where they lie: heavy tails reach out to 1e18
    apart = 1e-9 * np.maximum(np.abs(points), law.isf(0.25) - law.ppf(0.25))
    return np.asarray(points[np.diff(points, prepend=-np.inf) > apart], dtype=np.float64)


def finite_moments(law: Any) -> float:
    """The order below which E |X|^m is finite: q - 1 for a density that falls like |x|^-q."""
    scale = float(law.std())
    if not (np.isfinite(scale) and scale > 0):
        return 2.0
    near, far = scale * 1e12, scale * 1e24
    with np.errstate(all="ignore"):
        first, second = (float(max(law.pdf(r), law.pdf(-r))) for r in (near, far))
    if not (first > 0 and second > 0):
        return math.inf
    # a density like |x|^-q falls by 1e12^q; a factor of 2 more tells the last moment that is finite from the first that is not
    return math.log10(first / second / 2) / 12 - 1


def check_density(name: str, law: Any) -> None:
    """Refuse a weight or a bias with an atom at 0, or with a density that is infinite at 0 or at the end of its support."""
    scale = float(law.std())
    if float(law.cdf(1e-9 * scale) - law.cdf(-1e-9 * scale)) > 1e-3:
        raise ValueError(
            f"weight and bias must have a density, but the {name} has an atom at 0 or an infinite density there, "
            f"probably a mixture with zeros; drop the neurons that are dead, or choose another law."
        )
    for where in (0.0, float(law.support()[1])):
        with np.errstate(all="ignore"):
            unbounded = np.isfinite(where) and not np.isfinite(law.pdf(where))
        if unbounded:
            raise ValueError(
                f"the densities of weight and bias must be bounded, but that of the {name} is infinite at {where:g}, "
                f"probably an arcsine, beta or gamma law with a small shape; choose a law with a bounded density."
            )
