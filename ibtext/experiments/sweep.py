"""Repeated experiments over widths, seeds and potentials: in parallel, resumable, on one machine or on a Dask cluster.

A cell is one call of the caller's function. Workers only compute; the parent process alone writes the results file
(see ``ibtext.experiments.results_file``), so a cell is kept once or not at all.
"""

import functools
import importlib
import itertools
import operator
import sys
import traceback
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import check_count, check_flag, shortened
from .fingerprint import ADDRESS, describe, fingerprint
from .progress import ProgressBar
from .results_file import Key, ResultsFile
from .table import SweepTable

__all__ = ["SweepError", "SweepTable", "sweep"]

RESERVED = ("width", "seed", "potential")
Outcome = tuple[Key, dict[str, Any] | None, str]


class SweepError(RuntimeError):
    """Cells that failed; the others are finished and kept.

    Attributes
    ----------
    failures : dict
        Traceback of each failed cell, by (potential, width, seed).
    table : SweepTable
        The finished cells.
    """

    def __init__(self, message: str, failures: dict[Key, str], table: SweepTable) -> None:
        super().__init__(message)
        self.failures, self.table = failures, table


class _Cell:
    """One cell, as a worker runs it: an exception becomes part of the answer, so that the other cells go on."""

    def __init__(self, function: Callable[..., Any], with_potential: bool, expected: str) -> None:
        self.function, self.with_potential, self.expected = function, with_potential, expected

    def __call__(self, key: Key, potential: Any) -> Outcome:
        options = {"potential": potential} if self.with_potential else {}
        try:
            if _by_name(self.function) and _own_fingerprint(self.function) != self.expected:
                raise RuntimeError(
                    f"a cell must run the code whose fingerprint the results carry, but the worker has another version of "
                    f"{self.function.__qualname__}; reload the module {self.function.__module__} here, and restart the "
                    f"workers of a cluster"
                )
            return key, _numbers(self.function(width=key[1], seed=key[2], **options)), ""
        except Exception:
            return key, None, traceback.format_exc()


def _by_name(function: Any) -> bool:
    """Whether a worker imports the function, instead of receiving its code."""
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    return isinstance(function, types.FunctionType) and getattr(module, function.__qualname__, None) is function


_own_fingerprint = functools.cache(fingerprint)


def _numbers(values: Any) -> dict[str, Any]:
    """The answer of a cell as plain numbers, which JSON returns bit for bit."""
    if not isinstance(values, Mapping) or not values:
        raise TypeError(f"a cell must return a dict of numbers, but {type(values).__name__} was returned")
    result: dict[str, Any] = {}
    for name, value in values.items():
        if not isinstance(name, str) or name in RESERVED:
            raise TypeError(f"names must be strings other than width, seed and potential, but {name!r} was returned")
        scalar = value.item() if isinstance(value, (np.generic, np.ndarray)) and np.size(value) == 1 else value
        if not isinstance(scalar, (bool, int, float)):
            raise TypeError(f"a cell must return a dict of numbers, but {name!r} is {value!r}")
        result[name] = scalar
    return result


def _locally(cell: _Cell, tasks: list[tuple[Key, Any]], n_jobs: int | None) -> Iterator[Outcome]:
    """Run through joblib. Where a worker process dies, the cells without an answer run again in new processes."""
    joblib = importlib.import_module("joblib")
    if n_jobs != 1:  # workers of an earlier call keep the modules that they imported, also those that were edited since
        importlib.import_module("joblib.externals.loky").get_reusable_executor().shutdown(wait=True)
    broken = importlib.import_module("joblib.externals.loky.process_executor").BrokenProcessPool
    waiting, deaths = dict(tasks), 0
    while waiting:
        parallel = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1)
        try:
            for outcome in parallel(joblib.delayed(cell)(key, potential) for key, potential in list(waiting.items())):
                if waiting.pop(outcome[0], cell) is not cell:
                    yield outcome
        except broken as error:
            deaths += 1
            if deaths == 3:
                for key in waiting:
                    yield key, None, f"{type(error).__name__}: worker processes died three times before this cell had an answer"
                return


