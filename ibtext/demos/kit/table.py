r"""Tables that answer for a demo where no Python runs.

A result :math:`f(q)` with parameters :math:`q` in a box is sampled on the tensor grid of Chebyshev points of the second kind.
Between them the interpolating polynomial answers, which is spectrally accurate for smooth :math:`f`.  It is kept by its Chebyshev
coefficients (Trefethen, Approximation Theory and Approximation Practice, 2013): they decay, so most of them round to 0, and a
table of three parameters stays small.  Choices and labels in which the result is affine are further axes
(:mod:`ibtext.demos.kit.table_rows`).  The samples form a matrix (rows x outputs) of small numerical rank; its truncated
singular value decomposition is kept in integers of at most 16 bits.  With choices there are two ways, one decomposition for all
rows or one for each combination; the smaller is kept.

Each output is first mapped to [0, 1] by its own smallest and largest value, so "full scale" means the range of that output over
the whole table, and a small quantity is kept as faithfully as a large one.

The error is *measured*: at random settings off the nodes, random choices and random labels, by a seeded generator.  It is a
largest error over that sample, and the page says so; it is no bound.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import table_cache
from .controls import AnyControl
from .declaration import demand, demand_known
from .engines import Built, Compute, Engine, Result
from .table_rows import Rows, weights

#: Bytes that the table of one demo may add to a page, compressed as a web server does.
LIMIT = 150_000
#: Rounding is this share of the tolerance; coarser ones are tried only while a table is larger than ``SMALL``.
SHARES = (0.01, 0.03, 0.06)
SMALL = 90_000


class TableError(ValueError):
    """A table misses its tolerance, or cannot be built."""


@dataclass(frozen=True, kw_only=True)
class Table(Engine):
    """Static pages answer from a table of Chebyshev nodes (see ``ibtext.demos.kit.table``).

    ``nodes`` gives the number of nodes for each slider and for each coordinate of :class:`Points` (one number, or a list with
    one for every coordinate x₁, y₁, x₂, ...); every combination of choices has rows of its own.  ``tolerance`` is the largest
    error accepted, as a share of each output's full scale, at ``checks`` random settings off the nodes.  A parameter in
    ``repeat`` keeps each of its random values for that many settings, where settings with equal values share expensive work.
    ``linear`` names a :class:`Labels` control in which *every* output is affine: the table then holds a matrix, which is
    exact in the labels.
    """

    nodes: Mapping[str, int | Sequence[int]] = field(default_factory=dict)
    repeat: Mapping[str, int] = field(default_factory=dict)
    linear: str | None = None
    tolerance: float = 0.005
    checks: int = 200
    seed: int = 0

    kind = "table"

    def check(self, controls: Sequence[AnyControl], demo: str) -> None:
        """Refuse controls that a table cannot answer for."""
        boxes = [c.name for c in controls if c.box()]
        demand(
            set(boxes) <= {self.linear},
            f"A table answers for sliders only, but {demo} has draggable labels; use the engine Dual, leave the labels fixed, or "
            "give Table(linear=...) if every output is affine in them.",
        )
        demand_known([self.linear] if self.linear else [], boxes, f"A table is linear in a Labels control, but {demo} names")
        count = sum(len(c.dimensions()) for c in controls)
        demand(
            count <= 3,
            f"A table has at most three continuous dimensions, but {demo} has {count}, each coordinate of a point being one; fix "
            "a point or a slider, or make a slider a Choice.",
        )
        names = [c.name for c in controls if c.name not in boxes]
        demand_known({*self.nodes, *self.repeat}, names, f"A table names the controls of its demo, but that of {demo} names")

    def build(self, cls: type, compute: Compute, controls: Sequence[AnyControl]) -> Built:
        """Return the table of a demo class, stored or new."""
        built = table_cache.load(cls)
        if built is None:
            built = build(compute, controls, self, demo=cls.__name__)
            table_cache.save(cls, built)
        return built

    def json(self, built: Built | None) -> dict[str, Any]:
        """Return what the front end needs to read the table."""
        assert built is not None
        return {"kind": self.kind, **built.meta}


def _flat(result: Result, names: Sequence[str]) -> np.ndarray:
    """Return all outputs of a result in one row."""
    return np.concatenate([np.atleast_1d(np.asarray(result[k], dtype=float)).ravel() for k in names])


def pack(numbers: np.ndarray) -> bytes:
    """Return 16-bit integers as bytes: all low bytes, then all high ones, which are mostly 0 and compress well.

    A negative v becomes 2|v| - 1 and any other 2v, so that small numbers have a high byte of 0.
    """
    v = numbers.astype(np.int64)
    zigzag = np.where(v < 0, -2 * v - 1, 2 * v).astype("<u2")
    return (zigzag & 255).astype(np.uint8).tobytes() + (zigzag >> 8).astype(np.uint8).tobytes()


def unpack(data: bytes) -> np.ndarray:
    """Return the integers of :func:`pack`."""
    low, high = np.frombuffer(data, np.uint8).reshape(2, -1).astype(np.int64)
    zigzag = low + 256 * high
    v: np.ndarray = (zigzag >> 1) ^ -(zigzag & 1)
    return v


def evaluate(data: bytes, meta: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Read a table exactly as the browser does; scalars come back as arrays of length one."""
    w = weights(meta, parameters)
    raw, size, flat, row, at = unpack(data), sum(meta["sizes"]), np.zeros(sum(meta["sizes"])), 0, 0
    for block in meta["blocks"]:
        rows, rank = block["rows"], len(block["scale"])
        left = raw[at : at + rows * rank].reshape(rows, rank)
        right = raw[at + rows * rank : at + (rows + size) * rank].reshape(rank, size)
        flat = flat + ((w[row : row + rows] @ left) * np.asarray(block["scale"])) @ right
        row, at = row + rows, at + (rows + size) * rank
    low, high = np.repeat(meta["low"], meta["sizes"]), np.repeat(meta["high"], meta["sizes"])
    flat = low + (high - low) * flat
    for start, length in meta["nan"]:
        flat[start : start + length] = np.nan
    return dict(zip(meta["names"], np.split(flat, np.cumsum(meta["sizes"])[:-1]), strict=True))


