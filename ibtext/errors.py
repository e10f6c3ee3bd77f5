"""Refusals: one sentence with the rule, the value received and the remedy, and with the cause where it is known."""

import difflib
import operator
from numbers import Real
from typing import Any

import numpy as np

__all__ = [
    "ConvergenceError",
    "check_arguments",
    "check_choice",
    "check_count",
    "check_data",
    "check_flag",
    "check_number",
    "check_order",
    "check_points",
    "check_positive",
    "check_rng",
    "check_times",
    "check_tolerance",
    "real_array",
    "shortened",
]

LARGEST_COUNT = 10**12
"""No computer of today holds that many neurons, or takes that many steps."""

NEARLY_COINCIDENT = 1e-13
"""Smallest gap between inputs, relative to the largest modulus, at which a slope between them has a digit.

Whether a problem with small gaps can be solved is judged by the residual that is reached.
"""


class ConvergenceError(RuntimeError):
    """An iteration stopped before it reached the tolerance that was asked for.

    The message names the residual reached and what to change. No partial result is returned.
    """


def shortened(value: Any) -> str:
    """``repr`` of a value in at most 60 characters, for a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else text[:57] + "..."


def _real_number(value: Any) -> float:
    """A real number, or a 0-d array or tensor of one, as a float; NaN for everything else."""
    if isinstance(value, np.ma.MaskedArray):  # its hidden number would come back
        return float("nan")
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        value = value.item()
    try:
        return float(value) if isinstance(value, Real) and not isinstance(value, bool) else float("nan")
    except OverflowError:  # an integer beyond the largest double
        return float("inf")


def check_positive(name: str, value: Any, *, allow_zero: bool = False) -> float:
    """Return ``value`` as a float, or refuse it if it is not a finite positive number."""
    rule = "a finite number that is at least 0" if allow_zero else "a finite positive number"
    number = _real_number(value)
    if not np.isfinite(number) or number < 0 or (number == 0 and not allow_zero):
        raise ValueError(f"{name} must be {rule}, but {shortened(value)} was given; pass a number such as {name}=1.0.")
    return number


def check_tolerance(name: str, value: Any) -> float:
    """Return a relative tolerance as a float, or refuse it if it is not between 0 and 1."""
    number = check_positive(name, value)
    if number >= 1:
        raise ValueError(
            f"{name} must be below 1, since it is relative, but {number:g} was given; pass a number such as {name}=1e-9."
        )
    return number


def check_number(name: str, value: Any) -> float:
    """Return ``value`` as a float, or refuse it if it is not a finite real number."""
    number = _real_number(value)
    if not np.isfinite(number):
        raise ValueError(f"{name} must be a finite number, but {shortened(value)} was given; pass a number such as {name}=0.0.")
    return number


def check_order(order: Any) -> int:
    """Return the order of a derivative, 1 or 2, or refuse it: the third one jumps at the data."""
    if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order not in (1, 2):
        raise ValueError(f"order must be 1 or 2, but {shortened(order)} was given; pass 1 for the slope, 2 for the curvature.")
    return int(order)


SMALLEST_RANGE = 1e-60
"""Smallest range of inputs: kernels hold cubes of distances, which would leave double precision below."""
LARGEST_ARGUMENT = 1e100
"""Inputs, labels and points of evaluation beyond it are refused, because their squares and cubes could overflow."""


def check_arguments(t: Any, *, name: str = "t") -> np.ndarray:
    """Points of evaluation, empty or finite, refused where an affine function of them could overflow."""
    points = check_points(name, t, allow_empty=True)
    check_size(name, points, "pass points near the data")
    return points


def check_size(name: str, values: np.ndarray, remedy: str) -> None:
    """Refuse an array with a value beyond ``LARGEST_ARGUMENT``."""
    if values.size and np.max(np.abs(values)) > LARGEST_ARGUMENT:
        raise ValueError(
            f"{name} must lie between {-LARGEST_ARGUMENT:g} and {LARGEST_ARGUMENT:g}, but "
            f"{values.flat[np.argmax(np.abs(values))]:g} was given; {remedy}."
        )


def check_count(name: str, value: Any) -> int:
    """Return ``value`` as an int, or refuse it if it is not a positive integer."""
    try:
        number = 0 if isinstance(value, (bool, np.bool_, np.ma.MaskedArray)) else operator.index(value)
    except TypeError:
        number = 0
    if not 1 <= number <= LARGEST_COUNT:
        raise ValueError(
            f"{name} must be a positive integer of at most {LARGEST_COUNT:.0e}, but {shortened(value)} was given; "
            f"pass an integer such as {name}=100."
        )
    return number


def check_rng(value: Any) -> np.random.Generator:
    """Return a generator of random numbers for a seed, a generator or None (fresh numbers), or refuse it."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        return np.random.default_rng(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"rng must be a seed, which is an integer of at least 0, or a NumPy Generator, but {shortened(value)} was given; "
            f"pass for instance rng=0."
        ) from None


