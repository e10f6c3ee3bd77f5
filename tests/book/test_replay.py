"""nbval compares the recorded run of a notebook: another output, another source and a missing run are faults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from tools.contents import ROOT

RUN = """
import sys, pytest
from pathlib import Path
import tools.notebooks.replay as replay
replay.CACHE = Path(sys.argv[1])
options = ["-q", "-p", "no:cacheprovider", "-p", "tools.notebooks.replay", "--nbval", "-W", "default", "-o", "filterwarnings="]
sys.exit(pytest.main([*options, *sys.argv[2:]]))
"""


def notebook(printed: str) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("print(6 * 7)", id="claim", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)]
    return nbformat.v4.new_notebook(cells=[cell])


def test_committed_outputs_are_compared_with_the_recorded_run(tmp_path: Path) -> None:
    """Three pages in one run: the recorded output is the committed one, is another one, is not there."""
    cache = get_cache(str(tmp_path / "cache"))
    paths = []
    for name, recorded in (("same", "42\n"), ("other", "43\n"), ("missing", None)):
        page = notebook("42\n")
        page.cells[0].source += f"  # {name}"
        paths.append(tmp_path / f"{name}.ipynb")
        nbformat.write(page, paths[-1])
        if recorded is not None:
            run = notebook(recorded)
            run.cells[0].source = page.cells[0].source
            cache.cache_notebook_bundle(CacheBundleIn(nb=run, uri=str(paths[-1]), data={}), check_validity=False)
    command = [sys.executable, "-c", RUN, str(tmp_path / "cache"), *map(str, paths)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "1 passed" in result.stdout and "same.ipynb" not in result.stdout.partition("short test summary")[2]
    assert "Cell outputs differ" in result.stdout and "no current run" in result.stdout