def build(compute: Compute, controls: Sequence[AnyControl], spec: Table, *, demo: str) -> Built:
    """Sample, compress and check a table.

    Parameters
    ----------
    compute
        Maps a list of settings to the list of their results (a list, so that a demo can share work between settings).
    controls
        The demo's controls; each continuous one has a number of nodes in ``spec.nodes``.
    spec
        Nodes, tolerance, number and seed of the checks.
    demo
        The demo's name, for messages.

    Raises
    ------
    TableError
        If the largest error at the random settings exceeds the tolerance, or the table is too large for a page.
    """
    rows = Rows(controls, spec.nodes, spec.linear, demo=demo)
    results = list(compute(rows.settings()))
    names = list(results[0])
    sizes = [int(np.size(results[0][k])) for k in names]
    samples, nan = _samples(results, names, sizes, demo)
    if rows.box is not None:
        cube = samples.reshape(-1, rows.directions, samples.shape[1])
        cube[:, 1:] -= cube[:, :1]
        # an affine function on a box of labels reaches its extremes at corners
        reach = np.abs(cube[:, 1:]).sum(axis=1)
        least, most = (cube[:, 0] - reach).min(axis=0), (cube[:, 0] + reach).max(axis=0)
    else:
        least, most = samples.min(axis=0), samples.max(axis=0)
    cuts = np.cumsum(sizes)[:-1]
    low = [float(b.min()) for b in np.split(least, cuts)]
    high = [float(b.max()) for b in np.split(most, cuts)]
    high = [h if h > lo else lo + 1.0 for lo, h in zip(low, high, strict=True)]
    shift, span = np.repeat(low, sizes), np.repeat(np.subtract(high, low), sizes)
    samples.reshape(-1, rows.directions, samples.shape[1])[:, 0] -= shift
    samples /= span
    ways = [[samples]]
    if len(rows.combinations) > 1:
        ways.append(np.split(samples, len(rows.combinations)))
    factors = [[_factors(part) for part in way] for way in ways]
    tries = []
    for share in SHARES:
        tried = [_compress(way, f, share * spec.tolerance, rows) for way, f in zip(ways, factors, strict=True)]
        tries.append(min(tried, key=lambda c: len(zlib.compress(c[1], 6))))
        if len(zlib.compress(tries[-1][1], 6)) <= SMALL:
            break
    else:  # none is small: the finest that fits into a page, or the coarsest
        tries = [t for t in tries if len(zlib.compress(t[1], 6)) < 0.9 * LIMIT][:1] or tries
    blocks, data = tries[-1]
    meta = {"names": names, "sizes": sizes, "low": low, "high": high, "nan": nan, "blocks": blocks} | rows.meta()
    error, worst, output = measure(data, meta, compute, controls, spec)
    if error > spec.tolerance:
        raise TableError(
            f"A table reaches {spec.tolerance:.2%} of full scale, but that of {demo} errs by {error:.2%} in {output!r} at "
            f"{_where(worst)}; it probably has a kink or a front that moves with a parameter"
            f"{', or is not affine in the labels' if rows.box is not None else ''}; give more nodes, tabulate a smoother "
            "quantity, or choose another engine."
        )
    built = Built(data, meta | {"error": error, "checks": spec.checks})
    if built.compressed > LIMIT:
        raise TableError(
            f"A table adds at most {LIMIT / 1000:.0f} kB to a page, but that of {demo} adds {built.compressed / 1000:.0f} kB "
            f"({len(samples)} rows of {samples.shape[1]} numbers); give fewer nodes, coarser x grids, "
            "or one control less."
        )
    return built