def check_flag(name: str, value: Any) -> bool:
    """Return ``value`` as a bool, or refuse it: the text "False" would count as true."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, but {shortened(value)} was given; pass {name}=True or {name}=False.")
    return bool(value)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``choices``, or refuse it with the list of valid names."""
    if not isinstance(value, str) or value not in choices:
        valid = ", ".join(repr(c) for c in choices)
        near = difflib.get_close_matches(value.lower(), choices, n=1, cutoff=0.8) if isinstance(value, str) else []
        remedy = f"write {near[0]!r}" if near else "choose a name from the list"
        raise ValueError(f"{name} must be one of {valid}, but {shortened(value)} was given; {remedy}.")
    return str(value)


CONVERSIONS = {
    "c": "pass its real part",
    "M": "convert the dates to numbers",
    "m": "convert the durations to numbers",
    "O": "convert its entries to floats",
    "S": "convert the text to numbers",
    "U": "convert the text to numbers",
}
"""What to do with an array of another kind. NumPy itself would silently make the number 0.5 of the text "0.5"."""


def real_array(name: str, value: Any) -> np.ndarray:
    """Return ``value`` as a float64 array of any shape, infinite or NaN where it is, or refuse it."""
    if np.ma.is_masked(value):  # NumPy would bring the hidden numbers back
        hidden = np.ma.getmaskarray(value)
        raise ValueError(
            f"{name} must be an array without masked entries, but {hidden.sum()} of {hidden.size} are masked; leave them out, "
            f"here and in the arrays that belong to {name}."
        )
    remedy = "pass a list of floats"
    try:
        if hasattr(value, "toarray"):
            remedy = f"pass the dense array, {name}.toarray()"
            raise TypeError
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        if array.dtype.kind not in "biuf":
            remedy = CONVERSIONS.get(array.dtype.kind, remedy) if array.ndim else remedy
            raise TypeError
        with np.errstate(over="ignore"):  # long doubles beyond the range of doubles are refused below
            return array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        if "inhomogeneous" in str(error):
            remedy = "give all of its rows one length"
        raise ValueError(f"{name} must be an array of real numbers, but {shortened(value)} was given; {remedy}.") from None


def check_points(name: str, value: Any, *, allow_empty: bool = False) -> np.ndarray:
    """Return ``value`` as a finite float64 array of any shape, or refuse it."""
    array = real_array(name, value)
    if array.size == 0 and not allow_empty:
        raise ValueError(
            f"{name} must hold at least one number, but an empty array was given; check the selection from which it comes."
        )
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise ValueError(f"{name} must be finite, but entry {where} is {array[where]}; remove or repair that entry.")
    return array


def check_times(times: Any) -> np.ndarray:
    """Return increasing flow times, none negative, as a float64 array of shape (T,), or refuse them."""
    times = check_points("times", times)
    if times.ndim != 1 or np.any(times < 0) or np.any(np.diff(times) <= 0):
        if times.ndim == 0:
            cause, remedy = "a single time", f"pass a list, [{float(times)}]"
        elif times.ndim > 1:
            cause, remedy = "a column", "pass times.ravel()"
        elif np.any(times < 0):
            cause, remedy = "logarithms of times", "drop negative times"
        else:
            cause, remedy = "unsorted or repeated values", "pass np.unique(times)"
        raise ValueError(
            f"times must be a one-dimensional increasing list of flow times, none negative, but "
            f"{np.array2string(times, threshold=6)} was given, probably {cause}; {remedy}."
        )
    return np.asarray(times, dtype=np.float64)


def check_data(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Check one-dimensional training data: finite, of equal length, with distinct inputs.

    Returns float64 copies of shape (M,) in the order received.
    """
    x, y = check_points("x", x), check_points("y", y)
    if x.ndim != 1 or y.shape != x.shape:
        if x.ndim == y.ndim == 1:
            remedy = "give one label for every input"
        elif x.ndim == 0 or y.ndim == 0:
            remedy = "pass lists, [0.0] for one data point"
        elif x.size == max(x.shape) == y.size == max(y.shape):  # column vectors
            remedy = "pass x.ravel() and y.ravel()"
        else:
            remedy = "inputs and labels are single numbers here, so choose one column of each"
        raise ValueError(
            f"x and y must be one-dimensional and of equal length, but shapes {x.shape} and {y.shape} were given; {remedy}."
        )
    if x.size > 1:
        order = np.argsort(x)
        with np.errstate(over="ignore"):  # the range may exceed the largest double
            gaps, reach = np.diff(x[order]), float(np.ptp(x))
        if 0 < reach < SMALLEST_RANGE:
            raise ValueError(f"inputs must span at least {SMALLEST_RANGE:g}, but they span {reach:g}; rescale x.")
        k = int(np.argmin(gaps))
        i, j = int(order[k]), int(order[k + 1])
        if gaps[k] <= NEARLY_COINCIDENT * float(np.max(np.abs(x))):
            if gaps[k] == 0:
                how = "equal" if y[i] == y[j] else "different"
                what = f"x[{i}] and x[{j}] are both {x[i]} (with {how} labels)"
            else:
                what = f"x[{i}] = {x[i]} and x[{j}] = {x[j]} differ by only {gaps[k]:.1e}"
            raise ValueError(
                f"inputs must be distinct, at least {NEARLY_COINCIDENT:g} of the largest apart, but {what}; "
                f"keep one of them, with the mean of their labels."
            )
    for name, values in (("x", x), ("y", y)):
        check_size(name, values, f"rescale {name}")
    return x.copy(), y.copy()