def _on_cluster(cell: _Cell, tasks: list[tuple[Key, Any]], client: Any) -> Iterator[Outcome]:
    """Run on a Dask cluster. The scheduler sends the cells of a lost worker to another one; each has one future.

    joblib's own Dask backend (1.6) would be shorter, but it never returns when a cell has killed its workers, and gives
    up where the cluster has no worker for ten seconds.
    """
    distributed = importlib.import_module("distributed")
    futures = {client.submit(cell, key, potential, pure=False): key for key, potential in tasks}
    waiting = set(futures.values())
    try:
        for future in distributed.as_completed(list(futures), raise_errors=False):
            key = futures[future]
            if key not in waiting:
                continue
            try:
                outcome = future.result()
            except Exception as error:
                outcome = (key, None, f"{type(error).__name__}: {error}")
            waiting.discard(key)
            yield outcome
    finally:
        client.cancel([future for future, key in futures.items() if key in waiting])


def _listed(value: Any) -> list[Any] | None:
    """The items of a sequence; None for text and for what cannot be iterated, 0-d arrays included."""
    try:
        return None if isinstance(value, (str, bytes)) else list(value)
    except TypeError:
        return None


def _check_numbers(name: str, values: Any, check: Callable[[str, Any], int]) -> list[int]:
    listed = _listed(values)
    if listed is None:
        raise ValueError(f"{name} must be a sequence of integers, but {values!r} was given; pass a list or a range.")
    result = [check(name, value) for value in listed]
    if not result or len(set(result)) < len(result):
        what = "one appears twice" if result else "none was given"
        raise ValueError(f"{name} must be different integers, at least one, but {what}; list each once.")
    return result


def _check_seed(name: str, value: Any) -> int:
    try:
        number = -1 if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise ValueError(
            f"{name} must be integers that are at least 0, but {value!r} was given; pass for instance {name}=range(10)."
        )
    return number


def _check_potentials(potentials: Any) -> dict[str | None, Any]:
    if potentials is None:
        return {None: None}
    if isinstance(potentials, Mapping):
        named = dict(potentials)
    elif (listed := _listed(potentials)) is not None:
        named = {repr(p): p for p in listed}
        address = next((name for name in named if ADDRESS.search(name)), None)
        if address is not None or len(named) < len(listed):
            what = f"{address} is an address" if address else "two of them have the same repr"
            raise ValueError(
                f"potentials in a list need reprs that tell them apart in every run, but {what}; pass a mapping from names to "
                f"potentials."
            )
    else:
        named = {}
    if not named or not all(isinstance(name, str) for name in named):
        raise ValueError(
            f"potentials must be None, a list of potentials or a mapping from names, but {potentials!r} was given; pass for "
            f"instance potentials=[phi]."
        )
    return named