def _where(setting: Mapping[str, Any]) -> str:
    """Return parameter values for a message."""

    def text(v: Any) -> str:
        if isinstance(v, list):
            return f"[{', '.join(map(text, v))}]"
        return f"{v:.4g}" if isinstance(v, float) else repr(v)

    return ", ".join(f"{k} = {text(v)}" for k, v in setting.items())


def _samples(
    results: Sequence[Result], names: Sequence[str], sizes: Sequence[int], demo: str
) -> tuple[np.ndarray, list[list[int]]]:
    """Return the matrix of samples, and the runs of entries that are NaN at every setting, which are filled with 0."""
    for r in results:
        for k, n in zip(names, sizes, strict=True):
            if k not in r or np.size(r[k]) != n:
                raise TableError(
                    f"Every result of a demo has the same keys and sizes, but {k!r} of {demo} has {np.size(r.get(k, ()))} "
                    f"entries at some node and {n} at another; return arrays on fixed grids."
                )
    samples = np.array([_flat(r, names) for r in results])
    always = np.all(np.isnan(samples), axis=0)
    bad = ~np.all(np.isfinite(samples[:, ~always]), axis=0)
    if np.any(bad):
        owner = np.repeat(np.arange(len(names)), sizes)[~always][np.argmax(bad)]
        raise TableError(
            f"Every tabulated output is finite, or NaN at every setting, but {names[owner]!r} of {demo} is not at some node; "
            "return a quantity that is, such as one clipped where a logarithm or a division meets zero."
        )
    samples[:, always] = 0.0
    edges = np.flatnonzero(np.diff(np.concatenate([[0], always.astype(int), [0]]))).reshape(-1, 2)
    return samples, [[int(a), int(b - a)] for a, b in edges]


def _factors(part: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return left @ right, the singular value decomposition of a matrix in falling order, without its smallest values.

    By way of the smaller Gram matrix, several times faster; what that loses, below 1e-7 of the largest, no table keeps.
    """
    wide = part.shape[0] < part.shape[1]
    squares, vectors = np.linalg.eigh(part @ part.T if wide else part.T @ part)
    vectors = vectors[:, squares > 1e-14 * max(squares[-1], 1e-300)][:, ::-1]
    return (vectors, vectors.T @ part) if wide else (part @ vectors, vectors.T)


def _rank(part: np.ndarray, left: np.ndarray, right: np.ndarray, error: float) -> int:
    """Return the smallest rank at which no sample is off by more than ``error``, by bisection."""
    low, high = 1, left.shape[1]
    while low < high:
        middle = (low + high) // 2
        if np.max(np.abs(part - left[:, :middle] @ right[:middle])) <= error:
            high = middle
        else:
            low = middle + 1
    return low


def _compress(
    parts: Sequence[np.ndarray], factors: Sequence[Any], error: float, rows: Rows
) -> tuple[list[dict[str, Any]], bytes]:
    """Return the truncated decompositions of parts of the rows, as Chebyshev coefficients rounded to integers.

    A singular vector that contributes little is rounded to few levels, so that every one is off by about ``error``.
    """
    blocks, numbers = [], []
    for part, (left, right) in zip(parts, factors, strict=True):
        rank = _rank(part, left, right, 10 * error)
        left, right = rows.transform(left[:, :rank]), right[:rank]
        a, b = np.maximum(np.abs(left).max(axis=0), 1e-300), np.maximum(np.abs(right).max(axis=1), 1e-300)
        fine = a * b / error
        # many coefficients add up to one value, and their rounding errors with them
        up = np.clip(np.ceil(fine * np.sqrt(len(part)) / 4), 15, 32767)
        down = np.clip(np.ceil(fine), 15, 32767)
        numbers += [np.round(left / a * up).ravel(), np.round(right / b[:, None] * down[:, None]).ravel()]
        blocks.append({"rows": len(part), "scale": [float(f"{x:.9g}") for x in a * b / up / down]})
    return blocks, pack(np.concatenate(numbers))


def measure(
    data: bytes, meta: Mapping[str, Any], compute: Compute, controls: Sequence[AnyControl], spec: Table
) -> tuple[float, dict[str, Any], str]:
    """Return the largest error of a table at random settings, as a share of full scale, the setting and the output."""
    settings = Rows(controls, spec.nodes, spec.linear, demo="").random(spec.checks, spec.seed, spec.repeat)
    names, span = meta["names"], np.repeat(np.subtract(meta["high"], meta["low"]), meta["sizes"])
    owner = np.repeat(np.arange(len(names)), meta["sizes"])
    error, worst, output = 0.0, settings[0], names[0]
    for parameters, truth in zip(settings, compute(settings), strict=True):
        read, right = _flat(evaluate(data, meta, parameters), names), _flat(truth, names)
        gap = np.where(np.isnan(read) & np.isnan(right), 0.0, np.abs(read - right) / span)
        gap = np.where(np.isfinite(gap), gap, np.inf)
        k = int(np.argmax(gap))
        if gap[k] > error:
            error, worst, output = float(gap[k]), parameters, names[owner[k]]
    return error, worst, output
