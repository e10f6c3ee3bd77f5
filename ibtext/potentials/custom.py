r"""Potentials of the reader's own: give :math:`\varphi` and its derivative, and everything else follows.

The inverse of the derivative, the conjugate and the divergence come from the general methods of ``Potential``; the
second derivative, where none is given, from the module ``derivative``. The functions are checked when the potential is
made, because a wrong derivative would otherwise be noticed only as a wrong answer.
"""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np

from ..errors import real_array, shortened
from ..numerics.arrays import Array
from .arrays import namespace
from .base import Potential
from .derivative import derivative, is_analytic, room, rough_derivative
from .inverse import invert_increasing

__all__ = ["CustomPotential"]

Function = Callable[[Any], Any]

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
                    f"{role} must be a function of an array, but {function!r} was given; pass the function itself, for "
                    f"instance lambda x: x**2."
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
        self._check_domain(x)
        return self._functions[0](x)

    def gradient(self, x: Any) -> Any:
        self._check_domain(x)
        return self._functions[1](x)

    def hessian(self, x: Any) -> Any:
        self._check_domain(x, closed=True)
        if self._functions[2] is not None:
            return self._functions[2](x)
        xp, host = namespace(x), real_array("x", x)
        slope = derivative(self._functions[1], host.ravel(), self.domain, analytic=self._analytic).reshape(host.shape)
        slope = np.where(np.isnan(slope), np.inf, slope)  # at an end of the domain
        return slope if xp is np else xp.asarray(slope, device=x.device)

    def inverse_gradient(self, z: Any) -> Any:
        if self._functions[2] is not None:
            return super().inverse_gradient(z)
        slope = partial(rough_derivative, self._functions[1], domain=self.domain)
        return invert_increasing(self.gradient, slope, z, domain=self.domain)

    @cached_property
    def _analytic(self) -> bool:
        """Whether the gradient is analytic, as far as the points of the check tell."""
        return is_analytic(self._functions[1], _sample(self.domain), self.domain)

    def _check(self) -> None:
        phi, gradient, hessian = self._functions
        x = _sample(self.domain)
        values = {"phi": self._probe("phi", phi, x), "gradient": self._probe("gradient", gradient, x)}
        slope = values["gradient"]
        if not np.all(np.diff(slope) > 0):
            k = int(np.argmin(np.diff(slope)))
            raise ValueError(
                f"the gradient of a potential must increase strictly, but it goes from {slope[k]:.6g} at {x[k]:.6g} to "
                f"{slope[k + 1]:.6g} at {x[k + 1]:.6g}; give a strictly convex function, or the domain on which it is one."
            )
        pairs = [("gradient", "phi", phi, slope)]
        if hessian is not None:
            pairs.append(("hessian", "gradient", gradient, self._probe("hessian", hessian, x)))
        for role, of, function, given in pairs:
            numeric = derivative(function, x, self.domain)
            # differences lose digits where the function is large against its change over a step
            noise = 1e-13 * np.abs(values[of]) / room(x, self.domain)
            wrong = ~(np.abs(numeric - given) <= 1e-5 * np.abs(given) + noise + 1e-9)
            if wrong.mean() > 0.1:  # a kink may spoil the differences at a few points
                k = int(np.argmax(wrong))
                raise ValueError(
                    f"{role} must be the derivative of {of}, but at {x[k]:.6g} it is {given[k]:.6g} while differences give "
                    f"{numeric[k]:.6g}; correct {role} or {of}."
                )

    def _probe(self, role: str, function: Function, x: Array) -> Array:
        try:
            with np.errstate(all="ignore"):
                value = np.asarray(function(x))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{role} must act on arrays, but calling it on {x.size} points failed ({error}); write it with NumPy functions, "
                f"and np.where for an if."
            ) from error
        if value.shape != x.shape or value.dtype.kind not in "biuf":
            raise ValueError(
                f"{role} must act elementwise and return real numbers, but {x.size} points gave an array of shape "
                f"{value.shape} and type {value.dtype}; return one number for each point."
            )
        if not np.all(np.isfinite(value)):
            k = int(np.argmin(np.isfinite(value)))
            raise ValueError(
                f"{role} must be finite inside the domain {self.domain}, but it is {value[k]} at {x[k]:.6g}; if the domain "
                f"is smaller, pass it, for instance domain=(0.0, np.inf)."
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
            f"domain must be an open interval (low, high) with low < high, but {shortened(domain)} was given; pass for instance "
            f"domain=(0.0, np.inf)."
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
