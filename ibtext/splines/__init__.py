"""Splines with a weighted curvature penalty, which wide networks learn.

Read ``weighted`` first. ``weight_cells`` integrates against the weight, ``band_solver`` solves the banded equations.
"""

from .weighted import WeightedSpline, adaptive_spline, natural_spline, smoothing_from_time

__all__ = ["WeightedSpline", "adaptive_spline", "natural_spline", "smoothing_from_time"]