def sweep(
    function: Callable[..., Mapping[str, Any]],
    *,
    widths: Iterable[int],
    seeds: Iterable[int],
    potentials: Any = None,
    results: Any = None,
    n_jobs: int | None = 1,
    progress: bool = True,
    client: Any = None,
) -> SweepTable:
    """Run ``function(width=..., seed=..., potential=...)`` for every combination, each once, and keep what is finished.

    Parameters
    ----------
    function : callable
        Returns a dict of numbers. It must draw all its randomness from ``seed``; then the table does not depend on
        the number of processes or the order of the cells. Without potentials it is called without ``potential``.
    widths, seeds : sequences of int
        Each different; widths positive, seeds at least 0.
    potentials : list, mapping from names, or None
        Cells are kept under the names, for a list under the reprs.
    results : path, optional
        File that keeps finished cells. With an existing file only the missing cells run, so a sweep may be killed at
        any moment and called again, and may be extended by more widths, seeds or potentials.
    n_jobs : int or None
        Processes, as in joblib: -1 is all cores, None what ``joblib.parallel_config`` says. They are new for every call, so
        that a module that was edited and reloaded is theirs too.
    progress : bool
        Show a line with the cells done on the standard error stream.
    client : dask.distributed.Client, optional
        Run on its cluster instead; workers may come and go. They keep the modules that they have imported: after an edit
        of one, call ``client.restart()``.

    Returns
    -------
    SweepTable

    Raises
    ------
    ValueError
        For widths, seeds, potentials or a path that are not as above, and for a results file that was begun with another
        function or potential: their source text and the constants they read are compared (see ``fingerprint``).
    SweepError
        After the other cells have finished, if a cell raised or returned something else than numbers.
    RuntimeError
        If another run is writing to the results file (not noticed on Windows).

    Notes
    -----
    The overhead is a few milliseconds a cell, most of it for forcing the line to the disk. Floats are kept bit for bit.

    Examples
    --------
    >>> import numpy as np
    >>> def error(width, seed):
    ...     return {"mean": np.random.default_rng(seed).normal(size=width).mean()}
    >>> table = sweep(error, widths=[100, 10_000], seeds=range(20), progress=False)
    >>> spread = [float(np.std(table.select(width=n).column("mean"))) for n in (100, 10_000)]
    >>> 5 < spread[0] / spread[1] < 20
    True
    """
    if not callable(function):
        raise ValueError(f"function must be callable, but {function!r} was given; pass the function itself.")
    if client is not None and not all(hasattr(client, name) for name in ("submit", "scheduler", "cancel")):
        raise ValueError(
            f"client must be a dask.distributed.Client, but {client!r} was given; pass client=Client(cluster or its address)."
        )
    whole = isinstance(n_jobs, (int, np.integer)) and not isinstance(n_jobs, bool)
    if n_jobs is not None and not (whole and 0 < abs(n_jobs) < 10**6):
        raise ValueError(
            f"n_jobs must be None or an integer other than 0, below a million, but {shortened(n_jobs)} was given; pass the "
            f"number of processes, or -1 for all cores."
        )
    named = _check_potentials(potentials)
    progress = check_flag("progress", progress)
    width_list = _check_numbers("widths", widths, check_count)
    seed_list = _check_numbers("seeds", seeds, _check_seed)
    keys: list[Key] = list(itertools.product(named, width_list, seed_list))
    described = {name: describe(potential) for name, potential in named.items()}
    header = {
        "parameters": ["width", "seed"] + ([] if potentials is None else ["potential"]),
        "function": getattr(function, "__qualname__", type(function).__qualname__),
        "fingerprint": fingerprint(function),
    }
    file = None if results is None else ResultsFile(results, header)
    try:
        done = {} if file is None else _kept(file, keys, described)
        tasks = [(key, named[key[0]]) for key in keys if key not in done]
        cell, failures = _Cell(function, potentials is not None, str(header["fingerprint"])), {}
        bar = ProgressBar(len(keys), len(done), progress)
        columns = set(next(iter(done.values()))) if done else None
        outcomes = _locally(cell, tasks, n_jobs) if client is None else _on_cluster(cell, tasks, client)
        for key, values, error in outcomes:
            if values is not None and columns is not None and set(values) != columns:
                error = f"ValueError: cells must return the same names, but this one returned {sorted(values)}"
                values = None
            if values is None:
                failures[key] = error
            else:
                columns = set(values)
                if file is not None:
                    file.append(key, described[key[0]], values)
                done[key] = values
            bar.step()
        bar.draw(last=True)
    finally:
        if file is not None:
            file.close()
    order = list(done[next(key for key in keys if key in done)]) if done else []
    rows = []
    for key in keys:
        if key in done:
            label = {} if potentials is None else {"potential": key[0]}
            rows.append({**label, "width": key[1], "seed": key[2], **{name: done[key][name] for name in order}})
    table = SweepTable(tuple(rows))
    if failures:
        raise SweepError(_sentence(failures, len(keys), results), failures, table)
    return table


def _kept(file: ResultsFile, keys: list[Key], described: dict[str | None, str]) -> dict[Key, dict[str, Any]]:
    """The finished cells of this sweep, after a check that a name still stands for the same potential."""
    for key, (description, _) in file.finished.items():
        if key[0] in described and description != described[key[0]]:
            raise ValueError(
                f"a results file may be resumed only with the settings that began it, but the potential {key[0]!r} was "
                f"{description} there and is {described[key[0]]} here; use another name or another file."
            )
    return {key: file.finished[key][1] for key in keys if key in file.finished}


def _sentence(failures: dict[Key, str], total: int, results: Any) -> str:
    (potential, width, seed), text = next(iter(failures.items()))
    named = "" if potential is None else f", potential={potential!r}"
    cells = "; ".join(
        f"width={w}, seed={s}" + ("" if p is None else f", potential={p!r}") for p, w, s in itertools.islice(failures, 8)
    )
    reason = text.strip().splitlines()[-1] if text.strip() else "no reason given"
    kept = "in memory (error.table)" if results is None else f"in {str(results)!r}"
    return (
        f"every cell must return its numbers, but {len(failures)} of {total} failed ({cells}"
        f"{', ...' if len(failures) > 8 else ''}), the first, width={width}, seed={seed}{named}, with {reason}; repair the "
        f"function or leave out these cells and call again, the finished ones are kept {kept}."
    )
