r"""Potentials of the reader's own: give :math:`\varphi` and its derivative, and everything else follows.

The inverse of the derivative, the conjugate and the divergence come from the general methods of ``Potential``; the
second derivative, where none is given, from a complex step where the first one is analytic and takes complex numbers,
and from the derivative of a Chebyshev interpolant elsewhere. The functions are checked when the potential is made,
because a wrong derivative would otherwise be noticed only as a wrong answer.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import real_array, shortened
from .base import Potential
from .inverse import as_array

__all__ = ["CustomPotential"]

Function = Callable[[Any], Any]
Array = npt.NDArray[np.float64]


class CustomPotential(Potential):
    r"""A potential given by :math:`\varphi` and its derivative.

    Parameters
    ----------
    phi, gradient : functions of an array
        :math:`\varphi` and :math:`\varphi'`, elementwise; the derivative strictly increasing on the domain.
    hessian : function of an array, optional
        :math:`\varphi''`. Give it for limits of wide networks: with five data they take 0.05 s with it, about as long
        without it where ``gradient`` is analytic and takes complex numbers (a complex step, three evaluations of it, 15
        digits), and two to three times as long elsewhere (differences, 16 evaluations and more, 13 digits where
        :math:`\varphi` is smooth).
    domain : (float, float)
        The open interval on which :math:`\varphi` lives.
    name : str, optional
        What ``repr`` shows; the name of ``phi`` by default.

    Raises
    ------
    TypeError, ValueError
        If a function is not one, does not act elementwise, is not finite inside the domain, is not increasing where it must
        be, or is not the derivative of the one before it. Checked at 40 points.

    Notes
    -----
    ``inverse_gradient`` costs 10 to 100 evaluations of the derivative. Potentials made of functions that have names in a
    module can be pickled; lambdas need cloudpickle, which joblib and Dask use by themselves. Functions written with
    NumPy serve NumPy arrays; written with operators only they serve torch tensors too.

    Source: any strictly convex function serves mirror descent; Bubeck (2015), Convex Optimization, section 4.1.

    Examples
    --------
    >>> import numpy as np
    >>> phi = CustomPotential(lambda x: x**4 / 4 + x**2 / 2, lambda x: x**3 + x, lambda x: 3 * x**2 + 1)
    >>> phi.inverse_gradient([0.0, 2.0, 30.0])
    array([0., 1., 3.])
    >>> burg = CustomPotential(lambda x: -np.log(x), lambda x: -1 / x, domain=(0.0, np.inf))
    >>> burg.inverse_gradient([-4.0, -0.5])
    array([0.25, 2.  ])
    """

    def __init__(
        self,
        phi: Function,
        gradient: Function,
        hessian: Function | None = None,
        *,
        domain: tuple[float, float] = (-np.inf, np.inf),
        name: str | None = None,
    ) -> None:
        for role, function in (("phi", phi), ("gradient", gradient), ("hessian", hessian)):
            if not callable(function) and not (role == "hessian" and function is None):
                raise TypeError(
                    f"{role} must be a function of an array, but {function!r} was given, probably its value at a point; pass "
                    f"the function itself, for instance lambda x: x**2."
                )
        self._functions = (phi, gradient, hessian)
        self.domain = _check_interval(domain)
        self.name = str(getattr(phi, "__name__", "phi") if name is None else name)
        self._check()

    def __repr__(self) -> str:
        return f"CustomPotential({self.name}, domain={self.domain})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CustomPotential):
            return NotImplemented
        return (self._functions, self.domain) == (other._functions, other.domain)

    def __hash__(self) -> int:
        return hash((self._functions, self.domain))

    def __call__(self, x: Any) -> Any:
        return self._evaluate(self._functions[0], x)

    def gradient(self, x: Any) -> Any:
        return self._evaluate(self._functions[1], x)

    def hessian(self, x: Any) -> Any:
        x, xp = as_array(x)
        self._check_domain(x, xp, closed=True)
        if self._functions[2] is not None:
            return self._functions[2](x)
        host = np.asarray(x.detach().cpu() if hasattr(x, "detach") else x)
        slope = self._slope(host.ravel()).reshape(host.shape)
        slope = np.where(np.isnan(slope), np.inf, slope)  # at an end of the domain
        return slope if isinstance(x, (np.ndarray, np.generic)) else xp.asarray(slope, device=x.device)

    def _evaluate(self, function: Function, x: Any) -> Any:
        x, xp = as_array(x)
        self._check_domain(x, xp)
        return function(x)

    def _on_host(self, x: Array) -> Array:
        value = self._functions[1](x)
        return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)

    def _slope(self, x: Array) -> Array:
        """The second derivative at points of shape (N,), NaN where it cannot be found."""
        if not self._analytic:
            return difference_slope(self._on_host, x, self.domain)
        with np.errstate(all="ignore"):
            slope = _complex_step(self._functions[1], x)
            # a branch that is not analytic shows against plain differences
            wrong = ~(np.abs(slope - self._newton_slope(x)) <= 1e-4 * np.abs(slope))
        if wrong.any():
            slope[wrong] = difference_slope(self._on_host, x[wrong], self.domain)
        return slope

    @cached_property
    def _analytic(self) -> bool:
        """Whether complex steps through the gradient give its derivative at all the points of the check."""
        x = _sample(self.domain)
        try:
            with np.errstate(all="ignore"):
                slope = _complex_step(self._functions[1], x)
        except (TypeError, ValueError):
            return False
        numeric = difference_slope(self._functions[1], x, self.domain)
        return slope.shape == x.shape and bool(np.all(np.abs(slope - numeric) <= 1e-7 * np.abs(numeric)))

    def _newton_slope(self, x: Any) -> Any:
        if self._functions[2] is not None:
            return self._functions[2](x)
        _, xp = as_array(x)
        low, high = self.domain
        h = 1e-5 * xp.where(xp.abs(x) > 1e-3, xp.abs(x), xp.zeros_like(x) + 1e-3)
        for edge in (low, high):
            if np.isfinite(edge):
                h = xp.where(h < 0.5 * xp.abs(x - edge), h, 0.5 * xp.abs(x - edge))
        return (self._functions[1](x + h) - self._functions[1](x - h)) / (2 * h)

    def _check(self) -> None:
        phi, gradient, hessian = self._functions
        x = _sample(self.domain)
        values = {"phi": self._probe("phi", phi, x), "gradient": self._probe("gradient", gradient, x)}
        slope = values["gradient"]
        if not np.all(np.diff(slope) > 0):
            k = int(np.argmin(np.diff(slope)))
            raise ValueError(
                f"the gradient of a potential must increase strictly, but it goes from {slope[k]:.6g} at {x[k]:.6g} to "
                f"{slope[k + 1]:.6g} at {x[k + 1]:.6g}, probably because of a sign or a domain that is too wide; give a "
                f"strictly convex function, or its domain."
            )
        pairs = [("gradient", "phi", phi, slope)]
        if hessian is not None:
            pairs.append(("hessian", "gradient", gradient, self._probe("hessian", hessian, x)))
        for role, of, function, given in pairs:
            numeric = _differentiate(function, x, self.domain)
            # differences lose digits where the function is large against its change over a step
            noise = 1e-13 * np.abs(values[of]) / _room(x, self.domain)
            wrong = ~(np.abs(numeric - given) <= 1e-5 * np.abs(given) + noise + 1e-9)
            if wrong.mean() > 0.1:  # a kink may spoil the differences at a few points
                k = int(np.argmax(wrong))
                raise ValueError(
                    f"{role} must be the derivative of {of}, but at {x[k]:.6g} it is {given[k]:.6g} while differences give "
                    f"{numeric[k]:.6g}, probably a missing factor or sign; correct {role} or {of}."
                )

    def _probe(self, role: str, function: Function, x: Array) -> Array:
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(function(x))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{role} must act on arrays, but calling it on {x.size} points failed ({error}), probably because it uses math "
                f"or an if; write it with NumPy functions and np.where."
            ) from error
        if value.shape != x.shape or value.dtype.kind not in "biuf":
            raise ValueError(
                f"{role} must act elementwise and return real numbers, but {x.size} points gave an array of shape "
                f"{value.shape} and type {value.dtype}, probably because of a sum or a constant; return one number a point."
            )
        if not np.all(np.isfinite(value)):
            k = int(np.argmin(np.isfinite(value)))
            raise ValueError(
                f"{role} must be finite inside the domain {self.domain}, but it is {value[k]} at {x[k]:.6g}, probably because "
                f"the domain is smaller; pass it, for instance domain=(0.0, np.inf)."
            )
        return value.astype(np.float64)


def _check_interval(domain: Any) -> tuple[float, float]:
    try:
        ends = real_array("domain", domain)
    except ValueError:
        ends = np.array([])
    low, high = (float(v) for v in ends) if ends.shape == (2,) else (np.nan, np.nan)
    if not low < high:
        raise ValueError(
            f"domain must be an open interval (low, high) with low < high, but {shortened(domain)} was given, "
            f"probably swapped ends or "
            f"a single number; pass for instance domain=(0.0, np.inf)."
        )
    return low, high


def _sample(domain: tuple[float, float]) -> Array:
    """Increasing points inside the domain, at several distances from its ends, none of them special."""
    low, high = domain
    part = np.geomspace(0.013, 7.3, 20)
    if np.isfinite(low) and np.isfinite(high):
        inside = 0.5 * part / 7.9
        return np.concatenate([low + (high - low) * inside, high - (high - low) * inside[::-1]])
    if np.isfinite(low):
        return low + np.geomspace(0.011, 21.0, 40)
    if np.isfinite(high):
        return high - np.geomspace(0.011, 21.0, 40)[::-1]
    return np.concatenate([-part[::-1], part])


def _room(x: Any, domain: tuple[float, float]) -> Array:
    """A first step for differences at x: a quarter of its size, well inside the domain."""
    low, high = domain
    step = 0.25 * np.maximum(np.abs(x), 0.125)
    return np.asarray(np.minimum(step, 0.3 * np.minimum(x - low, high - x)), dtype=np.float64)


def _differentiate(f: Function, x: Array, domain: tuple[float, float]) -> Array:
    from scipy.differentiate import derivative  # needed by few: `import ibtext` stays without it

    if x.size == 0:
        return np.zeros_like(x)
    with np.errstate(all="ignore"):
        result = derivative(f, x, initial_step=_room(x, domain), order=10, tolerances={"rtol": 1e-15, "atol": 0.0}, maxiter=12)
    return np.asarray(result.df, dtype=np.float64)


_STEP = 1e-100
_COUNT = 16
_ANGLES = np.pi * (np.arange(_COUNT) + 0.5) / _COUNT
_NODES = np.cos(_ANGLES)
_ODD = np.arange(1, _COUNT, 2)
_SERIES = 2 / _COUNT * np.cos(np.outer(_ANGLES, _ODD))
"""From values at the nodes to the odd coefficients of the Chebyshev series, which alone bend at the centre."""


def _complex_step(f: Function, x: Array) -> Array:
    """The derivative of an analytic function, to rounding."""
    return np.asarray(np.asarray(f(x + 1j * _STEP)).imag / _STEP, dtype=np.float64)


def difference_slope(f: Function, x: Array, domain: tuple[float, float]) -> Array:
    """The derivative of f at points x, shape (N,), from a Chebyshev interpolant around each of them.

    The interval around a point shrinks by factors of four until the series ends in rounding, or until rounding
    outgrows what is left of it; the best derivative is kept. NaN where there is no room.
    """
    best, error = np.full(x.size, np.nan), np.full(x.size, np.inf)
    step, todo = _room(x, domain), np.arange(x.size)
    with np.errstate(all="ignore"):
        for level in range(30):
            h = step[todo] * 4.0**-level
            values = np.asarray(f((x[todo, None] + h[:, None] * _NODES).ravel()), dtype=np.float64).reshape(-1, _COUNT)
            series = values @ _SERIES
            slope = (series @ (_ODD * np.sin(_ODD * np.pi / 2))) / h
            noise = 1e-16 * np.max(np.abs(values), axis=1)
            noise *= _COUNT / h
            loss = _COUNT * np.max(np.abs(series[:, -2:]), axis=1) / h + noise
            better = loss < error[todo]
            at = todo[better]
            best[at], error[at] = slope[better], loss[better]
            todo = todo[(error[todo] > 1e-14 * np.abs(best[todo])) & (4 * noise < error[todo])]
            if not todo.size:
                break
    return best
