"""Malformed calls for test_fuzz: valid calls, mutations of their arguments, and what a cleaned argument is."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from numbers import Real
from typing import Any

import numpy as np

BAD = object()
"""Stands for the cleaned value of an argument that has none: a call with it must be refused."""


@dataclass(frozen=True)
class Call:
    """A valid call of a public name.

    ``kinds`` names for each argument what it may be (see ``clean``); ``verify(result, **cleaned)`` holds what is true of
    every right answer; ``view(result)`` is what two answers are compared by. ``weight`` is the share of the calls.
    """

    name: str
    function: Callable[..., Any]
    arguments: dict[str, Any]
    kinds: dict[str, Any]
    verify: Callable[..., None] | None = None
    view: Callable[[Any], Any] | None = None
    weight: float = 1.0
    optional: tuple[str, ...] = field(default=())


# -- what arguments mean -------------------------------------------------------------------------------------------------


def clean(kind: Any, value: Any, optional: bool) -> Any:
    """The plain float64 or Python value that an argument stands for, or BAD if there is none."""
    if value is None:
        return None if optional else BAD
    if isinstance(kind, Choice):
        return kind.cleaned(value)
    return {"array": _array, "loose": _loose, "points": _points, "number": _number, "count": _count, "flag": _flag, "rng": _rng}[
        kind
    ](value)


def _loose(value: Any) -> Any:
    if np.ma.is_masked(value):
        return BAD
    try:
        array = np.asarray(value)
        with np.errstate(all="ignore"):
            return array.astype(np.float64).copy() if array.dtype.kind in "biuf" else BAD
    except (TypeError, ValueError):
        return BAD


def _points(value: Any) -> Any:
    array = _loose(value)
    return array if array is not BAD and np.all(np.isfinite(array)) else BAD


def _array(value: Any) -> Any:
    array = _points(value)
    return array if array is not BAD and array.size else BAD


def _number(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf" and not np.ma.isMaskedArray(value):
        value = value.item()
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)):
        return BAD
    try:
        return float(value) if np.isfinite(float(value)) else BAD
    except OverflowError:
        return BAD


def _count(value: Any) -> Any:
    try:
        number = operator.index(value)
    except TypeError:
        return BAD
    return number if 0 < number <= 10**12 and not isinstance(value, (bool, np.bool_)) else BAD


def _flag(value: Any) -> Any:
    return bool(value) if isinstance(value, (bool, np.bool_)) else BAD


def _rng(value: Any) -> Any:
    try:
        np.random.default_rng(value)
    except (TypeError, ValueError):
        return BAD
    return BAD if isinstance(value, (bool, np.bool_)) else value


class Choice:
    """An argument out of a finite set: names, laws, potentials, functions. Everything not named valid must be refused."""

    def __init__(self, valid: list[Any], invalid: list[Any] | None = None, *, numbers: bool = False) -> None:
        self.valid, self.invalid, self.numbers = valid, invalid or [], numbers

    def cleaned(self, value: Any) -> Any:
        for v in self.valid:
            if value is v or (type(value) is type(v) and not hasattr(v, "rvs") and not callable(v) and bool(value == v)):
                return value
            if is_dataclass(v) and value == v:
                return value
            if isinstance(v, float) and isinstance(value, Real) and not isinstance(value, (bool, np.bool_)) and value == v:
                return v
        return _number(value) if self.numbers and isinstance(value, (int, float)) else BAD

    def draw(self, rng: np.random.Generator) -> Any:
        pool = self.valid + 2 * self.invalid
        return pool[rng.integers(len(pool))]


# -- mutations -----------------------------------------------------------------------------------------------------------

ANYTHING: list[Any] = [
    float("nan"), float("inf"), -float("inf"), None, "text", "1.0", "", b"1", object(), True, False, 1j, 10**400, -(10**400),
    2**63, -1, 0, 1, 2, 0.5, -2.5, 1e300, 1e-300, -1e-300, [], (), {}, set(), {"a": 1}, str, int, ..., range(3), np.bool_(True),
    np.float32(0.3), np.int8(3), np.array(0.7), np.array([0.3]), np.array([]), np.array("text"), np.array(None),
    np.longdouble("1e400"),
    np.datetime64("2026-01-01"), np.timedelta64(3, "s"), np.ma.masked, np.ma.array([1.0, 2.0], mask=[0, 1]), [[1.0], [1.0, 2.0]],
    [None], ["a"], [float("nan")], np.zeros((0, 3)), np.zeros((2, 2)), np.ones((2, 3, 4)), [[[]]], [10**400],
    slice(3), np.dtype(float), NotImplemented, ValueError("x"), "nan", "Ünïcode", 1 + 0j,
]  # fmt: skip
NUMBERS: list[Any] = [
    float("nan"), float("inf"), -float("inf"), None, "1.0", -1.0, 0.0, -0.0, 1e-320, 1e-200, 1e200, 1e308, 1, 2, 3,
    True, 1j, 10**400,
    np.float32(0.25), np.float64(0.25), np.int64(1), np.array(0.25), [0.25], np.array([0.25]),
    np.datetime64("2026-01-01"), 1e-16, 1e16,
]  # fmt: skip
COUNTS: list[Any] = [
    0, -1, -3, 1, 2, 3, 1.0, 2.5, True, False, None, "3", 10**400, 2**63, 10**18, np.int64(2), np.float64(2), [2], np.array(2),
    float("nan"), float("inf"), np.uint8(2),
]  # fmt: skip
FLAGS: list[Any] = [True, False, np.bool_(True), np.bool_(False), 0, 1, "False", "no", None, [], 2.0, np.array([True, False])]
SEEDS: list[Any] = [0, 1, 7, -1, 1.5, "seed", True, 10**30, np.int64(3), [1, 2], object(), 1j, float("nan"), b"1"]


def _entry(value: Any) -> Callable[[np.ndarray, np.random.Generator], Any]:
    """Replace one entry."""

    def change(a: np.ndarray, rng: np.random.Generator) -> Any:
        b = a.astype(object) if not isinstance(value, float) else a.copy()
        if b.size:
            b.flat[rng.integers(b.size)] = value
        return b.tolist() if not isinstance(value, float) and rng.random() < 0.5 else b

    return change


def _twin(gap: float) -> Callable[[np.ndarray, np.random.Generator], Any]:
    """Move one entry next to another."""

    def change(a: np.ndarray, rng: np.random.Generator) -> Any:
        b = a.copy()
        if b.size > 1:
            i, j = rng.choice(b.size, 2, replace=False)
            b.flat[i] = b.flat[j] + gap
        return b

    return change


def _strided(a: np.ndarray, rng: np.random.Generator) -> Any:
    return np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a


def _read_only(a: np.ndarray, rng: np.random.Generator) -> Any:
    b = a.copy()
    b.flags.writeable = False
    return b


def _masked(a: np.ndarray, rng: np.random.Generator) -> Any:
    return np.ma.array(a, mask=rng.random(a.shape) < 0.5)


ARRAYS: list[Callable[[np.ndarray, np.random.Generator], Any]] = [
    *(_entry(v) for v in (float("nan"), float("inf"), -float("inf"), None, "text", 1j, 10**400, object(), [1.0], 1e300, 1e-300)),
    *(_twin(g) for g in (0.0, 0.0, 1e-15, 1e-12, 1e-9, 1e-7, 1e-5)),
    *(lambda a, rng, k=k: a.astype(k) for k in (np.float32, np.float16, np.int64, np.bool_, object, complex, str,
    "S8", np.longdouble)),
    lambda a, rng: a.astype("datetime64[D]"),
    *(lambda a, rng, s=s: a * s for s in (1e200, 1e-200, 1e100, 1e-100, 1e8, 1e-8, -1.0, 0.0, 2.0, 1e-310)),
    *(lambda a, rng, s=s: a + s for s in (5.0, -0.3, 1e6, 1e17)),
    lambda a, rng: a[..., ::-1],
    lambda a, rng: rng.permutation(a) if a.ndim else a,
    lambda a, rng: a[:-1] if a.ndim else a,
    lambda a, rng: a[:1] if a.ndim else a,
    lambda a, rng: a[..., :-1] if a.ndim else a,
    lambda a, rng: np.concatenate([a, a]) if a.ndim else a,
    lambda a, rng: np.append(a, 0.111),
    lambda a, rng: a[..., None],
    lambda a, rng: a[None],
    lambda a, rng: a.T,
    lambda a, rng: np.sort(a, axis=None),
    lambda a, rng: a.tolist(),
    lambda a, rng: tuple(a.tolist()) if a.ndim else a,
    lambda a, rng: [a.tolist(), [1.0]],
    lambda a, rng: np.zeros_like(a),
    lambda a, rng: np.ones_like(a),
    lambda a, rng: a.sum(),
    lambda a, rng: a + rng.normal(size=a.shape),
    lambda a, rng: rng.normal(size=a.shape),
    lambda a, rng: np.asfortranarray(a),
    lambda a, rng: np.ma.array(a),
    lambda a, rng: (v for v in a.ravel()),
    lambda a, rng: {i: v for i, v in enumerate(a.ravel())},
    _strided, _read_only, _masked,
]  # fmt: skip


def mutate(kind: Any, value: Any, rng: np.random.Generator) -> Any:
    """Another value for an argument."""
    if rng.random() < 0.2:
        other = ANYTHING[rng.integers(len(ANYTHING))]
        return -1 if kind == "rng" and other is None else other  # None is valid, but no call with it can be repeated
    if isinstance(kind, Choice):
        return kind.draw(rng)
    if kind in ("array", "loose", "points"):
        base = np.asarray(value, dtype=np.float64)
        if base.ndim == 0:
            return NUMBERS[rng.integers(len(NUMBERS))]
        with np.errstate(all="ignore"):
            changed = ARRAYS[rng.integers(len(ARRAYS))](base, rng)
            if rng.random() < 0.15 and isinstance(changed, np.ndarray) and changed.dtype.kind in "biufcO":
                changed = ARRAYS[rng.integers(len(ARRAYS))](np.asarray(changed), rng) if changed.dtype.kind == "f" else changed
        return changed
    pool = {"number": NUMBERS, "count": COUNTS, "flag": FLAGS, "rng": SEEDS}[kind]
    return pool[rng.integers(len(pool))]


# -- comparing answers ---------------------------------------------------------------------------------------------------


def flatten(result: Any) -> list[np.ndarray]:
    """The public numbers of a result."""
    if result is None or isinstance(result, str) or callable(result):
        return []
    if is_dataclass(result) and not isinstance(result, type):
        return [v for f in fields(result) if not f.name.startswith("_") for v in flatten(getattr(result, f.name))]
    if isinstance(result, dict):
        return [v for part in result.values() for v in flatten(part)]
    if isinstance(result, (tuple, list)):
        return [v for part in result for v in flatten(part)]
    if hasattr(result, "detach"):
        result = result.detach()
    array = np.asarray(result)
    return [array] if array.dtype.kind in "biuf" else []


def same(a: Any, b: Any) -> bool:
    """Whether two answers agree to nine digits (another order of memory changes the last ones)."""
    left, right = flatten(a), flatten(b)
    if [v.shape for v in left] != [v.shape for v in right]:
        return False
    for u, v in zip(left, right, strict=True):
        size = float(np.max(np.abs(v[np.isfinite(v)]), initial=0.0))
        with np.errstate(all="ignore"):
            if not np.allclose(u, v, rtol=1e-9, atol=1e-9 * size, equal_nan=True):
                return False
    return True


def one_sentence(error: BaseException) -> bool:
    """Rule, value and remedy in one sentence, a cause only where it is known; or Python's own words for a wrong keyword."""
    message = str(error)
    if isinstance(error, TypeError) and re.search(r"unexpected keyword argument|required (keyword|positional)|missing", message):
        return True
    return bool(
        ", but " in message
        and re.search(r"; [a-z]", message)
        and message.endswith(".")
        and not re.search(r"[.!?] [A-Z]", message)
    )
