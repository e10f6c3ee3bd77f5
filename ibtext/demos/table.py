r"""Tables that answer for a demo where no Python runs.

A result :math:`f(q)` with parameters :math:`q` in a box is sampled on the tensor grid of Chebyshev points of the second kind.
Between them the barycentric formula

.. math:: f(q) \approx \frac{\sum_k \frac{w_k}{q - q_k} f(q_k)}{\sum_k \frac{w_k}{q - q_k}},
          \qquad w_k = (-1)^k\ (\text{halved at both ends}),

is spectrally accurate for smooth :math:`f` and costs a few hundred multiplications a frame (Berrut and Trefethen, SIAM
Review 46, 2004).  The samples form a matrix (nodes x outputs) of small numerical rank; its truncated singular value
decomposition is kept in 16-bit integers.

Each output is first mapped to [0, 1] by its own smallest and largest value, so "full scale" means the range of that output over
the whole table, and a small quantity is kept as faithfully as a large one.

The error is *measured*: at random settings off the nodes, by a seeded generator.  It is a largest error over that sample, and
the page says so; it is no bound.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .declare import Control, DeclarationError, Table

Result = Mapping[str, np.ndarray | float]
Compute = Callable[[Sequence[Mapping[str, float]]], Sequence[Result]]


class TableError(ValueError):
    """A table misses its tolerance, or cannot be built."""


@dataclass(frozen=True)
class Built:
    """A finished table: ``data`` holds int16 factors, ``meta`` what the reader of the table needs."""

    data: bytes
    meta: dict[str, Any]
    error: float
    checks: int


def chebyshev(n: int, low: float, high: float) -> np.ndarray:
    """Return the n Chebyshev points of the second kind on [low, high]."""
    return (low + high) / 2 + (high - low) / 2 * np.cos(np.pi * np.arange(n) / (n - 1))


def barycentric(nodes: np.ndarray, q: float) -> np.ndarray:
    """Return the weights with which samples at ``nodes`` enter the interpolant at ``q``."""
    w = (-1.0) ** np.arange(len(nodes))
    w[[0, -1]] /= 2
    d = q - nodes
    if np.any(d == 0):
        return np.where(d == 0, 1.0, 0.0)
    terms = w / d
    weights: np.ndarray = terms / terms.sum()
    return weights


def coordinate(control: Control, value: float) -> float:
    """Return the coordinate in which a control is interpolated: its logarithm if it is a logarithmic control."""
    return float(np.log(value)) if control.log else float(value)


def _flat(result: Result, names: Sequence[str]) -> np.ndarray:
    """Return all outputs of a result in one row."""
    return np.concatenate([np.atleast_1d(np.asarray(result[k], dtype=float)).ravel() for k in names])


def evaluate(
    data: bytes, meta: Mapping[str, Any], controls: Sequence[Control], parameters: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Read a table exactly as the browser does; scalars come back as arrays of length one."""
    weights = np.ones(1)
    for control, nodes in zip(controls, meta["nodes"], strict=True):
        weights = np.outer(weights, barycentric(np.asarray(nodes), coordinate(control, parameters[control.name]))).ravel()
    rank, size = meta["rank"], sum(meta["sizes"])
    raw = np.frombuffer(data, "<i2")
    left = raw[: len(weights) * rank].reshape(len(weights), rank)
    right = raw[len(weights) * rank :].reshape(rank, size)
    flat = ((weights @ left) * np.asarray(meta["scale"])) @ right
    low, high = np.repeat(meta["low"], meta["sizes"]), np.repeat(meta["high"], meta["sizes"])
    parts = np.split(low + (high - low) * flat, np.cumsum(meta["sizes"])[:-1])
    return dict(zip(meta["names"], parts, strict=True))


