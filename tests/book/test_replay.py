"""nbval compares the recorded run of a notebook: another output, another source and a missing run are faults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

from tools.contents import ROOT

RUN = """
import sys, pytest
from pathlib import Path
import tools.notebooks.replay as replay
replay.CACHE = Path(sys.argv[1])
options = ["-q", "-p", "no:cacheprovider", "-p", "tools.notebooks.replay", "--nbval", "-W", "default", "-o", "filterwarnings="]
sys.exit(pytest.main([*options, sys.argv[2]]))
"""


def notebook(printed: str) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell("print(6 * 7)", id="claim", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)]
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(("recorded", "says"), [("42\n", "1 passed"), ("43\n", "Cell outputs differ"), (None, "no current run")])
def test_committed_outputs_are_compared_with_the_recorded_run(recorded: str | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "page.ipynb"
    nbformat.write(notebook("42\n"), path)
    cache = get_cache(str(tmp_path / "cache"))
    if recorded is not None:
        bundle = CacheBundleIn(nb=notebook(recorded), uri=str(path), data={})
        cache.cache_notebook_bundle(bundle, check_validity=False)
    command = [sys.executable, "-c", RUN, str(tmp_path / "cache"), str(path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert says in result.stdout
    assert (result.returncode == 0) == (recorded == "42\n")
