"""Convergence rates fitted by regression, with confidence intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from ..errors import check_points, check_positive

__all__ = ["Rate", "fit_rate"]


@dataclass(frozen=True)
class Rate:
    r"""A power law :math:`\text{error} \approx e^{\text{intercept}}\, n^{\text{slope}}`.

    Attributes
    ----------
    slope, intercept : float
        Least squares on a log-log scale.
    confidence_interval : tuple (low, high)
        For the slope, at ``level``.
    level : float
    """

    slope: float
    intercept: float
    confidence_interval: tuple[float, float]
    level: float

    def __call__(self, n: ArrayLike) -> np.ndarray:
        """The fitted power law at ``n``."""
        n = check_points("n", n)
        if np.any(n <= 0):
            raise ValueError(
                f"a power law needs positive n, but the smallest is {n.min():g}; pass positive numbers."
            )
        with np.errstate(over="ignore", under="ignore"):
            values: np.ndarray = np.exp(self.intercept + self.slope * np.log(n))
        if not np.all(np.isfinite(values)):
            raise ValueError(
                f"the fitted law must be evaluated where it is finite, but it overflows for n between {n.min():g} and "
                f"{n.max():g}; pass n nearer to the data."
            )
        return values


def _too_few(n: np.ndarray) -> str:
    return (
        f"a slope with a confidence interval needs at least three points at two different n, but {n.size} points at "
        f"{np.unique(n).size} values were given; add widths."
    )


def fit_rate(n: ArrayLike, error: ArrayLike, *, level: float = 0.95) -> Rate:
    """Fit a power law to errors by least squares on a log-log scale.

    Parameters
    ----------
    n : array (N,)
        Widths, sample sizes or step counts, positive; repeat a value for repeated experiments.
    error : array (N,)
        Positive errors.
    level : float
        Confidence level of the interval (Student's t, N - 2 degrees of freedom).

    Returns
    -------
    Rate

    Raises
    ------
    ValueError
        For fewer than three points, fewer than two different ``n``, or values that are not positive.
    """
    n, error = check_points("n", n), check_points("error", error)
    if n.shape != error.shape or n.ndim != 1:
        raise ValueError(
            f"n and error must be one-dimensional and of equal length, but shapes {n.shape} and {error.shape} were "
            f"given; for a table of seeds by widths, repeat n for every seed and ravel both."
        )
    if n.size < 3:
        raise ValueError(_too_few(n))
    if n.min() <= 0 or error.min() <= 0:
        raise ValueError(
            f"a power law needs positive n and error, but the smallest are {n.min():g} and {error.min():g}, probably an "
            f"error that is exactly zero; leave that point out."
        )
    if np.unique(np.log(n)).size < 2:
        raise ValueError(_too_few(n))
    level = check_positive("level", level)
    if not level < 1:
        raise ValueError(
            f"level must lie between 0 and 1, but {level!r} was given, probably a percentage; pass for instance level=0.95."
        )
    fit = stats.linregress(np.log(n), np.log(error))
    spread = float(fit.stderr) if np.isfinite(fit.stderr) else 0.0  # equal errors lie on their line
    half = float(stats.t.ppf((1 + level) / 2, n.size - 2) * spread)
    slope = float(fit.slope)
    return Rate(slope, float(fit.intercept), (slope - half, slope + half), level)