def build(compute: Compute, controls: Sequence[Control], spec: Table, *, demo: str) -> Built:
    """Sample, compress and check a table.

    Parameters
    ----------
    compute
        Maps a list of settings to the list of their results (a list, so that a demo can share work between settings).
    controls
        The continuous parameters, each with a number of nodes in ``spec.nodes``.
    spec
        Nodes, tolerance, number and seed of the checks.
    demo
        The demo's name, for messages.

    Raises
    ------
    TableError
        If the largest error at the random settings exceeds the tolerance.
    """
    missing = [c.name for c in controls if c.name not in spec.nodes]
    if missing:
        raise DeclarationError(
            f"A table has a number of nodes for every control, but {demo} gives none for {', '.join(missing)}; a control was "
            "probably added later; add it to Table(nodes=...)."
        )
    axes = [chebyshev(spec.nodes[c.name], coordinate(c, c.minimum), coordinate(c, c.maximum)) for c in controls]
    back = [(np.exp if c.log else float) for c in controls]
    names_of = [c.name for c in controls]

    def setting(point: Sequence[float]) -> dict[str, float]:
        values = (float(f(v)) for f, v in zip(back, point, strict=True))
        # exp(log(x)) may leave the range by one rounding
        return {c.name: min(max(v, c.minimum), c.maximum) for c, v in zip(controls, values, strict=True)}

    results = list(compute([setting(v) for v in itertools.product(*axes)]))
    names = list(results[0])
    sizes = [int(np.size(results[0][k])) for k in names]
    samples = np.array([_flat(r, names) for r in results])
    if not np.all(np.isfinite(samples)):
        bad = next(k for k in names if not all(np.all(np.isfinite(_flat(r, [k]))) for r in results))
        raise TableError(
            f"Every tabulated output is finite, but {bad!r} of {demo} is not at some node; a logarithm or a division probably "
            "meets zero; return a clipped quantity."
        )
    cuts = np.cumsum(sizes)[:-1]
    low = [float(b.min()) for b in np.split(samples, cuts, axis=1)]
    high = [float(b.max()) for b in np.split(samples, cuts, axis=1)]
    high = [h if h > lo else lo + 1.0 for lo, h in zip(low, high, strict=True)]
    low_flat, span_flat = np.repeat(low, sizes), np.repeat(np.subtract(high, low), sizes)
    u, s, v = np.linalg.svd((samples - low_flat) / span_flat, full_matrices=False)
    rank = max(1, int(np.sum(s > 1e-2 * spec.tolerance)))
    left, right = u[:, :rank] * np.sqrt(s[:rank]), v[:rank] * np.sqrt(s[:rank])[:, None]
    a, b = np.abs(left).max(axis=0), np.abs(right).max(axis=1)
    data = np.round(left / a * 32767).astype("<i2").tobytes() + np.round(right / b[:, None] * 32767).astype("<i2").tobytes()
    meta = {
        "names": names, "sizes": sizes, "low": low, "high": high, "rank": rank,
        "scale": (a * b / 32767.0**2).tolist(), "nodes": [x.tolist() for x in axes],
    }  # fmt: skip
    error, worst = measure(data, meta, compute, controls, spec)
    if error > spec.tolerance:
        at = ", ".join(f"{k} = {worst[k]:.4g}" for k in names_of)
        raise TableError(
            f"A table reaches {spec.tolerance:.2%} of full scale, but that of {demo} errs by {error:.2%} at "
            f"{at}; the output probably "
            "has a kink or a front that moves with a parameter; give more nodes, tabulate a smoother quantity, "
            "or choose another engine."
        )
    return Built(data, meta | {"error": error, "checks": spec.checks}, error, spec.checks)


def measure(
    data: bytes, meta: Mapping[str, Any], compute: Compute, controls: Sequence[Control], spec: Table
) -> tuple[float, dict[str, float]]:
    """Return the largest error of a table at random settings, as a share of full scale, and the setting where it occurs."""
    rng = np.random.default_rng(spec.seed)
    low = np.array([coordinate(c, c.minimum) for c in controls])
    high = np.array([coordinate(c, c.maximum) for c in controls])
    unit = rng.random((spec.checks, len(controls)))
    for k, c in enumerate(controls):
        times = spec.repeat.get(c.name, 1)
        unit[:, k] = np.repeat(unit[: -(-spec.checks // times), k], times)[: spec.checks]
    points = low + (high - low) * unit
    settings = [{c.name: float(np.exp(v)) if c.log else float(v) for c, v in zip(controls, q, strict=True)} for q in points]
    names, span = meta["names"], np.repeat(np.subtract(meta["high"], meta["low"]), meta["sizes"])
    error, worst = 0.0, settings[0]
    for parameters, truth in zip(settings, compute(settings), strict=True):
        read = evaluate(data, meta, controls, parameters)
        gap = np.abs(_flat(read, names) - _flat(truth, names)) / span
        here = float(np.max(np.where(np.isfinite(gap), gap, np.inf)))
        if here > error:
            error, worst = here, parameters
    return error, worst
