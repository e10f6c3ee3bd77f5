r"""Laws of the parameters of a shallow network at the start of training.

A unit :math:`x \mapsto \sigma(wx - b)` bends at its breakpoint :math:`c = b/w`. The law of :math:`(w, b)` fixes
the density :math:`p_C` of breakpoints and the weight

.. math:: \zeta(c) = E[W^2 \mid C = c]\, p_C(c) = \int |w|^3\, p_{W,B}(w, wc)\, dw,

whose reciprocal penalises curvature at c (Jin and Montúfar 2023, Proposition 14, with our sign of b).
With :math:`w = \pm 1` both are the density of the bias.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import integrate

from .errors import check_count, check_points

__all__ = ["Initialization"]


def _is_law(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("pdf", "cdf", "ppf", "rvs", "support"))


@dataclass(frozen=True)
class Initialization:
    """Law of (weight, bias, output, output bias) of each unit, all independent.

    Parameters
    ----------
    weight : "signs" or a frozen scipy.stats law
        "signs": +1 or -1 with probability one half each.
    bias : frozen scipy.stats law
        Symmetric about 0 for the limit theorems; its support must contain the inputs.
    output, output_bias : frozen scipy.stats laws, optional
        Law of sqrt(n) times an output weight, and law of the output bias; zero when omitted.

    Examples
    --------
    >>> from scipy import stats
    >>> init = Initialization(weight="signs", bias=stats.uniform(-1, 2))
    >>> float(init.zeta(0.3))
    0.5
    """

    weight: Any = "signs"
    bias: Any = None
    output: Any = None
    output_bias: Any = None

    def __post_init__(self) -> None:
        if not (isinstance(self.weight, str) and self.weight == "signs") and not _is_law(self.weight):
            raise ValueError(
                f"weight must be 'signs' or a frozen scipy.stats law, but {self.weight!r} was given, probably a number "
                f"or a misspelling; pass for instance weight=stats.norm(0, 1)."
            )
        for name in ("bias", "output", "output_bias"):
            law = getattr(self, name)
            if law is None and name != "bias":
                continue
            if not _is_law(law):
                raise ValueError(
                    f"{name} must be a frozen scipy.stats law, but {law!r} was given, probably a number or an unfrozen "
                    f"distribution; pass for instance {name}=stats.uniform(-1, 2), uniform on [-1, 1]."
                )

    @property
    def signs(self) -> bool:
        """Whether the weights are random signs."""
        return isinstance(self.weight, str)

    @cached_property
    def support(self) -> tuple[float, float]:
        """Ends of the support of the bias."""
        low, high = self.bias.support()
        return float(low), float(high)

    @cached_property
    def _uniform_density(self) -> float | None:
        """Density of a uniform bias, so that the common case needs no call into scipy.stats."""
        if getattr(getattr(self.bias, "dist", None), "name", "") == "uniform":
            return 1 / (self.support[1] - self.support[0])
        return None

    @cached_property
    def symmetric(self) -> bool:
        """Whether the bias is symmetric about 0 (its law, and that of the weight, up to 1e-10)."""
        laws = [self.bias] if self.signs else [self.bias, self.weight]
        q = np.array([1e-3, 0.05, 0.2, 0.35, 0.45, 0.5])
        return all(
            np.allclose(law.ppf(q), -law.ppf(1 - q), rtol=1e-10, atol=1e-10 * abs(law.ppf(0.95))) for law in laws
        )

    def density(self, c: np.ndarray) -> np.ndarray:
        """Density of the bias at ``c``."""
        if self._uniform_density is not None:
            low, high = self.support
            return np.where((c >= low) & (c <= high), self._uniform_density, 0.0)
        return self.bias.pdf(c)

    def zeta(self, x: Any) -> np.ndarray:
        r"""Curvature weight :math:`\zeta(x) = \int |w|^3 p_W(w) p_B(wx)\, dw`, of the shape of ``x``.

        Exact for sign weights, adaptive quadrature (relative 1e-10) otherwise.
        """
        return self._moment(x, 3)

    def breakpoint_density(self, x: Any) -> np.ndarray:
        r"""Density of the breakpoint b/w: :math:`p_C(x) = \int |w| p_W(w) p_B(wx)\, dw`, shape of ``x``."""
        return self._moment(x, 1)

    def _moment(self, x: Any, power: int) -> np.ndarray:
        x = check_points("x", x)
        if self.signs:
            return (self.density(x) + self.density(-x)) / 2
        low, high = self.weight.ppf([1e-18, 1 - 1e-16])
        low, high = (max(low, self.weight.support()[0]), min(high, self.weight.support()[1]))

        def at(c: float) -> float:
            edges = [0.0] if c == 0 else [0.0, self.support[0] / c, self.support[1] / c]
            cuts = sorted({low, high, *(e for e in edges if low < e < high)})
            return sum(
                integrate.quad(
                    lambda w: abs(w) ** power * self.weight.pdf(w) * self.bias.pdf(w * c),
                    a,
                    b,
                    epsrel=1e-11,
                    epsabs=1e-14,
                    limit=200,
                )[0]
                for a, b in itertools.pairwise(cuts)
            )

        return np.reshape([at(float(c)) for c in x.ravel()], x.shape)

    def knots(self) -> np.ndarray:
        """Points where a quadrature over the bias must be split: ends, 0, and quantiles of a non-uniform law."""
        low, high = self.support
        if self._uniform_density is not None:
            return np.array([low, high])
        # a tail beyond 1e-22 cannot be seen in double precision; pieces of at most a few quantile decades keep
        # the density polynomial-like on each
        tail = np.array([1e-22, 1e-17, 1e-13, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 0.05, 0.15, 0.3])
        points = np.concatenate([self.bias.ppf(tail), self.bias.isf(tail), [0.0]])
        if np.isfinite(low):
            points = np.append(points, low)
        if np.isfinite(high):
            points = np.append(points, high)
        points = np.unique(points[np.isfinite(points)])
        near = np.diff(points, prepend=-np.inf) > 1e-9 * np.ptp(points)
        return points[near]

    def sample(self, n: int, rng: Any = None) -> dict[str, np.ndarray | float]:
        """Draw n units.

        Parameters
        ----------
        n : int
            Width.
        rng : seed or numpy Generator

        Returns
        -------
        dict with "weight", "bias", "output", arrays (n,), and "output_bias", a float. Output weights are draws
        of the law ``output`` divided by sqrt(n). Cost O(n).
        """
        n = check_count("n", n)
        rng = np.random.default_rng(rng)
        weight = rng.choice([-1.0, 1.0], size=n) if self.signs else self._draw(self.weight, n, rng)
        bias = self._draw(self.bias, n, rng)
        output = np.zeros(n) if self.output is None else self._draw(self.output, n, rng) / np.sqrt(n)
        output_bias = 0.0 if self.output_bias is None else float(self._draw(self.output_bias, 1, rng)[0])
        return {"weight": weight, "bias": bias, "output": output, "output_bias": output_bias}

    @staticmethod
    def _draw(law: Any, n: int, rng: np.random.Generator) -> np.ndarray:
        return np.asarray(law.rvs(size=n, random_state=rng), dtype=np.float64)
