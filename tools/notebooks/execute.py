"""Execute the notebooks of the book in fresh kernels, several at a time, and keep the results for the build.

With ``--mutations`` every declared mutation of a claim cell is tried on the way, in a fork of the kernel just before its cell,
and a survivor is a fault: what stands before the cell need not run a second time.

The results go into the Jupyter cache that Jupyter Book reads. That cache alone matches on the code of a notebook, so
a change in ``ibtext`` would leave old numbers on the pages. Here the whole cache is dropped whenever anything else
that the outputs depend on has changed: the package, the committed data, the pinned versions, or Python itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.contents import BUILD, ROOT, pages
from tools.notebooks import mutations
from tools.notebooks.figures import figure_faults

CACHE = BUILD / ".jupyter_cache"
CELL_TIMEOUT = 300


def files_under(*places: str) -> list[Path]:
    """Files below the given places, without what Python and Jupyter leave behind."""
    found: list[Path] = []
    for place in places:
        path = ROOT / place
        found += [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return [p for p in found if not {"__pycache__", ".ipynb_checkpoints"} & set(p.parts)]


def digest(paths: Iterable[Path]) -> str:
    """Hash of names and contents of files, and of the Python version."""
    total = hashlib.sha256(sys.version.encode())
    for path in paths:
        total.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


class Client(NotebookClient):
    """Runs a notebook, and the mutations of its cells where that is asked for."""

    def __init__(self, notebook: nbformat.NotebookNode, *, bench: bool, **options: Any) -> None:
        super().__init__(notebook, **options)
        self.bench, self.faults, self.tried, self.apart = bench, list[str](), 0, 0.0

    async def async_execute_cell(self, cell: nbformat.NotebookNode, cell_index: int, *rest: Any, **options: Any) -> Any:
        """Try the mutations of a cell in forks of the kernel, then run the cell itself."""
        if self.bench and mutations.declared(cell):
            start = time.perf_counter()
            with tempfile.NamedTemporaryFile("w+", suffix=".json") as file:
                json.dump([cell.source, *(mutations.mutated(cell, m) for m in mutations.declared(cell))], file)
                file.flush()
                # By its file, because a reader's kernel finds ibtext and not tools.
                code = f"__import__('runpy').run_path({mutations.__file__!r})['in_kernel']({file.name!r})"
                await self.kc.execute_interactive(code, silent=True, store_history=False, allow_stdin=False, timeout=None)
                outcomes = json.loads(Path(file.name).read_text())
            self.apart += time.perf_counter() - start
            for mutation, outcome in zip(mutations.declared(cell), outcomes, strict=True):
                self.tried += 1
                if outcome != mutations.CAUGHT:
                    self.faults.append(mutations.sentence(cell.id, mutation, outcome))
        return await super().async_execute_cell(cell, cell_index, *rest, **options)


def execute(path: Path, threads: int, bench: bool = False) -> tuple[nbformat.NotebookNode, float, list[str], int]:
    """Run a notebook in a fresh kernel; return it with its outputs, the seconds taken, its faults, and the mutations tried."""
    os.environ |= {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    notebook = nbformat.read(path, as_version=4)
    client = Client(
        notebook,
        bench=bench,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        extra_arguments=["--log-level=40"],  # the kernel warns about its transport on every start
    )
    start = time.perf_counter()
    client.execute()
    faults = figure_faults(notebook, path.name) + [f"{path.name} {fault}" for fault in client.faults]
    return notebook, time.perf_counter() - start - client.apart, faults, client.tried


def fill_cache(bench: bool = False) -> None:
    """Execute the notebooks that the cache does not hold, or not with their mutations where these are asked for."""
    key_file = BUILD / "outputs.key"
    key = digest(files_under("ibtext", "book/data", "requirements.lock"))
    if not key_file.exists() or key_file.read_text() != key:
        shutil.rmtree(CACHE, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    cache = get_cache(str(CACHE))
    key_file.write_text(key)

    waiting = []
    for path in (page.path for page in pages() if page.path.suffix == ".ipynb"):
        notebook = nbformat.read(path, as_version=4)
        declared = sum(len(mutations.declared(cell)) for cell in notebook.cells)
        try:
            known = cache.match_cache_notebook(notebook).data.get("mutations", 0)
        except KeyError:
            known = -1
        if known < (declared if bench else 0):
            waiting.append((declared, path))
    if not waiting:
        print("Notebooks: all outputs are current.")
        return
    cores = os.cpu_count() or 1
    workers = min(cores, len(waiting))
    found: list[str] = []
    # Kernels are threads of their own processes; a forked pool would copy the parent's event loop.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        # Those with the most mutations take longest, so they come first.
        order = sorted(waiting, reverse=True)
        jobs = {pool.submit(execute, path, max(1, cores // workers), bench): path for _, path in order}
        for job in as_completed(jobs):
            path = jobs[job]
            try:
                notebook, seconds, faults, tried = job.result()
            except CellExecutionError as error:
                pool.shutdown(cancel_futures=True)
                raise SystemExit(f"{path.relative_to(ROOT)} stopped at an error:\n{error}") from None
            print(f"Notebook {path.relative_to(ROOT)}: executed in {seconds:.1f} s.", flush=True)
            found += faults
            if not faults:
                bundle = CacheBundleIn(nb=notebook, uri=str(path), data={"execution_seconds": seconds, "mutations": tried})
                cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    if bench:
        print(f"{sum(count for count, _ in waiting)} mutations tried, {len(found)} faults.")
    if found:
        raise SystemExit("\n".join(found))


if __name__ == "__main__":
    fill_cache(bench="--mutations" in sys.argv[1:])
