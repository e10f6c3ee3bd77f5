"""Execute the notebooks of the book in fresh kernels, several at a time, and keep the results for the build.

The results go into the Jupyter cache that Jupyter Book reads. That cache alone matches on the code of a notebook, so
a change in ``ibtext`` would leave old numbers on the pages. Here the whole cache is dropped whenever anything else
that the outputs depend on has changed: the package, the committed data, the pinned versions, or Python itself.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from tools.contents import BUILD, ROOT, pages
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


def execute(path: Path, threads: int) -> tuple[nbformat.NotebookNode, float]:
    """Run a notebook from top to bottom in a fresh kernel; return it with its outputs, and the seconds taken."""
    os.environ |= {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
        extra_arguments=["--log-level=40"],  # the kernel warns about its transport on every start
    )
    start = time.perf_counter()
    client.execute()
    return notebook, time.perf_counter() - start


def fill_cache() -> None:
    """Execute the notebooks that the cache does not hold and store their outputs and times."""
    key_file = BUILD / "outputs.key"
    key = digest(files_under("ibtext", "book/data", "requirements.lock"))
    if not key_file.exists() or key_file.read_text() != key:
        shutil.rmtree(CACHE, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    cache = get_cache(str(CACHE))
    key_file.write_text(key)

    waiting = []
    for path in (page.path for page in pages() if page.path.suffix == ".ipynb"):
        try:
            cache.match_cache_notebook(nbformat.read(path, as_version=4))
        except KeyError:
            waiting.append(path)
    if not waiting:
        print("Notebooks: all outputs are current.")
        return
    cores = os.cpu_count() or 1
    workers = min(cores, len(waiting))
    # Kernels are threads of their own processes; a forked pool would copy the parent's event loop.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(execute, path, max(1, cores // workers)): path for path in waiting}
        for job in as_completed(jobs):
            path = jobs[job]
            try:
                notebook, seconds = job.result()
            except CellExecutionError as error:
                pool.shutdown(cancel_futures=True)
                raise SystemExit(f"{path.relative_to(ROOT)} stopped at an error:\n{error}") from None
            if faults := figure_faults(notebook, path.name):
                raise SystemExit("\n".join(faults))
            bundle = CacheBundleIn(nb=notebook, uri=str(path), data={"execution_seconds": seconds})
            cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
            print(f"Notebook {path.relative_to(ROOT)}: executed in {seconds:.1f} s.", flush=True)


if __name__ == "__main__":
    fill_cache()
