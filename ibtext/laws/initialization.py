r"""Laws of the parameters of a shallow network at the start of training.

A unit :math:`x \mapsto \sigma(wx - b)` bends at its breakpoint :math:`c = b/w`. The law of :math:`(w, b)` fixes
the density :math:`p_C` of breakpoints and the weight

.. math:: \zeta(c) = E[W^2 \mid C = c]\, p_C(c) = \int |w|^3\, p_{W,B}(w, wc)\, dw,

whose reciprocal penalises curvature at c (Jin and Montúfar 2023, Proposition 14, with our sign of b).
With :math:`w = \pm 1` both are the density of the bias. Formulas for other weights: ``ibtext.laws``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import check_count, check_points, check_rng, shortened
from ..numerics.arrays import Array
from ..numerics.gauss import gauss_legendre
from .frozen import check_density, finite_moments, is_discrete, is_law, law_name, quadrature_knots
from .joint import JointLaw, law_moment
from .penalty import PenaltyLaw

__all__ = ["Initialization"]


def _described(value: Any) -> str:
    """A value that is no law with a density, for a message."""
    if is_discrete(value):
        return "a discrete law"
    if hasattr(value, "freeze"):
        return f"{getattr(value, 'name', 'a distribution')} without its parameters"
    return shortened(value)


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
    breakpoint : law, optional
        In place of ``bias``, with sign weights: the law of the breakpoint c, independent of the sign w, the bias being
        w c. The law of (w, b) is then symmetric whatever that of c. ``for_penalty`` makes one.

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
    breakpoint: Any = None

    def __post_init__(self) -> None:
        if not (isinstance(self.weight, str) and self.weight == "signs") and not is_law(self.weight):
            raise ValueError(
                f"weight must be 'signs' or a frozen scipy.stats law with a density, but {_described(self.weight)} was given; "
                f"pass for instance weight=stats.norm(0, 1)."
            )
        if self.breakpoint is not None and (self.bias is not None or not self.signs):
            raise ValueError(
                "breakpoint stands in place of bias and needs weight='signs', but a bias or a law of the weights was "
                "given with it; drop one of the two."
            )
        for name in ("breakpoint", "bias", "output", "output_bias"):
            law = getattr(self, name)
            if law is None and (name != "bias" or self.breakpoint is not None):
                continue
            if not is_law(law):
                raise ValueError(
                    f"{name} must be a frozen scipy.stats law with a density, but {_described(law)} was given; "
                    f"pass for instance {name}=stats.uniform(-1, 2), uniform on [-1, 1]."
                )

    @classmethod
    def for_penalty(cls, rho: Any, *, support: tuple[float, float]) -> Initialization:
        r"""The law under which training penalises curvature by :math:`\int \varrho\, (h'')^2`, up to a factor.

        Solves: find a law of (w, b) with :math:`1/\zeta = Z\varrho`. Breakpoints get the density
        :math:`p_C = 1/(Z\varrho)`, :math:`Z = \int 1/\varrho`; the weight is a sign independent of c and the bias is
        w c (our sign of b), so :math:`\zeta = p_C`.

        Parameters
        ----------
        rho : callable
            The penalty weight, positive on the support; called with arrays.
        support : (lo, hi)
            Finite interval that holds the inputs; it need not be symmetric.

        Returns
        -------
        Initialization

        Raises
        ------
        ValueError
            If rho is not positive and finite inside, or :math:`\int 1/\varrho` is not finite.
        ConvergenceError
            If :math:`1/\varrho` cannot be integrated to 1e-12 (jumps are fine, thousands of oscillations are not).

        Notes
        -----
        Some twenty thousand evaluations of rho. The integral is the whole penalty only with ``free_affine=True``. A real relu
        network pays ``G2`` and ``G3`` besides (``WideLimit.penalty_terms``), and one of absolute values obeys the two
        constraints that both vanish; subtract an affine function from the labels to be rid of them. Source: Jin and
        Montúfar (2023), Proposition 15.

        Examples
        --------
        >>> init = Initialization.for_penalty(lambda c: 1 + c**2, support=(-1.0, 1.0))
        >>> float(round(init.zeta(0.0) / init.zeta(1.0), 12))  # the ratio of the penalties at 1 and 0
        2.0
        >>> from ibtext import wide_limit
        >>> from ibtext.splines import adaptive_spline
        >>> x, y = [-0.5, 0.0, 0.2, 0.8], [0.3, -0.1, 0.4, 0.2]
        >>> spline = adaptive_spline(x, y, zeta=init)
        >>> free = wide_limit(x, y, initialization=init, free_affine=True)
        >>> network = wide_limit(x, y, initialization=init)
        >>> bool(abs(free(0.5) - spline(0.5)) < 1e-12), bool(abs(network(0.5) - spline(0.5)) > 1e-3)
        (True, True)
        """
        return cls(breakpoint=PenaltyLaw(rho, support))

    @property
    def signs(self) -> bool:
        """Whether the weights are random signs."""
        return isinstance(self.weight, str)

    @property
    def _location(self) -> Any:
        """The law of the bias, or of the breakpoint where that is given."""
        return self.bias if self.breakpoint is None else self.breakpoint

    @property
    def _laws(self) -> dict[str, Any]:
        """The laws of (w, b) other than random signs, by name."""
        if self.breakpoint is not None:
            return {"breakpoint": self.breakpoint}
        return {"bias": self.bias} | ({} if self.signs else {"weight": self.weight})

    @cached_property
    def support(self) -> tuple[float, float]:
        """Ends of the support of the bias (of the breakpoint, where that is given)."""
        low, high = self._location.support()
        return float(low), float(high)

    @cached_property
    def joint(self) -> JointLaw:
        """Weight and bias, where both have densities."""
        return JointLaw(self.weight, self.bias)

    @cached_property
    def second_moments(self) -> tuple[float, float, float]:
        """E W^2, E WB and E B^2."""
        if self.breakpoint is not None:  # B = WC with W a sign
            w2, wb, b2 = self.moments(2)
            return w2, wb, b2
        return (1.0 if self.signs else float(self.weight.var())), 0.0, float(self.bias.var())

    def moments(self, degree: int) -> list[float]:
        """E W^(degree - j) B^j for j = 0, ..., degree, an even number."""
        if self.breakpoint is not None:
            knots = self.knots(max(degree // 2, 1))
            nodes, weights = gauss_legendre(40)
            width = np.diff(knots)[:, None]
            c = knots[:-1, None] + width * nodes
            mass = (width * weights * self.density(c)).ravel()
            c = c.ravel()
            found = [float(mass @ c**j) for j in range(degree + 1)]
            if not isinstance(self.breakpoint, PenaltyLaw):  # a heavy tail needs its own formula
                found[2] = float(self.breakpoint.var() + self.breakpoint.mean() ** 2)
            return found
        even = range(0, degree + 1, 2)
        weight = {j: 1.0 if self.signs or j == 0 else law_moment(self.weight, j) for j in even}
        bias = {j: 1.0 if j == 0 else law_moment(self.bias, j) for j in even}
        return [0.0 if j % 2 else weight[degree - j] * bias[j] for j in range(degree + 1)]

    @cached_property
    def uniform_density(self) -> float | None:
        """Density of a uniform bias or breakpoint, None for other laws: the common case needs no call into scipy.stats."""
        if law_name(self._location) == "uniform":
            return 1 / (self.support[1] - self.support[0])
        return None

    @cached_property
    def symmetric(self) -> bool:
        """Whether the law of (weight, bias) is symmetric under a change of both signs (up to 1e-10)."""
        laws = [] if self.breakpoint is not None else self._laws.values()
        q = np.array([1e-3, 0.05, 0.2, 0.35, 0.45, 0.5])
        # probabilities, not quantiles: those of a law with a gap around 0 are ambiguous
        return all(np.allclose(law.cdf(t), law.sf(-t), rtol=1e-10, atol=1e-10) for law in laws for t in [law.ppf(q)])

    @cached_property
    def _finite_moments(self) -> dict[str, float]:
        """The order below which each law has moments, once all else has been checked that no activation changes."""
        if not self.symmetric:
            raise ValueError(
                "the limit needs laws of weight and bias that are symmetric about 0, but one given is not; shift it so that its "
                "median is 0, or choose another."
            )
        orders = {name: finite_moments(law) for name, law in self._laws.items()}
        for name, law in self._laws.items():
            if name != "breakpoint" and orders[name] > 2:
                check_density(name, law)
        return orders

    def check(self, degree: int = 1) -> None:
        r"""Refuse laws for which the limit of wide networks does not exist, or is not covered.

        ``degree`` is the power k of an activation :math:`u_+^k`, else 1. The law is examined once, however often this is called.
        """
        order = 2 * degree + (0 if self.signs else 1)  # zeta holds |w|^(2k + 1)
        for name, finite in self._finite_moments.items():
            if order >= finite:
                which = "variance" if order == 2 or finite <= 2 else f"moment of order {order}"
                raise ValueError(
                    f"the kernel exists only if the {name} has a finite {which}, but the law given has heavier tails, probably a "
                    f"Cauchy or Student law with few degrees of freedom; choose one with lighter tails."
                )

    def density(self, c: Array) -> Array:
        """Density of the bias at ``c`` (of the breakpoint, where that is given)."""
        if self.uniform_density is not None:
            low, high = self.support
            return np.where((c >= low) & (c <= high), self.uniform_density, 0.0)
        return np.asarray(self._location.pdf(c), dtype=np.float64)

    def zeta(self, x: ArrayLike) -> Array:
        r"""Curvature weight :math:`\zeta(x) = \int |w|^3 p_W(w) p_B(wx)\, dw`, of the shape of ``x``.

        Closed for sign weights and for Gaussian, uniform and Laplace laws (but Gaussian with Laplace), else Gauss-Legendre
        quadrature to 1e-13.
        """
        at = check_points("x", x)
        return self._sign_density(at) if self.signs else self.joint.zeta(at)

    def breakpoint_density(self, x: ArrayLike) -> Array:
        r"""Density of the breakpoint b/w: :math:`p_C(x) = \int |w| p_W(w) p_B(wx)\, dw`, shape of ``x``."""
        at = check_points("x", x)
        return self._sign_density(at) if self.signs else self.joint.breakpoint_density(at)

    def _sign_density(self, x: Array) -> Array:
        return self.density(x) if self.breakpoint is not None else (self.density(x) + self.density(-x)) / 2

    def knots(self, degree: int = 1) -> Array:
        """Points where a quadrature over the bias must be split: ends, 0, and quantiles of a non-uniform law.

        ``degree`` is the power of the activation, whose squares are to be integrated far out.
        """
        low, high = self.support
        if self.uniform_density is not None:
            return np.array([low, high])
        if isinstance(self.breakpoint, PenaltyLaw):
            return self.breakpoint.knots
        return quadrature_knots(self._location, degree)

    def sample(self, n: int, rng: Any = None) -> dict[str, Array | float]:
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
        rng = check_rng(rng)
        weight = rng.choice([-1.0, 1.0], size=n) if self.signs else self._draw(self.weight, n, rng)
        location = self._draw(self._location, n, rng)
        bias = location if self.breakpoint is None else weight * location
        output = np.zeros(n) if self.output is None else self._draw(self.output, n, rng) / np.sqrt(n)
        output_bias = 0.0 if self.output_bias is None else float(self._draw(self.output_bias, 1, rng)[0])
        return {"weight": weight, "bias": bias, "output": output, "output_bias": output_bias}

    @staticmethod
    def _draw(law: Any, n: int, rng: np.random.Generator) -> Array:
        return np.asarray(law.rvs(size=n, random_state=rng), dtype=np.float64)
